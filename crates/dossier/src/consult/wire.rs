//! What crosses between two nodes, in JSON. Unknown members are passed over, so that a later version may say more; what is known
//! is bounded and judged before anything is kept.

use base::{Problems, Result, Text, Timestamp, codes::AgencyCode};
use jiff::civil::Date;
use papers::plain_name;
use procedure::process::Silence;
use serde::{Deserialize, Serialize};

use super::MOST_FILES;
use crate::model::{
    action::{File, Respondent},
    command::LONGEST_TEXT,
    state::Answer,
};

/// The version of these messages.
pub const VERSION: u32 = 1;
/// The longest code, name or title, characters.
const LONGEST_NAME: usize = 500;
/// The longest code, bytes.
const LONGEST_CODE: usize = 100;
/// The most facts and the most papers of a question.
const MOST: usize = 200;

/// A question to an agency, or that it has ended: always the whole of it, under the same id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// [`VERSION`].
    pub version: u32,
    /// Code of the dossier.
    pub dossier: String,
    /// Its procedure.
    pub procedure: Named,
    /// The agency that decides the dossier and asks.
    pub deciding: Office,
    /// Code of the agency that is asked.
    pub agency: String,
    /// The name of the step.
    pub task: Text,
    /// What is asked.
    pub question: Text,
    /// When it was asked.
    #[serde(with = "rfc3339")]
    pub sent: Timestamp,
    /// Until when an answer is waited for.
    #[serde(default, with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// What it means when none has come by then.
    pub silence: Silence,
    /// What of the application the agency needs to know.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// The papers that it may see.
    #[serde(default)]
    pub papers: Vec<SentPaper>,
    /// How it ended, once it has: no opinion is taken any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// A code with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// National code.
    pub code: String,
    /// Name.
    pub name: Text,
}

/// An agency as it calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Office {
    /// Code of Decision 20/2020/QĐ-TTg.
    pub code: String,
    /// Name.
    pub name: String,
}

/// One answer of the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The field.
    pub label: Text,
    /// The answer as people read it.
    pub value: Text,
}

/// A paper that the agency may fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentPaper {
    /// What it is.
    pub title: Text,
    /// The name of the file.
    pub name: String,
    /// Media type by content.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
}

/// That a consultation has ended at the asking node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
    /// How.
    pub how: Ending,
}

/// How a consultation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The agency's opinion came through the exchange.
    Answered,
    /// The opinion came by another way and was recorded by an officer of the asking agency.
    Recorded,
    /// The time passed, and by the law of the procedure the agency is deemed to agree.
    Deemed,
    /// The time passed without an opinion.
    Unanswered,
    /// It is not needed any more: withdrawn, stopped, or the process went another way.
    Dropped,
    /// In a way that a later version of these messages knows.
    #[serde(other)]
    Otherwise,
}

impl Ending {
    /// How the dossier's state says that it ended.
    pub const fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Given {
                respondent: Some(_), ..
            } => Self::Answered,
            Answer::Given { .. } => Self::Recorded,
            Answer::Deemed { .. } => Self::Deemed,
            Answer::Unanswered { .. } => Self::Unanswered,
            Answer::Dropped => Self::Dropped,
        }
    }

    /// In words, for the agency that was asked.
    pub fn text(self) -> Text {
        match self {
            Self::Answered => Text::new("Đã có ý kiến của quý cơ quan.", "Your agency has answered."),
            Self::Recorded => Text::new(
                "Cơ quan hỏi đã ghi nhận ý kiến nhận bằng đường khác.",
                "The asking agency has recorded an opinion that came by another way.",
            ),
            Self::Deemed => Text::new(
                "Đã hết thời hạn trả lời; theo quy định của thủ tục, quý cơ quan được coi là đã đồng ý.",
                "The time to answer is over; by the law of the procedure your agency is deemed to agree.",
            ),
            Self::Unanswered => Text::new(
                "Đã hết thời hạn trả lời; cơ quan hỏi tiếp tục giải quyết hồ sơ.",
                "The time to answer is over; the asking agency goes on with the dossier.",
            ),
            Self::Dropped => Text::new(
                "Không cần lấy ý kiến nữa: hồ sơ đã rút, dừng hoặc xử lý theo hướng khác.",
                "No opinion is needed any more: the dossier was withdrawn, stopped, or takes another course.",
            ),
            Self::Otherwise => Text::new(
                "Cơ quan hỏi đã kết thúc việc lấy ý kiến.",
                "The asking agency has ended it.",
            ),
        }
    }
}

