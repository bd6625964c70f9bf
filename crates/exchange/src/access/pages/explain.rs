//! Why a call would be allowed or refused: a form and its answer.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use axum_extra::extract::Query;
use base::{Problems, Text};
use identity::Web;
use serde::Deserialize;
use view::{
    NavItem, Page,
    ui::{self, Choice},
};

use super::{Tab, titled};
use crate::{
    access::{Access, Asked},
    model::Method,
};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    client: String,
    from: String,
    method: String,
    target: String,
    purpose: String,
}

impl Wanted {
    /// Reads what is asked; every problem at its field.
    fn read(&self) -> Result<Asked, Problems> {
        let mut problems = Problems::new();
        let client = self
            .client
            .trim()
            .parse()
            .map_err(|reason: base::codes::CodeError| reason.add_to(&mut problems, "client"));
        let from = match self.from.trim() {
            "" => None,
            text => match text.parse() {
                Ok(from) => Some(from),
                Err(_) => {
                    problems.add(
                        "not-an-address",
                        "from",
                        "Nhập địa chỉ IP, ví dụ 10.1.2.3.",
                        "Enter an IP address, such as 10.1.2.3.",
                    );
                    None
                }
            },
        };
        let method = self.method.parse::<Method>().map_err(|_| {
            problems.add("unknown-method", "method", "Chọn một phương thức.", "Choose a method.");
        });
        let purpose = match self.purpose.trim() {
            "" => None,
            text => match text.parse() {
                Ok(purpose) => Some(purpose),
                Err(flaw) => {
                    let flaw: crate::model::PurposeFlaw = flaw;
                    base::codes::CodeError::from(flaw).add_to(&mut problems, "purpose");
                    None
                }
            },
        };
        if self.target.trim().is_empty() {
            problems.add(
                "required",
                "target",
                "Nhập địa chỉ của lời gọi: /r1/VN/GOV/….",
                "Enter the address of the call: /r1/VN/GOV/….",
            );
        }
        match (client, method) {
            (Ok(client), Ok(method)) if problems.is_empty() => Ok(Asked {
                client,
                from,
                token: None,
                method,
                target: self.target.trim().to_owned(),
                purpose,
            }),
            _ => Err(problems),
        }
    }
}

#[derive(Template)]
#[template(path = "access/explain.html")]
struct ExplainPage {
    page: Page,
    tabs: Vec<NavItem>,
    wanted: Wanted,
    methods: Vec<Choice>,
    lines: Vec<Text>,
}

pub(super) async fn page(State(access): State<Access>, web: Web, Query(wanted): Query<Wanted>) -> Response {
    let mut page = titled(
        web.page.clone(),
        "Vì sao lời gọi được hay không được phép",
        "Why a call is allowed or refused",
        None,
    );
    let empty = [&wanted.client, &wanted.target, &wanted.purpose]
        .iter()
        .all(|text| text.is_empty());
    let read = (!empty).then(|| wanted.read()).transpose();
    let lines = match read {
        Ok(None) => access.may_explain(&web.ctx).map(|()| Vec::new()),
        Ok(Some(asked)) => access.explain(&web.ctx, &asked),
        Err(problems) => {
            page.problems = problems;
            access.may_explain(&web.ctx).map(|()| Vec::new())
        }
    };
    let status = if page.problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    match lines {
        Ok(lines) => view::html(
            status,
            &ExplainPage {
                page,
                tabs: Tab::row(Tab::Explain),
                methods: Method::ALL.map(|method| Choice::new(method, method)).to_vec(),
                wanted,
                lines,
            },
        ),
        Err(error) => web.refuse(&error),
    }
}
