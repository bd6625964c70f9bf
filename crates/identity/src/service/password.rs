//! Officers signing in by password and second factor.

mod second_factor;

use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{PasswordHash, SaltString},
};
use base::{Error, Kind, Problems, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, transact};

use super::{
    IdentityState, Opened, Origin,
    people::{self, Event},
};
use crate::{
    Ctx,
    model::{Assurance, OfficerId, check_password, login_key},
    secret::{Entropy, token_hash},
    store::{
        OfficerRow, Owner, drop_step, forget, forgive, lock_of, officer, officer_by_login, peek_step, put_step,
        set_password, take_step, try_once,
    },
};

/// The kind of a sign-in under way whose password was right.
const KIND: &str = "officer";
/// Seconds within which the second step must follow.
const STEP_LIFE: i64 = 600;
/// A hash that no password fits, so that an unknown login costs as much time as a wrong password.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmUu$Fv3tZ0y1mT9yQq3xq1l3cQhX0m0s8m8r9w2n6cR3d2E";

/// What the officer has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Give a code of the authenticator app or a recovery code.
    Code,
    /// Replace a password that somebody else chose.
    NewPassword,
    /// Set up an authenticator app.
    Enrol,
}

/// A sign-in whose password was right.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pending {
    officer: OfficerId,
    stage: Stage,
    /// The secret that is being set up.
    secret: Option<Vec<u8>>,
    /// Whether the second factor was shown in this sign-in.
    proved: bool,
    /// Which password opened it: a reset meanwhile ends it.
    mark: String,
    next: String,
}

/// What came of a step.
#[derive(Debug)]
pub(crate) enum Entered {
    /// Another step follows, under this token.
    Step(String, Stage),
    /// The session has begun; with recovery codes to be shown once.
    Session {
        opened: Opened,
        next: String,
        codes: Vec<String>,
    },
}

/// Hashes a password with Argon2id (19 MiB, 2 passes: the first choice of the OWASP guide), in PHC form. Takes some 20 ms.
///
/// # Errors
/// Internal when there is no randomness.
pub fn hash_password(password: &str, entropy: &Entropy) -> Result<String> {
    let salt = SaltString::encode_b64(&entropy.bytes::<16>()?).map_err(|e| Error::internal(e.to_string()))?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string())
        .map_err(|e| Error::internal(e.to_string()))
}

fn fits(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// One answer for an unknown login, a wrong password and a deactivated officer.
fn wrong_password() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "wrong",
        "password",
        "Tên đăng nhập hoặc mật khẩu không đúng.",
        "The login name or the password is not right.",
    );
    Error::Refused(Kind::Invalid, problems)
}

fn locked(until: Timestamp, now: Timestamp) -> Error {
    let minutes = ((until.micros() - now.micros()).max(1) + 59_999_999) / 60_000_000;
    Error::refused(
        Kind::TooMany,
        "locked",
        format!(
            "Đã nhập sai quá nhiều lần. Vui lòng thử lại sau {minutes} phút (lúc {}), hoặc đăng nhập bằng khóa truy cập.",
            until.display()
        ),
        format!(
            "Too many tries. Please try again in {minutes} minutes (at {}), or sign in with a passkey.",
            until.display()
        ),
    )
}

fn step_lost() -> Error {
    Error::refused(
        Kind::Unauthenticated,
        "step-expired",
        "Phiên đăng nhập đã hết hạn. Vui lòng đăng nhập lại từ đầu.",
        "This sign-in has expired. Please start again.",
    )
}

impl IdentityState {
    /// Hashes a password on a thread of its own.
    pub(super) async fn hash(&self, password: &str) -> Result<String> {
        let _turn = self.0.hashing.acquire().await.map_err(Error::internal)?;
        let (password, entropy) = (password.to_owned(), self.0.entropy.clone());
        tokio::task::spawn_blocking(move || hash_password(&password, &entropy))
            .await
            .map_err(Error::internal)?
    }

    /// Whether the password fits; without a hash the same work is done for nothing.
    async fn password_fits(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let _turn = self.0.hashing.acquire().await.map_err(Error::internal)?;
        let (password, known) = (password.to_owned(), hash.is_some());
        let hash = hash.unwrap_or(DUMMY).to_owned();
        let fits = tokio::task::spawn_blocking(move || fits(&password, &hash))
            .await
            .map_err(Error::internal)?;
        Ok(fits && known)
    }

    /// Counts one try at each key; refuses when any is locked.
    async fn count_try(&self, keys: &[(&str, u32)], now: Timestamp) -> Result<()> {
        let throttle = &self.0.config.throttle;
        let (window, lock) = (
            i64::from(throttle.window_minutes) * 60,
            i64::from(throttle.lock_minutes) * 60,
        );
        // A lock is answered without a write, or a guesser would keep the disk busy.
        for (key, _) in keys {
            if let Some(until) = lock_of(&self.0.store.read(), key, now).await? {
                return Err(locked(until, now));
            }
        }
        let shut = transact!(self.0.store, |tx| {
            let mut shut = None;
            for (key, limit) in keys {
                shut = shut.max(try_once(&tx, key, i64::from(*limit), window, lock, now).await?);
            }
            Ok(shut)
        })?;
        shut.map_or(Ok(()), |until| Err(locked(until, now)))
    }

