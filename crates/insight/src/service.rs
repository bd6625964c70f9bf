//! Reading the figures.

use std::collections::{BTreeMap, BTreeSet};

use ::store::{Store, transact};
use base::{Error, Kind, Lang, Result, Text, Timestamp};
use dossier::service::Dossiers;
use view::{decimal, number};

use crate::{
    model::{By, Counts, Fact, Measure, Month, Question, WORKING_DAY, median, percent},
    store as tables,
};

/// More overdue dossiers than this are not looked at, and the page says so.
pub const OVERDUE_LIMIT: usize = 10_000;
/// Dossiers read at a time when everything is made anew.
const REBUILD_PAGE: u32 = 200;

/// One figure for the front page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// What it is.
    pub label: Text,
    /// The figure, as Vietnamese readers write numbers.
    pub value: String,
    /// Of which time, and how it is meant.
    pub note: Text,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// `2026-11`, the code of a field or of a procedure; empty for the whole.
    pub key: String,
    /// Its name.
    pub name: Text,
    /// Counters of the period.
    pub counts: Counts,
    /// Overdue and not ended at the end of the period, or now if that is earlier.
    pub unfinished_late: i64,
    /// Median duration of what was decided, working minutes.
    pub median: Option<f64>,
    /// Filed, not yet received: now.
    pub waiting: i64,
    /// In progress now.
    pub in_progress: i64,
    /// Paused now.
    pub paused: i64,
    /// Overdue now.
    pub overdue: i64,
}

impl Line {
    fn new(key: String, name: Text) -> Self {
        let counts = Counts::default();
        Self {
            key,
            name,
            counts,
            unfinished_late: 0,
            median: None,
            waiting: 0,
            in_progress: 0,
            paused: 0,
            overdue: 0,
        }
    }

    /// Decided in time, percent of what was decided or was overdue at the end of the period (Decision 766/QĐ-TTg, 2.1).
    pub fn on_time_percent(&self) -> Option<f64> {
        let good = self.counts.get(Measure::Early) + self.counts.get(Measure::OnTime);
        percent(good, self.counts.solved() + self.unfinished_late)
    }

    /// Received online, percent of what was received.
    pub fn online_percent(&self) -> Option<f64> {
        percent(self.counts.get(Measure::Online), self.counts.get(Measure::Received))
    }

    /// Mean duration, working days of eight hours.
    pub fn mean_days(&self) -> Option<f64> {
        let timed = self.counts.get(Measure::Timed);
        (timed > 0).then(|| self.counts.get(Measure::Minutes) as f64 / timed as f64 / WORKING_DAY as f64)
    }

    /// Median duration, working days of eight hours.
    pub fn median_days(&self) -> Option<f64> {
        self.median.map(|minutes| minutes / WORKING_DAY as f64)
    }
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// All lines together.
    pub total: Line,
    /// The lines, by key.
    pub lines: Vec<Line>,
    /// When the figures last changed.
    pub updated_at: Option<Timestamp>,
    /// Whether there are more overdue dossiers than were looked at.
    pub overdue_cut: bool,
}

/// The two level-4 figures of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceLine {
    /// Code.
    pub procedure: String,
    /// Name.
    pub name: Text,
    /// People who filed online.
    pub online_people: i64,
    /// People who filed otherwise.
    pub offline_people: i64,
    /// Received.
    pub received: i64,
    /// Of these, online.
    pub online: i64,
}

impl ServiceLine {
    /// Online people for each other one; none where nobody filed otherwise.
    pub fn ratio(&self) -> Option<f64> {
        (self.offline_people > 0)
            .then(|| (self.online_people as f64 * 100.0 / self.offline_people as f64).round() / 100.0)
    }

    /// Share of dossiers received online, percent.
    pub fn online_percent(&self) -> Option<f64> {
        percent(self.online, self.received)
    }
}

/// The figures of a node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Insight {
    store: Store,
    dossiers: Dossiers,
}

