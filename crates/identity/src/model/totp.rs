//! Time-based one-time codes (RFC 6238): six digits, thirty seconds, one step of tolerance either way.

use base::{Error, Result, Timestamp};
use totp_rs::{Builder, Totp};

/// Digits of a code.
const TOTP_DIGITS: usize = 6;

/// The code generator of one officer.
///
/// # Errors
/// Internal when the stored secret is shorter than RFC 4226 allows.
pub(crate) fn totp(secret: Vec<u8>, site: &str, login: &str) -> Result<Totp> {
    // The otpauth address separates issuer and account by a colon, so neither may hold one.
    Builder::new()
        .with_secret(secret)
        .with_issuer(Some(site.replace(':', " ")))
        .with_account_name(login.replace(':', " "))
        .build()
        .map_err(|error| Error::internal(error.to_string()))
}

/// The step whose code was given, if it is near `now` and later than `last`, the last step that was used:
/// a code is good once (RFC 6238, section 5.2).
pub(crate) fn matching_step(totp: &Totp, code: &str, now: Timestamp, last: Option<i64>) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != TOTP_DIGITS || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = u64::try_from(now.micros() / 1_000_000).ok()?;
    let step = i64::try_from(totp.check(&code, seconds)?).ok()?;
    (last.is_none_or(|last| step > last)).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once_and_only_near_its_time() {
        let totp = totp(b"12345678901234567890".to_vec(), "Một Cửa: thử", "lan").expect("a good secret");
        // RFC 6238, appendix B: at 59 s the 8-digit SHA-1 code is 94287082, so the 6-digit one is 287082.
        let at = Timestamp::from_micros(59_000_000);
        assert_eq!(matching_step(&totp, "287 082", at, None), Some(1));
        assert_eq!(matching_step(&totp, "287082", at, Some(1)), None, "the same code twice");
        assert_eq!(
            matching_step(&totp, "287082", at.plus_seconds(61), None),
            None,
            "too late"
        );
        assert_eq!(matching_step(&totp, "28708", at, None), None);
        assert_eq!(matching_step(&totp, "२८७०८२", at, None), None, "other digits");
    }
}
