//! Search for units by name, with or without diacritics, under the present or a former name.

use std::cmp::Reverse;

use base::{
    Lang,
    text::{fold, nfc},
};
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

/// The words of a folded name: what stands between them is written in many ways.
fn words(folded: &str) -> Vec<&str> {
    let parts = folded.split(|c: char| !c.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).collect()
}

/// A name as names are compared.
fn plain(name: &str) -> String {
    words(&fold(name)).join(" ")
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
                name: plain(&unit.name).into(),
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
        let words = words(&folded);
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

    /// The communes of a province on `date` that somebody means who writes a name, with or without its kind, of today or from before: one
    /// if that is clear, several to choose from, or none. The full title of a commune that is in force means that commune, also where a
    /// former one bore it.
    pub fn communes_named(&self, name: &str, province: UnitCode, date: Date) -> Vec<&Unit> {
        let scope = Scope {
            at: date,
            level: Some(Level::Commune),
            province: Some(province),
            limit: 12,
        };
        let hits = self.search(name, scope);
        let (wanted, marked) = (plain(name), nfc(name).trim().to_lowercase());
        let bare = self.without_province(&wanted, province, date);
        let is = |name: &str| [bare, &wanted].contains(&plain(name).as_str());
        let mut titled: Vec<_> = hits
            .iter()
            .filter(|hit| hit.former.is_none() && is(&hit.unit.title(Lang::Vi)))
            .collect();
        // With its marks, the name that was meant.
        if titled.len() > 1 {
            titled.retain(|hit| hit.unit.title(Lang::Vi).to_lowercase() == marked);
        }
        if let [hit] = titled.as_slice() {
            return vec![hit.unit];
        }
        let whole = |unit: &Unit| is(&unit.name) || is(&unit.title(Lang::Vi));
        // Every word is one of the name's own: a province that is no more bore some of them too.
        let begun = |unit: &Unit| {
            let own = plain(&unit.title(Lang::Vi));
            bare.split(' ')
                .all(|word| own.split(' ').any(|of| of.starts_with(word)))
        };
        let of = |is_meant: &dyn Fn(&Unit) -> bool| -> Vec<&Unit> {
            let meant = hits.iter().filter(|hit| is_meant(hit.former.unwrap_or(hit.unit)));
            meant.map(|hit| hit.unit).collect()
        };
        let mut meant = of(&whole);
        if meant.is_empty() {
            meant = of(&begun);
        }
        meant.sort_by_key(|unit| unit.code);
        meant.dedup_by_key(|unit| unit.code);
        meant
    }

    /// What is left of a name when that of its province is taken from its end.
    fn without_province<'a>(&self, name: &'a str, province: UnitCode, date: Date) -> &'a str {
        let province = self.versions(province).iter().find(|unit| unit.holds_on(date));
        let named = province.map(|unit| [plain(&unit.title(Lang::Vi)), plain(&unit.name)]);
        let parts = named.iter().flatten();
        parts
            .filter_map(|province| name.strip_suffix(province.as_str())?.strip_suffix(' '))
            .next()
            .unwrap_or(name)
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
