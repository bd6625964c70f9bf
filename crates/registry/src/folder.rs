//! Reading folders, with bounds: a folder is hostile until it is judged.

use std::{collections::BTreeMap, fs, io::Read, path::Path, sync::Arc};

use procedure::reference::Reference;

use crate::{
    check::{Report, Sink},
    model::{Files, Registry, Vocabulary, folder_names, same_name},
};

/// The largest file, in bytes.
const LARGEST: u64 = 512 * 1024;
/// The most files of a dictionary.
const MOST_FILES: usize = 500;
/// What the folder of the dictionary is called, beside the registries.
pub const DICTIONARY: &str = "dictionary";

/// Judges the registry in `folder`, with the dictionary beside it (`folder/../dictionary`).
pub fn check(folder: &Path, reference: &Arc<Reference>) -> (Option<Registry>, Report) {
    let files = match read(folder) {
        Ok(files) => files,
        Err(report) => return (None, report),
    };
    let (registry, report) = Registry::compile(&files, reference);
    let mut sink = Sink::default();
    let name = folder.canonicalize().ok();
    if let (Some(registry), Some(name)) = (&registry, name.as_deref().and_then(Path::file_name)) {
        same_name(&name.to_string_lossy(), &registry.code, &mut sink);
    }
    if sink.any_error() {
        (None, sink.report())
    } else {
        (registry, report)
    }
}

/// Reads the files of the registry in `folder` and the dictionary beside it. Follows no link.
///
/// # Errors
/// A report of what cannot be read or is not allowed.
pub fn read(folder: &Path) -> Result<Files, Report> {
    let mut sink = Sink::default();
    let mut own = BTreeMap::new();
    for name in names(folder, &mut sink) {
        if folder_names().contains(&name.as_str()) {
            if let Some(text) = text(&folder.join(&name), &name, &mut sink) {
                own.insert(name, text);
            }
        } else {
            sink.error(
                &name,
                "",
                "bad-file",
                "Thư mục chỉ gồm registry.toml, schema.json, rules.toml, migration.toml và README.md.",
                "A folder holds registry.toml, schema.json, rules.toml, migration.toml and README.md only.",
            );
        }
    }
    let vocabulary = dictionary(&folder.join("..").join(DICTIONARY), &mut sink);
    if sink.any_error() {
        Err(sink.report())
    } else {
        Ok(Files { own, vocabulary })
    }
}

/// The common data dictionary in `folder`.
///
/// # Errors
/// A report of what cannot be read.
pub fn vocabulary(folder: &Path) -> Result<Vocabulary, Report> {
    let mut sink = Sink::default();
    let vocabulary = dictionary(folder, &mut sink);
    if sink.any_error() {
        Err(sink.report())
    } else {
        Ok(vocabulary)
    }
}

/// Reads the common data dictionary in `folder`: terms in `*.toml`, code lists in `lists/*.toml`.
fn dictionary(folder: &Path, sink: &mut Sink) -> Vocabulary {
    let mut files = BTreeMap::new();
    for (prefix, folder) in [
        ("dictionary/", folder.to_owned()),
        ("dictionary/lists/", folder.join("lists")),
    ] {
        if prefix.ends_with("lists/") && !folder.exists() {
            continue;
        }
        for name in names(&folder, sink) {
            if !name.ends_with(".toml") {
                continue;
            }
            let shown = format!("{prefix}{name}");
            if let Some(text) = text(&folder.join(&name), &shown, sink) {
                files.insert(shown, text);
            }
        }
    }
    Vocabulary::read(files.iter().map(|(name, text)| (name.as_str(), text.as_str())), sink)
}

/// The names of the regular files of a folder.
fn names(folder: &Path, sink: &mut Sink) -> Vec<String> {
    let shown = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            sink.error(
                &shown.unwrap_or_default(),
                "",
                "missing-file",
                format!("Không đọc được thư mục: {error}."),
                format!("The folder cannot be read: {error}."),
            );
            return Vec::new();
        }
    };
    let mut names: Vec<String> = entries
        .flatten()
        .take(MOST_FILES)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !name.eq_ignore_ascii_case("README.md"))
        .collect();
    names.sort_unstable();
    names
}

/// A file of a folder, within bounds.
pub fn text(path: &Path, name: &str, sink: &mut Sink) -> Option<String> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        sink.error(
            name,
            "",
            "missing-file",
            format!("Không đọc được: {error}."),
            format!("Cannot be read: {error}."),
        );
        return None;
    }
    if bytes.len() as u64 > LARGEST {
        sink.error(
            name,
            "",
            "too-large",
            "Tệp lớn hơn 512 KB.",
            "The file is larger than 512 KB.",
        );
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n")),
        Err(_) => {
            sink.error(
                name,
                "",
                "not-utf8",
                "Tệp phải mã hóa bằng UTF-8.",
                "The file must be UTF-8.",
            );
            None
        }
    }
}
