//! Whether a JSON answer is good for its field. The same rules for pages, the API and data from registries.

use base::{
    Problems, Text,
    codes::{CodeError, OldIdCard, PersonNumber, PhoneNumber, TaxCode},
    text::check_person_name,
};
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{
    Context,
    kind::{Choice, DateBound, ID_KINDS, Kind, Limits, MOST_PEOPLE, RELATIONS, SEXES},
    lists,
};

/// A required answer that is not there.
pub(super) fn missing(kind: &Kind, at: &str, label: &Text, problems: &mut Problems) {
    let (vi, en) = match kind {
        Kind::Choice(_) | Kind::Choices { .. } | Kind::YesNo | Kind::Sex | Kind::Ethnicity | Kind::Nationality => (
            format!("Chọn một câu trả lời cho “{}”.", label.vi),
            format!("Choose an answer to “{}”.", label.en),
        ),
        Kind::PeopleOf(_) => (
            format!("Đánh dấu ít nhất một người ở “{}”.", label.vi),
            format!("Tick at least one person at “{}”.", label.en),
        ),
        Kind::Declaration => (
            "Đánh dấu vào ô để xác nhận trước khi tiếp tục.".to_owned(),
            "Tick the box to confirm before you go on.".to_owned(),
        ),
        _ => (
            format!("Nhập thông tin “{}”.", label.vi),
            format!("Enter “{}”.", label.en),
        ),
    };
    problems.add("required", at, vi, en);
}

/// Adds what is wrong with `value`, at the field or at a part of it.
pub(super) fn value(kind: &Kind, value: &Value, at: &str, label: &Text, ctx: &Context<'_>, problems: &mut Problems) {
    let mut judge = Judge {
        at,
        label,
        ctx,
        problems,
    };
    match kind {
        Kind::Text { max_length, pattern } => {
            if let Some(text) = judge.line(value, *max_length)
                && let Some(pattern) = pattern
                && !pattern.regex.is_match(text)
            {
                judge.add("pattern", &pattern.help.vi, &pattern.help.en);
            }
        }
        Kind::LongText { max_length } => {
            judge.text(value, *max_length, true);
        }
        Kind::ResultRef { max_length } => {
            judge.line(value, *max_length);
        }
        Kind::Agency => {
            judge.line(value, 200);
        }
        Kind::PersonName => {
            if let Some(text) = judge.line(value, 100) {
                judge.code(check_person_name(text));
            }
        }
        Kind::PersonNumber => judge.coded::<PersonNumber>(value),
        Kind::TaxCode => judge.coded::<TaxCode>(value),
        Kind::Phone => judge.coded::<PhoneNumber>(value),
        Kind::Email => judge.email(value),
        Kind::Date { min, max } => judge.date(value, *min, *max),
        Kind::PartialDate => judge.partial_date(value),
        Kind::Sex => judge.one_of(value, SEXES.iter().map(|s| s.0)),
        Kind::Ethnicity => judge.one_of(value, lists::ethnicities().iter().map(|e| e.code.as_str())),
        Kind::Nationality => judge.one_of(value, lists::countries().iter().map(|e| e.code.as_str())),
        Kind::Choice(options) => judge.one_of(value, options.iter().map(|o| o.value.as_str())),
        Kind::Choices { options, min, max } => judge.several(value, options, *min, *max),
        Kind::Integer(limits) => judge.number(value, *limits),
        Kind::Decimal(limits) | Kind::Area(limits) => judge.number(value, *limits),
        Kind::Money(limits) => judge.number(value, *limits),
        Kind::YesNo => {
            if !value.is_boolean() {
                judge.wrong_type("đúng hoặc sai (true, false)", "true or false");
            }
        }
        Kind::Declaration => {
            if *value != Value::Bool(true) {
                missing(kind, at, label, judge.problems);
            }
        }
        Kind::Address => judge.place(value, true),
        Kind::Commune => judge.place(value, false),
        Kind::LandParcel => {
            if let Some(parts) = judge.parts(value, &["sheet", "parcel"]) {
                judge.part(parts, "sheet", 10, "Nhập số tờ bản đồ.", "Enter the map sheet number.");
                judge.part(parts, "parcel", 20, "Nhập số thửa đất.", "Enter the parcel number.");
            }
        }
        Kind::IdDocument => judge.id_document(value),
        Kind::People | Kind::PeopleOf(_) => judge.people(value),
    }
}

/// That everybody who was ticked is one of those whom the registry told of.
pub(super) fn among(value: &Value, of: Option<&Value>, at: &str, problems: &mut Problems) {
    let known = of.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ticked = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if ticked.iter().any(|one| !known.contains(one)) {
        problems.add(
            "not-among",
            at,
            "Chỉ đánh dấu người có trong danh sách do cơ sở dữ liệu cung cấp; tải lại trang để xem danh sách hiện nay.",
            "Tick only people of the list that the register gives; load the page again for the list of now.",
        );
    }
}

