//! Finding a service: the front page, life events, and the results of a search.

use ::view::{
    Link, Page,
    ui::{self, Tone},
};
use askama::Template;
use base::{Error, Lang, Text};

use super::Asked;
use crate::{
    catalogue::{
        model::{Audience, Code, Level, Sort},
        search::{Facet, Index, Reading, Results, Summary},
        service::Catalogue,
        show,
    },
    reference::LifeEvent,
};

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
pub(in crate::catalogue) struct Services {
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
    items: Vec<Item>,
    reading: Reading,
    chips: Vec<Chip>,
    did_you_mean: Option<(String, String)>,
    nearest: Vec<Item>,
    pager: ui::Pager,
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
pub(in crate::catalogue) fn services_page(
    catalogue: &Catalogue,
    mut page: Page,
    asked: Asked,
) -> base::Result<Services> {
    let now = catalogue.now();
    page.title = page.t("Dịch vụ công", "Public services").to_owned();
    let counts = now.index.life_event_counts();
    let tiles = catalogue.life_events().iter().map(|event| Tile {
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
pub(in crate::catalogue) fn life_event_page(
    catalogue: &Catalogue,
    mut page: Page,
    id: &str,
    asked: Asked,
) -> base::Result<Services> {
    let now = catalogue.now();
    let event = catalogue
        .life_events()
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

fn list(page: &Page, path: &str, asked: &Asked, results: &Results<'_>, index: &Index) -> List {
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
                a.cursor.clear();
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
                    a.cursor.clear();
                } else {
                    a.cursor.clone_from(m);
                }
                if path == "/services" && a.is_front() {
                    "1".clone_into(&mut a.all);
                }
            })
        })
    };
    let first = (results.offset + 1).min(results.total);
    let last = results.offset + results.hits.len();
    List {
        total: results.total,
        items: results.hits.iter().map(|s| Item::of(s)).collect(),
        reading: results.reading,
        did_you_mean: results.did_you_mean.as_ref().map(|words| {
            let href = asked.address(path, |a| {
                a.q.clone_from(words);
                a.cursor.clear();
            });
            (words.clone(), href)
        }),
        nearest: results.nearest.iter().map(|s| Item::of(s)).collect(),
        pager: ui::pager(page, turn(&results.previous), turn(&results.next))
            .pages()
            .place(format!(
                "{}–{} / {}",
                page.number(first),
                page.number(last),
                page.number(results.total)
            )),
        audiences: choices(&results.facets.audiences),
        levels: choices(&results.facets.levels),
        fields: choices(&results.facets.fields),
        agencies: choices(&results.facets.agencies),
        narrowed: !chips.is_empty(),
        chips,
    }
}
