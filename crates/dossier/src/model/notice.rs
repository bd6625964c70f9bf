//! What the applicant is told of their dossier without asking.

use base::{Text, Timestamp, calendar::Calendar};

use super::{
    action::{Action, DocumentKind, Entry},
    state::State,
    status::{Decision, Money},
};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// The dossier was received; the date of the result is appointed.
    Received,
    /// Papers are asked for.
    SupplementAsked,
    /// A fee is to be paid.
    FeeDue,
    /// The agency apologises and appoints a new date.
    Reappointed,
    /// The dossier was not received, with grounds.
    Refused,
    /// Handling was stopped, with grounds.
    Stopped,
    /// The result can be fetched.
    ResultReady,
    /// The appointed date has passed without a result (Decree 61/2018/NĐ-CP, Article 19, as amended by Decree
    /// 118/2025/NĐ-CP: the agency apologises in writing and appoints a new date).
    Overdue,
    /// The agency that keeps a registry has answered what the person contested of it.
    DoubtAnswered,
    /// It asks for what shows that the person is right; until that comes its time to answer stands.
    DoubtAsked,
    /// Something is proposed to the person.
    Proposed,
    /// The state will do something by itself (Decree 224/2026/NĐ-CP, Article 16: with notice).
    Announced,
    /// It has done so.
    DoneForYou,
    /// What it did is undone, or was put right.
    PutRight,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Received,
        Self::SupplementAsked,
        Self::FeeDue,
        Self::Reappointed,
        Self::Refused,
        Self::Stopped,
        Self::ResultReady,
        Self::Overdue,
        Self::DoubtAnswered,
        Self::DoubtAsked,
        Self::Proposed,
        Self::Announced,
        Self::DoneForYou,
        Self::PutRight,
    ];

    /// Whether it is about a proposal, and no dossier.
    pub const fn is_of_proposal(self) -> bool {
        matches!(
            self,
            Self::Proposed | Self::Announced | Self::DoneForYou | Self::PutRight
        )
    }

    /// The name for programs, as stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::SupplementAsked => "supplement-asked",
            Self::FeeDue => "fee-due",
            Self::Reappointed => "reappointed",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
            Self::ResultReady => "result-ready",
            Self::Overdue => "overdue",
            Self::DoubtAnswered => "doubt-answered",
            Self::DoubtAsked => "doubt-asked",
            Self::Proposed => "proposed",
            Self::Announced => "announced",
            Self::DoneForYou => "done-for-you",
            Self::PutRight => "put-right",
        }
    }

    /// The kind behind a stored name.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// What the person is told. `named` is the date that the notice is about.
    pub fn text(self, named: Option<Timestamp>) -> Text {
        let date = named.map(Timestamp::display);
        let with = |vi: &str, en: &str, and_vi: &str, and_en: &str| match &date {
            Some(date) => Text::new(format!("{vi} {and_vi} {date}."), format!("{en} {and_en} {date}.")),
            None => Text::new(vi, en),
        };
        match self {
            Self::Received => with(
                "Hồ sơ đã được tiếp nhận.",
                "Your dossier was received.",
                "Hẹn trả kết quả:",
                "The result is due by:",
            ),
            Self::SupplementAsked => Text::new(
                "Cơ quan yêu cầu bổ sung, hoàn thiện hồ sơ. Thời hạn giải quyết tạm dừng cho đến khi nhận đủ nội dung bổ sung.",
                "The agency asks for more. The time limit is paused until everything has arrived.",
            ),
            Self::FeeDue => Text::new("Hồ sơ có phí, lệ phí phải nộp.", "There is a fee to pay."),
            Self::Reappointed => with(
                "Cơ quan xin lỗi vì chưa trả kết quả đúng hẹn.",
                "The agency apologises that the result will be late.",
                "Ngày hẹn mới:",
                "The new date is:",
            ),
            Self::Refused => Text::new(
                "Hồ sơ không được tiếp nhận. Lý do và căn cứ được nêu trong phiếu từ chối.",
                "Your dossier was not received. The refusal gives the reasons and their legal grounds.",
            ),
            Self::Stopped => Text::new(
                "Cơ quan đã dừng giải quyết hồ sơ. Lý do và căn cứ được nêu trong thông báo.",
                "The agency has stopped handling your dossier. The notice gives the reason and its legal ground.",
            ),
            Self::ResultReady => Text::new("Đã có kết quả giải quyết hồ sơ.", "The result is ready."),
            Self::Overdue => with(
                "Hồ sơ đã quá hạn trả kết quả. Cơ quan xin lỗi quý vị; cơ quan giải quyết có trách nhiệm gửi văn bản xin lỗi và hẹn lại ngày trả kết quả.",
                "The result is late. We apologise; the deciding agency must send a written apology and appoint a new date.",
                "Đã hẹn trả trước:",
                "It was due by:",
            ),
            Self::DoubtAnswered => Text::new(
                "Cơ quan quản lý dữ liệu đã trả lời phản ánh sai lệch của quý vị.",
                "The agency that keeps the data has answered what you contested.",
            ),
            Self::DoubtAsked => Text::new(
                "Cơ quan quản lý dữ liệu đề nghị quý vị bổ sung bằng chứng cho phản ánh sai lệch.",
                "The agency that keeps the data asks you for evidence of what you contested.",
            ),
            Self::Proposed => Text::new("Cơ quan có đề xuất dành cho quý vị.", "Something is proposed to you."),
            Self::Announced => with(
                "Cơ quan sẽ tự động thực hiện một việc cho quý vị; quý vị có quyền không đồng ý.",
                "The state will do something for you by itself; you may say no.",
                "Thời điểm thực hiện:",
                "It will be done at:",
            ),
            Self::DoneForYou => with(
                "Cơ quan đã tự động thực hiện một việc cho quý vị; quý vị có thể khôi phục như trước.",
                "The state has done something for you by itself; you can have the former state back.",
                "Thời hạn khôi phục:",
                "You can until:",
            ),
            Self::PutRight => Text::new(
                "Việc mà cơ quan tự động thực hiện cho quý vị đã được khôi phục hoặc xử lý xong; quý vị có thể xem kết quả.",
                "What the state had done for you by itself is undone or was put right; you can see how.",
            ),
        }
    }
}

