//! How the journal of a node is kept.

use std::{collections::BTreeMap, time::Duration};

use base::{Problems, Text};
use jiff::civil::Date;

use crate::model::{
    Meanings, Purpose,
    identifier::{MemberId, ServiceId, SubsystemId},
    tracker::SubjectKey,
};

/// The longest that reads of personal data may stay hidden, in days. A rule that would hide them longer is refused.
const LONGEST_HIDING: i32 = 731;

/// The settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The agency that runs the node (code of Decision 20/2020/QĐ-TTg): its auditors read the journal.
    pub agency: String,
    /// In whose name the node itself asks other nodes, and looks into its own journal.
    pub subsystem: SubsystemId,
    /// The members of this node, with the codes that their officers have.
    pub agencies: BTreeMap<MemberId, String>,
    /// The key of the index of persons.
    pub subject_key: SubjectKey,
    /// What purposes mean, for people. One that is not here is shown as its code.
    pub meanings: Meanings,
    /// Which reads people do not see, for now.
    pub hidden: Vec<HiddenReads>,
    /// Working days within which an agency answers a question about a read. Ten by default, which is ours: Law
    /// 91/2025/QH15 (art. 4) gives the right to know of processing, and sets the time for an answer by decree (Decree
    /// 356/2025/NĐ-CP) and by the procedure of the agency; write the number that holds for the node here.
    pub answer_days: u32,
    /// After how long records of messages are erased. The first rule that names the service holds, else the one that
    /// names none; without either they stay.
    pub retention: Vec<Retention>,
    /// How long operational monitoring is kept, in days. X-Road keeps seven.
    pub operation_days: u32,
    /// How long the page of a person waits for other nodes.
    pub patience: Duration,
}

impl Config {
    /// The settings of a node without rules of its own.
    pub fn new(agency: &str, subsystem: SubsystemId, subject_key: SubjectKey) -> Self {
        Self {
            agency: agency.to_owned(),
            agencies: BTreeMap::from([(subsystem.member.clone(), agency.to_owned())]),
            subsystem,
            subject_key,
            meanings: Meanings::default(),
            hidden: Vec::new(),
            answer_days: 10,
            retention: Vec::new(),
            operation_days: 7,
            patience: Duration::from_secs(3),
        }
    }

    /// Everything in it that cannot hold.
    ///
    /// # Errors
    /// Rules without a reason, without a purpose, or without an end; spans of no days.
    pub fn check(&self) -> Result<(), Problems> {
        let mut problems = Problems::new();
        for (n, rule) in self.hidden.iter().enumerate() {
            rule.check(&format!("hidden.{n}"), &mut problems);
        }
        for (at, days) in [
            ("answer_days", self.answer_days),
            ("operation_days", self.operation_days),
        ] {
            if days == 0 {
                none(&mut problems, at);
            }
        }
        for (n, rule) in self.retention.iter().enumerate() {
            if rule.days == 0 {
                none(&mut problems, &format!("retention.{n}.days"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// The agency that answers for a member: itself, if its officers are here, else who runs the node and gave the data.
    pub(super) fn agency_of(&self, member: &MemberId) -> &str {
        self.agencies.get(member).unwrap_or(&self.agency)
    }
}

fn none(problems: &mut Problems, at: &str) {
    problems.add(
        "no-days",
        at,
        "Số ngày phải lớn hơn 0.",
        "The number of days is above 0.",
    );
}

/// Reads that the persons do not see before they end: those of an investigation. They are counted in public all the same.
#[derive(Debug, Clone)]
pub struct HiddenReads {
    /// Whose reads.
    pub member: MemberId,
    /// For which purposes; others are shown.
    pub purposes: Vec<Purpose>,
    /// On which ground, for everybody to read.
    pub reason: Text,
    /// From this date on.
    pub from: Date,
    /// On this date everything hidden by the rule is shown.
    pub until: Date,
}

impl HiddenReads {
    fn check(&self, at: &str, problems: &mut Problems) {
        if self.purposes.is_empty() {
            problems.add(
                "hidden-everything",
                format!("{at}.purposes"),
                "Phải nêu mục đích: không được ẩn mọi lượt xem của một cơ quan.",
                "Name the purposes: not all reads of an agency may be hidden.",
            );
        }
        if self.reason.vi.trim().is_empty() {
            problems.add(
                "hidden-reason",
                format!("{at}.reason"),
                "Phải nêu căn cứ pháp lý của việc ẩn.",
                "Give the legal ground for hiding them.",
            );
        }
        let days = self.from.until(self.until).map_or(0, |span| span.get_days());
        if !(1..=LONGEST_HIDING).contains(&days) {
            problems.add(
                "hidden-end",
                format!("{at}.until"),
                "Ngày kết thúc phải sau ngày bắt đầu và không quá hai năm.",
                "The end is after the beginning, by two years at most.",
            );
        }
    }
}

/// After how long the records of a service's messages are erased.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Of which service; none: of all that no other rule names.
    pub service: Option<ServiceId>,
    /// Days since the message.
    pub days: u32,
    /// On which ground, for the record.
    pub ground: String,
}
