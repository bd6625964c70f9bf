//! What is counted and how. The rules are told to the public on `/publication/method`; keep both alike.

use std::{collections::BTreeMap, fmt};

use ::store::{Row, sea_orm};
use base::{Text, Timestamp, deadline::Outcome};
use dossier::{
    model::{
        action::Channel,
        status::{Bucket, NationalStatus},
    },
    service::DossierFigures,
};
use jiff::civil::{Date, time};
use uuid::Uuid;

/// Minutes of a working day: eight hours (Labour Code 45/2019/QH14, article 105).
pub const WORKING_DAY: i64 = 480;
/// Width of a class of durations, working minutes.
pub const BUCKET: i64 = 60;
/// All that took longer than about a working year is one class.
const LAST_BUCKET: i64 = 2_000;
/// Share of dossiers filed online that level 4 asks for, percent (Circular 01/2018/TT-VPCP, article 21).
pub const ONLINE_GOAL: f64 = 30.0;
/// Online users for each offline user that the reports hold services against.
pub const USERS_GOAL: f64 = 1.0;

/// A month of legal time: months since year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i64);

impl Month {
    /// The month of an instant.
    pub fn of(at: Timestamp) -> Self {
        let date = at.legal_date();
        Self(i64::from(date.year()) * 12 + i64::from(date.month()) - 1)
    }

    /// A month of the years 2000 to 2100; `month` is 1 to 12.
    pub fn new(year: i64, month: i64) -> Option<Self> {
        ((2000..=2100).contains(&year) && (1..=12).contains(&month)).then_some(Self(year * 12 + month - 1))
    }

    /// Reads `2026-11`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        if year.len() != 4 || month.len() != 2 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    /// As stored.
    pub const fn index(self) -> i64 {
        self.0
    }

    /// From storage.
    pub const fn from_index(index: i64) -> Self {
        Self(index)
    }

    /// The year.
    pub const fn year(self) -> i64 {
        self.0.div_euclid(12)
    }

    /// 1 to 12.
    pub const fn number(self) -> i64 {
        self.0.rem_euclid(12) + 1
    }

    /// So many months later.
    #[must_use]
    pub const fn plus(self, months: i64) -> Self {
        Self(self.0 + months)
    }

    /// The first instant.
    pub fn start(self) -> Timestamp {
        let year = i16::try_from(self.year()).unwrap_or(1970);
        let month = i8::try_from(self.number()).unwrap_or(1);
        let day = Date::new(year, month, 1).unwrap_or_default();
        Timestamp::from_legal(day.to_datetime(time(0, 0, 0, 0)))
    }

    /// The first instant after it.
    pub fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// As a reader knows it.
    pub fn label(self) -> Text {
        Text::new(
            format!("Tháng {}/{}", self.number(), self.year()),
            format!("{:02}/{}", self.number(), self.year()),
        )
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.number())
    }
}

/// A counter of one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Received (tiếp nhận) in the month.
    Received,
    /// Of these, online.
    Online,
    /// Of these, at the counter.
    Counter,
    /// Of these, by post.
    Post,
    /// Decided in the month before the day it was due (trước hạn).
    Early,
    /// Decided on the day it was due (đúng hạn).
    OnTime,
    /// Decided too late (quá hạn), or after more than one request for papers.
    Late,
    /// Refused at reception in the month.
    Refused,
    /// Withdrawn in the month.
    Withdrawn,
    /// Stopped in the month.
    Stopped,
    /// Overdue and not ended when the month ended, but ended since.
    CarriedLate,
    /// Decided in the month with a known duration.
    Timed,
    /// Their durations together, working minutes.
    Minutes,
}

impl Measure {
    /// All, in the order of [`Counts`].
    pub const ALL: [Self; 13] = [
        Self::Received,
        Self::Online,
        Self::Counter,
        Self::Post,
        Self::Early,
        Self::OnTime,
        Self::Late,
        Self::Refused,
        Self::Withdrawn,
        Self::Stopped,
        Self::CarriedLate,
        Self::Timed,
        Self::Minutes,
    ];

    /// The column.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Online => "online",
            Self::Counter => "counter",
            Self::Post => "post",
            Self::Early => "early",
            Self::OnTime => "on_time",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Stopped => "stopped",
            Self::CarriedLate => "carried_late",
            Self::Timed => "timed",
            Self::Minutes => "minutes",
        }
    }
}

/// All counters of a month, or their differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts([i64; Measure::ALL.len()]);

impl Counts {
    /// One of them.
    pub const fn get(&self, measure: Measure) -> i64 {
        self.0[measure as usize]
    }

    /// Adds to one of them.
    pub const fn add(&mut self, measure: Measure, n: i64) {
        self.0[measure as usize] += n;
    }

