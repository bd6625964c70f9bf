//! What people decided about pairs, what was merged, and how it is undone. Nothing is overwritten: a merge is an entry, its
//! undoing is another, and which records are one person is what follows from all entries.

use base::{Error, Kind, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A record, by the source that it came from and its id there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordRef {
    /// The source: a registry, a file.
    pub source: String,
    /// The id within it.
    pub id: String,
}

impl RecordRef {
    /// Names a record.
    pub fn new(source: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            id: id.into(),
        }
    }
}

/// What a person found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The same person.
    Same,
    /// Two different persons.
    Different,
    /// It cannot be said.
    Unsure,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Act {
    /// Somebody looked at a pair.
    Decided {
        /// A record.
        a: RecordRef,
        /// Another.
        b: RecordRef,
        /// What was found.
        verdict: Verdict,
    },
    /// Records were joined into one person.
    Merged {
        /// Two or more.
        records: Vec<RecordRef>,
    },
    /// An earlier entry counts no more.
    Undone {
        /// Its number.
        entry: u64,
    },
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub number: u64,
    /// Who: an officer, or the rule of an automatic match.
    pub by: String,
    /// Why, in words that others can judge.
    pub why: String,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub act: Act,
}

/// All entries, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Journal {
    entries: Vec<Entry>,
}

/// What follows from all entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Pairs found to be the same person, each in order.
    pub same: BTreeSet<(RecordRef, RecordRef)>,
    /// Pairs found to be different persons.
    pub different: BTreeSet<(RecordRef, RecordRef)>,
    /// Pairs that somebody looked at in vain.
    pub unsure: BTreeSet<(RecordRef, RecordRef)>,
    /// The records of each person of whom there is more than one.
    pub persons: Vec<BTreeSet<RecordRef>>,
}

impl Journal {
    /// No entries.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// The entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds an entry and gives its number.
    ///
    /// # Errors
    /// `no-reason`; `one-record` for a pair or merge of fewer than two; `no-such-entry`, `undone-already`,
    /// `not-to-be-undone` for an undoing; `found-different` for a merge or a "same" that would put two records into one
    /// person who were found different; `still-one-person` for a "different" while they are one.
    pub fn append(&mut self, by: &str, why: &str, at: Timestamp, act: Act) -> Result<u64> {
        if why.trim().is_empty() || by.trim().is_empty() {
            return Err(conflict(
                "no-reason",
                "Ghi rõ ai quyết định và vì sao.",
                "Say who decides, and why.",
            ));
        }
        let next = self.entries.len() as u64 + 1;
        let entry = Entry {
            number: next,
            by: by.to_owned(),
            why: why.to_owned(),
            at,
            act,
        };
        self.check(&entry.act)?;
        self.entries.push(entry);
        Ok(next)
    }

    fn check(&self, act: &Act) -> Result<()> {
        match act {
            Act::Undone { entry } => self.check_undoing(*entry),
            Act::Decided { a, b, .. } if a == b => Err(one_record()),
            Act::Merged { records } if records.iter().collect::<BTreeSet<_>>().len() < 2 => Err(one_record()),
            Act::Decided {
                verdict: Verdict::Unsure,
                ..
            } => Ok(()),
            Act::Decided {
                a,
                b,
                verdict: Verdict::Different,
            } => {
                if self.standing_without(a, b).together(a, b) {
                    return Err(conflict(
                        "still-one-person",
                        "Hai bản ghi đang là một người; hãy hoàn tác việc hợp nhất trước.",
                        "The two records are one person now; undo the merge first.",
                    ));
                }
                Ok(())
            }
            Act::Decided { a, b, .. } => self.check_joining(&[a.clone(), b.clone()], Some((a, b))),
            Act::Merged { records } => self.check_joining(records, None),
        }
    }

