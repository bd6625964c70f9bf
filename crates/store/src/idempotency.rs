//! One effect for a request that arrives twice.

use base::{Error, Kind, Result, Timestamp};

use crate::{Read, Tx, params};

/// Whether a request was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// Never: do it now.
    First,
    /// Already done; this was the answer.
    Again(String),
}

#[derive(Debug, crate::Row)]
struct Seen {
    fingerprint: String,
    answer: String,
}

use crate::sea_orm;

impl Tx {
    /// Claims `key` within `scope` (who asks, for what) for a request whose answer will be `answer` if the transaction
    /// holds. `fingerprint` is a hash of the request's content.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when the key was used for a different request.
    pub async fn once(&self, scope: &str, key: &str, fingerprint: &str, answer: &str, now: Timestamp) -> Result<Once> {
        let sql = "INSERT INTO idempotency (scope, key, fingerprint, answer, at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (scope, key) DO NOTHING";
        if self.exec(sql, params![scope, key, fingerprint, answer, now]).await? == 1 {
            return Ok(Once::First);
        }
        let sql = "SELECT fingerprint, answer FROM idempotency WHERE scope = $1 AND key = $2";
        match self.one::<Seen>(sql, params![scope, key]).await? {
            Some(seen) if seen.fingerprint != fingerprint => Err(Error::refused(
                Kind::Conflict,
                "idempotency-key-reused",
                "Mã chống gửi trùng này đã dùng cho một yêu cầu khác.",
                "This idempotency key was used for a different request.",
            )),
            Some(seen) => Ok(Once::Again(seen.answer)),
            None => Err(Error::internal("an idempotency key came and went")),
        }
    }
}