/// What an entry gives the applicant to know: the kinds, each with the date that it names. `before` is the state without it.
pub fn of(entry: &Entry, before: &State, after: &State, calendar: &Calendar) -> Vec<(NoticeKind, Option<Timestamp>)> {
    let mut told = Vec::new();
    if before.received_at.is_none() && after.received_at.is_some() {
        told.push((NoticeKind::Received, after.due_at(calendar)));
    }
    if after.supplements.len() > before.supplements.len() {
        told.push((NoticeKind::SupplementAsked, None));
    }
    // A fee that holds up the handling is due at once, another when the result can be fetched.
    let decided = matches!(after.decision, Decision::Approved | Decision::Rejected);
    let to_pay =
        |s: &State| s.waits_for_payment() || (decided && s.decision == after.decision && s.money == Money::Due);
    if to_pay(after) && !to_pay(before) {
        told.push((NoticeKind::FeeDue, None));
    }
    match &entry.action {
        Action::Reappointed { due, .. } => told.push((NoticeKind::Reappointed, Some(*due))),
        Action::DocumentIssued(document) if document.kind == DocumentKind::Result => {
            told.push((NoticeKind::ResultReady, None));
        }
        _ => {}
    }
    if before.decision != after.decision {
        match after.decision {
            Decision::Refused => told.push((NoticeKind::Refused, None)),
            Decision::Stopped => told.push((NoticeKind::Stopped, None)),
            _ => {}
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_and_a_text_of_its_own() {
        let mut texts = Vec::new();
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::parse(kind.code()), Some(kind));
            for text in [kind.text(None), kind.text(Some(Timestamp::from_micros(0)))] {
                assert!(!text.vi.is_empty() && !text.en.is_empty() && text.vi != text.en);
            }
            texts.push(kind.text(None).vi);
        }
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), NoticeKind::ALL.len());
    }
}
