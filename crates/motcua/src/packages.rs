//! The packages that come with the build, and judging templates by compiling them.

use std::collections::BTreeMap;

use procedure::package::{CheckOptions, Files};
use view::pdf;

/// The folders of `catalogue/`, file by file.
const BUILT_IN: &[(&str, &[(&str, &str)])] = &include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// The packages of this build.
///
/// # Errors
/// A package of ours that cannot be read.
pub fn built_in() -> anyhow::Result<Vec<Files>> {
    let mut all = Vec::new();
    for (code, files) in BUILT_IN {
        let map: BTreeMap<String, Vec<u8>> = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let files =
            Files::from_map(map).map_err(|report| anyhow::anyhow!("{code}: {}", report.human(base::Lang::En)))?;
        all.push(files);
    }
    Ok(all)
}

/// Whether a template can be read; what it does with its data is seen when the first result is made.
fn check_template(_name: &str, source: &str) -> Result<(), String> {
    pdf::check_syntax(source).map_err(|error| error.to_string())
}

/// How packages are judged here.
pub fn options() -> CheckOptions<'static> {
    CheckOptions {
        template: Some(&check_template),
        ..CheckOptions::default()
    }
}
