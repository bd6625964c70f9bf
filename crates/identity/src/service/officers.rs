//! Officers, as their administrator sees them.

use base::{Error, Kind, Problems, Result, Timestamp};
use store::transact;

use super::{
    IdentityState,
    people::{self, Event},
};
use crate::{
    Ctx, Permission, Scope,
    model::{NewOfficer, OfficerId, Roles, check_agency, check_officer_fields},
    store::{
        OfficerRow, Owner, change_officer, clear_factors, delete_sessions, forget, insert_officer, officer,
        officer_by_login, officers, roles_in, set_password,
    },
};

/// An officer as an administrator sees them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Officer {
    /// Identifier.
    #[schema(value_type = uuid::Uuid)]
    pub id: OfficerId,
    /// Login name.
    pub login: String,
    /// Full name.
    pub name: String,
    /// Title.
    pub title: String,
    /// Agency code (Decision 20/2020/QĐ-TTg).
    pub agency: String,
    /// Roles.
    #[schema(value_type = Vec<String>)]
    pub roles: Roles,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether a second factor is set up.
    pub second_factor: bool,
    /// Counts changes; a change names the one it saw.
    pub version: i64,
    /// When they were added.
    #[schema(value_type = crate::web::Instant)]
    #[serde(serialize_with = "crate::web::Instant::write")]
    pub created_at: Timestamp,
}

impl From<OfficerRow> for Officer {
    fn from(row: OfficerRow) -> Self {
        Self {
            id: row.id(),
            second_factor: row.totp.is_some(),
            roles: Roles::from_bits(row.roles),
            created_at: Timestamp::from_micros(row.created_at),
            login: row.login,
            name: row.name,
            title: row.title,
            agency: row.agency,
            active: row.active,
            version: row.version,
        }
    }
}

/// A change of an officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficerChange {
    /// The version that the administrator saw.
    pub version: i64,
    /// Full name.
    pub name: String,
    /// Title.
    pub title: String,
    /// Agency code.
    pub agency: String,
    /// Roles.
    pub roles: Roles,
    /// Whether they may sign in; `false` ends their sessions at once.
    pub active: bool,
}

fn no_officer() -> Error {
    Error::not_found("tài khoản cán bộ", "officer")
}

impl IdentityState {
    /// Adds an officer.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageOfficers`] for the agency; `Invalid` with every wrong field, the taken
    /// login name among them.
    pub async fn create_officer(&self, ctx: &Ctx, new: &NewOfficer) -> Result<OfficerId> {
        let scope = Scope::Agency(new.agency.clone());
        // Whoever manages officers somewhere is told first what is wrong with the form.
        if ctx.holds(Permission::ManageOfficers) {
            new.check().into_result()?;
        }
        ctx.require(Permission::ManageOfficers, &scope)?;
        let hash = match &new.password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        transact!(self.0.store, |tx| {
            let Some(id) = insert_officer(&tx, new, hash.as_ref(), ctx.now).await? else {
                let mut problems = Problems::new();
                problems.add(
                    "taken",
                    "login",
                    "Tên đăng nhập này đã có người dùng. Hãy chọn tên khác.",
                    "This login name is taken. Choose another.",
                );
                return Err(Error::Refused(Kind::Conflict, problems));
            };
            let detail = format!("{} · {}", new.agency, new.roles.label().vi);
            people::note(&tx, ctx, Event::OfficerAdded, id.uuid(), &detail, "").await?;
            Ok(id)
        })
    }

    /// Officers of an agency and those below it, by agency and login, after a place in that order, at most so many;
    /// and the place at which the next page starts.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageOfficers`] for the agency.
    pub async fn officers(
        &self,
        ctx: &Ctx,
        agency: &str,
        after: Option<&(String, String)>,
        most: u32,
    ) -> Result<(Vec<Officer>, Option<(String, String)>)> {
        let scope = Scope::Agency(agency.to_owned());
        ctx.require(Permission::ManageOfficers, &scope)?;
        check_agency(agency)?;
        let mut rows = officers(&self.0.store.read(), agency, after, i64::from(most) + 1).await?;
        let more = rows.len() > most as usize;
        rows.truncate(most as usize);
        let next = more
            .then(|| rows.last().map(|row| (row.agency.clone(), row.login.clone())))
            .flatten();
        let officers = rows.into_iter().map(Officer::from);
        // The database may compare codes without case; the rule does not.
        let mine = |o: &Officer| ctx.may(Permission::ManageOfficers, &Scope::Agency(o.agency.clone()));
        Ok((officers.filter(mine).collect(), next))
    }

