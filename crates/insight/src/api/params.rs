//! What may be asked, and what is wrong with a question.

use base::{Error, Kind, Problems, Result, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::model::{By, Month, Question};

/// The longest period that one request may ask for, months.
const LONGEST: i64 = 120;

/// What of the figures.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ReportParams {
    /// Only of the agency with this code.
    agency: String,
    /// Only of the field (lĩnh vực) with this code.
    field: String,
    /// First month, `2026-01`; January of the last month's year by default.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}$")]
    from: String,
    /// Last month; this month by default. At most ten years from the first.
    #[param(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}$")]
    to: String,
    /// `month` (default), `agency`, `field` or `procedure`.
    #[param(value_type = Option<String>)]
    by: String,
}

impl ReportParams {
    pub(super) fn read(&self, now: Timestamp) -> Result<Question> {
        let mut problems = Problems::new();
        let mut month = |at: &str, text: &str, default: Month| match text {
            "" => default,
            text => Month::parse(text).unwrap_or_else(|| {
                let vi = "Tháng phải có dạng năm-tháng, từ 2000-01 đến 2100-12, ví dụ 2026-07.";
                let en = "A month is written year-month, from 2000-01 to 2100-12, for example 2026-07.";
                problems.add("not-a-month", at, vi, en);
                default
            }),
        };
        let to = month("to", &self.to, Month::of(now));
        let from = month("from", &self.from, Month::from_index(to.year() * 12));
        if from > to {
            let vi = "Tháng đầu phải trước hoặc trùng tháng cuối.";
            problems.add("order", "from", vi, "The first month must not be after the last.");
        } else if to.index() - from.index() >= LONGEST {
            let vi = format!("Mỗi lần chỉ xem được tối đa {LONGEST} tháng.");
            problems.add("too-long", "from", vi, format!("At most {LONGEST} months at a time."));
        }
        let by = match self.by.as_str() {
            "" => By::default(),
            id => By::from_id(id).unwrap_or_else(|| {
                let vi = "Giá trị không hợp lệ. Các giá trị: month, agency, field, procedure.";
                problems.add("not-a-choice", "by", vi, "Not one of: month, agency, field, procedure.");
                By::default()
            }),
        };
        problems.into_result()?;
        let given = |text: &str| Some(text.trim().to_owned()).filter(|a| !a.is_empty());
        Ok(Question {
            agency: given(&self.agency),
            field: given(&self.field),
            from,
            to,
            by,
        })
    }
}

/// Which services.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ServicesParams {
    /// Only of the agency with this code.
    agency: String,
    /// The year, 2000 to 2100; this year by default.
    #[param(minimum = 2000, maximum = 2100, value_type = Option<i64>)]
    year: String,
}

impl ServicesParams {
    pub(super) fn read(&self, now: Timestamp) -> Result<(Option<String>, i64)> {
        let year = match self.year.as_str() {
            "" => Some(Month::of(now).year()),
            text => text.parse().ok().filter(|y| (2000..=2100).contains(y)),
        };
        let year = year.ok_or_else(|| {
            let mut problems = Problems::new();
            problems.add(
                "not-a-year",
                "year",
                "Năm phải từ 2000 đến 2100.",
                "A year is from 2000 to 2100.",
            );
            Error::Refused(Kind::Invalid, problems)
        })?;
        Ok((Some(self.agency.trim().to_owned()).filter(|a| !a.is_empty()), year))
    }
}
