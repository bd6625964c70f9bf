//! The JSON of the API. Instants are RFC 3339 in legal time; money is whole VND.

mod filing;
mod shown;
mod wishes;

use base::{Text, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

pub use filing::{FiledBody, FilingBody, PaperBody};
pub use shown::{DossierBody, DossierPage, HistoryBody, OutcomeBody, TrackingBody};
pub use wishes::{
    AssignBody, CompleteBody, ConsultationBody, NoteBody, PaymentBody, ReappointBody, ReasonBody, StopBody,
    SupplementBody, WaiverBody,
};

/// A text in both languages.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Both {
    /// Vietnamese.
    vi: String,
    /// English.
    en: String,
}

impl From<&Text> for Both {
    fn from(text: &Text) -> Self {
        Self {
            vi: text.vi.clone(),
            en: text.get(base::Lang::En).to_owned(),
        }
    }
}

fn instant(at: Timestamp) -> String {
    at.rfc3339()
}
