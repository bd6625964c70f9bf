//! The words that lines are made of.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};

use super::super::{Unit, period::Left};
use crate::{
    lang::{Lang, Text},
    time::Timestamp,
};

/// `20 ngày làm việc`, `20 working days`.
pub fn quantity(qty: u32, unit: Unit) -> Text {
    let (vi, one, many) = match unit {
        Unit::WorkingDay => ("ngày làm việc", "working day", "working days"),
        Unit::WorkingHour => ("giờ làm việc", "working hour", "working hours"),
        Unit::Day => ("ngày", "day", "days"),
        Unit::Hour => ("giờ", "hour", "hours"),
        Unit::Week => ("tuần", "week", "weeks"),
        Unit::Month => ("tháng", "month", "months"),
        Unit::Year => ("năm", "year", "years"),
    };
    Text::new(
        format!("{qty} {vi}"),
        format!("{qty} {}", if qty == 1 { one } else { many }),
    )
}

pub fn remainder(left: Left) -> Text {
    let amount = match left {
        Left::WorkingDays(n) => quantity(n, Unit::WorkingDay),
        Left::Days(n) => quantity(n, Unit::Day),
        Left::Months { months, .. } => quantity(months, Unit::Month),
        Left::WorkingTime(micros) => working_time(micros / 60_000_000),
        Left::Time(micros) => duration(micros / 60_000_000),
        Left::Until(_) => return Text::new("Theo ngày hẹn lại", "By the new date"),
        Left::Passed(_) => return Text::new("Thời hạn đã hết trước đó", "The period had ended before"),
    };
    Text::new(format!("Còn lại {}", amount.vi), format!("Left: {}", amount.en))
}

pub fn working_time(minutes: i64) -> Text {
    let time = duration(minutes);
    Text::new(format!("{} làm việc", time.vi), format!("{} of working time", time.en))
}

pub fn duration(minutes: i64) -> Text {
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let (mut vi, mut en) = (String::new(), String::new());
    let plural = |n: i64| if n == 1 { "" } else { "s" };
    let written = if hours != 0 && minutes != 0 {
        write!(vi, "{hours} giờ {minutes} phút")
            .and_then(|()| write!(en, "{hours} hour{} {minutes} minute{}", plural(hours), plural(minutes)))
    } else if hours != 0 {
        write!(vi, "{hours} giờ").and_then(|()| write!(en, "{hours} hour{}", plural(hours)))
    } else {
        write!(vi, "{minutes} phút").and_then(|()| write!(en, "{minutes} minute{}", plural(minutes)))
    };
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
    Text { vi, en }
}

pub fn clock(at: Timestamp) -> Text {
    let time = at.legal().strftime("%H:%M").to_string();
    Text::new(
        format!("{time} ngày {}", at.display_date()),
        format!("{time} on {}", at.display_date()),
    )
}

pub fn shown(date: Date) -> String {
    date.strftime("%d/%m/%Y").to_string()
}

/// `22/08/2026`, `22–23/08/2026`, `29/08–02/09/2026`.
pub fn span(from: Date, to: Date) -> String {
    let first = if from == to {
        return shown(to);
    } else if from.year() != to.year() {
        shown(from)
    } else if from.month() != to.month() {
        from.strftime("%d/%m").to_string()
    } else {
        from.strftime("%d").to_string()
    };
    format!("{first}–{}", shown(to))
}

pub fn weekday(date: Date) -> Text {
    let (vi, en) = match date.weekday() {
        Weekday::Monday => ("Thứ Hai", "Monday"),
        Weekday::Tuesday => ("Thứ Ba", "Tuesday"),
        Weekday::Wednesday => ("Thứ Tư", "Wednesday"),
        Weekday::Thursday => ("Thứ Năm", "Thursday"),
        Weekday::Friday => ("Thứ Sáu", "Friday"),
        Weekday::Saturday => ("Thứ Bảy", "Saturday"),
        Weekday::Sunday => ("Chủ nhật", "Sunday"),
    };
    Text::new(vi, en)
}

pub fn civil_code(article: &str, paragraph: &str) -> Text {
    Text::new(
        format!("Bộ luật Dân sự 2015, Điều {article} khoản {paragraph}"),
        format!("Civil Code 2015, Article {article}.{paragraph}"),
    )
}

/// A reason as it stands inside a sentence.
pub fn sentence(reason: &Text) -> Text {
    let trimmed = |text: &str| text.trim().trim_end_matches('.').to_owned();
    Text::new(trimmed(&reason.vi), trimmed(reason.get(Lang::En)))
}

pub fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
