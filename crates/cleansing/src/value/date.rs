//! Dates in the many forms of legacy files.

use std::fmt;

use base::{codes::CodeError, text::fold};
use jiff::{ToSpan, civil::Date};

use super::{Outcome, Refused, Standard, Step};

/// A date, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartialDate {
    /// To the day.
    Day(Date),
    /// To the month.
    Month {
        /// The year.
        year: i16,
        /// The month, 1 to 12.
        month: i8,
    },
    /// The year alone, as older papers have it.
    Year(i16),
}

/// `1980-03-05`, `1980-03`, `1980`.
impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(date) => write!(f, "{date}"),
            Self::Month { year, month } => write!(f, "{year:04}-{month:02}"),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}

impl PartialDate {
    /// The year, always known.
    pub fn year(self) -> i16 {
        match self {
            Self::Day(date) => date.year(),
            Self::Month { year, .. } | Self::Year(year) => year,
        }
    }
}

/// The two ways in which spreadsheets count days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Serial {
    /// Day 1 is 1 January 1900, and a 29 February 1900 that never was is counted (ECMA-376 part 1, 18.17.4.1).
    Since1900,
    /// Day 0 is 1 January 1904.
    Since1904,
}

impl Serial {
    /// The date of a serial number; none for the day that never was and for what no spreadsheet counts to.
    pub fn date(self, serial: i64) -> Option<Date> {
        let (origin, days) = match (self, serial) {
            (Self::Since1900, 1..=59) => (Date::constant(1899, 12, 31), serial),
            (Self::Since1900, 61..=2_958_465) => (Date::constant(1899, 12, 30), serial),
            (Self::Since1904, 0..=2_957_003) => (Date::constant(1904, 1, 1), serial),
            _ => return None,
        };
        origin.checked_add(days.days()).ok()
    }
}

/// What is known about the dates of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateOptions {
    /// Whether `3/5/1980` is 5 March. In Viet Nam it is 3 May.
    pub month_first: bool,
    /// Whether they are birthdays, of which 1 January is suspect: it was written where the day was not known.
    pub birthday: bool,
    /// The day of the reading: no date may lie after it. None where later dates are right.
    pub today: Option<Date>,
    /// How the spreadsheet counted, where the cell is a number of one.
    pub serial: Option<Serial>,
}

impl DateOptions {
    /// Dates with the day first, of any time.
    pub const PLAIN: Self = Self {
        month_first: false,
        birthday: false,
        today: None,
        serial: None,
    };
}

fn not_a_date() -> CodeError {
    CodeError::new(
        "not-a-date",
        "Không đọc được ngày. Viết ngày/tháng/năm, ví dụ 05/03/1980.",
        "This is no date that can be read. Write day/month/year, for example 05/03/1980.",
    )
}

fn no_such_day() -> CodeError {
    CodeError::new(
        "no-such-day",
        "Không có ngày này trong lịch. Đối chiếu với giấy tờ gốc.",
        "There is no such day in the calendar. Compare with the paper.",
    )
}

/// A date: `05/03/1980`, `5-3-80`, `1980-03-05`, `19800305`, `ngày 5 tháng 3 năm 1980`, `3/1980`, `1980`, `00/00/1980`, a serial
/// number of a spreadsheet.
///
/// Alternatives: day and month the other way round where both could be meant; the other century of a year of two digits.
/// Doubts: `two-digit-year`, `month-first` (`12/25/1980` in a column with the day first), `default-birthday`, `date-in-future`,
/// `excel-serial` (a bare number taken for a date).
///
/// # Errors
/// `not-a-date`, `no-such-day` (30/02), `year-out-of-range` (before 1850, after 2100).
pub fn date(raw: &str, options: &DateOptions) -> Outcome<PartialDate> {
    let trimmed = raw.trim();
    let text = fold(trimmed);
    let mut standard = read(&text, options)?;
    let changed = standard.value.to_string() != trimmed;
    if standard.steps.is_empty() {
        standard = standard.step(Step::DateForm, changed);
    }
    let out_of_range = |year: i16| !(1850..=2100).contains(&year);
    if out_of_range(standard.value.year()) {
        return Err(CodeError::new(
            "year-out-of-range",
            "Năm nằm ngoài khoảng 1850 đến 2100.",
            "The year is not between 1850 and 2100.",
        )
        .into());
    }
    let comes = |year: i16| options.today.is_some_and(|today| year > today.year());
    standard
        .alternatives
        .retain(|a| !out_of_range(a.year()) && !comes(a.year()));
    if let (true, PartialDate::Day(day)) = (options.birthday, standard.value)
        && (day.month(), day.day()) == (1, 1)
    {
        standard = standard.doubt(CodeError::new(
            "default-birthday",
            "Ngày sinh 01/01 có thể chỉ là ngày mặc định khi không biết ngày, tháng sinh.",
            "A birthday on 1 January may be a default, written where day and month were not known.",
        ));
    }
    let first_day = match standard.value {
        PartialDate::Day(day) => Some(day),
        PartialDate::Month { year, month } => Date::new(year, month, 1).ok(),
        PartialDate::Year(year) => Date::new(year, 1, 1).ok(),
    };
    if first_day.zip(options.today).is_some_and(|(day, today)| day > today) {
        standard = standard.doubt(CodeError::new(
            "date-in-future",
            "Ngày này chưa đến. Kiểm tra lại năm.",
            "This day is yet to come. Check the year.",
        ));
    }
    Ok(standard)
}

