//! Sessions and what a request is recognised by.

use base::{Result, Timestamp};
use store::{Tx, transact};
use uuid::Uuid;

use super::{IdentityState, people};
use crate::{
    Actor, Ctx, OfficerActor, PersonActor,
    ctx::unauthenticated,
    model::{AccountId, Assurance, OfficerId, Organisation, Roles, Sex},
    secret::token_hash,
    store::{
        NewSession, Owner, SessionRow, TokenRow, choose_organisation, delete_other_sessions, delete_session,
        delete_sessions, insert_session, memberships, session_by_token, sessions_of, token_by_hash, touch_session,
        touch_token,
    },
};

/// A session in use is noted at most this often, so that a request is not a write.
const TOUCH_SECONDS: i64 = 60;
/// Longest user-agent text that is kept.
const MAX_AGENT: usize = 300;

/// From where a request comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// Address of the client.
    pub address: String,
    /// What the browser says it is.
    pub agent: String,
    /// Token of the session that the browser carries already; it ends when a new one begins.
    pub previous: Option<String>,
}

/// A session that has just begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    /// The token for the cookie; nobody else has it.
    pub token: String,
    /// Seconds until it ends at the latest.
    pub seconds: i64,
}

/// The session of this request.
#[derive(Debug, Clone)]
pub(crate) struct CurrentSession {
    pub id: Uuid,
    pub owner: Owner,
}

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub id: Uuid,
    pub method: String,
    pub address: String,
    pub agent: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub current: bool,
}

impl IdentityState {
    fn lifetimes(&self, owner: Owner) -> (i64, i64) {
        let times = &self.0.config.session;
        let (idle_minutes, hours) = match owner {
            Owner::Account(_) => (times.person_idle_minutes, times.person_hours),
            Owner::Officer(_) => (times.officer_idle_minutes, times.officer_hours),
        };
        (i64::from(idle_minutes) * 60, i64::from(hours) * 3600)
    }

    /// Begins a session inside the transaction that proved who it is, and ends the one that the browser carried:
    /// a token that somebody planted before sign-in is worth nothing after it.
    #[expect(clippy::too_many_arguments, reason = "all that a session is made of")]
    pub(super) async fn open_session(
        &self,
        tx: &Tx,
        ctx: &Ctx,
        origin: &Origin,
        owner: Owner,
        token: &str,
        assurance: Assurance,
        organisation: Option<&str>,
        method: &str,
    ) -> Result<Opened> {
        let (idle, whole) = self.lifetimes(owner);
        if let Some(previous) = &origin.previous {
            delete_session(tx, &token_hash(previous)).await?;
        }
        let new = NewSession {
            owner,
            token_hash: &token_hash(token),
            tax_code: organisation,
            assurance: assurance.level(),
            method,
            address: &origin.address,
            agent: &origin.agent.chars().take(MAX_AGENT).collect::<String>(),
            idle_until: ctx.now.plus_seconds(idle),
            expires_at: ctx.now.plus_seconds(whole),
        };
        insert_session(tx, &new, ctx.now).await?;
        people::note(tx, ctx, people::Event::SignedIn, owner.uuid(), method, &origin.address).await?;
        Ok(Opened {
            token: token.to_owned(),
            seconds: whole,
        })
    }

    /// Who carries this session token; `None` when it is unknown, expired, revoked or its owner deactivated.
    pub(crate) async fn resolve_session(&self, token: &str, now: Timestamp) -> Result<Option<(Actor, CurrentSession)>> {
        let Some(row) = session_by_token(&self.0.store.read(), &token_hash(token), now).await? else {
            return Ok(None);
        };
        let Some((actor, owner)) = actor_of_session(&row) else {
            return Ok(None);
        };
        let session = CurrentSession { id: row.id, owner };
        if Timestamp::from_micros(row.seen_at).plus_seconds(TOUCH_SECONDS) <= now {
            let (idle, _) = self.lifetimes(owner);
            let (id, idle_until) = (
                row.id,
                now.plus_seconds(idle).min(Timestamp::from_micros(row.expires_at)),
            );
            let touched = transact!(self.0.store, |tx| { touch_session(&tx, id, now, idle_until).await });
            if let Err(error) = touched {
                tracing::warn!(%error, "a session in use could not be noted");
            }
        }
        Ok(Some((actor, session)))
    }

    /// Who carries this key of a program, and whether it may only read.
    pub(crate) async fn resolve_token(&self, token: &str, now: Timestamp) -> Result<Option<(Actor, bool)>> {
        let Some(row) = token_by_hash(&self.0.store.read(), &token_hash(token), now).await? else {
            return Ok(None);
        };
        let Some(actor) = actor_of_token(&row) else {
            return Ok(None);
        };
        let stale = row
            .seen_at
            .is_none_or(|at| Timestamp::from_micros(at).plus_seconds(TOUCH_SECONDS) <= now);
        if stale {
            let touched = transact!(self.0.store, |tx| { touch_token(&tx, row.id, now).await });
            if let Err(error) = touched {
                tracing::warn!(%error, "a key in use could not be noted");
            }
        }
        Ok(Some((actor, row.read_only)))
    }