    /// The first step: login name and password.
    ///
    /// # Errors
    /// `Invalid` with one answer for all that may be wrong, after the same time; `TooMany` when guessing was stopped.
    pub(crate) async fn sign_in_by_password(
        &self,
        ctx: &Ctx,
        origin: &Origin,
        login: &str,
        password: &str,
        next: &str,
    ) -> Result<(String, Stage)> {
        let mut missing = Problems::new();
        if login.trim().is_empty() {
            missing.add("required", "login", "Nhập tên đăng nhập.", "Enter your login name.");
        }
        if password.is_empty() {
            missing.add("required", "password", "Nhập mật khẩu.", "Enter your password.");
        }
        missing.into_result()?;
        // No login name is so; and no database is asked for a NUL.
        if login.len() > 256 || password.len() > 4096 || login.chars().any(char::is_control) {
            return Err(wrong_password());
        }
        let throttle = &self.0.config.throttle;
        // Names are hashed so that a password typed into the wrong box is not kept.
        let login_try = format!("login:{}", token_hash(&login_key(login)));
        let address_try = format!("address:{}", origin.address);
        let mut keys = vec![(login_try.as_str(), throttle.per_login)];
        // Without an address all clients would share one count.
        if !origin.address.is_empty() {
            keys.push((address_try.as_str(), throttle.per_address));
        }
        self.count_try(&keys, ctx.now).await?;

        let row = officer_by_login(&self.0.store.read(), login).await?;
        let hash = row
            .as_ref()
            .filter(|row| row.active)
            .and_then(|row| row.password.as_deref());
        let fits = self.password_fits(password, hash).await?;
        let Some(row) = row.filter(|_| fits) else {
            return Err(wrong_password());
        };
        let stage = next_stage(&row, false).unwrap_or(Stage::Code);
        let pending = Pending {
            officer: row.id(),
            stage,
            secret: None,
            proved: false,
            mark: mark(&row),
            next: next.to_owned(),
        };
        let token = self.0.entropy.token()?;
        let sealed = self.seal_step(&token, &pending)?;
        transact!(self.0.store, |tx| {
            forget(&tx, &login_try).await?;
            forgive(&tx, &address_try).await?;
            put_step(&tx, &token_hash(&token), KIND, &sealed, ctx.now.plus_seconds(STEP_LIFE)).await
        })?;
        Ok((token, stage))
    }

    fn seal_step(&self, token: &str, pending: &Pending) -> Result<Vec<u8>> {
        self.0
            .keys
            .seal(&self.0.entropy, &token_hash(token), &serde_json::to_vec(pending)?)
    }

    /// The sign-in under way, its officer still active, at the stage that is asked for.
    async fn pending(&self, ctx: &Ctx, token: &str, stage: Stage) -> Result<(Pending, OfficerRow)> {
        let hash = token_hash(token);
        let db = self.0.store.read();
        let sealed = peek_step(&db, &hash, KIND, ctx.now).await?.ok_or_else(step_lost)?;
        let pending: Pending = serde_json::from_slice(&self.0.keys.open(&hash, &sealed)?)?;
        let row = officer(&db, pending.officer)
            .await?
            .filter(|row| row.active)
            .ok_or_else(step_lost)?;
        if pending.stage == stage && pending.mark == mark(&row) {
            Ok((pending, row))
        } else {
            Err(step_lost())
        }
    }

    /// At which stage the sign-in under way stands.
    pub(crate) async fn pending_stage(&self, ctx: &Ctx, token: &str) -> Result<Stage> {
        let hash = token_hash(token);
        let sealed = peek_step(&self.0.store.read(), &hash, KIND, ctx.now)
            .await?
            .ok_or_else(step_lost)?;
        Ok(serde_json::from_slice::<Pending>(&self.0.keys.open(&hash, &sealed)?)?.stage)
    }

    /// Ends this step and begins the next, or the session when none is left.
    #[expect(clippy::too_many_arguments, reason = "all that a step knows")]
    async fn advance(
        &self,
        tx: &Tx,
        ctx: &Ctx,
        origin: &Origin,
        token: &str,
        pending: &Pending,
        row: &OfficerRow,
        session_token: &str,
        step_token: &str,
    ) -> Result<Entered> {
        if take_step(tx, &token_hash(token), KIND, ctx.now).await?.is_none() {
            return Err(step_lost());
        }
        // What the row says now, with this step's own change in it.
        let row = officer(tx, row.id())
            .await?
            .filter(|row| row.active)
            .ok_or_else(step_lost)?;
        if pending.stage != Stage::NewPassword && pending.mark != mark(&row) {
            return Err(step_lost());
        }
        let proved = pending.proved || pending.stage != Stage::NewPassword;
        if let Some(stage) = next_stage(&row, proved) {
            let pending = Pending {
                stage,
                secret: None,
                proved,
                mark: mark(&row),
                ..pending.clone()
            };
            let sealed = self.seal_step(step_token, &pending)?;
            put_step(
                tx,
                &token_hash(step_token),
                KIND,
                &sealed,
                ctx.now.plus_seconds(STEP_LIFE),
            )
            .await?;
            return Ok(Entered::Step(step_token.to_owned(), stage));
        }
        let owner = Owner::Officer(row.id());
        let opened = self
            .open_session(
                tx,
                ctx,
                origin,
                owner,
                session_token,
                Assurance::Level1,
                None,
                "password",
            )
            .await?;
        Ok(Entered::Session {
            opened,
            next: pending.next.clone(),
            codes: Vec::new(),
        })
    }

