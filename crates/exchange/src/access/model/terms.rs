//! What a grant is about.

use std::{collections::BTreeSet, num::NonZeroU32};

use base::{Problems, Timestamp};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    system::{given, note},
    text::{SHORT, words},
};
use crate::model::{
    Method, Pointer, Purpose,
    rights::{Methods, Pattern, Rate},
};

/// Most purposes of one grant.
const MOST_PURPOSES: usize = 20;
/// Most places of a field mask.
const MOST_FIELDS: usize = 300;
/// The latest year in which a grant may end: beyond lie only mistakes.
const LAST_YEAR: i16 = 2199;

/// What a consumer asks for, or a provider agrees to: methods, paths, purposes, legal basis, time, rate, fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// By which methods.
    pub methods: Methods,
    /// On which paths.
    pub path: Pattern,
    /// For which purposes.
    pub purposes: BTreeSet<Purpose>,
    /// The provision of law that lets the consumer have the data.
    pub legal_basis: String,
    /// From this instant on: 0:00 of the first day.
    pub from: Timestamp,
    /// Before this instant: 24:00 of the last day.
    pub to: Timestamp,
    /// How often; without one, as often as the node can.
    pub rate: Option<Rate>,
    /// Which fields of a JSON answer; without one, all.
    pub fields: Option<Vec<Pointer>>,
}

impl Terms {
    /// The last day on which they hold.
    pub fn last_day(&self) -> Date {
        self.to.plus_micros(-1).legal_date()
    }

    /// What keeps them from being terms that somebody could agree to. They may come from another node.
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::new();
        check_what(
            &self.methods,
            &self.purposes,
            &self.legal_basis,
            self.fields.as_deref(),
            &mut problems,
        );
        check_when(self.from, self.to, &mut problems);
        problems
    }

    /// Where these terms go beyond those that were asked for. A provider may grant less than was asked, never more: nobody
    /// has given a reason for it.
    pub fn beyond(&self, asked: &Self) -> Problems {
        let mut problems = Problems::new();
        let mut beyond = |is: bool, at: &str, vi: &str, en: &str| {
            if is {
                problems.add("beyond-what-was-asked", at, vi, en);
            }
        };
        let methods = match (&self.methods, &asked.methods) {
            (_, Methods::Any) => false,
            (Methods::Any, Methods::Only(_)) => true,
            (Methods::Only(own), Methods::Only(asked)) => !own.is_subset(asked),
        };
        beyond(
            methods,
            "methods",
            "Có phương thức mà bên đề nghị không xin.",
            "There is a method that was not asked for.",
        );
        beyond(
            !asked.path.covers(&self.path),
            "path",
            "Mẫu đường dẫn rộng hơn mẫu được đề nghị.",
            "The pattern has paths that were not asked for.",
        );
        beyond(
            !self.purposes.is_subset(&asked.purposes),
            "purposes",
            "Có mục đích mà bên đề nghị không nêu.",
            "There is a purpose that was not given.",
        );
        beyond(
            self.from < asked.from,
            "from",
            "Bắt đầu sớm hơn ngày được đề nghị.",
            "It begins before what was asked for.",
        );
        beyond(
            self.to > asked.to,
            "to",
            "Kết thúc muộn hơn ngày được đề nghị.",
            "It ends after what was asked for.",
        );
        let faster = match (&self.rate, &asked.rate) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(asked)) => {
                let per = |rate: &Rate, other: &Rate| u64::from(rate.calls.get()) * u64::from(other.seconds.get());
                per(own, asked) > per(asked, own) || own.burst > asked.burst
            }
        };
        beyond(
            faster,
            "rate_calls",
            "Nhiều lượt gọi hơn mức được đề nghị.",
            "It is for more calls than were asked for.",
        );
        let wider = match (&self.fields, &asked.fields) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(asked)) => own
                .iter()
                .any(|field| !asked.iter().any(|place| field.steps().starts_with(place.steps()))),
        };
        beyond(
            wider,
            "fields",
            "Có trường dữ liệu mà bên đề nghị không xin.",
            "There is a field that was not asked for.",
        );
        problems
    }
}

