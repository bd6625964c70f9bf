//! Lists of the JSON API: `cursor` and `limit` in, `items` and `next` out, the same for every list
//! (`docs/service-rules.md`, rules `paging-…`). Pages for people know the same `cursor`.

use axum::{extract::FromRequestParts, http::request::Parts};
use base::{Error, Kind, Problems, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{ApiError, ApiQuery};

/// Longest cursor, in characters.
const LONGEST: usize = 400;
/// Most items of one page.
const MOST: u32 = 100;

/// Where a page of a list begins, and how long it is at most. Taken beside the other parameters of a list; `limit` is from 1
/// to 100.
#[derive(Debug, Clone, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// `next` of the page before; without it, the first page.
    #[param(max_length = 400)]
    cursor: Option<String>,
    /// How many items the page has at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20, value_type = Option<u32>)]
    limit: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    cursor: String,
    limit: String,
}

impl Paging {
    /// The items that a page has when the caller does not say.
    pub const USUAL: u32 = 20;

    /// The first page, as long as is usual.
    pub const FIRST: Self = Self {
        cursor: None,
        limit: Self::USUAL,
    };

    /// Most items.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Where the page begins, as `read` understands the cursor; none for the first page.
    ///
    /// # Errors
    /// `Invalid` for a cursor that `read` does not understand.
    pub fn place<'a, T>(&'a self, read: impl FnOnce(&'a str) -> Option<T>) -> Result<Option<T>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        read(cursor).map(Some).ok_or_else(no_place)
    }

    /// Where the page begins, for lists whose cursor is the key of the last item itself; none for the first page.
    pub fn after(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn read(asked: Asked) -> Result<Self> {
        let mut problems = Problems::new();
        let cursor = Some(asked.cursor).filter(|cursor| !cursor.is_empty());
        if cursor.as_deref().is_some_and(|cursor| !could_be_place(cursor)) {
            add_no_place(&mut problems);
        }
        let limit = match asked.limit.as_str() {
            "" => Some(Self::USUAL),
            text => text.parse().ok().filter(|limit| (1..=MOST).contains(limit)),
        };
        if limit.is_none() {
            problems.add(
                "limit",
                "limit",
                format!("limit là số nguyên từ 1 đến {MOST}."),
                format!("limit is a whole number from 1 to {MOST}."),
            );
        }
        problems.into_result()?;
        Ok(Self {
            cursor,
            limit: limit.unwrap_or(Self::USUAL),
        })
    }
}

/// Where the page of a list begins, in the address of a page for people. Empty is the first page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// Whether it is the first page.
    pub const fn is_first(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the page begins, as `read` understands it; none for the first page.
    ///
    /// # Errors
    /// `Invalid` for what `read` does not understand.
    pub fn place<'a, T>(&'a self, read: impl FnOnce(&'a str) -> Option<T>) -> Result<Option<T>> {
        if self.is_first() {
            return Ok(None);
        }
        let cursor = Some(self.0.as_str()).filter(|cursor| could_be_place(cursor));
        cursor.and_then(read).map(Some).ok_or_else(no_place)
    }
}

/// The place in a list that goes from new to old, as a cursor: `micros.uuid`.
pub fn place((at, id): (i64, Uuid)) -> String {
    format!("{at}.{id}")
}

/// Reads [`place`].
pub fn read_place(cursor: &str) -> Option<(i64, Uuid)> {
    let (at, id) = cursor.split_once('.')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

/// The place in a list of officers by agency and login name, as a cursor: `agency/login`.
pub(crate) fn officer_place((agency, login): &(String, String)) -> String {
    format!("{agency}/{login}")
}

/// Reads [`officer_place`].
pub(crate) fn read_officer_place(cursor: &str) -> Option<(String, String)> {
    let (agency, login) = cursor.split_once('/')?;
    Some((agency.to_owned(), login.to_owned()))
}

/// A cursor is a key of a table: short, and without what a database would not take.
fn could_be_place(cursor: &str) -> bool {
    cursor.chars().count() <= LONGEST && !cursor.chars().any(char::is_control)
}

fn add_no_place(problems: &mut Problems) {
    problems.add(
        "cursor",
        "cursor",
        "Giá trị này không phải là vị trí trong danh sách; hãy dùng giá trị next của trang trước, hoặc mở lại danh sách từ đầu.",
        "This is no place in the list; use the value of next of the page before, or open the list from its beginning.",
    );
}

fn no_place() -> Error {
    let mut problems = Problems::new();
    add_no_place(&mut problems);
    Error::Refused(Kind::Invalid, problems)
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, ApiError> {
        let ApiQuery(asked) = ApiQuery::<Asked>::from_request_parts(parts, state).await?;
        Ok(Self::read(asked)?)
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Listing<T> {
    /// The items, in the order of the list.
    items: Vec<T>,
    /// Give it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<T> Listing<T> {
    /// A page of what the API shows of each of `items`.
    pub fn of<I>(items: impl IntoIterator<Item = I>, next: Option<impl ToString>, show: impl FnMut(I) -> T) -> Self {
        Self {
            items: items.into_iter().map(show).collect(),
            next: next.map(|next| next.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cursor: &str, limit: &str) -> Result<Paging> {
        Paging::read(Asked {
            cursor: cursor.to_owned(),
            limit: limit.to_owned(),
        })
    }

    #[test]
    fn what_is_no_page_is_refused_whole() {
        assert_eq!(read("", "").expect("the first page"), Paging::FIRST);
        let paging = read("7.a", "100").expect("a page");
        assert_eq!((paging.after(), paging.limit()), (Some("7.a"), 100));
        for (cursor, limit, places) in [
            ("", "0", &["limit"][..]),
            ("", "101", &["limit"]),
            ("", "-1", &["limit"]),
            ("", "ten", &["limit"]),
            (&"x".repeat(LONGEST + 1), "", &["cursor"]),
            ("a\0b", "1.5", &["cursor", "limit"]),
        ] {
            let error = read(cursor, limit).expect_err("no page");
            let found: Vec<&str> = error.problems().into_iter().flatten().map(|p| p.at.as_str()).collect();
            assert_eq!(found, places, "{cursor:?} {limit}");
        }
        assert!(paging.place(|text| text.parse::<u32>().ok()).is_err());
        let cursor = |text: &str| Cursor(text.to_owned());
        assert_eq!(cursor("").place(read_place).expect("the first page"), None);
        let at = (-5, Uuid::from_u128(7));
        assert_eq!(cursor(&place(at)).place(read_place).expect("a place"), Some(at));
        for bent in ["x", "5", "5.x", ".", "5.00000000-0000-0000-0000-00000000000g", "5\0"] {
            assert!(cursor(bent).place(read_place).is_err(), "{bent:?}");
        }
        assert_eq!(
            paging.place(|text| text.split_once('.').map(|_| 1)).expect("a place"),
            Some(1)
        );
    }
}