    /// Replaces a password that somebody else chose.
    ///
    /// # Errors
    /// `Invalid` for a password that is short, common, the old one, or not the same twice.
    pub(crate) async fn replace_password(
        &self,
        ctx: &Ctx,
        origin: &Origin,
        token: &str,
        new: &str,
        again: &str,
    ) -> Result<Entered> {
        let (pending, row) = self.pending(ctx, token, Stage::NewPassword).await?;
        check_new(new, again, &row.login)?;
        if self.password_fits(new, row.password.as_deref()).await? {
            return Err(same_password());
        }
        let hash = self.hash(new).await?;
        let session_token = self.0.entropy.token()?;
        let step_token = self.0.entropy.token()?;
        transact!(self.0.store, |tx| {
            // A reset meanwhile counts more.
            if officer(&tx, row.id())
                .await?
                .is_none_or(|now| mark(&now) != pending.mark)
            {
                return Err(step_lost());
            }
            set_password(&tx, row.id(), &hash, false, ctx.now).await?;
            people::note(&tx, ctx, Event::PasswordChanged, row.id, "", &origin.address).await?;
            self.advance(&tx, ctx, origin, token, &pending, &row, &session_token, &step_token)
                .await
        })
    }

    /// Gives up a sign-in under way.
    pub(crate) async fn drop_pending(&self, token: &str) -> Result<()> {
        transact!(self.0.store, |tx| { drop_step(&tx, &token_hash(token)).await })
    }

    /// Changes the password of the signed-in officer; other sessions are for the caller to end.
    ///
    /// # Errors
    /// `Invalid` with every wrong field; `TooMany`.
    pub(crate) async fn change_password(&self, ctx: &Ctx, old: &str, new: &str, again: &str) -> Result<()> {
        let id = ctx.officer()?.officer;
        let row = officer(&self.0.store.read(), id).await?.ok_or_else(Error::forbidden)?;
        check_new(new, again, &row.login)?;
        let key = format!("login:{}", token_hash(&row.login));
        self.count_try(&[(&key, self.0.config.throttle.per_login)], ctx.now)
            .await?;
        if !self.password_fits(old, row.password.as_deref()).await? {
            let mut problems = Problems::new();
            problems.add(
                "wrong",
                "old",
                "Mật khẩu hiện tại không đúng.",
                "The present password is not right.",
            );
            return Err(Error::Refused(Kind::Invalid, problems));
        }
        if old == new {
            return Err(same_password());
        }
        let hash = self.hash(new).await?;
        transact!(self.0.store, |tx| {
            set_password(&tx, id, &hash, false, ctx.now).await?;
            forget(&tx, &key).await?;
            people::note(&tx, ctx, Event::PasswordChanged, id.uuid(), "", "").await
        })
    }
}

/// A fingerprint of the stored password.
fn mark(row: &OfficerRow) -> String {
    token_hash(row.password.as_deref().unwrap_or_default())
}

/// What is still to be done before a session; `proved` when the second factor was shown in this sign-in or there is none yet.
fn next_stage(row: &OfficerRow, proved: bool) -> Option<Stage> {
    if row.totp.is_some() && !proved {
        Some(Stage::Code)
    } else if row.must_change {
        Some(Stage::NewPassword)
    } else if row.totp.is_none() {
        Some(Stage::Enrol)
    } else {
        None
    }
}

fn check_new(new: &str, again: &str, login: &str) -> Result<()> {
    let mut problems = check_password(new, login, "new");
    if new != again {
        problems.add(
            "differs",
            "again",
            "Hai lần nhập mật khẩu mới không giống nhau.",
            "The two new passwords differ.",
        );
    }
    problems.into_result()
}

fn same_password() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "same",
        "new",
        "Mật khẩu mới phải khác mật khẩu hiện tại.",
        "The new password must differ from the present one.",
    );
    Error::Refused(Kind::Invalid, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dummy_hash_is_read_and_fits_nothing() {
        assert!(
            PasswordHash::new(DUMMY).is_ok(),
            "else an unknown login would answer faster"
        );
        assert!(!fits("", DUMMY));
        let hash = hash_password("cơm tấm sườn bì chả", &Entropy::seeded(1)).expect("hashes");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "the same work as the dummy: {hash}"
        );
        assert!(fits("cơm tấm sườn bì chả", &hash));
        assert!(!fits("com tam suon bi cha", &hash));
    }
}
