//! Filing.

use base::{Error, Problems, Result};
use procedure::form::Answers;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::action::{Channel, UploadId},
    service::{Filing, FilingPaper},
};

/// What is filed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilingBody {
    /// National code: `1.001193`.
    procedure: String,
    /// Answers, nested by field id; their shape is the procedure's JSON Schema.
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    /// Papers with finished uploads.
    #[serde(default)]
    papers: Vec<PaperBody>,
    /// For whom, when an officer files what came to the counter.
    #[serde(default)]
    applicant: Option<ApplicantBody>,
    /// How it came, when an officer files: `counter` or `post`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    channel: Option<Channel>,
}

/// A paper with its uploads.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaperBody {
    /// Id of the paper in the package.
    paper: String,
    /// Finished uploads.
    uploads: Vec<Uuid>,
}

/// The applicant of a dossier that an officer files.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicantBody {
    /// Full name.
    name: String,
    /// Personal identification number, 12 digits.
    #[serde(default)]
    #[schema(pattern = "^[0-9]{12}$")]
    person_number: Option<String>,
    /// Telephone.
    #[serde(default)]
    phone: Option<String>,
    /// Mail.
    #[serde(default)]
    email: Option<String>,
    /// Name of the organisation, if it applies.
    #[serde(default)]
    organisation: Option<String>,
    /// Tax code of the organisation.
    #[serde(default)]
    #[schema(pattern = "^[0-9]{10}(-[0-9]{3})?$")]
    tax_code: Option<String>,
}

impl TryFrom<FilingBody> for Filing {
    type Error = Error;
    fn try_from(body: FilingBody) -> Result<Self> {
        let mut problems = Problems::new();
        if let Some(applicant) = &body.applicant {
            if let Some(number) = &applicant.person_number
                && let Err(error) = number.parse::<base::codes::PersonNumber>()
            {
                problems.add(
                    error.code(),
                    "applicant.person_number",
                    &error.text().vi,
                    &error.text().en,
                );
            }
            if let Some(tax_code) = &applicant.tax_code
                && let Err(error) = tax_code.parse::<base::codes::TaxCode>()
            {
                problems.add(error.code(), "applicant.tax_code", &error.text().vi, &error.text().en);
            }
            if let Some(phone) = &applicant.phone
                && let Err(error) = phone.parse::<base::codes::PhoneNumber>()
            {
                problems.add(error.code(), "applicant.phone", &error.text().vi, &error.text().en);
            }
        }
        problems.into_result()?;
        let applicant = body.applicant.map(|a| procedure::form::Applicant {
            kind: if a.organisation.is_some() {
                procedure::form::ApplicantKind::Organisation
            } else {
                procedure::form::ApplicantKind::Person
            },
            name: Some(base::text::nfc(a.name.trim())),
            person_number: a.person_number,
            phone: a.phone,
            email: a.email,
            organisation: a.organisation,
            tax_code: a.tax_code,
            ..Default::default()
        });
        Ok(Self {
            procedure: body.procedure,
            answers: Answers::from_value(Value::Object(body.answers)).unwrap_or_default(),
            papers: body.papers.into_iter().map(FilingPaper::from).collect(),
            applicant,
            channel: body.channel,
        })
    }
}

/// A dossier that was filed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiledBody {
    /// Id.
    pub id: Uuid,
    /// Code.
    pub code: String,
    /// The secret for following it; also printed on the receipt.
    pub secret: String,
    /// The address that the QR code carries.
    pub tracking_url: String,
}

impl From<PaperBody> for FilingPaper {
    fn from(p: PaperBody) -> Self {
        Self {
            paper: p.paper,
            uploads: p.uploads.into_iter().map(UploadId::from_uuid).collect(),
        }
    }
}
