//! The index: for each word, in which procedures it stands and where in them.

use std::collections::{BTreeMap, HashMap};

use base::{Error, Kind, Result, Text};
use jiff::civil::Date;

use super::{
    MAX_PAGE, MAX_QUERY, Query, Reading, Results, Summary,
    filter::{Filter, bit},
    near::within_one,
    words::{is_filler, slug, spelled, split},
};
use crate::{
    catalogue::{
        model::{Entry, Level, Sort},
        oddity::Severity,
    },
    reference::LifeEvent,
};

/// Where a word stands; a word may stand in several places.
mod place {
    pub const NAME: u8 = 1;
    pub const KEYWORD: u8 = 2;
    pub const CODE: u8 = 4;
    pub const FIELD: u8 = 8;
    pub const LIFE: u8 = 16;
    pub const AGENCY: u8 = 32;
}

/// What a word is worth, by the best place where it stands.
fn weight(places: u8) -> i32 {
    let worth = |p: u8, w: i32| if places & p == 0 { 0 } else { w };
    worth(place::NAME, 300)
        .max(worth(place::CODE, 300))
        .max(worth(place::KEYWORD, 200))
        .max(worth(place::FIELD, 80))
        .max(worth(place::LIFE, 60))
        .max(worth(place::AGENCY, 40))
}

#[derive(Debug)]
pub(super) struct Doc {
    pub(super) summary: Summary,
    /// The folded words of the name, joined by spaces, with a space before and after.
    pub(super) name: Box<str>,
    /// How many words that is.
    pub(super) name_length: i32,
    /// The name as written, in lower case.
    pub(super) spelled: Box<str>,
    /// The folded keywords, each with a space before and after.
    pub(super) keywords: Box<[Box<str>]>,
    pub(super) audiences: u8,
    pub(super) level: Option<Level>,
    pub(super) life_events: Box<[u16]>,
    pub(super) fields: Box<[u16]>,
    /// Promulgating and executing agencies.
    pub(super) agencies: Box<[u16]>,
    /// The promulgating one, for the facet.
    pub(super) issuer: Option<u16>,
    /// Rank when nothing is asked; higher first.
    pub(super) standing: i32,
}

/// Names that documents refer to by number.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) by_slug: HashMap<String, u16>,
    pub(super) names: Vec<(String, Text)>,
}

impl Names {
    fn number(&mut self, id: String, label: &Text) -> u16 {
        if let Some(n) = self.by_slug.get(&id) {
            if let Some((_, known)) = self.names.get_mut(usize::from(*n))
                && known.en.is_empty()
            {
                known.en.clone_from(&label.en);
            }
            return *n;
        }
        // The nation has under a thousand agencies; a hostile list may not overflow the number.
        let n = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        if n < u16::MAX {
            self.by_slug.insert(id.clone(), n);
            self.names.push((id, label.clone()));
        }
        n
    }

    pub(super) fn find(&self, id: &str) -> Option<u16> {
        self.by_slug.get(id).copied()
    }
}

/// The index. Immutable; a new one takes its place after an import.
#[derive(Debug, Default)]
pub struct Index {
    pub(super) docs: Vec<Doc>,
    pub(super) by_code: HashMap<String, u32>,
    /// All words, sorted, so that those with one beginning stand together.
    pub(super) terms: Vec<Box<str>>,
    /// For each word, the documents and the places.
    pub(super) postings: Vec<Box<[(u32, u8)]>>,
    /// For each word, its most frequent spelling with diacritics.
    pub(super) spellings: Vec<Box<str>>,
    pub(super) life_events: Names,
    pub(super) fields: Names,
    pub(super) field_codes: HashMap<String, u16>,
    pub(super) agencies: Names,
}

