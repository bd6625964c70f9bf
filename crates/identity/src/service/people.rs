//! Accounts of people, the demonstration, and the record of what happened to whom.

use base::{Error, Id, Kind, Problems, Result, Text};
use store::{Tx, transact};
use uuid::Uuid;

use super::{IdentityState, Opened, Origin};
use crate::{
    Actor, Ctx,
    model::{AccountId, Assurance, DemoRole, NewAccount},
    store::{
        EventRow, Owner, account, accounts_of, add_event, demo_account, demo_officer, events_of, memberships,
        upsert_account,
    },
};

/// What happened to an account or officer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    SignedIn,
    SessionsEnded,
    PasswordChanged,
    CodesEnrolled,
    RecoveryCodeUsed,
    PasskeyAdded,
    PasskeyRemoved,
    OfficerAdded,
    OfficerChanged,
    OfficerReset,
    TokenCreated,
    TokenRevoked,
}

impl Event {
    const ALL: [Self; 12] = [
        Self::SignedIn,
        Self::SessionsEnded,
        Self::PasswordChanged,
        Self::CodesEnrolled,
        Self::RecoveryCodeUsed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::OfficerAdded,
        Self::OfficerChanged,
        Self::OfficerReset,
        Self::TokenCreated,
        Self::TokenRevoked,
    ];

    const fn code(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SessionsEnded => "sessions-ended",
            Self::PasswordChanged => "password-changed",
            Self::CodesEnrolled => "codes-enrolled",
            Self::RecoveryCodeUsed => "recovery-code-used",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::OfficerAdded => "officer-added",
            Self::OfficerChanged => "officer-changed",
            Self::OfficerReset => "officer-reset",
            Self::TokenCreated => "token-created",
            Self::TokenRevoked => "token-revoked",
        }
    }

    fn label(self) -> Text {
        match self {
            Self::SignedIn => Text::new("Đăng nhập", "Signed in"),
            Self::SessionsEnded => Text::new("Đăng xuất khỏi thiết bị", "Signed out of devices"),
            Self::PasswordChanged => Text::new("Đổi mật khẩu", "Password changed"),
            Self::CodesEnrolled => Text::new("Đăng ký ứng dụng xác thực", "Authenticator app set up"),
            Self::RecoveryCodeUsed => Text::new("Dùng mã dự phòng", "Recovery code used"),
            Self::PasskeyAdded => Text::new("Thêm khóa truy cập", "Passkey added"),
            Self::PasskeyRemoved => Text::new("Xóa khóa truy cập", "Passkey removed"),
            Self::OfficerAdded => Text::new("Tạo tài khoản cán bộ", "Officer added"),
            Self::OfficerChanged => Text::new("Sửa tài khoản cán bộ", "Officer changed"),
            Self::OfficerReset => Text::new("Cấp lại mật khẩu", "Password reset"),
            Self::TokenCreated => Text::new("Tạo mã truy cập cho phần mềm", "Access token created"),
            Self::TokenRevoked => Text::new("Thu hồi mã truy cập", "Access token revoked"),
        }
    }
}

/// The name of an event as stored, for people.
pub(crate) fn event_label(code: &str) -> Text {
    Event::ALL
        .into_iter()
        .find(|event| event.code() == code)
        .map_or_else(|| Text::new(code, code), Event::label)
}

/// Notes an event in the transaction that makes it true. `detail` holds no secret and no more personal data than a name.
pub(super) async fn note(tx: &Tx, ctx: &Ctx, event: Event, target: Uuid, detail: &str, address: &str) -> Result<()> {
    let (kind, id) = match &ctx.actor {
        Actor::Anonymous => ("anonymous", None),
        Actor::Person(person) => ("person", Some(person.account.uuid())),
        Actor::Officer(officer) => ("officer", Some(officer.officer.uuid())),
        Actor::System(_) => ("system", None),
    };
    let row = EventRow {
        id: Id::<EventRow>::new(ctx.now).uuid(),
        at: ctx.now.micros(),
        kind: event.code().to_owned(),
        actor_kind: kind.to_owned(),
        actor_id: id,
        actor_name: ctx.actor_name().to_owned(),
        target_id: target,
        detail: detail.to_owned(),
        address: address.to_owned(),
        request_id: ctx.request_id,
    };
    add_event(tx, &row).await
}

