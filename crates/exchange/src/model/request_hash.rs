//! The hash that ties an answer to its request (X-Road PR-REST 4.3, reference 1.4):
//! `base64(SHA-512(H))` without a body, else `base64(SHA-512(SHA-512(H) ‖ SHA-512(body)))`, where H is the request line
//! and the headers that go on.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha512};

use super::{address::Target, field::Field, method::Method};

/// H: method, request target and fields, a line each, `Name:Value` without a space.
pub fn canonical_request(method: Method, target: &Target, fields: &[Field]) -> Vec<u8> {
    let mut bytes = format!("{method}\r\n{target}\r\n").into_bytes();
    for field in fields {
        bytes.extend_from_slice(field.name().as_bytes());
        bytes.push(b':');
        bytes.extend_from_slice(field.value());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Makes the hash while the body passes.
#[derive(Debug, Clone)]
pub struct RequestHasher {
    head: [u8; 64],
    body: Option<Sha512>,
}

impl RequestHasher {
    /// Begins with H.
    pub fn new(canonical: &[u8]) -> Self {
        Self {
            head: Sha512::digest(canonical).into(),
            body: None,
        }
    }

    /// The same body under another head: of a message whose head is known at its end only.
    #[must_use]
    pub fn under(self, canonical: &[u8]) -> Self {
        Self {
            head: Sha512::digest(canonical).into(),
            ..self
        }
    }

    /// Takes the next piece of the body. A body of no bytes is no body.
    pub fn update(&mut self, piece: &[u8]) {
        if !piece.is_empty() {
            self.body.get_or_insert_default().update(piece);
        }
    }

    /// The value of `X-Road-Request-Hash`.
    pub fn finish(self) -> String {
        let hash = match self.body {
            None => self.head,
            Some(body) => Sha512::new()
                .chain_update(self.head)
                .chain_update(body.finalize())
                .finalize()
                .into(),
        };
        BASE64_STANDARD.encode(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_reference_hold() {
        // Reference 1.4, where names stand in the case that they came in.
        let canonical = b"POST\r\n/r1/VN/GOV/000.00.00.G22/dvcqg/hoso/v1/items?x=1\r\n\
            Content-Type:application/json\r\n\
            X-Road-Client:VN/GOV/000.00.00.H26/motcua\r\n\
            x-road-request-id:11111111-1111-4111-8111-111111111111\r\n\
            x-road-id:VN-22222222-2222-4222-8222-222222222222\r\n";
        assert_eq!(canonical.len(), 237);
        assert_eq!(
            RequestHasher::new(canonical).finish(),
            "/WiZYKCbQaqn4U6k7+Iq3ZjUpYg6QcC3tmXtMwVaBqwcG4Z2AJRCAkJKvWshQR8CbMo3revoEkkPYJTkkvWhew=="
        );
        for pieces in [vec![&b"{\"value\":42}"[..]], vec![b"", b"{\"value", b"", b"\":42}"]] {
            let mut hasher = RequestHasher::new(canonical);
            pieces.into_iter().for_each(|piece| hasher.update(piece));
            assert_eq!(
                hasher.under(b"").under(canonical).finish(),
                "MwlyQp6JinHh2pEkXmu+ummSwoF3EwB4nuVO/SDORXhNcPfEoNh1AgbvQ46GAL/hkADSkLIjHnYi+blwXW+zxA=="
            );
        }
        let target = Target::parse(b"/r1/VN/GOV/000.00.00.G22/dvcqg/hoso/v1/items?x=1").expect("a target");
        let fields = [
            ("content-type", "application/json"),
            ("x-road-client", "VN/GOV/000.00.00.H26/motcua"),
            ("x-road-request-id", "11111111-1111-4111-8111-111111111111"),
            ("x-road-id", "VN-22222222-2222-4222-8222-222222222222"),
        ]
        .map(|(name, value)| Field::ours(name, value));
        let ours = canonical_request(Method::Post, &target, &fields);
        assert!(ours.eq_ignore_ascii_case(canonical));
    }
}
