//! Where an address names units.

use super::{
    gazetteer::{Gazetteer, Level, Unit},
    spelling,
    tokens::{START, Tokens, hash},
};

/// A place in an address that may name a unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention {
    /// The tokens of the name, from and to before.
    pub start: usize,
    pub end: usize,
    /// The first token of the word for the kind, where there is one.
    pub whole: usize,
    /// The unit.
    pub unit: u32,
    /// Its weight.
    pub score: i32,
    /// Whether the text leaves no doubt that a unit is named here: a word for its kind, or a segment of its own.
    pub explicit: bool,
    /// Letters that differ.
    pub mistakes: usize,
    /// Whether the text has marks and they are others.
    pub other_marks: bool,
}

impl Mention {
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.whole < other.end && other.whole < self.end
    }
}

/// The mentions of an address, by level.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub provinces: Vec<Mention>,
    pub districts: Vec<Mention>,
    pub communes: Vec<Mention>,
}

/// The word before a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that helps.
    Nothing,
    /// The word for a kind of unit, in full, and how many tokens it takes.
    Kind(&'static str, usize),
    /// A word that says this is no unit: a street, a hamlet.
    Other,
}

fn before(tokens: &Tokens, at: usize) -> Before {
    let Some(here) = tokens.list.get(at) else {
        return Before::Nothing;
    };
    let word = |back: usize| {
        let n = at.checked_sub(back)?;
        tokens
            .list
            .get(n)
            .filter(|t| t.segment == here.segment)
            .map(|_| tokens.key(n))
    };
    let Some(one) = word(1) else {
        return Before::Nothing;
    };
    if let Some(two) = word(2) {
        let kind = match (two, one) {
            ("thi", "xa") | ("t", "x") => "thị xã",
            ("thi", "tran") | ("t", "t") => "thị trấn",
            ("thanh", "pho") | ("t", "p") => "thành phố",
            ("dac", "khu") => "đặc khu",
            ("khu", "pho") => return Before::Other,
            _ => "",
        };
        if !kind.is_empty() {
            return Before::Kind(kind, 2);
        }
    }
    let kind = match one {
        "phuong" | "p" | "f" => "phường",
        "xa" | "x" => "xã",
        "tt" => "thị trấn",
        "dk" => "đặc khu",
        "quan" | "q" => "quận",
        "huyen" | "h" => "huyện",
        "tx" => "thị xã",
        "tp" => "thành phố",
        "tinh" | "t" => "tỉnh",
        "duong" | "pho" | "thon" | "ap" | "xom" | "to" | "ngo" | "hem" | "ngach" | "khu" | "buon" | "so" | "kp"
        | "kdt" | "chung" | "toa" => {
            return Before::Other;
        }
        _ => return Before::Nothing,
    };
    Before::Kind(kind, 1)
}

fn level_fits(kind: &str, level: Level) -> bool {
    match kind {
        "thành phố" => level != Level::Commune,
        "tỉnh" => level == Level::Province,
        "quận" | "huyện" | "thị xã" => level == Level::District,
        _ => level == Level::Commune,
    }
}

impl Reading {
    /// Every place where a name of the gazetteer stands.
    pub fn of(gazetteer: &Gazetteer, tokens: &Tokens) -> Self {
        let mut reading = Self::default();
        for start in 0..tokens.list.len() {
            let Some(first) = tokens.list.get(start) else {
                break;
            };
            let word = before(tokens, start);
            let mut key = START;
            for end in start + 1..=tokens.list.len().min(start + gazetteer.longest()) {
                let last = end - 1;
                if tokens.list.get(last).is_none_or(|t| t.segment != first.segment) {
                    break;
                }
                key = hash(key, tokens.key(last));
                let run = tokens.run(start, end);
                for at in gazetteer.named(key) {
                    let Some(unit) = gazetteer.unit(*at) else {
                        continue;
                    };
                    if *unit.key == *run || unit.level == Level::Province {
                        reading.note(tokens, unit, *at, start..end, word, 0);
                    }
                }
            }
        }
        reading
    }

    fn note(
        &mut self,
        tokens: &Tokens,
        unit: &Unit,
        at: u32,
        run: std::ops::Range<usize>,
        word: Before,
        mistakes: usize,
    ) {
        let (start, end) = (run.start, run.end);
        let short = unit.key.len() <= 2 || unit.key.bytes().all(|b| b.is_ascii_digit());
        let (whole, kind_score) = match word {
            Before::Kind(kind, _) if !level_fits(kind, unit.level) => return,
            Before::Kind(kind, size) => (start.saturating_sub(size), if *unit.kind == *kind { 20 } else { 8 }),
            Before::Nothing | Before::Other if short => return,
            Before::Nothing => (start, 0),
            Before::Other => (start, -20),
        };
        let segment = |n: usize| tokens.list.get(n).map(|t| t.segment);
        let opens = whole.checked_sub(1).is_none_or(|n| segment(n) != segment(whole));
        let closes = segment(end) != segment(end - 1);
        let (marked, marks) = tokens.marks(start, end);
        // Another name of a province has marks of its own.
        let judged = marked && mistakes == 0 && *unit.key == *tokens.run(start, end);
        let marks_score = match (judged, marks == unit.marks) {
            (false, _) => 0,
            (true, true) => 6,
            (true, false) => -12,
        };
        let mention = Mention {
            start,
            end,
            whole,
            unit: at,
            score: 20
                + kind_score
                + if opens && closes { 6 } else { 0 }
                + 2 * i32::try_from(end - start).unwrap_or(0)
                + marks_score
                - 10 * i32::try_from(mistakes).unwrap_or(0),
            explicit: whole < start || opens && closes,
            mistakes,
            other_marks: judged && marks != unit.marks,
        };
        match unit.level {
            // "đường Nguyễn Huệ" is not in Huế.
            Level::Province if mention.other_marks && !mention.explicit => {}
            Level::Province => self.provinces.push(mention),
            Level::District => self.districts.push(mention),
            Level::Commune => self.communes.push(mention),
        }
    }

