//! What every page carries, and how a page or a refusal becomes a response.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base::{Error, Kind, Lang, Problems, Text};

use crate::{format::Whole, ui::Tone};

/// A place to go and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Address: a path of this site or a whole URL.
    pub href: String,
    /// What the reader sees.
    pub label: Text,
}

impl Link {
    /// A link with its label in both languages.
    pub fn new(href: impl Into<String>, vi: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            label: Text::new(vi, en),
        }
    }
}

/// One entry of the main navigation or of a row of tabs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    /// Address.
    pub href: String,
    /// What the reader sees.
    pub label: Text,
    /// Whether the page belongs to this entry.
    pub current: bool,
}

impl NavItem {
    /// An entry with its label in both languages.
    pub fn new(href: impl Into<String>, vi: impl Into<String>, en: impl Into<String>, current: bool) -> Self {
        Self {
            href: href.into(),
            label: Text::new(vi, en),
            current,
        }
    }
}

/// Who is signed in, as the header shows it.
#[derive(Debug, Clone)]
pub struct UserBadge {
    /// Name of the person.
    pub name: String,
    /// In what capacity: "Công dân", "Chuyên viên".
    pub role: Text,
    /// Entries of the user's menu. An address whose last segment is `sign-out` is shown as a button that POSTs.
    pub menu: Vec<Link>,
}

/// One message at the top of a page.
#[derive(Debug, Clone)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// What it says.
    pub text: Text,
}

/// The site that all pages belong to: one node as its agency presents itself.
#[derive(Debug, Clone)]
pub struct Site {
    /// The wordmark.
    pub name: Text,
    /// The agency that answers for the site.
    pub agency: Text,
    /// Telephone for questions; empty when there is none.
    pub hotline: String,
    /// E-mail for questions; empty when there is none.
    pub email: String,
    /// Design tokens that differ from the defaults; see [`crate::theme`].
    pub theme: BTreeMap<String, String>,
    /// Whether this is a demonstration: a banner says so on every page.
    pub demo: bool,
    /// Where "Sign in" leads.
    pub sign_in: String,
    /// Links at the foot of every page.
    pub footer: Vec<Link>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: Text::new("Một Cửa", "Một Cửa"),
            agency: Text::default(),
            hotline: String::new(),
            email: String::new(),
            theme: BTreeMap::new(),
            demo: false,
            sign_in: "/sign-in".to_owned(),
            footer: Vec::new(),
        }
    }
}

/// What every page carries. A template holds it as `page` and extends `layout.html`.
#[derive(Debug, Clone)]
pub struct Page {
    /// Language of the reader.
    pub lang: Lang,
    /// Title of the document; by convention also its `<h1>`.
    pub title: String,
    /// Path and query of the request, for the language switch.
    pub path: String,
    /// Who is signed in.
    pub user: Option<UserBadge>,
    /// Main navigation.
    pub nav: Vec<NavItem>,
    /// The site.
    pub site: Arc<Site>,
    /// From the front page down, without this page.
    pub breadcrumbs: Vec<Link>,
    /// What was wrong with the form that the page shows again.
    pub problems: Problems,
    /// One message at the top.
    pub notice: Option<Notice>,
    /// Identifies the request to those who operate the site.
    pub request_id: String,
}

impl Page {
    /// A page with a title and nothing else yet. `path` is the path and query of the request.
    pub fn new(lang: Lang, site: Arc<Site>, title: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            lang,
            title: title.into(),
            path: path.into(),
            user: None,
            nav: Vec::new(),
            site,
            breadcrumbs: Vec::new(),
            problems: Problems::new(),
            notice: None,
            request_id: String::new(),
        }
    }

    /// Picks the text of the reader's language.
    pub const fn t<'a>(&self, vi: &'a str, en: &'a str) -> &'a str {
        self.lang.t(vi, en)
    }

    /// The text of the reader's language.
    pub fn text<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.lang)
    }

    /// What is wrong at a field, for the message beside it.
    pub fn error(&self, at: &str) -> Option<&str> {
        self.problems.at(at, self.lang)
    }

    /// A whole number as the reader writes it.
    pub fn number(&self, n: impl Whole) -> String {
        crate::number(self.lang, n.whole())
    }

    /// This page in another language: the same path and query with `lang` set.
    pub fn lang_href(&self, lang: Lang) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        // A path that starts with two slashes would leave the site.
        let mut href = format!("/{}?", path.trim_start_matches(['/', '\\']));
        for pair in query
            .split('&')
            .filter(|p| !p.is_empty() && *p != "lang" && !p.starts_with("lang="))
        {
            href.push_str(pair);
            href.push('&');
        }
        href.push_str("lang=");
        href.push_str(lang.tag());
        href
    }
}

