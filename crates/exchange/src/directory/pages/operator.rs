//! What the operator sees and does.

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Kind, Problems, Result, Text, Timestamp};
use identity::{Cursor, Web, place, read_place};
use serde::Deserialize;
use view::{Link, NavItem, Notice, Page, ui};

use super::{again, answer, member_href, named};
use crate::{
    directory::{
        Membership,
        api::MemberPath,
        grouped, grouped_key,
        membership::{
            Act, Application, ApplicationId, ApplicationStanding, Approve, CertificateInfo, Invitation, Invite,
            Publication, Registered, Revoke, reason_of,
        },
    },
    model::identifier::MemberId,
};

/// The reasons that an operator chooses from.
const REASONS: [(&str, &str, &str); 6] = [
    ("key-compromise", "Khóa có thể đã lộ", "The key may be in other hands"),
    (
        "superseded",
        "Đã có chứng thư khác thay thế",
        "Another certificate took its place",
    ),
    (
        "affiliation-changed",
        "Thành viên đổi tên hoặc tổ chức lại",
        "The member was renamed or reorganised",
    ),
    (
        "cessation-of-operation",
        "Cổng ngừng hoạt động",
        "The gateway was closed",
    ),
    (
        "privilege-withdrawn",
        "Thành viên không còn được tham gia",
        "The member may no longer take part",
    ),
    ("unspecified", "Lý do khác", "Another reason"),
];

/// The ways between the pages of the operator.
fn tabs(current: &str) -> Vec<NavItem> {
    [
        ("/exchange/applications", "Đơn tham gia", "Applications"),
        ("/exchange/registry", "Thành viên", "Members"),
        ("/exchange/invitations", "Mã mời", "Invitations"),
    ]
    .into_iter()
    .map(|(href, vi, en)| NavItem::new(href, vi, en, href == current))
    .collect()
}

/// What was done just now, for the message at the top.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    done: String,
}

impl Done {
    fn on(&self, page: &mut Page) {
        let (vi, en) = match self.done.as_str() {
            "approved" => (
                "Đã chấp thuận và công bố danh bạ mới.",
                "Approved; a new edition is published.",
            ),
            "refused" => ("Đã từ chối đơn.", "The application was refused."),
            "saved" => ("Đã lưu và công bố danh bạ mới.", "Saved; a new edition is published."),
            _ => return,
        };
        page.notice = Some(Notice {
            tone: ui::Tone::Good,
            text: Text::new(vi, en),
        });
    }
}

/// Which applications, from where on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    standing: String,
    cursor: Cursor,
    done: String,
}

#[derive(Template)]
#[template(path = "exchange/applications.html")]
struct ApplicationsPage {
    page: Page,
    tabs: Vec<NavItem>,
    states: Vec<NavItem>,
    pending: bool,
    publication: Publication,
    fingerprint: String,
    applications: Vec<Application>,
    newer: Option<String>,
    older: Option<String>,
}

pub async fn applications(State(membership): State<Membership>, web: Web, Query(asked): Query<Asked>) -> Response {
    let made = applications_page(&membership, &web, asked).await;
    answer(&web, made)
}

async fn applications_page(membership: &Membership, web: &Web, asked: Asked) -> Result<ApplicationsPage> {
    let standing = ApplicationStanding::from_code(&asked.standing).unwrap_or(ApplicationStanding::Pending);
    let after = asked.cursor.place(read_place)?;
    let (applications, next) = membership.applications(&web.ctx, standing, after, 50).await?;
    let mut page = web.titled("Đơn tham gia liên thông", "Applications to join");
    Done { done: asked.done }.on(&mut page);
    let href = |standing: ApplicationStanding| format!("/exchange/applications?standing={}", standing.code());
    let states = [
        (ApplicationStanding::Pending, "Đang chờ", "Waiting"),
        (ApplicationStanding::Approved, "Đã chấp thuận", "Approved"),
        (ApplicationStanding::Refused, "Đã từ chối", "Refused"),
    ];
    Ok(ApplicationsPage {
        tabs: tabs("/exchange/applications"),
        states: states
            .into_iter()
            .map(|(state, vi, en)| NavItem::new(href(state), vi, en, state == standing))
            .collect(),
        pending: standing == ApplicationStanding::Pending,
        publication: membership.publication(&web.ctx).await?,
        fingerprint: grouped(&membership.publisher().fingerprint()?.to_string()),
        newer: after.map(|_| href(standing)),
        older: next.map(|at| format!("{}&cursor={}", href(standing), place(at))),
        applications,
        page,
    })
}

#[derive(Template)]
#[template(path = "exchange/application.html")]
struct ApplicationPage {
    page: Page,
    application: Application,
    fingerprint: String,
    tls_key: String,
    reason: String,
}

pub async fn application(State(membership): State<Membership>, web: Web, Path(id): Path<String>) -> Response {
    let made = application_page(&membership, web.clone(), &id, String::new()).await;
    answer(&web, made)
}

