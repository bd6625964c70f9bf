//! Seeing that a dossier will be late before it is: by when each open step must be done so that what must follow it still
//! fits before the dossier is due.

use base::{Text, Timestamp, calendar::Calendar};
use procedure::process::{BudgetUnit, TimeBudget};
use serde::{Deserialize, Serialize};

use super::state::{Rules, State};

/// By when an open step, or the answer that a token waits for, must be there: the due instant less the time budgets of the
/// steps that must still follow (see [`procedure::process::Process::must_follow`]), in working time. Never after `due`.
pub fn finish_by(state: &State, token: u32, due: Timestamp, rules: Rules<'_>) -> Timestamp {
    let ahead = rules.package.process.must_follow(&state.process, token);
    let end = rules.calendar.sub_working_micros(due, 0);
    ahead
        .iter()
        .rev()
        .fold(end, |by, step| less(rules.calendar, by, step.budget))
}

/// As [`finish_by`], of everything that is open, by its token; nothing while no time limit runs.
pub fn all(state: &State, due: Option<Timestamp>, rules: Rules<'_>) -> Vec<(u32, Timestamp)> {
    let Some(due) = due else { return Vec::new() };
    let steps = state.tasks.iter().map(|t| t.token);
    let answers = state.consultations.iter().filter_map(|c| c.token);
    steps
        .chain(answers)
        .map(|token| (token, finish_by(state, token, due, rules)))
        .collect()
}

/// `budget` before `until`, at a time of work.
fn less(calendar: &Calendar, until: Timestamp, budget: TimeBudget) -> Timestamp {
    const HOUR: i64 = 3_600_000_000;
    let qty = i64::from(budget.qty);
    match budget.unit {
        BudgetUnit::WorkingDays => calendar.sub_working_days(until, budget.qty),
        BudgetUnit::WorkingHours => calendar.sub_working_micros(until, qty * HOUR),
        BudgetUnit::Days => calendar.sub_working_micros(until.plus_micros(-qty * 24 * HOUR), 0),
        BudgetUnit::Hours => calendar.sub_working_micros(until.plus_micros(-qty * HOUR), 0),
    }
}

/// How an open step stands, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// The dossier is past its due date (quá hạn).
    Overdue,
    /// What must still follow does not fit any more before the due date (có nguy cơ trễ).
    Risk,
    /// Within a working day it will not, or the step has outrun its own time (sắp trễ).
    Soon,
    /// There is time.
    Fine,
    /// No time limit runs.
    Paused,
}

/// The instants by which an open step is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// By when the step is due by its own budget.
    pub step: Option<Timestamp>,
    /// By when it must be done for the dossier to be in time.
    pub finish_by: Option<Timestamp>,
    /// By when the dossier is due.
    pub due: Option<Timestamp>,
}

impl Limits {
    /// The instant by which steps are ordered.
    pub fn urgent(self) -> Option<Timestamp> {
        self.step.into_iter().chain(self.finish_by).chain(self.due).min()
    }

    /// How the step stands at `now`; `soon` is one working day later.
    pub fn outlook(self, now: Timestamp, soon: Timestamp) -> Outlook {
        let passed = |at: Option<Timestamp>| at.is_some_and(|at| at < now);
        match self.urgent() {
            None => Outlook::Paused,
            Some(_) if passed(self.due) => Outlook::Overdue,
            Some(_) if passed(self.finish_by) => Outlook::Risk,
            Some(at) if at < soon => Outlook::Soon,
            Some(_) => Outlook::Fine,
        }
    }
}

impl Outlook {
    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Overdue => Text::new("Quá hạn", "Overdue"),
            Self::Risk => Text::new("Có nguy cơ trễ", "At risk"),
            Self::Soon => Text::new("Sắp trễ", "Due soon"),
            Self::Fine => Text::new("Còn thời gian", "In time"),
            Self::Paused => Text::new("Tạm dừng", "Paused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        sync::{Arc, LazyLock},
    };

    use jiff::civil::date;
    use procedure::{
        form::{Answers, Applicant, Channel, Context},
        package::Package,
        process::{FieldKind, Input, Instance, MessageTo, NodeKind},
        reference::Reference,
    };
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn calendar() -> Calendar {
        let text = include_str!("../../../../data/calendar/viet-nam.toml");
        Calendar::new(toml::from_str(text).expect("TOML")).expect("sound")
    }

    static PACKAGES: LazyLock<Vec<Arc<Package>>> = LazyLock::new(|| {
        let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
        ["1.001193", "1.004873", "2.000635", "1.013225"]
            .iter()
            .map(|code| Package::load_dir(&catalogue.join(code)).expect("a good package"))
            .collect()
    });
    static REFERENCE: LazyLock<Reference> = LazyLock::new(|| Reference::embedded().expect("reference data"));
    static CALENDAR: LazyLock<Calendar> = LazyLock::new(calendar);

    fn started(package: &Package) -> Instance {
        let facts = procedure::form::Facts::default();
        let ctx = Context {
            applicant: &Applicant::default(),
            channel: Channel::Online,
            today: date(2026, 11, 20),
            facts: &facts,
            units: &REFERENCE.units,
        };
        let variables = package.process_variables(&Answers::new(), &ctx);
        let mut instance = Instance::default();
        let start = Input::Start { variables };
        package
            .process
            .step(&mut instance, &start, package.feel())
            .expect("it starts");
        instance
    }

    /// The open steps with their finish-by instants.
    fn open(
        package: &Package,
        instance: &Instance,
        due: Timestamp,
        calendar: &Calendar,
    ) -> Vec<(u32, String, Timestamp)> {
        let tasks = instance
            .tokens
            .iter()
            .filter(|t| package.process.task(&t.node).is_some());
        tasks
            .map(|t| {
                let ahead = package.process.must_follow(instance, t.id);
                let end = calendar.sub_working_micros(due, 0);
                let by = ahead.iter().rev().fold(end, |by, step| less(calendar, by, step.budget));
                (t.id, t.node.clone(), by)
            })
            .collect()
    }

