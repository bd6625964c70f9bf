//! Why this date: the lines that a person reads beside a due date.

mod count;
pub(super) mod words;

use jiff::civil::Date;
use serde::Serialize;
use words::{civil_code, clock, remainder, sentence, shown, working_time};

use super::{
    Appointment, BrokenMonth, Budget, Entry, Event, Ledger, Outcome, Rules, State, Unit,
    period::{Delay, Laid, Left},
};
use crate::{calendar::Calendar, lang::Text};

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What sort of line it is, for its look on a page.
    pub kind: LineKind,
    /// The first day of which it speaks.
    pub from: Date,
    /// The last day of which it speaks.
    pub to: Date,
    /// The line.
    pub text: Text,
    /// The law, decision or document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Text>,
}

/// What sort of line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// Something that happened to the dossier.
    Event,
    /// How long it may take.
    Budget,
    /// Days that are counted, or how.
    Counted,
    /// Days that are not counted.
    Skipped,
    /// The due date.
    Due,
    /// How the dossier ended.
    Outcome,
    /// A remark on the whole.
    Note,
}

/// Writes the lines while the ledger is folded.
pub(super) struct Teller<'a> {
    ledger: &'a Ledger,
    rules: &'a Rules,
    calendar: &'a Calendar,
    lines: Vec<Line>,
}

impl<'a> Teller<'a> {
    pub fn new(ledger: &'a Ledger, calendar: &'a Calendar) -> Self {
        Self {
            ledger,
            rules: ledger.rules(),
            calendar,
            lines: Vec::new(),
        }
    }

    pub fn lines(self) -> Vec<Line> {
        self.lines
    }

    fn tell(&mut self, kind: LineKind, days: (Date, Date), text: Text, basis: Option<Text>) {
        let basis = basis.filter(|basis| !basis.vi.is_empty());
        self.lines.push(Line {
            kind,
            from: days.0,
            to: days.1,
            text,
            basis,
        });
    }

    /// What an entry did. `laid` is the stretch that runs after it, `left` what is left, `budget` the period in force.
    pub fn entry(&mut self, entry: &Entry, laid: Option<&Laid>, left: Left, budget: &Budget) {
        let (at, day) = (clock(entry.at), entry.at.legal_date());
        let paper = entry.document.as_deref().filter(|number| !number.trim().is_empty());
        let paper = paper.map_or_else(Text::default, |number| {
            Text::new(
                format!(", theo văn bản số {number}"),
                format!(", by document no. {number}"),
            )
        });
        let mut basis = entry.basis.clone();
        let text = match &entry.event {
            Event::Received | Event::Resumed { restart: true } => {
                let restarted = entry.event != Event::Received;
                let (vi, en) = if restarted {
                    (
                        "Thời hạn được tính lại từ đầu, từ",
                        "The period starts again from zero at",
                    )
                } else {
                    ("Tiếp nhận lúc", "Received at")
                };
                let late = self.delay(laid, &mut basis);
                Text::new(
                    format!("{vi} {}{}{}.", at.vi, paper.vi, late.vi),
                    format!("{en} {}{}{}.", at.en, paper.en, late.en),
                )
            }
            Event::Resumed { restart: false } => {
                let (late, rest) = (self.delay(laid, &mut basis), remainder(left));
                Text::new(
                    format!(
                        "Thời hạn được tính tiếp từ {}{}{}. {}.",
                        at.vi, paper.vi, late.vi, rest.vi
                    ),
                    format!(
                        "The clock starts again at {}{}{}. {}.",
                        at.en, paper.en, late.en, rest.en
                    ),
                )
            }
            Event::Suspended { reason } => {
                let (why, rest) = (sentence(reason), remainder(left));
                Text::new(
                    format!(
                        "Thời hạn tạm dừng từ {}{}. Lý do: {}. {}.",
                        at.vi, paper.vi, why.vi, rest.vi
                    ),
                    format!(
                        "The clock stops at {}{}. Reason: {}. {}.",
                        at.en, paper.en, why.en, rest.en
                    ),
                )
            }
            Event::ReappointedTo { due } => {
                let new = match *due {
                    Appointment::Day(date) => Text::new(format!("ngày {}", shown(date)), shown(date)),
                    Appointment::Instant(instant) => clock(instant),
                };
                Text::new(
                    format!("Ngày {} hẹn lại ngày trả kết quả: {}{}.", shown(day), new.vi, paper.vi),
                    format!("On {} a new date was appointed: {}{}.", shown(day), new.en, paper.en),
                )
            }
            Event::BudgetChanged { budget } => {
                let length = budget.text();
                if basis.vi.is_empty() {
                    basis = budget.basis.clone();
                }
                Text::new(
                    format!(
                        "Ngày {} thời hạn đổi thành {}, vẫn tính từ thời điểm bắt đầu cũ{}.",
                        shown(day),
                        length.vi,
                        paper.vi
                    ),
                    format!(
                        "On {} the period became {}, counted from the same start{}.",
                        shown(day),
                        length.en,
                        paper.en
                    ),
                )
            }
            Event::Closed => Text::new(
                format!("Hồ sơ kết thúc giải quyết lúc {}{}.", at.vi, paper.vi),
                format!("The dossier ended at {}{}.", at.en, paper.en),
            ),
        };
        self.tell(LineKind::Event, (day, day), text, Some(basis));
        match &entry.event {
            Event::Received | Event::Resumed { restart: true } => self.budget(budget, day, laid),
            Event::Suspended { .. }
                if matches!(budget.unit, Unit::Month | Unit::Year) && matches!(left, Left::Days(_)) =>
            {
                self.broken_month(day);
            }
            _ => {}
        }
    }

