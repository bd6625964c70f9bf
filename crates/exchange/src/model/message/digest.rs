//! The digest of a body: `Content-Digest` of RFC 9530 with SHA-256, and nothing else in it.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

/// SHA-256 of the bytes of a body; of no bytes when there is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentDigest(pub [u8; 32]);

impl ContentDigest {
    /// That of a whole body.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// Reads `sha-256=:…:`, which is how it displays; no other algorithm beside it.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = value.strip_prefix(b"sha-256=:")?.strip_suffix(b":")?;
        BASE64_STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

/// The value of the header.
impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha-256=:{}:", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Makes the digest while the body passes.
#[derive(Debug, Clone, Default)]
pub struct Digester(Sha256);

impl Digester {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> ContentDigest {
        ContentDigest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_9530_hold() {
        // RFC 9530, appendix B.1, and D for the body without bytes.
        let digest = ContentDigest::of(b"{\"hello\": \"world\"}\n");
        assert_eq!(
            digest.to_string(),
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
        assert_eq!(
            ContentDigest::of(b"").to_string(),
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
        );
        let mut digester = Digester::default();
        digester.update(b"{\"hello\": ");
        digester.update(b"\"world\"}\n");
        assert_eq!(digester.finish(), digest);
    }

    #[test]
    fn one_digest_has_one_form() {
        let digest = ContentDigest::of(b"x");
        assert_eq!(ContentDigest::parse(digest.to_string().as_bytes()), Some(digest));
        for value in [
            "",
            "sha-256=::",
            "sha-512=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU:",
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=:",
            "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:, sha-512=:AA==:",
            " sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
        ] {
            assert_eq!(ContentDigest::parse(value.as_bytes()), None, "{value}");
        }
    }
}
