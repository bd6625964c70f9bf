//! The public pages of the catalogue: finding a service, and all that is known about one. No sign-in.

use std::{fmt::Write as _, sync::Arc};

use ::view::{
    Link, Page, Site,
    ui::{self, Tone},
};
use askama::Template;
use base::{Error, Lang, Text};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    model::{Audience, Case, Code, Entry, Handling, Legal, Level, PaperGroup, Sort, State as Standing},
    oddity::{Kind, Severity},
    search::{Facet, Query, Reading, Results, Summary, slug},
    service::{Catalogue, Offer},
    show::{self, Block, Way},
    store::Version,
};
use crate::{
    form::{Paper, PaperKind, Rule},
    process::OutlineStep,
    reference::LifeEvent,
};

/// Where a dossier is begun: `/apply/{code}`.
pub const APPLY: &str = "/apply";

/// The question as the address has it. Values that mean nothing are left out, as a hand-written address deserves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Words.
    pub q: String,
    /// Audience.
    pub audience: String,
    /// Tier.
    pub level: String,
    /// Field.
    pub field: String,
    /// Agency.
    pub agency: String,
    /// `1`: only what can be filed here.
    pub online: String,
    /// Mark of the page.
    pub after: String,
    /// `1`: list everything.
    pub all: String,
}

impl Asked {
    fn query(&self, life_event: Option<&str>) -> Query {
        let some = |s: &str| Some(s.trim().to_owned()).filter(|s| !s.is_empty());
        Query {
            text: self.q.clone(),
            life_event: life_event.map(str::to_owned),
            audience: Audience::from_id(&self.audience),
            field: some(&self.field),
            agency: some(&self.agency),
            level: Level::from_id(&self.level),
            online: self.online == "1",
            limit: 20,
            after: some(&self.after).filter(|m| m.parse::<usize>().is_ok()),
        }
    }

    /// Whether nothing at all was asked.
    fn is_front(&self) -> bool {
        self.q.trim().is_empty() && !self.is_narrowed() && self.after.is_empty() && self.all != "1"
    }

    fn is_narrowed(&self) -> bool {
        [&self.audience, &self.level, &self.field, &self.agency, &self.online]
            .iter()
            .any(|v| !v.is_empty())
    }

    /// The address of this question with other values for some of its parts.
    fn address(&self, path: &str, change: impl FnOnce(&mut Self)) -> String {
        let mut asked = self.clone();
        change(&mut asked);
        let mut out = path.to_owned();
        let mut mark = '?';
        for (name, value) in [
            ("q", &asked.q),
            ("audience", &asked.audience),
            ("level", &asked.level),
            ("field", &asked.field),
            ("agency", &asked.agency),
            ("online", &asked.online),
            ("all", &asked.all),
            ("after", &asked.after),
        ] {
            if !value.is_empty() {
                let _ = write!(out, "{mark}{name}={}", encoded(value));
                mark = '&';
            }
        }
        out
    }
}

/// Percent-encodes a value of an address.
fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for b in value.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// A tile of a life event.
#[derive(Debug)]
pub struct Tile {
    /// Its address.
    pub href: String,
    /// Title.
    pub title: Text,
    /// One sentence.
    pub intro: Text,
    /// Icon.
    pub icon: &'static str,
    /// How many procedures.
    pub count: usize,
}

/// The icon of a life event; a plain document for one that is new.
pub fn icon(id: &str) -> &'static str {
    match id {
        "co-con-nho" => "baby",
        "ket-hon" => "rings",
        "nuoi-con-giam-ho" | "nguoi-nuoc-ngoai" => "people",
        "cu-tru" | "xay-nha" => "home",
        "giay-to-tuy-than" => "stamp",
        "xay-dung-du-an" => "building",
        "mo-doanh-nghiep" | "viec-lam" => "briefcase",
        "nguoi-than-qua-doi" => "document",
        "hanh-nghe-xay-dung" => "key",
        _ => "document",
    }
}

/// A filter that is on, and the address without it.
#[derive(Debug)]
pub struct Chip {
    /// What it narrows to.
    pub label: Text,
    /// The same question without it.
    pub href: String,
}

#[derive(Template)]
#[template(path = "catalogue/services.html")]
pub(super) struct Services {
    page: Page,
    asked: Asked,
    action: String,
    event: Option<LifeEvent>,
    tiles: Vec<Tile>,
    count: usize,
    list: Option<List>,
}

