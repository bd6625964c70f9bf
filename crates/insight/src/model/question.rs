//! Questions to the figures.

use super::Month;

/// How the lines of a report are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// One line for each month.
    #[default]
    Month,
    /// One for each agency.
    Agency,
    /// One for each field.
    Field,
    /// One for each procedure.
    Procedure,
}

impl By {
    /// The name in an address.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Agency => "agency",
            Self::Field => "field",
            Self::Procedure => "procedure",
        }
    }

    /// Reads the name.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Month, Self::Agency, Self::Field, Self::Procedure]
            .into_iter()
            .find(|by| by.id() == id)
    }
}

/// What is asked of the figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Only of this agency.
    pub agency: Option<String>,
    /// Only of this field.
    pub field: Option<String>,
    /// First month.
    pub from: Month,
    /// Last month.
    pub to: Month,
    /// Lines.
    pub by: By,
}