fn check_what(
    methods: &Methods,
    purposes: &BTreeSet<Purpose>,
    legal_basis: &str,
    fields: Option<&[Pointer]>,
    problems: &mut Problems,
) {
    // Where a field has a flaw already, it is not missing.
    let flawed = |at: &str, problems: &Problems| problems.at(at, base::Lang::Vi).is_some();
    if *methods == Methods::of([]) && !flawed("methods", problems) {
        problems.add(
            "required",
            "methods",
            "Chọn ít nhất một phương thức.",
            "Choose at least one method.",
        );
    }
    if purposes.is_empty() && !flawed("purposes", problems) {
        problems.add(
            "required",
            "purposes",
            "Nêu ít nhất một mục đích, ví dụ dossier.verify.",
            "Name at least one purpose, such as dossier.verify.",
        );
    }
    if purposes.len() > MOST_PURPOSES {
        problems.add(
            "too-many",
            "purposes",
            format!("Nêu tối đa {MOST_PURPOSES} mục đích."),
            format!("Name at most {MOST_PURPOSES} purposes."),
        );
    }
    let required = Some((
        "Ghi căn cứ pháp lý: điều, khoản, văn bản.",
        "Give the legal basis: article, clause, document.",
    ));
    words(legal_basis, SHORT, required, "legal_basis", problems);
    let fields = fields.map(<[Pointer]>::len);
    if fields == Some(0) && !flawed("fields", problems) {
        problems.add(
            "required",
            "fields",
            "Nêu ít nhất một trường dữ liệu, hoặc để trống để xin mọi trường.",
            "Name at least one field, or leave it empty to ask for all.",
        );
    }
    if fields.is_some_and(|n| n > MOST_FIELDS) {
        problems.add(
            "too-many",
            "fields",
            format!("Nêu tối đa {MOST_FIELDS} trường dữ liệu."),
            format!("Name at most {MOST_FIELDS} fields."),
        );
    }
}

fn check_when(from: Timestamp, to: Timestamp, problems: &mut Problems) {
    if from >= to {
        problems.add(
            "ends-before-it-begins",
            "to",
            "Ngày kết thúc phải từ ngày bắt đầu trở đi.",
            "The last day cannot be before the first.",
        );
    }
    // By the instants themselves: one that no calendar has would pass for a date.
    let year = |year: i16| Date::new(year, 1, 1).map_or(Timestamp::default(), midnight);
    if from < year(2000) || to > year(LAST_YEAR + 1) {
        problems.add(
            "out-of-range",
            "to",
            format!("Thời hạn phải nằm trong khoảng từ năm 2000 đến năm {LAST_YEAR}."),
            format!("The time lies between 2000 and {LAST_YEAR}."),
        );
    }
}

/// Terms as they are typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TermsDraft {
    /// `GET`, `POST` …, or `*` for all.
    pub methods: Vec<String>,
    /// `/persons/*`, `**`.
    pub path: String,
    /// Codes of purposes, separated by commas, spaces or lines.
    pub purposes: String,
    /// Article, clause, document.
    pub legal_basis: String,
    /// The first day: `2026-12-01` or `01/12/2026`.
    pub from: String,
    /// The last day.
    pub to: String,
    /// So many calls; empty with the next two: as many as the node can.
    pub rate_calls: String,
    /// In so many seconds.
    pub rate_seconds: String,
    /// So many at once.
    pub rate_burst: String,
    /// JSON pointers of the fields of the answer, one a line: `/name`. Empty: all.
    pub fields: String,
}

impl TermsDraft {
    /// Reads every field.
    ///
    /// # Errors
    /// Everything that is wrong, each at its field.
    pub fn read(&self) -> Result<Terms, Problems> {
        let mut problems = Problems::new();
        let methods = self.methods(&mut problems);
        let path = note(
            self.path.trim().parse::<Pattern>().map_err(Into::into),
            "path",
            &mut problems,
        );
        let split = |text: &'_ str| -> Vec<String> {
            let words = text.split([',', ';', '\n', ' ', '\t', '\r']);
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let mut purposes = BTreeSet::new();
        for code in split(&self.purposes) {
            purposes.extend(note(
                code.parse::<Purpose>().map_err(Into::into),
                "purposes",
                &mut problems,
            ));
        }
        let from = read_day(&self.from, "from", &mut problems).map(midnight);
        let to = read_day(&self.to, "to", &mut problems);
        let to = to.map(|to| midnight(to.tomorrow().unwrap_or(to)));
        let rate = self.rate(&mut problems);
        let mut fields = Vec::new();
        for place in split(&self.fields) {
            fields.extend(note(
                place.parse::<Pointer>().map_err(Into::into),
                "fields",
                &mut problems,
            ));
        }
        let fields = given(&self.fields).map(|_| fields);
        let legal_basis = self.legal_basis.trim().to_owned();
        check_what(&methods, &purposes, &legal_basis, fields.as_deref(), &mut problems);
        if let (Some(from), Some(to)) = (from, to) {
            check_when(from, to, &mut problems);
        }
        match (path, from, to) {
            (Some(path), Some(from), Some(to)) if problems.is_empty() => Ok(Terms {
                methods,
                path,
                purposes,
                legal_basis,
                from,
                to,
                rate,
                fields,
            }),
            _ => Err(problems),
        }
    }

