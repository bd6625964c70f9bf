//! The data tracker (nhật ký truy cập dữ liệu): who read what about me, when, and why.

mod ask;
mod between;
mod hidden;
mod own;
mod proof;
mod protocol;

pub use ask::{Question, QuestionState};
pub(super) use between::Errand;
pub use between::{ASK_SERVICE, question_router};
pub use hidden::HiddenMonth;
pub use own::{MyReads, ReadAbout, ReadFilter, Source};
pub use proof::{ProvedRead, ReadElsewhere};
pub use protocol::{PROVIDER_SERVICE, usage_router};
