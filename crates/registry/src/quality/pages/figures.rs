//! The public page of the quality of registries.

use askama::Template;
use axum::{extract::State as Extracted, http::StatusCode, response::Response};
use base::Result;
use identity::Web;
use view::{Link, Page, chart::Lines, decimal, ui};

use crate::quality::{Figure, Figures, Quality, doubts::MOST_OVERDUE};

#[derive(Template)]
#[template(path = "registry/figures.html")]
struct FiguresPage {
    page: Page,
    registries: Vec<Section>,
}

struct Section {
    code: String,
    name: String,
    records: String,
    rows: Vec<Row>,
    /// The share that is right in a sample, in words.
    sample: String,
    doubts: Vec<(String, String)>,
    trend: Option<Lines>,
}

struct Row {
    dimension: String,
    judged: String,
    failing: String,
    share: String,
}

pub(super) async fn show(Extracted(quality): Extracted<Quality>, web: Web) -> Response {
    match made(&quality, &web).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn made(quality: &Quality, web: &Web) -> Result<FiguresPage> {
    let mut page = web.titled("Chất lượng cơ sở dữ liệu", "Quality of registries");
    page.breadcrumbs = vec![Link::new("/publication", "Công khai tiến độ", "Publication")];
    let all = quality.all_figures(web.ctx.now).await?;
    let registries = all.iter().map(|figures| section(&page, figures)).collect();
    Ok(FiguresPage { page, registries })
}

fn percent(page: &Page, share: Option<f64>) -> String {
    share.map_or_else(
        || "–".to_owned(),
        |share| format!("{} %", decimal(page.lang, share * 100.0, 2)),
    )
}

fn section(page: &Page, figures: &Figures) -> Section {
    let row = |(dimension, figure): &(crate::model::Dimension, Figure)| Row {
        dimension: page.text(&dimension.label()).to_owned(),
        judged: page.number(figure.judged),
        failing: page.number(figure.failing),
        share: percent(page, figure.share()),
    };
    let doubts = &figures.doubts;
    let overdue = page.number(doubts.overdue) + if doubts.overdue < MOST_OVERDUE { "" } else { "+" };
    let line = |vi: &str, en: &str, value: String| (page.t(vi, en).to_owned(), value);
    Section {
        code: figures.registry.code.to_string(),
        name: page.text(&figures.registry.name).to_owned(),
        records: page.number(figures.records),
        rows: figures.dimensions.iter().map(row).collect(),
        sample: sample(page, figures),
        doubts: vec![
            line("Phản ánh đã nhận", "Doubts received", page.number(doubts.received)),
            line("Đang chờ trả lời", "Open", page.number(doubts.open)),
            line("Quá hạn", "Overdue", overdue),
            line(
                "Trả lời đúng hạn",
                "Answered in time",
                percent(page, doubts.in_time_share()),
            ),
            line("Phản ánh đúng", "Upheld", percent(page, doubts.upheld_share())),
        ],
        trend: trend(page, figures),
    }
}

fn sample(page: &Page, figures: &Figures) -> String {
    let sample = figures.sample.as_ref();
    let Some((sample, (share, least, greatest))) = sample.and_then(|sample| Some((sample, sample.share()?))) else {
        return page.t("Chưa kiểm tra mẫu", "No sample was judged yet").to_owned();
    };
    let judged = page.number(sample.right + sample.wrong);
    let [share, least, greatest] = [share, least, greatest].map(|of| percent(page, Some(of)));
    match page.lang {
        base::Lang::Vi => format!("{share} (khoảng tin cậy 95 %: {least} – {greatest}; {judged} bản ghi)"),
        base::Lang::En => format!("{share} (95 % interval: {least} – {greatest}; {judged} records)"),
    }
}

/// The share that passes at the end of each month, a line for each side of quality.
fn trend(page: &Page, figures: &Figures) -> Option<Lines> {
    if figures.months.len() < 2 || figures.records == 0 {
        return None;
    }
    let title = page.t(
        "Tỷ lệ bản ghi đạt, cuối mỗi tháng",
        "Share that passes at the end of each month",
    );
    let mut lines = Lines::new(page.lang, title)
        .description(page.t("Mỗi đường là một tiêu chí.", "Each line is a dimension."))
        .categories(figures.months.iter().map(|month| month.month.clone()))
        .unit(" %")
        .top(100.0);
    for (dimension, _) in &figures.dimensions {
        let share = |month: &crate::quality::MonthFigures| {
            let found = month.dimensions.iter().find(|(of, _)| of == dimension);
            found.and_then(|(_, figure)| figure.share()).map(|share| share * 100.0)
        };
        lines = lines.series(page.text(&dimension.label()), figures.months.iter().map(share));
    }
    Some(lines)
}