/// The opinion of an agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// [`VERSION`].
    pub version: u32,
    /// Whether it agrees.
    pub agrees: bool,
    /// In words.
    pub opinion: String,
    /// Number of its document; empty when there is none.
    #[serde(default)]
    pub document: String,
    /// Date of that document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<Date>,
    /// Who gives it.
    pub officer: Officer,
    /// The files that go with it, which are at the asking node before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SentFile>,
}

/// A file that goes with an opinion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentFile {
    /// The name of the file.
    pub name: String,
    /// Media type by content.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
}

impl SentFile {
    pub(super) fn of(file: &File) -> Self {
        Self {
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            sha256: file.sha256.clone(),
        }
    }
}

/// How much of a file of an opinion is at the asking node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStanding {
    /// [`VERSION`].
    pub version: u32,
    /// Bytes from its beginning.
    pub received: u64,
    /// Whether it is whole and was judged good.
    pub whole: bool,
}

impl FileStanding {
    /// Nothing yet.
    pub const NOTHING: Self = Self {
        version: VERSION,
        received: 0,
        whole: false,
    };

    /// All of it.
    pub const fn whole(size: u64) -> Self {
        Self {
            version: VERSION,
            received: size,
            whole: true,
        }
    }
}

/// An officer, as their agency names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Officer {
    /// Full name.
    pub name: String,
    /// Title.
    #[serde(default)]
    pub title: String,
}

/// What the other node has noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// [`VERSION`].
    pub version: u32,
    /// Whether an opinion is still waited for.
    pub open: bool,
}

impl Receipt {
    /// A receipt of this version.
    pub const fn of(open: bool) -> Self {
        Self { version: VERSION, open }
    }
}

impl Question {
    /// Whether it is the same question, however it stands.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        let bare = |question: &Self| Self {
            ended: None,
            ..question.clone()
        };
        bare(self) == bare(other)
    }

    /// Judges what came from outside.
    ///
    /// # Errors
    /// Every problem at its place.
    pub fn check(&self) -> Result<()> {
        let mut judge = Judge::default();
        judge.version(self.version);
        judge.code("dossier", &self.dossier);
        judge.code("procedure.code", &self.procedure.code);
        judge.both("procedure.name", &self.procedure.name, LONGEST_NAME);
        judge.agency("deciding.code", &self.deciding.code);
        judge.text("deciding.name", &self.deciding.name, LONGEST_NAME);
        judge.agency("agency", &self.agency);
        judge.both("task", &self.task, LONGEST_NAME);
        judge.both("question", &self.question, LONGEST_TEXT);
        judge.count("facts", self.facts.len());
        for (n, fact) in self.facts.iter().enumerate().take(MOST) {
            judge.both(&format!("facts.{n}.label"), &fact.label, LONGEST_NAME);
            judge.at_most(&format!("facts.{n}.value"), &fact.value.vi, LONGEST_TEXT);
            judge.at_most(&format!("facts.{n}.value"), &fact.value.en, LONGEST_TEXT);
        }
        judge.count("papers", self.papers.len());
        for (n, paper) in self.papers.iter().enumerate().take(MOST) {
            judge.both(&format!("papers.{n}.title"), &paper.title, LONGEST_NAME);
            judge.text(&format!("papers.{n}.name"), &paper.name, LONGEST_NAME);
            judge.text(&format!("papers.{n}.media_type"), &paper.media_type, 100);
            judge.digest(&format!("papers.{n}.sha256"), &paper.sha256);
        }
        judge.0.into_result()
    }

    /// The paper with this digest.
    pub fn paper(&self, sha256: &str) -> Option<&SentPaper> {
        self.papers.iter().find(|paper| paper.sha256 == sha256)
    }
}

impl Opinion {
    /// Judges what came from outside, or from an officer's form.
    ///
    /// # Errors
    /// Every problem at its place.
    pub fn check(&self) -> Result<()> {
        let mut judge = Judge::default();
        judge.version(self.version);
        judge.text("opinion", &self.opinion, LONGEST_TEXT);
        judge.at_most("document", &self.document, LONGEST_NAME);
        judge.text("officer.name", &self.officer.name, LONGEST_NAME);
        judge.at_most("officer.title", &self.officer.title, LONGEST_NAME);
        if self.files.len() > MOST_FILES {
            judge.0.add(
                "too-many-files",
                "files",
                format!("Tối đa {MOST_FILES} tệp."),
                format!("At most {MOST_FILES} files."),
            );
        }
        for (n, file) in self.files.iter().enumerate().take(MOST_FILES) {
            judge.text(&format!("files.{n}.name"), &file.name, LONGEST_NAME);
            judge.text(&format!("files.{n}.media_type"), &file.media_type, 100);
            judge.digest(&format!("files.{n}.sha256"), &file.sha256);
            if self.files.iter().take(n).any(|other| other.sha256 == file.sha256) {
                judge.0.add(
                    "twice",
                    format!("files.{n}.sha256"),
                    "Tệp này đã có trong ý kiến.",
                    "The opinion has this file already.",
                );
            }
        }
        if self.dated.is_some() && self.document.trim().is_empty() {
            judge.0.add(
                "required",
                "document",
                "Có ngày văn bản thì phải có số văn bản.",
                "A date of the document needs its number.",
            );
        }
        judge.0.into_result()
    }