    fn check_undoing(&self, number: u64) -> Result<()> {
        let found = number
            .checked_sub(1)
            .and_then(|n| self.entries.get(usize::try_from(n).ok()?));
        let Some(found) = found else {
            return Err(conflict(
                "no-such-entry",
                "Không có mục này trong nhật ký.",
                "There is no such entry.",
            ));
        };
        if matches!(found.act, Act::Undone { .. }) {
            return Err(conflict(
                "not-to-be-undone",
                "Không hoàn tác một việc hoàn tác; hãy ghi quyết định mới.",
                "An undoing is not undone; decide anew.",
            ));
        }
        if self.undone().contains(&number) {
            return Err(conflict(
                "undone-already",
                "Mục này đã được hoàn tác.",
                "This entry is undone already.",
            ));
        }
        // What was undone may have stood between two records that have been joined since.
        let mut without = self.clone();
        without.entries.push(Entry {
            number: 0,
            by: String::new(),
            why: String::new(),
            at: found.at,
            act: Act::Undone { entry: number },
        });
        match without.standing().contradiction() {
            Some(_) => Err(found_different()),
            None => Ok(()),
        }
    }

    /// Whether joining these records would join any two that were found different; the decision on the pair `replaced`
    /// counts no more.
    fn check_joining(&self, records: &[RecordRef], replaced: Option<(&RecordRef, &RecordRef)>) -> Result<()> {
        let mut standing = self.standing();
        if let Some((a, b)) = replaced {
            standing.different.remove(&ordered(a, b));
        }
        let mut joined: BTreeSet<RecordRef> = records.iter().cloned().collect();
        for person in &standing.persons {
            if person.iter().any(|r| records.contains(r)) {
                joined.extend(person.iter().cloned());
            }
        }
        let apart = |(a, b): &(RecordRef, RecordRef)| joined.contains(a) && joined.contains(b);
        if standing.different.iter().any(apart) {
            Err(found_different())
        } else {
            Ok(())
        }
    }

    fn undone(&self) -> BTreeSet<u64> {
        let undone = |e: &Entry| match e.act {
            Act::Undone { entry } => Some(entry),
            _ => None,
        };
        self.entries.iter().filter_map(undone).collect()
    }

    /// Which records are one person, and which are not, after all entries. Of several decisions on a pair the last counts.
    pub fn standing(&self) -> Standing {
        self.fold(|_, _| true)
    }

    /// The same, as if nothing had been decided on one pair.
    fn standing_without(&self, a: &RecordRef, b: &RecordRef) -> Standing {
        let pair = ordered(a, b);
        self.fold(|x, y| ordered(x, y) != pair)
    }

    fn fold(&self, counts: impl Fn(&RecordRef, &RecordRef) -> bool) -> Standing {
        let undone = self.undone();
        let mut verdicts: BTreeMap<(RecordRef, RecordRef), Verdict> = BTreeMap::new();
        let mut joins: Vec<Vec<RecordRef>> = Vec::new();
        for entry in self.entries.iter().filter(|e| !undone.contains(&e.number)) {
            match &entry.act {
                Act::Decided { a, b, verdict } if counts(a, b) => {
                    verdicts.insert(ordered(a, b), *verdict);
                }
                Act::Merged { records } => joins.push(records.clone()),
                Act::Decided { .. } | Act::Undone { .. } => {}
            }
        }
        let mut standing = Standing::default();
        for (pair, verdict) in verdicts {
            match verdict {
                Verdict::Same => {
                    joins.push(vec![pair.0.clone(), pair.1.clone()]);
                    standing.same.insert(pair);
                }
                Verdict::Different => {
                    standing.different.insert(pair);
                }
                Verdict::Unsure => {
                    standing.unsure.insert(pair);
                }
            }
        }
        for join in joins {
            let mut person: BTreeSet<RecordRef> = join.into_iter().collect();
            let (touched, apart) = standing.persons.into_iter().partition(|p| !p.is_disjoint(&person));
            standing.persons = apart;
            let touched: Vec<BTreeSet<RecordRef>> = touched;
            person.extend(touched.into_iter().flatten());
            standing.persons.push(person);
        }
        standing.persons.sort();
        standing
    }
}

impl Standing {
    /// Whether two records are one person.
    pub fn together(&self, a: &RecordRef, b: &RecordRef) -> bool {
        self.persons.iter().any(|p| p.contains(a) && p.contains(b))
    }

    fn contradiction(&self) -> Option<&(RecordRef, RecordRef)> {
        self.different.iter().find(|(a, b)| self.together(a, b))
    }
}

fn ordered(a: &RecordRef, b: &RecordRef) -> (RecordRef, RecordRef) {
    if a <= b {
        (a.clone(), b.clone())
    } else {
        (b.clone(), a.clone())
    }
}