impl Index {
    /// Builds the index of what holds on `today`. `online` tells what can be filed here.
    pub fn build(entries: &[Entry], life_events: &[LifeEvent], today: Date, online: impl Fn(&str) -> bool) -> Self {
        let mut index = Self::default();
        for event in life_events {
            index.life_events.number(event.id.clone(), &event.title);
        }
        let mut words: HashMap<String, BTreeMap<u32, u8>> = HashMap::new();
        let mut spellings: HashMap<String, HashMap<String, u32>> = HashMap::new();
        for entry in entries {
            let n = u32::try_from(index.docs.len()).unwrap_or(u32::MAX);
            let mut put = |text: &str, at: u8| {
                for (word, written) in split(text).into_iter().zip(spelled(text)) {
                    *spellings.entry(word.clone()).or_default().entry(written).or_default() += 1;
                    *words.entry(word).or_default().entry(n).or_default() |= at;
                }
            };
            put(&entry.name.vi, place::NAME);
            put(&entry.name.en, place::KEYWORD);
            put(entry.code.as_str(), place::CODE);
            for keyword in &entry.keywords {
                put(keyword, place::KEYWORD);
            }
            for field in &entry.fields {
                put(&field.name.vi, place::FIELD);
            }
            for event in life_events.iter().filter(|e| entry.life_events.contains(&e.id)) {
                put(&event.title.vi, place::LIFE);
            }
            for agency in std::iter::once(&entry.promulgating).chain(&entry.executing) {
                put(&agency.vi, place::AGENCY);
            }
            let doc = index.doc(entry, today, online(entry.code.as_str()));
            index.by_code.insert(entry.code.as_str().to_ascii_lowercase(), n);
            index.docs.push(doc);
        }
        let mut sorted: Vec<(String, BTreeMap<u32, u8>)> = words.into_iter().collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (term, postings) in sorted {
            let spelling = spellings
                .get(&term)
                .and_then(|s| s.iter().max_by_key(|(written, n)| (**n, written.len())))
                .map_or(term.clone(), |(written, _)| written.clone());
            index.spellings.push(spelling.into());
            index.terms.push(term.into());
            index.postings.push(postings.into_iter().collect());
        }
        index
    }

    fn doc(&mut self, entry: &Entry, today: Date, online: bool) -> Doc {
        let in_force = entry.in_force(today);
        let joined = |text: &str| -> Box<str> { format!(" {} ", split(text).join(" ")).into() };
        let name = joined(&entry.name.vi);
        let fields: Vec<u16> = entry
            .fields
            .iter()
            .map(|f| {
                let n = self.fields.number(slug(&f.name.vi), &f.name);
                if !f.code.is_empty() {
                    self.field_codes.insert(f.code.to_ascii_lowercase(), n);
                }
                n
            })
            .collect();
        let issuer = (!entry.promulgating.vi.is_empty())
            .then(|| self.agencies.number(slug(&entry.promulgating.vi), &entry.promulgating));
        let agencies: Vec<u16> = issuer
            .into_iter()
            .chain(entry.executing.iter().map(|a| self.agencies.number(slug(&a.vi), a)))
            .collect();
        let level = entry
            .executing
            .iter()
            .chain(std::iter::once(&entry.promulgating))
            .find_map(|a| Level::of(&a.vi));
        let standing = standing(entry.sort, in_force, online);
        let agency = entry.executing.first().unwrap_or(&entry.promulgating).clone();
        Doc {
            name_length: i32::try_from(name.split_whitespace().count())
                .unwrap_or(i32::MAX)
                .min(200),
            spelled: format!(" {} ", spelled(&entry.name.vi).join(" ")).into(),
            name,
            keywords: entry.keywords.iter().map(|k| joined(k)).collect(),
            audiences: entry.audiences.iter().fold(0, |bits, a| bits | 1 << bit(*a)),
            level,
            life_events: entry
                .life_events
                .iter()
                .filter_map(|e| self.life_events.find(e))
                .collect(),
            fields: fields.into(),
            agencies: agencies.into(),
            issuer,
            standing,
            summary: Summary {
                code: entry.code.clone(),
                name: entry.name.clone(),
                agency,
                field: entry.fields.first().map(|f| f.name.clone()).unwrap_or_default(),
                time: entry.time_summary(),
                fee: entry.fee_summary(),
                sort: entry.sort,
                online,
                in_force,
                successors: entry.successors.clone(),
                caution: entry.oddities.iter().any(|o| o.kind.severity() == Severity::Misleading),
            },
        }
    }

    /// How many procedures there are.
    pub fn len(&self) -> usize {
        self.docs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.docs.is_empty()
    }

    /// One procedure in short.
    pub fn get(&self, code: &str) -> Option<&Summary> {
        let n = self.by_code.get(&code.to_ascii_lowercase())?;
        self.docs.get(*n as usize).map(|d| &d.summary)
    }

