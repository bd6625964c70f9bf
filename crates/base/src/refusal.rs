//! How the platform says no. A refusal carries every problem at once, each in both languages, each at its place;
//! pages show it as an error summary and the API as problem details (RFC 9457).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lang::{Lang, Text};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable name for programs: `required`, `not-a-date`, `too-large`.
    pub code: String,
    /// Where: a field id, a paper code, a JSON pointer or `line:column`; empty for the whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// What is wrong and what to do, in both languages.
    #[serde(flatten)]
    pub text: Text,
}

/// All that is wrong with one request, gathered before anything is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Nothing wrong yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Notes a problem at a place.
    pub fn add(&mut self, code: &str, at: impl Into<String>, vi: impl Into<String>, en: impl Into<String>) {
        self.0.push(Problem {
            code: code.to_owned(),
            at: at.into(),
            text: Text::new(vi, en),
        });
    }

    /// Takes in another list.
    pub fn extend(&mut self, other: Problems) {
        self.0.extend(other.0);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// The text of the first problem at `at`, for the message beside a field.
    pub fn at(&self, at: &str, lang: Lang) -> Option<&str> {
        self.0.iter().find(|p| p.at == at).map(|p| p.text.get(lang))
    }

    /// `Ok` when nothing is wrong, else a refusal of kind [`Kind::Invalid`].
    pub fn into_result(self) -> Result<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Error::Refused(Kind::Invalid, self))
        }
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What sort of no it is; decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The request is wrong in itself: 422.
    Invalid,
    /// Nobody is signed in: 401.
    Unauthenticated,
    /// This actor may not: 403.
    Forbidden,
    /// No such thing, or not for this actor's eyes: 404.
    NotFound,
    /// The thing is there, but nothing like this can be done with it: 405.
    NotAllowed,
    /// The thing has moved on since the caller looked: 409.
    Conflict,
    /// A precondition (`If-Match`) does not hold: 412.
    Stale,
    /// Over a size limit: 413.
    TooLarge,
    /// Too many requests or tries: 429.
    TooMany,
    /// A part that is needed is down or full; nothing was stored; try again: 503.
    Unavailable,
}

impl Kind {
    /// The HTTP status code.
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid => 422,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::NotAllowed => 405,
            Self::Conflict => 409,
            Self::Stale => 412,
            Self::TooLarge => 413,
            Self::TooMany => 429,
            Self::Unavailable => 503,
        }
    }
}

/// Why a use case did not happen.
#[derive(Debug)]
pub enum Error {
    /// The caller can do something about it.
    Refused(Kind, Problems),
    /// Ours to mend: logged with its request id, shown to the caller as that id alone.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal with a single problem about the whole request.
    pub fn refused(kind: Kind, code: &str, vi: impl Into<String>, en: impl Into<String>) -> Self {
        let mut problems = Problems::new();
        problems.add(code, "", vi, en);
        Self::Refused(kind, problems)
    }

    /// No such `what_vi` / `what_en` ("hồ sơ", "dossier").
    pub fn not_found(what_vi: &str, what_en: &str) -> Self {
        Self::refused(
            Kind::NotFound,
            "not-found",
            format!("Không tìm thấy {what_vi}, hoặc quý vị không có quyền xem."),
            format!("No such {what_en}, or it is not yours to see."),
        )
    }

    /// This actor may not do this.
    pub fn forbidden() -> Self {
        Self::refused(
            Kind::Forbidden,
            "forbidden",
            "Tài khoản này không có quyền thực hiện việc đó.",
            "This account may not do that.",
        )
    }

    /// Wraps a failure of ours.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The problems of a refusal; none for a failure of ours.
    pub fn problems(&self) -> Option<&Problems> {
        match self {
            Self::Refused(_, problems) => Some(problems),
            Self::Internal(_) => None,
        }
    }

    /// The kind of a refusal.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Refused(kind, _) => Some(*kind),
            Self::Internal(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_, problems) => {
                for (n, p) in problems.iter().enumerate() {
                    if n > 0 {
                        f.write_str("; ")?;
                    }
                    if !p.at.is_empty() {
                        write!(f, "{}: ", p.at)?;
                    }
                    f.write_str(&p.text.en)?;
                }
                Ok(())
            }
            Self::Internal(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<serde_json::Error> for Error {
    fn from(source: serde_json::Error) -> Self {
        Self::internal(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_kept_and_found_at_their_place() {
        let mut problems = Problems::new();
        problems.add("required", "child.name", "Nhập họ tên.", "Enter a name.");
        problems.add("not-a-date", "child.born", "Nhập ngày.", "Enter a date.");
        assert_eq!(problems.at("child.born", Lang::En), Some("Enter a date."));
        let error = problems.into_result().expect_err("two problems");
        assert_eq!(error.kind(), Some(Kind::Invalid));
        assert_eq!(error.problems().map(|p| p.iter().count()), Some(2));
    }
}