async fn application_page(membership: &Membership, web: Web, id: &str, reason: String) -> Result<ApplicationPage> {
    let application = membership.application(&web.ctx, application_id(id)?).await?;
    let mut page = web.page;
    page.title = named(&page, &application.name);
    page.breadcrumbs = vec![Link::new("/exchange/applications", "Đơn tham gia", "Applications")];
    Ok(ApplicationPage {
        fingerprint: grouped(&application.fingerprint),
        tls_key: grouped_key(&application.tls_key),
        application,
        reason,
        page,
    })
}

fn application_id(id: &str) -> Result<ApplicationId> {
    id.parse().map_err(|_| Error::not_found("đơn tham gia", "application"))
}

/// The operator's yes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ApproveForm {
    compared: bool,
    adds_to_member: bool,
}

pub async fn approve(
    State(membership): State<Membership>,
    web: Web,
    Path(id): Path<String>,
    Form(form): Form<ApproveForm>,
) -> Response {
    let approved = async {
        let id = application_id(&id)?;
        if !form.compared {
            // Whoever may not approve learns only that.
            membership.application(&web.ctx, id).await?;
            return Err(not_compared());
        }
        let approve = Approve {
            adds_to_member: form.adds_to_member,
        };
        membership.approve(&web.ctx, id, approve).await
    };
    match approved.await {
        Ok(()) => Redirect::to("/exchange/applications?done=approved").into_response(),
        Err(error) => again(web, error, |web| application_page(&membership, web, &id, String::new())).await,
    }
}

fn not_compared() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "compared",
        "compared",
        "Hãy gọi cho đơn vị nộp đơn theo số điện thoại đã biết, đối chiếu vân tay rồi đánh dấu xác nhận.",
        "Call the applicant at a number that you know, compare the fingerprint, and confirm it here.",
    );
    Error::Refused(Kind::Invalid, problems)
}

/// A reason.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReasonForm {
    reason: String,
}

pub async fn refuse(
    State(membership): State<Membership>,
    web: Web,
    Path(id): Path<String>,
    Form(form): Form<ReasonForm>,
) -> Response {
    let refused = async { membership.refuse(&web.ctx, application_id(&id)?, &form.reason).await };
    match refused.await {
        Ok(()) => Redirect::to("/exchange/applications?done=refused").into_response(),
        Err(error) => again(web, error, |web| application_page(&membership, web, &id, form.reason)).await,
    }
}

#[derive(Template)]
#[template(path = "exchange/invitations.html")]
struct InvitationsPage {
    page: Page,
    tabs: Vec<NavItem>,
    now: Timestamp,
    form: InviteForm,
    code: Option<String>,
    fingerprint: String,
    invitations: Vec<Invitation>,
}

/// Whom to invite.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct InviteForm {
    member: String,
    days: String,
}

pub async fn invitations(State(membership): State<Membership>, web: Web) -> Response {
    let form = InviteForm {
        days: "14".to_owned(),
        ..InviteForm::default()
    };
    let made = invitations_page(&membership, web.clone(), form, None).await;
    answer(&web, made)
}

async fn invitations_page(
    membership: &Membership,
    web: Web,
    form: InviteForm,
    code: Option<String>,
) -> Result<InvitationsPage> {
    let invitations = membership.invitations(&web.ctx).await?;
    let mut page = web.page;
    page.title = page.t("Mời tham gia liên thông", "Invitations to join").to_owned();
    Ok(InvitationsPage {
        page,
        tabs: tabs("/exchange/invitations"),
        now: web.ctx.now,
        form,
        code,
        fingerprint: grouped(&membership.publisher().fingerprint()?.to_string()),
        invitations,
    })
}

pub async fn invite(State(membership): State<Membership>, web: Web, Form(form): Form<InviteForm>) -> Response {
    let invited = async {
        let member = form.member.trim().parse().map_err(|reason: base::codes::CodeError| {
            let mut problems = Problems::new();
            reason.add_to(&mut problems, "member");
            Error::Refused(Kind::Invalid, problems)
        });
        // 0 is no number of days, and is refused with its reason.
        let days = form.days.trim().parse().unwrap_or(0);
        membership
            .invite(
                &web.ctx,
                &Invite {
                    member: member?,
                    days,
                    anew: true,
                },
            )
            .await
    };
    match invited.await {
        Ok(code) => {
            let made = invitations_page(&membership, web.clone(), InviteForm::default(), Some(code)).await;
            let mut response = answer(&web, made);
            let no_store = axum::http::HeaderValue::from_static("no-store");
            response
                .headers_mut()
                .insert(axum::http::header::CACHE_CONTROL, no_store);
            response
        }
        Err(error) => again(web, error, |web| invitations_page(&membership, web, form, None)).await,
    }
}

/// From where on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    cursor: Cursor,
}

#[derive(Template)]
#[template(path = "exchange/registry.html")]
struct RegistryPage {
    page: Page,
    tabs: Vec<NavItem>,
    members: Vec<(String, Registered)>,
    newer: Option<String>,
    older: Option<String>,
}