    /// The name of a field by its slug or code.
    pub fn field_name(&self, id: &str) -> Option<&Text> {
        let n = self.field(id)?;
        self.fields.names.get(usize::from(n)).map(|(_, t)| t)
    }

    /// The name of an agency by its slug.
    pub fn agency_name(&self, id: &str) -> Option<&Text> {
        let n = self.agencies.find(id)?;
        self.agencies.names.get(usize::from(n)).map(|(_, t)| t)
    }

    pub(super) fn field(&self, id: &str) -> Option<u16> {
        self.fields
            .find(id)
            .or_else(|| self.field_codes.get(&id.to_ascii_lowercase()).copied())
    }

    /// The first life event that a procedure belongs to.
    pub fn life_event_of(&self, code: &str) -> Option<&str> {
        let doc = self.docs.get(*self.by_code.get(code)? as usize)?;
        let (id, _) = self.life_events.names.get(usize::from(*doc.life_events.first()?))?;
        Some(id)
    }

    /// How many procedures each life event has, in the order in which they were given.
    pub fn life_event_counts(&self) -> Vec<(String, usize)> {
        let mut counts = vec![0_usize; self.life_events.names.len()];
        for n in self.docs.iter().flat_map(|d| d.life_events.iter()) {
            if let Some(count) = counts.get_mut(usize::from(*n)) {
                *count += 1;
            }
        }
        self.life_events
            .names
            .iter()
            .map(|(id, _)| id.clone())
            .zip(counts)
            .collect()
    }

