//! Telling a subscriber that there is news: a signed POST without any data of an event. What happened, the subscriber pulls.
//!
//! The signature is that of Standard Webhooks: `webhook-signature: v1,` and the base64 of
//! HMAC-SHA-256(secret, `webhook-id.webhook-timestamp.body`). `docs/events.md` has a test vector.

mod call;
mod guard;
mod nudger;
mod receiver;

use base::{Error, Kind, Result, Timestamp};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

pub(in crate::events) use call::Caller;
pub use call::Outcome;
pub use guard::Webhooks;
pub(in crate::events) use guard::check_url;
pub(in crate::events) use nudger::enqueue;
pub use nudger::{NUDGE, nudges};
pub use receiver::receiver;

use super::model::{Position, SubscriptionId};

/// How far the clocks of sender and receiver may be apart, in seconds.
const TOLERANCE: i64 = 300;
const PREFIX: &str = "whsec_";

/// What signs the nudges of one subscription; shown to its subscriber once.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Derived from the node's own secret, so that no table holds it.
    pub(in crate::events) fn derive(node: &[u8; 32], of: SubscriptionId, generation: i64) -> Result<Self> {
        let mut mac = keyed(node)?;
        mac.update(b"events/webhook\0");
        mac.update(of.uuid().as_bytes());
        mac.update(&generation.to_be_bytes());
        Ok(Self(mac.finalize().into_bytes().into()))
    }

    /// Reads what the subscriber was shown: `whsec_…`.
    ///
    /// # Errors
    /// `webhook-secret`: it is not one.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(|| {
            Error::refused(
                Kind::Invalid,
                "webhook-secret",
                "Khóa webhook có dạng whsec_ và 32 byte ở dạng base64.",
                "The secret of a webhook is whsec_ and 32 bytes in base64.",
            )
        })
    }

    /// As the subscriber is shown it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }

    /// The header `webhook-signature`.
    pub(in crate::events) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> Result<String> {
        Ok(format!(
            "v1,{}",
            STANDARD.encode(self.mac(id, &seconds.to_string(), body)?)
        ))
    }

    fn mac(&self, id: &str, seconds: &str, body: &[u8]) -> Result<[u8; 32]> {
        let mut mac = keyed(&self.0)?;
        for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
            mac.update(part);
        }
        Ok(mac.finalize().into_bytes().into())
    }

    /// Reads a nudge that came in, if this secret signed it within the last five minutes.
    ///
    /// # Errors
    /// `webhook-signature`: missing or wrong headers, another secret, too old, or no nudge.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Nudge> {
        self.signed(headers, body, now)
            .and_then(|()| serde_json::from_slice::<Message>(body).ok())
            .map(|message| message.data)
            .ok_or_else(|| {
                Error::refused(
                    Kind::Forbidden,
                    "webhook-signature",
                    "Thông báo không có chữ ký hợp lệ, hoặc giờ của hai máy lệch quá 5 phút. Kiểm tra khóa webhook và đồng hồ.",
                    "The message is not signed as it should be, or the clocks are more than five minutes apart. Check the secret of the webhook and the clock.",
                )
            })
    }

    fn signed(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<()> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (id, seconds) = (header("webhook-id")?, header("webhook-timestamp")?);
        let age = (now.micros() / 1_000_000).checked_sub(seconds.parse().ok()?)?;
        if age.checked_abs()? > TOLERANCE {
            return None;
        }
        let right = self.mac(id, seconds, body).ok()?;
        // Several signatures may stand there, while a secret is being changed.
        header("webhook-signature")?
            .split(' ')
            .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
            .any(|given| subtle::ConstantTimeEq::ct_eq(given.as_slice(), right.as_slice()).into())
            .then_some(())
    }
}

fn keyed(key: &[u8]) -> Result<Hmac<Sha256>> {
    <Hmac<Sha256> as Mac>::new_from_slice(key).map_err(|_| Error::internal("HMAC takes keys of any length"))
}

/// The body of a nudge.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    data: Nudge,
}

