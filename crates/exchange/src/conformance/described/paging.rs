//! Lists and their pages.

use base::Text;
use serde_json::Value;

use crate::conformance::{
    description::{Description, Operation, Place, is_type},
    rules::Rule,
    sheet::Sheet,
};

/// Parameters of pages that are counted.
const COUNTED: [&str; 12] = [
    "page",
    "page_number",
    "pageNumber",
    "page_no",
    "pageNo",
    "pageIndex",
    "page_index",
    "offset",
    "skip",
    "start",
    "trang",
    "from_row",
];
/// Fields that say how many there are.
const TOTALS: [&str; 10] = [
    "total",
    "total_count",
    "totalCount",
    "count",
    "total_pages",
    "totalPages",
    "total_items",
    "totalElements",
    "tong_so",
    "totalRecords",
];
/// Parameters of pages.
const PAGED: [&str; 5] = ["limit", "cursor", "page", "offset", "after"];
/// The name of a list in an answer.
const LISTS: [&str; 7] = ["items", "data", "results", "records", "rows", "list", "content"];

/// An operation that gives a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::conformance) struct List {
    /// Whether it is paged as the house does it: `cursor`, `limit`, `items`, `next`.
    pub keyset: bool,
    /// Pointer to the schema of an item.
    pub item: String,
    /// The field that has the items; none when the answer is the list itself.
    pub field: Option<String>,
}

impl List {
    /// Whether an operation gives a list, by what it describes.
    pub fn of(description: &Description, operation: &Operation) -> Option<Self> {
        if operation.method != "GET" {
            return None;
        }
        let (at, schema) = description.gist(operation.answer_schema()?)?;
        if is_type(schema, "array") {
            return Some(Self {
                keyset: false,
                item: format!("{at}/items"),
                field: None,
            });
        }
        let properties = description.properties(&at);
        let has = |name: &&str| properties.iter().any(|(own, _)| own == name);
        let paged = has(&"next")
            || TOTALS.iter().any(has)
            || PAGED
                .iter()
                .any(|name| operation.parameter(Place::Query, name).is_some());
        let (name, list) = LISTS.iter().find_map(|name| {
            let (_, pointer) = properties.iter().find(|(own, _)| own == name)?;
            let (list, schema) = description.gist(pointer)?;
            // A thing may well have a part that is called like this; only a list has pages.
            (is_type(schema, "array") && (paged || *name == "items")).then(|| ((*name).to_owned(), list))
        })?;
        let takes = |name: &str| operation.parameter(Place::Query, name).is_some();
        Some(Self {
            keyset: name == "items"
                && properties.iter().any(|(own, _)| own == "next")
                && takes("cursor")
                && takes("limit"),
            item: format!("{list}/items"),
            field: Some(name),
        })
    }
}

pub(super) fn check(description: &Description, sheet: &mut Sheet) {
    for operation in description
        .operations
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let counted = operation
            .parameters
            .iter()
            .find(|p| p.place == Place::Query && COUNTED.contains(&p.name.as_str()));
        let list = List::of(description, operation);
        if list.is_none() && counted.is_none() {
            continue;
        }
        sheet.judge(Rule::PagingNoOffset, counted.is_none(), &operation.pointer, || {
            let name = counted.map(|p| p.name.as_str()).unwrap_or_default();
            Text::new(
                format!("Bỏ tham số “{name}”: khi dữ liệu thay đổi, số trang làm sót hoặc lặp bản ghi. Dùng cursor."),
                format!(
                    "Drop the parameter “{name}”: while data change, page numbers miss or repeat records. Use `cursor`."
                ),
            )
        });
        sheet.judge(Rule::PagingKeyset, list.as_ref().is_some_and(|list| list.keyset), &operation.pointer, || {
            Text::new(
                "Danh sách cần tham số cursor và limit, trả về {items, next}; next vắng mặt hoặc null ở trang cuối.",
                "A list needs the parameters `cursor` and `limit` and answers {items, next}; `next` is absent or null on the last page.",
            )
        });
        limit(description, operation, sheet);
        let Some(at) = operation.answer_schema() else { continue };
        let total = description
            .properties(at)
            .into_iter()
            .find(|(name, _)| TOTALS.contains(&name.as_str()));
        let place = total.as_ref().map_or(at, |(_, pointer)| pointer);
        sheet.judge(Rule::PagingNoTotal, total.is_none(), place, || {
            let name = total.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
            Text::new(
                format!("Bỏ “{name}”: đếm tất cả bản ghi làm mỗi trang chậm theo độ lớn của dữ liệu."),
                format!("Drop “{name}”: counting everything makes each page as slow as the data are large."),
            )
        });
    }
}

fn limit(description: &Description, operation: &Operation, sheet: &mut Sheet) {
    let Some(parameter) = operation.parameter(Place::Query, "limit") else {
        return;
    };
    let schema = parameter
        .schema
        .as_deref()
        .and_then(|schema| description.gist(schema))
        .map(|(_, schema)| schema);
    let number = |key: &str| schema.and_then(|schema| schema.get(key)).and_then(Value::as_i64);
    let kept = schema.is_some_and(|schema| is_type(schema, "integer"))
        && number("minimum").is_some_and(|minimum| minimum >= 1)
        && number("maximum").is_some_and(|maximum| maximum <= 1000)
        && number("default").is_some();
    sheet.judge(Rule::PagingLimit, kept, &parameter.pointer, || {
        Text::new(
            "Cho limit: type: integer, minimum: 1, maximum (không quá 1000) và default.",
            "Give `limit` type: integer, minimum: 1, a maximum of at most 1000, and a default.",
        )
    });
}