    /// Adds all of another, `sign` times.
    pub fn merge(&mut self, other: &Self, sign: i64) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += sign * theirs;
        }
    }

    /// Whether nothing is counted.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|n| *n == 0)
    }

    /// Decided, in time or not.
    pub const fn solved(&self) -> i64 {
        self.get(Measure::Early) + self.get(Measure::OnTime) + self.get(Measure::Late)
    }
}

/// A service of an agency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// Code of the deciding agency.
    pub agency: String,
    /// Code of the field (lĩnh vực).
    pub field: String,
    /// National code of the procedure.
    pub procedure: String,
}

/// Someone who used a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// Agency.
    pub agency: String,
    /// Procedure.
    pub procedure: String,
    /// In which year.
    pub year: i64,
    /// Whether online.
    pub online: bool,
    /// The pseudonym; nobody knows whether two dossiers without one are of the same person, so each counts as one.
    pub account: Option<Uuid>,
}

/// A dossier as figures see it; instants in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct Fact {
    /// The dossier.
    pub dossier_id: Uuid,
    /// The entry of its log up to which this holds.
    pub seq: i64,
    /// Deciding agency.
    pub agency: String,
    /// Field.
    pub field: String,
    /// Procedure.
    pub procedure_code: String,
    /// `online`, `counter` or `post`.
    pub channel: String,
    /// Pseudonym of the applicant.
    pub account: Option<Uuid>,
    /// National status, 1 to 10.
    pub status: i64,
    /// Whether its clock runs.
    pub running: bool,
    /// Filed.
    pub submitted_at: i64,
    /// Received.
    pub received_at: Option<i64>,
    /// Due, as first appointed.
    pub original_due_at: Option<i64>,
    /// Due now.
    pub due_at: Option<i64>,
    /// Decided, refused, withdrawn or stopped.
    pub ended_at: Option<i64>,
    /// Handed over.
    pub delivered_at: Option<i64>,
    /// `early`, `on_time` or `late`; by the ledger of the dossier and the rule of two requests.
    pub outcome: Option<String>,
    /// Working minutes from reception to the end.
    pub working_minutes: Option<i64>,
    /// How often papers were asked for.
    pub supplements: i64,
}

impl Fact {
    /// The fact that a dossier amounts to.
    pub fn of(f: &DossierFigures) -> Self {
        let micros = |at: Option<Timestamp>| at.map(Timestamp::micros);
        // Decision 766/QĐ-TTg, working paper on formula 2.1: more than one request for papers is late.
        let outcome = f.outcome.map(|outcome| match outcome {
            _ if f.supplements > 1 => "late",
            Outcome::Early { .. } => "early",
            Outcome::OnTime => "on_time",
            Outcome::Late { .. } => "late",
        });
        Self {
            dossier_id: f.id.uuid(),
            seq: f.version,
            agency: f.agency.clone(),
            field: f.field.clone(),
            procedure_code: f.procedure.clone(),
            channel: match f.channel {
                Channel::Online => "online",
                Channel::Counter => "counter",
                Channel::Post => "post",
            }
            .to_owned(),
            account: f.account,
            status: i64::from(f.status.code()),
            running: f.ended_at.is_none() && f.status.bucket() == Bucket::InProgress,
            submitted_at: f.submitted_at.micros(),
            received_at: micros(f.received_at),
            original_due_at: micros(f.original_due_at),
            due_at: micros(f.due_at),
            ended_at: micros(f.ended_at),
            delivered_at: micros(f.delivered_at),
            outcome: outcome.map(str::to_owned),
            working_minutes: f.working_minutes,
            supplements: i64::try_from(f.supplements).unwrap_or(i64::MAX),
        }
    }

    /// The last instant that it knows of.
    pub fn latest(&self) -> Timestamp {
        let known = [self.received_at, self.ended_at, self.delivered_at];
        Timestamp::from_micros(known.into_iter().flatten().fold(self.submitted_at, i64::max))
    }

    fn status(&self) -> Option<NationalStatus> {
        u8::try_from(self.status)
            .ok()
            .and_then(|code| NationalStatus::try_from(code).ok())
    }
}

/// What facts add to the counters, or the difference that a new fact makes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// Counters by service and month.
    pub figures: BTreeMap<(Service, Month), Counts>,
    /// Durations by service, month and class.
    pub durations: BTreeMap<(Service, Month, i64), i64>,
    /// Waiting, in progress, paused.
    pub standing: BTreeMap<Service, [i64; 3]>,
    /// Dossiers of users.
    pub users: BTreeMap<User, i64>,
}