fn read(text: &str, options: &DateOptions) -> Outcome<PartialDate> {
    if let Some(serial) = options.serial
        && let Some(whole) = serial_number(text)
    {
        let day = serial.date(whole).ok_or_else(no_such_day)?;
        return Ok(Standard::new(PartialDate::Day(day)).step(Step::SerialDate, true));
    }
    // The time of day that databases append.
    let day_part = match text.split_once(['t', ' ']) {
        Some((day, time)) if day.len() >= 8 && time.starts_with(|c: char| c.is_ascii_digit()) && time.contains(':') => {
            day
        }
        _ => text,
    };
    let numbers = numbers(day_part)?;
    let parsed: Vec<i16> = numbers
        .iter()
        .map(|n| n.parse().map_err(|_| not_a_date().into()))
        .collect::<Result<_, Refused<_>>>()?;
    match (numbers.as_slice(), parsed.as_slice()) {
        ([year], [y]) if year.len() == 4 => Ok(Standard::new(PartialDate::Year(*y))),
        ([month, year], [m, y]) if year.len() == 4 && month.len() <= 2 => month_of(*y, *m),
        ([year, month], [y, m]) if year.len() == 4 && month.len() <= 2 => month_of(*y, *m),
        ([year, _, _], [y, m, d]) if year.len() == 4 => day_of(*y, *m, *d).map(Standard::new).map_err(Into::into),
        ([_, _, year], [a, b, y]) if year.len() == 4 => either_way(*y, *a, *b, options),
        ([_, _, year], [a, b, y]) if year.len() == 2 => {
            let this_year = options.today.map_or(2026, Date::year);
            let late = 2000 + *y;
            let (century, other) = if late <= this_year {
                (late, late - 100)
            } else {
                (late - 100, late)
            };
            let standard = either_way(century, *a, *b, options)?;
            let mut standard = standard.doubt(CodeError::new(
                "two-digit-year",
                "Năm chỉ có hai chữ số, thế kỷ do hệ thống suy ra.",
                "The year has two digits; its century is inferred.",
            ));
            let in_other = either_way(other, *a, *b, options).map(|s| s.value);
            standard.alternatives.extend(in_other);
            Ok(standard)
        }
        _ => Err(not_a_date().into()),
    }
}

/// The whole days of a serial such as `29285` or `29285.5`.
fn serial_number(text: &str) -> Option<i64> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    (whole.len() <= 7 && !whole.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        .then(|| whole.parse().ok())
        .flatten()
}

