//! Every component in its normal state, in error and empty: for people who build pages, and for the tests of
//! accessibility and looks.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use base::{Problems, Timestamp};

use crate::{
    chart::{Bars, Lines},
    page::{Link, NavItem, Page},
    ui::{self, Choice, StepState, Tone},
};

/// In which state the style guide shows its components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Fields without values, lists without entries.
    Empty,
    /// Fields with values.
    #[default]
    Filled,
    /// Every field refused.
    Error,
}

impl State {
    /// Reads `empty`, `filled`, `error`; anything else is filled.
    pub fn parse(text: &str) -> Self {
        match text {
            "empty" => Self::Empty,
            "error" => Self::Error,
            _ => Self::Filled,
        }
    }
}

#[derive(Template)]
#[template(path = "styleguide.html")]
struct StyleGuide {
    page: Page,
    state: State,
    text: String,
    provinces: Vec<Choice>,
    kinds: Vec<Choice>,
    papers: Vec<Choice>,
    tabs: Vec<NavItem>,
    now: Timestamp,
    bars: Bars,
    stacked: Bars,
    lying: Bars,
    lines: Lines,
}

impl StyleGuide {
    /// The value, where the state shows values.
    fn filled(&self, value: &'static str) -> Option<&'static str> {
        (self.state == State::Filled).then_some(value)
    }
}

/// The style guide. `page.title`, its breadcrumbs and, for [`State::Error`], its problems are replaced; `now` is any instant.
pub fn styleguide(page: Page, state: State, now: Timestamp) -> Response {
    crate::html(StatusCode::OK, &build(page, state, now))
}

fn build(mut page: Page, state: State, now: Timestamp) -> StyleGuide {
    let lang = page.lang;
    page.title = page.t("Bộ giao diện", "Style guide").to_owned();
    page.breadcrumbs = vec![Link::new("/", "Trang chủ", "Home")];
    if state == State::Error {
        page.problems = problems();
    }
    let choice = |value, vi, en| Choice::new(value, lang.t(vi, en));
    let months = (1..=12).map(|m| match lang {
        base::Lang::Vi => format!("T{m}"),
        base::Lang::En => m.to_string(),
    });
    let months: Vec<String> = months.collect();
    let text = if state == State::Filled {
        page.t("Nguyễn Thị Ngọc Ánh", "Nguyễn Thị Ngọc Ánh")
    } else {
        ""
    }
    .to_owned();
    StyleGuide {
        state,
        text,
        provinces: [
            "Hà Nội",
            "Thành phố Huế",
            "Đà Nẵng",
            "Cần Thơ",
            "Lạng Sơn",
            "Nghệ An",
            "Quảng Ngãi",
        ]
        .iter()
        .enumerate()
        .map(|(i, name)| Choice::new(i + 1, name))
        .collect(),
        kinds: vec![
            choice("paper", "Bản giấy", "On paper")
                .hint(lang.t("Nhận tại bộ phận một cửa", "Collect at the one-stop shop")),
            choice("digital", "Bản điện tử", "Electronic")
                .hint(lang.t("Có chữ ký số của cơ quan", "Signed by the agency")),
        ],
        papers: vec![
            choice("birth", "Giấy chứng sinh", "Certificate of birth"),
            choice("witness", "Văn bản của người làm chứng", "Statement of a witness"),
            choice("pledge", "Giấy cam đoan về việc sinh", "Pledge about the birth"),
        ],
        tabs: vec![
            NavItem::new("#fields", "Biểu mẫu", "Forms", true),
            NavItem::new("#lists", "Danh sách", "Lists", false),
            NavItem::new("#charts", "Biểu đồ", "Charts", false),
        ],
        now,
        bars: Bars::new(lang, page.t("Hồ sơ tiếp nhận theo tháng", "Dossiers received by month"))
            .description(page.t(
                "Từ 812 hồ sơ trong tháng 1 đến 1.490 hồ sơ trong tháng 12.",
                "From 812 in January to 1,490 in December.",
            ))
            .categories(&months)
            .series(
                page.t("Tiếp nhận", "Received"),
                [
                    812.0, 640.0, 1015.0, 1102.0, 987.0, 1066.0, 1240.0, 1188.0, 1301.0, 1277.0, 1394.0, 1490.0,
                ],
            ),
        stacked: Bars::new(lang, page.t("Kết quả giải quyết", "How dossiers were settled"))
            .categories(["Q1", "Q2", "Q3", "Q4"])
            .series(page.t("Trước hạn", "Early"), [620.0, 700.0, 810.0, 905.0])
            .series(page.t("Đúng hạn", "On time"), [340.0, 360.0, 310.0, 290.0])
            .series(page.t("Quá hạn", "Late"), [61.0, 44.0, 23.0, 12.0])
            .stacked(),
        lying: Bars::new(
            lang,
            page.t("Hồ sơ trực tuyến theo cơ quan", "Share filed online, by agency"),
        )
        .categories([
            page.t(
                "Ủy ban nhân dân phường Thuận Hóa",
                "People's Committee of Thuận Hóa ward",
            ),
            page.t("Ủy ban nhân dân xã Vinh Lộc", "People's Committee of Vinh Lộc commune"),
            page.t("Sở Xây dựng", "Department of Construction"),
        ])
        .series(page.t("Trực tuyến", "Online"), [71.5, 28.0, 93.2])
        .unit("%")
        .top(100.0)
        .goal(30.0, page.t("Mục tiêu", "Goal"))
        .lying(),
        lines: Lines::new(lang, page.t("Số ngày giải quyết trung bình", "Mean working days"))
            .categories(&months)
            .series(
                page.t("Khai sinh", "Births"),
                [
                    Some(1.4),
                    Some(1.2),
                    None,
                    Some(1.1),
                    Some(1.0),
                    Some(0.9),
                    Some(1.0),
                    Some(0.8),
                    Some(0.8),
                    Some(0.7),
                    Some(0.7),
                    Some(0.6),
                ],
            )
            .series(
                page.t("Hộ tịch khác", "Other civil status"),
                [2.9, 2.8, 3.1, 2.6, 2.4, 2.5, 2.2, 2.1, 2.2, 1.9, 1.8, 1.8],
            ),
        page,
    }
}

fn problems() -> Problems {
    let mut problems = Problems::new();
    let mut add = |at: &str, vi: &str, en: &str| problems.add("invalid", at, vi, en);
    add("name", "Nhập họ và tên của trẻ.", "Enter the child's full name.");
    add(
        "born",
        "Ngày sinh phải có thật, ví dụ 21/11/2026.",
        "The date of birth must be a real date, for example 21/11/2026.",
    );
    add("province", "Chọn tỉnh, thành phố.", "Choose a province.");
    add(
        "place",
        "Chọn nơi sinh trong danh sách.",
        "Choose a place of birth from the list.",
    );
    add(
        "kind",
        "Chọn hình thức nhận kết quả.",
        "Choose how to receive the result.",
    );
    add("papers", "Chọn ít nhất một giấy tờ.", "Choose at least one paper.");
    add(
        "area",
        "Diện tích phải là một số, ví dụ 120.",
        "The area must be a number, for example 120.",
    );
    add("fee", "Nhập số tiền đã nộp.", "Enter the amount paid.");
    add(
        "note",
        "Nội dung dài quá 200 ký tự.",
        "The text is longer than 200 characters.",
    );
    add(
        "file",
        "Tệp phải là PDF, JPG hoặc PNG, không quá 20 MB.",
        "The file must be a PDF, JPG or PNG of at most 20 MB.",
    );
    add(
        "pledge",
        "Quý vị cần xác nhận lời cam đoan.",
        "You need to confirm the pledge.",
    );
    add(
        "",
        "Hồ sơ này đã được nộp lúc 10:42.",
        "This dossier was already filed at 10:42.",
    );
    problems
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use base::{Lang, Text};

    use super::*;
    use crate::page::{Site, UserBadge};

    const HOSTILE: &str = "\"'><script>alert(1)</script>&";

    #[test]
    fn every_component_renders_in_both_languages_and_states() {
        for lang in [Lang::Vi, Lang::En] {
            for state in [State::Empty, State::Filled, State::Error] {
                let page = Page::new(lang, Arc::new(Site::default()), "", "/styleguide");
                let html = build(page, state, Timestamp::from_micros(1_795_000_000_000_000))
                    .render()
                    .expect("it renders");
                assert!(html.contains(lang.t("<html lang=\"vi\"", "<html lang=\"en\"")));
                assert_eq!(html.contains("mc-error-summary"), state == State::Error);
                assert_eq!(html.contains("aria-invalid=\"true\""), state == State::Error);
                for href in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
                    assert!(html.contains(&format!("id=\"{href}\"")), "nothing has the id {href}");
                }
                assert!(
                    !html.contains("style=\"") && !html.contains(" onclick"),
                    "the policy forbids inline style and script"
                );
            }
        }
    }

