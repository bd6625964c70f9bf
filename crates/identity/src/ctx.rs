//! The context of a use case: who acts, when, under which request, and what they may do.

use base::{Error, Kind, Lang, Result, Text, Timestamp};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{AccountId, Assurance, OfficerId, Organisation, Permission, Reach, Roles, Sex};

/// Who acts, when, and in which language they are answered. The first argument of every use case.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// Who acts.
    pub actor: Actor,
    /// The instant of the request; use cases have no other clock.
    pub now: Timestamp,
    /// The request, as in the log and on error pages.
    pub request_id: Uuid,
    /// The language of the answer.
    pub lang: Lang,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody is signed in.
    Anonymous,
    /// A person, for themselves or for an organisation.
    Person(PersonActor),
    /// An officer of an agency.
    Officer(OfficerActor),
    /// The platform itself: a job, a timer, the loading of data; with its name for the record.
    System(&'static str),
}

/// A signed-in person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonActor {
    /// Their account.
    pub account: AccountId,
    /// Full name.
    pub name: String,
    /// Personal identification number, when the e-ID gave it.
    pub person_number: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Telephone.
    pub phone: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// How sure the e-ID is of who they are.
    pub assurance: Assurance,
    /// The organisation for which they act in this session.
    pub organisation: Option<Organisation>,
}

/// A signed-in officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficerActor {
    /// The officer.
    pub officer: OfficerId,
    /// Full name.
    pub name: String,
    /// Title (chức danh).
    pub title: String,
    /// Agency code in the notation of Decision 20/2020/QĐ-TTg.
    pub agency: String,
    /// Roles in that agency.
    pub roles: Roles,
}

/// What a permission is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Nothing in particular: public things and things of the whole node, such as the catalogue.
    /// A permission that is bound to an agency or an account is refused here; ask [`Ctx::holds`] to decide what a
    /// menu shows.
    Anywhere,
    /// A thing of this agency (code of Decision 20/2020/QĐ-TTg).
    Agency(String),
    /// A thing of this account.
    Account(AccountId),
}

/// Why personal data are read. Every read names one, and it is what the person sees in their data tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The person reads their own dossier.
    OwnDossier,
    /// An officer processes or decides the dossier.
    CaseHandling,
    /// The one-stop receives the dossier or returns the result.
    Reception,
    /// A consulted agency prepares its answer.
    Consultation,
    /// Somebody with code and secret follows the dossier.
    PublicTracking,
    /// An auditor checks.
    Audit,
    /// An administrator helps with a fault.
    Support,
    /// A record of a registry is read, for the purpose that the read names.
    Registry,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 8] = [
        Self::OwnDossier,
        Self::CaseHandling,
        Self::Reception,
        Self::Consultation,
        Self::PublicTracking,
        Self::Audit,
        Self::Support,
        Self::Registry,
    ];

    /// The name for programs, as stored: `case-handling`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OwnDossier => "own-dossier",
            Self::CaseHandling => "case-handling",
            Self::Reception => "reception",
            Self::Consultation => "consultation",
            Self::PublicTracking => "public-tracking",
            Self::Audit => "audit",
            Self::Support => "support",
            Self::Registry => "registry",
        }
    }

    /// Reads [`Purpose::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.code() == code)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::OwnDossier => Text::new("Chủ hồ sơ tự xem", "Own dossier"),
            Self::CaseHandling => Text::new("Giải quyết hồ sơ", "Handling the dossier"),
            Self::Reception => Text::new("Tiếp nhận và trả kết quả", "Reception and return of the result"),
            Self::Consultation => Text::new("Cho ý kiến phối hợp", "Answering a consultation"),
            Self::PublicTracking => Text::new("Tra cứu tình trạng hồ sơ", "Following the dossier"),
            Self::Audit => Text::new("Kiểm tra, giám sát", "Audit"),
            Self::Support => Text::new("Hỗ trợ kỹ thuật", "Technical support"),
            Self::Registry => Text::new("Khai thác cơ sở dữ liệu", "Use of a registry"),
        }
    }
}

