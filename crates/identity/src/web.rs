//! Between HTTP and the use cases: who makes a request, in which language, and what a refusal looks like.

mod cookies;
mod extract;
mod layer;
mod problem;

pub(crate) use cookies::{Jar, safe_next};
pub use extract::Web;
pub(crate) use extract::{Asked, with_next};
pub use layer::layer;
pub use problem::{ApiError, ApiJson, ApiPath, ApiQuery, problem_response};