    /// Why counting starts later than the event; names the law in `basis`.
    fn delay(&self, laid: Option<&Laid>, basis: &mut Text) -> Text {
        let Some((laid, delay)) = laid.and_then(|laid| Some((laid, laid.delay?))) else {
            return Text::default();
        };
        let start = shown(laid.start);
        let cutoff = self
            .rules
            .cutoff
            .as_ref()
            .filter(|cutoff| laid.from.legal().time() > cutoff.after);
        let reason = match (delay, cutoff) {
            (Delay::Cutoff, Some(cutoff)) => {
                if basis.vi.is_empty() {
                    *basis = cutoff.basis.clone();
                }
                let after = cutoff.after.strftime("%H:%M");
                Text::new(format!("sau {after}"), format!("after {after}"))
            }
            (Delay::Cutoff, None) => Text::new("sau giờ làm việc", "after working hours"),
            (Delay::DayOff, _) => Text::new("là ngày nghỉ", "a day off"),
        };
        Text::new(
            format!(", {}: tính từ ngày làm việc tiếp theo, {start}", reason.vi),
            format!(", {}: counted from the next working day, {start}", reason.en),
        )
    }

    fn budget(&mut self, budget: &Budget, day: Date, laid: Option<&Laid>) {
        let length = budget.text();
        let text = if budget.qty == 0 {
            Text::new(
                "Thời hạn giải quyết: trong ngày làm việc.",
                "Time limit: the same working day.",
            )
        } else {
            Text::new(
                format!("Thời hạn giải quyết: {}.", length.vi),
                format!("Time limit: {}.", length.en),
            )
        };
        self.tell(LineKind::Budget, (day, day), text, Some(budget.basis.clone()));
        let counts_days = budget.qty > 0 && !matches!(budget.unit, Unit::Hour | Unit::WorkingHour);
        if let Some(laid) = laid.filter(|_| counts_days && self.rules.exclude_first_day) {
            let start = shown(laid.start);
            let text = Text::new(
                format!("Không tính ngày bắt đầu, {start}."),
                format!("The first day, {start}, is not counted."),
            );
            self.tell(
                LineKind::Skipped,
                (laid.start, laid.start),
                text,
                Some(civil_code("147", "2, 3")),
            );
        }
    }

    fn broken_month(&mut self, day: Date) {
        let (text, basis) = match self.rules.broken_month {
            BrokenMonth::ThirtyDays => (
                Text::new(
                    "Thời hạn không còn liên tục nên một tháng tính là 30 ngày, một năm tính là 365 ngày.",
                    "The period no longer runs without a break, so a month counts as 30 days and a year as 365.",
                ),
                Some(civil_code("146", "1")),
            ),
            BrokenMonth::CalendarDays => (
                Text::new(
                    "Phần thời hạn còn lại tính theo số ngày còn lại trên lịch.",
                    "What is left is counted in days as they stood on the calendar.",
                ),
                None,
            ),
        };
        self.tell(LineKind::Counted, (day, day), text, basis);
    }

    /// How it ended, and what a reader should know of the calendar.
    pub fn finish(&mut self, state: State, uncertain: bool) {
        let day = self
            .lines
            .last()
            .map_or_else(|| self.ledger.received_at().legal_date(), |line| line.to);
        if let State::Closed { at, outcome } = state {
            let text = match outcome {
                Outcome::Early { working_minutes } => {
                    let by = working_time(working_minutes);
                    Text::new(
                        format!("Giải quyết trước hạn {}.", by.vi),
                        format!("Solved early, by {}.", by.en),
                    )
                }
                Outcome::OnTime => Text::new("Giải quyết đúng hạn.", "Solved on time."),
                Outcome::Late { working_minutes } => {
                    let by = working_time(working_minutes);
                    Text::new(
                        format!("Giải quyết quá hạn {}.", by.vi),
                        format!("Solved late, by {}.", by.en),
                    )
                }
            };
            self.tell(LineKind::Outcome, (at.legal_date(), at.legal_date()), text, None);
        }
        if uncertain {
            let text = Text::new(
                "Lịch nghỉ lễ trong khoảng thời gian này chưa được quyết định chính thức; hạn trả kết quả có thể thay đổi.",
                "The holidays of this time are not yet decided; the due date may change.",
            );
            self.tell(LineKind::Note, (day, day), text, None);
        }
        let (then, now) = (self.ledger.calendar_version(), self.calendar.version());
        if then != now {
            let text = Text::new(
                format!("Tính theo lịch làm việc phiên bản {now}; khi tiếp nhận là phiên bản {then}."),
                format!("Counted by version {now} of the working calendar; at reception it was version {then}."),
            );
            self.tell(LineKind::Note, (day, day), text, None);
        }
    }
}
