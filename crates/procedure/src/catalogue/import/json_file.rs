//! Facts (JSON lines) and whole pages (JSON) of procedures, as the public crawl of the national portal writes them.
//! The two spell some keys differently; both spellings are read from either.

use base::Text;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::{
    super::{
        judge,
        model::{
            Case, Channel, Fee, FeeKind, Field, Handling, Layer, Legal, Method, Paper, PaperGroup, Said, Step,
            TimeLimit, Unit,
        },
        oddity::{Kind, Oddity},
    },
    row::{self, Bad, Row},
};

const KNOWN: [&str; 21] = [
    "code",
    "name",
    "field",
    "category",
    "promulgating_agency",
    "executing_agency",
    "executing_agencies",
    "audiences",
    "subject_types",
    "results",
    "requirements",
    "channels",
    "cases",
    "processing_cases",
    "legal_basis",
    "steps_raw",
    "checklist_raw",
    "state",
    "type",
    "source",
    "keywords",
];

/// Reads one object.
///
/// # Errors
/// Why it cannot be taken.
pub fn row(value: &Value, line: u64) -> Result<Row, Bad> {
    let Value::Object(object) = value else {
        return Err(Bad::new(Kind::RowMalformed, "", &value.to_string()));
    };
    let mut r = Reading { odd: Vec::new() };
    let raw = object.get("code").and_then(Value::as_str).unwrap_or_default();
    let (code, tidy) = row::code(raw, &mut r.odd)?;
    let name = r.line(object, &["name"]).unwrap_or_default();
    if name.is_empty() {
        return Err(Bad {
            code: code.to_string(),
            ..Bad::new(Kind::NameBlank, "name", "")
        });
    }
    for key in object.keys().filter(|k| !KNOWN.contains(&k.as_str())) {
        r.odd.push(Oddity::new(Kind::ColumnUnknown, "", key));
    }
    let layer = if object.contains_key("steps_raw") || object.contains_key("checklist_raw") {
        Layer::Page
    } else {
        Layer::Facts
    };
    let vi = |s: String| Text::new(s, "");
    let executing = if object.contains_key("executing_agencies") {
        r.lines(object, &["executing_agencies"])
    } else {
        r.line(object, &["executing_agency"])
            .map(|one| if one.is_empty() { Vec::new() } else { vec![one] })
    };
    let mut said = Said {
        name: Some(vi(name)),
        fields: r.fields(object),
        promulgating: r.line(object, &["promulgating_agency"]).map(vi),
        executing: executing.map(|e| e.into_iter().map(vi).collect()),
        audiences: r.lines(object, &["audiences", "subject_types"]),
        sort: r.line(object, &["type"]),
        state: r.line(object, &["state"]),
        results: r.lines(object, &["results"]).map(|l| l.into_iter().map(vi).collect()),
        requirements: r.text(object, "requirements").map(vi),
        channels: r.channels(object),
        cases: r.cases(object),
        legal_basis: r.legal(object),
        steps: r.steps(object),
        papers: r.papers(object),
        keywords: r.lines(object, &["keywords"]),
        ..Said::default()
    };
    let source = object.get("source").and_then(Value::as_object);
    let day = |key: &str| -> Option<Date> {
        source
            .and_then(|s| s.get(key))
            .and_then(Value::as_str)
            .and_then(|t| t.get(..10))
            .and_then(|d| d.parse().ok())
    };
    said.valid_from = None;
    let retrieved = day("crawled_at").or_else(|| day("retrieved"));
    said.oddities = r.odd;
    judge::judge(&code, &mut said);
    Ok(Row {
        code,
        tidy,
        layer,
        said,
        retrieved,
        line,
    })
}

struct Reading {
    odd: Vec<Oddity>,
}

impl Reading {
    fn wrong(&mut self, at: &str, value: &Value) {
        self.odd.push(Oddity::new(Kind::WrongType, at, &value.to_string()));
    }

