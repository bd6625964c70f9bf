//! The files of a doubt on pages: the control that takes them, the list of those that are there, and the way to open one.

use axum::response::Response;
use base::{Error, Lang, Problems, Result};
use bytes::Bytes;
use papers::Format;
use view::{
    Page,
    files::{Sent, at, attachment, is_of_file, size},
    ui::{self, Field},
};

use crate::quality::doubts::{DoubtFile, DoubtFileId, Judged, LARGEST_FILE, MOST_FILES, MOST_PAGES, judge_file};

/// The name of the field that carries files.
const FILE: &str = "file";
/// What a form with files takes beside them, in bytes.
const SLACK: usize = 1 << 20;
/// The largest form, in bytes.
pub(super) const LARGEST_FORM: usize = MOST_FILES * LARGEST_FILE + SLACK;

/// A file as pages list it.
pub(super) struct FileLine {
    pub id: String,
    pub name: String,
    pub about: String,
    /// Where it is opened; empty where it is at another node.
    pub href: String,
}

impl FileLine {
    /// A file that is opened below this address.
    pub fn of(page: &Page, file: &DoubtFile, doubt: &str) -> Self {
        let size = size(page.lang, file.size);
        Self {
            id: file.id.to_string(),
            name: file.name.clone(),
            about: format!("{} · {size} · {}", file.format.name(), file.put_at.display()),
            href: format!("{doubt}/files/{}", file.id),
        }
    }

    /// One that is at another node.
    pub fn far(page: &Page, (name, bytes): &(String, u64)) -> Self {
        Self {
            id: String::new(),
            name: name.clone(),
            about: size(page.lang, *bytes),
            href: String::new(),
        }
    }
}

/// Whether a doubt takes more files than these.
pub(super) const fn has_room(files: &[FileLine]) -> bool {
    files.len() < MOST_FILES
}

/// The control that takes files.
pub(super) fn control(page: &Page) -> Field {
    let endings: Vec<&str> = Format::ALL.into_iter().map(Format::endings).collect();
    let label = page.t("Tệp hoặc ảnh chụp giấy tờ", "Files or photographs of papers");
    let field = ui::upload(page, FILE, label).accept(endings.join(","));
    field.multiple().required(false).hint(limits(page))
}

/// What may be sent, in one sentence.
fn limits(page: &Page) -> String {
    let names: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
    let (names, size) = (names.join(", "), size(page.lang, LARGEST_FILE as u64));
    match page.lang {
        Lang::Vi => format!(
            "Nhận tệp {names}; mỗi tệp không quá {size} và {MOST_PAGES} trang, tối đa {MOST_FILES} tệp cho một phản ánh."
        ),
        Lang::En => {
            format!("{names}; at most {size} and {MOST_PAGES} pages a file, and {MOST_FILES} files for a doubt.")
        }
    }
}

/// The files of a form, each judged.
///
/// # Errors
/// `Invalid`, or `TooLarge` of a single one, with every reason against every file, by its name, at the control.
pub(super) async fn judged(files: Vec<Sent>) -> Result<Vec<Judged>> {
    let mut good = Vec::new();
    let mut problems = Problems::new();
    let mut worst = None;
    for Sent { name, content, .. } in files {
        match judge_file(&name, content).await {
            Ok(file) => good.push(file),
            Err(Error::Refused(kind, why)) if is_of_file(kind) => {
                worst = Some(worst.map_or(kind, |_| base::Kind::Invalid));
                problems.extend(at(FILE, &why, Some(&name)));
            }
            Err(error) => return Err(error),
        }
    }
    match worst {
        Some(kind) => Err(Error::Refused(kind, problems)),
        None => Ok(good),
    }
}

/// The files of a form, of which there has to be one.
///
/// # Errors
/// As [`judged`].
pub(super) async fn some_judged(files: Vec<Sent>) -> Result<Vec<Judged>> {
    if files.is_empty() {
        let mut problems = Problems::new();
        problems.add("required", FILE, "Chọn tệp cần gửi.", "Choose a file to send.");
        return Err(Error::Refused(base::Kind::Invalid, problems));
    }
    judged(files).await
}

/// A refusal of files at the control.
pub(super) fn at_control(error: Error) -> Error {
    match error {
        Error::Refused(kind, problems) if is_of_file(kind) => Error::Refused(kind, at(FILE, &problems, None)),
        error => error,
    }
}

/// That a form could be read whole.
///
/// # Errors
/// Why not, at the control.
pub(super) fn whole(flaw: Option<Error>) -> Result<()> {
    flaw.map_or(Ok(()), |flaw| Err(at_control(flaw)))
}

/// A file, given out.
pub(super) fn given((file, content): (DoubtFile, Bytes)) -> Response {
    attachment(&file.name, file.format.media_type(), content)
}

/// The file that an address or a form names.
pub(super) fn read_id(id: &str) -> Result<DoubtFileId> {
    id.parse().map_err(|_| Error::not_found("tệp", "file"))
}
