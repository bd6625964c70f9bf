//! People, organisations and officers.

use base::{Problems, Text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::rights::Roles;

base::typed_id!(
    /// The account (tài khoản) of a person who signs in by the national e-ID.
    AccountKind as AccountId);
base::typed_id!(
    /// An officer (cán bộ, công chức) of an agency.
    OfficerKind as OfficerId);

/// How sure the e-ID is of who the person is (mức độ định danh 1, 2), Decree 69/2024/NĐ-CP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// Level 1: identity data only.
    #[default]
    Level1,
    /// Level 2: verified in person with biometrics; stands for the identity card.
    Level2,
}

impl Assurance {
    /// 1 or 2, as stored.
    pub const fn level(self) -> i64 {
        match self {
            Self::Level1 => 1,
            Self::Level2 => 2,
        }
    }

    /// From storage or configuration; anything but 2 is level 1.
    pub const fn from_level(level: i64) -> Self {
        if level == 2 { Self::Level2 } else { Self::Level1 }
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Level1 => Text::new("Định danh điện tử mức độ 1", "e-ID level 1"),
            Self::Level2 => Text::new("Định danh điện tử mức độ 2", "e-ID level 2"),
        }
    }
}

/// Sex (giới tính) as registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sex {
    /// Nam.
    Male,
    /// Nữ.
    Female,
}

impl Sex {
    /// As stored and as the OpenID Connect claim `gender` has it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
        }
    }

    /// Reads [`Sex::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Male, Self::Female].into_iter().find(|sex| sex.code() == code)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Male => Text::new("Nam", "Male"),
            Self::Female => Text::new("Nữ", "Female"),
        }
    }
}

/// An organisation (tổ chức, doanh nghiệp) for which a person acts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Organisation {
    /// Tax code (mã số thuế), which is also the enterprise code.
    pub tax_code: String,
    /// Registered name.
    pub name: String,
}

/// What is known of a person when their account is made or refreshed from the e-ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Who vouches for the person: the `iss` of the e-ID.
    pub issuer: String,
    /// The person's `sub` there.
    pub subject: String,
    /// Full name.
    pub name: String,
    /// Personal identification number (số định danh cá nhân), 12 digits.
    pub person_number: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Telephone.
    pub phone: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Level of the e-ID.
    pub assurance: Assurance,
    /// Organisations that the person may act for.
    pub organisations: Vec<Organisation>,
    /// Plays this role in the demonstration.
    pub demo: Option<DemoRole>,
}

impl NewAccount {
    /// An account with a name and nothing more known.
    pub fn named(issuer: &str, subject: &str, name: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            name: name.to_owned(),
            person_number: None,
            birth_date: None,
            sex: None,
            phone: None,
            email: None,
            assurance: Assurance::Level1,
            organisations: Vec::new(),
            demo: None,
        }
    }
}

/// What an administrator gives for a new officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOfficer {
    /// Login name: letters, digits, dot, hyphen and underscore; compared without case.
    pub login: String,
    /// Full name.
    pub name: String,
    /// Title (chức danh), such as "Công chức Tư pháp - Hộ tịch".
    pub title: String,
    /// Agency code in the notation of Decision 20/2020/QĐ-TTg.
    pub agency: String,
    /// Roles; at least one.
    pub roles: Roles,
    /// First password, to be changed at the first sign-in. Without one the officer gets a one-time password
    /// from [`crate::Identity::reset_officer`].
    pub password: Option<String>,
    /// Plays this role in the demonstration.
    pub demo: Option<DemoRole>,
}

impl NewOfficer {
    /// All that is wrong with it, each at its field.
    pub fn check(&self) -> Problems {
        let mut problems = Problems::new();
        let login = self.login.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !(3..=64).contains(&login.chars().count()) || !login.chars().all(plain) {
            problems.add(
                "login",
                "login",
                "Tên đăng nhập gồm 3 đến 64 ký tự: chữ không dấu, chữ số, dấu chấm, gạch nối hoặc gạch dưới.",
                "A login name has 3 to 64 characters: plain letters, digits, dots, hyphens or underscores.",
            );
        }
        check_officer_fields(&self.name, &self.title, &self.agency, self.roles, &mut problems);
        if let Some(password) = &self.password {
            problems.extend(super::check_password(password, login, "password"));
        }
        problems
    }
}

