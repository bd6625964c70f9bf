//! One grant: how it stands, what was agreed, what happened; and its print.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Query;
use base::{Error, Result, Text};
use identity::Web;
use view::{Page, ui};

use super::{DoneQuery, Tab, answer, done, titled, words};
use crate::{
    access::{
        Access, GrantView, OrderView, Side, Standing,
        model::{CommandKind, Entry, Terms},
    },
    model::rights::GrantId,
};

/// Side and id in an address.
pub(super) fn read(side: &str, id: &str) -> Result<(Side, GrantId)> {
    let missing = || Error::not_found("quyền truy cập", "grant");
    let side = Side::from_code(side).ok_or_else(missing)?;
    Ok((side, id.parse().map_err(|_| missing())?))
}

/// The address of a grant.
pub(super) fn address(side: Side, id: GrantId) -> String {
    format!("/exchange/access/{}/{id}", side.code())
}

/// The way back to a grant.
pub(super) fn crumb(grant: &GrantView) -> view::Link {
    let file = &grant.file;
    let name = format!("{} → {}", file.consumer, file.service);
    view::Link {
        href: address(grant.side, file.id),
        label: Text::new(name.clone(), name),
    }
}

/// Names of the two parties, as far as the directory has them.
struct Parties {
    consumer: Text,
    provider: Text,
    service: Text,
}

impl Parties {
    async fn of(access: &Access, grant: &GrantView) -> Result<Self> {
        let (consumer, service) = (&grant.file.consumer, &grant.file.service);
        let standing = access.directory();
        let view = standing.as_ref().map(|standing| &standing.view);
        let name = |member: &crate::model::identifier::MemberId| {
            let known = view
                .and_then(|view| view.member(member))
                .map(|member| member.name.clone());
            known.unwrap_or_else(|| Text::new(member.to_string(), ""))
        };
        let offer = access.offer(service).await?;
        Ok(Self {
            consumer: name(&consumer.member),
            provider: name(&service.provider.member),
            service: offer.map_or_else(|| Text::new(service.code.to_string(), ""), |offer| offer.name),
        })
    }
}

#[derive(Template)]
#[template(path = "access/grant.html")]
struct GrantPage {
    page: Page,
    grant: GrantView,
    parties: Parties,
    now: base::Timestamp,
}

impl GrantPage {
    fn address(&self) -> String {
        address(self.grant.side, self.grant.file.id)
    }

    fn form(&self, kind: &CommandKind) -> String {
        format!("{}/{}", self.address(), kind.code())
    }

    fn print(&self) -> String {
        format!("{}/print", self.address())
    }

    fn renew(&self) -> String {
        format!("/exchange/access/new?renews={}", self.grant.file.id)
    }

    fn tone(&self) -> ui::Tone {
        words::tone(self.grant.standing)
    }

    fn terms(&self, terms: &Terms) -> Vec<(Text, Text)> {
        words::terms(terms)
    }

    fn step(&self, entry: &Entry) -> ui::Step {
        let lang = self.page.lang;
        let (title, lines) = words::entry(entry);
        let lines: Vec<&str> = lines.iter().map(|line| line.get(lang)).collect();
        let text = Some(lines.join(" · ")).filter(|text| !text.is_empty());
        ui::step(title.get(lang), ui::StepState::Done)
            .time(entry.at.display())
            .who(words::by(entry, lang))
            .text(text)
    }

    fn said(&self, order: &OrderView) -> String {
        let lines: Vec<&str> = order
            .problems
            .iter()
            .map(|problem| problem.text.get(self.page.lang))
            .collect();
        lines.join(" ")
    }

    fn commands(&self) -> Vec<CommandKind> {
        self.grant.commands().collect()
    }

    fn narrower(&self) -> bool {
        self.grant
            .file
            .agreed
            .as_ref()
            .is_some_and(|agreed| *agreed != self.grant.file.asked)
    }

    fn overdue(&self) -> bool {
        self.grant.answer_due.is_some_and(|due| due < self.now)
    }

