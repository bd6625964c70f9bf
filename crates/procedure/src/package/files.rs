//! The files of a package, read with bounds: a folder is hostile until it is judged.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use crate::check::{Report, Sink};

const MAX_FILES: usize = 64;
const MAX_TOTAL: usize = 8 << 20;

/// The files of a package: name to text, line ends as LF.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// Takes files from memory.
    ///
    /// # Errors
    /// A report that names each file that is too large, not UTF-8, or has a name that is not allowed.
    pub fn from_map(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, Report> {
        let mut sink = Sink::default();
        let mut out = BTreeMap::new();
        let mut total = 0_usize;
        for (name, bytes) in files {
            if !good_name(&name) {
                bad_name(&mut sink, &name);
                continue;
            }
            total = total.saturating_add(bytes.len());
            if bytes.len() > limit(&name) {
                too_large(&mut sink, &name);
            } else if let Ok(text) = String::from_utf8(bytes) {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                out.insert(name, text.replace("\r\n", "\n"));
            } else {
                sink.whole(
                    &name,
                    "not-utf8",
                    "Tệp phải mã hóa bằng UTF-8.",
                    "The file must be UTF-8.",
                );
            }
        }
        if total > MAX_TOTAL || out.len() > MAX_FILES {
            sink.whole(
                "",
                "too-large",
                "Gói quá lớn: tối đa 64 tệp, 8 MB.",
                "The package is too large: at most 64 files, 8 MB.",
            );
        }
        if sink.any_error() {
            Err(sink.report())
        } else {
            Ok(Self(out))
        }
    }

    /// Reads a folder: its regular files, not what is below it, and follows no link.
    ///
    /// # Errors
    /// A report of what could not be read or is not allowed.
    pub fn read_dir(dir: &Path) -> Result<Self, Report> {
        let mut sink = Sink::default();
        let mut files = Vec::new();
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => {
                sink.whole(
                    "",
                    "missing-file",
                    format!("Không đọc được thư mục: {error}."),
                    format!("The folder cannot be read: {error}."),
                );
                return Err(sink.report());
            }
        };
        for (count, entry) in entries.flatten().enumerate() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name.eq_ignore_ascii_case("README.md") {
                continue;
            }
            // A link, a folder or a device is not a file of the package.
            let regular = entry.file_type().is_ok_and(|kind| kind.is_file());
            if !regular || !good_name(&name) || count > 4 * MAX_FILES {
                bad_name(&mut sink, &name);
                continue;
            }
            let most = limit(&name);
            let mut bytes = Vec::new();
            let read = fs::File::open(entry.path()).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes));
            match read {
                Err(error) => sink.whole(
                    &name,
                    "missing-file",
                    format!("Không đọc được: {error}."),
                    format!("Cannot be read: {error}."),
                ),
                Ok(_) if bytes.len() > most => too_large(&mut sink, &name),
                Ok(_) => files.push((name, bytes)),
            }
        }
        if sink.any_error() {
            Err(sink.report())
        } else {
            Self::from_map(files)
        }
    }

    /// The text of a file.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All files by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// SHA-256 in hex over name and text of every file, each with its length, in the order of the names.
    pub fn hash(&self) -> String {
        super::hash(self.iter())
    }
}

fn good_name(name: &str) -> bool {
    let ending = [".toml", ".bpmn", ".dmn", ".typ", ".txt"]
        .iter()
        .any(|ending| name.ends_with(ending));
    ending
        && name.len() <= 60
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
        && !name.contains("..")
}

fn limit(name: &str) -> usize {
    match name.rsplit('.').next() {
        Some("bpmn") => 2 << 20,
        Some("dmn") => 1 << 20,
        _ => 512 << 10,
    }
}

fn bad_name(sink: &mut Sink, name: &str) {
    let short: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    sink.whole(
        &short,
        "bad-file",
        "Gói chỉ gồm tệp .toml, .bpmn, .dmn, .typ, .txt; tên a-z 0-9 - _ .; không có thư mục hay liên kết.",
        "A package holds .toml, .bpmn, .dmn, .typ and .txt files named with a-z 0-9 - _ . only; no folders, no links.",
    );
}

fn too_large(sink: &mut Sink, name: &str) {
    let most = limit(name) >> 10;
    sink.whole(
        name,
        "too-large",
        format!("Tệp lớn hơn {most} KB."),
        format!("The file is larger than {most} KB."),
    );
}
