//! The list of grants.

use askama::Template;
use axum::{extract::State, response::Response};
use axum_extra::extract::Query;
use identity::{Cursor, Permission, Web, place, read_place};
use serde::Deserialize;
use view::{
    NavItem, Page,
    ui::{self, Choice},
};

use super::{PAGE, Tab, answer, encoded, titled, words};
use crate::access::{Access, GrantList, GrantsQuery, Side, Standing};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    side: String,
    standing: String,
    about: String,
    only: String,
    cursor: Cursor,
}

#[derive(Template)]
#[template(path = "access/grants.html")]
struct GrantsPage {
    page: Page,
    tabs: Vec<NavItem>,
    wanted: Wanted,
    sides: Vec<Choice>,
    standings: Vec<Choice>,
    only: Vec<Choice>,
    grants: Vec<GrantList>,
    now: base::Timestamp,
    may_ask: bool,
    filtered: bool,
    newer: Option<String>,
    older: Option<String>,
}

impl GrantsPage {
    fn tone(&self, grant: &GrantList) -> ui::Tone {
        words::tone(grant.standing)
    }

    fn label(&self, grant: &GrantList) -> base::Text {
        grant.standing.label()
    }

    fn side(&self, grant: &GrantList) -> base::Text {
        words::side(grant.side)
    }

    fn overdue(&self, grant: &GrantList) -> bool {
        grant.answer_due.is_some_and(|due| due < self.now)
    }

    fn until(&self, grant: &GrantList) -> String {
        grant
            .file
            .agreed
            .as_ref()
            .map(|terms| terms.last_day().strftime("%d/%m/%Y").to_string())
            .unwrap_or_default()
    }
}

pub(super) async fn list(State(access): State<Access>, web: Web, Query(wanted): Query<Wanted>) -> Response {
    let before = match wanted.cursor.place(read_place) {
        Ok(before) => before,
        Err(error) => return web.refuse(&error),
    };
    let lang = web.ctx.lang;
    let query = GrantsQuery {
        side: Side::from_code(&wanted.side),
        standing: Standing::from_code(&wanted.standing),
        about: Some(wanted.about.trim().to_owned()).filter(|about| !about.is_empty()),
        overdue: wanted.only == "overdue",
        ending: wanted.only == "ending",
        before,
    };
    let made = access.grants(&web.ctx, &query, PAGE).await.map(|(grants, next)| {
        let kept = [
            ("side", &wanted.side),
            ("standing", &wanted.standing),
            ("about", &wanted.about),
            ("only", &wanted.only),
        ];
        let kept: Vec<String> = kept
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let kept = kept.join("&");
        GrantsPage {
            page: titled(
                web.page.clone(),
                "Quyền truy cập dữ liệu",
                "Grants of data access",
                None,
            ),
            tabs: Tab::row(Tab::Grants),
            sides: [Side::Incoming, Side::Outgoing]
                .map(|side| Choice::from_text(side.code(), &words::side(side), lang))
                .to_vec(),
            standings: Standing::ALL
                .map(|standing| Choice::from_text(standing.code(), &standing.label(), lang))
                .to_vec(),
            only: vec![
                Choice::new("overdue", lang.t("Quá hạn trả lời", "Answer overdue")),
                Choice::new("ending", lang.t("Sắp hết hạn", "Soon over")),
            ],
            grants,
            now: web.ctx.now,
            may_ask: web.ctx.holds(Permission::ManageExchange),
            filtered: !kept.is_empty() || query.before.is_some(),
            newer: query.before.map(|_| format!("/exchange/access?{kept}")),
            older: next.map(|at| format!("/exchange/access?{kept}&cursor={}", place(at))),
            wanted: wanted.clone(),
        }
    });
    answer(&web, made)
}