/// The rules for the fields of an officer that an administrator may also change later.
pub(crate) fn check_officer_fields(name: &str, title: &str, agency: &str, roles: Roles, problems: &mut Problems) {
    if name.trim().is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        problems.add(
            "name",
            "name",
            "Nhập họ và tên, tối đa 100 ký tự.",
            "Enter the full name, at most 100 characters.",
        );
    }
    if title.chars().count() > 100 || title.chars().any(char::is_control) {
        problems.add(
            "title",
            "title",
            "Chức danh có tối đa 100 ký tự.",
            "A title has at most 100 characters.",
        );
    }
    if !is_agency_code(agency) {
        problems.add(
            "agency",
            "agency",
            "Nhập mã định danh cơ quan theo Quyết định 20/2020/QĐ-TTg, ví dụ H29 hoặc H29.12.3.",
            "Enter the agency code of Decision 20/2020/QĐ-TTg, such as H29 or H29.12.3.",
        );
    }
    if roles.is_empty() {
        problems.add(
            "required",
            "roles",
            "Chọn ít nhất một vai trò.",
            "Choose at least one role.",
        );
    }
}

/// Refuses what cannot be an agency code before it reaches the database.
pub(crate) fn check_agency(agency: &str) -> base::Result<()> {
    let mut problems = Problems::new();
    if !is_agency_code(agency) {
        problems.add(
            "agency",
            "agency",
            "Mã cơ quan không hợp lệ.",
            "This is no agency code.",
        );
    }
    problems.into_result()
}

/// Shape of an agency code of Decision 20/2020/QĐ-TTg: parts of letters and digits joined by dots, at most 35 characters.
fn is_agency_code(code: &str) -> bool {
    code.len() <= 35
        && !code.is_empty()
        && code
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// The form in which login names are compared: trimmed, lower case.
pub fn login_key(login: &str) -> String {
    login.trim().to_lowercase()
}

/// Whom one may be in the demonstration with one click.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DemoRole {
    /// A person with e-ID level 2.
    Citizen,
    /// A person who acts for a business.
    Business,
    /// An officer at the one-stop.
    Receptionist,
    /// A specialist.
    Specialist,
    /// A leader.
    Leader,
    /// An officer of a consulted agency.
    Consulted,
    /// An administrator.
    Administrator,
    /// An auditor.
    Auditor,
}

impl DemoRole {
    /// All, in the order in which pages show them.
    pub const ALL: [Self; 8] = [
        Self::Citizen,
        Self::Business,
        Self::Receptionist,
        Self::Specialist,
        Self::Leader,
        Self::Consulted,
        Self::Administrator,
        Self::Auditor,
    ];

    /// The name in addresses: `citizen`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Business => "business",
            Self::Receptionist => "receptionist",
            Self::Specialist => "specialist",
            Self::Leader => "leader",
            Self::Consulted => "consulted",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
        }
    }

    /// Reads [`DemoRole::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    /// Whether it is played by an account rather than an officer.
    pub const fn is_person(self) -> bool {
        matches!(self, Self::Citizen | Self::Business)
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Citizen => Text::new("Người dân", "Citizen"),
            Self::Business => Text::new("Doanh nghiệp", "Business"),
            Self::Receptionist => super::Role::Receptionist.label(),
            Self::Specialist => super::Role::Specialist.label(),
            Self::Leader => super::Role::Leader.label(),
            Self::Consulted => super::Role::Consulted.label(),
            Self::Administrator => super::Role::Administrator.label(),
            Self::Auditor => super::Role::Auditor.label(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    #[test]
    fn a_bad_officer_is_refused_with_all_problems() {
        let officer = NewOfficer {
            login: "a b".into(),
            name: " ".into(),
            title: String::new(),
            agency: "H29..1".into(),
            roles: Roles::NONE,
            password: Some("short".into()),
            demo: None,
        };
        let problems = officer.check();
        for field in ["login", "name", "agency", "roles", "password"] {
            assert!(problems.at(field, base::Lang::Vi).is_some(), "{field}");
        }
        let good = NewOfficer {
            login: "Lan.Nguyen".into(),
            name: "Nguyễn Thị Lan".into(),
            agency: "H29.12".into(),
            roles: Roles::of(&[Role::Leader]),
            password: None,
            ..officer
        };
        assert!(good.check().is_empty());
        assert_eq!(login_key(" Lan.Nguyen "), "lan.nguyen");
    }
}
