//! One record in each registry of the build, of people and firms whose marks occur nowhere else.

use std::{fs, path::Path};

use serde_json::{Value, json};

/// The agency that keeps all registries of the node under test.
pub const STEWARD: &str = super::AGENCY;

/// A record that can be told anywhere.
pub struct Marked {
    /// The registry.
    pub registry: &'static str,
    /// Its key.
    pub key: &'static str,
    /// A field and its value by which it is listed.
    pub filter: (&'static str, &'static str),
    /// What it says.
    pub body: Value,
    /// What of it nobody may see without a purpose.
    pub marks: Vec<&'static str>,
}

/// Where each record is said to be from: personal, too.
pub const SOURCE: &str = "Đơn trình báo của bà Vương Thị Tuyết Nhung Lặng";

/// The records.
pub fn records() -> Vec<Marked> {
    vec![
        Marked {
            registry: "population",
            key: "001188777431",
            filter: ("person_number", "001188777431"),
            body: json!({
                "person_number": "001188777431", "former_id_cards": ["187654321"], "name": "Vương Thị Tuyết Nhung Kín",
                "birth_date": "1988-03-19", "sex": "female", "ethnicity": "01", "nationality": "VN", "marital_status": "single", "status": "alive",
                "residence": { "province": "01", "commune": "00004", "detail": "Ngõ 7741 phố Hàng Dấu Kín" },
            }),
            marks: vec![
                "001188777431",
                "187654321",
                "Vương Thị Tuyết Nhung Kín",
                "Ngõ 7741 phố Hàng Dấu Kín",
                SOURCE,
            ],
        },
        Marked {
            registry: "civil-status",
            key: "birth~00004~2026~77413",
            filter: ("child.person_number", "001326777432"),
            body: json!({
                "kind": "birth", "commune": "00004", "year": 2026, "number": 77413, "registered_on": "2026-01-12",
                "child": { "person_number": "001326777432", "name": "Vương Nhật Lệ Ẩn", "birth_date": "2026-01-05", "sex": "female", "ethnicity": "01", "nationality": "VN" },
                "mother": { "person_number": "001188777433", "name": "Vương Thị Ái Khuất", "birth_date": "1988-04-20" },
            }),
            marks: vec![
                "001326777432",
                "Vương Nhật Lệ Ẩn",
                "001188777433",
                "Vương Thị Ái Khuất",
                SOURCE,
            ],
        },
        Marked {
            registry: "residence",
            key: "001188777437~permanent",
            filter: ("person_number", "001188777437"),
            body: json!({
                "person_number": "001188777437", "name": "Vương Thị Nương Náu", "kind": "permanent", "household": "00004-774177",
                "head_person_number": "001188777437", "relation_to_head": "head", "since": "2025-02-03",
                "address": { "province": "01", "commune": "00004", "detail": "Hẻm 7743 phố Trú Kín" },
            }),
            marks: vec![
                "001188777437",
                "Vương Thị Nương Náu",
                "00004-774177",
                "Hẻm 7743 phố Trú Kín",
                SOURCE,
            ],
        },
        Marked {
            registry: "enterprises",
            key: "0100109106",
            filter: ("tax_code", "0100109106"),
            body: json!({
                "tax_code": "0100109106", "name": "Công ty TNHH Tiếng Vọng", "legal_form": "llc", "status": "active", "founded_on": "2011-05-06",
                "charter_capital": 7_741_000_000_i64, "address": { "province": "01", "commune": "00004", "detail": "Số 7742 đường Vắng" },
                "representatives": [{ "person_number": "001088777434", "name": "Vương Bá Giấu", "title": "Giám đốc" }], "activities": ["4690"],
            }),
            marks: vec!["001088777434", "Vương Bá Giấu", "Số 7742 đường Vắng", SOURCE],
        },
        Marked {
            registry: "tax",
            key: "001088777435",
            filter: ("taxpayer_number", "001088777435"),
            body: json!({
                "taxpayer_number": "001088777435", "kind": "person", "person_number": "001088777435", "name": "Vương Văn Nợ Thầm",
                "status": "active", "debts": [{ "tax": "personal-income", "amount": 77_410_077, "due_on": "2026-03-31" }], "debt_total": 77_410_077,
            }),
            marks: vec!["001088777435", "Vương Văn Nợ Thầm", "77410077", SOURCE],
        },
        Marked {
            registry: "social-insurance",
            key: "001188777436",
            filter: ("person_number", "001188777436"),
            body: json!({
                "person_number": "001188777436", "insurance_number": "7741007741", "name": "Vương Thị Sổ Thầm", "birth_date": "1988-07-01",
                "group": "DN", "status": "contributing", "employer_tax_code": "0100109106", "paid_until": "2026-06", "months": 77,
                "card": { "number": "DN4017741007741", "valid_from": "2026-01-01" },
            }),
            marks: vec!["001188777436", "7741007741", "Vương Thị Sổ Thầm", SOURCE],
        },
        Marked {
            registry: "customs",
            key: "107741007741",
            filter: ("number", "107741007741"),
            body: json!({
                "number": "107741007741", "flow": "import", "registered_on": "2026-02-03", "tax_code": "0100109106", "office": "01B1",
                "channel": "green", "status": "cleared", "value": 77_420_077, "duty": 7_742_008,
                "lines": [{ "hs_code": "84713020", "goods": "Máy tính bỏ túi kiểu 7741", "origin": "JP", "value": 77_420_077, "duty": 7_742_008 }],
            }),
            marks: vec![
                "107741007741",
                "77420077",
                "7742008",
                "Máy tính bỏ túi kiểu 7741",
                SOURCE,
            ],
        },
    ]
}

/// A copy of the registries of the build in which one agency keeps them all, so that a node of that agency offers them all.
pub fn registries_of_one_agency(to: &Path) -> Vec<std::path::PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries");
    copy(&from, to);
    let folders = records().into_iter().map(|record| to.join(record.registry));
    folders
        .inspect(|folder| {
            let file = folder.join("registry.toml");
            let text = fs::read_to_string(&file).expect("a file");
            let line = |line: &str| match line.starts_with("steward = ") {
                true => format!("steward = \"{STEWARD}\""),
                false => line.to_owned(),
            };
            let text: Vec<String> = text.lines().map(line).collect();
            fs::write(&file, text.join("\n")).expect("written");
        })
        .collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}