    /// Whether the dossier has this very opinion.
    pub fn is_given(&self, answer: &Answer) -> bool {
        let Answer::Given {
            agrees,
            opinion,
            document,
            dated,
            respondent: Some(respondent),
            files,
            ..
        } = answer
        else {
            return false;
        };
        let Respondent { name, title, .. } = &**respondent;
        *agrees == self.agrees
            && *opinion == self.opinion.trim()
            && *document == self.document.trim()
            && *dated == self.dated
            && *name == self.officer.name
            && *title == self.officer.title
            && files.len() == self.files.len()
            && files
                .iter()
                .zip(&self.files)
                .all(|(kept, sent)| kept.sha256 == sent.sha256 && kept.name == plain_name(&sent.name))
    }
}

/// Whether a text is SHA-256 as these messages write it.
pub(super) fn is_digest(sha256: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    sha256.len() == 64 && sha256.bytes().all(hex)
}

/// Gathers what is wrong.
#[derive(Default)]
struct Judge(Problems);

impl Judge {
    fn version(&mut self, version: u32) {
        if version != VERSION {
            self.0.add(
                "version-unsupported",
                "version",
                format!("Nút này hiểu phiên bản {VERSION}, không hiểu phiên bản {version}."),
                format!("This node understands version {VERSION}, not version {version}."),
            );
        }
    }

    fn text(&mut self, at: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.0
                .add("required", at, "Không được để trống.", "This may not be empty.");
        }
        self.at_most(at, text, most);
    }

    /// The English text may be missing: then the Vietnamese one is shown.
    fn both(&mut self, at: &str, text: &Text, most: usize) {
        self.text(at, &text.vi, most);
        self.at_most(at, &text.en, most);
    }

    fn at_most(&mut self, at: &str, text: &str, most: usize) {
        if text.chars().count() > most {
            self.0.add(
                "too-long",
                at,
                format!("Dài hơn {most} ký tự."),
                format!("Longer than {most} characters."),
            );
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.0.add(
                "control-character",
                at,
                "Có ký tự điều khiển.",
                "There are control characters.",
            );
        }
    }

    /// Codes go into headers and file names.
    fn code(&mut self, at: &str, code: &str) {
        if code.is_empty() || code.len() > LONGEST_CODE || !code.bytes().all(|b| b.is_ascii_graphic()) {
            self.0.add(
                "code",
                at,
                format!("Phải là mã gồm 1 đến {LONGEST_CODE} ký tự ASCII, không có khoảng trắng."),
                format!("Must be a code of 1 to {LONGEST_CODE} ASCII characters without white space."),
            );
        }
    }

    fn count(&mut self, at: &str, count: usize) {
        if count > MOST {
            self.0.add(
                "too-many",
                at,
                format!("Nhiều hơn {MOST} mục."),
                format!("More than {MOST} items."),
            );
        }
    }

    fn agency(&mut self, at: &str, code: &str) {
        if code.parse::<AgencyCode>().is_err() {
            self.0.add(
                "agency-code",
                at,
                "Không phải mã định danh cơ quan theo Quyết định 20/2020/QĐ-TTg.",
                "Not the code of an agency by Decision 20/2020/QĐ-TTg.",
            );
        }
    }

    fn digest(&mut self, at: &str, sha256: &str) {
        if !is_digest(sha256) {
            self.0.add(
                "digest",
                at,
                "Phải là SHA-256 viết bằng 64 chữ số thập lục phân thường.",
                "Must be SHA-256 in 64 lower-case hexadecimal digits.",
            );
        }
    }
}

/// Instants as RFC 3339.
mod rfc3339 {
    use base::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&at.rfc3339())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse_rfc3339(&text).ok_or_else(|| D::Error::custom("not an instant by RFC 3339"))
    }

    pub mod option {
        use base::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        pub fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => super::serialize(at, to),
                None => to.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
            let Some(text) = Option::<String>::deserialize(from)? else {
                return Ok(None);
            };
            let at = Timestamp::parse_rfc3339(&text);
            at.map(Some)
                .ok_or_else(|| D::Error::custom("not an instant by RFC 3339"))
        }
    }
}
