//! Between HTTP and the use cases: who makes a request, in which language, what a refusal looks like, and what all operations
//! of the JSON API have in common.

mod cookies;
mod described;
mod extract;
mod key;
mod layer;
mod list;
mod problem;
mod tag;
mod values;

pub(crate) use cookies::{Jar, safe_next};
pub use described::{SignedIn, describe};
pub use extract::Web;
pub(crate) use extract::{Asked, with_next};
pub use key::IdempotencyKey;
pub use layer::layer;
pub use list::{Cursor, Listing, Paging, place, read_place};
pub(crate) use list::{officer_place, read_officer_place};
pub use problem::{ApiError, ApiJson, ApiPath, ApiQuery, problem_response};
pub use tag::Tag;
pub use values::{Both, Instant};