    /// Ends the session of a token.
    pub(crate) async fn sign_out(&self, token: &str) -> Result<()> {
        let hash = token_hash(token);
        transact!(self.0.store, |tx| { delete_session(&tx, &hash).await })
    }

    /// The living sessions of the one who is signed in, newest first.
    pub(crate) async fn my_sessions(&self, ctx: &Ctx, current: &CurrentSession) -> Result<Vec<Session>> {
        let rows = sessions_of(&self.0.store.read(), current.owner, ctx.now).await?;
        let session = |row: SessionRow| Session {
            id: row.id,
            method: row.method,
            address: row.address,
            agent: row.agent,
            created_at: Timestamp::from_micros(row.created_at),
            seen_at: Timestamp::from_micros(row.seen_at),
            current: row.id == current.id,
        };
        Ok(rows.into_iter().map(session).collect())
    }

    /// Ends one other session of the one who is signed in, or all others (`None`).
    pub(crate) async fn end_sessions(&self, ctx: &Ctx, current: &CurrentSession, one: Option<Uuid>) -> Result<()> {
        transact!(self.0.store, |tx| {
            match one {
                Some(id) => delete_sessions(&tx, current.owner, Some(id)).await?,
                None => delete_other_sessions(&tx, current.owner, current.id).await?,
            };
            people::note(&tx, ctx, people::Event::SessionsEnded, current.owner.uuid(), "", "").await
        })
    }

    /// Sets for which organisation the person acts in this session; `None` for themselves.
    pub(crate) async fn act_for(&self, ctx: &Ctx, current: &CurrentSession, tax_code: Option<&str>) -> Result<()> {
        let person = ctx.person()?;
        if let Some(tax_code) = tax_code {
            let known = memberships(&self.0.store.read(), person.account).await?;
            if !known.iter().any(|o| o.tax_code == tax_code) {
                return Err(base::Error::not_found("tổ chức", "organisation"));
            }
        }
        transact!(self.0.store, |tx| {
            choose_organisation(&tx, current.id, tax_code).await
        })
    }

    /// Organisations for which the person may act.
    pub(crate) async fn my_organisations(&self, ctx: &Ctx) -> Result<Vec<Organisation>> {
        memberships(&self.0.store.read(), ctx.person()?.account).await
    }
}

/// The session that a page of one's own account needs: a program's key is not enough to change who may sign in.
pub(crate) fn needed(session: Option<&CurrentSession>) -> Result<&CurrentSession> {
    session.ok_or_else(unauthenticated)
}

fn actor_of_session(row: &SessionRow) -> Option<(Actor, Owner)> {
    if let Some(id) = row.account_id {
        let account = AccountId::from_uuid(id);
        let organisation = row.tax_code.clone().zip(row.organisation.clone());
        let person = PersonActor {
            account,
            name: row.account_name.clone()?,
            person_number: row.person_number.clone(),
            birth_date: row.birth_date.as_deref().and_then(|date| date.parse().ok()),
            sex: row.sex.as_deref().and_then(Sex::from_code),
            phone: row.phone.clone(),
            email: row.email.clone(),
            assurance: Assurance::from_level(row.assurance),
            organisation: organisation.map(|(tax_code, name)| Organisation { tax_code, name }),
        };
        return Some((Actor::Person(person), Owner::Account(account)));
    }
    let officer = OfficerId::from_uuid(row.officer_id?);
    let actor = OfficerActor {
        officer,
        name: row.officer_name.clone()?,
        title: row.title.clone()?,
        agency: row.agency.clone()?,
        roles: Roles::from_bits(row.roles?),
    };
    Some((Actor::Officer(actor), Owner::Officer(officer)))
}

fn actor_of_token(row: &TokenRow) -> Option<Actor> {
    if let Some(id) = row.account_id {
        return Some(Actor::Person(PersonActor {
            account: AccountId::from_uuid(id),
            name: row.account_name.clone()?,
            person_number: row.person_number.clone(),
            birth_date: row.birth_date.as_deref().and_then(|date| date.parse().ok()),
            sex: row.sex.as_deref().and_then(Sex::from_code),
            phone: row.phone.clone(),
            email: row.email.clone(),
            assurance: Assurance::from_level(row.assurance?),
            organisation: None,
        }));
    }
    Some(Actor::Officer(OfficerActor {
        officer: OfficerId::from_uuid(row.officer_id?),
        name: row.officer_name.clone()?,
        title: row.title.clone()?,
        agency: row.agency.clone()?,
        // The key never has more than its officer has today.
        roles: Roles::from_bits(row.roles?).and(Roles::from_bits(row.token_roles)),
    }))
}
