//! Form fields: label, hint, error and control, tied together for screen readers in the manner of GOV.UK Frontend.

use std::{borrow::Borrow, fmt::Display};

use askama::Template;
use base::{Lang, Text};

use super::{MaybeText, token, yes};
use crate::page::Page;

/// One choice of a list, of radios or of checkboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What the reader sees.
    pub label: String,
    /// A line of help under the label.
    pub hint: Option<String>,
}

impl Choice {
    /// A choice with its value and its label.
    pub fn new(value: impl Display, label: impl Display) -> Self {
        Self {
            value: value.to_string(),
            label: label.to_string(),
            hint: None,
        }
    }

    /// A choice whose label is given in both languages.
    pub fn from_text(value: impl Display, label: &Text, lang: Lang) -> Self {
        Self::new(value, label.get(lang))
    }

    /// Adds a line of help.
    #[must_use]
    pub fn hint(mut self, hint: impl MaybeText) -> Self {
        self.hint = hint.maybe();
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    Input { kind: &'static str, mode: &'static str },
    Area,
    Date,
    Select,
    Options { kind: &'static str },
    File,
}

/// A form field. Made by [`input`], [`select`] and their like; every method is optional.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/field.html")]
pub struct Field {
    control: Control,
    lang: Lang,
    id: String,
    name: String,
    label: String,
    hint: Option<String>,
    error: Option<String>,
    values: Vec<String>,
    choices: Vec<Choice>,
    single: bool,
    filter: bool,
    required: bool,
    any: Option<String>,
    autocomplete: Option<String>,
    max_length: Option<usize>,
    width: Option<u8>,
    prefix: Option<String>,
    suffix: Option<String>,
    heading: bool,
    inline: bool,
    readonly: bool,
    disabled: bool,
    rows: u8,
    multiple: bool,
    upload_url: Option<String>,
    attrs: Vec<(String, String)>,
}

super::html_safe!(Field, Hidden);

impl Field {
    fn new(page: &Page, control: Control, name: impl Display, label: impl Display) -> Self {
        let name = name.to_string();
        let mut error = page.error(&name);
        if control == Control::Date {
            for part in [".day", ".month", ".year"] {
                error = error.or_else(|| page.error(&format!("{name}{part}")));
            }
        }
        Self {
            control,
            lang: page.lang,
            id: token(&name),
            label: label.to_string(),
            hint: None,
            error: error.map(str::to_owned),
            name,
            values: Vec::new(),
            choices: Vec::new(),
            single: false,
            filter: false,
            required: true,
            any: None,
            autocomplete: None,
            max_length: None,
            width: None,
            prefix: None,
            suffix: None,
            heading: false,
            inline: false,
            readonly: false,
            disabled: false,
            rows: 5,
            multiple: false,
            upload_url: None,
            attrs: Vec::new(),
        }
    }

    /// What the field holds.
    #[must_use]
    pub fn value(mut self, value: impl MaybeText) -> Self {
        self.values = value.maybe().into_iter().collect();
        self
    }

    /// What a field of several values holds.
    #[must_use]
    pub fn values<T: Display>(mut self, values: impl AsRef<[T]>) -> Self {
        self.values = values.as_ref().iter().map(ToString::to_string).collect();
        self
    }

    /// Help under the label.
    #[must_use]
    pub fn hint(mut self, hint: impl MaybeText) -> Self {
        self.hint = hint.maybe().filter(|h| !h.is_empty());
        self
    }

    /// What is wrong, where it is not the page's problem at the name of this field.
    #[must_use]
    pub fn error(mut self, error: impl MaybeText) -> Self {
        self.error = error.maybe().filter(|e| !e.is_empty());
        self
    }

    /// Whether it must be filled, as most must; if not, the label says "(không bắt buộc)".
    #[must_use]
    pub fn required(mut self, required: impl Borrow<bool>) -> Self {
        self.required = yes(required);
        self
    }

    /// The words of a select's empty line, for a filter that may stay open: "Tất cả cơ quan". It then needs no "(không bắt buộc)".
    #[must_use]
    pub fn any(mut self, words: impl Display) -> Self {
        self.any = Some(words.to_string());
        self.required = false;
        self
    }

    /// The `autocomplete` token of HTML: `name`, `tel`, `bday`; for a date `bday` becomes its three parts.
    #[must_use]
    pub fn autocomplete(mut self, token: impl MaybeText) -> Self {
        self.autocomplete = token.maybe();
        self
    }

    /// The most characters it may hold; shown as a count. The browser does not cut: the server explains.
    #[must_use]
    pub fn max_length(mut self, characters: impl Borrow<usize>) -> Self {
        self.max_length = Some(*characters.borrow());
        self
    }

    /// How wide the control is, in characters: 2, 4, 5, 10, 20 or 30.
    #[must_use]
    pub fn width(mut self, characters: u8) -> Self {
        self.width = Some(characters);
        self
    }

    /// A unit before the control.
    #[must_use]
    pub fn prefix(mut self, text: impl MaybeText) -> Self {
        self.prefix = text.maybe();
        self
    }

    /// A unit after the control.
    #[must_use]
    pub fn suffix(mut self, text: impl MaybeText) -> Self {
        self.suffix = text.maybe();
        self
    }

    /// The label is the page's `<h1>`: for pages that ask one question.
    #[must_use]
    pub fn heading(mut self) -> Self {
        self.heading = true;
        self
    }

    /// Radios or checkboxes beside each other.
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.inline = true;
        self
    }

    /// Whether the value can be read but not changed.
    #[must_use]
    pub fn readonly(mut self, readonly: impl Borrow<bool>) -> Self {
        self.readonly = yes(readonly);
        self
    }

    /// Whether the control is switched off; what it holds is not sent.
    #[must_use]
    pub fn disabled(mut self, disabled: impl Borrow<bool>) -> Self {
        self.disabled = yes(disabled);
        self
    }

    /// How many lines of text are seen.
    #[must_use]
    pub fn rows(mut self, rows: u8) -> Self {
        self.rows = rows;
        self
    }

    /// Which kinds of file the chooser offers: `.pdf,.jpg`. A help, not a check.
    #[must_use]
    pub fn accept(self, kinds: impl Display) -> Self {
        self.attr("accept", kinds)
    }

    /// More than one file.
    #[must_use]
    pub fn multiple(mut self) -> Self {
        self.multiple = true;
        self
    }

    /// Where a browser with JavaScript uploads the file in pieces; see the crate's README for the exchange.
    #[must_use]
    pub fn upload_url(mut self, url: impl MaybeText) -> Self {
        self.upload_url = url.maybe();
        self
    }

    /// Another id than the name; the error summary links to the name, so give both when they differ on purpose.
    #[must_use]
    pub fn id(mut self, id: impl Display) -> Self {
        self.id = token(&id.to_string());
        self
    }

    /// Any other attribute of the control.
    #[must_use]
    pub fn attr(mut self, name: impl Display, value: impl Display) -> Self {
        self.attrs.push((token(&name.to_string()), value.to_string()));
        self
    }

    fn grouped(&self) -> bool {
        match self.control {
            Control::Date => true,
            Control::Options { .. } => !self.single,
            Control::Input { .. } | Control::Area | Control::Select | Control::File => false,
        }
    }

    fn one(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    fn chosen(&self, choice: &Choice) -> bool {
        self.values.contains(&choice.value)
    }

    fn described(&self) -> String {
        let mut ids = Vec::new();
        if self.hint.is_some() {
            ids.push(format!("{}-hint", self.id));
        }
        if self.error.is_some() {
            ids.push(format!("{}-error", self.id));
        }
        if self.max_length.is_some() && !self.grouped() {
            ids.push(format!("{}-count", self.id));
        }
        ids.join(" ")
    }

    fn count(&self) -> String {
        let most = crate::number(
            self.lang,
            i64::try_from(self.max_length.unwrap_or(0)).unwrap_or(i64::MAX),
        );
        match self.lang {
            Lang::Vi => format!("Tối đa {most} ký tự"),
            Lang::En => format!("At most {most} characters"),
        }
    }

    /// Day, month and year with their labels, names, widths and autocomplete tokens.
    fn date_parts(&self) -> [DatePart; 3] {
        let mut parts = split_date(self.one());
        let mut part = |i: usize, key: &'static str, vi, en, width| DatePart {
            id: if i == 0 {
                self.id.clone()
            } else {
                format!("{}-{key}", self.id)
            },
            name: format!("{}.{key}", self.name),
            label: self.lang.t(vi, en),
            value: std::mem::take(&mut parts[i]),
            width,
            autocomplete: self.autocomplete.as_ref().map(|a| format!("{a}-{key}")),
        };
        [
            part(0, "day", "Ngày", "Day", 2),
            part(1, "month", "Tháng", "Month", 2),
            part(2, "year", "Năm", "Year", 4),
        ]
    }
}

struct DatePart {
    id: String,
    name: String,
    label: &'static str,
    value: String,
    width: u8,
    autocomplete: Option<String>,
}

/// Splits `2026-11-21`, `21/11/2026` or what a person typed into day, month, year.
fn split_date(text: &str) -> [String; 3] {
    let iso: Vec<&str> = text.split('-').collect();
    let (day, month, year) = match iso.as_slice() {
        [year, month, day] if year.len() == 4 => (*day, *month, *year),
        _ => {
            let mut parts = text.splitn(3, '/');
            (
                parts.next().unwrap_or(""),
                parts.next().unwrap_or(""),
                parts.next().unwrap_or(""),
            )
        }
    };
    [day.to_owned(), month.to_owned(), year.to_owned()]
}

const fn text_input(mode: &'static str) -> Control {
    Control::Input { kind: "text", mode }
}

/// One line of text.
pub fn input(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(page, text_input(""), name, label)
}

/// A password. Its value is never printed back.
pub fn password(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(
        page,
        Control::Input {
            kind: "password",
            mode: "",
        },
        name,
        label,
    )
    .attr("spellcheck", "false")
    .attr("autocapitalize", "none")
    .width(20)
}

/// An e-mail address.
pub fn email(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(
        page,
        Control::Input {
            kind: "email",
            mode: "",
        },
        name,
        label,
    )
    .attr("spellcheck", "false")
    .autocomplete("email")
    .width(30)
}

/// A telephone number.
pub fn phone(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(page, Control::Input { kind: "tel", mode: "" }, name, label)
        .autocomplete("tel")
        .width(20)
}

/// Digits: an amount, a count, a code.
pub fn number(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(page, text_input("numeric"), name, label).width(10)
}

/// An amount of money in đồng.
pub fn money(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(page, text_input("numeric"), name, label)
        .width(20)
        .suffix(page.t("đồng", "VND"))
}

/// Several lines of text.
pub fn textarea(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(page, Control::Area, name, label)
}

/// A date in three inputs, `name.day`, `name.month`, `name.year`. The value is ISO or `dd/mm/yyyy`, valid or as typed.
pub fn date(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(page, Control::Date, name, label)
}

/// One of a list.
pub fn select(page: &Page, name: impl Display, label: impl Display, choices: impl AsRef<[Choice]>) -> Field {
    let mut field = Field::new(page, Control::Select, name, label);
    field.choices = choices.as_ref().to_vec();
    field
}

/// One of a long list: a select that JavaScript turns into a box that filters while one types.
pub fn autocomplete(page: &Page, name: impl Display, label: impl Display, choices: impl AsRef<[Choice]>) -> Field {
    let mut field = select(page, name, label, choices);
    field.filter = true;
    field
}

/// One of a few, all seen.
pub fn radios(page: &Page, name: impl Display, label: impl Display, choices: impl AsRef<[Choice]>) -> Field {
    let mut field = Field::new(page, Control::Options { kind: "radio" }, name, label);
    field.choices = choices.as_ref().to_vec();
    field
}

/// Any of a few.
pub fn checkboxes(page: &Page, name: impl Display, label: impl Display, choices: impl AsRef<[Choice]>) -> Field {
    let mut field = Field::new(page, Control::Options { kind: "checkbox" }, name, label);
    field.choices = choices.as_ref().to_vec();
    field
}

/// One box; sends `true` when ticked.
pub fn checkbox(page: &Page, name: impl Display, label: impl Display) -> Field {
    let mut field = Field::new(page, Control::Options { kind: "checkbox" }, name, &label);
    field.choices = vec![Choice::new("true", label)];
    field.single = true;
    field
}

/// A file.
pub fn upload(page: &Page, name: impl Display, label: impl Display) -> Field {
    Field::new(page, Control::File, name, label)
}

/// A value that the reader does not see.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<input type="hidden" name="{{ name }}" value="{{ value }}">"#,
    ext = "html"
)]
pub struct Hidden {
    name: String,
    value: String,
}

/// A value that the reader does not see.
pub fn hidden(name: impl Display, value: impl Display) -> Hidden {
    Hidden {
        name: name.to_string(),
        value: value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_taken_apart_as_written() {
        assert_eq!(split_date("2026-11-21"), ["21", "11", "2026"]);
        assert_eq!(split_date("21/11/2026"), ["21", "11", "2026"]);
        assert_eq!(split_date("31/2/"), ["31", "2", ""]);
        assert_eq!(split_date(""), ["", "", ""]);
    }
}