pub async fn registry(State(membership): State<Membership>, web: Web, Query(asked): Query<Wanted>) -> Response {
    let made = async {
        let (members, next) = {
            let after = asked.cursor.place(|cursor| cursor.parse::<MemberId>().ok())?;
            let after = after.map(|after| after.to_string()).unwrap_or_default();
            membership.members(&web.ctx, &after).await?
        };
        let members = members.into_iter().map(|member| (registry_href(&member), member));
        Ok(RegistryPage {
            page: web.titled("Thành viên liên thông", "Members of the federation"),
            tabs: tabs("/exchange/registry"),
            members: members.collect(),
            newer: Some("/exchange/registry".to_owned()).filter(|_| !asked.cursor.is_first()),
            older: next.map(|next| {
                format!(
                    "/exchange/registry?cursor={}",
                    next.replace('%', "%25").replace('+', "%2B")
                )
            }),
        })
    };
    let made = made.await;
    answer(&web, made)
}

fn registry_href(member: &Registered) -> String {
    member_href("/exchange/registry", &member.entry.id)
}

#[derive(Template)]
#[template(path = "exchange/registered.html")]
struct RegisteredPage {
    page: Page,
    href: String,
    member: Registered,
    certificates: Vec<CertificateInfo>,
    acts: Vec<Act>,
    reasons: Vec<ui::Choice>,
    reason: String,
}

impl RegisteredPage {
    fn act<'a>(&self, act: &'a Act) -> &'a str {
        match act.act.as_str() {
            "approve" => self.page.t("Chấp thuận cổng", "Gateway approved"),
            "refuse" => self.page.t("Từ chối đơn", "Application refused"),
            "invite" => self.page.t("Cấp mã mời", "Invited"),
            "suspend" => self.page.t("Tạm dừng", "Suspended"),
            "resume" => self.page.t("Cho tham gia lại", "Resumed"),
            "revoke" => self.page.t("Thu hồi chứng thư", "Certificate revoked"),
            "change" => self.page.t("Thành viên tự cập nhật", "Changed by the member"),
            other => other,
        }
    }

    fn reason_words(&self, certificate: &CertificateInfo) -> &str {
        let code = certificate.reason.as_deref().unwrap_or_default();
        let found = REASONS.iter().find(|(known, ..)| *known == code);
        found.map_or("", |(_, vi, en)| self.page.t(vi, en))
    }
}

pub async fn registered(
    State(membership): State<Membership>,
    web: Web,
    Path(path): Path<MemberPath>,
    Query(done): Query<Done>,
) -> Response {
    let made = registered_page(&membership, web.clone(), &path, String::new()).await;
    let made = made.map(|mut template| {
        done.on(&mut template.page);
        template
    });
    answer(&web, made)
}

async fn registered_page(
    membership: &Membership,
    web: Web,
    path: &MemberPath,
    reason: String,
) -> Result<RegisteredPage> {
    let (member, certificates, acts) = membership.member(&web.ctx, &path.id()?).await?;
    let mut page = web.page;
    page.title = named(&page, &member.entry.name);
    page.breadcrumbs = vec![Link::new("/exchange/registry", "Thành viên", "Members")];
    let reasons = REASONS.map(|(code, vi, en)| ui::Choice::new(code, page.t(vi, en)));
    Ok(RegisteredPage {
        href: registry_href(&member),
        member,
        certificates,
        acts,
        reasons: reasons.to_vec(),
        reason,
        page,
    })
}

pub async fn suspend(
    State(membership): State<Membership>,
    web: Web,
    Path(path): Path<MemberPath>,
    Form(form): Form<ReasonForm>,
) -> Response {
    let done = async { membership.suspend(&web.ctx, &path.id()?, &form.reason).await };
    let done = done.await;
    changed(&membership, web, &path, form.reason, done).await
}

pub async fn resume(
    State(membership): State<Membership>,
    web: Web,
    Path(path): Path<MemberPath>,
    Form(form): Form<ReasonForm>,
) -> Response {
    let done = async { membership.resume(&web.ctx, &path.id()?, &form.reason).await };
    let done = done.await;
    changed(&membership, web, &path, form.reason, done).await
}

/// Which certificate, and why.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RevokeForm {
    serial: String,
    revocation: String,
}

pub async fn revoke(
    State(membership): State<Membership>,
    web: Web,
    Path(path): Path<MemberPath>,
    Form(form): Form<RevokeForm>,
) -> Response {
    let done = async {
        let reason = reason_of(&form.revocation).ok_or_else(|| {
            let mut problems = Problems::new();
            problems.add("required", "revocation", "Chọn lý do thu hồi.", "Choose a reason.");
            Error::Refused(Kind::Invalid, problems)
        })?;
        let revoke = Revoke {
            reason,
            invalid_since: None,
        };
        membership.revoke(&web.ctx, &form.serial, revoke).await
    };
    let done = done.await;
    changed(&membership, web, &path, String::new(), done).await
}

async fn changed(membership: &Membership, web: Web, path: &MemberPath, reason: String, done: Result<()>) -> Response {
    match (done, path.id()) {
        (Ok(()), Ok(id)) => {
            let href = member_href("/exchange/registry", &id);
            Redirect::to(&format!("{href}?done=saved")).into_response()
        }
        (Err(error), _) | (_, Err(error)) => {
            again(web, error, |web| registered_page(membership, web, path, reason)).await
        }
    }
}