/// Renders a page. A failure to render is logged and answered with a plain page of status 500.
pub fn html<T: Template>(status: StatusCode, template: &T) -> Response {
    match template.render() {
        Ok(body) => (
            status,
            [
                (
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("text/html; charset=utf-8"),
                ),
                (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
                (header::VARY, HeaderValue::from_static("Cookie, Accept-Language")),
            ],
            body,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
                "Hệ thống gặp lỗi khi hiển thị trang này. Vui lòng thử lại sau.\n\
                 This page could not be shown. Please try again later.\n",
            )
                .into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    page: Page,
    status: u16,
    icon: &'static str,
    lead: String,
    more: Vec<String>,
    internal: bool,
    sign_in: bool,
}

/// The one page that says no: status from the kind of refusal, every problem in the reader's language, the request's id
/// for a failure of ours, and nothing of what is inside. `page` is the page of the request that failed; its title is replaced.
pub fn error_response(error: &Error, mut page: Page) -> Response {
    let (status, title, lead) = match error.kind() {
        Some(kind) => {
            let (title, lead) = words(kind, page.lang);
            (kind.status(), title, lead)
        }
        None => {
            tracing::error!(%error, request_id = %page.request_id, "a request failed");
            (
                500,
                page.lang.t("Hệ thống gặp sự cố", "Something went wrong on our side"),
                page.lang.t(
                    "Yêu cầu chưa được thực hiện. Quý vị không cần làm gì thêm; vui lòng thử lại sau ít phút.",
                    "Your request was not carried out. You did nothing wrong; please try again in a few minutes.",
                ),
            )
        }
    };
    page.title = title.to_owned();
    page.notice = None;
    page.problems = error.problems().cloned().unwrap_or_default();
    let status_code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let sign_in = error.kind() == Some(Kind::Unauthenticated);
    // One problem says better than the general words what is the matter; several stand under them.
    let mut more: Vec<String> = page.problems.iter().map(|p| page.text(&p.text).to_owned()).collect();
    let lead = if more.len() == 1 {
        more.remove(0)
    } else {
        lead.to_owned()
    };
    html(
        status_code,
        &ErrorPage {
            page,
            status,
            icon: match error.kind() {
                Some(Kind::Unauthenticated | Kind::Forbidden) => "lock",
                Some(Kind::NotFound) => "search",
                Some(Kind::TooMany | Kind::Unavailable) => "clock",
                _ => "warning",
            },
            lead,
            more,
            internal: error.kind().is_none(),
            sign_in,
        },
    )
}

fn words(kind: Kind, lang: Lang) -> (&'static str, &'static str) {
    match kind {
        Kind::Invalid => (
            lang.t("Thông tin chưa hợp lệ", "There is a problem"),
            lang.t(
                "Chưa có gì được lưu. Vui lòng xem lại những điểm sau:",
                "Nothing was saved. Please look at this again:",
            ),
        ),
        Kind::Unauthenticated => (
            lang.t("Vui lòng đăng nhập", "Please sign in"),
            lang.t(
                "Trang này chỉ dành cho người đã đăng nhập.",
                "This page is for people who have signed in.",
            ),
        ),
        Kind::Forbidden => (
            lang.t("Không có quyền truy cập", "You may not do this"),
            lang.t(
                "Tài khoản đang dùng không được phép thực hiện việc này.",
                "The account in use may not do this.",
            ),
        ),
        Kind::NotFound => (
            lang.t("Không tìm thấy trang", "Page not found"),
            lang.t(
                "Vui lòng kiểm tra lại địa chỉ, hoặc tìm từ trang chủ.",
                "Please check the address, or start from the front page.",
            ),
        ),
        Kind::NotAllowed => (
            lang.t("Không thực hiện được tại đây", "This cannot be done here"),
            lang.t(
                "Trang này không nhận yêu cầu như vậy. Vui lòng quay lại và thử lại từ trang trước.",
                "This page takes no such request. Please go back and try again from the page before.",
            ),
        ),
        Kind::Conflict => (
            lang.t("Thông tin đã thay đổi", "This has changed in the meantime"),
            lang.t(
                "Việc này chưa được thực hiện vì thông tin đã thay đổi sau khi trang được mở.",
                "This was not done, because something changed after you opened the page.",
            ),
        ),
        Kind::Stale => (
            lang.t("Trang đã cũ", "This page is out of date"),
            lang.t(
                "Vui lòng tải lại trang rồi thực hiện lại.",
                "Please reload the page and do it again.",
            ),
        ),
        Kind::TooLarge => (
            lang.t("Dữ liệu gửi lên quá lớn", "Too large"),
            lang.t("Chưa có gì được lưu.", "Nothing was saved."),
        ),
        Kind::TooMany => (
            lang.t("Quá nhiều lượt yêu cầu", "Too many requests"),
            lang.t(
                "Vui lòng chờ một lát rồi thử lại.",
                "Please wait a moment and try again.",
            ),
        ),
        Kind::Unavailable => (
            lang.t("Dịch vụ tạm thời gián đoạn", "The service is briefly unavailable"),
            lang.t(
                "Chưa có gì được lưu. Vui lòng thử lại sau ít phút.",
                "Nothing was saved. Please try again in a few minutes.",
            ),
        ),
    }
}