impl Effect {
    /// What changes when `new` takes the place of `old`. Services are named in `standing` even where nothing changes there.
    pub fn change(old: Option<&Fact>, new: &Fact) -> Self {
        let mut effect = Self::default();
        if let Some(old) = old {
            effect.count(old, -1);
        }
        effect.count(new, 1);
        effect.figures.retain(|_, counts| !counts.is_zero());
        effect.durations.retain(|_, n| *n != 0);
        effect.users.retain(|_, n| *n != 0);
        effect
    }

    fn count(&mut self, fact: &Fact, sign: i64) {
        let service = Service {
            agency: fact.agency.clone(),
            field: fact.field.clone(),
            procedure: fact.procedure_code.clone(),
        };
        let month = |at: i64| Month::of(Timestamp::from_micros(at));
        let online = fact.channel == "online";
        if let Some(received) = fact.received_at.map(month) {
            let counts = self.figures.entry((service.clone(), received)).or_default();
            counts.add(Measure::Received, sign);
            counts.add(
                match fact.channel.as_str() {
                    "online" => Measure::Online,
                    "post" => Measure::Post,
                    _ => Measure::Counter,
                },
                sign,
            );
            let user = User {
                agency: fact.agency.clone(),
                procedure: fact.procedure_code.clone(),
                year: received.year(),
                online,
                account: fact.account,
            };
            *self.users.entry(user).or_default() += sign;
        }
        let status = fact.status();
        if let Some(ended) = fact.ended_at.map(month) {
            let counts = self.figures.entry((service.clone(), ended)).or_default();
            match status {
                Some(NationalStatus::NotReceived) => counts.add(Measure::Refused, sign),
                Some(NationalStatus::Withdrawn) => counts.add(Measure::Withdrawn, sign),
                Some(NationalStatus::Stopped) => counts.add(Measure::Stopped, sign),
                Some(NationalStatus::Decided | NationalStatus::Returned) => {
                    counts.add(
                        match fact.outcome.as_deref() {
                            Some("early") => Measure::Early,
                            Some("late") => Measure::Late,
                            _ => Measure::OnTime,
                        },
                        sign,
                    );
                    if let Some(minutes) = fact.working_minutes.map(|m| m.max(0)) {
                        counts.add(Measure::Timed, sign);
                        counts.add(Measure::Minutes, sign * minutes);
                        let bucket = (minutes / BUCKET).min(LAST_BUCKET);
                        *self.durations.entry((service.clone(), ended, bucket)).or_default() += sign;
                    }
                }
                _ => {}
            }
            // Overdue at the end of each month between the due date and the end: the report of that month counted it late.
            if let (Some(due), Some(_)) = (fact.due_at.map(month), fact.received_at) {
                for overdue in (due.index()..ended.index()).take(600).map(Month::from_index) {
                    let counts = self.figures.entry((service.clone(), overdue)).or_default();
                    counts.add(Measure::CarriedLate, sign);
                }
            }
        }
        let standing = self.standing.entry(service).or_default();
        if fact.ended_at.is_none() {
            match status.map(NationalStatus::bucket) {
                Some(Bucket::Waiting) => standing[0] += sign,
                Some(Bucket::InProgress) => standing[1] += sign,
                Some(Bucket::Paused) => standing[2] += sign,
                _ => {}
            }
        }
    }
}

/// The median of classes `(class, how many)` in ascending order, working minutes. Within a class dossiers are taken to lie evenly,
/// so it errs by less than one [`BUCKET`].
pub fn median(classes: &[(i64, i64)]) -> Option<f64> {
    let total: i64 = classes.iter().map(|(_, n)| n).sum();
    if total <= 0 {
        return None;
    }
    let half = total as f64 / 2.0;
    let mut below = 0.0;
    for &(class, n) in classes.iter().filter(|(_, n)| *n > 0) {
        let n = n as f64;
        if below + n >= half {
            return Some((class as f64 + (half - below) / n) * BUCKET as f64);
        }
        below += n;
    }
    None
}

/// `part` of `whole` in percent, to two decimals; none of nothing is no figure.
pub fn percent(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 * 10_000.0 / whole as f64).round() / 100.0)
}

/// How the lines of a report are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// One line for each month.
    #[default]
    Month,
    /// One for each field.
    Field,
    /// One for each procedure.
    Procedure,
}

impl By {
    /// The name in an address.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Field => "field",
            Self::Procedure => "procedure",
        }
    }

    /// Reads the name.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Month, Self::Field, Self::Procedure]
            .into_iter()
            .find(|by| by.id() == id)
    }
}

/// What is asked of the figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Only of this agency.
    pub agency: Option<String>,
    /// First month.
    pub from: Month,
    /// Last month.
    pub to: Month,
    /// Lines.
    pub by: By,
}
