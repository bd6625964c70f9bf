//! Keys of programs (mã truy cập cho phần mềm).

use base::{Error, Problems, Result, Timestamp};
use store::transact;
use uuid::Uuid;

use super::{
    IdentityState,
    people::{self, Event},
};
use crate::{
    Actor, Ctx, Permission, Scope,
    model::{AccountId, OfficerId, Roles, check_agency},
    secret::token_hash,
    store::{Owner, insert_token, officer, revoke_token, token, tokens_of},
};

/// How every key begins, so that scanners of leaked secrets know it.
const PREFIX: &str = "motcua_";
/// The longest life of a key.
const MAX_DAYS: u32 = 366;

/// As whom a program acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenOwner {
    /// As a person: a business with software of its own. Only the platform itself makes such keys.
    Account(AccountId),
    /// As an officer.
    Officer(OfficerId),
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// As whom the program acts.
    pub owner: TokenOwner,
    /// What it is for.
    pub label: String,
    /// Which of the officer's roles it may use; ignored for a person.
    pub roles: Roles,
    /// Whether it may only read.
    pub read_only: bool,
    /// Days until it expires: 1 to 366.
    pub days: u32,
}

/// A key as the administrator sees it; the secret itself was shown once.
#[derive(Debug, Clone)]
pub struct Token {
    /// Identifier, for revoking.
    pub id: Uuid,
    /// What it is for.
    pub label: String,
    /// The officer as whom it acts.
    pub officer: String,
    /// Roles that it may use.
    pub roles: Roles,
    /// Whether it may only read.
    pub read_only: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Option<Timestamp>,
}

impl IdentityState {
    /// Makes a key; the text is given once and not kept.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageTokens`] for the officer's agency (keys of people: system only);
    /// `Invalid` with every wrong field; `NotFound` for an officer who is none.
    pub async fn create_token(&self, ctx: &Ctx, new: &NewToken) -> Result<String> {
        let mut problems = Problems::new();
        let label = new.label.trim();
        if label.is_empty() || label.chars().count() > 100 || label.chars().any(char::is_control) {
            problems.add(
                "label",
                "label",
                "Nhập tên phần mềm hoặc mục đích sử dụng, tối đa 100 ký tự.",
                "Say what the token is for, in at most 100 characters.",
            );
        }
        if !(1..=MAX_DAYS).contains(&new.days) {
            problems.add(
                "days",
                "days",
                format!("Thời hạn từ 1 đến {MAX_DAYS} ngày."),
                format!("A token lasts from 1 to {MAX_DAYS} days."),
            );
        }
        let (owner, roles) = match new.owner {
            TokenOwner::Account(id) => {
                if !matches!(ctx.actor, Actor::System(_)) {
                    return Err(Error::forbidden());
                }
                (Owner::Account(id), Roles::NONE)
            }
            TokenOwner::Officer(id) => {
                let row = officer(&self.0.store.read(), id).await?;
                let row = row.ok_or_else(|| Error::not_found("tài khoản cán bộ", "officer"))?;
                ctx.require(Permission::ManageTokens, &Scope::Agency(row.agency.clone()))?;
                let roles = new.roles.and(Roles::from_bits(row.roles));
                if roles.is_empty() || roles != new.roles {
                    problems.add(
                        "roles",
                        "roles",
                        "Chọn ít nhất một vai trò trong số các vai trò của cán bộ này.",
                        "Choose at least one role, among those that the officer has.",
                    );
                }
                (Owner::Officer(id), roles)
            }
        };
        problems.into_result()?;
        let text = format!("{PREFIX}{}", self.0.entropy.token()?);
        let expires_at = ctx.now.plus_seconds(i64::from(new.days) * 86_400);
        transact!(self.0.store, |tx| {
            let hash = token_hash(&text);
            insert_token(
                &tx,
                owner,
                &hash,
                label,
                roles.bits(),
                new.read_only,
                expires_at,
                ctx.now,
            )
            .await?;
            people::note(&tx, ctx, Event::TokenCreated, owner.uuid(), label, "").await
        })?;
        Ok(text)
    }

    /// The valid keys of officers of an agency and those below it, newest first, 200 at most.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageTokens`] for the agency.
    pub async fn tokens(&self, ctx: &Ctx, agency: &str) -> Result<Vec<Token>> {
        ctx.require(Permission::ManageTokens, &Scope::Agency(agency.to_owned()))?;
        check_agency(agency)?;
        let rows = tokens_of(&self.0.store.read(), agency, ctx.now).await?;
        let token = |row: crate::store::TokenRow| Token {
            id: row.id,
            label: row.label,
            officer: row.officer_name.unwrap_or_default(),
            roles: Roles::from_bits(row.token_roles),
            read_only: row.read_only,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
            seen_at: row.seen_at.map(Timestamp::from_micros),
        };
        Ok(rows.into_iter().map(token).collect())
    }

    /// Revokes a key; it stops working with its next request.
    ///
    /// # Errors
    /// `NotFound` when there is none that the actor manages.
    pub async fn revoke_token(&self, ctx: &Ctx, id: Uuid) -> Result<()> {
        let none = || Error::not_found("mã truy cập", "token");
        let row = token(&self.0.store.read(), id).await?.ok_or_else(none)?;
        let agency = row.agency.clone().ok_or_else(none)?;
        if !ctx.may(Permission::ManageTokens, &Scope::Agency(agency)) {
            return Err(none());
        }
        transact!(self.0.store, |tx| {
            revoke_token(&tx, id, ctx.now).await?;
            let target = row.officer_id.unwrap_or(id);
            people::note(&tx, ctx, Event::TokenRevoked, target, &row.label, "").await
        })
    }
}