    #[test]
    fn hostile_text_is_escaped_everywhere() {
        let site = Site {
            name: Text::new(HOSTILE, HOSTILE),
            agency: Text::new(HOSTILE, HOSTILE),
            hotline: HOSTILE.to_owned(),
            email: HOSTILE.to_owned(),
            theme: BTreeMap::new(),
            demo: true,
            sign_in: HOSTILE.to_owned(),
            footer: vec![Link::new(HOSTILE, HOSTILE, HOSTILE)],
        };
        let mut page = Page::new(Lang::Vi, Arc::new(site), HOSTILE, HOSTILE);
        page.user = Some(UserBadge {
            name: HOSTILE.to_owned(),
            role: Text::new(HOSTILE, HOSTILE),
            menu: vec![Link::new(HOSTILE, HOSTILE, HOSTILE)],
        });
        page.nav = vec![NavItem::new(HOSTILE, HOSTILE, HOSTILE, true)];
        page.notice = Some(crate::Notice {
            tone: Tone::Late,
            text: Text::new(HOSTILE, HOSTILE),
        });
        let mut guide = build(page, State::Error, Timestamp::from_micros(0));
        guide.page.problems.add("x", HOSTILE, HOSTILE, HOSTILE);
        guide.page.problems.add("x", "hostile", HOSTILE, HOSTILE);
        guide.page.breadcrumbs = vec![Link::new(HOSTILE, HOSTILE, HOSTILE)];
        guide.text = HOSTILE.to_owned();
        guide.provinces = vec![Choice::new(HOSTILE, HOSTILE).hint(HOSTILE)];
        guide.kinds = guide.provinces.clone();
        let mut html = guide.render().expect("it renders");

        let page = guide.page;
        let parts: Vec<Box<dyn std::fmt::Display>> = vec![
            Box::new(
                ui::input(&page, HOSTILE, HOSTILE)
                    .hint(HOSTILE)
                    .value(HOSTILE)
                    .error(HOSTILE)
                    .prefix(HOSTILE)
                    .suffix(HOSTILE)
                    .attr(HOSTILE, HOSTILE)
                    .id(HOSTILE)
                    .autocomplete(HOSTILE),
            ),
            Box::new(ui::upload(&page, HOSTILE, HOSTILE).upload_url(HOSTILE).accept(HOSTILE)),
            Box::new(ui::hidden(HOSTILE, HOSTILE)),
            Box::new(ui::button(HOSTILE).href(HOSTILE).icon(HOSTILE).attr(HOSTILE, HOSTILE)),
            Box::new(ui::panel(HOSTILE, HOSTILE).code(HOSTILE)),
            Box::new(ui::summary_row(HOSTILE, HOSTILE).change(HOSTILE, HOSTILE)),
            Box::new(ui::task(HOSTILE, HOSTILE, Tone::Good).href(HOSTILE).hint(HOSTILE)),
            Box::new(
                ui::step(HOSTILE, StepState::Late)
                    .time(HOSTILE)
                    .text(HOSTILE)
                    .who(HOSTILE),
            ),
            Box::new(ui::stat(HOSTILE, HOSTILE).note(HOSTILE).href(HOSTILE).icon(HOSTILE)),
            Box::new(
                ui::card(HOSTILE, HOSTILE)
                    .text(HOSTILE)
                    .icon(HOSTILE)
                    .tag(HOSTILE, Tone::Warn),
            ),
            Box::new(ui::deadline(150, HOSTILE, Tone::Late)),
            Box::new(ui::pager(&page, HOSTILE, HOSTILE).place(HOSTILE)),
            Box::new(
                ui::search(&page, HOSTILE, HOSTILE, HOSTILE)
                    .value(HOSTILE)
                    .hint(HOSTILE),
            ),
            Box::new(ui::empty(HOSTILE, HOSTILE).action(HOSTILE, HOSTILE).icon(HOSTILE)),
            Box::new(ui::copy(&page, HOSTILE)),
            Box::new(ui::qr_figure(HOSTILE, HOSTILE)),
            Box::new(ui::notice(Tone::Info, HOSTILE).title(HOSTILE).link(HOSTILE, HOSTILE)),
            Box::new(ui::passkey(&page, HOSTILE, HOSTILE, HOSTILE, HOSTILE)),
            Box::new(crate::chart::sparkline([1.0, 2.0], HOSTILE)),
        ];
        for part in parts {
            html.push_str(&part.to_string());
        }
        assert!(!html.contains("<script>"), "a script got through");
        assert!(!html.contains("\"'>"), "an attribute was broken out of");
        assert!(html.matches("alert(1)").count() > 100, "the text itself is still there");
    }

    #[test]
    fn the_language_switch_keeps_the_page_and_stays_on_the_site() {
        let site = Arc::new(Site::default());
        let page = Page::new(Lang::Vi, Arc::clone(&site), "", "/tra-cuu?q=a%20b&lang=vi&x=1");
        assert_eq!(page.lang_href(Lang::En), "/tra-cuu?q=a%20b&x=1&lang=en");
        assert_eq!(
            Page::new(Lang::Vi, Arc::clone(&site), "", "//evil.example/").lang_href(Lang::En),
            "/evil.example/?lang=en"
        );
        assert_eq!(Page::new(Lang::Vi, site, "", "").lang_href(Lang::En), "/?lang=en");
    }
}
