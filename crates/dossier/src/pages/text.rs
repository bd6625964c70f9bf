//! Words and addresses that the pages of people and of officers write alike.

use base::{Lang, Timestamp};
use registry::{contest::Standing, keeper::UNKNOWN, quality::doubts::DoubtState};
use view::ui::Tone;

use crate::{
    model::writes::Wrote,
    service::{Check, Outcome, WriteView},
};

/// Minutes of a working day, for rounding only.
const DAY: i64 = 480;

/// `2 ngày làm việc`, `3 giờ 20 phút làm việc`.
pub(super) fn working_time(lang: Lang, minutes: i64) -> String {
    let (days, hours, rest) = (minutes / DAY, minutes / 60, minutes % 60);
    match lang {
        Lang::Vi if minutes >= 2 * DAY => format!("khoảng {days} ngày làm việc"),
        Lang::En if minutes >= 2 * DAY => format!("about {days} working days"),
        Lang::Vi if hours == 0 => format!("{rest} phút làm việc"),
        Lang::En if hours == 0 => format!("{rest} working minutes"),
        Lang::Vi if rest == 0 => format!("{hours} giờ làm việc"),
        Lang::En if rest == 0 => format!("{hours} working hours"),
        Lang::Vi => format!("{hours} giờ {rest} phút làm việc"),
        Lang::En => format!("{hours} h {rest} min of working time"),
    }
}

/// How a typed answer stands beside what a registry holds.
pub(super) struct CheckLine {
    pub label: String,
    pub filed: String,
    pub held: Option<String>,
    pub reason: String,
    pub status: &'static str,
    pub tone: Tone,
}

/// The typed answers beside what registries hold, those first that somebody must look at.
pub(super) fn check_lines(checks: &[Check], lang: Lang) -> Vec<CheckLine> {
    let line = |check: &Check| {
        let (vi, en, tone) = match check.outcome {
            Outcome::Differs => ("Khác với cơ sở dữ liệu", "Differs from the register", Tone::Warn),
            Outcome::Doubted => ("Người nộp báo chưa đúng", "The applicant says it is wrong", Tone::Warn),
            Outcome::NotHeld => ("Cơ sở dữ liệu chưa có", "Not in the register", Tone::Neutral),
            Outcome::Open => ("Chờ đối chiếu", "To be verified", Tone::Info),
            Outcome::Same => ("Khớp", "The same", Tone::Good),
        };
        CheckLine {
            label: check.label.get(lang).to_owned(),
            filed: check.filed.clone(),
            held: check.held.clone(),
            reason: check.reason.clone(),
            status: lang.t(vi, en),
            tone,
        }
    };
    let mut lines: Vec<CheckLine> = checks.iter().map(line).collect();
    lines.sort_by_key(|line| line.tone != Tone::Warn);
    lines
}

/// How something stands that the applicant contests of what a registry holds.
pub(super) struct ContestLine {
    pub label: String,
    pub reason: String,
    pub question: String,
    /// In which words, by whom and when.
    pub answer: Option<(String, String, Timestamp)>,
    /// Until when an answer is due; none where there is one.
    pub due: Option<Timestamp>,
    pub status: String,
    pub tone: Tone,
}

/// What the applicant contests, in the order in which the registries were told.
pub(super) fn contest_lines(contested: &[Standing], lang: Lang) -> Vec<ContestLine> {
    let line = |of: &Standing| ContestLine {
        label: of.label.get(lang).to_owned(),
        reason: of.reason.clone(),
        question: of.question.clone(),
        answer: of.answer.clone().map(|(at, by, words)| (words, by, at)),
        due: of.state.is_open().then_some(of.due_at),
        status: of.state.label().get(lang).to_owned(),
        tone: match of.state {
            DoubtState::Received | DoubtState::Acknowledged => Tone::Info,
            DoubtState::Asked => Tone::Warn,
            DoubtState::Upheld => Tone::Good,
            DoubtState::Refused | DoubtState::Withdrawn => Tone::Neutral,
        },
    };
    contested.iter().map(line).collect()
}

/// What came of telling a registry.
pub(super) struct WriteLine {
    pub name: String,
    pub entry: Option<String>,
    pub why: Vec<String>,
    pub status: &'static str,
    pub tone: Tone,
}

/// What registries were told, in order.
pub(super) fn write_lines(writes: &[WriteView], lang: Lang) -> Vec<WriteLine> {
    let failed = |wrote: &Option<Wrote>| matches!(wrote, Some(Wrote::Refused { .. } | Wrote::Unknown { .. }));
    let refused = writes.iter().any(|w| failed(&w.wrote));
    let line = |write: &WriteView| {
        let said = |problems: &base::Problems| problems.iter().map(|p| p.text.get(lang).to_owned()).collect();
        let (vi, en, tone, entry, why) = match &write.wrote {
            None if refused => ("Không thực hiện", "Not done", Tone::Neutral, None, Vec::new()),
            None => ("Đang gửi", "Being sent", Tone::Info, None, Vec::new()),
            Some(Wrote::Done { entry, .. }) => ("Đã cập nhật", "Done", Tone::Good, Some(entry), Vec::new()),
            // Its registry was waited for no longer, and has said since that it never came.
            Some(Wrote::Refused { problems }) if problems.iter().any(|p| p.code == UNKNOWN) => {
                ("Chưa được ghi", "Not written", Tone::Neutral, None, said(problems))
            }
            Some(Wrote::Refused { problems }) => ("Bị từ chối", "Refused", Tone::Late, None, said(problems)),
            Some(Wrote::Unknown { reason }) => {
                let asked = lang.t(
                    "Hệ thống tiếp tục hỏi nơi giữ cơ sở dữ liệu; nếu đã ghi thì nội dung đó được thu hồi.",
                    "The keeper is asked on; what it has of this is taken back.",
                );
                let ended = lang.t("Lý do thôi chờ", "Why it was waited for no longer");
                let why = vec![format!("{ended}: {reason}"), asked.to_owned()];
                ("Chưa rõ kết quả", "Unknown", Tone::Warn, None, why)
            }
            Some(Wrote::TakenBack { entry }) => ("Đã thu hồi", "Taken back", Tone::Neutral, Some(entry), Vec::new()),
            Some(Wrote::Left { entry, problems }) => ("Giữ lại", "Stays", Tone::Warn, Some(entry), said(problems)),
        };
        WriteLine {
            name: write.name.get(lang).to_owned(),
            entry: entry.cloned(),
            why,
            status: lang.t(vi, en),
            tone,
        }
    };
    writes.iter().map(line).collect()
}

/// Who has a symbolic role of a process.
pub(super) fn role(lang: Lang, role: &str) -> Option<&'static str> {
    let (vi, en) = match role {
        "receptionist" => ("Bộ phận Một cửa", "One-stop shop"),
        "specialist" => ("Công chức chuyên môn", "Specialist"),
        "leader" => ("Lãnh đạo cơ quan", "Head of the agency"),
        "consulted" => ("Cơ quan phối hợp", "Consulted agency"),
        _ => return None,
    };
    Some(lang.t(vi, en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn working_time_reads_as_people_say_it() {
        assert_eq!(working_time(Lang::Vi, 45), "45 phút làm việc");
        assert_eq!(working_time(Lang::Vi, 200), "3 giờ 20 phút làm việc");
        assert_eq!(working_time(Lang::En, 240), "4 working hours");
        assert_eq!(working_time(Lang::Vi, 1_500), "khoảng 3 ngày làm việc");
    }
}