    fn get<'a>(object: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a Value> {
        keys.iter().find_map(|k| object.get(*k))
    }

    /// One line of text; a null counts as blank, a missing key as nothing said.
    fn line(&mut self, object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
        match Self::get(object, keys)? {
            Value::String(text) => Some(judge::tidy(text, keys[0], true, &mut self.odd)),
            Value::Null => Some(String::new()),
            other => {
                self.wrong(keys[0], other);
                Some(String::new())
            }
        }
    }

    /// A text of several lines.
    fn text(&mut self, object: &Map<String, Value>, key: &str) -> Option<String> {
        match object.get(key)? {
            Value::String(text) => Some(judge::tidy(text, key, false, &mut self.odd)),
            Value::Null => Some(String::new()),
            other => {
                self.wrong(key, other);
                Some(String::new())
            }
        }
    }

    fn array<'a>(&mut self, object: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a [Value]> {
        match Self::get(object, keys)? {
            Value::Array(items) => Some(items),
            Value::Null => Some(&[]),
            other => {
                self.wrong(keys[0], other);
                Some(&[])
            }
        }
    }

    fn lines(&mut self, object: &Map<String, Value>, keys: &[&str]) -> Option<Vec<String>> {
        let items = self.array(object, keys)?;
        for (n, item) in items.iter().enumerate().filter(|(_, i)| !i.is_string()) {
            self.odd.push(Oddity::new(
                Kind::WrongType,
                format!("{}[{n}]", keys[0]),
                &item.to_string(),
            ));
        }
        Some(row::list(
            items.iter().filter_map(Value::as_str),
            keys[0],
            &mut self.odd,
        ))
    }

    fn fields(&mut self, object: &Map<String, Value>) -> Option<Vec<Field>> {
        match Self::get(object, &["field", "category"])? {
            Value::Object(field) => {
                let name = self.line(field, &["name"]).unwrap_or_default();
                let code = self.line(field, &["code"]).unwrap_or_default();
                Some(if name.is_empty() {
                    Vec::new()
                } else {
                    vec![Field {
                        code,
                        name: Text::new(name, ""),
                    }]
                })
            }
            Value::Null => Some(Vec::new()),
            other => {
                self.wrong("field", other);
                Some(Vec::new())
            }
        }
    }

    fn time(&mut self, value: Option<&Value>, at: &str) -> TimeLimit {
        let Some(Value::Object(object)) = value else {
            if let Some(other) = value.filter(|v| !v.is_null()) {
                self.wrong(at, other);
            }
            return TimeLimit::default();
        };
        let mut time = TimeLimit::default();
        if let Some(word) = object.get("unit").and_then(Value::as_str) {
            time.unit = Unit::of(word).unwrap_or_else(|| {
                self.odd.push(Oddity::new(Kind::UnitUnknown, at, word));
                Unit::Other
            });
        }
        match object.get("qty") {
            Some(Value::Number(n)) => time.qty = n.as_f64().filter(|q| q.is_finite() && q.abs() < 1e6),
            Some(Value::String(words)) => {
                let words = judge::tidy(words, at, false, &mut self.odd);
                match words
                    .replace(',', ".")
                    .parse::<f64>()
                    .ok()
                    .filter(|q| q.is_finite() && q.abs() < 1e6)
                {
                    Some(number) => time.qty = Some(number),
                    None => {
                        self.odd.push(Oddity::new(Kind::QtyText, at, &words));
                        time.text = Text::new(words, "");
                    }
                }
            }
            Some(Value::Null) | None => {}
            Some(other) => self.wrong(at, other),
        }
        time
    }

    fn channels(&mut self, object: &Map<String, Value>) -> Option<Vec<Channel>> {
        let items = self.array(object, &["channels"])?;
        let mut channels: Vec<Channel> = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let at = format!("channels[{n}]");
            let Value::Object(item) = item else {
                self.wrong(&at, item);
                continue;
            };
            let word = item.get("method").and_then(Value::as_str).unwrap_or_default();
            let Some(method) = Method::of(word) else {
                self.odd.push(Oddity::new(Kind::MethodUnknown, at, word));
                continue;
            };
            let time = self.time(item.get("processing"), &format!("{at}.time"));
            let note = self.text(item, "note").unwrap_or_default();
            let fees = item
                .get("fees")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let fees = fees
                .iter()
                .enumerate()
                .filter_map(|(m, fee)| self.fee(fee, &format!("{at}.fees[{m}]")))
                .collect();
            channels.push(Channel {
                method,
                time,
                fees,
                note: Text::new(note, ""),
            });
        }
        Some(channels)
    }

    fn fee(&mut self, value: &Value, at: &str) -> Option<Fee> {
        let Value::Object(object) = value else {
            self.wrong(at, value);
            return None;
        };
        let text = self.text(object, "text").unwrap_or_default();
        let amount = match object.get("value_vnd").or_else(|| object.get("amount")) {
            Some(Value::Number(n)) => n.as_i64().or_else(|| {
                self.wrong(at, value);
                None
            }),
            Some(Value::Null) | None => None,
            Some(other) => {
                self.wrong(at, other);
                None
            }
        };
        let kind = object
            .get("type")
            .and_then(Value::as_str)
            .and_then(FeeKind::of)
            .unwrap_or_default();
        let qualifier = judge::qualify(amount, &text);
        Some(Fee {
            kind,
            amount,
            text: Text::new(text, ""),
            qualifier,
        })
    }

    fn cases(&mut self, object: &Map<String, Value>) -> Option<Vec<Case>> {
        let items = self.array(object, &["cases", "processing_cases"])?;
        let mut cases = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let at = format!("cases[{n}]");
            let Value::Object(fields) = item else {
                self.wrong(&at, item);
                continue;
            };
            let code = self.line(fields, &["case_code"]).unwrap_or_default();
            let name = self.line(fields, &["name"]).unwrap_or_default();
            let time = self.time(Some(item), &format!("{at}.time"));
            cases.push(Case {
                code,
                name: Text::new(name, ""),
                time,
            });
        }
        Some(cases)
    }

    fn legal(&mut self, object: &Map<String, Value>) -> Option<Vec<Legal>> {
        let items = self.array(object, &["legal_basis"])?;
        let mut basis: Vec<Legal> = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let at = format!("legal_basis[{n}]");
            let legal = match item {
                Value::String(number) => Legal {
                    number: judge::tidy(number, &at, true, &mut self.odd),
                    title: Text::default(),
                },
                Value::Object(item) => Legal {
                    number: self.line(item, &["code"]).unwrap_or_default(),
                    title: Text::new(self.line(item, &["name"]).unwrap_or_default(), ""),
                },
                other => {
                    self.wrong(&at, other);
                    continue;
                }
            };
            if !legal.number.is_empty() && !basis.iter().any(|b| b.number == legal.number) {
                basis.push(legal);
            }
        }
        Some(basis)
    }

    fn steps(&mut self, object: &Map<String, Value>) -> Option<Vec<Step>> {
        let items = self.array(object, &["steps_raw"])?;
        let mut steps = Vec::new();
        for item in items {
            let Value::Object(item) = item else {
                self.wrong("steps", item);
                continue;
            };
            let name = self.line(item, &["name"]).unwrap_or_default();
            let text = self.text(item, "text").unwrap_or_default();
            if !name.is_empty() || !text.is_empty() {
                steps.push(Step { name, text });
            }
        }
        Some(steps)
    }

    fn papers(&mut self, object: &Map<String, Value>) -> Option<Vec<PaperGroup>> {
        let groups = self.array(object, &["checklist_raw"])?;
        let mut out = Vec::new();
        for group in groups {
            let Value::Object(group) = group else {
                self.wrong("papers", group);
                continue;
            };
            let title = self.line(group, &["group"]).unwrap_or_default();
            let title = title.trim_matches(['*', '-', ' ', ':']).to_owned();
            let folded = base::text::fold(&title);
            let of_group = if folded.contains("xuat trinh") {
                Handling::Show
            } else if folded.contains("luu y") || folded.contains("ghi chu") {
                Handling::Remark
            } else if folded.contains("phai nop") {
                Handling::Submit
            } else {
                Handling::Unstated
            };
            let items = group
                .get("items")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let mut papers = Vec::new();
            for item in items.iter().filter_map(Value::as_object) {
                let name = self.text(item, "name").unwrap_or_default();
                let name = name.trim_start_matches(['-', '+', ' ']).to_owned();
                if name.is_empty() {
                    continue;
                }
                let count = |key: &str| {
                    item.get(key)
                        .and_then(Value::as_u64)
                        .and_then(|n| u32::try_from(n).ok())
                        .unwrap_or(0)
                };
                let (originals, copies) = (count("original_qty"), count("copy_qty"));
                let code = self.line(item, &["code"]).unwrap_or_default();
                // What is asked for in no number of originals or copies is no paper.
                let handling = if of_group != Handling::Remark && originals + copies == 0 && of_group != Handling::Show
                {
                    Handling::Remark
                } else {
                    of_group
                };
                papers.push(Paper {
                    name,
                    code,
                    originals,
                    copies,
                    handling,
                });
            }
            if !papers.is_empty() {
                out.push(PaperGroup { title, papers });
            }
        }
        // Papers first, remarks last, as a reader needs them.
        out.sort_by_key(|g| g.papers.iter().all(|p| p.handling == Handling::Remark));
        Some(out)
    }
}
