//! Pseudonyms (mã thay thế): what a client of the exchange gets in the place of a number that it has no need of (Law on Personal Data
//! Protection 91/2025/QH15).
//!
//! `ps1-` and 26 characters: 128 bits of an HMAC-SHA-256 over client, registry, kind and value, under a key of the node. So the same
//! number is the same pseudonym for one client at each call and another for every other client, and nobody without the key can try out
//! the numbers that there are.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::{Builder, Uuid, Variant, Version};

/// Small letters and digits that are not mistaken for them (RFC 4648, section 6, in small).
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const PREFIX: &str = "ps";

/// The key of pseudonyms, and which of its editions count.
#[derive(Clone)]
pub struct PseudonymKey {
    edition: u32,
    oldest: u32,
    key: [u8; 32],
}

/// Never the key.
impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PseudonymKey({}..={})", self.oldest, self.edition)
    }
}

/// What stands behind a pseudonym.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Behind {
    /// A value of a field: its term, and the value.
    Value(String, String),
    /// A record, by its id.
    Record(Uuid),
    /// A place in a list or in the feed of changes, and the record that is there.
    Place(String, Option<Uuid>),
}

impl Behind {
    /// What sort, as stored.
    pub fn kind(&self) -> &str {
        match self {
            Self::Value(term, _) => term,
            Self::Record(_) => "#record",
            Self::Place(..) => "#place",
        }
    }

    /// The value, as stored.
    pub fn value(&self) -> String {
        match self {
            Self::Value(_, value) | Self::Place(value, _) => value.clone(),
            Self::Record(record) => record.to_string(),
        }
    }

    /// What an erasure finds it by.
    pub fn about(&self) -> String {
        match self {
            Self::Value(_, value) => value.clone(),
            Self::Record(record) | Self::Place(_, Some(record)) => record.to_string(),
            Self::Place(_, None) => String::new(),
        }
    }
}

impl PseudonymKey {
    /// The key of an edition; those before `oldest` are not taken any more.
    pub const fn new(edition: u32, oldest: u32, key: [u8; 32]) -> Self {
        Self { edition, oldest, key }
    }

    /// The edition of new ones.
    pub const fn edition(&self) -> u32 {
        self.edition
    }

    /// The oldest edition that is taken.
    pub const fn oldest(&self) -> u32 {
        self.oldest
    }

    /// What a client gets for something of a registry. That of a record looks like the id of one.
    pub fn of(&self, client: &str, registry: &str, behind: &Behind) -> String {
        let bytes = self.mac([client, registry, behind.kind(), &behind.value()]);
        match behind {
            Behind::Record(_) => {
                let mut id = Builder::from_bytes(bytes);
                id.set_variant(Variant::RFC4122).set_version(Version::Custom);
                id.into_uuid().to_string()
            }
            Behind::Value(..) | Behind::Place(..) => format!("{PREFIX}{}-{}", self.edition, base32(&bytes)),
        }
    }

    fn mac(&self, parts: [&str; 4]) -> [u8; 16] {
        let mut first = [0; 16];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) {
            mac.update(b"motcua-pseudonym");
            mac.update(&self.edition.to_be_bytes());
            // With their lengths, so that no two ways of cutting are one.
            for part in parts {
                mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                mac.update(part.as_bytes());
            }
            first.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        }
        first
    }
}

/// Whether a text has the form of a pseudonym: of a value, a place, or a record.
pub fn is_pseudonym(text: &str) -> bool {
    let of_value = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    let of_value = of_value.is_some_and(|(edition, rest)| {
        edition.parse::<u32>().is_ok() && rest.len() == 26 && rest.bytes().all(|byte| ALPHABET.contains(&byte))
    });
    let of_record = |id: Uuid| id.get_version_num() == 8;
    of_value || text.parse().is_ok_and(of_record)
}

fn base32(bytes: &[u8; 16]) -> String {
    let (mut text, mut buffer, mut bits) = (String::with_capacity(26), 0_u32, 0);
    for byte in bytes {
        buffer = (buffer << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits & 31) as usize]));
        }
        buffer &= (1 << bits) - 1;
    }
    // 128 bits are 25 characters and three bits.
    text.push(char::from(ALPHABET[(buffer << (5 - bits) & 31) as usize]));
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn number(value: &str) -> Behind {
        Behind::Value("person.number".to_owned(), value.to_owned())
    }

    #[test]
    fn a_pseudonym_depends_on_everything_that_it_is_made_of() {
        let key = PseudonymKey::new(1, 1, [7; 32]);
        let one = key.of("VN/GOV/a/x", "tax", &number("001190000017"));
        assert!(is_pseudonym(&one) && one.starts_with("ps1-"), "{one}");
        assert_eq!(one, key.of("VN/GOV/a/x", "tax", &number("001190000017")));
        let others = [
            key.of("VN/GOV/b/x", "tax", &number("001190000017")),
            key.of("VN/GOV/a/x", "population", &number("001190000017")),
            key.of("VN/GOV/a/x", "tax", &number("001190000018")),
            key.of(
                "VN/GOV/a/x",
                "tax",
                &Behind::Value("tax.code".to_owned(), "001190000017".to_owned()),
            ),
            key.of("VN/GOV/a/xt", "ax", &number("001190000017")),
            key.of("VN/GOV/a/x", "tax", &Behind::Place("001190000017".to_owned(), None)),
            PseudonymKey::new(2, 1, [7; 32]).of("VN/GOV/a/x", "tax", &number("001190000017")),
            PseudonymKey::new(1, 1, [8; 32]).of("VN/GOV/a/x", "tax", &number("001190000017")),
        ];
        let different: BTreeSet<&String> = others.iter().chain([&one]).collect();
        assert_eq!(different.len(), 9);
    }

    #[test]
    fn a_pseudonym_is_none_of_a_number_and_that_of_a_record_is_an_id() {
        let key = PseudonymKey::new(12, 3, [7; 32]);
        let record = key.of("VN/GOV/a/x", "tax", &Behind::Record(Uuid::nil()));
        assert_eq!(record.parse::<Uuid>().expect("an id").get_version_num(), 8);
        assert!(is_pseudonym(&record));
        for none in [
            "001190000017",
            "ps-abc",
            "ps1-",
            "ps1-001190000017",
            "01926d3c-7b1a-7c3e-9a55-0a0a0a0a0a0a",
            "psx-aaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert!(!is_pseudonym(none), "{none}");
        }
        assert_eq!(format!("{key:?}"), "PseudonymKey(3..=12)", "the key is not shown");
    }

    #[test]
    fn the_letters_are_those_of_base_32() {
        // python3: base64.b32encode(bytes(range(16))).decode().lower().rstrip("=")
        let bytes: [u8; 16] = std::array::from_fn(|n| u8::try_from(n).expect("small"));
        assert_eq!(base32(&bytes), "aaaqeayeaudaocajbifqydiob4");
        assert_eq!(base32(&[255; 16]), "7777777777777777777777777 4".replace(' ', ""));
    }
}
