//! Reading the figures.

use std::collections::{BTreeMap, BTreeSet};

use ::store::{Store, transact};
use base::{Error, Lang, Result, Text, Timestamp};
use dossier::service::Dossiers;
use view::{decimal, number};

use crate::{
    model::{By, Fact, Line, Measure, Month, Question, Report, ServiceLine, Stock, median},
    store::{self as tables, OverdueRow, StandingRow, StockRow},
};

/// More overdue dossiers than this are not looked at, and the page says so.
pub const OVERDUE_LIMIT: usize = 10_000;
/// Dossiers read at a time when everything is made anew.
const REBUILD_PAGE: u32 = 256;

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

/// How things stand at the moment of reading.
#[derive(Debug)]
pub(crate) struct Present {
    now: Timestamp,
    standing: Vec<StandingRow>,
    late: Vec<OverdueRow>,
    overdue_cut: bool,
    whole: bool,
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
                        field: None,
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

    /// The fields that have figures, with their names, by code.
    ///
    /// # Errors
    /// The database failed.
    pub async fn fields(&self, now: Timestamp) -> Result<Vec<(String, Text)>> {
        let rows = tables::standing(&self.store.read(), None).await?;
        let codes: BTreeSet<String> = rows.into_iter().map(|r| r.field).collect();
        let names = self.field_names(now);
        Ok(codes
            .into_iter()
            .map(|code| {
                let name = names.get(&code).cloned();
                let name = name.unwrap_or_else(|| Text::new(code.clone(), ""));
                (code, name)
            })
            .collect())
    }

    /// Answers a question. Reads counters; of dossiers only those that are overdue, up to [`OVERDUE_LIMIT`].
    ///
    /// # Errors
    /// There is no such agency or field; the database failed.
    pub async fn report(&self, question: &Question, now: Timestamp) -> Result<Report> {
        let present = self
            .present(question.agency.as_deref(), question.field.as_deref(), now)
            .await?;
        self.report_with(question, &present).await
    }

    /// How things stand now, of an agency and a field: read once for all reports of a page.
    ///
    /// # Errors
    /// There is no such agency or field; the database failed.
    pub(crate) async fn present(&self, agency: Option<&str>, field: Option<&str>, now: Timestamp) -> Result<Present> {
        let db = self.store.read();
        let no_agency = || Error::not_found("cơ quan này trong số liệu công khai", "agency in the published figures");
        let no_field = || Error::not_found("lĩnh vực này trong số liệu công khai", "field in the published figures");
        // PostgreSQL takes no NUL in a text: no such code can exist.
        if agency.is_some_and(|code| code.contains('\0')) {
            return Err(no_agency());
        }
        if field.is_some_and(|code| code.contains('\0')) {
            return Err(no_field());
        }
        let mut standing = tables::standing(&db, agency).await?;
        if agency.is_some() && standing.is_empty() {
            return Err(no_agency());
        }
        if let Some(field) = field {
            standing.retain(|row| row.field == field);
            // A field that another agency has is one that this agency has no dossiers of.
            let known = !standing.is_empty() || tables::standing(&db, None).await?.iter().any(|row| row.field == field);
            if !known {
                return Err(no_field());
            }
        }
        let mut late = tables::overdue(&db, agency, field, now, OVERDUE_LIMIT + 1).await?;
        let overdue_cut = late.len() > OVERDUE_LIMIT;
        late.truncate(OVERDUE_LIMIT);
        Ok(Present {
            now,
            standing,
            late,
            overdue_cut,
            whole: tables::is_whole(&db).await?,
        })
    }