    /// Answers a question. See [`Query`] and [`Results`].
    ///
    /// # Errors
    /// Refused when `after` is not a mark that [`Results::next`] gave.
    pub fn search(&self, query: &Query) -> Result<Results<'_>> {
        let offset = match &query.after {
            None => 0,
            Some(mark) => mark
                .parse::<usize>()
                .ok()
                .filter(|n| *n <= self.docs.len().max(10_000))
                .ok_or_else(|| {
                    Error::refused(
                        Kind::Invalid,
                        "bad-cursor",
                        "Địa chỉ trang kết quả không hợp lệ. Quý vị hãy tìm lại từ đầu.",
                        "The address of the results page is not valid. Search again from the start.",
                    )
                })?,
        };
        let text: String = query.text.chars().take(MAX_QUERY).collect();
        let (mut scored, reading) = self.find(&text);
        let filter = Filter::new(self, query);
        let facets = self.facets(&scored, &filter);
        scored.retain(|(n, _)| filter.all(self, *n));
        scored.sort_unstable_by(|a, b| {
            let code = |n: u32| self.docs.get(n as usize).map(|d| &d.summary.code);
            b.1.cmp(&a.1).then_with(|| code(a.0).cmp(&code(b.0)))
        });
        let limit = if query.limit == 0 {
            20
        } else {
            query.limit.min(MAX_PAGE)
        };
        let total = scored.len();
        let hits: Vec<&Summary> = scored
            .iter()
            .skip(offset)
            .take(limit)
            .filter_map(|(n, _)| self.docs.get(*n as usize))
            .map(|d| &d.summary)
            .collect();
        let mut results = Results {
            total,
            offset,
            next: (offset + hits.len() < total && !hits.is_empty()).then(|| (offset + hits.len()).to_string()),
            previous: (offset > 0).then(|| offset.saturating_sub(limit).to_string()),
            hits,
            facets,
            reading,
            ..Results::default()
        };
        if total == 0 && !text.trim().is_empty() {
            results.did_you_mean = self.correct(&text);
            results.nearest = self.nearest(&text);
        }
        Ok(results)
    }

    /// The documents that fit the words, with their scores; first as typed, then without filling words, then with a
    /// slip forgiven.
    fn find(&self, text: &str) -> (Vec<(u32, i32)>, Reading) {
        let words: Vec<String> = split(text).into_iter().take(16).collect();
        if words.is_empty() {
            let all = self.docs.iter().zip(0_u32..).map(|(d, n)| (n, d.standing)).collect();
            return (all, Reading::Exact);
        }
        if let Some(by_code) = self.by_code(text) {
            return (by_code, Reading::Exact);
        }
        let unfinished = text.ends_with(|c: char| c.is_alphanumeric());
        let found = self.match_all(&words, unfinished, false, text);
        if !found.is_empty() {
            return (found, Reading::Exact);
        }
        let meant: Vec<String> = words.iter().filter(|w| !is_filler(w)).cloned().collect();
        if !meant.is_empty() && meant.len() < words.len() {
            let found = self.match_all(&meant, unfinished, false, text);
            if !found.is_empty() {
                return (found, Reading::Loosened);
            }
        }
        for words in [&words, &meant] {
            if !words.is_empty() {
                let found = self.match_all(words, unfinished, true, text);
                if !found.is_empty() {
                    return (found, Reading::Forgiven);
                }
            }
        }
        (Vec::new(), Reading::Exact)
    }

    /// A question that is a code or the beginning of one.
    fn by_code(&self, text: &str) -> Option<Vec<(u32, i32)>> {
        let asked = text.trim().to_ascii_lowercase();
        let like_a_code = asked.len() >= 3
            && asked.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && asked.as_bytes().get(1) == Some(&b'.')
            && asked
                .bytes()
                .skip(2)
                .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        if !like_a_code {
            return None;
        }
        // A case code finds its procedure: 1.001193.01.
        let whole = asked.get(..8).filter(|_| asked.len() == 11).unwrap_or(&asked);
        let found: Vec<(u32, i32)> = self
            .docs
            .iter()
            .zip(0_u32..)
            .filter_map(|(d, n)| {
                let code = d.summary.code.as_str().to_ascii_lowercase();
                if code == whole {
                    Some((n, 1_000_000))
                } else if code.starts_with(&asked) {
                    Some((n, 500_000 + d.standing))
                } else {
                    None
                }
            })
            .collect();
        (!found.is_empty()).then_some(found)
    }

    /// Numbers of the terms that a word stands for.
    fn terms_for(&self, word: &str, prefix: bool, forgiving: bool) -> Vec<usize> {
        let start = self.terms.partition_point(|t| **t < *word);
        let exact = self.terms[start..]
            .iter()
            .take_while(|t| if prefix { t.starts_with(word) } else { ***t == *word });
        let mut terms: Vec<usize> = exact.enumerate().map(|(n, _)| start + n).collect();
        if forgiving && terms.is_empty() && word.chars().count() >= 5 {
            let near = self
                .terms
                .iter()
                .enumerate()
                .filter(|(_, t)| within_one(t, word))
                .map(|(n, _)| n);
            terms.extend(near);
        }
        terms
    }

    fn match_all(&self, words: &[String], unfinished: bool, forgiving: bool, text: &str) -> Vec<(u32, i32)> {
        let mut scores = vec![0_i32; self.docs.len()];
        let mut counts = vec![0_u8; self.docs.len()];
        let mut best = vec![0_u8; self.docs.len()];
        for (n, word) in words.iter().enumerate() {
            let prefix = unfinished && n + 1 == words.len();
            best.fill(0);
            for term in self.terms_for(word, prefix, forgiving) {
                for (doc, places) in &self.postings[term] {
                    best[*doc as usize] |= places;
                }
            }
            for ((score, count), places) in scores.iter_mut().zip(counts.iter_mut()).zip(&best) {
                if *places != 0 {
                    *score += weight(*places);
                    *count += 1;
                }
            }
        }
        let all = u8::try_from(words.len()).unwrap_or(u8::MAX);
        let phrase = words.join(" ");
        let written = spelled(text).join(" ");
        let marked = !written.is_ascii();
        let mut found = Vec::new();
        for ((doc, n), (score, count)) in self.docs.iter().zip(0_u32..).zip(scores.iter().zip(&counts)) {
            if *count == all {
                let mut total = score + relevance(doc, &phrase, words, unfinished) + doc.standing;
                if marked && doc.spelled.contains(&written) {
                    total += 5_000;
                }
                found.push((n, total));
            }
        }
        found
    }

    /// The question with the words that are unknown put right, spelled with diacritics; `None` when that finds nothing
    /// either.
    fn correct(&self, text: &str) -> Option<String> {
        let words = split(text);
        let mut out = Vec::new();
        let mut folded: Vec<&str> = Vec::new();
        let mut changed = false;
        for word in words.iter().take(16) {
            if let Ok(n) = self.terms.binary_search_by(|t| (**t).cmp(word)) {
                out.push(self.spellings[n].to_string());
                folded.push(&self.terms[n]);
                continue;
            }
            changed = true;
            let near = self
                .terms
                .iter()
                .enumerate()
                .filter(|(_, t)| word.len() >= 3 && within_one(t, word))
                .max_by_key(|(n, _)| self.postings[*n].len());
            if let Some((n, _)) = near {
                out.push(self.spellings[n].to_string());
                folded.push(&self.terms[n]);
            }
        }
        let corrected = self.spelled_together(&folded).unwrap_or_else(|| out.join(" "));
        (changed && !corrected.is_empty() && !self.find(&corrected).0.is_empty()).then_some(corrected)
    }

    /// Words as a name spells them one after another: `hon nhan` is "hôn nhân", though "nhận" is the commoner word.
    fn spelled_together(&self, words: &[&str]) -> Option<String> {
        let sought = format!(" {} ", words.join(" "));
        self.docs.iter().find_map(|doc| {
            let before = doc.name.get(..doc.name.find(sought.as_str())?)?;
            let skip = before.split_whitespace().count();
            let spelled: Vec<&str> = doc.spelled.split_whitespace().skip(skip).take(words.len()).collect();
            (spelled.len() == words.len()).then(|| spelled.join(" "))
        })
    }

    /// The documents in which most of the words stand.
    fn nearest(&self, text: &str) -> Vec<&Summary> {
        let words: Vec<String> = split(text).into_iter().filter(|w| !is_filler(w)).take(16).collect();
        let mut scores = vec![0_i32; self.docs.len()];
        for word in &words {
            let mut best = vec![0_u8; self.docs.len()];
            for term in self.terms_for(word, false, true) {
                for (doc, places) in &self.postings[term] {
                    best[*doc as usize] |= places;
                }
            }
            for (score, places) in scores.iter_mut().zip(best) {
                *score += weight(places);
            }
        }
        let worth = 200 * i32::try_from(words.len().div_ceil(2)).unwrap_or(i32::MAX);
        let mut found: Vec<(&Doc, i32)> = self
            .docs
            .iter()
            .zip(scores)
            .filter(|(_, s)| *s >= worth && *s > 0)
            .map(|(d, s)| (d, s * 100 + d.standing - d.name_length * 5))
            .collect();
        found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.summary.code.cmp(&b.0.summary.code)));
        found.into_iter().take(5).map(|(d, _)| &d.summary).collect()
    }
}

