//! Who files, how, when, and what the state already knows.

use identity::PersonActor;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Claim, Facts};
use crate::{
    feel::{Type, Types},
    reference::Units,
};

/// How a dossier comes in (kênh thực hiện).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Through the portal (trực tuyến).
    Online,
    /// At the counter (trực tiếp).
    Counter,
    /// By public post (bưu chính công ích).
    Post,
}

impl Channel {
    /// As expressions see it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Counter => "counter",
            Self::Post => "post",
        }
    }
}

/// Whether a person files for themselves or for an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicantKind {
    /// A person.
    #[default]
    Person,
    /// A business or another organisation.
    Organisation,
}

/// The person who files, as far as the e-ID tells. All unknown for a paper application.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Applicant {
    /// For themselves or for an organisation.
    pub kind: ApplicantKind,
    /// Full name.
    pub name: Option<String>,
    /// Personal identification number, 12 digits.
    pub person_number: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// `male` or `female`.
    pub sex: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Level of assurance of the e-ID: 1 or 2; 0 when nobody is signed in.
    pub assurance: u8,
    /// Tax code of the organisation.
    pub tax_code: Option<String>,
    /// Name of the organisation.
    pub organisation: Option<String>,
}

impl Applicant {
    /// What the e-ID holds, as a JSON answer.
    pub fn claim(&self, claim: Claim) -> Option<Value> {
        match claim {
            Claim::Name => self.name.clone().map(Value::from),
            Claim::PersonNumber => self.person_number.clone().map(Value::from),
            Claim::BirthDate => self.birth_date.map(|d| Value::from(d.to_string())),
            Claim::Sex => self.sex.clone().map(Value::from),
            Claim::Phone => self.phone.clone().map(Value::from),
            Claim::Email => self.email.clone().map(Value::from),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "kind": self.kind,
            "name": self.name,
            "person_number": self.person_number,
            "birth_date": self.birth_date.map(|d| d.to_string()),
            "sex": self.sex,
            "phone": self.phone,
            "email": self.email,
            "assurance": self.assurance,
            "tax_code": self.tax_code,
            "organisation": self.organisation,
        })
    }

    pub(crate) fn declare(types: &mut Types) {
        let text = ["name", "person_number", "phone", "email", "tax_code", "organisation"];
        for name in text {
            types.declare(&format!("applicant.{name}"), Type::String);
        }
        types.declare(
            "applicant.kind",
            Type::Enum(["person".into(), "organisation".into()].into()),
        );
        types.declare("applicant.sex", Type::Enum(["male".into(), "female".into()].into()));
        types.declare("applicant.birth_date", Type::Date);
        types.declare("applicant.assurance", Type::Number);
    }
}

impl From<&PersonActor> for Applicant {
    fn from(person: &PersonActor) -> Self {
        Self {
            kind: if person.organisation.is_some() {
                ApplicantKind::Organisation
            } else {
                ApplicantKind::Person
            },
            name: Some(person.name.clone()).filter(|n| !n.is_empty()),
            person_number: person.person_number.clone(),
            birth_date: person.birth_date,
            sex: person.sex.map(|sex| sex.code().to_owned()),
            phone: person.phone.clone(),
            email: person.email.clone(),
            assurance: u8::try_from(person.assurance.level()).unwrap_or(1),
            tax_code: person.organisation.as_ref().map(|o| o.tax_code.clone()),
            organisation: person.organisation.as_ref().map(|o| o.name.clone()),
        }
    }
}

/// All that decides what is asked and whether an answer is good, besides the answers.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Who files.
    pub applicant: &'a Applicant,
    /// How.
    pub channel: Channel,
    /// The legal date.
    pub today: Date,
    /// What registries answered.
    pub facts: &'a Facts,
    /// Provinces and communes.
    pub units: &'a Units,
}

impl Context<'_> {
    pub(crate) fn ambient(&self) -> Map<String, Value> {
        let mut values = Map::new();
        values.insert("applicant".to_owned(), self.applicant.json());
        values.insert("channel".to_owned(), self.channel.code().into());
        values.insert("today".to_owned(), self.today.to_string().into());
        values
    }

    pub(crate) fn declare(types: &mut Types) {
        Applicant::declare(types);
        types.declare(
            "channel",
            Type::Enum(["online".into(), "counter".into(), "post".into()].into()),
        );
        types.declare("today", Type::Date);
    }
}
