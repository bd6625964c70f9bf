//! Why an input is refused.

use base::{Error, Kind, Problems, Text};

/// Why an [`Input`](super::Input) was refused. The instance is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineError {
    /// It was started already.
    AlreadyStarted,
    /// It was not started yet.
    NotStarted,
    /// It has ended.
    Ended,
    /// No such token is open: done by somebody else, cancelled, or never there.
    Closed {
        /// The token.
        token: u32,
    },
    /// The token waits for something else.
    NotThis {
        /// The label of its node.
        node: Text,
    },
    /// The step does not offer this outcome.
    NoSuchOutcome {
        /// The label of the step.
        node: Text,
        /// What was chosen.
        outcome: String,
    },
    /// The officer's fields are wrong; every problem at its field.
    Fields(Problems),
    /// A condition has no value.
    Condition {
        /// The id of the sequence flow.
        flow: String,
        /// Why, from the expression language.
        message: String,
    },
    /// The date of a timer has no value.
    TimerDate {
        /// The id of the timer.
        node: String,
        /// Why, from the expression language.
        message: String,
    },
    /// No condition holds and there is no default.
    NoBranch {
        /// The label of the gateway.
        node: Text,
    },
    /// More than 10,000 moves without coming to rest.
    Endless,
    /// Nobody waits for this message.
    NotAwaited {
        /// Its name.
        name: String,
    },
    /// Several wait for this message; say which one by its token or its sender.
    Ambiguous {
        /// Its name.
        name: String,
    },
    /// The instance was not made by this process.
    Foreign {
        /// An id in it that the process does not have.
        id: String,
    },
}

impl EngineError {
    /// What sort of refusal it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::AlreadyStarted
            | Self::NotStarted
            | Self::Ended
            | Self::Closed { .. }
            | Self::NotThis { .. }
            | Self::NotAwaited { .. }
            | Self::Ambiguous { .. }
            | Self::Foreign { .. } => Kind::Conflict,
            Self::NoSuchOutcome { .. }
            | Self::Fields(_)
            | Self::Condition { .. }
            | Self::TimerDate { .. }
            | Self::NoBranch { .. }
            | Self::Endless => Kind::Invalid,
        }
    }

    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyStarted => "process-already-started",
            Self::NotStarted => "process-not-started",
            Self::Ended => "process-ended",
            Self::Closed { .. } => "step-closed",
            Self::NotThis { .. } => "step-of-another-kind",
            Self::NoSuchOutcome { .. } => "no-such-outcome",
            Self::Fields(_) => "step-fields",
            Self::Condition { .. } => "condition-failed",
            Self::TimerDate { .. } => "timer-date-failed",
            Self::NoBranch { .. } => "no-branch",
            Self::Endless => "endless",
            Self::NotAwaited { .. } => "message-not-awaited",
            Self::Ambiguous { .. } => "message-ambiguous",
            Self::Foreign { .. } => "foreign-instance",
        }
    }

    /// What happened and what to do, in both languages.
    pub fn text(&self) -> Text {
        match self {
            Self::AlreadyStarted => Text::new("Quy trình đã được bắt đầu.", "The process has already started."),
            Self::NotStarted => Text::new("Quy trình chưa được bắt đầu.", "The process has not started yet."),
            Self::Ended => Text::new(
                "Quy trình đã kết thúc, không thể xử lý thêm.",
                "The process has ended; nothing more can be done in it.",
            ),
            Self::Closed { .. } => Text::new(
                "Bước này không còn mở: đã có người xử lý xong hoặc bước đã được hủy. Vui lòng tải lại trang để xem tình trạng hiện tại.",
                "This step is no longer open: somebody has done it, or it was cancelled. Reload the page to see how things stand.",
            ),
            Self::NotThis { node } => Text::new(
                format!("Bước “{}” không xử lý được theo cách này.", node.vi),
                format!("The step “{}” does not wait for this.", node.get(base::Lang::En)),
            ),
            Self::NoSuchOutcome { node, outcome } => Text::new(
                format!(
                    "Bước “{}” không có kết quả xử lý “{outcome}”. Vui lòng chọn một trong các kết quả của bước này.",
                    node.vi
                ),
                format!(
                    "The step “{}” has no outcome “{outcome}”. Choose one that it offers.",
                    node.get(base::Lang::En)
                ),
            ),
            Self::Fields(_) => Text::new(
                "Thông tin của bước này chưa đúng hoặc chưa đủ.",
                "Some information of this step is wrong or missing.",
            ),
            Self::Condition { flow, message } => Text::new(
                format!(
                    "Không tính được điều kiện của nhánh “{flow}” trong quy trình ({message}). Vui lòng báo cho người quản trị thủ tục."
                ),
                format!(
                    "The condition of the branch “{flow}” has no value ({message}). Tell whoever maintains the procedure."
                ),
            ),
            Self::TimerDate { node, message } => Text::new(
                format!(
                    "Không tính được thời điểm của “{node}” trong quy trình ({message}). Vui lòng báo cho người quản trị thủ tục."
                ),
                format!(
                    "The date of the timer “{node}” has no value ({message}). Tell whoever maintains the procedure."
                ),
            ),
            Self::NoBranch { node } => Text::new(
                format!(
                    "Tại “{}” không có nhánh nào thỏa điều kiện và không có nhánh mặc định. Vui lòng báo cho người quản trị thủ tục.",
                    node.vi
                ),
                format!(
                    "At “{}” no condition holds and there is no default branch. Tell whoever maintains the procedure.",
                    node.get(base::Lang::En)
                ),
            ),
            Self::Endless => Text::new(
                "Quy trình lặp lại không dừng. Vui lòng báo cho người quản trị thủ tục.",
                "The process goes round without coming to rest. Tell whoever maintains the procedure.",
            ),
            Self::NotAwaited { name } => Text::new(
                format!("Hồ sơ không chờ, hoặc không còn chờ, văn bản “{name}”."),
                format!("The dossier does not wait, or no longer waits, for the message “{name}”."),
            ),
            Self::Ambiguous { name } => Text::new(
                format!("Hồ sơ đang chờ nhiều văn bản “{name}”; cần nêu rõ văn bản này trả lời yêu cầu nào."),
                format!("The dossier waits for several messages “{name}”; say which request this one answers."),
            ),
            Self::Foreign { id } => Text::new(
                format!("Hồ sơ đang chạy theo một phiên bản quy trình khác (không tìm thấy “{id}”)."),
                format!("The dossier runs another version of the process (there is no “{id}” in this one)."),
            ),
        }
    }
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text().en)
    }
}

impl std::error::Error for EngineError {}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        let (kind, code, text) = (error.kind(), error.code(), error.text());
        match error {
            EngineError::Fields(problems) => Self::Refused(kind, problems),
            _ => Self::refused(kind, code, text.vi, text.en),
        }
    }
}
