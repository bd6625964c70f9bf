//! The second factor: codes of an authenticator app, and the recovery codes that stand in for it.

use base::{Error, Kind, Problems, Result, Timestamp};
use store::transact;

use super::{Entered, KIND, STEP_LIFE, Stage, step_lost};
use crate::{
    Ctx,
    model::{OfficerId, matching_step, totp},
    secret::token_hash,
    service::{
        IdentityState, Origin,
        people::{self, Event},
    },
    store::{
        OfficerRow, forget, officer, put_step, replace_recovery_codes, set_totp, spend_recovery_code, spend_totp_step,
    },
};

/// Recovery codes that an officer gets.
const RECOVERY_CODES: usize = 8;
/// Letters and digits that cannot be taken for each other (base 32 after Crockford).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What the page needs to set up an authenticator app.
#[derive(Debug)]
pub(crate) struct Enrolment {
    /// The `otpauth:` address, for the QR code.
    pub address: String,
    /// The same secret to type.
    pub secret: String,
}

fn wrong_code() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "wrong",
        "code",
        "Mã không đúng, đã hết hạn hoặc đã được sử dụng. Nhập mã mới đang hiển thị trong ứng dụng xác thực.",
        "The code is wrong, expired or already used. Enter the code that the authenticator app shows now.",
    );
    Error::Refused(Kind::Invalid, problems)
}

impl IdentityState {
    /// The second step: a code of the authenticator app, or a recovery code.
    ///
    /// # Errors
    /// `Invalid` for a code that is wrong or used; `TooMany`; `Unauthenticated` when the first step is too long ago.
    pub(crate) async fn enter_code(&self, ctx: &Ctx, origin: &Origin, token: &str, code: &str) -> Result<Entered> {
        let (pending, row) = self.pending(ctx, token, Stage::Code).await?;
        if code.trim().is_empty() {
            let mut problems = Problems::new();
            problems.add("required", "code", "Nhập mã xác thực.", "Enter the code.");
            return Err(Error::Refused(Kind::Invalid, problems));
        }
        let key = format!("code:{}", row.id);
        self.count_try(&[(&key, self.0.config.throttle.per_login)], ctx.now)
            .await?;
        let step = self.code_step(&row, code, ctx.now)?;
        let recovery = self.0.keys.recovery(&row.id.to_string(), &plain_code(code));
        let session_token = self.0.entropy.token()?;
        let step_token = self.0.entropy.token()?;
        transact!(self.0.store, |tx| {
            let good = match step {
                Some(step) => spend_totp_step(&tx, row.id(), step).await?,
                None => {
                    let used = spend_recovery_code(&tx, row.id(), &recovery).await?;
                    if used {
                        people::note(&tx, ctx, Event::RecoveryCodeUsed, row.id, "", &origin.address).await?;
                    }
                    used
                }
            };
            if !good {
                return Err(wrong_code());
            }
            forget(&tx, &key).await?;
            self.advance(&tx, ctx, origin, token, &pending, &row, &session_token, &step_token)
                .await
        })
    }

    fn code_step(&self, row: &OfficerRow, code: &str, now: Timestamp) -> Result<Option<i64>> {
        let Some(sealed) = &row.totp else { return Ok(None) };
        let secret = self.0.keys.open(&totp_place(row.id()), sealed)?;
        let totp = totp(secret, "Mot Cua", &row.login)?;
        Ok(matching_step(&totp, code, now, row.totp_step))
    }

    /// The secret to be set up; made at the first look, the same at the next.
    pub(crate) async fn enrolment(&self, ctx: &Ctx, token: &str) -> Result<Enrolment> {
        let (mut pending, row) = self.pending(ctx, token, Stage::Enrol).await?;
        let secret = match &pending.secret {
            Some(secret) => secret.clone(),
            None => {
                let secret = self.0.entropy.bytes::<20>()?.to_vec();
                pending.secret = Some(secret.clone());
                let sealed = self.seal_step(token, &pending)?;
                transact!(self.0.store, |tx| {
                    put_step(&tx, &token_hash(token), KIND, &sealed, ctx.now.plus_seconds(STEP_LIFE)).await
                })?;
                secret
            }
        };
        let totp = totp(secret, "Mot Cua", &row.login)?;
        let address = totp.to_url().map_err(|e| Error::internal(e.to_string()))?;
        Ok(Enrolment {
            address,
            secret: in_groups(&totp.secret().to_base32()),
        })
    }