/// What is in force stands before what is not, the nation's before a province's, what can be filed here before the rest.
const fn standing(sort: Sort, in_force: bool, online: bool) -> i32 {
    let sort = match sort {
        Sort::National => 0,
        Sort::Provincial => -8_000,
        Sort::Internal => -12_000,
    };
    sort + if in_force { 0 } else { -200_000 } + if online { 3_000 } else { 0 }
}

/// How well a name or a keyword fits the words taken together.
fn relevance(doc: &Doc, phrase: &str, words: &[String], unfinished: bool) -> i32 {
    let whole = format!(" {phrase} ");
    let open = format!(" {phrase}");
    let sought: &str = if unfinished { &open } else { &whole };
    let name = doc.name.strip_prefix(" thu tuc").unwrap_or(&doc.name);
    let mut score = 0;
    if name == whole {
        score = 100_000;
    } else if name.starts_with(sought) {
        score = 60_000;
    } else if doc.name.contains(sought) {
        score = 50_000;
    }
    if doc.keywords.iter().any(|k| **k == *whole) {
        score = score.max(70_000);
    } else if doc.keywords.iter().any(|k| k.contains(sought)) {
        score = score.max(45_000);
    }
    if score == 0 && in_order(&doc.name, words, unfinished) {
        score = 20_000;
    }
    score - doc.name_length * 20
}

/// Whether the words stand in the name in this order, with others between.
fn in_order(name: &str, words: &[String], unfinished: bool) -> bool {
    let mut names = name.split_whitespace();
    words.iter().enumerate().all(|(n, word)| {
        let open = unfinished && n + 1 == words.len();
        names.any(|have| {
            if open {
                have.starts_with(word.as_str())
            } else {
                have == word
            }
        })
    })
}