fn one_record() -> Error {
    conflict(
        "one-record",
        "Cần ít nhất hai bản ghi khác nhau.",
        "Two different records or more are needed.",
    )
}

fn found_different() -> Error {
    conflict(
        "found-different",
        "Trong đó có hai bản ghi đã được kết luận là của hai người khác nhau.",
        "Two of these records were found to be of different persons.",
    )
}

fn conflict(code: &str, vi: &str, en: &str) -> Error {
    Error::refused(Kind::Conflict, code, vi, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_micros(0);

    fn record(id: &str) -> RecordRef {
        RecordRef::new("population", id)
    }

    fn merge(ids: &[&str]) -> Act {
        Act::Merged {
            records: ids.iter().map(|id| record(id)).collect(),
        }
    }

    fn decide(a: &str, b: &str, verdict: Verdict) -> Act {
        Act::Decided {
            a: record(a),
            b: record(b),
            verdict,
        }
    }

    fn code(result: Result<u64>) -> String {
        let error = result.expect_err("refused");
        error
            .problems()
            .and_then(|p| p.iter().next())
            .map(|p| p.code.clone())
            .unwrap_or_default()
    }

    #[test]
    fn a_merge_is_undone_and_what_others_joined_stays() {
        let mut journal = Journal::new();
        let first = journal
            .append("lan", "same card", AT, merge(&["1", "2"]))
            .expect("merged");
        journal
            .append("lan", "same mother", AT, decide("2", "3", Verdict::Same))
            .expect("decided");
        assert_eq!(journal.standing().persons, [["1", "2", "3"].map(record).into()]);
        journal
            .append("minh", "the card was another's", AT, Act::Undone { entry: first })
            .expect("undone");
        assert_eq!(journal.standing().persons, [["2", "3"].map(record).into()]);
        assert_eq!(
            code(journal.append("minh", "again", AT, Act::Undone { entry: first })),
            "undone-already"
        );
        assert_eq!(
            code(journal.append("minh", "undo the undoing", AT, Act::Undone { entry: 3 })),
            "not-to-be-undone"
        );
        assert_eq!(
            code(journal.append("minh", "what", AT, Act::Undone { entry: 9 })),
            "no-such-entry"
        );
        let read: Journal =
            serde_json::from_str(&serde_json::to_string(&journal).expect("JSON")).expect("its own JSON");
        assert_eq!(read, journal);
    }

    #[test]
    fn what_was_found_different_is_not_joined_even_through_a_third() {
        let mut journal = Journal::new();
        journal
            .append("lan", "two cards", AT, decide("1", "3", Verdict::Different))
            .expect("decided");
        journal
            .append("rule", "number and place", AT, merge(&["1", "2"]))
            .expect("merged");
        assert_eq!(
            code(journal.append("rule", "place", AT, merge(&["2", "3"]))),
            "found-different"
        );
        assert_eq!(
            code(journal.append("lan", "same", AT, decide("2", "3", Verdict::Same))),
            "found-different"
        );
        assert_eq!(
            code(journal.append("lan", "not", AT, decide("1", "2", Verdict::Different))),
            "still-one-person"
        );
        journal
            .append("lan", "I was wrong", AT, decide("3", "1", Verdict::Same))
            .expect("the last decision counts");
        assert_eq!(journal.standing().persons, [["1", "2", "3"].map(record).into()]);
        assert_eq!(
            code(
                journal
                    .append("lan", "back", AT, Act::Undone { entry: 2 })
                    .map(|_| 0)
                    .and(journal.append("", "x", AT, merge(&["5", "6"])))
            ),
            "no-reason"
        );
        assert_eq!(
            code(journal.append("lan", "alone", AT, merge(&["5", "5"]))),
            "one-record"
        );
    }

    #[test]
    fn undoing_a_decision_may_not_bring_back_a_contradiction() {
        let mut journal = Journal::new();
        journal
            .append("lan", "two cards", AT, decide("1", "2", Verdict::Different))
            .expect("different");
        let same = journal
            .append("lan", "one card after all", AT, decide("1", "2", Verdict::Same))
            .expect("same");
        journal
            .append("rule", "number", AT, merge(&["1", "2"]))
            .expect("merged");
        assert_eq!(
            code(journal.append("minh", "unsure", AT, Act::Undone { entry: same })),
            "found-different"
        );
    }
}
