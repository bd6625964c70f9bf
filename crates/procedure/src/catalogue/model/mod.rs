//! What a published procedure is: everything that the national catalogue says of it, with its blanks and its errors.
//!
//! A catalogue entry is put together from *layers*, one for each kind of source (see [`Layer`]). Each layer keeps
//! exactly what its source said; the [`Entry`] that people read is computed from them, so that importing the short
//! national list again never takes away the details that another file gave.

mod amounts;
mod code;
mod entry;
mod groups;
mod parts;
mod record;

pub use amounts::{Fee, FeeKind, Qualifier, TimeLimit, Unit, grouped, number};
pub use code::{Code, NotACode};
pub use entry::{Entry, State};
pub use groups::{Audience, Level, Method, Sort};
pub use parts::{Case, Channel, Field, Handling, Legal, Paper, PaperGroup, Step};
pub use record::{Layer, Record, Said, Sheet, Source};

use base::Text;

/// A text in both languages, as the API gives it; `en` is left out where there is none.
#[derive(Debug, Clone, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes base::Text to readers of the OpenAPI file")]
pub(crate) struct Bilingual {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: Option<String>,
}

/// Whether a text says nothing.
pub(crate) fn is_blank(text: &Text) -> bool {
    text.vi.is_empty() && text.en.is_empty()
}
