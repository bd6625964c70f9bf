//! What each source says of a procedure, and how that is put together.

use std::collections::BTreeMap;

use base::Text;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Audience, Case, Channel, Code, Entry, Field, Legal, PaperGroup, Sort, Step, is_blank};
use crate::catalogue::oddity::{Kind, Oddity};

/// The kinds of sources. Of two that were fetched on the same day the later in this list is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The national list: one row for each procedure.
    List,
    /// Facts of the published page without its long texts.
    Facts,
    /// The whole published page.
    Page,
    /// This project's own reference data (`data/procedures`): adds English, life events, the words people use.
    Own,
    /// The package under which it is filed here; never stored, and only where the others tell its name at most.
    Package,
}

impl Layer {
    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::List => Text::new("Danh mục thủ tục hành chính quốc gia", "National list of procedures"),
            Self::Own => Text::new("Dữ liệu tham chiếu của hệ thống", "Reference data of this system"),
            Self::Facts => Text::new("Dữ kiện trang thủ tục đã công bố", "Facts of the published page"),
            Self::Page => Text::new("Trang thủ tục đã công bố", "The published page"),
            Self::Package => Text::new(
                "Quy trình đang áp dụng tại hệ thống này",
                "The package in force on this system",
            ),
        }
    }
}

/// Where a layer came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Source {
    /// A name that a reader understands: the file, the portal.
    pub name: String,
    /// The day on which it was fetched from there (ISO date); empty when not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub retrieved: String,
}

/// What one source says. `None`: it does not speak of the matter; an empty value: it leaves it blank.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// One sentence for the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Text>,
    /// Fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<Field>>,
    /// Agency that promulgated it (cơ quan ban hành).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promulgating: Option<Text>,
    /// Agencies that execute it (cơ quan thực hiện).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executing: Option<Vec<Text>>,
    /// Whom it serves, as published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audiences: Option<Vec<String>>,
    /// The published word for its sort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// The published word for its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Ways to file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<Channel>>,
    /// Cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<Vec<Case>>,
    /// What comes out (kết quả).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<Text>>,
    /// Requirements and conditions (yêu cầu, điều kiện).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirements: Option<Text>,
    /// How it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Step>>,
    /// Papers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub papers: Option<Vec<PaperGroup>>,
    /// Legal basis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<Vec<Legal>>,
    /// Life events to which it belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life_events: Option<Vec<String>>,
    /// Words that people use for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<Vec<String>>,
    /// First day of validity, where the source tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// Last day of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Date>,
    /// Procedures that this one replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predecessors: Option<Vec<Code>>,
    /// Procedures that replace this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successors: Option<Vec<Code>>,
    /// What is odd in what it says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub oddities: Vec<Oddity>,
}

/// One layer of an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    /// Where it came from.
    pub source: Source,
    /// What it says.
    pub said: Said,
}

/// All that is stored of one version of a procedure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record {
    /// What each source says.
    pub layers: BTreeMap<Layer, Sheet>,
}

impl Record {
    /// SHA-256 (hex) of what the sources say. When and from where it was fetched does not count: fetching the same
    /// content again is no new version.
    ///
    /// # Errors
    /// Never in practice: every part can be written as JSON.
    pub fn hash(&self) -> base::Result<String> {
        let said: BTreeMap<Layer, &Said> = self.layers.iter().map(|(l, s)| (*l, &s.said)).collect();
        Ok(hex::encode(Sha256::digest(serde_json::to_vec(&said)?)))
    }

    /// Puts a source's sheet in place of the one of its kind.
    pub fn put(&mut self, layer: Layer, sheet: Sheet) {
        self.layers.insert(layer, sheet);
    }

    /// The sheets, the most credible first: fetched last, then by kind of source.
    fn sheets(&self) -> Vec<(Layer, &Sheet)> {
        let mut sheets: Vec<(Layer, &Sheet)> = self.layers.iter().map(|(l, s)| (*l, s)).collect();
        sheets.sort_by(|a, b| (&b.1.source.retrieved, b.0).cmp(&(&a.1.source.retrieved, a.0)));
        sheets
    }

