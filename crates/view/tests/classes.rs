//! The style sheet and the pages know the same classes: a class without a rule is a page that looks unfinished, a rule without a
//! page is dead weight.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Files under `folder` with one of these endings, without what is installed or built.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if name != "node_modules" && name != "target" && name != "tests" {
                files(&path, endings, found);
            }
        } else if endings.iter().any(|e| path.extension().is_some_and(|x| x == *e)) {
            found.push(path);
        }
    }
}

/// Every `mc-…` in a text that is not a custom property; with whether something variable follows (`mc-tag--{{ tone }}`).
fn classes(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.match_indices("mc-").filter_map(|(at, _)| {
        if text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-') {
            return None;
        }
        let rest = &text[at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .unwrap_or(rest.len());
        let more = rest[end..].starts_with('{') && !rest[end..].starts_with("{%");
        Some((&rest[..end], more || rest[..end].ends_with("--")))
    })
}

#[test]
fn every_class_of_the_pages_has_a_rule_and_every_rule_a_page() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let frontend = crates.join("../frontend/src");
    let (mut sheets, mut pages, mut scripts) = (Vec::new(), Vec::new(), Vec::new());
    files(&frontend, &["css"], &mut sheets);
    files(&crates, &["html", "rs"], &mut pages);
    files(&frontend, &["ts"], &mut scripts);
    scripts.push(crates.join("view/README.md"));
    assert!(sheets.len() > 5 && pages.len() > 100 && scripts.len() > 5);

    let mut rules = BTreeSet::new();
    for sheet in &sheets {
        let text = fs::read_to_string(sheet).unwrap();
        for (at, _) in text.match_indices(".mc-") {
            if let Some((class, _)) = classes(&text[at + 1..]).next() {
                rules.insert(class.to_owned());
            }
        }
    }
    let (mut used, mut begun, mut bare) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for path in pages.iter().chain(&scripts) {
        let text = fs::read_to_string(path).unwrap();
        let page = pages.contains(path);
        for (class, more) in classes(&text) {
            let known = if more {
                begun.insert(class.to_owned());
                rules.iter().any(|r| r.starts_with(class))
            } else {
                used.insert(class.to_owned());
                rules.contains(class)
            };
            if page && !known {
                bare.insert(class.to_owned(), path.display().to_string());
            }
        }
    }
    assert!(bare.is_empty(), "classes without a rule in frontend/src: {bare:#?}");
    let idle: Vec<&String> = rules
        .iter()
        .filter(|r| !used.contains(*r) && !begun.iter().any(|b| r.starts_with(b.as_str())))
        .collect();
    assert!(idle.is_empty(), "rules that no page uses: {idle:#?}");
}