impl Ctx {
    /// The platform itself acts: for jobs and for loading data. `name` goes into the record.
    pub fn system(name: &'static str, now: Timestamp) -> Self {
        Self {
            actor: Actor::System(name),
            now,
            request_id: base::Id::<()>::new(now).uuid(),
            lang: Lang::Vi,
        }
    }

    /// Whether the actor has the permission for the scope. What no rule grants is refused.
    pub fn may(&self, permission: Permission, scope: &Scope) -> bool {
        if permission.reach() == Reach::Public {
            return true;
        }
        match (&self.actor, scope) {
            (Actor::System(_), _) => true,
            (Actor::Anonymous, _) => false,
            (Actor::Person(person), Scope::Account(account)) => permission.of_person() && person.account == *account,
            (Actor::Officer(officer), Scope::Agency(agency)) => {
                officer.roles.permit(permission)
                    && match permission.reach() {
                        Reach::OwnAgency => officer.agency == *agency,
                        Reach::AgencyAndBelow => at_or_below(agency, &officer.agency),
                        Reach::Public | Reach::Node | Reach::OwnAccount => false,
                    }
            }
            (Actor::Officer(officer), Scope::Anywhere) => {
                permission.reach() == Reach::Node && officer.roles.permit(permission)
            }
            (Actor::Person(_), Scope::Anywhere | Scope::Agency(_)) | (Actor::Officer(_), Scope::Account(_)) => false,
        }
    }

    /// Refuses unless [`Ctx::may`].
    ///
    /// # Errors
    /// `Unauthenticated` when nobody is signed in, else `Forbidden`.
    pub fn require(&self, permission: Permission, scope: &Scope) -> Result<()> {
        if self.may(permission, scope) {
            return Ok(());
        }
        Err(match self.actor {
            Actor::Anonymous => unauthenticated(),
            _ => Error::forbidden(),
        })
    }

    /// Whether the actor has the permission for anything at all: in their own agency or for their own account.
    /// For menus; a use case asks [`Ctx::require`].
    pub fn holds(&self, permission: Permission) -> bool {
        permission.reach() == Reach::Public
            || match &self.actor {
                Actor::Anonymous => false,
                Actor::Person(_) => permission.of_person(),
                Actor::Officer(officer) => officer.roles.permit(permission),
                Actor::System(_) => true,
            }
    }

