//! Documents: Typst templates to PDF/A-2u (ISO 19005-2, level U: every letter can be found and copied).
//!
//! A template sees four things and nothing else: itself as `/main.typ`, the shared `/document.typ`, its data as
//! `/data.json`, and the files that the caller gives. No file system, no network, no packages, no clock but the instant
//! that the caller gives. Data are never pasted into the source.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use base::{Error, Kind, Timestamp};
use tokio::sync::{Semaphore, oneshot};
use typst::{
    Library, LibraryExt, World, WorldExt,
    diag::{FileError, FileResult, SourceDiagnostic},
    foundations::{Bytes, Datetime, Smart},
    syntax::{DiagSpanKind, FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

/// The most bytes of template, data and files together.
pub const MAX_INPUT: usize = 24 * 1024 * 1024;
/// The most files beside the template.
pub const MAX_FILES: usize = 32;
/// The most pages of a document.
pub const MAX_PAGES: usize = 200;
/// The most bytes of a finished document.
pub const MAX_OUTPUT: usize = 32 * 1024 * 1024;
/// How long a document may take, waiting for its turn included.
pub const MAX_TIME: Duration = Duration::from_secs(20);
/// How far the threads that make documents stand behind those that serve (on Linux, each thread has its own).
#[cfg(target_os = "linux")]
const YIELDING: i32 = 10;

const PRELUDE: &str = include_str!("../typst/document.typ");

/// One document to make.
#[derive(Debug, Clone)]
pub struct Job {
    /// The Typst source of the template.
    pub source: String,
    /// What the template reads as `json("/data.json")`.
    pub data: serde_json::Value,
    /// Further files by name, such as `qr.svg`: letters, digits, `-`, `_` and `.` only.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The instant that the document bears; also what `datetime.today()` says, in legal time.
    pub at: Timestamp,
    /// What identifies the document for ever: its code and version. Two runs of the same job give the same bytes.
    pub ident: String,
}

impl Job {
    /// A document from a template and its data.
    pub fn new(source: impl Into<String>, data: serde_json::Value, at: Timestamp) -> Self {
        Self {
            source: source.into(),
            data,
            files: BTreeMap::new(),
            at,
            ident: String::new(),
        }
    }

    /// Adds a QR code of `text` as `/qr.svg`.
    #[must_use]
    pub fn qr(self, text: &str) -> Self {
        let svg = crate::qr(text).into_bytes();
        self.file("qr.svg", svg)
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, bytes: Vec<u8>) -> Self {
        self.files.insert(name.into(), bytes);
        self
    }

    /// Sets what identifies the document.
    #[must_use]
    pub fn ident(mut self, ident: impl Into<String>) -> Self {
        self.ident = ident.into();
        self
    }
}

/// One thing wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file: `main.typ`, `document.typ`, or the name of a file of the job.
    pub file: String,
    /// Line, from 1; 0 where it is not known.
    pub line: usize,
    /// Column in characters, from 1; 0 where it is not known.
    pub column: usize,
    /// What the compiler says, in English, with its hints.
    pub message: String,
}

/// Why there is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PdfError {
    /// The template is wrong, or does not fit its data.
    Template(Vec<Diagnostic>),
    /// Over one of the limits of this module; the text says which.
    TooLarge(&'static str),
    /// It took longer than [`MAX_TIME`].
    TimedOut,
    /// The compiler broke down.
    Broken,
}

impl fmt::Display for PdfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template(diagnostics) => {
                f.write_str("the template does not compile")?;
                for d in diagnostics {
                    write!(f, "; {}:{}:{}: {}", d.file, d.line, d.column, d.message)?;
                }
                Ok(())
            }
            Self::TooLarge(what) => write!(f, "too large: {what}"),
            Self::TimedOut => f.write_str("it took too long"),
            Self::Broken => f.write_str("the compiler broke down"),
        }
    }
}

impl std::error::Error for PdfError {}

