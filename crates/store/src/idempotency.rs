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

/// A request that must have one effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who asks, for what.
    pub scope: String,
    /// The caller's key within it.
    pub key: String,
    /// A hash of the request's content.
    pub fingerprint: String,
    /// What will have been answered if the transaction holds.
    pub answer: String,
}

#[derive(Debug, crate::Row)]
struct Seen {
    fingerprint: String,
    answer: String,
}

#[derive(Debug, crate::Row)]
struct Inserted {
    scope: String,
    key: String,
}

use crate::sea_orm;

impl Tx {
    /// Claims the keys of requests, all in one statement; what each is, in their order. Of two with the same key the first
    /// comes first. A key that was used for a different request is [`Kind::Conflict`], for that request alone.
    ///
    /// # Errors
    /// The database failed.
    pub async fn claim(&self, claims: &[Claim], now: Timestamp) -> Result<Vec<Result<Once>>> {
        let into = "idempotency (scope, key, fingerprint, answer, at)";
        let rows: Vec<_> = claims
            .iter()
            .map(|c| params![c.scope, c.key, c.fingerprint, c.answer, now])
            .collect();
        let after = " ON CONFLICT (scope, key) DO NOTHING RETURNING scope, key";
        let mut new = self.insert_returning::<Inserted>(into, &rows, after).await?;
        let mut judged = Vec::with_capacity(claims.len());
        for claim in claims {
            let is_new = |row: &Inserted| row.scope == claim.scope && row.key == claim.key;
            judged.push(match new.iter().position(is_new) {
                Some(at) => {
                    new.swap_remove(at);
                    Ok(Once::First)
                }
                None => self.seen(claim).await?,
            });
        }
        Ok(judged)
    }

    /// As [`Self::claim`], for one request.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when the key was used for a different request; the database failed.
    pub async fn once(&self, scope: &str, key: &str, fingerprint: &str, answer: &str, now: Timestamp) -> Result<Once> {
        let claim = Claim {
            scope: scope.to_owned(),
            key: key.to_owned(),
            fingerprint: fingerprint.to_owned(),
            answer: answer.to_owned(),
        };
        let mut judged = self.claim(&[claim], now).await?;
        judged
            .pop()
            .unwrap_or_else(|| Err(Error::internal("a claim was not judged")))
    }

    async fn seen(&self, claim: &Claim) -> Result<Result<Once>> {
        let sql = "SELECT fingerprint, answer FROM idempotency WHERE scope = $1 AND key = $2";
        match self.one::<Seen>(sql, params![claim.scope, claim.key]).await? {
            Some(seen) if seen.fingerprint != claim.fingerprint => Ok(Err(Error::refused(
                Kind::Conflict,
                "idempotency-key-reused",
                "Mã chống gửi trùng này đã dùng cho một yêu cầu khác.",
                "This idempotency key was used for a different request.",
            ))),
            Some(seen) => Ok(Ok(Once::Again(seen.answer))),
            None => Err(Error::internal("an idempotency key came and went")),
        }
    }
}
