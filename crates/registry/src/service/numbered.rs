//! Lists by the numbers of their pages, for callers that count pages: how many records match is counted, and what stands before a page is
//! walked through.

use base::{Error, Kind, Result};
use identity::Ctx;

use super::{Purpose, Query, RecordView, Registries, query::plan, read::at};
use crate::{model::RegistryCode, store::read as tables};

/// Records of a list that are on its numbered pages. To come to a page, those before it are walked: who wants more goes on by
/// [`super::Slice::next`] in [`Registries::list`], or asks a narrower question.
pub const REACH: u32 = 10_000;
/// Records that are counted.
const MOST_COUNTED: u32 = 100_000;

/// A page by its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    /// What is on it; nothing behind the last page.
    pub items: Vec<RecordView>,
    /// How many records match, on whichever page.
    pub count: u32,
    /// Whether there are more than that: no more than 100 000 are counted.
    pub is_cut: bool,
}

impl Registries {
    /// The page of a number, from 1, of the records that meet all conditions; its length is the limit of the query.
    ///
    /// # Errors
    /// `Invalid` for what cannot be asked, and for a page beyond the first 10 000 records; `Forbidden`; `Unavailable` when the reads could
    /// not be logged.
    pub async fn numbered(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
        query: &Query,
        page: u32,
    ) -> Result<Numbered> {
        let (editions, registry) = self.open_to_read(ctx, purpose, code)?;
        let upto = page.checked_mul(query.limit).filter(|upto| *upto <= REACH);
        let upto = upto.ok_or_else(out_of_reach)?;
        let at = at(ctx, &registry, query.when);
        let (conditions, order) = plan(&registry, query)?;
        let db = self.store().read();
        let mut places = tables::find(&db, code, &conditions, &order, at, upto + 1).await?;
        // Where the walk came to the end, all are there.
        let found = u32::try_from(places.len()).map_err(Error::internal)?;
        let count = match found > upto {
            true => tables::count(&db, code, &conditions, at, MOST_COUNTED + 1).await?,
            false => found,
        };
        places.truncate(upto as usize);
        let before = places.len().min((upto - query.limit) as usize);
        let items = self
            .in_order(ctx, purpose, &editions, &places[before..], at, &query.mask)
            .await?;
        Ok(Numbered {
            items,
            count: count.min(MOST_COUNTED),
            is_cut: count > MOST_COUNTED,
        })
    }
}

fn out_of_reach() -> Error {
    let mut problems = base::Problems::new();
    problems.add(
        "page-out-of-reach",
        "page",
        format!("Trang đánh số chỉ đến được {REACH} bản ghi đầu; hãy lọc hẹp hơn, hoặc lấy toàn bộ bằng API của cơ sở dữ liệu."),
        format!("Numbered pages reach the first {REACH} records; ask by more filters, or fetch all by the registry's own API."),
    );
    Error::Refused(Kind::Invalid, problems)
}
