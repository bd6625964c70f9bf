//! Administration of the keys of programs.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{Form, Query};
use base::{Error, Kind, Problems};
use serde::Deserialize;
use view::{Link, Page, ui};

use super::{
    account::DoneQuery,
    admin::{SecretPage, known_roles, own_agency, role_choices, secret_page},
    read_id,
};
use crate::{
    Permission,
    service::{NewToken, Token, TokenOwner, needed},
    web::Asked,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenForm {
    login: String,
    label: String,
    roles: Vec<String>,
    read_only: bool,
    days: String,
}

impl TokenForm {
    /// The value of a box that is ticked or not.
    fn ticked(&self, on: &bool) -> &'static str {
        if *on { "true" } else { "" }
    }
}

#[derive(Template)]
#[template(path = "identity/tokens.html")]
struct TokensPage {
    page: Page,
    tokens: Vec<Token>,
    form: TokenForm,
    roles: Vec<ui::Choice>,
}

async fn tokens_page(asked: &Asked, status: StatusCode, mut page: Page, form: TokenForm) -> Response {
    let found = match own_agency(asked, Permission::ManageTokens) {
        Ok(agency) => asked.state.tokens(asked.ctx(), &agency).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(tokens) => {
            page.title = asked.ctx().t("Mã truy cập phần mềm", "API tokens").to_owned();
            view::html(
                status,
                &TokensPage {
                    page,
                    tokens,
                    form,
                    roles: role_choices(asked.ctx().lang),
                },
            )
        }
        Err(error) => asked.web.refuse(&error),
    }
}

/// Keys of programs.
pub(super) async fn list(asked: Asked, Query(query): Query<DoneQuery>) -> Response {
    let notice = query
        .done
        .map(|_| ("Đã thu hồi mã truy cập.", "The token was revoked."));
    let page = asked.page("", "", notice);
    let form = TokenForm {
        days: "90".to_owned(),
        read_only: true,
        ..TokenForm::default()
    };
    tokens_page(&asked, StatusCode::OK, page, form).await
}

/// Makes a key and shows it once.
pub(super) async fn create(asked: Asked, Form(form): Form<TokenForm>) -> Response {
    let made = async {
        needed(asked.session.as_ref())?;
        let ctx = asked.ctx();
        ctx.officer()?;
        let officer = asked
            .state
            .officer_by_login(ctx, &form.login)
            .await
            .map_err(|error| match error {
                Error::Refused(Kind::NotFound, _) => {
                    let mut problems = Problems::new();
                    problems.add(
                        "unknown",
                        "login",
                        "Không có cán bộ nào có tên đăng nhập này trong phạm vi quản lý.",
                        "No officer whom you manage has this login name.",
                    );
                    Error::Refused(Kind::Invalid, problems)
                }
                error => error,
            })?;
        let new = NewToken {
            owner: TokenOwner::Officer(officer.id),
            label: form.label.clone(),
            roles: known_roles(&form.roles)?,
            read_only: form.read_only,
            days: form.days.trim().parse().unwrap_or(0),
        };
        asked.state.create_token(ctx, &new).await
    };
    let error = match made.await {
        Ok(secret) => {
            let back = Link::new("/admin/tokens", "Mã truy cập phần mềm", "API tokens");
            let mut page = asked.page("Mã truy cập mới", "New token", None);
            page.breadcrumbs = vec![back.clone()];
            let ctx = asked.ctx();
            return secret_page(&SecretPage {
                page,
                label: form.label,
                secret,
                hint: ctx
                    .t(
                        "Mã này chỉ hiển thị một lần. Lưu vào nơi an toàn và gửi trong tiêu đề Authorization: Bearer.",
                        "It is shown only now. Keep it safe and send it in the header Authorization: Bearer.",
                    )
                    .to_owned(),
                back,
            });
        }
        Err(error) => error,
    };
    match error {
        Error::Refused(kind @ Kind::Invalid, problems) => {
            let mut page = asked.web.page.clone();
            page.problems = problems;
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
            tokens_page(&asked, status, page, form).await
        }
        error => asked.web.refuse(&error),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct RevokeForm {
    #[serde(default)]
    id: String,
}

/// Revokes a key.
pub(super) async fn revoke(asked: Asked, Form(form): Form<RevokeForm>) -> Response {
    let done = match needed(asked.session.as_ref()) {
        Ok(_) => match read_id(&form.id) {
            Ok(id) => asked.state.revoke_token(asked.ctx(), id).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Redirect::to("/admin/tokens?done=1").into_response(),
        Err(error) => asked.web.refuse(&error),
    }
}
