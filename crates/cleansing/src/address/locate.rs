//! Weighing the readings of an address.

use base::text::composed;
use jiff::civil::Date;

use super::{
    Certainty, Choice, Located, Reason,
    gazetteer::{Gazetteer, Level, Unit},
    reading::{Mention, Reading},
    tokens::Tokens,
};

/// Readings that weigh this much less than the best are still possible.
const MARGIN: i32 = 5;

/// Longer texts are no addresses; their end is what names units.
const LONGEST: usize = 500;

/// One reading: a commune, with what is named above it.
struct Candidate<'r> {
    commune: &'r Mention,
    above: Option<&'r Mention>,
    province: Option<&'r Mention>,
    score: i32,
    reasons: Vec<Reason>,
}

impl Gazetteer {
    /// Finds the commune of today that an address lies in. `written` is the day on which the address was written, where that
    /// is known: it tells names apart that both lists have.
    pub fn locate(&self, address: &str, written: Option<Date>) -> Located<'_> {
        let whole = composed(address);
        let mut from = whole.len().saturating_sub(LONGEST);
        while !whole.is_char_boundary(from) {
            from += 1;
        }
        let text = whole.get(from..).unwrap_or_default();
        let tokens = Tokens::of(text);
        let mut reading = Reading::of(self, &tokens);
        let mut best = self.best(&reading, written);
        let found = best
            .first()
            .is_some_and(|c| c.commune.explicit && !c.reasons.contains(&Reason::Contradiction));
        if !found {
            drop(best);
            reading.mend(self, &tokens);
            best = self.best(&reading, written);
        }
        self.conclude(&whole, from, &tokens, &reading, &best)
    }

    /// The readings that may be meant, the weightiest first.
    fn best<'r>(&self, reading: &'r Reading, written: Option<Date>) -> Vec<Candidate<'r>> {
        let islands = reading.districts.iter().filter(|m| !self.successors(m.unit).is_empty());
        let mut all: Vec<Candidate<'r>> = reading
            .communes
            .iter()
            .chain(islands)
            .filter_map(|m| self.candidate(reading, m, written))
            .collect();
        all.sort_by_key(|c| std::cmp::Reverse(c.score));
        let enough = all.first().map_or(0, |c| c.score - MARGIN);
        // A name in passing (a street called like a commune far away) is no reading at all.
        all.retain(|c| c.score >= enough.max(15));
        let mut seen = Vec::new();
        all.retain(|c| {
            let fresh = !seen.contains(&c.commune.unit);
            seen.push(c.commune.unit);
            fresh
        });
        all
    }

    fn candidate<'r>(
        &self,
        reading: &'r Reading,
        commune: &'r Mention,
        written: Option<Date>,
    ) -> Option<Candidate<'r>> {
        let unit = self.unit(commune.unit)?;
        let mut reasons = Vec::new();
        let mut score = commune.score;
        let apart = |m: &&Mention| !m.overlaps(commune);
        let strongest = |list: &'r [Mention], fits: &dyn Fn(u32) -> bool| {
            list.iter()
                .filter(apart)
                .filter(|m| fits(m.unit))
                .max_by_key(|m| m.score)
        };
        let above = unit.district.and_then(|d| strongest(&reading.districts, &|n| n == d));
        match above {
            Some(m) => score += 10 + m.score / 2,
            None => {
                if unit.district.is_some() {
                    score -= 4;
                    reasons.push(Reason::NoDistrict);
                }
                // Districts named after the commune that are not the one it lies in. A commune of today in a district that
                // it has a part of is how people write while they get used to the new list.
                let city_of_province =
                    |m: &&Mention| reading.provinces.iter().any(|p| p.start == m.start && p.end == m.end);
                let mut others = reading
                    .districts
                    .iter()
                    .filter(apart)
                    .filter(|m| m.explicit && m.start >= commune.end && m.mistakes == 0 && !city_of_province(m))
                    .peekable();
                if others.peek().is_some() {
                    if others.any(|m| self.gave_part(m.unit, commune.unit)) {
                        score += 5;
                    } else {
                        score -= 25;
                        reasons.push(Reason::Contradiction);
                    }
                }
            }
        }
        let home = unit
            .province
            .or((unit.level == Level::Province).then_some(commune.unit));
        let direct = home.and_then(|p| strongest(&reading.provinces, &|n| n == p));
        let merged = || home.and_then(|p| strongest(&reading.provinces, &|n| self.became(p, n) || self.became(n, p)));
        let province = direct.or_else(merged);
        match province {
            Some(m) => score += if direct.is_some() { 20 } else { 12 } + m.score / 4,
            None => {
                score -= 10;
                reasons.push(Reason::NoProvince);
                let above_is_it = |m: &Mention| above.is_some_and(|a| a.start == m.start && a.end == m.end);
                if reading
                    .provinces
                    .iter()
                    .any(|m| !m.overlaps(commune) && m.explicit && m.start >= commune.end && !above_is_it(m))
                {
                    score -= 35;
                    reasons.push(Reason::Contradiction);
                }
            }
        }
        if let Some(day) = written {
            let held = unit.holds_on(day) || !unit.is_current() && day < unit.valid_from;
            score += if held { 8 } else { 0 };
        }
        let same_place = |m: &Mention| m.start == commune.start && m.end == commune.end && m.unit != commune.unit;
        if commune.whole == commune.start && reading.districts.iter().any(same_place) {
            reasons.push(Reason::NoKind);
        }
        for m in [Some(commune), above, province].into_iter().flatten() {
            if m.mistakes > 0 && !reasons.contains(&Reason::Misspelt) {
                reasons.push(Reason::Misspelt);
            }
            if m.other_marks && !reasons.contains(&Reason::OtherMarks) {
                reasons.push(Reason::OtherMarks);
            }
        }
        Some(Candidate {
            commune,
            above,
            province,
            score,
            reasons,
        })
    }

    /// Whether one unit went over into the other.
    fn became(&self, old: u32, new: u32) -> bool {
        self.successors(old).iter().any(|s| s.unit == new)
    }

    /// Whether a commune of a district went over, wholly or in part, into a commune of today.
    fn gave_part(&self, district: u32, commune: u32) -> bool {
        self.children(district).iter().any(|n| self.became(*n, commune))
    }

    fn conclude(
        &self,
        whole: &str,
        from: usize,
        tokens: &Tokens,
        reading: &Reading,
        best: &[Candidate<'_>],
    ) -> Located<'_> {
        let mut choices: Vec<Choice<'_>> = Vec::new();
        let mut reasons = Vec::new();
        let mut split = false;
        for candidate in best {
            let Some(unit) = self.unit(candidate.commune.unit) else {
                continue;
            };
            let successors = self.successors(candidate.commune.unit);
            if unit.is_current() {
                let choice = Choice {
                    unit,
                    written: None,
                    is_default: true,
                    doubtful: false,
                };
                push(&mut choices, choice);
            }
            split |= successors.len() > 1;
            for successor in successors {
                if let Some(now) = self.unit(successor.unit) {
                    let choice = Choice {
                        unit: now,
                        written: Some(unit),
                        is_default: successor.is_default,
                        doubtful: successor.doubtful,
                    };
                    push(&mut choices, choice);
                }
            }
        }
        let contradicted = best.first().is_some_and(|c| c.reasons.contains(&Reason::Contradiction));
        if contradicted && choices.len() > 1 {
            // Communes of that name elsewhere, none where the address says: no choice to offer.
            choices.clear();
        }
        let certainty = match choices.as_slice() {
            [] => {
                reasons.push(Reason::NoCommune);
                if contradicted {
                    reasons.push(Reason::Contradiction);
                }
                Certainty::Unknown
            }
            [only] => {
                if only.doubtful {
                    reasons.push(Reason::DoubtfulMap);
                }
                reasons.extend(best.first().map(|c| c.reasons.clone()).unwrap_or_default());
                match reasons.as_slice() {
                    [] => Certainty::Certain,
                    _ if contradicted => Certainty::Choose,
                    _ => Certainty::Likely,
                }
            }
            several => {
                if split {
                    reasons.push(Reason::Split);
                }
                if best.len() > 1 {
                    let current = |c: &Candidate<'_>| self.unit(c.commune.unit).is_some_and(Unit::is_current);
                    let mixed = best.iter().any(current) && !best.iter().all(current);
                    reasons.push(if mixed { Reason::OldOrNew } else { Reason::SameName });
                }
                if several.iter().any(|c| c.doubtful) {
                    reasons.push(Reason::DoubtfulMap);
                }
                reasons.extend(best.first().map(|c| c.reasons.clone()).unwrap_or_default());
                Certainty::Choose
            }
        };
        let strongest = |list: &[Mention]| {
            list.iter()
                .filter(|m| m.explicit)
                .max_by_key(|m| (m.score, m.start))
                .copied()
        };
        let (above, province) = match best.first() {
            Some(c) => (c.above.copied(), c.province.copied()),
            None => (strongest(&reading.districts), strongest(&reading.provinces)),
        };
        let used = [best.first().map(|c| *c.commune), above, province];
        let first = used.into_iter().flatten().map(|m| m.whole).min();
        let ends = first
            .and_then(|n| tokens.list.get(n))
            .map_or(whole.len(), |t| from + t.start);
        let rest = whole.get(..ends).unwrap_or_default();
        let rest = rest.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '-' | '–' | '.'));
        Located {
            choices,
            certainty,
            reasons,
            within: above.or(province).and_then(|m| self.unit(m.unit)),
            rest: rest.to_owned(),
        }
    }
}

fn push<'g>(choices: &mut Vec<Choice<'g>>, choice: Choice<'g>) {
    if !choices.iter().any(|c| std::ptr::eq(c.unit, choice.unit)) {
        choices.push(choice);
    }
}
