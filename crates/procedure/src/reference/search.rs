//! Search for units by name, with or without diacritics, under the present or a former name.

use std::cmp::Reverse;

use base::text::{fold, nfc};
use jiff::civil::Date;

use super::units::{Level, Successors, Unit, UnitCode, Units};

/// The folded names of all units, in the order of the units.
#[derive(Debug)]
pub(super) struct Index(Vec<Keys>);

#[derive(Debug)]
struct Keys {
    /// `hoa lu`.
    name: Box<str>,
    /// `phuong`.
    kind: Box<str>,
}

impl Index {
    pub(super) fn new(units: &[Unit]) -> Self {
        // Nine kinds over fourteen thousand units: folded once each.
        let mut kinds: Vec<(super::UnitKind, Box<str>)> = Vec::new();
        let mut keys = Vec::with_capacity(units.len());
        for unit in units {
            let kind = match kinds.iter().find(|(k, _)| *k == unit.kind) {
                Some((_, folded)) => folded.clone(),
                None => {
                    let folded: Box<str> = fold(unit.kind.label(base::Lang::Vi)).into();
                    kinds.push((unit.kind, folded.clone()));
                    folded
                }
            };
            keys.push(Keys {
                name: fold(&unit.name).into(),
                kind,
            });
        }
        Self(keys)
    }

    pub(super) fn name(&self, n: usize) -> &str {
        &self.0[n].name
    }
}

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// The day on which the units that are found are in force.
    pub at: Date,
    /// Only this level.
    pub level: Option<Level>,
    /// Only within this province.
    pub province: Option<UnitCode>,
    /// How many at most.
    pub limit: usize,
}

/// A unit that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit<'a> {
    /// The unit, in force on the day of the scope.
    pub unit: &'a Unit,
    /// The former unit whose name matched, where it was not the present name.
    pub former: Option<&'a Unit>,
    /// Whether the former unit was divided, so that `unit` is one of several that took a part.
    pub divided: bool,
}

impl Units {
    /// The units whose name, kind and province hold all words of `query` (the last word may be unfinished), the best
    /// match first: the name in full, its beginning, a part of it, its words in any order; and for each of these
    /// present names before former ones.
    pub fn search(&self, query: &str, scope: Scope) -> Vec<Hit<'_>> {
        let (folded, marked) = (fold(query), nfc(query).to_lowercase());
        let words: Vec<&str> = folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .collect();
        if words.is_empty() || scope.limit == 0 {
            return Vec::new();
        }
        let query = words.join(" ");
        let index = self.index();
        let mut ranked: Vec<(u8, &str, Hit<'_>)> = Vec::new();
        for (n, unit) in self.iter().enumerate() {
            let Some(rank) = self.rank(index, n, unit, &words, &query) else {
                continue;
            };
            if unit.holds_on(scope.at) {
                if scope.takes(unit) {
                    ranked.push((
                        2 * rank,
                        index.name(n),
                        Hit {
                            unit,
                            former: None,
                            divided: false,
                        },
                    ));
                }
            } else if unit.valid_to.is_some_and(|last| last < scope.at) {
                let (parts, divided) = match self.successors(unit, scope.at) {
                    Some(Successors::One(unit)) => (vec![unit], false),
                    Some(Successors::Split(parts)) => (
                        parts.into_iter().filter(|p| !p.doubtful).map(|p| p.unit).collect(),
                        true,
                    ),
                    None => (Vec::new(), false),
                };
                for now in parts.into_iter().filter(|u| scope.takes(u)) {
                    ranked.push((
                        2 * rank + 1,
                        index.name(n),
                        Hit {
                            unit: now,
                            former: Some(unit),
                            divided,
                        },
                    ));
                }
            }
        }
        ranked.sort_by_cached_key(|(rank, name, hit)| {
            // Of the names that were typed in full, the longest was meant: Tân Thạnh, not Tân.
            let typed = if *rank < 2 { Reverse(name.len()) } else { Reverse(0) };
            // With its marks, the name that was meant: Tân Thạnh, not Tân Thành.
            let unlike = !marked.contains(&hit.former.unwrap_or(hit.unit).name.to_lowercase());
            (*rank, typed, unlike, *name, hit.unit.code, hit.former.map(|u| u.code))
        });
        let mut hits: Vec<Hit<'_>> = Vec::new();
        for (_, _, hit) in ranked {
            if hits.len() == scope.limit {
                break;
            }
            if !hits.iter().any(|h| h.unit == hit.unit) {
                hits.push(hit);
            }
        }
        hits
    }

    /// How well a unit matches; smaller is better.
    fn rank(&self, index: &Index, n: usize, unit: &Unit, words: &[&str], query: &str) -> Option<u8> {
        let keys = &index.0[n];
        let (last, first) = words.split_last()?;
        let own = |word: &str, whole: bool| holds(&keys.name, word, whole) || holds(&keys.kind, word, whole);
        let own_all = first.iter().all(|w| own(w, true)) && own(last, false);
        // A word of the name must match before the province above is asked.
        let matched = own_all
            || words.iter().any(|w| holds(&keys.name, w, true))
                && unit
                    .province
                    .and_then(|code| self.position(code, unit.valid_from))
                    .is_some_and(|p| {
                        let above = &index.0[p];
                        let any = |word: &str, whole: bool| {
                            own(word, whole) || holds(&above.name, word, whole) || holds(&above.kind, word, whole)
                        };
                        first.iter().all(|w| any(w, true)) && any(last, false)
                    });
        if !matched {
            return None;
        }
        let bare = query.strip_prefix(&*keys.kind).map_or(query, str::trim_start);
        let whole_name = [bare, query]
            .iter()
            .any(|q| q.strip_prefix(&*keys.name).is_some_and(starts_new_word));
        Some(if whole_name {
            0
        } else if keys.name.starts_with(bare) {
            1
        } else if keys.name.contains(bare) {
            2
        } else {
            3
        })
    }

    fn position(&self, code: UnitCode, on: Date) -> Option<usize> {
        self.iter()
            .as_slice()
            .partition_point(|u| u.code < code)
            .checked_add(self.versions(code).iter().position(|u| u.holds_on(on))?)
    }
}

impl Scope {
    fn takes(&self, unit: &Unit) -> bool {
        self.level.is_none_or(|level| unit.code.level() == level)
            && self
                .province
                .is_none_or(|code| unit.code == code || unit.province == Some(code))
    }
}

/// Whether one of the words of `text` is `word`, or begins with it.
fn holds(text: &str, word: &str, whole: bool) -> bool {
    let mut from = 0;
    while let Some(found) = text[from..].find(word) {
        let (start, end) = (from + found, from + found + word.len());
        let begins = text[..start].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        if begins && (!whole || starts_new_word(&text[end..])) {
            return true;
        }
        from = end;
    }
    false
}

/// Whether what follows a word does not go on with it.
fn starts_new_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !c.is_alphanumeric())
}
