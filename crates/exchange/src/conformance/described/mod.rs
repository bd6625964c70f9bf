//! The rules that look at the description alone.

mod names;
mod operations;
mod paging;
mod values;

use base::Text;

use super::{
    description::{Description, Judge},
    rules::Rule,
    sheet::Sheet,
};

pub(super) use paging::List;

/// Looks at the whole description.
pub(super) async fn check(description: &Description, judge: &mut Judge, sheet: &mut Sheet) {
    for pointer in &description.schemas {
        let checked = judge.check_schema(description, pointer).await;
        sheet.judge(Rule::SchemaValid, checked.is_ok(), pointer, || {
            let why = checked.err().unwrap_or_default();
            Text::new(
                format!("Lược đồ không dùng được: {why}."),
                format!("The schema cannot be used: {why}."),
            )
        });
    }
    operations::check(description, sheet);
    paging::check(description, sheet);
    names::check(description, sheet);
    values::check(description, judge, sheet).await;
}