/// The numbers of a date, in the order in which they stand: two or three, or the year alone.
fn numbers(text: &str) -> Result<Vec<String>, Refused<PartialDate>> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.len() {
            4 => Ok(vec![text.to_owned()]),
            // 19800305, else 05031980.
            8 => {
                let parts = |at: [usize; 4]| {
                    at.array_windows::<2>()
                        .filter_map(|[a, b]| text.get(*a..*b).map(str::to_owned))
                        .collect()
                };
                let year_first: Vec<String> = parts([0, 4, 6, 8]);
                let fits = |ymd: &[String]| {
                    let n = |i: usize| ymd.get(i).and_then(|s| s.parse::<i16>().ok()).unwrap_or(0);
                    (1850..=2100).contains(&n(0)) && day_of(n(0), n(1), n(2)).is_ok()
                };
                Ok(if fits(&year_first) {
                    year_first
                } else {
                    parts([0, 2, 4, 8])
                })
            }
            5 => Err(Refused {
                reason: CodeError::new(
                    "excel-serial",
                    "Giá trị giống số thứ tự ngày của bảng tính. Kiểm tra ngày đề nghị (hệ 1900, hệ 1904).",
                    "The value looks like a date serial of a spreadsheet. Check the proposals (1900 and 1904 systems).",
                ),
                proposals: text
                    .parse()
                    .map(|n| {
                        [Serial::Since1900, Serial::Since1904]
                            .iter()
                            .filter_map(|s| s.date(n).map(PartialDate::Day))
                            .collect()
                    })
                    .unwrap_or_default(),
            }),
            _ => Err(not_a_date().into()),
        };
    }
    let mut found = Vec::new();
    for word in text.split(|c: char| matches!(c, '/' | '-' | '.' | ',' | '\\' | '–') || c.is_whitespace()) {
        if word.is_empty() || matches!(word, "ngay" | "thang" | "nam" | "mung" | "thg") {
            continue;
        }
        if word.len() <= 4 && word.bytes().all(|b| b.is_ascii_digit()) {
            found.push(word.to_owned());
        } else if let Some(at) = MONTHS
            .iter()
            .position(|m| word.starts_with(m) && word.bytes().all(|b| b.is_ascii_lowercase()))
        {
            found.push((at + 1).to_string());
        } else {
            return Err(not_a_date().into());
        }
    }
    Ok(found)
}

fn month_of(year: i16, month: i16) -> Outcome<PartialDate> {
    match i8::try_from(month) {
        Ok(month @ 1..=12) => Ok(Standard::new(PartialDate::Month { year, month })),
        Ok(0) => Ok(Standard::new(PartialDate::Year(year))),
        _ => Err(no_such_day().into()),
    }
}

/// A day; one that is zero was not known.
fn day_of(year: i16, month: i16, day: i16) -> Result<PartialDate, CodeError> {
    let part = |n: i16| i8::try_from(n).map_err(|_| no_such_day());
    match (part(month)?, part(day)?) {
        (0, 0) => Ok(PartialDate::Year(year)),
        (month @ 1..=12, 0) => Ok(PartialDate::Month { year, month }),
        (month, day) => Date::new(year, month, day)
            .map(PartialDate::Day)
            .map_err(|_| no_such_day()),
    }
}