impl IdentityState {
    /// Makes or refreshes the account of `issuer` and `subject`. For loading data; people get theirs by signing in.
    ///
    /// # Errors
    /// `Forbidden` to all but the system; `Invalid` with every wrong field.
    pub async fn create_account(&self, ctx: &Ctx, new: &NewAccount) -> Result<AccountId> {
        if !matches!(ctx.actor, Actor::System(_)) {
            return Err(Error::forbidden());
        }
        let mut problems = Problems::new();
        if new.name.trim().is_empty() {
            problems.add("required", "name", "Thiếu họ và tên.", "The name is missing.");
        }
        if new.person_number.as_deref().is_some_and(|n| !is_person_number(n)) {
            problems.add(
                "person-number",
                "person_number",
                "Số định danh cá nhân gồm 12 chữ số.",
                "A personal identification number has 12 digits.",
            );
        }
        problems.into_result()?;
        let row = transact!(self.0.store, |tx| { upsert_account(&tx, new, ctx.now).await })?;
        Ok(AccountId::from_uuid(row.id))
    }

    /// The accounts of a person by the personal number, so that the platform can tell them something.
    ///
    /// # Errors
    /// `Forbidden` to all but the system.
    pub async fn accounts_of(&self, ctx: &Ctx, number: &str) -> Result<Vec<AccountId>> {
        if !matches!(ctx.actor, Actor::System(_)) {
            return Err(Error::forbidden());
        }
        let rows = accounts_of(&self.0.store.read(), number).await?;
        Ok(rows.into_iter().map(|row| AccountId::from_uuid(row.id)).collect())
    }

    /// Begins a session as the account or officer that plays `role` in the demonstration.
    ///
    /// # Errors
    /// `NotFound` unless the node is a demonstration and has somebody for the role.
    pub(crate) async fn demo_sign_in(&self, ctx: &Ctx, origin: &Origin, role: DemoRole) -> Result<Opened> {
        let nobody = || Error::not_found("tài khoản dùng thử", "demonstration account");
        if !self.0.config.demo {
            return Err(nobody());
        }
        let db = self.0.store.read();
        let (owner, assurance, organisation) = if role.is_person() {
            let row = demo_account(&db, role.code()).await?.ok_or_else(nobody)?;
            let owner = AccountId::from_uuid(row.id);
            let organisations = memberships(&db, owner).await?;
            let first = organisations.into_iter().next().map(|o| o.tax_code);
            (
                Owner::Account(owner),
                Assurance::from_level(row.assurance),
                first.filter(|_| role == DemoRole::Business),
            )
        } else {
            let row = demo_officer(&db, role.code()).await?.ok_or_else(nobody)?;
            (Owner::Officer(row.id()), Assurance::Level1, None)
        };
        let token = self.0.entropy.token()?;
        transact!(self.0.store, |tx| {
            self.open_session(
                &tx,
                ctx,
                origin,
                owner,
                &token,
                assurance,
                organisation.as_deref(),
                "demo",
            )
            .await
        })
    }

    /// The last events of the one who is signed in.
    pub(crate) async fn my_events(&self, owner: Owner) -> Result<Vec<EventRow>> {
        events_of(&self.0.store.read(), owner.uuid(), 20).await
    }

    /// Begins the session of somebody for whom the e-ID has vouched.
    pub(super) async fn sign_in_account(&self, ctx: &Ctx, origin: &Origin, new: &NewAccount) -> Result<Opened> {
        let token = self.0.entropy.token()?;
        transact!(self.0.store, |tx| {
            let row = upsert_account(&tx, new, ctx.now).await?;
            let id = AccountId::from_uuid(row.id);
            if !account(&tx, id).await?.is_some_and(|row| row.active) {
                return Err(Error::refused(
                    Kind::Forbidden,
                    "account-closed",
                    "Tài khoản này đã bị khóa. Vui lòng liên hệ bộ phận một cửa để được hỗ trợ.",
                    "This account is closed. Please ask the one-stop for help.",
                ));
            }
            let organisation = new.organisations.first().map(|o| o.tax_code.as_str());
            let owner = Owner::Account(id);
            self.open_session(&tx, ctx, origin, owner, &token, new.assurance, organisation, "e-id")
                .await
        })
    }
}

/// Shape of a personal identification number (số định danh cá nhân): 12 digits, Law on Identity 2023, article 12.
pub(super) fn is_person_number(number: &str) -> bool {
    number.len() == 12 && number.bytes().all(|b| b.is_ascii_digit())
}
