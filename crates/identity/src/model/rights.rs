//! Who may do what: roles, permissions and the table between them. Everything that the table does not say is refused.

use base::{Error, Kind, Result, Text};
use serde::{Deserialize, Serialize};

/// What an officer (cán bộ, công chức) is appointed to do in an agency. One officer may hold several roles.
/// The division follows the one-stop mechanism of Decree 61/2018/NĐ-CP as amended by Decree 118/2025/NĐ-CP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Receives dossiers and hands out results at the one-stop (cán bộ tiếp nhận).
    Receptionist,
    /// Processes dossiers (chuyên viên thụ lý).
    Specialist,
    /// Decides and signs (lãnh đạo phê duyệt).
    Leader,
    /// Answers consultations of other agencies (cơ quan phối hợp).
    Consulted,
    /// Runs the system: officers, catalogue, reference data (quản trị hệ thống).
    Administrator,
    /// Reads logs and dossiers to check them, changes nothing (kiểm tra).
    Auditor,
    /// Keeps the registries of the agency: reports, corrects, ends records (cán bộ quản lý cơ sở dữ liệu).
    Steward,
    /// Reads the registries of the agency for the work in hand (cán bộ khai thác cơ sở dữ liệu).
    Reader,
}

impl Role {
    /// All roles, in the order in which pages show them.
    pub const ALL: [Self; 8] = [
        Self::Receptionist,
        Self::Specialist,
        Self::Leader,
        Self::Consulted,
        Self::Administrator,
        Self::Auditor,
        Self::Steward,
        Self::Reader,
    ];

    /// The name for programs: `receptionist`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Receptionist => "receptionist",
            Self::Specialist => "specialist",
            Self::Leader => "leader",
            Self::Consulted => "consulted",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Steward => "steward",
            Self::Reader => "reader",
        }
    }

    /// Reads [`Role::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Receptionist => Text::new("Cán bộ tiếp nhận", "Receptionist"),
            Self::Specialist => Text::new("Chuyên viên thụ lý", "Specialist"),
            Self::Leader => Text::new("Lãnh đạo phê duyệt", "Deciding leader"),
            Self::Consulted => Text::new("Cơ quan phối hợp", "Consulted agency"),
            Self::Administrator => Text::new("Quản trị hệ thống", "Administrator"),
            Self::Auditor => Text::new("Kiểm tra", "Auditor"),
            Self::Steward => Text::new("Quản lý cơ sở dữ liệu", "Registry steward"),
            Self::Reader => Text::new("Khai thác cơ sở dữ liệu", "Registry reader"),
        }
    }

    /// What the role permits.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission as P;
        match self {
            Self::Receptionist => &[
                P::FileDossier,
                P::ReceiveDossier,
                P::DeliverResult,
                P::ReadAgencyDossiers,
            ],
            Self::Specialist => &[P::ProcessDossier, P::ReadAgencyDossiers],
            Self::Leader => &[P::DecideDossier, P::ReadAgencyDossiers, P::ReadStatistics],
            Self::Consulted => &[P::AnswerConsultation],
            Self::Administrator => &[
                P::ManageOfficers,
                P::ManageCatalogue,
                P::ManageReference,
                P::ManageTokens,
                P::ManageDirectory,
                P::ReadStatistics,
                P::ManageExchange,
                P::ReadExchange,
            ],
            Self::Auditor => &[
                P::ReadAgencyDossiers,
                P::ReadStatistics,
                P::ReadAccessLog,
                P::ReadExchange,
            ],
            Self::Steward => &[P::KeepRegistry, P::ReadRegistry],
            Self::Reader => &[P::ReadRegistry],
        }
    }
}

/// A set of [`Role`]s, one bit each; serialises as a list of role names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Role>", into = "Vec<Role>")]
pub struct Roles(u32);

impl Roles {
    /// No role at all.
    pub const NONE: Self = Self(0);

