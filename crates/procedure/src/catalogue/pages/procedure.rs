//! All that is known about one procedure.

use ::view::{
    Link, Page,
    ui::{self, Tone},
};
use askama::Template;
use base::{Error, Lang, Text};
use jiff::civil::Date;

use super::{APPLY, asked::encoded};
use crate::{
    catalogue::{
        model::{Case, Code, Entry, Handling, Layer, Legal, PaperGroup, State as Standing},
        oddity::{Kind, Severity},
        search::slug,
        service::{Catalogue, Offer},
        show::{self, Block, Way},
        store::Version,
    },
    form::{Paper, PaperKind, Rule},
    process::OutlineStep,
};

/// A group of oddities of one kind, for the reader who wants to know.
struct Odd {
    text: Text,
    values: Vec<String>,
    misleading: bool,
}

/// A paper that the online form asks for.
struct OfferPaper {
    name: Text,
    show: bool,
    need: Text,
    originals: u8,
    copies: u8,
}

impl OfferPaper {
    fn of(paper: &Paper) -> Self {
        let always = matches!(paper.required, Rule::Always) && paper.when.is_none();
        let never = matches!(paper.required, Rule::Never);
        Self {
            name: paper.name.clone(),
            show: paper.kind == PaperKind::Show,
            need: if always {
                Text::new("Bắt buộc", "Required")
            } else if never {
                Text::new("Nếu có", "If you have it")
            } else {
                Text::new("Tùy trường hợp", "Depends on your case")
            },
            originals: paper.originals,
            copies: paper.copies,
        }
    }
}

/// The papers of a form, each name once: several cases may ask for the same paper.
fn offer_papers(offer: &Offer) -> Vec<OfferPaper> {
    let mut papers: Vec<OfferPaper> = Vec::new();
    for paper in offer.papers().iter().map(OfferPaper::of) {
        if !papers.iter().any(|p| p.name == paper.name && p.show == paper.show) {
            papers.push(paper);
        }
    }
    papers
}

/// A procedure that replaces this one or is replaced by it.
struct Neighbour {
    code: Code,
    name: Option<Text>,
    known: bool,
}

#[derive(Template)]
#[template(path = "catalogue/procedure.html")]
pub(in crate::catalogue) struct Procedure {
    page: Page,
    lang: Lang,
    times: Option<Text>,
    /// How long it takes by the package that is filed here, by case.
    offer_times: Vec<(Text, Text)>,
    fees: Option<Text>,
    entry: Entry,
    apply: Option<String>,
    /// The account that filing online needs.
    account: Option<Text>,
    partial: Option<Text>,
    audiences: Vec<Text>,
    standing: Standing,
    ways: Vec<Way>,
    cases: Vec<(Case, show::Shown)>,
    papers: Vec<PaperGroup>,
    remarks: Vec<String>,
    steps: Vec<(String, Vec<Block>)>,
    requirements: Vec<Block>,
    offer_steps: Vec<Text>,
    offer_papers: Vec<OfferPaper>,
    outline: Vec<OutlineStep>,
    drawing: Option<String>,
    basis: Vec<Legal>,
    odd: Vec<Odd>,
    successors: Vec<Neighbour>,
    predecessors: Vec<Neighbour>,
    versions: Vec<Version>,
    counter: Text,
    field_links: Vec<(Text, String)>,
    cautious: bool,
    asked_on: Option<Date>,
}

impl Procedure {
    fn day(&self, date: &Date) -> String {
        date.strftime("%d/%m/%Y").to_string()
    }

    fn as_on(&self, date: &Date) -> String {
        let words = self.page.t("Nội dung có hiệu lực vào ngày", "As in force on");
        format!("{words} {}.", self.day(date))
    }

    /// The names that laws give can be as long as a paragraph.
    fn long(&self) -> bool {
        self.page.title.chars().count() > 90
    }

    fn address(&self) -> String {
        format!("/services/{}", self.entry.code)
    }

    /// A heading; what the package alone tells was not published.
    fn as_told(&self, vi: &str, en: &str) -> String {
        let published = self.entry.sources.iter().any(|(layer, _)| *layer != Layer::Package);
        let more = if published {
            self.page.t(", như đã công bố", ", as published")
        } else {
            ""
        };
        format!("{}{more}", self.page.lang.t(vi, en))
    }

    fn guidance(&self, way: &Way) -> String {
        let words = self.page.t("Hướng dẫn đã công bố", "Published guidance");
        format!("{words}: {}", way.name().get(self.page.lang))
    }
}

