//! What the API answers.

use identity::{Both, Instant};
use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{Line, Measure, Question, Report, ServiceLine};

/// One line of figures. Percentages have two decimals and are `null` where there is nothing to divide by.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineBody {
    /// `2026-11`, the code of the agency, of the field or of the procedure; blank for the whole.
    key: String,
    /// Its name.
    name: Both,
    /// Received in the period.
    received: i64,
    /// Of these, online.
    received_online: i64,
    /// Of these, at the counter.
    received_counter: i64,
    /// Of these, by post.
    received_post: i64,
    /// Received online, percent.
    online_percent: Option<f64>,
    /// Decided before the day they were due.
    solved_early: i64,
    /// Decided on the day they were due.
    solved_on_time: i64,
    /// Decided late, or after more than one request for papers.
    solved_late: i64,
    /// Overdue and neither ended nor paused at the end of the period.
    unfinished_late: i64,
    /// Received, and neither ended nor paused at the end of the period, or now if that is earlier. `null` for a month to come
    /// and while figures are being made anew.
    in_progress_at_end: Option<i64>,
    /// Papers or a payment were awaited then. `null` as above.
    paused_at_end: Option<i64>,
    /// Decided early or on time, percent of the four above.
    on_time_percent: Option<f64>,
    /// Refused at reception.
    refused: i64,
    /// Withdrawn.
    withdrawn: i64,
    /// Stopped.
    stopped: i64,
    /// Mean duration, working days.
    mean_working_days: Option<f64>,
    /// Median duration, working days, from classes of one working hour.
    median_working_days: Option<f64>,
    /// How things stand now; of lines by month only the present month has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<NowBody>,
}

/// How things stand at the time of the answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct NowBody {
    /// Filed, not yet received.
    waiting: i64,
    /// In progress.
    in_progress: i64,
    /// Of these, overdue.
    overdue: i64,
    /// Paused: papers or a payment are awaited.
    paused: i64,
}

pub(super) fn two(x: Option<f64>) -> Option<f64> {
    x.map(|x| (x * 100.0).round() / 100.0)
}

impl LineBody {
    pub(super) fn of(line: &Line) -> Self {
        let n = |m| line.counts.get(m);
        Self {
            key: line.key.clone(),
            name: (&line.name).into(),
            received: n(Measure::Received),
            received_online: n(Measure::Online),
            received_counter: n(Measure::Counter),
            received_post: n(Measure::Post),
            online_percent: line.online_percent(),
            solved_early: n(Measure::Early),
            solved_on_time: n(Measure::OnTime),
            solved_late: n(Measure::Late),
            unfinished_late: line.unfinished_late,
            in_progress_at_end: line.end.map(|end| end.in_progress),
            paused_at_end: line.end.map(|end| end.paused),
            on_time_percent: line.on_time_percent(),
            refused: n(Measure::Refused),
            withdrawn: n(Measure::Withdrawn),
            stopped: n(Measure::Stopped),
            mean_working_days: two(line.mean_days()),
            median_working_days: two(line.median_days()),
            now: line.now.map(|now| NowBody {
                waiting: now.waiting,
                in_progress: now.in_progress,
                overdue: now.overdue,
                paused: now.paused,
            }),
        }
    }
}

/// Figures of a period.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportBody {
    /// Only of this agency; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    /// Only of this field; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// First month.
    from: String,
    /// Last month.
    to: String,
    /// What a line is: `month`, `agency`, `field` or `procedure`.
    by: &'static str,
    /// When the figures last changed.
    updated_at: Option<Instant>,
    /// `true`: more dossiers are overdue than are looked at (10,000).
    overdue_cut: bool,
    /// The whole.
    total: LineBody,
    /// The lines.
    lines: Vec<LineBody>,
}

impl ReportBody {
    pub(super) fn of(question: Question, report: &Report) -> Self {
        Self {
            by: question.by.id(),
            from: question.from.to_string(),
            to: question.to.to_string(),
            updated_at: report.updated_at.map(Instant::from),
            overdue_cut: report.overdue_cut,
            total: LineBody::of(&report.total),
            lines: report.lines.iter().map(LineBody::of).collect(),
            agency: question.agency,
            field: question.field,
        }
    }
}

/// The two level-4 figures of a service.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceFigures {
    /// Code of the procedure.
    procedure: String,
    /// Its name.
    name: Both,
    /// People who filed online; an account counts once.
    online_people: i64,
    /// People who filed otherwise; a dossier without an account counts as one.
    offline_people: i64,
    /// Online people for each other one; `null` where there is no other.
    people_ratio: Option<f64>,
    /// Received.
    received: i64,
    /// Of these, online.
    received_online: i64,
    /// Received online, percent.
    online_percent: Option<f64>,
    /// Answers of these dossiers that a registry should give.
    held: i64,
    /// Of these, those that people had to type all the same.
    asked_again: i64,
    /// The same in percent; `null` where no registry should give any.
    asked_again_percent: Option<f64>,
}

impl From<&ServiceLine> for ServiceFigures {
    fn from(s: &ServiceLine) -> Self {
        Self {
            procedure: s.procedure.clone(),
            name: (&s.name).into(),
            online_people: s.online_people,
            offline_people: s.offline_people,
            people_ratio: s.ratio(),
            received: s.received,
            received_online: s.online,
            online_percent: s.online_percent(),
            held: s.held,
            asked_again: s.asked_again,
            asked_again_percent: s.asked_again_percent(),
        }
    }
}

/// Level-4 figures of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServicesFigures {
    /// The year.
    pub(super) year: i64,
    /// The services that received dossiers.
    pub(super) services: Vec<ServiceFigures>,
}
