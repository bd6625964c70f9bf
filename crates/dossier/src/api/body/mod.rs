//! The JSON of the API. Instants are RFC 3339 in legal time; money is whole VND.

mod filing;
mod shown;
mod wishes;

pub use filing::{FiledBody, FilingBody, PaperBody};
pub use shown::{DossierBody, DossierItemBody, HistoryBody, OutcomeBody, TrackingBody};
pub use wishes::{
    AssignBody, CompleteBody, ConsultationBody, EndWaitBody, NoteBody, PaymentBody, ReappointBody, ReasonBody,
    StopBody, SupplementBody, WaiverBody,
};