    /// A suspension that was given notice of and has not begun.
    fn notice(&self) -> Option<String> {
        let from = self.grant.file.suspension.as_ref()?.from;
        (from > self.now).then(|| format!("{} {}", self.page.t("Tạm ngừng từ", "Suspended from"), from.display()))
    }

    /// An end that was given notice of and has not come.
    fn ending(&self) -> Option<String> {
        let end = self.grant.file.end?;
        (end > self.now).then(|| format!("{} {}", self.page.t("Chấm dứt từ", "It ends on"), end.display()))
    }

    fn soon_over(&self) -> bool {
        matches!(self.grant.standing, Standing::Active | Standing::Suspended)
            && self.grant.warns_at.is_some_and(|at| at <= self.now)
    }

    fn can_renew(&self) -> bool {
        self.grant.may_act && self.grant.side == Side::Outgoing && self.grant.file.agreed.is_some()
    }

    fn may_look(&self) -> bool {
        self.grant.may_act && self.grant.side == Side::Outgoing && !self.grant.standing.is_final()
    }
}

pub(super) async fn page(
    State(access): State<Access>,
    web: Web,
    Path((side, id)): Path<(String, String)>,
    Query(query): Query<DoneQuery>,
) -> Response {
    let made = async {
        web.ctx.officer()?;
        let (side, id) = read(&side, &id)?;
        let grant = access.grant(&web.ctx, side, id).await?;
        let said = match (query.done.is_some(), side) {
            (false, _) => None,
            (true, Side::Incoming) => Some(("Đã ghi nhận.", "Done.")),
            (true, Side::Outgoing) => Some((
                "Đã ghi nhận và sẽ gửi tới nút của bên cung cấp.",
                "Noted; it goes to the provider's node.",
            )),
        };
        let mut page = titled(done(web.page.clone(), said), "", "", Some(Tab::Grants));
        page.title = format!("{} → {}", grant.file.consumer, grant.file.service);
        Ok(GrantPage {
            page,
            parties: Parties::of(&access, &grant).await?,
            grant,
            now: web.ctx.now,
        })
    };
    answer(&web, made.await)
}

/// Asks the provider's node now.
pub(super) async fn look(State(access): State<Access>, web: Web, Path((side, id)): Path<(String, String)>) -> Response {
    let done = async {
        web.ctx.officer()?;
        let (side, id) = read(&side, &id)?;
        if side != Side::Outgoing {
            return Err(Error::not_found("quyền truy cập", "grant"));
        }
        access.look_now(&web.ctx, id).await.map(|()| address(side, id))
    };
    match done.await {
        Ok(address) => Redirect::to(&address).into_response(),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "access/print.html")]
struct PrintPage {
    page: Page,
    grant: GrantView,
    parties: Parties,
    terms: Vec<(Text, Text)>,
    asked: String,
    approved: Option<(String, String)>,
}

/// The agreement, for paper.
pub(super) async fn print(
    State(access): State<Access>,
    web: Web,
    Path((side, id)): Path<(String, String)>,
) -> Response {
    let made = async {
        web.ctx.officer()?;
        let (side, id) = read(&side, &id)?;
        let grant = access.grant(&web.ctx, side, id).await?;
        let lang = web.ctx.lang;
        let mut page = titled(
            web.page.clone(),
            "Thỏa thuận chia sẻ dữ liệu",
            "Agreement on sharing data",
            Some(Tab::Grants),
        );
        page.breadcrumbs.push(crumb(&grant));
        let approved = grant
            .log
            .iter()
            .find(|entry| matches!(entry.event, crate::access::model::Event::Approved { .. }));
        Ok(PrintPage {
            page,
            parties: Parties::of(&access, &grant).await?,
            terms: words::terms(grant.file.agreed.as_ref().unwrap_or(&grant.file.asked)),
            asked: grant
                .log
                .first()
                .map(|entry| words::by(entry, lang))
                .unwrap_or_default(),
            approved: approved.map(|entry| (words::by(entry, lang), entry.at.display())),
            grant,
        })
    };
    answer(&web, made.await)
}