    /// The set of these roles.
    pub fn of(roles: &[Role]) -> Self {
        roles.iter().copied().collect()
    }

    /// Whether the role is in the set.
    pub const fn has(self, role: Role) -> bool {
        self.0 & (1 << role as u32) != 0
    }

    /// The set with one role more.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | 1 << role as u32)
    }

    /// The roles that are in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is no role.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The roles, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }

    /// Whether any of the roles permits it.
    pub fn permit(self, permission: Permission) -> bool {
        self.iter().any(|role| role.permissions().contains(&permission))
    }

    /// As stored: bit n is the n-th role of [`Role::ALL`].
    pub const fn bits(self) -> i64 {
        self.0 as i64
    }

    /// From storage; unknown bits are dropped.
    pub fn from_bits(bits: i64) -> Self {
        Role::ALL
            .into_iter()
            .filter(|role| bits & (1 << *role as i64) != 0)
            .collect()
    }

    /// The first role's name, or all of them joined by commas, for a badge.
    pub fn label(self) -> Text {
        let mut label = Text::default();
        for role in self.iter() {
            let next = role.label();
            for (all, one) in [(&mut label.vi, next.vi), (&mut label.en, next.en)] {
                if !all.is_empty() {
                    all.push_str(", ");
                }
                all.push_str(&one);
            }
        }
        label
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Vec<Role>> for Roles {
    fn from(roles: Vec<Role>) -> Self {
        roles.into_iter().collect()
    }
}

impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.iter().collect()
    }
}

/// One thing that an actor may be permitted to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Read the catalogue of procedures. Public.
    ReadCatalogue,
    /// Read the published figures. Public.
    ReadPublication,
    /// Follow a dossier by its code and secret. Public; the secret is checked by `dossier`.
    TrackDossier,
    /// File a dossier: a person for their own account; a receptionist at the counter for a visitor.
    FileDossier,
    /// Read one's own dossiers.
    ReadOwnDossier,
    /// Read and change one's own profile, sessions and data tracker.
    ManageOwnAccount,
    /// Receive a dossier, refuse it, ask for papers at the one-stop.
    ReceiveDossier,
    /// Hand the result to the person.
    DeliverResult,
    /// Process a dossier: examine, consult, ask for papers, draft the result.
    ProcessDossier,
    /// Decide a dossier and sign its result.
    DecideDossier,
    /// Answer a consultation put to one's agency.
    AnswerConsultation,
    /// Read the dossiers of one's agency.
    ReadAgencyDossiers,
    /// Read internal statistics of one's agency and those below it.
    ReadStatistics,
    /// Add, change and deactivate officers of one's agency and those below it.
    ManageOfficers,
    /// Change the catalogue of procedures.
    ManageCatalogue,
    /// Change reference data: calendars, administrative units, agencies.
    ManageReference,
    /// Create and revoke access tokens for programs of one's agency.
    ManageTokens,
    /// Read the log of reads of personal data.
    ReadAccessLog,
    /// Run the directory of the federation: who may join, who is suspended, which certificates are revoked.
    ManageDirectory,
    /// Say what one's agency and those below it offer through the exchange, ask for data of others, and answer them.
    ManageExchange,
    /// Read what they offer, whom they have granted access, and why.
    ReadExchange,
    /// Report, correct, end and erase records of the registries that one's agency keeps.
    KeepRegistry,
    /// Read records of the registries that one's agency keeps.
    ReadRegistry,
}