    /// The form that holds these terms.
    pub fn of(terms: &Terms) -> Self {
        let join = |items: Vec<&str>, between: &str| items.join(between);
        let number = |n: NonZeroU32| n.to_string();
        let fields: Vec<String> = terms.fields.iter().flatten().map(ToString::to_string).collect();
        Self {
            methods: terms.methods.names().into_iter().map(str::to_owned).collect(),
            path: terms.path.to_string(),
            purposes: join(terms.purposes.iter().map(Purpose::as_str).collect(), ", "),
            legal_basis: terms.legal_basis.clone(),
            from: terms.from.legal_date().to_string(),
            to: terms.last_day().to_string(),
            rate_calls: terms.rate.map(|rate| number(rate.calls)).unwrap_or_default(),
            rate_seconds: terms.rate.map(|rate| number(rate.seconds)).unwrap_or_default(),
            rate_burst: terms.rate.map(|rate| number(rate.burst)).unwrap_or_default(),
            fields: fields.join("\n"),
        }
    }

    fn methods(&self, problems: &mut Problems) -> Methods {
        if self.methods.iter().any(|name| name == "*") {
            return Methods::Any;
        }
        let mut methods = BTreeSet::new();
        for name in &self.methods {
            match name.parse::<Method>() {
                Ok(method) => {
                    methods.insert(method);
                }
                Err(_) => problems.add(
                    "unknown-method",
                    "methods",
                    "Chỉ chọn trong các phương thức của HTTP được liệt kê.",
                    "Choose among the methods of HTTP that are listed.",
                ),
            }
        }
        Methods::Only(methods)
    }

    fn rate(&self, problems: &mut Problems) -> Option<Rate> {
        let parts = [
            ("rate_calls", &self.rate_calls),
            ("rate_seconds", &self.rate_seconds),
            ("rate_burst", &self.rate_burst),
        ];
        if parts.iter().all(|(_, text)| given(text).is_none()) {
            return None;
        }
        let [calls, seconds, burst] = parts.map(|(at, text)| {
            let digits = text.trim();
            let number = Some(digits)
                .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|digits| digits.parse::<NonZeroU32>().ok());
            if number.is_none() {
                problems.add(
                    "not-a-number",
                    at,
                    "Nhập số nguyên từ 1 trở lên; để trống cả ba ô nếu không giới hạn.",
                    "Enter a whole number from 1; leave all three empty where there is no limit.",
                );
            }
            number
        });
        Some(Rate {
            calls: calls?,
            seconds: seconds?,
            burst: burst?,
        })
    }
}

fn midnight(date: Date) -> Timestamp {
    Timestamp::from_legal(date.at(0, 0, 0, 0))
}

/// A day as it is typed: `21/11/2026` or `2026-11-21`.
pub fn read_day(text: &str, at: &str, problems: &mut Problems) -> Option<Date> {
    let text = text.trim();
    let parts: Vec<&str> = text.split('/').map(str::trim).collect();
    let date = match parts.as_slice() {
        [day, month, year] => day
            .parse()
            .ok()
            .zip(month.parse().ok())
            .zip(year.parse().ok())
            .and_then(|((day, month), year)| Date::new(year, month, day).ok()),
        _ => text.parse::<Date>().ok(),
    };
    let date = date.filter(|date| (1900..=LAST_YEAR).contains(&date.year()));
    if date.is_none() {
        problems.add(
            "not-a-date",
            at,
            "Nhập ngày có thật, đủ ngày, tháng, năm, ví dụ 01/12/2026.",
            "Enter a real date with day, month and year, such as 01/12/2026.",
        );
    }
    date
}
