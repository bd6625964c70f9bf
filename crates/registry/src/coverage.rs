//! How far the common data dictionary covers a database that an agency has, told from its schema before anything of it is brought in.

use std::{collections::BTreeMap, fmt::Write as _, fs::File, io::Read, path::Path};

use base::{Error, Kind, Lang, Result, Text};
use cleansing::{
    encoding::detect,
    schema::{Column, Coverage, SURE, Scan, Term, Why, columns_of_csv, columns_of_ddl, scan},
};
use serde::Serialize;

use crate::{import::sort_of, model::Vocabulary};

/// The largest schema that is read, in bytes: a schema, not a dump with its data.
const LARGEST: u64 = 64 << 20;

/// What the columns of a database are in the words of a dictionary.
#[derive(Debug, Serialize)]
pub struct Covered {
    /// Columns with a proposal, in per cent.
    percent: f64,
    /// Columns whose proposal needs little checking, in per cent.
    sure_percent: f64,
    #[serde(flatten)]
    scan: Scan,
    /// The names of the terms that are proposed.
    terms: BTreeMap<String, Text>,
}

/// Holds the schema in a file against a dictionary: `CREATE TABLE` of PostgreSQL, MySQL, SQL Server or Oracle in any encoding that
/// [`cleansing::encoding`] knows, or a CSV of `information_schema.columns`.
///
/// # Errors
/// `unreadable`; `too-large`; `bad-columns` of a CSV; `no-columns` where nothing in the file makes a table.
pub fn of(schema: &Path, dictionary: &Vocabulary) -> Result<Covered> {
    let columns = columns(schema)?;
    if columns.is_empty() {
        return Err(Error::refused(
            Kind::Invalid,
            "no-columns",
            "Tệp không có lệnh CREATE TABLE nào. Hãy xuất lược đồ (ví dụ pg_dump --schema-only), hoặc bảng information_schema.columns ra CSV.",
            "The file has no CREATE TABLE. Export the schema (pg_dump --schema-only, for one), or information_schema.columns as CSV.",
        ));
    }
    let terms: Vec<Term> = dictionary
        .terms
        .values()
        .map(|term| {
            let words = term.id.as_str().replace(['.', '-'], " ");
            Term::new(term.id.as_str(), [term.name.vi.clone(), term.name.en.clone(), words]).of(sort_of(term))
        })
        .collect();
    let scan = scan(&columns, &terms);
    let proposed = scan.matched.iter().flat_map(|column| &column.proposals);
    let named = |id: &str| {
        let term = dictionary.terms.values().find(|term| term.id.as_str() == id)?;
        Some((id.to_owned(), term.name.clone()))
    };
    let terms = proposed.filter_map(|proposal| named(&proposal.term)).collect();
    Ok(Covered {
        percent: scan.coverage.percent(),
        sure_percent: scan.coverage.sure_percent(),
        scan,
        terms,
    })
}

fn columns(schema: &Path) -> Result<Vec<Column>> {
    let mut bytes = Vec::new();
    let read = File::open(schema).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return Err(Error::refused(
            Kind::Invalid,
            "unreadable",
            format!("Không đọc được {}: {error}.", schema.display()),
            format!("{} cannot be read: {error}.", schema.display()),
        ));
    }
    if bytes.len() as u64 > LARGEST {
        return Err(Error::refused(
            Kind::TooLarge,
            "too-large",
            "Tệp lớn hơn 64 MiB. Hãy xuất riêng lược đồ, không kèm dữ liệu.",
            "The file is larger than 64 MiB. Export the schema alone, without the data.",
        ));
    }
    let text = detect(&bytes).encoding.decode(&bytes).text;
    let text = text.trim_start_matches('\u{feff}');
    let is_list = text
        .lines()
        .next()
        .is_some_and(|line| line.to_ascii_lowercase().contains("column_name"));
    if is_list {
        columns_of_csv(text)
    } else {
        Ok(columns_of_ddl(text))
    }
}

