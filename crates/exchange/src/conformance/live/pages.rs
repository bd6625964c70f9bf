//! Walking the pages of a list.

use std::collections::HashSet;

use base::Text;
use serde_json::Value;

use super::{Exchange, Runner, generate::Taste, pool::Bound};
use crate::conformance::{
    description::{Operation, Place},
    rules::Rule,
};

/// Most small pages that are walked.
const PAGES: usize = 8;
/// How many things a small page has.
const SMALL: i64 = 2;
/// How many a large one has at most.
const LARGE: i64 = 100;

/// Why a walk is wrong.
struct Wrong {
    exchange: Exchange,
    text: Text,
}

/// What a walk saw.
struct Walk {
    items: Vec<Value>,
    /// Whether the last page was reached.
    ended: bool,
    last: Exchange,
}

impl Runner<'_> {
    /// Walks small pages and compares them with one large page.
    pub(super) async fn pages(&mut self, operation: &Operation, bound: &Bound) {
        let limit = operation
            .parameter(Place::Query, "limit")
            .and_then(|limit| limit.schema.as_deref());
        let schema = limit
            .and_then(|schema| self.description.gist(schema))
            .map(|(_, schema)| schema);
        let number = |key: &str| schema.and_then(|schema| schema.get(key)).and_then(Value::as_i64);
        let small = SMALL.max(number("minimum").unwrap_or(1));
        let large = LARGE.min(number("maximum").unwrap_or(LARGE)).max(small);
        let mut wrong = None;
        // A list that changes between the two may differ once, but not twice.
        for _ in 0..2 {
            match self.compare(operation, bound, small, large).await {
                None => return,
                Some(Ok(())) => {
                    self.sheet.kept(Rule::PagingWalks);
                    return;
                }
                Some(Err(found)) => wrong = Some(found),
            }
        }
        if let Some(wrong) = wrong {
            let Wrong { exchange, text } = *wrong;
            self.sheet
                .broken(Rule::PagingWalks, exchange.finding(&operation.pointer, text));
        }
    }

    async fn compare(
        &mut self,
        operation: &Operation,
        bound: &Bound,
        small: i64,
        large: i64,
    ) -> Option<Result<(), Box<Wrong>>> {
        let walk = match self.walk(operation, bound, small, PAGES).await? {
            Ok(walk) => walk,
            Err(wrong) => return Some(Err(wrong)),
        };
        let whole = match self.walk(operation, bound, large, 1).await? {
            Ok(whole) => whole,
            Err(wrong) => return Some(Err(wrong)),
        };
        let shared = walk.items.len().min(whole.items.len());
        let same = walk.items.iter().zip(&whole.items).all(|(a, b)| a == b);
        let gap = (walk.ended && whole.items.len() > walk.items.len())
            || (whole.ended && walk.items.len() > whole.items.len());
        if same && !gap {
            return Some(Ok(()));
        }
        Some(Err(Box::new(Wrong {
            exchange: walk.last,
            text: Text::new(
                format!(
                    "Đi từng trang limit={small} và một trang limit={large} cho kết quả khác nhau trong {shared} mục đầu, hoặc sót mục."
                ),
                format!(
                    "Walking with limit={small} and one page with limit={large} differ within the first {shared} items, or items are missing."
                ),
            ),
        })))
    }

    /// None when an answer was not had.
    async fn walk(
        &mut self,
        operation: &Operation,
        bound: &Bound,
        limit: i64,
        pages: usize,
    ) -> Option<Result<Walk, Box<Wrong>>> {
        let mut items: Vec<Value> = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        let mut cursor: Option<String> = None;
        let mut last = None;
        let (mut good, _) = self.parts(operation, Taste::Least).await?;
        good.path.clone_from(bound);
        good.query.retain(|(name, _)| name != "limit");
        for _ in 0..pages {
            let mut parts = good.clone();
            parts.query.push(("limit".to_owned(), limit.to_string()));
            parts
                .query
                .extend(cursor.take().map(|cursor| ("cursor".to_owned(), cursor)));
            let request = self.assemble(operation, parts)?;
            let exchange = self.send(Some(operation), request).await.filter(Exchange::succeeded)?;
            let answer: Value = serde_json::from_slice(&exchange.answer.body).ok()?;
            let page = answer.get("items").and_then(Value::as_array)?.clone();
            let next = answer.get("next").and_then(Value::as_str).map(str::to_owned);
            let wrong = |vi: &str, en: &str| {
                Some(Err(Box::new(Wrong {
                    exchange: exchange.clone(),
                    text: Text::new(vi, en),
                })))
            };
            if page.len() as i64 > limit {
                return wrong("Trang có nhiều mục hơn limit.", "The page has more items than `limit`.");
            }
            if page.is_empty() && next.is_some() {
                return wrong("Trang rỗng mà vẫn có next.", "The page is empty and yet has `next`.");
            }
            let key = |item: &Value| {
                ["id", "code"]
                    .iter()
                    .find_map(|name| item.get(*name))
                    .map(Value::to_string)
            };
            if page.iter().filter_map(key).any(|key| !seen.insert(key)) {
                return wrong(
                    "Một mục xuất hiện hai lần khi đi qua các trang.",
                    "Walking the pages, one item appears twice.",
                );
            }
            items.extend(page);
            if next.is_none() {
                return Some(Ok(Walk {
                    items,
                    ended: true,
                    last: exchange,
                }));
            }
            cursor = next;
            last = Some(exchange);
        }
        last.map(|last| {
            Ok(Walk {
                items,
                ended: false,
                last,
            })
        })
    }
}