    /// Somebody, whoever it is.
    ///
    /// # Errors
    /// `Unauthenticated` when nobody is signed in.
    pub fn signed_in(&self) -> Result<()> {
        match self.actor {
            Actor::Anonymous => Err(unauthenticated()),
            _ => Ok(()),
        }
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// `Unauthenticated` when nobody is signed in, `Forbidden` for an officer or the system.
    pub fn person(&self) -> Result<&PersonActor> {
        match &self.actor {
            Actor::Person(person) => Ok(person),
            Actor::Anonymous => Err(unauthenticated()),
            Actor::Officer(_) | Actor::System(_) => Err(Error::refused(
                Kind::Forbidden,
                "person-only",
                "Việc này chỉ dành cho người dân, doanh nghiệp đăng nhập bằng tài khoản định danh điện tử.",
                "This is only for people and businesses signed in with the national e-ID.",
            )),
        }
    }

    /// The signed-in officer.
    ///
    /// # Errors
    /// `Unauthenticated` when nobody is signed in, `Forbidden` for a person or the system.
    pub fn officer(&self) -> Result<&OfficerActor> {
        match &self.actor {
            Actor::Officer(officer) => Ok(officer),
            Actor::Anonymous => Err(unauthenticated()),
            Actor::Person(_) | Actor::System(_) => Err(Error::refused(
                Kind::Forbidden,
                "officer-only",
                "Trang này chỉ dành cho cán bộ, công chức của cơ quan.",
                "This is only for officers of the agency.",
            )),
        }
    }

    /// The signed-in person, when their e-ID is level 2.
    ///
    /// # Errors
    /// As [`Ctx::person`]; `Forbidden` with the code [`NEEDS_LEVEL_2`] when the level is too low, upon which
    /// [`crate::Web::refuse`] leads to the page that raises it.
    pub fn person_level2(&self) -> Result<&PersonActor> {
        let person = self.person()?;
        if person.assurance == Assurance::Level2 {
            return Ok(person);
        }
        Err(Error::refused(
            Kind::Forbidden,
            NEEDS_LEVEL_2,
            "Việc này cần tài khoản định danh điện tử mức độ 2. Đăng nhập lại bằng tài khoản mức độ 2 để tiếp tục.",
            "This needs the national e-ID at level 2. Sign in again with a level 2 account to go on.",
        ))
    }

    /// Who acts, for the record: a name.
    pub fn actor_name(&self) -> &str {
        match &self.actor {
            Actor::Anonymous => "",
            Actor::Person(person) => &person.name,
            Actor::Officer(officer) => &officer.name,
            Actor::System(name) => name,
        }
    }

    /// Picks the text of the reader's language.
    pub const fn t<'a>(&self, vi: &'a str, en: &'a str) -> &'a str {
        self.lang.t(vi, en)
    }
}

/// The code of the refusal that a higher e-ID level would lift.
pub const NEEDS_LEVEL_2: &str = "needs-level-2";

/// The refusal for someone who is not signed in.
pub(crate) fn unauthenticated() -> Error {
    Error::refused(
        Kind::Unauthenticated,
        "sign-in",
        "Vui lòng đăng nhập để tiếp tục.",
        "Please sign in to continue.",
    )
}

/// Whether `agency` is `above` or continues it after a dot: H29.12 is below H29, H291 is not.
fn at_or_below(agency: &str, above: &str) -> bool {
    agency
        .strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;

    fn ctx(actor: Actor) -> Ctx {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        Ctx {
            actor,
            now,
            request_id: Uuid::nil(),
            lang: Lang::Vi,
        }
    }

    fn account(n: u128) -> AccountId {
        AccountId::from_uuid(Uuid::from_u128(n))
    }

    fn person(n: u128) -> Ctx {
        ctx(Actor::Person(PersonActor {
            account: account(n),
            name: "Nguyễn Văn An".into(),
            person_number: None,
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level1,
            organisation: None,
        }))
    }

    fn officer(agency: &str, roles: &[Role]) -> Ctx {
        ctx(Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(9)),
            name: "Trần Thị Bình".into(),
            title: "Chuyên viên".into(),
            agency: agency.into(),
            roles: Roles::of(roles),
        }))
    }

    fn scopes() -> Vec<Scope> {
        let mut scopes = vec![Scope::Anywhere, Scope::Account(account(1)), Scope::Account(account(2))];
        scopes.extend(["H29", "H29.12", "H29.12.3", "H291", ""].map(|code| Scope::Agency(code.into())));
        scopes
    }

    #[test]
    fn anonymous_has_only_what_is_public() {
        for permission in Permission::ALL {
            for scope in scopes() {
                let public = matches!(
                    permission,
                    Permission::ReadCatalogue | Permission::ReadPublication | Permission::TrackDossier
                );
                let anonymous = ctx(Actor::Anonymous);
                assert_eq!(anonymous.may(permission, &scope), public, "{permission:?} {scope:?}");
                if !public {
                    let error = anonymous.require(permission, &scope).expect_err("refused");
                    assert_eq!(error.kind(), Some(Kind::Unauthenticated));
                }
            }
        }
    }

    #[test]
    fn an_officer_without_a_role_has_only_what_is_public() {
        let nobody = officer("H29", &[]);
        for permission in Permission::ALL {
            for scope in scopes() {
                assert_eq!(
                    nobody.may(permission, &scope),
                    permission.reach() == Reach::Public,
                    "{permission:?}"
                );
            }
        }
    }

    #[test]
    fn a_person_reaches_only_their_own_account() {
        let person = person(1);
        for permission in Permission::ALL.into_iter().filter(|p| p.reach() != Reach::Public) {
            for scope in scopes() {
                let own = scope == Scope::Account(account(1)) && permission.of_person();
                assert_eq!(person.may(permission, &scope), own, "{permission:?} {scope:?}");
            }
        }
    }

    /// The table of rights, written out once more as the law divides the work, so that a slip in the code shows.
    #[test]
    fn role_by_permission_table() {
        use Permission as P;
        // Columns: receptionist, specialist, leader, consulted, administrator, auditor, steward, reader.
        let table: [(P, [u8; 8]); 20] = [
            (P::FileDossier, [1, 0, 0, 0, 0, 0, 0, 0]),
            (P::ReadOwnDossier, [0, 0, 0, 0, 0, 0, 0, 0]),
            (P::ManageOwnAccount, [0, 0, 0, 0, 0, 0, 0, 0]),
            (P::ReceiveDossier, [1, 0, 0, 0, 0, 0, 0, 0]),
            (P::DeliverResult, [1, 0, 0, 0, 0, 0, 0, 0]),
            (P::ProcessDossier, [0, 1, 0, 0, 0, 0, 0, 0]),
            (P::DecideDossier, [0, 0, 1, 0, 0, 0, 0, 0]),
            (P::AnswerConsultation, [0, 0, 0, 1, 0, 0, 0, 0]),
            (P::ReadAgencyDossiers, [1, 1, 1, 0, 0, 1, 0, 0]),
            (P::ReadStatistics, [0, 0, 1, 0, 1, 1, 0, 0]),
            (P::ManageOfficers, [0, 0, 0, 0, 1, 0, 0, 0]),
            (P::ManageCatalogue, [0, 0, 0, 0, 1, 0, 0, 0]),
            (P::ManageReference, [0, 0, 0, 0, 1, 0, 0, 0]),
            (P::ManageTokens, [0, 0, 0, 0, 1, 0, 0, 0]),
            (P::ReadAccessLog, [0, 0, 0, 0, 0, 1, 0, 0]),
            (P::ManageDirectory, [0, 0, 0, 0, 1, 0, 0, 0]),
            (P::ManageExchange, [0, 0, 0, 0, 1, 0, 0, 0]),
            (P::ReadExchange, [0, 0, 0, 0, 1, 1, 0, 0]),
            (P::KeepRegistry, [0, 0, 0, 0, 0, 0, 1, 0]),
            (P::ReadRegistry, [0, 0, 0, 0, 0, 0, 1, 1]),
        ];
        assert_eq!(
            table.len() + 3,
            P::ALL.len(),
            "every permission that is not public is in the table"
        );
        for (permission, row) in table {
            let scope = if permission.reach() == Reach::Node {
                Scope::Anywhere
            } else {
                Scope::Agency("H29.12".into())
            };
            for (role, granted) in Role::ALL.into_iter().zip(row) {
                let ctx = officer("H29.12", &[role]);
                assert_eq!(ctx.may(permission, &scope), granted == 1, "{role:?} {permission:?}");
                assert_eq!(ctx.holds(permission), granted == 1, "{role:?} {permission:?}");
            }
        }
    }

    #[test]
    fn an_officer_stays_in_the_agency_and_oversight_goes_down_only() {
        let agency = |code: &str| Scope::Agency(code.into());
        let leader = officer("H29", &[Role::Leader]);
        assert!(leader.may(Permission::DecideDossier, &agency("H29")));
        assert!(
            !leader.may(Permission::DecideDossier, &agency("H29.12")),
            "handling is of the own agency alone"
        );
        assert!(leader.may(Permission::ReadStatistics, &agency("H29.12.3")));
        assert!(
            !leader.may(Permission::ReadStatistics, &agency("H291")),
            "not a part of H29"
        );
        let below = officer("H29.12", &[Role::Administrator]);
        assert!(!below.may(Permission::ManageOfficers, &agency("H29")));
        assert!(
            !below.may(Permission::ManageOfficers, &Scope::Anywhere),
            "bound to an agency"
        );
    }

    #[test]
    fn level_two_is_asked_for_by_name() {
        let error = person(1).person_level2().expect_err("level 1");
        let code = error.problems().and_then(|p| p.iter().next()).map(|p| p.code.clone());
        assert_eq!(code.as_deref(), Some(NEEDS_LEVEL_2));
        assert_eq!(
            officer("H29", &[]).person().expect_err("not a person").kind(),
            Some(Kind::Forbidden)
        );
        assert_eq!(
            ctx(Actor::Anonymous).officer().expect_err("nobody").kind(),
            Some(Kind::Unauthenticated)
        );
    }
}