/// All that is known about one procedure.
///
/// # Errors
/// Refused when there is none of this code on that day; a failure of the database.
pub(in crate::catalogue) async fn procedure_page(
    catalogue: &Catalogue,
    mut page: Page,
    code: &str,
    today: Date,
    on: Option<&str>,
) -> base::Result<Procedure> {
    let missing = || Error::not_found("thủ tục này", "procedure");
    let code: Code = code.parse().map_err(|_| missing())?;
    let asked_on = on.and_then(|d| d.parse::<Date>().ok()).filter(|d| *d != today);
    let entry = catalogue
        .find(&code, asked_on.unwrap_or(today))
        .await?
        .ok_or_else(missing)?;
    let now = catalogue.now();
    let offer = catalogue.offer_on(code.as_str(), today).filter(|_| asked_on.is_none());
    let versions = catalogue.history(&code).await?;
    page.title = page.text(&entry.name).to_owned();
    let mut entry = entry;
    if let Some(offer) = &offer
        && entry.summary.is_none()
        && !offer.summary().vi.is_empty()
    {
        entry.summary = Some(offer.summary().clone());
    }
    page.breadcrumbs.push(Link::new("/", "Trang chủ", "Home"));
    page.breadcrumbs
        .push(Link::new("/services", "Dịch vụ công", "Public services"));
    let neighbour = |code: &Code| Neighbour {
        code: code.clone(),
        name: now.index.get(code.as_str()).map(|s| s.name.clone()),
        known: now.index.get(code.as_str()).is_some(),
    };
    let mut odd: Vec<Odd> = Vec::new();
    for kind in Kind::ALL {
        let of_kind: Vec<_> = entry.oddities.iter().filter(|o| o.kind == *kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let mut values: Vec<String> = of_kind
            .iter()
            .filter(|o| !o.value.is_empty())
            .map(|o| o.value.clone())
            .collect();
        values.sort();
        values.dedup();
        values.truncate(3);
        odd.push(Odd {
            text: kind.text(),
            values,
            misleading: kind.severity() == Severity::Misleading,
        });
    }
    let standing = entry.standing(asked_on.unwrap_or(today));
    let fileable = offer.as_ref().filter(|_| standing == Standing::InForce);
    let apply = fileable.map(|_| format!("{APPLY}/{code}"));
    let account = fileable.map(Offer::account);
    let mut remarks = Vec::new();
    let mut papers: Vec<PaperGroup> = Vec::new();
    for group in &entry.papers {
        let (notes, real): (Vec<_>, Vec<_>) = group
            .papers
            .iter()
            .cloned()
            .partition(|p| p.handling == Handling::Remark);
        remarks.extend(notes.into_iter().map(|p| p.name));
        if !real.is_empty() {
            papers.push(PaperGroup {
                title: group.title.clone(),
                papers: real,
            });
        }
    }
    let counter = entry.executing.first().cloned().unwrap_or_default();
    Ok(Procedure {
        lang: page.lang,
        times: entry.time_summary(),
        fees: entry.fee_summary(),
        audiences: entry.audiences.iter().map(|a| a.label()).collect(),
        ways: show::ways(&entry),
        // Cases without a name tell the reader nothing.
        cases: if entry.cases.iter().all(|c| c.name.vi.is_empty()) {
            Vec::new()
        } else {
            entry.cases.iter().map(|c| (c.clone(), show::time(&c.time))).collect()
        },
        papers,
        remarks,
        steps: entry
            .steps
            .iter()
            .map(|s| (s.name.clone(), show::blocks(&s.text)))
            .collect(),
        requirements: show::blocks(page.text(&entry.requirements)),
        partial: offer.as_ref().and_then(Offer::partial),
        offer_steps: offer.as_ref().map(|o| o.steps().to_vec()).unwrap_or_default(),
        offer_times: offer.as_ref().map(Offer::times).unwrap_or_default(),
        offer_papers: offer.as_ref().map(offer_papers).unwrap_or_default(),
        outline: offer.as_ref().map(|o| o.outline(page.lang)).unwrap_or_default(),
        drawing: offer
            .as_ref()
            .map(|_| format!("/services/{code}/process.svg?in={}", page.lang.tag())),
        basis: entry.legal_basis.clone(),
        cautious: odd.iter().any(|o| o.misleading),
        odd,
        successors: entry.successors.iter().map(neighbour).collect(),
        predecessors: entry.predecessors.iter().map(neighbour).collect(),
        versions,
        counter,
        field_links: entry
            .fields
            .iter()
            .map(|f| {
                (
                    f.name.clone(),
                    format!("/services?field={}", encoded(&slug(&f.name.vi))),
                )
            })
            .collect(),
        standing,
        apply,
        account,
        asked_on,
        entry,
        page,
    })
}