    pub(crate) async fn report_with(&self, question: &Question, present: &Present) -> Result<Report> {
        let db = self.store.read();
        let now = present.now;
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
        // How things stand now belongs to the present month.
        let this_month = Month::of(now).index();
        let shows_now = (question.from.index()..=question.to.index()).contains(&this_month);
        let this_month = this_month.to_string();
        total.now_mut();
        if question.by != By::Month {
            lines.values_mut().for_each(|line| {
                line.now_mut();
            });
        } else if shows_now {
            at(&mut lines, &this_month).now_mut();
        }
        for row in &present.standing {
            let add = |line: &mut Line| {
                let now = line.now_mut();
                now.waiting += row.waiting;
                now.in_progress += row.in_progress;
                now.paused += row.paused;
            };
            add(&mut total);
            match question.by {
                By::Month if shows_now => add(at(&mut lines, &this_month)),
                By::Month => {}
                By::Agency => add(at(&mut lines, &row.agency)),
                By::Field => add(at(&mut lines, &row.field)),
                By::Procedure => add(at(&mut lines, &row.procedure_code)),
            }
        }
        if present.whole {
            let stood = tables::stocks(&db, question).await?;
            match question.by {
                By::Month => month_ends(question.to, &stood, &mut total, &mut lines, &this_month),
                By::Agency | By::Field | By::Procedure => period_ends(&stood, &mut total, &mut lines),
            }
        }
        let period_end = question.to.end().min(now);
        for row in &present.late {
            let due = Timestamp::from_micros(row.due_at);
            let in_period = i64::from(due < period_end && !row.pauses.last_over(question.to));
            total.now_mut().overdue += 1;
            total.unfinished_late += in_period;
            let key = match question.by {
                By::Month => {
                    // Still open: overdue at the end of its month and of every month since, unless it was paused then.
                    let first = Month::of(due).max(question.from).index();
                    let months = first..=question.to.index().min(Month::of(now).index());
                    for month in months.map(Month::from_index).filter(|m| !row.pauses.last_over(*m)) {
                        at(&mut lines, &month.index().to_string()).unfinished_late += 1;
                    }
                    if shows_now {
                        at(&mut lines, &this_month).now_mut().overdue += 1;
                    }
                    continue;
                }
                By::Agency => &row.agency,
                By::Field => &row.field,
                By::Procedure => &row.procedure_code,
            };
            let line = at(&mut lines, key);
            line.now_mut().overdue += 1;
            line.unfinished_late += in_period;
        }
        let mut lines: Vec<Line> = lines.into_values().collect();
        self.name(question.by, &mut lines, now);
        let updated_at = present.standing.iter().map(|r| r.updated_at).max();
        Ok(Report {
            total,
            lines,
            updated_at: updated_at.map(Timestamp::from_micros),
            overdue_cut: present.overdue_cut,
        })
    }

    fn name(&self, by: By, lines: &mut [Line], now: Timestamp) {
        let fields = if by == By::Field {
            self.field_names(now)
        } else {
            BTreeMap::new()
        };
        for line in lines {
            match by {
                By::Month => {
                    let month = Month::from_index(line.key.parse().unwrap_or_default());
                    line.name = month.label();
                    line.key = month.to_string();
                }
                By::Agency => line.name = Text::new(self.dossiers.agency_name(&line.key), ""),
                By::Field => {
                    let name = fields.get(&line.key).cloned();
                    line.name = name.unwrap_or_else(|| Text::new(line.key.clone(), ""));
                }
                By::Procedure => line.name = self.procedure_name(&line.key, now),
            }
        }
    }

    /// The names of fields, by code, as the packages in force give them.
    fn field_names(&self, now: Timestamp) -> BTreeMap<String, Text> {
        let packages = self.dossiers.shelf().all_on(now.legal_date());
        let named = packages
            .iter()
            .filter_map(|p| Some((p.meta.field.clone(), p.meta.field_name.clone()?)));
        named.collect()
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
            field: None,
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
                held: line.counts.get(Measure::Held),
                asked_again: line.counts.get(Measure::AskedAgain),
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
            let Some(last) = ids.last().copied() else { break };
            let figures = self.dossiers.figures_of(&ids).await?;
            let facts: Vec<Fact> = figures.iter().map(Fact::of).collect();
            transact!(self.store, |tx| { tables::apply(&tx, &facts, Fact::latest).await })?;
            done += facts.len() as u64;
            progress(done);
            after = Some(last);
        }
        transact!(self.store, |tx| { tables::finish(&tx).await })
    }
}

fn at<'a>(lines: &'a mut BTreeMap<String, Line>, key: &str) -> &'a mut Line {
    lines
        .entry(key.to_owned())
        .or_insert_with(|| Line::new(key.to_owned(), Text::default()))
}

/// What stood at the end of the period.
fn period_ends(stood: &[StockRow], total: &mut Line, lines: &mut BTreeMap<String, Line>) {
    for row in stood {
        for line in [at(lines, &row.line), total] {
            *line.end.get_or_insert_default() += row.into();
        }
    }
}

/// What stood at the end of each month: what stands now, and by how much less stood before the months after it. Months to come
/// have none.
fn month_ends(last: Month, stood: &[StockRow], total: &mut Line, lines: &mut BTreeMap<String, Line>, this_month: &str) {
    // Months of four-digit years are as long as each other: in the order of time they are in the order of letters.
    let at_end_of = |month: &str| {
        let mut end = Stock::default();
        for row in stood
            .iter()
            .filter(|row| row.line.is_empty() || row.line.as_str() > month)
        {
            end += row.into();
        }
        Some(end)
    };
    total.end = at_end_of(&last.index().to_string());
    for (month, line) in lines.iter_mut().filter(|(month, _)| month.as_str() <= this_month) {
        line.end = at_end_of(month);
    }
}