/// Two numbers before a year, in the order of the column; the other order as an alternative, or as the only one possible.
fn either_way(year: i16, first: i16, second: i16, options: &DateOptions) -> Outcome<PartialDate> {
    let (day, month) = if options.month_first {
        (second, first)
    } else {
        (first, second)
    };
    let as_column = day_of(year, month, day);
    let turned = day_of(year, day, month);
    match (as_column, turned) {
        (Ok(value), Ok(other)) if value != other && matches!(other, PartialDate::Day(_)) => {
            let mut standard = Standard::new(value);
            standard.alternatives.push(other);
            Ok(standard)
        }
        (Ok(value), _) => Ok(Standard::new(value)),
        (Err(_), Ok(value @ PartialDate::Day(_))) if month > 12 => Ok(Standard::new(value).doubt(CodeError::new(
            "month-first",
            "Ngày và tháng viết ngược với thứ tự của cột.",
            "Day and month stand in the other order than in the column.",
        ))),
        (Err(reason), _) => Err(reason.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BIRTH: DateOptions = DateOptions {
        month_first: false,
        birthday: true,
        today: Some(Date::constant(2026, 11, 26)),
        serial: None,
    };

    fn shown(raw: &str) -> String {
        match date(raw, &BIRTH) {
            Ok(s) => {
                let doubts: Vec<&str> = s.doubts.iter().map(CodeError::code).collect();
                let others: Vec<String> = s.alternatives.iter().map(ToString::to_string).collect();
                format!("{} {} {}", s.value, doubts.join("+"), others.join("|"))
                    .trim_end()
                    .to_owned()
            }
            Err(r) => {
                let proposals: Vec<String> = r.proposals.iter().map(ToString::to_string).collect();
                format!("! {} {}", r.reason.code(), proposals.join("|"))
                    .trim_end()
                    .to_owned()
            }
        }
    }

    #[test]
    fn dates_of_every_form() {
        for (raw, expected) in [
            ("25/03/1980", "1980-03-25"),
            ("5/3/1980", "1980-03-05  1980-05-03"),
            ("05-05-1980", "1980-05-05"),
            ("25.3.80", "1980-03-25 two-digit-year"),
            ("25/3/07", "2007-03-25 two-digit-year 1907-03-25"),
            ("1980-03-05", "1980-03-05"),
            ("1980/3/25", "1980-03-25"),
            ("1980-03-25 00:00:00", "1980-03-25"),
            ("1980-03-25T07:00:00+07:00", "1980-03-25"),
            ("19800325", "1980-03-25"),
            ("25031980", "1980-03-25"),
            ("ngày 5 tháng 3 năm 1980", "1980-03-05  1980-05-03"),
            ("Ngày 25 tháng 12 năm 1980", "1980-12-25"),
            ("tháng 3 năm 1980", "1980-03"),
            ("3/1980", "1980-03"),
            ("1980-03", "1980-03"),
            ("1980", "1980"),
            ("năm 1980", "1980"),
            ("00/00/1980", "1980"),
            ("00/03/1980", "1980-03"),
            ("25-Mar-1980", "1980-03-25"),
            ("12/25/1980", "1980-12-25 month-first"),
            ("01/01/1980", "1980-01-01 default-birthday"),
            ("25/12/2027", "2027-12-25 date-in-future"),
            ("30/02/1980", "! no-such-day"),
            ("31/04/1980", "! no-such-day"),
            ("32/13/1980", "! no-such-day"),
            ("25/03/0980", "! year-out-of-range"),
            ("29285", "! excel-serial 1980-03-05|1984-03-06"),
            ("hôm qua", "! not-a-date"),
            ("", "! not-a-date"),
            ("5/3", "! not-a-date"),
            ("1/2/3/1980", "! not-a-date"),
        ] {
            assert_eq!(shown(raw), expected, "{raw}");
        }
    }

    #[test]
    fn serials_of_both_systems() {
        for (system, serial, day) in [
            (Serial::Since1900, 1, "1900-01-01"),
            (Serial::Since1900, 59, "1900-02-28"),
            (Serial::Since1900, 61, "1900-03-01"),
            (Serial::Since1900, 29285, "1980-03-05"),
            (Serial::Since1904, 27823, "1980-03-05"),
            (Serial::Since1904, 0, "1904-01-01"),
        ] {
            assert_eq!(
                system.date(serial).map(|d| d.to_string()),
                Some(day.to_owned()),
                "{serial}"
            );
        }
        assert_eq!(Serial::Since1900.date(60), None);
        assert_eq!(Serial::Since1900.date(-1), None);
        let options = DateOptions {
            serial: Some(Serial::Since1900),
            ..BIRTH
        };
        assert_eq!(
            date("29285.5", &options).map(|s| s.value.to_string()),
            Ok("1980-03-05".to_owned())
        );
        assert_eq!(date("60", &options).map_err(|r| r.reason.code()), Err("no-such-day"));
    }

    #[test]
    fn the_order_of_the_column_decides() {
        let american = DateOptions {
            month_first: true,
            ..DateOptions::PLAIN
        };
        assert_eq!(
            date("3/5/1980", &american).map(|s| s.value.to_string()),
            Ok("1980-03-05".to_owned())
        );
    }

    proptest! {
        #[test]
        fn twice_is_once(raw in "([0-9]{1,4}[/. -]){0,3}[0-9]{0,8}") {
            if let Ok(once) = date(&raw, &BIRTH) {
                let again = date(&once.value.to_string(), &BIRTH).expect("a standard form");
                prop_assert_eq!(again.value, once.value);
                prop_assert!(again.steps.is_empty());
            }
        }

        #[test]
        fn any_text_is_taken(raw in "\\PC{0,40}|.{0,20}|[0-9eE+./-]{0,20}", serial: bool) {
            let options = DateOptions { serial: serial.then_some(Serial::Since1904), ..BIRTH };
            let _ = date(&raw, &options);
        }
    }
}
