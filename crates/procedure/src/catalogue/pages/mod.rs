//! The public pages of the catalogue: finding a service, and all that is known about one. No sign-in.

mod asked;
mod procedure;
mod services;

use std::sync::Arc;

use ::view::{Page, Site};
use askama::Template;
use base::{Error, Lang};
use jiff::civil::Date;

pub use self::{asked::Asked, services::icon};
pub(super) use self::{
    procedure::procedure_page,
    services::{life_event_page, services_page},
};
use super::service::Catalogue;

/// Where a dossier is begun: `/apply/{code}`.
pub const APPLY: &str = "/apply";

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
    if let Some(event) = catalogue.life_events().first() {
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