/// How far a permission of an officer reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everybody has it, everywhere.
    Public,
    /// Only the officer's own agency.
    OwnAgency,
    /// The officer's agency and every agency whose code continues it after a dot.
    AgencyAndBelow,
    /// The whole node: things that belong to no one agency.
    Node,
    /// Only a person's own account.
    OwnAccount,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 23] = [
        Self::ReadCatalogue,
        Self::ReadPublication,
        Self::TrackDossier,
        Self::FileDossier,
        Self::ReadOwnDossier,
        Self::ManageOwnAccount,
        Self::ReceiveDossier,
        Self::DeliverResult,
        Self::ProcessDossier,
        Self::DecideDossier,
        Self::AnswerConsultation,
        Self::ReadAgencyDossiers,
        Self::ReadStatistics,
        Self::ManageOfficers,
        Self::ManageCatalogue,
        Self::ManageReference,
        Self::ManageTokens,
        Self::ReadAccessLog,
        Self::ManageDirectory,
        Self::ManageExchange,
        Self::ReadExchange,
        Self::KeepRegistry,
        Self::ReadRegistry,
    ];

    /// How far it reaches when an officer holds it.
    pub const fn reach(self) -> Reach {
        match self {
            Self::ReadCatalogue | Self::ReadPublication | Self::TrackDossier => Reach::Public,
            Self::FileDossier
            | Self::ReceiveDossier
            | Self::DeliverResult
            | Self::ProcessDossier
            | Self::DecideDossier
            | Self::AnswerConsultation
            | Self::ReadAgencyDossiers
            | Self::KeepRegistry
            | Self::ReadRegistry => Reach::OwnAgency,
            Self::ReadStatistics
            | Self::ManageOfficers
            | Self::ManageTokens
            | Self::ReadAccessLog
            | Self::ManageExchange
            | Self::ReadExchange => Reach::AgencyAndBelow,
            Self::ManageCatalogue | Self::ManageReference | Self::ManageDirectory => Reach::Node,
            Self::ReadOwnDossier | Self::ManageOwnAccount => Reach::OwnAccount,
        }
    }

    /// Whether a signed-in person has it for their own account.
    pub const fn of_person(self) -> bool {
        matches!(self, Self::FileDossier | Self::ReadOwnDossier | Self::ManageOwnAccount)
    }
}

/// Reads a list of role codes; refuses with every unknown one at `at`, and when none is left.
pub(crate) fn parse_roles(codes: &[String], at: &str) -> Result<Roles> {
    let mut problems = base::Problems::new();
    let mut roles = Roles::NONE;
    for code in codes {
        match Role::from_code(code) {
            Some(role) => roles = roles.with(role),
            None => problems.add(
                "unknown-role",
                at,
                format!("Không có vai trò “{code}”."),
                format!("There is no role “{code}”."),
            ),
        }
    }
    if roles.is_empty() && problems.is_empty() {
        problems.add("required", at, "Chọn ít nhất một vai trò.", "Choose at least one role.");
    }
    if problems.is_empty() {
        Ok(roles)
    } else {
        Err(Error::Refused(Kind::Invalid, problems))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_survive_storage_and_json() {
        let roles = Roles::of(&[Role::Auditor, Role::Receptionist]);
        assert_eq!(Roles::from_bits(roles.bits()), roles);
        let json = serde_json::to_string(&roles).expect("serialises");
        assert_eq!(json, r#"["receptionist","auditor"]"#);
        assert_eq!(serde_json::from_str::<Roles>(&json).expect("reads back"), roles);
        assert_eq!(
            Roles::from_bits(-1).iter().count(),
            Role::ALL.len(),
            "unknown bits are dropped"
        );
    }

    #[test]
    fn an_auditor_changes_nothing() {
        for permission in Role::Auditor.permissions() {
            assert!(
                matches!(
                    permission,
                    Permission::ReadAgencyDossiers
                        | Permission::ReadStatistics
                        | Permission::ReadAccessLog
                        | Permission::ReadExchange
                ),
                "{permission:?}"
            );
        }
    }

    #[test]
    fn unknown_and_missing_roles_are_named() {
        let error = parse_roles(&["leader".into(), "king".into()], "roles").expect_err("no king");
        assert!(error.to_string().contains("king"));
        assert!(parse_roles(&[], "roles").is_err());
    }
}