    /// What the most credible source says of a matter; one that leaves it blank yields to one that does not.
    fn best<'a, T>(&'a self, get: impl Fn(&'a Said) -> Option<&'a T>, blank: impl Fn(&T) -> bool) -> Option<&'a T> {
        let sheets = self.sheets();
        let said = || sheets.iter().filter_map(|(_, s)| get(&s.said));
        said().find(|v| !blank(v)).or_else(|| said().next())
    }

    /// Puts the layers together into the version that holds from `valid_from` to `valid_to`.
    pub fn entry(&self, code: &Code, valid_from: Date, valid_to: Option<Date>) -> Entry {
        let words = |get: fn(&Said) -> Option<&Vec<String>>| self.best(get, Vec::is_empty).cloned().unwrap_or_default();
        let text = |get: fn(&Said) -> Option<&Text>| self.best(get, is_blank).cloned().unwrap_or_default();
        let mut fields = self
            .best(|s| s.fields.as_ref(), Vec::is_empty)
            .cloned()
            .unwrap_or_default();
        for other in self.layers.values().filter_map(|s| s.said.fields.as_ref()).flatten() {
            match fields
                .iter_mut()
                .find(|f| base::text::fold(&f.name.vi) == base::text::fold(&other.name.vi))
            {
                Some(same) if same.code.is_empty() => same.code.clone_from(&other.code),
                Some(_) => {}
                None => fields.push(other.clone()),
            }
        }
        let (executing, disagree) = self.executing();
        let published = words(|s| s.audiences.as_ref());
        let mut audiences: Vec<Audience> = published.iter().filter_map(|a| Audience::of(a)).collect();
        audiences.sort_unstable();
        audiences.dedup();
        let mut oddities: Vec<Oddity> = Vec::new();
        for (_, sheet) in self.sheets() {
            for oddity in &sheet.said.oddities {
                if !oddities
                    .iter()
                    .any(|o| o.kind == oddity.kind && (o.at == oddity.at || oddity.at.is_empty()))
                {
                    oddities.push(oddity.clone());
                }
            }
        }
        oddities.extend(disagree);
        let sort = words_or(self.best(|s| s.sort.as_ref(), String::is_empty));
        let mut entry = Entry {
            code: code.clone(),
            name: text(|s| s.name.as_ref()),
            summary: self.best(|s| s.summary.as_ref(), is_blank).cloned(),
            fields,
            promulgating: text(|s| s.promulgating.as_ref()),
            executing,
            published_audiences: published,
            audiences,
            sort: if code.is_province_variant() {
                Sort::Provincial
            } else {
                Sort::of(&sort).unwrap_or_default()
            },
            state: words_or(self.best(|s| s.state.as_ref(), String::is_empty)),
            channels: self
                .best(|s| s.channels.as_ref(), Vec::is_empty)
                .cloned()
                .unwrap_or_default(),
            cases: self.cases(),
            results: self
                .best(|s| s.results.as_ref(), Vec::is_empty)
                .cloned()
                .unwrap_or_default(),
            requirements: text(|s| s.requirements.as_ref()),
            steps: self
                .best(|s| s.steps.as_ref(), Vec::is_empty)
                .cloned()
                .unwrap_or_default(),
            papers: self
                .best(|s| s.papers.as_ref(), Vec::is_empty)
                .cloned()
                .unwrap_or_default(),
            legal_basis: self.legal_basis(),
            life_events: words(|s| s.life_events.as_ref()),
            keywords: words(|s| s.keywords.as_ref()),
            valid_from,
            valid_to: [self.best(|s| s.valid_to.as_ref(), |_| false).copied(), valid_to]
                .into_iter()
                .flatten()
                .min(),
            predecessors: self
                .best(|s| s.predecessors.as_ref(), Vec::is_empty)
                .cloned()
                .unwrap_or_default(),
            successors: self
                .best(|s| s.successors.as_ref(), Vec::is_empty)
                .cloned()
                .unwrap_or_default(),
            sources: self.layers.iter().map(|(l, s)| (*l, s.source.clone())).collect(),
            oddities,
        };
        self.translate(&mut entry);
        entry
    }

    /// The national list names every executing agency, a page only the first: the longest list counts. Also tells
    /// when a source names one that is not in it.
    fn executing(&self) -> (Vec<Text>, Option<Oddity>) {
        let lists: Vec<&Vec<Text>> = self
            .sheets()
            .into_iter()
            .rev()
            .filter_map(|(_, s)| s.said.executing.as_ref())
            .collect();
        let best = lists
            .iter()
            .max_by_key(|l| l.len())
            .copied()
            .cloned()
            .unwrap_or_default();
        let known = |name: &Text| {
            best.iter()
                .any(|b| base::text::fold(&b.vi) == base::text::fold(&name.vi))
        };
        let stranger = lists.iter().copied().flatten().find(|name| !known(name));
        let oddity = stranger.map(|name| Oddity::new(Kind::SourcesDisagree, "executing", &name.vi));
        (best, oddity)
    }

    /// Fills in the English that some source has for a Vietnamese text that was taken from another.
    fn translate(&self, entry: &mut Entry) {
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for said in self.layers.values().map(|s| &s.said) {
            let texts = said
                .name
                .iter()
                .chain(said.promulgating.iter())
                .chain(said.executing.iter().flatten())
                .chain(said.results.iter().flatten())
                .chain(said.fields.iter().flatten().map(|f| &f.name));
            for text in texts.filter(|t| !t.en.is_empty()) {
                known.insert(plain(&text.vi), text.en.clone());
            }
        }
        let texts = std::iter::once(&mut entry.name)
            .chain(std::iter::once(&mut entry.promulgating))
            .chain(&mut entry.executing)
            .chain(&mut entry.results)
            .chain(entry.fields.iter_mut().map(|f| &mut f.name));
        for text in texts.filter(|t| t.en.is_empty()) {
            if let Some(en) = known.get(&plain(&text.vi)) {
                text.en.clone_from(en);
            }
        }
    }

    /// The cases of the best source, with the names that another gives.
    fn cases(&self) -> Vec<Case> {
        let mut cases = self
            .best(|s| s.cases.as_ref(), Vec::is_empty)
            .cloned()
            .unwrap_or_default();
        for case in &mut cases {
            if is_blank(&case.name) {
                let named = self.layers.values().filter_map(|s| s.said.cases.as_ref()).flatten();
                if let Some(other) = named.into_iter().find(|c| c.code == case.code && !is_blank(&c.name)) {
                    case.name.clone_from(&other.name);
                }
            }
        }
        cases.sort_by(|a, b| a.code.cmp(&b.code));
        cases
    }

    /// The legal basis of the best source, with the titles that another gives.
    fn legal_basis(&self) -> Vec<Legal> {
        let mut basis = self
            .best(|s| s.legal_basis.as_ref(), Vec::is_empty)
            .cloned()
            .unwrap_or_default();
        for legal in basis.iter_mut().filter(|l| is_blank(&l.title)) {
            let titled = self
                .layers
                .values()
                .filter_map(|s| s.said.legal_basis.as_ref())
                .flatten();
            if let Some(other) = titled
                .into_iter()
                .find(|l| l.number == legal.number && !is_blank(&l.title))
            {
                legal.title.clone_from(&other.title);
            }
        }
        basis
    }
}

/// A text by which equal names are recognised though one has a stray full stop or capital.
fn plain(text: &str) -> String {
    base::text::fold(text)
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_owned()
}

fn words_or(word: Option<&String>) -> String {
    word.cloned().unwrap_or_default()
}
