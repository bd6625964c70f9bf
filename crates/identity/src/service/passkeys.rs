//! Officers signing in by passkey (WebAuthn): user verification is required, so a passkey is both factors at once.

use base::{Error, Kind, Problems, Result, Timestamp};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use store::transact;
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Webauthn, WebauthnError,
};

use super::{
    IdentityState, Opened, Origin,
    people::{self, Event},
};
use crate::{
    Ctx,
    model::{Assurance, OfficerId},
    secret::token_hash,
    store::{
        Owner, PasskeyRow, add_passkey, delete_passkey, officer, passkey_by_credential, passkeys, put_step,
        recovery_codes_left, take_step, update_passkey,
    },
};

/// The kind of a registration under way.
const REGISTER: &str = "passkey-register";
/// The kind of a sign-in under way.
const SIGN_IN: &str = "passkey-sign-in";
/// Seconds that an officer has to touch the key.
const STEP_LIFE: i64 = 300;

/// A registration under way.
#[derive(Serialize, Deserialize)]
struct Registering {
    officer: OfficerId,
    label: String,
    state: PasskeyRegistration,
}

/// A sign-in under way.
#[derive(Serialize, Deserialize)]
struct SigningIn {
    state: DiscoverableAuthentication,
    next: String,
}

/// A passkey as its officer sees it.
#[derive(Debug, Clone)]
pub(crate) struct PasskeyEntry {
    pub id: Uuid,
    pub label: String,
    pub created_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

fn off() -> Error {
    Error::refused(
        Kind::NotFound,
        "passkeys-off",
        "Khóa truy cập không dùng được với địa chỉ IP. Hãy mở trang bằng tên miền (khi dùng thử: localhost).",
        "Passkeys do not work under an IP address. Open the site by its name (when trying it out: localhost).",
    )
}

/// One answer for a key that is unknown, wrong or of a deactivated officer; the log says which.
fn not_accepted(reason: impl std::fmt::Display) -> Error {
    tracing::info!(%reason, "a passkey was refused");
    Error::refused(
        Kind::Invalid,
        "passkey",
        "Khóa truy cập này không được chấp nhận. Hãy thử khóa khác hoặc đăng nhập bằng mật khẩu.",
        "This passkey was not accepted. Try another, or sign in by password.",
    )
}

impl IdentityState {
    fn webauthn(&self) -> Result<&Webauthn> {
        self.0.webauthn.as_ref().ok_or_else(off)
    }

    /// Begins the registration of a passkey for the signed-in officer: the options for the browser, and the token of the
    /// cookie that must come back.
    pub(crate) async fn begin_passkey(&self, ctx: &Ctx, label: &str) -> Result<(serde_json::Value, String)> {
        let id = ctx.officer()?.officer;
        let webauthn = self.webauthn()?;
        let db = self.0.store.read();
        let row = officer(&db, id).await?.ok_or_else(Error::forbidden)?;
        let known = passkeys(&db, id).await?;
        let known: Vec<_> = known
            .iter()
            .filter_map(|row| read(row).ok())
            .map(|key| key.cred_id().clone())
            .collect();
        let (options, state) = webauthn
            .start_passkey_registration(id.uuid(), &row.login, &row.name, Some(known))
            .map_err(Error::internal)?;
        let mut options = serde_json::to_value(options)?;
        // Only a key that the authenticator itself keeps can be offered before a login name is known.
        if let Some(selection) = options.pointer_mut("/publicKey/authenticatorSelection") {
            selection["residentKey"] = "required".into();
            selection["requireResidentKey"] = true.into();
        }
        let label: String = label.trim().chars().filter(|c| !c.is_control()).take(100).collect();
        let token = self
            .keep(
                REGISTER,
                &Registering {
                    officer: id,
                    label,
                    state,
                },
                ctx,
            )
            .await?;
        Ok((options, token))
    }

