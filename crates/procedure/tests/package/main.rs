//! Packages as their authors write them, good and broken, and as nobody should.

mod form;
mod hostile;
mod language;
mod load;
mod mistakes;
mod size;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use base::Lang;
use procedure::{
    check,
    form::{Answers, Applicant, Channel, Context, Facts},
    package::{CheckOptions, Files},
    reference::Reference,
};
use serde_json::json;

fn good_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages/good")
}

fn good_files() -> BTreeMap<String, String> {
    let files = Files::read_dir(&good_dir()).expect("the good package is readable");
    files
        .iter()
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

fn report_of(files: BTreeMap<String, String>) -> check::Report {
    match Files::from_map(files.into_iter().map(|(name, text)| (name, text.into_bytes()))) {
        Ok(files) => check::check_files(&files, &CheckOptions::default()),
        Err(report) => report,
    }
}

/// The good package with one replacement in one file.
fn broken(file: &str, from: &str, to: &str) -> check::Report {
    let mut files = good_files();
    let text = files.get_mut(file).expect("the file");
    assert!(text.contains(from), "{file} does not contain {from}");
    *text = text.replacen(from, to, 1);
    report_of(files)
}

struct World {
    reference: Reference,
    applicant: Applicant,
    facts: Facts,
}

impl World {
    fn new() -> Self {
        Self {
            reference: Reference::embedded().expect("reference data"),
            applicant: Applicant {
                name: Some("Nguyễn Thị Hoa".into()),
                person_number: Some("037190001234".into()),
                phone: Some("0912345678".into()),
                assurance: 2,
                ..Applicant::default()
            },
            facts: Facts::default(),
        }
    }

    fn ctx(&self) -> Context<'_> {
        Context {
            applicant: &self.applicant,
            channel: Channel::Online,
            today: jiff::civil::date(2026, 11, 21),
            facts: &self.facts,
            units: &self.reference.units,
        }
    }

    /// Codes of a province and of one of its communes.
    fn place(&self) -> (String, String, String) {
        let today = self.ctx().today;
        let province = self.reference.units.provinces(today)[0];
        let commune = self.reference.units.communes(province.code, today)[0];
        (
            province.code.to_string(),
            commune.code.to_string(),
            commune.title(Lang::Vi),
        )
    }

    fn full(&self) -> Answers {
        let (province, commune, _) = self.place();
        Answers::from_value(json!({
            "requester": {
                "residence": { "province": province, "commune": commune, "detail": "Số 5, đường Lê Lợi" },
                "relation": "parent"
            },
            "person": { "name": "Trần Văn An", "birth": "1962-05" },
            "event": { "kind": "birth", "date": "2012-03-04" },
            "request": { "copies": 3, "promise": true }
        }))
        .expect("an object")
    }
}

fn codes(problems: &base::Problems) -> Vec<(String, String)> {
    problems.iter().map(|p| (p.at.clone(), p.code.clone())).collect()
}