    /// The roles that somebody active in an agency has; none where nobody of it works here. Says nothing about anybody, so
    /// anybody may ask.
    ///
    /// # Errors
    /// The database failed.
    pub async fn roles_in(&self, agency: &str) -> Result<Option<Roles>> {
        let sets = roles_in(&self.0.store.read(), agency).await?;
        Ok((!sets.is_empty()).then(|| sets.iter().flat_map(|set| set.iter()).collect()))
    }

    /// One officer.
    ///
    /// # Errors
    /// `NotFound` when there is none, or they belong to an agency that the actor does not manage.
    pub async fn officer(&self, ctx: &Ctx, id: OfficerId) -> Result<Officer> {
        let row = officer(&self.0.store.read(), id).await?.ok_or_else(no_officer)?;
        if !ctx.may(Permission::ManageOfficers, &Scope::Agency(row.agency.clone())) {
            return Err(no_officer());
        }
        Ok(row.into())
    }

    /// The officer with this login name, for the loading of data.
    ///
    /// # Errors
    /// `NotFound` as [`IdentityState::officer`].
    pub async fn officer_by_login(&self, ctx: &Ctx, login: &str) -> Result<Officer> {
        if login.chars().any(char::is_control) {
            return Err(no_officer());
        }
        let row = officer_by_login(&self.0.store.read(), login)
            .await?
            .ok_or_else(no_officer)?;
        self.officer(ctx, row.id()).await
    }

    /// Changes an officer. Sessions end when the officer is deactivated; new roles hold from their next request.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageOfficers`] for the old and the new agency, `Invalid` with every wrong
    /// field, `Conflict` when somebody else changed the officer meanwhile or an administrator would shut themselves out.
    pub async fn change_officer(&self, ctx: &Ctx, id: OfficerId, change: &OfficerChange) -> Result<()> {
        let old = self.officer(ctx, id).await?;
        let mut problems = Problems::new();
        check_officer_fields(&change.name, &change.title, &change.agency, change.roles, &mut problems);
        problems.into_result()?;
        ctx.require(Permission::ManageOfficers, &Scope::Agency(change.agency.clone()))?;
        let own = matches!(&ctx.actor, crate::Actor::Officer(actor) if actor.officer == id);
        if own && (!change.active || !change.roles.permit(Permission::ManageOfficers)) {
            return Err(Error::refused(
                Kind::Conflict,
                "own-account",
                "Không thể tự khóa hoặc tự bỏ quyền quản trị của chính mình. Đề nghị quản trị viên khác thực hiện.",
                "You cannot deactivate yourself or give up your own administration. Ask another administrator.",
            ));
        }
        transact!(self.0.store, |tx| {
            let changed = change_officer(
                &tx,
                id,
                change.version,
                &change.name,
                &change.title,
                &change.agency,
                change.roles,
                change.active,
                ctx.now,
            )
            .await?;
            if !changed {
                return Err(Error::refused(
                    Kind::Conflict,
                    "changed",
                    "Tài khoản này vừa được người khác sửa. Xem lại thông tin mới rồi lưu lại.",
                    "Somebody else has just changed this officer. Look at it again and save once more.",
                ));
            }
            if !change.active {
                delete_sessions(&tx, Owner::Officer(id), None).await?;
            }
            let detail = format!(
                "{} → {} · {} → {} · {}",
                old.agency,
                change.agency,
                old.roles.label().vi,
                change.roles.label().vi,
                if change.active { "hoạt động" } else { "đã khóa" }
            );
            people::note(&tx, ctx, Event::OfficerChanged, id.uuid(), &detail, "").await
        })
    }

    /// Gives an officer a one-time password, shown once, and forgets password, codes and passkeys; all sessions end.
    ///
    /// # Errors
    /// As [`IdentityState::officer`].
    pub async fn reset_officer(&self, ctx: &Ctx, id: OfficerId) -> Result<String> {
        let old = self.officer(ctx, id).await?;
        let password = self.random_code::<20>()?;
        let hash = self.hash(&password).await?;
        let key = format!("login:{}", crate::secret::token_hash(&old.login));
        transact!(self.0.store, |tx| {
            set_password(&tx, id, &hash, true, ctx.now).await?;
            clear_factors(&tx, id).await?;
            delete_sessions(&tx, Owner::Officer(id), None).await?;
            forget(&tx, &key).await?;
            people::note(&tx, ctx, Event::OfficerReset, id.uuid(), "", "").await
        })?;
        Ok(password)
    }
}