    /// Looks for misspelt names where the address should have one and none was found: a province at the end, a district or
    /// commune after its word or in the segment before what is known. Communes are looked for only within what is known.
    pub fn mend(&mut self, gazetteer: &Gazetteer, tokens: &Tokens) {
        let Some(last) = tokens.list.len().checked_sub(1) else {
            return;
        };
        if self.provinces.is_empty() {
            let from = self.tail(tokens, last);
            self.near(gazetteer, tokens, from..last + 1, gazetteer.at_level(Level::Province));
        }
        if !self.districts.iter().any(|m| m.explicit) {
            let runs = self.runs(tokens, &["quận", "huyện", "thị xã", "thành phố"], &[&self.provinces]);
            for run in runs {
                let within = parents(&self.provinces, gazetteer);
                if within.is_empty() {
                    self.near(gazetteer, tokens, run, gazetteer.at_level(Level::District));
                } else {
                    let level = |n: &u32| gazetteer.unit(*n).is_some_and(|u| u.level == Level::District);
                    self.near(gazetteer, tokens, run, within.into_iter().filter(level));
                }
            }
        }
        let runs = self.runs(
            tokens,
            &["xã", "phường", "thị trấn", "đặc khu"],
            &[&self.districts, &self.provinces],
        );
        for run in runs {
            let districts = parents(&self.districts, gazetteer);
            let within = if districts.is_empty() {
                parents(&self.provinces, gazetteer)
            } else {
                districts
            };
            let level = |n: &u32| gazetteer.unit(*n).is_some_and(|u| u.level == Level::Commune);
            self.near(gazetteer, tokens, run, within.into_iter().filter(level));
        }
    }

    /// The first token of the segment that `last` ends, without a word for a kind.
    fn tail(&self, tokens: &Tokens, last: usize) -> usize {
        let segment = tokens.list.get(last).map(|t| t.segment);
        let mut from = last;
        while let Some(n) = from.checked_sub(1)
            && tokens.list.get(n).map(|t| t.segment) == segment
            && !matches!(before(tokens, from), Before::Kind(..))
        {
            from = n;
        }
        from
    }

    /// The runs of tokens where a unit of these kinds should be named: after a word for one, or else the segment before
    /// the first unit that is known.
    fn runs(&self, tokens: &Tokens, kinds: &[&str], known: &[&Vec<Mention>]) -> Vec<std::ops::Range<usize>> {
        let segment = |n: usize| tokens.list.get(n).map(|t| t.segment);
        let first_known = |from: usize| {
            known
                .iter()
                .flat_map(|k| k.iter())
                .filter(|m| m.start >= from)
                .map(|m| m.whole)
                .min()
        };
        let ends = |from: usize| {
            let stop = first_known(from + 1).unwrap_or(tokens.list.len());
            let mut end = from + 1;
            while end < stop && segment(end) == segment(from) && !matches!(before(tokens, end), Before::Kind(..)) {
                end += 1;
            }
            end
        };
        let mut runs: Vec<std::ops::Range<usize>> = (0..tokens.list.len())
            .filter(|n| matches!(before(tokens, *n), Before::Kind(kind, _) if kinds.contains(&kind)))
            .map(|n| n..ends(n))
            .collect();
        if runs.is_empty()
            && let Some(stop) = first_known(0).and_then(|n| n.checked_sub(1))
        {
            let from = self.tail(tokens, stop);
            runs.push(from..stop + 1);
        }
        runs
    }

    /// Notes the units whose names are nearest to what stands in `run`.
    fn near(
        &mut self,
        gazetteer: &Gazetteer,
        tokens: &Tokens,
        run: std::ops::Range<usize>,
        among: impl Iterator<Item = u32>,
    ) {
        let written = tokens.run(run.start, run.end);
        let mut bound = spelling::bound(written.len());
        let mut found: Vec<(usize, u32)> = Vec::new();
        if bound == 0 {
            return;
        }
        for at in among {
            let Some(unit) = gazetteer.unit(at) else {
                continue;
            };
            if let Some(mistakes) = spelling::distance(written, &unit.key, bound).filter(|d| *d > 0) {
                bound = mistakes;
                found.push((mistakes, at));
            }
        }
        found.retain(|(mistakes, _)| *mistakes == bound);
        found.sort_unstable();
        found.dedup();
        let word = before(tokens, run.start);
        for (mistakes, at) in found {
            if let Some(unit) = gazetteer.unit(at) {
                self.note(tokens, unit, at, run.clone(), word, mistakes);
            }
        }
    }
}

/// What lies in the units that are mentioned.
fn parents(mentions: &[Mention], gazetteer: &Gazetteer) -> Vec<u32> {
    let mut units: Vec<u32> = mentions
        .iter()
        .flat_map(|m| gazetteer.children(m.unit).iter().copied())
        .collect();
    units.sort_unstable();
    units.dedup();
    units
}