    #[test]
    fn what_must_follow_is_the_shortest_ordinary_way() {
        let ahead = |package: &Package, instance: &Instance| -> Vec<String> {
            let token = instance.tokens[0].id;
            let ahead = package.process.must_follow(instance, token);
            ahead.iter().map(|a| format!("{} {}", a.node, a.budget)).collect()
        };
        for package in PACKAGES.iter() {
            let instance = started(package);
            let expected: &[&str] = match package.id.code.as_str() {
                // A refusal to receive is shorter, and no ordinary end.
                "1.001193" | "2.000635" => &["review 3wh", "sign 1wh", "deliver 1wh"],
                "1.004873" => &["review 1wd", "sign 4wh", "deliver 4wh"],
                _ => &["review 2wd", "draft 1wd", "sign 1wd", "deliver 4wh"],
            };
            assert_eq!(ahead(package, &instance), expected, "{}", package.id);
        }
    }

    #[test]
    fn a_step_stands_as_its_worst_limit_says() {
        let at = |hours: i64| Timestamp::from_micros(hours * 3_600_000_000);
        let limits = |step, finish_by, due| Limits { step, finish_by, due };
        let outlook = |l: Limits| l.outlook(at(100), at(124));
        assert_eq!(outlook(limits(None, None, None)), Outlook::Paused);
        assert_eq!(outlook(limits(None, Some(at(10)), Some(at(99)))), Outlook::Overdue);
        assert_eq!(
            outlook(limits(Some(at(300)), Some(at(99)), Some(at(100)))),
            Outlook::Risk
        );
        assert_eq!(
            outlook(limits(Some(at(99)), Some(at(200)), Some(at(300)))),
            Outlook::Soon
        );
        assert_eq!(outlook(limits(None, Some(at(123)), Some(at(300)))), Outlook::Soon);
        assert_eq!(
            outlook(limits(Some(at(130)), Some(at(200)), Some(at(300)))),
            Outlook::Fine
        );
        assert!(Outlook::Overdue < Outlook::Risk && Outlook::Risk < Outlook::Soon);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever way officers take: no step must be done after the dossier is due, and the next step of the least way
        /// never before the one that it follows.
        #[test]
        fn the_next_step_is_never_to_be_done_before_this_one(
            which in 0_usize..4,
            minutes in 0_i64..700_000,
            choices in proptest::collection::vec((0_usize..8, 0_usize..8), 1..25),
        ) {
            let (package, calendar) = (&PACKAGES[which], &*CALENDAR);
            let due = Timestamp::from_legal(date(2026, 1, 5).at(8, 0, 0, 0)).plus_seconds(minutes * 60);
            let mut instance = started(package);
            for (which, how) in choices {
                let before = open(package, &instance, due, calendar);
                for (token, node, by) in &before {
                    prop_assert!(*by <= due, "{node}: {by:?} after {due:?}");
                    let mut earlier = *by;
                    let ahead = package.process.must_follow(&instance, *token);
                    for (n, step) in ahead.iter().enumerate() {
                        let rest = ahead[n + 1..].iter().rev();
                        let end = calendar.sub_working_micros(due, 0);
                        let next = rest.fold(end, |by, step| less(calendar, by, step.budget));
                        prop_assert!(next >= earlier, "{node}: {} comes first", step.node);
                        earlier = next;
                    }
                }
                if before.is_empty() {
                    // Only answers and services are waited for: all of them come, and services have failed or not.
                    let waits: Vec<String> = instance.tokens.iter().map(|t| t.node.clone()).collect();
                    let Some((token, node)) = instance.tokens.first().map(|t| (t.id, t.node.as_str())) else { break };
                    let is_service = package.process.node(node).is_some_and(|n| matches!(n.kind, NodeKind::Service { .. }));
                    let input = if is_service {
                        Input::ServiceDone { token, result: json!({ "done": how % 2 == 0 }) }
                    } else {
                        Input::MessageArrived { to: MessageTo::Token(token), payload: json!({ "agrees": true }) }
                    };
                    let moved = package.process.step(&mut instance, &input, package.feel());
                    prop_assert!(moved.is_ok(), "{waits:?}: {moved:?}");
                    continue;
                }
                let (token, node, by) = before[which % before.len()].clone();
                let least = package.process.must_follow(&instance, token);
                let (_, task) = package.process.task(&node).expect("a step");
                let outcome = &task.outcomes[how % task.outcomes.len()];
                let fields = task.fields.iter().filter(|f| f.required && f.belongs_to(&outcome.id));
                let fields: Map<String, Value> = fields.map(|f| (f.id.clone(), sample(&f.kind))).collect();
                let input = Input::CompleteTask { token, outcome: outcome.id.clone(), fields };
                let moved = package.process.step(&mut instance, &input, package.feel());
                prop_assert!(moved.is_ok(), "{node}: {moved:?}");
                for (_, next, then) in open(package, &instance, due, calendar) {
                    if least.first().is_some_and(|l| l.node == next) {
                        prop_assert!(then >= by, "{next} by {then:?}, but {node} by {by:?}");
                    }
                }
            }
        }
    }

    fn sample(kind: &FieldKind) -> Value {
        match kind {
            FieldKind::Date => json!("2026-11-20"),
            FieldKind::Number => json!(1),
            FieldKind::YesNo => json!(true),
            FieldKind::Choice(options) => json!(options[0].value),
            FieldKind::Text | FieldKind::LongText | FieldKind::File => json!("x"),
        }
    }
}