/// What a nudge says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nudge {
    /// Who published: `INSTANCE/CLASS/MEMBER/SUBSYSTEM`.
    pub provider: String,
    /// The event type.
    pub event_type: String,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The newest position of the type when this was sent.
    pub sequence: Position,
}

/// A nudge ready to be sent.
#[derive(Debug)]
pub(in crate::events) struct Signed {
    pub id: String,
    pub seconds: i64,
    pub signature: String,
    pub body: String,
}

impl Nudge {
    pub(in crate::events) fn sign(self, secret: &Secret, now: Timestamp) -> Result<Signed> {
        let id = format!("{}.{}", self.subscription, self.sequence);
        let body = serde_json::to_string(&Message {
            kind: "events.available".to_owned(),
            timestamp: now.rfc3339(),
            data: self,
        })?;
        let seconds = now.micros() / 1_000_000;
        let signature = secret.sign(&id, seconds, body.as_bytes())?;
        Ok(Signed {
            id,
            seconds,
            signature,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &Signed) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", of.id.parse().expect("a header"));
        headers.insert("webhook-timestamp", of.seconds.into());
        headers.insert("webhook-signature", of.signature.parse().expect("a header"));
        headers
    }

    fn nudge() -> Nudge {
        Nudge {
            provider: "VN/GOV/000.00.00.H26/ho-tich".to_owned(),
            event_type: "birth.registered".to_owned(),
            subscription: SubscriptionId::from_uuid(uuid::Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001)),
            sequence: 42,
        }
    }

    #[test]
    fn the_vector_of_the_documentation_holds() {
        let secret = Secret(std::array::from_fn(|n| u8::try_from(n).expect("small")));
        assert_eq!(secret.reveal(), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let signed = nudge().sign(&secret, now).expect("signs");
        let documented = include_str!("../../../../../docs/events.md");
        for piece in [&signed.body, &signed.id, &signed.signature, &signed.seconds.to_string()] {
            assert!(documented.contains(piece.as_str()), "docs/events.md has not {piece}");
        }
    }

    #[test]
    fn only_what_was_signed_lately_by_this_secret_is_believed() {
        let now = Timestamp::from_micros(1_795_000_000_000_000);
        let secret = Secret::derive(&[1; 32], nudge().subscription, 1).expect("derives");
        let signed = nudge().sign(&secret, now).expect("signs");
        let good = headers(&signed);
        let body = signed.body.as_bytes();
        assert_eq!(
            secret.verify(&good, body, now.plus_seconds(299)).expect("signed"),
            nudge()
        );
        let parsed = Secret::parse(&secret.reveal()).expect("as shown");
        assert!(parsed.verify(&good, body, now).is_ok());
        let other = Secret::derive(&[1; 32], nudge().subscription, 2).expect("derives");
        assert!(other.verify(&good, body, now).is_err(), "rotated");
        assert!(secret.verify(&good, body, now.plus_seconds(301)).is_err(), "old");
        assert!(
            secret.verify(&good, body, now.plus_seconds(-301)).is_err(),
            "of the future"
        );
        assert!(
            secret
                .verify(&good, signed.body.replace("42", "43").as_bytes(), now)
                .is_err(),
            "bent"
        );
        for (name, value) in [
            ("webhook-id", "other"),
            ("webhook-timestamp", "1795000001"),
            ("webhook-timestamp", "-9223372036854775808"),
            ("webhook-timestamp", "x"),
            ("webhook-signature", "v1,"),
            ("webhook-signature", "v1a,AAAA v2,BBBB"),
        ] {
            let mut bent = good.clone();
            bent.insert(name, value.parse().expect("a header"));
            assert!(secret.verify(&bent, body, now).is_err(), "{name}: {value}");
        }
        assert!(secret.verify(&HeaderMap::new(), body, now).is_err());
        let mut two = good;
        two.insert(
            "webhook-signature",
            format!("v1,AAAA {}", signed.signature).parse().expect("a header"),
        );
        assert!(secret.verify(&two, body, now).is_ok(), "one of several");
        for bad in [
            "",
            "whsec_",
            "whsec_AAAA",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ] {
            assert!(Secret::parse(bad).is_err(), "{bad}");
        }
    }
}
