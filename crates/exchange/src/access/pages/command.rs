//! One command about a grant: a page with its form.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use base::{Error, Kind, Result, Text};
use identity::Web;
use uuid::Uuid;
use view::{
    Page,
    ui::{self, Choice},
};

use super::{Fields, Tab, again, grant, titled, words};
use crate::access::{
    Access, GrantView, Side,
    model::{CommandDraft, CommandKind, TermsDraft},
};

#[derive(Template)]
#[template(path = "access/command.html")]
struct CommandPage {
    page: Page,
    grant: GrantView,
    kind: CommandKind,
    draft: CommandDraft,
    terms: TermsDraft,
    methods: Vec<Choice>,
    how: Vec<Choice>,
    notice: Text,
    earliest: String,
    order: Uuid,
    seen: i64,
}

impl CommandPage {
    fn is(&self, code: &str) -> bool {
        self.kind.code() == code
    }

    fn how(&self) -> &'static str {
        if self.draft.at_once { "true" } else { "false" }
    }

    fn needs_notice(&self) -> bool {
        self.is("suspend") || (self.is("end") && self.grant.side == Side::Incoming)
    }

    fn back(&self) -> String {
        grant::address(self.grant.side, self.grant.file.id)
    }

    fn dangerous(&self) -> bool {
        matches!(
            self.kind,
            CommandKind::Refuse | CommandKind::Suspend | CommandKind::End | CommandKind::Withdraw
        )
    }
}

/// What the form holds, and what its sender had seen.
struct Sent {
    draft: CommandDraft,
    order: Uuid,
    seen: i64,
}

fn show(access: &Access, web: &Web, status: StatusCode, page: Page, grant: GrantView, sent: Sent) -> Response {
    let kind = sent.draft.command;
    let label = kind.label();
    let mut page = titled(page, &label.vi, &label.en, Some(Tab::Grants));
    page.breadcrumbs.push(grant::crumb(&grant));
    let earliest = access.law().earliest_after_notice(web.ctx.now);
    let terms = sent
        .draft
        .terms
        .clone()
        .unwrap_or_else(|| TermsDraft::of(&grant.file.asked));
    let lang = web.ctx.lang;
    match earliest {
        Ok(earliest) => view::html(
            status,
            &CommandPage {
                page,
                kind,
                terms,
                methods: words::methods(lang),
                how: vec![
                    Choice::new("false", lang.t("Có báo trước", "With notice")),
                    Choice::new(
                        "true",
                        lang.t(
                            "Ngay bây giờ, do sự cố an toàn thông tin",
                            "At once, for a security incident",
                        ),
                    ),
                ],
                notice: access.law().clocks().notice.text(),
                earliest: earliest.strftime("%d/%m/%Y").to_string(),
                order: sent.order,
                seen: sent.seen,
                draft: sent.draft,
                grant,
            },
        ),
        Err(error) => web.refuse(&error),
    }
}

async fn asked(access: &Access, web: &Web, side: &str, id: &str, kind: &str) -> Result<(GrantView, CommandKind)> {
    web.ctx.officer()?;
    let kind = CommandKind::from_code(kind).ok_or_else(|| Error::not_found("trang này", "page"))?;
    let (side, id) = grant::read(side, id)?;
    let grant = access.grant(&web.ctx, side, id).await?;
    if !grant.may_act || !kind.is_of(side) {
        return Err(Error::forbidden());
    }
    Ok((grant, kind))
}

pub(super) async fn form(
    State(access): State<Access>,
    web: Web,
    Path((side, id, kind)): Path<(String, String, String)>,
) -> Response {
    match asked(&access, &web, &side, &id, &kind).await {
        Ok((grant, kind)) if grant.commands().any(|can| can == kind) => {
            let sent = Sent {
                draft: CommandDraft::new(kind),
                order: base::Id::<CommandKind>::new(web.ctx.now).uuid(),
                seen: grant.file.seq,
            };
            show(&access, &web, StatusCode::OK, web.page.clone(), grant, sent)
        }
        Ok((grant, _)) => {
            let label = grant.standing.label();
            web.refuse(&Error::refused(
                Kind::Conflict,
                "not-now",
                format!("Không thực hiện được khi quyền truy cập ở tình trạng “{}”.", label.vi),
                format!("This cannot be done while the grant stands at “{}”.", label.en),
            ))
        }
        Err(error) => web.refuse(&error),
    }
}

pub(super) async fn submit(
    State(access): State<Access>,
    web: Web,
    Path((side, id, kind)): Path<(String, String, String)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let (grant, kind) = match asked(&access, &web, &side, &id, &kind).await {
        Ok(asked) => asked,
        Err(error) => return web.refuse(&error),
    };
    let fields = Fields(fields);
    // Bent or missing: no log is so long, and the grant counts as changed.
    let (order, seen) = match (fields.one("order").parse(), fields.one("seen").parse()) {
        (Ok(order), Ok(seen)) => (order, seen),
        _ => (Uuid::nil(), -1),
    };
    let with_terms = matches!(kind, CommandKind::Approve | CommandKind::Supplement);
    let sent = Sent {
        draft: CommandDraft {
            reason: fields.one("reason"),
            ground: fields.one("ground"),
            question: fields.one("question"),
            answer: fields.one("answer"),
            note: fields.one("note"),
            from: fields.date("from"),
            at_once: fields.ticked("at_once"),
            incident: fields.one("incident"),
            terms: with_terms.then(|| fields.terms()),
            command: kind,
        },
        order,
        seen,
    };
    let given = async {
        let command = sent
            .draft
            .read()
            .map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
        let id = grant.file.id;
        access
            .command(&web.ctx, grant.side, id, &command, sent.seen, sent.order)
            .await
    };
    match given.await {
        Ok(()) => Redirect::to(&format!("{}?done=1", grant::address(grant.side, grant.file.id))).into_response(),
        Err(error) => match again(&web, error) {
            Ok((status, page)) => show(&access, &web, status, page, grant, sent),
            Err(error) => web.refuse(&error),
        },
    }
}
