//! Which column of a file is compared by which field.

use base::{Error, Kind, Problems, Result};
use identity::{Ctx, Permission};
use store::transact;

use super::{FileId, FileState, Order, compare, no_file, note, number};
use crate::{
    import::commune_of,
    model::{Duplicates, FieldPath, Registry, RegistryCode},
    service::Registries,
    store::files as tables,
};

impl Registries {
    /// Says by which field each column of a file is compared, in their order, and begins to compare.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `Invalid` for a field that is not compared, or stands twice, and where
    /// no list of the blocking is whole: no record could be found then; `Conflict` where it was said before; `NotFound`.
    pub async fn begin_file(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: FileId,
        fields: &[Option<FieldPath>],
    ) -> Result<()> {
        let (_, registry) = self.open(ctx, code, Permission::KeepRegistry)?;
        judge(&registry, fields)?;
        let text = serde_json::to_string(fields)?;
        let next = compare::next(&Order {
            registry: code.clone(),
            file: id.uuid(),
        })?;
        transact!(self.store(), |tx| {
            let file = tables::get(&tx, code, id.uuid()).await?.ok_or_else(no_file)?;
            let headings: Vec<String> = serde_json::from_str(&file.headings)?;
            if file.state != FileState::Columns.code() || !tables::begin(&tx, id.uuid(), &text).await? {
                return Err(begun());
            }
            if headings.len() != fields.len() {
                return Err(Error::internal("not every column of a file was said"));
            }
            note(&tx, ctx, id.uuid(), "columns", file.total).await?;
            tx.enqueue(next.clone(), ctx.now).await
        })
    }
}

/// How rows are compared with the records of a registry.
///
/// # Errors
/// `Conflict` where it does not say.
pub(super) fn declared(registry: &Registry) -> Result<Duplicates> {
    let duplicates = registry.duplicates.as_ref();
    let rows = duplicates.map(|duplicates| number::with_number(registry, duplicates));
    rows.ok_or_else(|| {
        Error::refused(
            Kind::Conflict,
            "no-linkage",
            "Cơ sở dữ liệu này chưa khai báo cách so sánh bản ghi (linkage.toml, linkage.json).",
            "This registry does not declare how records are compared (linkage.toml, linkage.json).",
        )
    })
}

/// The fields by which rows are found and compared, in the order of the registry.
pub(super) fn compared(registry: &Registry) -> Result<Vec<FieldPath>> {
    let duplicates = declared(registry)?;
    let is_compared = |path: &FieldPath| {
        duplicates.blocking.iter().flatten().any(|field| field == path)
            || duplicates.columns.iter().any(|(_, field)| field == path)
    };
    let fields = registry.fields.iter().map(|field| field.path.clone());
    Ok(fields.filter(is_compared).collect())
}

/// The fields that a column may be: those that are compared, and addresses in words whose commune is.
pub(super) fn wanted(registry: &Registry) -> Result<Vec<FieldPath>> {
    let compared = compared(registry)?;
    let fields = registry.fields.iter().map(|field| field.path.clone());
    Ok(fields
        .filter(|path| compared.contains(&filled(registry, path)))
        .collect())
}

/// The field that a column fills: of an address in words the commune.
fn filled(registry: &Registry, path: &FieldPath) -> FieldPath {
    commune_of(registry, path).unwrap_or_else(|| path.clone())
}

/// Of columns that were told to fill the same field the one that names it stays: a code says more than words.
pub(super) fn settle(registry: &Registry, fields: &mut [Option<FieldPath>]) {
    let named: Vec<FieldPath> = fields.iter().flatten().cloned().collect();
    for field in fields {
        let commune = field.as_ref().and_then(|path| commune_of(registry, path));
        if commune.is_some_and(|commune| named.contains(&commune)) {
            *field = None;
        }
    }
}

fn judge(registry: &Registry, fields: &[Option<FieldPath>]) -> Result<()> {
    let (wanted, duplicates) = (wanted(registry)?, declared(registry)?);
    let mut problems = Problems::new();
    for (n, field) in fields.iter().enumerate() {
        let Some(field) = field else { continue };
        let fills = filled(registry, field);
        let is_it = |other: &Option<FieldPath>| other.as_ref().is_some_and(|other| filled(registry, other) == fills);
        let earlier = fields.iter().take(n).position(is_it);
        if let Some(earlier) = earlier {
            problems.add(
                "field-twice",
                format!("column{n}"),
                format!(
                    "Trường này đã chọn cho cột {}; mỗi trường chỉ lấy từ một cột.",
                    earlier + 1
                ),
                format!(
                    "This field is that of column {} already; a field is read from one column.",
                    earlier + 1
                ),
            );
        } else if !wanted.contains(field) {
            problems.add(
                "not-compared",
                format!("column{n}"),
                "Trường này không dùng để so sánh; chọn trường khác hoặc bỏ qua cột.",
                "Nothing is compared by this field; choose another, or leave the column out.",
            );
        }
    }
    let is_said = |path: &&FieldPath| fields.iter().flatten().any(|field| filled(registry, field) == **path);
    let lists = &duplicates.blocking;
    if !lists.iter().any(|list| list.iter().all(|path| is_said(&path))) {
        let (vi, en) = (
            lists_of(registry, lists, base::Lang::Vi),
            lists_of(registry, lists, base::Lang::En),
        );
        problems.add(
            "no-blocking",
            "columns",
            format!("Chưa đủ cột để tìm bản ghi. Cần có đủ các trường của ít nhất một nhóm: {vi}."),
            format!("Records cannot be found by these columns. All fields of one of these are needed: {en}."),
        );
    }
    problems.into_result()
}

/// The lists of fields by which records are found, in words.
pub(super) fn lists_of(registry: &Registry, lists: &[Vec<FieldPath>], lang: base::Lang) -> String {
    let label = |path: &FieldPath| {
        let field = registry.field(path);
        field.map_or_else(|| path.to_string(), |field| registry.label(field).get(lang).to_owned())
    };
    let list = |fields: &Vec<FieldPath>| {
        let names: Vec<String> = fields.iter().map(label).collect();
        format!("({})", names.join(" + "))
    };
    lists
        .iter()
        .map(list)
        .collect::<Vec<_>>()
        .join(lang.t(" hoặc ", " or "))
}

fn begun() -> Error {
    Error::refused(
        Kind::Conflict,
        "columns-confirmed",
        "Các cột của tệp này đã được xác nhận; mở lại tệp để xem.",
        "The columns of this file were confirmed already; open it again.",
    )
}