struct Judge<'a, 'p> {
    at: &'a str,
    label: &'a Text,
    ctx: &'a Context<'a>,
    problems: &'p mut Problems,
}

impl Judge<'_, '_> {
    fn add(&mut self, code: &str, vi: &str, en: &str) {
        self.problems.add(code, self.at, vi, en);
    }

    fn add_part(&mut self, part: &str, code: &str, vi: &str, en: &str) {
        self.problems.add(code, format!("{}.{part}", self.at), vi, en);
    }

    fn wrong_type(&mut self, vi: &str, en: &str) {
        self.add(
            "wrong-type",
            &format!("“{}” phải là {vi}.", self.label.vi),
            &format!("“{}” must be {en}.", self.label.en),
        );
    }

    fn line<'v>(&mut self, value: &'v Value, most: usize) -> Option<&'v str> {
        self.text(value, most, false)
    }

    fn text<'v>(&mut self, value: &'v Value, most: usize, lines: bool) -> Option<&'v str> {
        let Some(text) = value.as_str() else {
            self.wrong_type("chuỗi chữ", "a text");
            return None;
        };
        if text.trim().is_empty() {
            self.add(
                "required",
                &format!("Nhập thông tin “{}”.", self.label.vi),
                &format!("Enter “{}”.", self.label.en),
            );
            return None;
        }
        let length = text.chars().count();
        if length > most {
            self.add(
                "too-long",
                &format!("“{}” dài {length} ký tự; tối đa {most}.", self.label.vi),
                &format!("“{}” has {length} characters; at most {most}.", self.label.en),
            );
            return None;
        }
        if text
            .chars()
            .any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\t')))
        {
            self.add(
                "bad-character",
                &format!("“{}” có ký tự điều khiển không dùng được.", self.label.vi),
                &format!("“{}” holds control characters.", self.label.en),
            );
            return None;
        }
        Some(text)
    }

    fn code(&mut self, result: Result<(), CodeError>) {
        if let Err(error) = result {
            error.add_to(self.problems, self.at);
        }
    }

    fn coded<T: std::str::FromStr<Err = CodeError>>(&mut self, value: &Value) {
        if let Some(text) = self.line(value, 40) {
            self.code(text.parse::<T>().map(|_| ()));
        }
    }

    fn email(&mut self, value: &Value) {
        let Some(text) = self.line(value, 254) else { return };
        let good = text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty()
                && user.len() <= 64
                && host.contains('.')
                && !host.contains('@')
                && host.split('.').all(|part| {
                    !part.is_empty()
                        && !part.starts_with('-')
                        && !part.ends_with('-')
                        && part.chars().all(|c| c.is_alphanumeric() || c == '-')
                })
        }) && !text.contains(|c: char| c.is_whitespace() || "<>()[],;:\\\"".contains(c));
        if !good {
            self.add(
                "not-an-email",
                "Địa chỉ thư điện tử phải có dạng ten@example.vn.",
                "An e-mail address looks like name@example.vn.",
            );
        }
    }

    fn date(&mut self, value: &Value, min: Option<DateBound>, max: Option<DateBound>) {
        let Some(date) = value.as_str().and_then(iso) else {
            return self.add(
                "not-a-date",
                &format!("“{}” phải là ngày có thật, ví dụ 21/11/2026.", self.label.vi),
                &format!("“{}” must be a real date, for example 21/11/2026.", self.label.en),
            );
        };
        let show = |d: Date| d.strftime("%d/%m/%Y").to_string();
        if let Some(min) = min.map(|m| m.on(self.ctx.today))
            && date < min
        {
            self.add(
                "too-early",
                &format!("“{}” không được trước ngày {}.", self.label.vi, show(min)),
                &format!("“{}” cannot be before {}.", self.label.en, show(min)),
            );
        }
        if let Some(max) = max.map(|m| m.on(self.ctx.today))
            && date > max
        {
            self.add(
                "too-late",
                &format!("“{}” không được sau ngày {}.", self.label.vi, show(max)),
                &format!("“{}” cannot be after {}.", self.label.en, show(max)),
            );
        }
    }

    fn partial_date(&mut self, value: &Value) {
        let good = value.as_str().is_some_and(|text| match text.len() {
            4 => iso(&format!("{text}-01-01")).is_some(),
            7 => iso(&format!("{text}-01")).is_some(),
            10 => iso(text).is_some(),
            _ => false,
        });
        if !good {
            self.add(
                "not-a-date",
                &format!(
                    "“{}” phải có ít nhất năm (bốn chữ số); ghi thêm tháng, ngày nếu biết.",
                    self.label.vi
                ),
                &format!(
                    "“{}” needs at least the year (four digits); add month and day if known.",
                    self.label.en
                ),
            );
        }
    }

    fn people(&mut self, value: &Value) {
        let is_person = |one: &Value| {
            let part = |name: &str| one.get(name).and_then(Value::as_str);
            let relation = part("relation").unwrap_or_default();
            one.as_object().is_some_and(|parts| parts.len() == 3)
                && part("person_number").is_some_and(|number| number.parse::<PersonNumber>().is_ok())
                && part("name").is_some_and(|name| name.chars().count() <= 100)
                && RELATIONS.iter().any(|known| known.0 == relation)
        };
        let people = value.as_array().filter(|people| people.len() <= MOST_PEOPLE);
        let once = |people: &&Vec<Value>| people.iter().enumerate().all(|(n, one)| !people[..n].contains(one));
        if !people.filter(once).is_some_and(|people| people.iter().all(is_person)) {
            self.wrong_type(
                "danh sách người: person_number, name, relation của từng người, mỗi người một lần",
                "a list of people: the person_number, name and relation of each, each once",
            );
        }
    }

    fn one_of<'o>(&mut self, value: &Value, mut options: impl Iterator<Item = &'o str>) {
        let good = value.as_str().is_some_and(|text| options.any(|o| o == text));
        if !good {
            self.add(
                "not-an-option",
                &format!("Chọn một trong các câu trả lời của “{}”.", self.label.vi),
                &format!("Choose one of the answers to “{}”.", self.label.en),
            );
        }
    }

    fn several(&mut self, value: &Value, options: &[Choice], min: usize, max: usize) {
        let Some(items) = value.as_array() else {
            return self.wrong_type("một danh sách", "a list");
        };
        let known = |v: &Value| v.as_str().is_some_and(|text| options.iter().any(|o| o.value == text));
        let twice = items.iter().enumerate().any(|(n, v)| items[..n].contains(v));
        if items.len() > options.len() || !items.iter().all(known) || twice {
            return self.one_of(&Value::Null, std::iter::empty());
        }
        if items.len() < min.max(1) {
            self.add(
                "too-few",
                &format!("Chọn ít nhất {} câu trả lời cho “{}”.", min.max(1), self.label.vi),
                &format!("Choose at least {} for “{}”.", min.max(1), self.label.en),
            );
        }
        if items.len() > max {
            self.add(
                "too-many",
                &format!("Chọn tối đa {max} câu trả lời cho “{}”.", self.label.vi),
                &format!("Choose at most {max} for “{}”.", self.label.en),
            );
        }
    }

    fn number(&mut self, value: &Value, limits: Limits) {
        let Some(number) = value.as_number() else {
            return self.wrong_type("một số", "a number");
        };
        let digits = number.to_string();
        let n = number.as_f64().unwrap_or(f64::NAN);
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        // A whole number may come as 3.0; more than 15 digits a double does not hold.
        let fraction = fraction.trim_end_matches('0');
        if !n.is_finite() || digits.contains(['e', 'E']) || whole.len() + fraction.len() > 16 {
            return self.add(
                "too-large",
                &format!("“{}” quá lớn.", self.label.vi),
                &format!("“{}” is too large.", self.label.en),
            );
        }
        if fraction.len() > usize::from(limits.decimals) {
            let (vi, en) = if limits.decimals == 0 {
                (
                    format!("“{}” phải là số nguyên.", self.label.vi),
                    format!("“{}” must be a whole number.", self.label.en),
                )
            } else {
                (
                    format!("“{}” có tối đa {} chữ số sau dấu phẩy.", self.label.vi, limits.decimals),
                    format!("“{}” has at most {} decimals.", self.label.en, limits.decimals),
                )
            };
            self.add("too-precise", &vi, &en);
        }
        if let Some(min) = limits.min
            && n < min
        {
            self.add(
                "too-small",
                &format!("“{}” không được nhỏ hơn {min}.", self.label.vi),
                &format!("“{}” cannot be below {min}.", self.label.en),
            );
        }
        if let Some(max) = limits.max
            && n > max
        {
            self.add(
                "too-large",
                &format!("“{}” không được lớn hơn {max}.", self.label.vi),
                &format!("“{}” cannot be above {max}.", self.label.en),
            );
        }
    }

    /// An object with only these keys.
    fn parts<'v>(&mut self, value: &'v Value, keys: &[&str]) -> Option<&'v Map<String, Value>> {
        let Some(map) = value.as_object() else {
            self.wrong_type("một nhóm thông tin", "a group of answers");
            return None;
        };
        for key in map.keys().filter(|key| !keys.contains(&key.as_str())).take(10) {
            let part: String = key.chars().take(60).collect();
            self.add_part(
                &part,
                "unknown-field",
                "Tờ khai không có thông tin này.",
                "The form has no such field.",
            );
        }
        Some(map)
    }

    fn part<'v>(&mut self, map: &'v Map<String, Value>, key: &str, most: usize, vi: &str, en: &str) -> Option<&'v str> {
        match map.get(key).and_then(Value::as_str).map(str::trim) {
            Some(text) if !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control) => {
                Some(text)
            }
            Some(text) if text.chars().count() > most => {
                self.add_part(
                    key,
                    "too-long",
                    &format!("Tối đa {most} ký tự."),
                    &format!("At most {most} characters."),
                );
                None
            }
            _ => {
                self.add_part(key, "required", vi, en);
                None
            }
        }
    }

    fn place(&mut self, value: &Value, detail: bool) {
        let keys: &[&str] = if detail {
            &["province", "commune", "detail"]
        } else {
            &["province", "commune"]
        };
        let Some(map) = self.parts(value, keys) else { return };
        let today = self.ctx.today;
        let province = self.part(map, "province", 10, "Chọn tỉnh, thành phố.", "Choose the province.");
        let commune = self.part(
            map,
            "commune",
            200,
            "Nhập tên xã, phường, đặc khu.",
            "Enter the commune or ward.",
        );
        let known = province
            .and_then(|code| self.ctx.units.resolve(code, today))
            .filter(|u| u.code.to_string().len() == 2);
        if province.is_some() && known.is_none() {
            self.add_part(
                "province",
                "unknown-unit",
                "Chọn tỉnh, thành phố trong danh mục hiện hành.",
                "Choose a province that exists today.",
            );
        }
        if let (Some(province), Some(code)) = (known, commune) {
            let found = self
                .ctx
                .units
                .resolve(code, today)
                .filter(|u| u.province == Some(province.code));
            if found.is_none_or(|u| u.code.to_string().len() != 5) {
                self.add_part(
                    "commune",
                    "unknown-unit",
                    "Không tìm thấy xã, phường, đặc khu này trong tỉnh đã chọn. Nhập tên hiện hành hoặc tên trước ngày 01/7/2025.",
                    "No such commune in that province. Enter its name of today or its name before 1 July 2025.",
                );
            }
        }
        if detail {
            self.part(
                map,
                "detail",
                200,
                "Nhập số nhà, đường, thôn, tổ dân phố.",
                "Enter the house number, street, hamlet or residential group.",
            );
        }
    }

    fn id_document(&mut self, value: &Value) {
        let Some(map) = self.parts(value, &["kind", "number", "date", "place"]) else {
            return;
        };
        let kind = self.part(map, "kind", 20, "Chọn loại giấy tờ.", "Choose the kind of paper.");
        if kind.is_some_and(|kind| ID_KINDS.iter().all(|k| k.0 != kind)) {
            self.add_part(
                "kind",
                "not-an-option",
                "Chọn loại giấy tờ trong danh sách.",
                "Choose one of the kinds.",
            );
        }
        if let Some(number) = self.part(map, "number", 20, "Nhập số giấy tờ.", "Enter the number.") {
            let checked = match kind {
                Some("cccd") => number.parse::<PersonNumber>().map(|_| ()),
                Some("cmnd") => number.parse::<OldIdCard>().map(|_| ()),
                _ if number
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | ' ')) =>
                {
                    Ok(())
                }
                _ => Err(CodeError::new(
                    "bad-character",
                    "Số giấy tờ chỉ gồm chữ cái không dấu, chữ số, dấu - và /.",
                    "A paper's number has letters, digits, - and / only.",
                )),
            };
            if let Err(error) = checked {
                error.add_to(self.problems, format!("{}.number", self.at));
            }
        }
        match map.get("date").and_then(Value::as_str).and_then(iso) {
            Some(date) if date > self.ctx.today => {
                self.add_part(
                    "date",
                    "too-late",
                    "Ngày cấp không được ở tương lai.",
                    "The date of issue cannot be in the future.",
                );
            }
            Some(_) => {}
            None => self.add_part(
                "date",
                "not-a-date",
                "Nhập ngày cấp, ví dụ 21/11/2021.",
                "Enter the date of issue, for example 21/11/2021.",
            ),
        }
        self.part(map, "place", 150, "Nhập nơi cấp.", "Enter the place of issue.");
    }
}

/// A date written strictly `2026-11-21`, in a year that a form can mean.
pub(super) fn iso(text: &str) -> Option<Date> {
    let b = text.as_bytes();
    let shape = b.len() == 10
        && b.iter().enumerate().all(|(n, c)| {
            if n == 4 || n == 7 {
                *c == b'-'
            } else {
                c.is_ascii_digit()
            }
        });
    let date: Date = shape.then(|| text.parse().ok())??;
    (1800..=2200).contains(&date.year()).then_some(date)
}