impl From<PdfError> for Error {
    fn from(error: PdfError) -> Self {
        match error {
            PdfError::TimedOut => Self::refused(
                Kind::Unavailable,
                "document-busy",
                "Hệ thống đang bận tạo văn bản. Vui lòng thử lại sau ít phút.",
                "The system is busy making documents. Please try again in a few minutes.",
            ),
            other => Self::internal(other),
        }
    }
}

/// Makes documents, a few at a time.
#[derive(Debug, Clone)]
pub struct Pdf {
    turns: Arc<Semaphore>,
    patience: Duration,
}

impl Pdf {
    /// A maker of at most `concurrency` documents at once; one processor each.
    pub fn new(concurrency: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(concurrency.max(1))),
            patience: MAX_TIME,
        }
    }

    /// Makes a document, on a thread that yields to those that serve requests.
    ///
    /// # Errors
    /// See [`PdfError`]. After a time-out the compiler runs on to its end in its own thread and keeps its turn, so a bad
    /// template slows documents down and nothing else.
    pub async fn render(&self, job: Job) -> Result<Vec<u8>, PdfError> {
        let turns = Arc::clone(&self.turns);
        let work = async move {
            let turn = turns.acquire_owned().await.map_err(|_| PdfError::Broken)?;
            let (give, take) = oneshot::channel();
            let made = std::thread::Builder::new().name("document".to_owned()).spawn(move || {
                // A person who waits for a page goes before a document that nobody has asked for yet.
                #[cfg(target_os = "linux")]
                let _ = rustix::process::nice(YIELDING);
                let _ = give.send(render_now(&job));
                drop(turn);
            });
            made.map_err(|_| PdfError::Broken)?;
            take.await.map_err(|_| PdfError::Broken)?
        };
        tokio::time::timeout(self.patience, work)
            .await
            .unwrap_or(Err(PdfError::TimedOut))
    }
}

/// Makes a document on this thread; for tools. In the server use [`Pdf::render`].
///
/// # Errors
/// See [`PdfError`]; never [`PdfError::TimedOut`].
pub fn render_now(job: &Job) -> Result<Vec<u8>, PdfError> {
    // What the compiler remembers holds personal data and grows without end: forget all of it, also after a failure.
    struct Forget;
    impl Drop for Forget {
        fn drop(&mut self) {
            comemo::evict(0);
        }
    }
    let _forget = Forget;

    let room = Room::new(job)?;
    let document: PagedDocument = typst::compile(&room).output.map_err(|errors| room.template(&errors))?;
    if document.pages().len() > MAX_PAGES {
        return Err(PdfError::TooLarge("more than 200 pages"));
    }
    let standards = PdfStandards::new(&[PdfStandard::A_2u]).map_err(|_| PdfError::Broken)?;
    let options = PdfOptions {
        ident: if job.ident.is_empty() {
            Smart::Auto
        } else {
            Smart::Custom(job.ident.clone())
        },
        creator: Smart::Custom(Some("Một Cửa".to_owned())),
        timestamp: datetime(job.at)
            .and_then(|at| typst_pdf::Timestamp::new_local(at, i32::from(base::time::LEGAL_OFFSET_HOURS) * 60)),
        standards,
        ..PdfOptions::default()
    };
    let pdf = typst_pdf::pdf(&document, &options).map_err(|errors| room.template(&errors))?;
    if pdf.len() > MAX_OUTPUT {
        Err(PdfError::TooLarge("more than 32 MB"))
    } else {
        Ok(pdf)
    }
}

/// Whether a template can be read at all; its data are not needed for that.
///
/// # Errors
/// [`PdfError::Template`] with every syntax error.
pub fn check_syntax(source: &str) -> Result<(), PdfError> {
    let source = Source::new(id("main.typ")?, source.to_owned());
    let (found, _) = source.root().errors_and_warnings();
    let errors: Vec<Diagnostic> = found
        .into_iter()
        .map(|error| Diagnostic {
            file: "main.typ".to_owned(),
            line: 0,
            column: 0,
            message: error.message.to_string(),
        })
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(PdfError::Template(errors))
    }
}

struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let files: &[&'static [u8]] = &include!(concat!(env!("OUT_DIR"), "/fonts.rs"));
    let fonts: Vec<Font> = files.iter().flat_map(|bytes| Font::iter(Bytes::new(*bytes))).collect();
    Fonts {
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
    }
});

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// The whole world of one template.
struct Room {
    main: FileId,
    sources: BTreeMap<String, Source>,
    files: BTreeMap<String, Bytes>,
    today: Option<Datetime>,
}

impl Room {
    fn new(job: &Job) -> Result<Self, PdfError> {
        if job.files.len() > MAX_FILES {
            return Err(PdfError::TooLarge("more than 32 files"));
        }
        let data = serde_json::to_vec(&job.data).map_err(|_| PdfError::Broken)?;
        if job.source.len() + data.len() + job.files.values().map(Vec::len).sum::<usize>() > MAX_INPUT {
            return Err(PdfError::TooLarge("more than 24 MB of input"));
        }
        let mut sources = BTreeMap::new();
        let main = id("main.typ")?;
        sources.insert("main.typ".to_owned(), Source::new(main, job.source.clone()));
        sources.insert(
            "document.typ".to_owned(),
            Source::new(id("document.typ")?, PRELUDE.to_owned()),
        );
        let mut files = BTreeMap::from([("data.json".to_owned(), Bytes::new(data))]);
        for (name, bytes) in &job.files {
            let plain = name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
            if plain && !sources.contains_key(name) && name != "data.json" {
                files.insert(name.clone(), Bytes::new(bytes.clone()));
            }
        }
        Ok(Self {
            main,
            sources,
            files,
            today: datetime(job.at),
        })
    }

    fn template(&self, errors: &[SourceDiagnostic]) -> PdfError {
        let place = |error: &SourceDiagnostic| {
            let id = match error.span.get() {
                DiagSpanKind::Number { id, .. } | DiagSpanKind::Range { id, .. } => id,
                DiagSpanKind::Detached => return (String::new(), 0, 0),
            };
            let name = id.vpath().get_without_slash().to_owned();
            let at = self.source(id).ok().and_then(|source| {
                let start = self.range(error.span)?.start;
                source.lines().byte_to_line_column(start)
            });
            let (line, column) = at.map_or((0, 0), |(line, column)| (line + 1, column + 1));
            (name, line, column)
        };
        PdfError::Template(
            errors
                .iter()
                .map(|error| {
                    let (file, line, column) = place(error);
                    let mut message = error.message.to_string();
                    for hint in &error.hints {
                        message.push_str(". ");
                        message.push_str(&hint.v);
                    }
                    Diagnostic {
                        file,
                        line,
                        column,
                        message,
                    }
                })
                .collect(),
        )
    }
}

impl World for Room {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let name = inside(id)?;
        self.sources
            .get(name)
            .cloned()
            .ok_or_else(|| FileError::NotFound(name.into()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let name = inside(id)?;
        if let Some(bytes) = self.files.get(name) {
            return Ok(bytes.clone());
        }
        self.source(id)
            .map(|source| Bytes::from_string(source.text().to_owned()))
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<typst::foundations::Duration>) -> Option<Datetime> {
        self.today
    }
}

/// The name of a file of this room; packages are refused.
fn inside(id: FileId) -> FileResult<&'static str> {
    if id.get().root() != &VirtualRoot::Project {
        Err(FileError::AccessDenied)
    } else {
        Ok(id.get().vpath().get_without_slash())
    }
}

fn id(name: &str) -> Result<FileId, PdfError> {
    let path = VirtualPath::new(name).map_err(|_| PdfError::Broken)?;
    Ok(RootedPath::new(VirtualRoot::Project, path).intern())
}

fn datetime(at: Timestamp) -> Option<Datetime> {
    let legal = at.legal();
    let part = |n: i8| u8::try_from(n).ok();
    Datetime::from_ymd_hms(
        legal.year().into(),
        part(legal.month())?,
        part(legal.day())?,
        part(legal.hour())?,
        part(legal.minute())?,
        part(legal.second())?,
    )
}
