//! Information systems of this node's members.

use ::store::transact;
use base::{Error, Kind, Problems, Result, Text, Timestamp};
use identity::{Ctx, Permission, Scope};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Access, moved_on, reach, visible};
use crate::{
    access::{
        model::{SignInDraft, SystemDraft, SystemSpec},
        store::{self as tables, SystemRow},
    },
    model::{
        hosting::{ClientSignIn, LocalClient},
        identifier::{Part, SubsystemId},
    },
};

/// A system as its steward sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemView {
    /// Its id on this node.
    pub id: Uuid,
    /// Its identifier.
    pub subsystem: SubsystemId,
    /// The agency that answers for it.
    pub agency: String,
    /// Its name.
    pub name: Text,
    /// How it signs in, and its purpose.
    pub client: LocalClient,
    /// The one service of the adapter's dialect.
    pub whole_service: Option<Part>,
    /// Counts changes; a change names the one it saw.
    pub version: i64,
    /// Who changed it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

/// What a change gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The system.
    pub id: Uuid,
    /// Its new token, which is not shown again.
    pub token: Option<String>,
}

impl SystemView {
    fn of(row: &SystemRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            subsystem: row.subsystem()?,
            agency: row.agency.clone(),
            name: row.name(),
            client: row.client()?,
            whole_service: row.whole_service()?,
            version: row.version,
            updated_by: row.updated_by.clone(),
            updated_at: row.updated_at(),
        })
    }

    /// The form that holds it.
    pub fn draft(&self) -> SystemDraft {
        SystemDraft {
            subsystem: self.subsystem.to_string(),
            agency: self.agency.clone(),
            name_vi: self.name.vi.clone(),
            name_en: self.name.en.clone(),
            sign_in: SignInDraft::of(&self.client.sign_in),
            networks: match &self.client.sign_in {
                ClientSignIn::Networks(networks) => networks.join("\n"),
                ClientSignIn::Token(_) | ClientSignIn::Open => String::new(),
            },
            purpose: self
                .client
                .purpose
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            whole_service: self.whole_service.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

fn no_system() -> Error {
    Error::not_found("hệ thống thông tin", "information system")
}

impl Access {
    /// Systems of one's agency and those below it, by identifier; where the next page starts.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub async fn systems(&self, ctx: &Ctx, after: &str, most: u32) -> Result<(Vec<SystemView>, Option<String>)> {
        let agency = reach(ctx, Permission::ReadExchange)?;
        // What is no identifier is the beginning of the list.
        let after = after
            .parse::<SubsystemId>()
            .map(|after| after.to_string())
            .unwrap_or_default();
        let rows = tables::systems(&self.store().read(), agency.as_deref(), &after, most).await?;
        let views = rows
            .iter()
            .take(most as usize)
            .map(SystemView::of)
            .collect::<Result<Vec<_>>>()?;
        let next = views
            .last()
            .filter(|_| rows.len() > most as usize)
            .map(|last| last.subsystem.to_string());
        Ok((views, next))
    }

    /// All systems for which one may act, for choices in forms.
    ///
    /// # Errors
    /// Without [`Permission::ManageExchange`].
    pub async fn own_systems(&self, ctx: &Ctx) -> Result<Vec<SystemView>> {
        let agency = reach(ctx, Permission::ManageExchange)?;
        let rows = tables::systems_of(&self.store().read(), agency.as_deref()).await?;
        rows.iter().map(SystemView::of).collect()
    }

    /// One system.
    ///
    /// # Errors
    /// `NotFound` where it is another agency's.
    pub async fn system(&self, ctx: &Ctx, id: Uuid) -> Result<SystemView> {
        reach(ctx, Permission::ReadExchange)?;
        let row = tables::system(&self.store().read(), id).await?.ok_or_else(no_system)?;
        visible(ctx, &row.agency, no_system)?;
        SystemView::of(&row)
    }

    /// Registers a system. Whoever does answers for its member: a system speaks in the member's name.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageExchange`] for the member's agency; `Invalid` with every wrong field.
    pub async fn add_system(&self, ctx: &Ctx, draft: &SystemDraft) -> Result<Saved> {
        reach(ctx, Permission::ManageExchange)?;
        let spec = draft
            .read()
            .map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
        let Some(owner) = self.config().members.get(&spec.subsystem.member) else {
            let member = &spec.subsystem.member;
            return Err(invalid(
                "not-a-member",
                "subsystem",
                format!("{member} không phải là thành viên đặt tại nút này."),
                format!("{member} is no member of this node."),
            ));
        };
        ctx.require(Permission::ManageExchange, &Scope::Agency(owner.clone()))?;
        ctx.require(Permission::ManageExchange, &Scope::Agency(spec.agency.clone()))?;
        let (sign_in, token) = self.sign_in(&spec, None)?;
        let made = transact!(self.store(), |tx| {
            let made = tables::insert_system(&tx, &spec, &sign_in, ctx.actor_name(), ctx.now).await?;
            tables::next_turn(&tx).await?;
            Ok(made)
        })?;
        self.changed().await;
        match made {
            Some(id) => Ok(Saved { id, token }),
            None => Err(conflict(
                "taken",
                "subsystem",
                format!("{} đã được đăng ký.", spec.subsystem),
                format!("{} is registered already.", spec.subsystem),
            )),
        }
    }

    /// Changes a system; its identifier stays.
    ///
    /// # Errors
    /// As [`Access::add_system`]; `Conflict` when it has changed since.
    pub async fn change_system(&self, ctx: &Ctx, id: Uuid, version: i64, draft: &SystemDraft) -> Result<Saved> {
        let row = self.managed_system(ctx, id).await?;
        let draft = SystemDraft {
            subsystem: row.subsystem()?.to_string(),
            ..draft.clone()
        };
        let spec = draft
            .read()
            .map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
        ctx.require(Permission::ManageExchange, &Scope::Agency(spec.agency.clone()))?;
        if row.version != version {
            return Err(moved_on());
        }
        let (sign_in, token) = self.sign_in(&spec, Some(&row.client()?.sign_in))?;
        transact!(self.store(), |tx| {
            if !tables::update_system(&tx, &row, &spec, &sign_in, ctx.actor_name(), ctx.now).await? {
                return Err(moved_on());
            }
            tables::next_turn(&tx).await
        })?;
        self.changed().await;
        Ok(Saved { id, token })
    }

    /// Gives a system another token; the one before is worth nothing from then on.
    ///
    /// # Errors
    /// `Forbidden` or `NotFound` without the right; `Conflict` when it does not sign in by token.
    pub async fn new_token(&self, ctx: &Ctx, id: Uuid) -> Result<String> {
        let row = self.managed_system(ctx, id).await?;
        if !matches!(row.client()?.sign_in, ClientSignIn::Token(_)) {
            return Err(Error::refused(
                Kind::Conflict,
                "no-token",
                "Hệ thống này không đăng nhập bằng mã truy cập.",
                "This system does not sign in by token.",
            ));
        }
        let (sign_in, token) = self.token()?;
        transact!(self.store(), |tx| {
            tables::set_token(&tx, id, &sign_in, ctx.actor_name(), ctx.now).await?;
            tables::next_turn(&tx).await
        })?;
        self.changed().await;
        Ok(token)
    }

    async fn managed_system(&self, ctx: &Ctx, id: Uuid) -> Result<SystemRow> {
        reach(ctx, Permission::ManageExchange)?;
        let row = tables::system(&self.store().read(), id).await?.ok_or_else(no_system)?;
        visible(ctx, &row.agency, no_system)?;
        ctx.require(Permission::ManageExchange, &Scope::Agency(row.agency.clone()))?;
        Ok(row)
    }

    /// How the system signs in from now on, with a new token where it needs one and has none.
    fn sign_in(&self, spec: &SystemSpec, before: Option<&ClientSignIn>) -> Result<(ClientSignIn, Option<String>)> {
        match (spec.sign_in, before) {
            (SignInDraft::Networks, _) => Ok((ClientSignIn::Networks(spec.networks.clone()), None)),
            (SignInDraft::Open, _) => Ok((ClientSignIn::Open, None)),
            (SignInDraft::Token, Some(kept @ ClientSignIn::Token(_))) => Ok((kept.clone(), None)),
            (SignInDraft::Token, _) => self.token().map(|(sign_in, token)| (sign_in, Some(token))),
        }
    }

    fn token(&self) -> Result<(ClientSignIn, String)> {
        let token = self.0.entropy.token()?;
        Ok((
            ClientSignIn::Token(hex::encode(Sha256::digest(token.as_bytes()))),
            token,
        ))
    }
}

/// One problem at one field.
pub(super) fn invalid(code: &str, at: &str, vi: impl Into<String>, en: impl Into<String>) -> Error {
    at_field(Kind::Invalid, code, at, vi, en)
}

/// A field that somebody has taken.
pub(super) fn conflict(code: &str, at: &str, vi: impl Into<String>, en: impl Into<String>) -> Error {
    at_field(Kind::Conflict, code, at, vi, en)
}

fn at_field(kind: Kind, code: &str, at: &str, vi: impl Into<String>, en: impl Into<String>) -> Error {
    let mut problems = Problems::new();
    problems.add(code, at, vi, en);
    Error::Refused(kind, problems)
}