impl Covered {
    /// For people: each table with its columns, what they may be, and why.
    pub fn human(&self, lang: Lang) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{}", told(&self.scan.coverage, lang));
        for (table, coverage) in &self.scan.tables {
            let _ = writeln!(out, "\n{table}: {}", told(coverage, lang));
            for column in self.scan.matched.iter().filter(|column| column.table == *table) {
                let _ = match column.proposals.first() {
                    None => writeln!(out, "  {}: {}", column.column, lang.t("chưa khớp", "nothing alike")),
                    Some(best) => {
                        let name = self.terms.get(&best.term).map_or("", |name| name.get(lang));
                        let why: Vec<&str> = best.why.iter().map(|why| reason(*why, lang)).collect();
                        let check = if best.score < SURE {
                            lang.t("; cần kiểm tra", "; to be checked")
                        } else {
                            ""
                        };
                        writeln!(
                            out,
                            "  {}: {} ({name}), {} / 100: {}{check}",
                            column.column,
                            best.term,
                            best.score,
                            why.join(", ")
                        )
                    }
                };
            }
        }
        out
    }
}

fn told(coverage: &Coverage, lang: Lang) -> String {
    let Coverage {
        columns,
        proposed,
        sure,
    } = coverage;
    let (percent, certain) = (coverage.percent(), coverage.sure_percent());
    match lang {
        Lang::Vi => {
            let comma = |number: f64| number.to_string().replace('.', ",");
            format!(
                "{proposed} trên {columns} cột có trong từ điển ({} %), {sure} cột chắc chắn ({} %)",
                comma(percent),
                comma(certain)
            )
        }
        Lang::En => {
            format!(
                "{proposed} of {columns} columns are in the dictionary ({percent} %), {sure} of them surely ({certain} %)"
            )
        }
    }
}

const fn reason(why: Why, lang: Lang) -> &'static str {
    match why {
        Why::Name => lang.t("tên cột", "its name"),
        Why::Comment => lang.t("chú thích", "its comment"),
        Why::Type => lang.t("kiểu dữ liệu", "its type"),
        Why::OtherType => lang.t("kiểu dữ liệu không hợp", "another type"),
        Why::Samples => lang.t("giá trị mẫu", "its samples"),
        Why::OtherSamples => lang.t("giá trị mẫu không hợp", "samples of another sort"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder;

    const SCHEMA: &str = "CREATE TABLE [dbo].[CongDan] ([SoDinhDanh] nvarchar(12), [HoTen] nvarchar(100), [NgaySinh] date, [GhiChuNoiBo] nvarchar(max));";

    fn dictionary() -> Vocabulary {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries/dictionary");
        folder::vocabulary(&folder).expect("the dictionary")
    }

    fn of_bytes(bytes: &[u8]) -> Result<Covered> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("schema");
        std::fs::write(&file, bytes).expect("written");
        of(&file, &dictionary())
    }

    #[test]
    fn a_schema_is_told_in_the_words_of_the_dictionary_in_any_encoding() {
        let wide: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(SCHEMA.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let list = "table_name,column_name,data_type\nCongDan,SoDinhDanh,nvarchar\nCongDan,HoTen,nvarchar\nCongDan,NgaySinh,date\nCongDan,GhiChuNoiBo,nvarchar\n";
        for bytes in [SCHEMA.as_bytes(), &wide, list.as_bytes()] {
            let covered = of_bytes(bytes).expect("a schema");
            let best: Vec<_> = covered
                .scan
                .matched
                .iter()
                .map(|column| column.proposals.first().map(|best| best.term.as_str()))
                .collect();
            assert_eq!(
                best,
                [
                    Some("person.number"),
                    Some("person.name"),
                    Some("person.birth-date"),
                    None
                ]
            );
            let said = covered.human(Lang::Vi);
            assert!(said.starts_with("3 trên 4 cột có trong từ điển (75 %)"), "{said}");
            assert!(said.contains("GhiChuNoiBo: chưa khớp"), "{said}");
        }
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        let code = |refused: Result<Covered>| {
            refused
                .expect_err("refused")
                .problems()
                .and_then(|all| all.iter().next())
                .map(|one| one.code.to_string())
        };
        assert_eq!(
            code(of_bytes(b"INSERT INTO t VALUES (1);")).as_deref(),
            Some("no-columns")
        );
        assert_eq!(code(of_bytes(b"")).as_deref(), Some("no-columns"));
        assert_eq!(
            code(of_bytes(b"column_name,data_type\na,int\n")).as_deref(),
            Some("bad-columns")
        );
        let nowhere = of(Path::new("/nowhere/schema.sql"), &dictionary());
        assert_eq!(code(nowhere).as_deref(), Some("unreadable"));
    }
}