/// The list of results.
struct List {
    total: usize,
    first: usize,
    last: usize,
    items: Vec<Item>,
    reading: Reading,
    chips: Vec<Chip>,
    did_you_mean: Option<(String, String)>,
    nearest: Vec<Item>,
    previous: Option<String>,
    next: Option<String>,
    audiences: Vec<ui::Choice>,
    levels: Vec<ui::Choice>,
    fields: Vec<ui::Choice>,
    agencies: Vec<ui::Choice>,
    narrowed: bool,
}

/// One line of a list.
struct Item {
    href: String,
    code: Code,
    name: Text,
    agency: Text,
    time: Option<Text>,
    fee: Option<Text>,
    online: bool,
    in_force: bool,
    successor: Option<Code>,
    sort: Sort,
}

impl Item {
    fn of(summary: &Summary) -> Self {
        Self {
            href: format!("/services/{}", summary.code),
            code: summary.code.clone(),
            name: summary.name.clone(),
            agency: summary.agency.clone(),
            time: summary.time.clone(),
            fee: summary.fee.clone(),
            online: summary.online,
            in_force: summary.in_force,
            successor: summary.successors.first().cloned(),
            sort: summary.sort,
        }
    }
}

/// The front page of the catalogue, or the results of a search.
///
/// # Errors
/// Refused when the mark of the page is not one of ours.
pub(super) fn services_page(catalogue: &Catalogue, mut page: Page, asked: Asked) -> base::Result<Services> {
    let now = catalogue.now();
    page.title = page.t("Dịch vụ công", "Public services").to_owned();
    let counts = now.index.life_event_counts();
    let tiles = now.life_events.iter().map(|event| Tile {
        href: format!("/services/life-events/{}", event.id),
        title: event.title.clone(),
        intro: event.intro.clone(),
        icon: icon(&event.id),
        count: counts.iter().find(|(id, _)| *id == event.id).map_or(0, |(_, n)| *n),
    });
    let tiles: Vec<Tile> = tiles.filter(|t| t.count > 0).collect();
    let front = asked.is_front();
    let list = if front {
        None
    } else {
        if !asked.q.trim().is_empty() {
            page.title = format!("{}: {}", page.t("Tìm dịch vụ công", "Search services"), asked.q.trim());
        }
        let results = now.index.search(&asked.query(None))?;
        Some(list(&page, "/services", &asked, &results, &now.index))
    };
    Ok(Services {
        page,
        action: "/services".to_owned(),
        asked,
        event: None,
        tiles,
        count: now.index.len(),
        list,
    })
}

/// The procedures of a life event.
///
/// # Errors
/// Refused when there is no such life event.
pub(super) fn life_event_page(catalogue: &Catalogue, mut page: Page, id: &str, asked: Asked) -> base::Result<Services> {
    let now = catalogue.now();
    let event = now
        .life_events
        .iter()
        .find(|e| e.id == id)
        .cloned()
        .ok_or_else(|| Error::not_found("sự kiện đời sống này", "life event"))?;
    page.title = page.text(&event.title).to_owned();
    page.breadcrumbs.push(Link::new("/", "Trang chủ", "Home"));
    page.breadcrumbs
        .push(Link::new("/services", "Dịch vụ công", "Public services"));
    let action = format!("/services/life-events/{id}");
    let results = now.index.search(&asked.query(Some(id)))?;
    let list = list(&page, &action, &asked, &results, &now.index);
    Ok(Services {
        page,
        action,
        asked,
        event: Some(event),
        tiles: Vec::new(),
        count: now.index.len(),
        list: Some(list),
    })
}