    /// Proves that the authenticator app works and begins the session, with fresh recovery codes.
    ///
    /// # Errors
    /// `Invalid` for a wrong code.
    pub(crate) async fn confirm_enrolment(
        &self,
        ctx: &Ctx,
        origin: &Origin,
        token: &str,
        code: &str,
    ) -> Result<Entered> {
        let (pending, row) = self.pending(ctx, token, Stage::Enrol).await?;
        let secret = pending.secret.clone().ok_or_else(step_lost)?;
        let key = format!("code:{}", row.id);
        self.count_try(&[(&key, self.0.config.throttle.per_login)], ctx.now)
            .await?;
        let step = matching_step(&totp(secret.clone(), "Mot Cua", &row.login)?, code, ctx.now, None);
        let step = step.ok_or_else(wrong_code)?;
        let sealed = self.0.keys.seal(&self.0.entropy, &totp_place(row.id()), &secret)?;
        let codes = self.new_recovery_codes()?;
        let hashes = self.recovery_hashes(row.id(), &codes);
        let session_token = self.0.entropy.token()?;
        let step_token = self.0.entropy.token()?;
        let entered = transact!(self.0.store, |tx| {
            // Set up in another window meanwhile: that one counts.
            if officer(&tx, row.id()).await?.is_none_or(|now| now.totp.is_some()) {
                return Err(step_lost());
            }
            set_totp(&tx, row.id(), &sealed, step, ctx.now).await?;
            replace_recovery_codes(&tx, row.id(), &hashes).await?;
            forget(&tx, &key).await?;
            people::note(&tx, ctx, Event::CodesEnrolled, row.id, "", &origin.address).await?;
            self.advance(&tx, ctx, origin, token, &pending, &row, &session_token, &step_token)
                .await
        })?;
        Ok(match entered {
            Entered::Session { opened, next, .. } => Entered::Session { opened, next, codes },
            step @ Entered::Step(..) => step,
        })
    }

    fn new_recovery_codes(&self) -> Result<Vec<String>> {
        (0..RECOVERY_CODES).map(|_| self.random_code::<10>()).collect()
    }

    /// `N` characters of [`ALPHABET`] in groups of five: five bits each.
    pub(in crate::service) fn random_code<const N: usize>(&self) -> Result<String> {
        let bytes = self.0.entropy.bytes::<N>()?;
        let mut code = String::with_capacity(N + N / 5);
        for (n, byte) in bytes.iter().enumerate() {
            if n > 0 && n % 5 == 0 {
                code.push('-');
            }
            code.push(char::from(ALPHABET[usize::from(byte & 31)]));
        }
        Ok(code)
    }

    fn recovery_hashes(&self, officer: OfficerId, codes: &[String]) -> Vec<String> {
        codes
            .iter()
            .map(|code| self.0.keys.recovery(&officer.to_string(), &plain_code(code)))
            .collect()
    }

    /// New recovery codes for the signed-in officer; the old ones stop working.
    pub(crate) async fn renew_recovery_codes(&self, ctx: &Ctx) -> Result<Vec<String>> {
        let id = ctx.officer()?.officer;
        let codes = self.new_recovery_codes()?;
        let hashes = self.recovery_hashes(id, &codes);
        transact!(self.0.store, |tx| { replace_recovery_codes(&tx, id, &hashes).await })?;
        Ok(codes)
    }
}

/// The place for which the secret of an officer's codes is sealed.
fn totp_place(officer: OfficerId) -> String {
    format!("totp/{officer}")
}

/// A recovery code as compared: upper case, without hyphens and blanks, with letters read as the digits they look like.
fn plain_code(code: &str) -> String {
    let plain = code
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(64)
        .map(|c| c.to_ascii_uppercase());
    plain
        .map(|c| match c {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect()
}

fn in_groups(secret: &str) -> String {
    let chars: Vec<char> = secret.chars().collect();
    chars
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_codes_are_read_kindly() {
        assert_eq!(plain_code("ab1o2-cdeil "), "AB102CDE11");
        assert_eq!(in_groups("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }
}
