//! The fold of a history against one that works moment by moment.

use std::collections::HashMap;

use proptest::prelude::*;
use registry::history::{Effect, Entry, Moment, Timeline};

/// Moments that the histories of these tests are about.
pub const MOMENTS: usize = 16;

/// What somebody reports: all numbers are taken modulo what there is.
#[derive(Debug, Clone)]
pub enum Report {
    Assert {
        from: i64,
        length: Option<i64>,
    },
    End {
        at: i64,
    },
    Correct {
        which: usize,
        with: Option<(bool, i64, Option<i64>)>,
    },
}

pub fn report() -> impl Strategy<Value = Report> {
    let moment = 0..MOMENTS as i64;
    let length = proptest::option::of(1..6_i64);
    prop_oneof![
        4 => (moment.clone(), length.clone()).prop_map(|(from, length)| Report::Assert { from, length }),
        1 => moment.clone().prop_map(|at| Report::End { at }),
        2 => (0..20_usize, proptest::option::of((any::<bool>(), moment, length))).prop_map(|(which, with)| Report::Correct { which, with }),
    ]
}

fn moment(at: i64) -> Moment {
    Moment::from_stored(at)
}

fn holds(from: i64, length: Option<i64>) -> Effect {
    Effect::holds(moment(from), length.map(|length| moment(from + length))).expect("not empty")
}

/// The versions of these reports.
pub fn entries(reports: &[Report]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for report in reports {
        let seq = entries.len() as i64 + 1;
        let (effect, corrects) = match report {
            Report::Assert { from, length } => (holds(*from, *length), None),
            Report::End { at } => (Effect::Ends { at: moment(*at) }, None),
            Report::Correct { .. } if entries.is_empty() => continue,
            Report::Correct { which, with } => {
                let corrects = Some((which % entries.len()) as i64 + 1);
                let effect = match with {
                    None => Effect::Void,
                    Some((true, at, _)) => Effect::Ends { at: moment(*at) },
                    Some((false, from, length)) => holds(*from, *length),
                };
                (effect, corrects)
            }
        };
        entries.push(Entry { seq, effect, corrects });
    }
    entries
}

/// What is said of each moment: which version, and whether it says that the record has ended. Written from the rules, with no interval
/// in it.
pub fn moment_by_moment(entries: &[Entry]) -> Vec<Option<(i64, bool)>> {
    let mut root: HashMap<i64, usize> = HashMap::new();
    let mut said: Vec<(i64, Effect)> = Vec::new();
    for entry in entries {
        let place = match entry.corrects {
            Some(corrects) => root[&corrects],
            None => {
                said.push((entry.seq, entry.effect));
                said.len() - 1
            }
        };
        root.insert(entry.seq, place);
        said[place] = (entry.seq, entry.effect);
    }
    let mut cells: Vec<Option<(i64, bool)>> = vec![None; MOMENTS];
    let mut begun: HashMap<i64, usize> = HashMap::new();
    for (seq, effect) in said {
        let (from, to, ended) = match effect {
            Effect::Void => continue,
            Effect::Holds { from, to } => (from.stored() as usize, to.map(|to| to.stored() as usize), false),
            Effect::Ends { at } => (at.stored() as usize, None, true),
        };
        let mut at = from;
        while at < MOMENTS {
            let stops = match to {
                Some(to) => at >= to,
                None => at > from && cells[at].is_some_and(|(other, _)| begun[&other] == at),
            };
            if stops {
                break;
            }
            cells[at] = Some((seq, ended));
            at += 1;
        }
        begun.insert(seq, from);
    }
    cells
}

pub fn cells(timeline: &Timeline) -> Vec<Option<(i64, bool)>> {
    let at = |at: usize| {
        timeline
            .at(moment(at as i64))
            .map(|segment| (segment.seq, segment.ended))
    };
    (0..MOMENTS).map(at).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn the_fold_says_of_each_moment_what_the_rules_say(reports in proptest::collection::vec(report(), 0..14)) {
        let entries = entries(&reports);
        let folded = Timeline::fold(&entries);
        prop_assert_eq!(cells(&folded), moment_by_moment(&entries));
        for pair in folded.segments().windows(2) {
            prop_assert!(pair[0].span.to() <= pair[1].span.from());
        }
    }

    #[test]
    fn one_version_more_is_taken_without_folding_anew(reports in proptest::collection::vec(report(), 1..14)) {
        let entries = entries(&reports);
        if let Some((last, before)) = entries.split_last()
            && last.corrects.is_none()
        {
            let mut timeline = Timeline::fold(before);
            timeline.apply(last.seq, last.effect);
            prop_assert_eq!(timeline, Timeline::fold(&entries));
        }
    }
}

#[test]
fn a_late_report_falls_into_its_place() {
    let reports = [(20, None), (24, None), (22, None)].map(|(from, length)| Report::Assert {
        from: from - 18,
        length,
    });
    let timeline = Timeline::fold(&entries(&reports));
    let spans: Vec<_> = timeline
        .segments()
        .iter()
        .map(|s| (s.seq, s.span.from().stored() + 18, s.span.to()))
        .collect();
    let forever = Moment::FOREVER;
    assert_eq!(spans, [(1, 20, moment(4)), (3, 22, moment(6)), (2, 24, forever)]);
}

#[test]
fn what_runs_on_beneath_begins_nothing() {
    // Since 2 for ever; from 4 until 8 something else; then, told last, since 6 for ever: what comes to light at 8 does not stop it.
    let reports = [(2, None), (4, Some(4)), (6, None)].map(|(from, length)| Report::Assert { from, length });
    let cells = cells(&Timeline::fold(&entries(&reports)));
    assert_eq!(cells[3], Some((1, false)));
    assert_eq!(cells[5], Some((2, false)));
    assert_eq!(cells[9], Some((3, false)));
}