fn list(page: &Page, path: &str, asked: &Asked, results: &Results<'_>, index: &super::search::Index) -> List {
    let choices = |facets: &[Facet]| -> Vec<ui::Choice> {
        facets
            .iter()
            .take(60)
            .map(|f| ui::Choice::new(&f.id, format!("{} ({})", page.text(&f.label), page.number(f.count))))
            .collect()
    };
    let mut chips = Vec::new();
    let mut chip = |label: Option<Text>, without: fn(&mut Asked)| {
        if let Some(label) = label {
            let href = asked.address(path, |a| {
                without(a);
                a.after.clear();
                if path == "/services" && a.q.is_empty() {
                    "1".clone_into(&mut a.all);
                }
            });
            chips.push(Chip { label, href });
        }
    };
    chip(Audience::from_id(&asked.audience).map(Audience::label), |a| {
        a.audience.clear()
    });
    chip(Level::from_id(&asked.level).map(Level::label), |a| a.level.clear());
    chip(index.field_name(&asked.field).cloned(), |a| a.field.clear());
    chip(index.agency_name(&asked.agency).cloned(), |a| a.agency.clear());
    let online = (asked.online == "1").then(|| Text::new("Nộp trực tuyến tại đây", "Can be filed here online"));
    chip(online, |a| a.online.clear());
    let turn = |mark: &Option<String>| {
        mark.as_ref().map(|m| {
            asked.address(path, |a| {
                if m == "0" {
                    a.after.clear();
                } else {
                    a.after.clone_from(m);
                }
                if path == "/services" && a.is_front() {
                    "1".clone_into(&mut a.all);
                }
            })
        })
    };
    List {
        total: results.total,
        first: (results.offset + 1).min(results.total),
        last: results.offset + results.hits.len(),
        items: results.hits.iter().map(|s| Item::of(s)).collect(),
        reading: results.reading,
        did_you_mean: results.did_you_mean.as_ref().map(|words| {
            let href = asked.address(path, |a| {
                a.q.clone_from(words);
                a.after.clear();
            });
            (words.clone(), href)
        }),
        nearest: results.nearest.iter().map(|s| Item::of(s)).collect(),
        previous: turn(&results.previous),
        next: turn(&results.next),
        audiences: choices(&results.facets.audiences),
        levels: choices(&results.facets.levels),
        fields: choices(&results.facets.fields),
        agencies: choices(&results.facets.agencies),
        narrowed: !chips.is_empty(),
        chips,
    }
}

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
pub(super) struct Procedure {
    page: Page,
    lang: Lang,
    times: Option<Text>,
    /// How long it takes by the package that is filed here, by case.
    offer_times: Vec<(Text, Text)>,
    fees: Option<Text>,
    entry: Entry,
    apply: Option<String>,
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

    fn guidance(&self, way: &Way) -> String {
        let words = self.page.t("Hướng dẫn đã công bố", "Published guidance");
        format!("{words}: {}", way.name().get(self.page.lang))
    }
}

/// All that is known about one procedure.
///
/// # Errors
/// Refused when there is none of this code on that day; a failure of the database.
pub(super) async fn procedure_page(
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
    let apply = offer
        .as_ref()
        .filter(|_| standing == Standing::InForce)
        .map(|_| format!("{APPLY}/{code}"));
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
        asked_on,
        entry,
        page,
    })
}

/// Pages in their several states, by name: for tests of accessibility and for looking at them.
///
/// # Errors
/// A failure of the database or of a template.
pub async fn preview(
    catalogue: &Catalogue,
    lang: Lang,
    site: Arc<Site>,
    today: Date,
) -> base::Result<Vec<(String, String)>> {
    let page = |path: &str| Page::new(lang, site.clone(), "", path);
    let asked = |q: &str| Asked {
        q: q.to_owned(),
        ..Asked::default()
    };
    let mut out = Vec::new();
    for (name, asked) in [
        ("front", Asked::default()),
        ("results", asked("khai sinh")),
        (
            "narrowed",
            Asked {
                audience: "citizen".to_owned(),
                field: "ho-tich".to_owned(),
                ..asked("")
            },
        ),
        ("did-you-mean", asked("hon nhxn")),
        ("nothing", asked("zzzzzz")),
    ] {
        let html = services_page(catalogue, page("/services"), asked)?
            .render()
            .map_err(Error::internal)?;
        out.push((name.to_owned(), html));
    }
    if let Some(event) = catalogue.now().life_events.first() {
        let path = format!("/services/life-events/{}", event.id);
        let view = life_event_page(catalogue, page(&path), &event.id, Asked::default())?;
        out.push(("life-event".to_owned(), view.render().map_err(Error::internal)?));
    }
    for code in [
        "1.001193", "1.013225", "2.000635", "1.013217", "2.000986", "3.000722", "1.115403",
    ] {
        match procedure_page(catalogue, page(&format!("/services/{code}")), code, today, None).await {
            Ok(view) => out.push((code.to_owned(), view.render().map_err(Error::internal)?)),
            Err(Error::Refused(..)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(out)
}