    /// Ends the registration of a passkey.
    ///
    /// # Errors
    /// `Invalid` for an answer that does not verify or a key that is registered already.
    pub(crate) async fn finish_passkey(
        &self,
        ctx: &Ctx,
        token: Option<&str>,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<()> {
        let id = ctx.officer()?.officer;
        let pending: Registering = self.take(REGISTER, token, ctx).await?;
        if pending.officer != id {
            return Err(not_accepted("begun by another officer"));
        }
        let key = self
            .webauthn()?
            .finish_passkey_registration(answer, &pending.state)
            .map_err(not_accepted)?;
        let credential = serde_json::to_string(&key)?;
        let credential_id = URL_SAFE_NO_PAD.encode(key.cred_id().as_ref() as &[u8]);
        let label = &pending.label;
        transact!(self.0.store, |tx| {
            if !add_passkey(&tx, id, &credential_id, &credential, label, ctx.now).await? {
                let mut problems = Problems::new();
                problems.add(
                    "taken",
                    "",
                    "Khóa này đã được đăng ký.",
                    "This passkey is registered already.",
                );
                return Err(Error::Refused(Kind::Conflict, problems));
            }
            people::note(&tx, ctx, Event::PasskeyAdded, id.uuid(), label, "").await
        })
    }

    /// Begins a sign-in by passkey.
    pub(crate) async fn begin_passkey_sign_in(&self, ctx: &Ctx, next: &str) -> Result<(serde_json::Value, String)> {
        let (options, state) = self
            .webauthn()?
            .start_discoverable_authentication()
            .map_err(Error::internal)?;
        let mut options = serde_json::to_value(options)?;
        // The button asks at once; waiting in the background of a text field is the browser's other mode.
        if let Some(options) = options.as_object_mut() {
            options.remove("mediation");
        }
        let token = self
            .keep(
                SIGN_IN,
                &SigningIn {
                    state,
                    next: next.to_owned(),
                },
                ctx,
            )
            .await?;
        Ok((options, token))
    }

    /// Ends a sign-in by passkey and begins the session.
    ///
    /// # Errors
    /// `Invalid`, with one answer for all that may be wrong.
    pub(crate) async fn finish_passkey_sign_in(
        &self,
        ctx: &Ctx,
        origin: &Origin,
        token: Option<&str>,
        answer: &PublicKeyCredential,
    ) -> Result<(Opened, String)> {
        let webauthn = self.webauthn()?;
        let pending: SigningIn = self.take(SIGN_IN, token, ctx).await?;
        let (user, credential_id) = webauthn
            .identify_discoverable_authentication(answer)
            .map_err(not_accepted)?;
        let db = self.0.store.read();
        let row = passkey_by_credential(&db, &URL_SAFE_NO_PAD.encode(credential_id)).await?;
        let row = row
            .filter(|row| row.officer_id == user)
            .ok_or_else(|| not_accepted("unknown key"))?;
        let owner = officer(&db, OfficerId::from_uuid(user))
            .await?
            .filter(|officer| officer.active);
        let owner = owner.ok_or_else(|| not_accepted("deactivated officer"))?;
        let mut key = read(&row)?;
        let result = finish(webauthn, answer, pending.state, &key).map_err(not_accepted)?;
        key.update_credential(&result);
        let credential = serde_json::to_string(&key)?;
        let session_token = self.0.entropy.token()?;
        let opened = transact!(self.0.store, |tx| {
            update_passkey(&tx, row.id, &credential, ctx.now).await?;
            let owner = Owner::Officer(owner.id());
            self.open_session(
                &tx,
                ctx,
                origin,
                owner,
                &session_token,
                Assurance::Level1,
                None,
                "passkey",
            )
            .await
        })?;
        Ok((opened, pending.next))
    }

    /// The passkeys of the signed-in officer and how many recovery codes are left.
    pub(crate) async fn my_factors(&self, ctx: &Ctx) -> Result<(Vec<PasskeyEntry>, usize)> {
        let id = ctx.officer()?.officer;
        let db = self.0.store.read();
        let entry = |row: PasskeyRow| PasskeyEntry {
            id: row.id,
            label: row.label,
            created_at: Timestamp::from_micros(row.created_at),
            used_at: row.used_at.map(Timestamp::from_micros),
        };
        let keys = passkeys(&db, id).await?.into_iter().map(entry).collect();
        Ok((keys, recovery_codes_left(&db, id).await?))
    }

    /// Removes a passkey of the signed-in officer.
    pub(crate) async fn remove_passkey(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let owner = ctx.officer()?.officer;
        transact!(self.0.store, |tx| {
            if !delete_passkey(&tx, owner, id).await? {
                return Err(Error::not_found("khóa truy cập", "passkey"));
            }
            people::note(&tx, ctx, Event::PasskeyRemoved, owner.uuid(), "", "").await
        })
    }

    async fn keep(&self, kind: &str, state: &impl Serialize, ctx: &Ctx) -> Result<String> {
        let token = self.0.entropy.token()?;
        let hash = token_hash(&token);
        let sealed = self.0.keys.seal(&self.0.entropy, &hash, &serde_json::to_vec(state)?)?;
        transact!(self.0.store, |tx| {
            put_step(&tx, &hash, kind, &sealed, ctx.now.plus_seconds(STEP_LIFE)).await
        })?;
        Ok(token)
    }

    async fn take<T: serde::de::DeserializeOwned>(&self, kind: &str, token: Option<&str>, ctx: &Ctx) -> Result<T> {
        let hash = token_hash(token.unwrap_or_default());
        let sealed = transact!(self.0.store, |tx| { take_step(&tx, &hash, kind, ctx.now).await })?;
        let sealed = sealed.ok_or_else(|| not_accepted("the ceremony was not begun here, or too long ago"))?;
        Ok(serde_json::from_slice(&self.0.keys.open(&hash, &sealed)?)?)
    }
}

fn read(row: &PasskeyRow) -> Result<Passkey> {
    Ok(serde_json::from_str(&row.credential)?)
}

fn finish(
    webauthn: &Webauthn,
    answer: &PublicKeyCredential,
    state: DiscoverableAuthentication,
    key: &Passkey,
) -> Result<webauthn_rs::prelude::AuthenticationResult, WebauthnError> {
    webauthn.finish_discoverable_authentication_v2(answer, state, DiscoverableKey::from(key))
}