impl Insight {
    /// Figures over the dossiers of a node.
    pub fn new(store: Store, dossiers: Dossiers) -> Self {
        Self { store, dossiers }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn dossiers(&self) -> &Dossiers {
        &self.dossiers
    }

    /// Three or four figures for the front page: of this month, else of this year; none where nothing is known.
    ///
    /// # Errors
    /// The database failed.
    pub async fn headlines(&self, now: Timestamp) -> Result<Vec<Headline>> {
        let month = Month::of(now);
        let january = Month::from_index(month.year() * 12);
        for (from, note) in [
            (month, month.label()),
            (
                january,
                Text::new(format!("Năm {}", month.year()), format!("Year {}", month.year())),
            ),
        ] {
            let report = self
                .report(
                    &Question {
                        agency: None,
                        from,
                        to: month,
                        by: By::Month,
                    },
                    now,
                )
                .await?;
            let total = &report.total;
            let received = total.counts.get(Measure::Received);
            if received == 0 && total.counts.solved() == 0 {
                continue;
            }
            let mut lines = vec![Headline {
                label: Text::new("Hồ sơ đã tiếp nhận", "Dossiers received"),
                value: number(Lang::Vi, received),
                note: note.clone(),
            }];
            let mut add = |label: Text, value: Option<f64>, unit: &str, more: Text| {
                if let Some(value) = value {
                    let value = format!("{}{unit}", decimal(Lang::Vi, value, 1));
                    let note = Text::new(
                        format!("{} · {}", note.vi, more.vi),
                        format!("{} · {}", note.en, more.en),
                    );
                    lines.push(Headline { label, value, note });
                }
            };
            add(
                Text::new("Giải quyết trước hạn và đúng hạn", "Decided early or on time"),
                total.on_time_percent(),
                " %",
                Text::new("theo Quyết định 766/QĐ-TTg", "by Decision 766/QĐ-TTg"),
            );
            add(
                Text::new("Một nửa số hồ sơ xong trong", "Half of the dossiers done within"),
                total.median_days(),
                "",
                Text::new("ngày làm việc (số trung vị)", "working days (the median)"),
            );
            add(
                Text::new("Hồ sơ nộp trực tuyến", "Filed online"),
                total.online_percent(),
                " %",
                Text::new("trên số hồ sơ tiếp nhận", "of dossiers received"),
            );
            return Ok(lines);
        }
        Ok(Vec::new())
    }

    /// The agencies that have figures, with their names, by code.
    ///
    /// # Errors
    /// The database failed.
    pub async fn agencies(&self) -> Result<Vec<(String, String)>> {
        let rows = tables::standing(&self.store.read(), None).await?;
        let codes: BTreeSet<String> = rows.into_iter().map(|r| r.agency).collect();
        Ok(codes
            .into_iter()
            .map(|code| {
                let name = self.dossiers.agency_name(&code).to_owned();
                (code, name)
            })
            .collect())
    }

    /// Answers a question. Reads counters; of dossiers only those that are overdue, up to [`OVERDUE_LIMIT`].
    ///
    /// # Errors
    /// There is no such agency; the database failed.
    pub async fn report(&self, question: &Question, now: Timestamp) -> Result<Report> {
        let db = self.store.read();
        let agency = question.agency.as_deref();
        let unknown = || Error::not_found("cơ quan này trong số liệu công khai", "agency in the published figures");
        // PostgreSQL takes no NUL in a text: no such code can exist.
        if agency.is_some_and(|code| code.contains('\0')) {
            return Err(unknown());
        }
        let standing = tables::standing(&db, agency).await?;
        if agency.is_some() && standing.is_empty() {
            return Err(unknown());
        }
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        let mut total = Line::new(String::new(), Text::new("Tổng số", "Total"));
        if question.by == By::Month {
            for index in question.from.index()..=question.to.index() {
                at(&mut lines, &index.to_string());
            }
        }
        for row in tables::counts(&db, question).await? {
            total.counts.merge(&row.counts, 1);
            total.unfinished_late += row.carried;
            let by_month = question.by == By::Month;
            let line = at(&mut lines, &row.line);
            line.counts = row.counts;
            line.unfinished_late = if by_month {
                row.counts.get(Measure::CarriedLate)
            } else {
                row.carried
            };
        }
        let mut all: BTreeMap<i64, i64> = BTreeMap::new();
        let mut classes: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for row in tables::durations(&db, question).await? {
            *all.entry(row.bucket).or_default() += row.n;
            classes.entry(row.line).or_default().push((row.bucket, row.n));
        }
        total.median = median(&all.into_iter().collect::<Vec<_>>());
        for (key, classes) in &classes {
            at(&mut lines, key).median = median(classes);
        }
        for row in &standing {
            let add = |line: &mut Line| {
                line.waiting += row.waiting;
                line.in_progress += row.in_progress;
                line.paused += row.paused;
            };
            add(&mut total);
            match question.by {
                By::Month => {}
                By::Field => add(at(&mut lines, &row.field)),
                By::Procedure => add(at(&mut lines, &row.procedure_code)),
            }
        }
        let late = tables::overdue(&db, agency, now, OVERDUE_LIMIT + 1).await?;
        let overdue_cut = late.len() > OVERDUE_LIMIT;
        let period_end = question.to.end().min(now);
        for row in late.iter().take(OVERDUE_LIMIT) {
            let due = Timestamp::from_micros(row.due_at);
            let in_period = i64::from(due < period_end);
            total.overdue += 1;
            total.unfinished_late += in_period;
            let key = match question.by {
                By::Month => {
                    // Still open: overdue at the end of its month and of every month since.
                    let first = Month::of(due).max(question.from).index();
                    for index in first..=question.to.index().min(Month::of(now).index()) {
                        at(&mut lines, &index.to_string()).unfinished_late += 1;
                    }
                    continue;
                }
                By::Field => &row.field,
                By::Procedure => &row.procedure_code,
            };
            let line = at(&mut lines, key);
            line.overdue += 1;
            line.unfinished_late += in_period;
        }
        let mut lines: Vec<Line> = lines.into_values().collect();
        for line in &mut lines {
            self.name(question.by, line, now);
        }
        let updated_at = standing.iter().map(|r| r.updated_at).max().map(Timestamp::from_micros);
        Ok(Report {
            total,
            lines,
            updated_at,
            overdue_cut,
        })
    }

    fn name(&self, by: By, line: &mut Line, now: Timestamp) {
        match by {
            By::Month => {
                let month = Month::from_index(line.key.parse().unwrap_or_default());
                line.name = month.label();
                line.key = month.to_string();
            }
            By::Field => {
                let packages = self.dossiers.shelf().all_on(now.legal_date());
                let name = packages
                    .iter()
                    .find(|p| p.meta.field == line.key)
                    .and_then(|p| p.meta.field_name.clone());
                line.name = name.unwrap_or_else(|| Text::new(line.key.clone(), ""));
            }
            By::Procedure => line.name = self.procedure_name(&line.key, now),
        }
    }

    fn procedure_name(&self, code: &str, now: Timestamp) -> Text {
        let package = self.dossiers.shelf().on(code, now.legal_date());
        package.map_or_else(|| Text::new(code, ""), |p| p.meta.name.clone())
    }

    /// The two level-4 figures of each service in a year: people online for each other one, and the share of dossiers online.
    ///
    /// # Errors
    /// There is no such agency; the database failed.
    pub async fn services(&self, agency: Option<&str>, year: i64, now: Timestamp) -> Result<Vec<ServiceLine>> {
        let from = Month::from_index(year * 12);
        let question = Question {
            agency: agency.map(str::to_owned),
            from,
            to: from.plus(11),
            by: By::Procedure,
        };
        let report = self.report(&question, now).await?;
        let people = tables::people(&self.store.read(), agency, year).await?;
        let of = |code: &str, online: bool| {
            people
                .iter()
                .filter(|p| p.procedure_code == code && p.online == online)
                .map(|p| p.people)
                .sum()
        };
        Ok(report
            .lines
            .into_iter()
            .filter(|line| line.counts.get(Measure::Received) > 0)
            .map(|line| ServiceLine {
                online_people: of(&line.key, true),
                offline_people: of(&line.key, false),
                received: line.counts.get(Measure::Received),
                online: line.counts.get(Measure::Online),
                procedure: line.key,
                name: line.name,
            })
            .collect())
    }

    /// Makes all figures anew from the dossiers; `progress` hears how many are done. Entries that arrive meanwhile are kept
    /// as always. Until it ends the published figures are incomplete.
    ///
    /// # Errors
    /// The database failed; run it again.
    pub async fn rebuild(&self, progress: &mut (dyn FnMut(u64) + Send)) -> Result<()> {
        transact!(self.store, |tx| { tables::clear(&tx).await })?;
        let (mut after, mut done) = (None, 0_u64);
        loop {
            let ids = self.dossiers.ids_after(after, REBUILD_PAGE).await?;
            let Some(last) = ids.last().copied() else { return Ok(()) };
            let mut facts = Vec::with_capacity(ids.len());
            for id in ids {
                match self.dossiers.figures(id).await {
                    Ok(figures) => facts.push(Fact::of(&figures)),
                    Err(Error::Refused(Kind::NotFound, _)) => {}
                    Err(error) => return Err(error),
                }
            }
            transact!(self.store, |tx| {
                for fact in &facts {
                    tables::apply(&tx, fact, fact.latest()).await?;
                }
                Ok(())
            })?;
            done += facts.len() as u64;
            progress(done);
            after = Some(last);
        }
    }
}

fn at<'a>(lines: &'a mut BTreeMap<String, Line>, key: &str) -> &'a mut Line {
    lines
        .entry(key.to_owned())
        .or_insert_with(|| Line::new(key.to_owned(), Text::default()))
}
