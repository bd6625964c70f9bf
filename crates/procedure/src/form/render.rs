//! The questions of a page as HTML, from the components of `view`. Works without JavaScript; each problem of
//! `page.problems` shows beside its field by itself.

use askama::Template;
use base::Lang;
use serde_json::Value;
use view::{Page as ViewPage, ui};

use super::{
    Answers, Context, Field, Form, Origin, PageInput, PageState,
    input::SHOWN,
    kind::{ID_KINDS, Kind, SEXES},
    lists, show,
};

/// One question, ready to print with `|safe`.
#[derive(Debug, Clone)]
pub struct FieldHtml {
    /// The field.
    pub id: String,
    /// Its HTML. Every text in it is escaped.
    pub html: String,
}

impl FieldHtml {
    /// The question as a component that templates print as it is.
    pub fn safe(&self) -> askama::filters::Safe<&str> {
        askama::filters::Safe(&self.html)
    }
}

/// The questions of a shown page. `input` is what was just posted, to show again with its problems; `doubts` the address under
/// which a person says that what a registry holds is wrong, to which the id of the field is added.
pub fn page(
    view: &ViewPage,
    form: &Form,
    state: &PageState,
    answers: &Answers,
    input: Option<&PageInput>,
    ctx: &Context<'_>,
    doubts: Option<&str>,
) -> Vec<FieldHtml> {
    let Some(page) = form.pages.get(state.page) else {
        return Vec::new();
    };
    state
        .fields
        .iter()
        .filter_map(|f| Some((page.fields.get(f.field)?, f)))
        .map(|(field, f)| {
            let drawer = Drawer {
                view,
                field,
                required: f.required,
                value: answers.get(&field.id),
                people: match &field.kind {
                    Kind::PeopleOf(of) => answers.get(of).and_then(Value::as_array),
                    _ => None,
                },
                input,
                ctx,
                doubts,
            };
            let html = if f.origin.fixed() {
                drawer.fixed(f.origin)
            } else {
                drawer.control(f.origin)
            };
            FieldHtml {
                id: field.id.clone(),
                html,
            }
        })
        .collect()
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<fieldset class="mc-fieldset mc-fieldset--group" id="{{ id }}" tabindex="-1"{% if error.is_some() %} aria-describedby="{{ id }}-error"{% endif %}><legend class="mc-legend mc-legend--group">{{ label }}{% if optional %} <span class="mc-optional">{{ lang.t("(không bắt buộc)", "(optional)") }}</span>{% endif %}</legend>
{% if let Some(hint) = hint %}<div class="mc-hint">{{ hint }}</div>
{% endif %}{% if let Some(error) = error %}<p id="{{ id }}-error" class="mc-error"><span class="mc-visually-hidden">{{ lang.t("Lỗi:", "Error:") }}</span> {{ error }}</p>
{% endif %}{% for part in parts %}{{ part }}{% endfor %}</fieldset>"#
)]
struct Group<'a> {
    id: &'a str,
    lang: Lang,
    label: &'a str,
    hint: Option<&'a str>,
    error: Option<&'a str>,
    optional: bool,
    parts: Vec<ui::Field>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<dl class="mc-summary" id="{{ id }}">{{ row }}</dl><p class="mc-hint">{{ note }}{% if let Some(doubt) = doubt %} <a href="{{ doubt }}">{{ lang.t("Thông tin này chưa đúng?", "Is this wrong?") }}</a>{% endif %}</p>"#
)]
struct Fixed<'a> {
    id: &'a str,
    lang: Lang,
    row: ui::SummaryRow,
    note: &'a str,
    doubt: Option<String>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<input type="hidden" name="{{ shown }}" value="{{ id }}">{% if let Some(note) = note %}<p class="mc-hint">{{ note }}{% if let Some(undo) = undo %} <a href="{{ undo }}">{{ lang.t("Dùng lại thông tin của cơ sở dữ liệu", "Use what the register holds") }}</a>{% endif %}</p>{% endif %}"#
)]
struct Before<'a> {
    shown: &'a str,
    id: &'a str,
    lang: Lang,
    note: Option<String>,
    undo: Option<String>,
}

struct Drawer<'a> {
    view: &'a ViewPage,
    field: &'a Field,
    required: bool,
    value: Option<&'a Value>,
    /// Of whom some may be ticked.
    people: Option<&'a Vec<Value>>,
    input: Option<&'a PageInput>,
    ctx: &'a Context<'a>,
    doubts: Option<&'a str>,
}

fn drawn(template: &impl Template) -> String {
    // These templates only write to a string; they cannot fail.
    template.render().unwrap_or_default()
}

impl Drawer<'_> {
    fn lang(&self) -> Lang {
        self.view.lang
    }

    fn label(&self) -> &str {
        self.field.label.get(self.lang())
    }

    /// Where a person says that the registry is wrong, and takes it back.
    fn doubt(&self) -> Option<String> {
        self.doubts.map(|doubts| format!("{doubts}/{}", self.field.id))
    }

    fn hint(&self) -> Option<&str> {
        self.field.hint.as_ref().map(|h| h.get(self.lang()))
    }

    /// A known answer: shown to confirm, not typed.
    fn fixed(&self, origin: Origin) -> String {
        let lang = self.lang();
        let value = self
            .value
            .map_or_else(String::new, |v| show::display(&self.field.kind, v, self.ctx, lang));
        let note = match origin {
            Origin::Eid => lang.t(
                "Lấy từ định danh điện tử của quý vị; không phải nhập lại.",
                "Taken from your electronic identity; no need to type it.",
            ),
            Origin::Registry => lang.t(
                "Lấy từ cơ sở dữ liệu của Nhà nước; không phải nhập lại.",
                "Taken from the state's registers; no need to type it.",
            ),
            _ => lang.t(
                "Hệ thống tự tính từ các thông tin đã khai.",
                "Worked out from what you have entered.",
            ),
        };
        drawn(&Fixed {
            id: &self.field.id,
            lang,
            doubt: self.doubt().filter(|_| origin == Origin::Registry),
            row: ui::summary_row(self.label(), value),
            note,
        })
    }

    fn control(&self, origin: Origin) -> String {
        let lang = self.lang();
        let note = match origin {
            // A list of people cannot be typed.
            Origin::ToVerify if matches!(self.field.kind, Kind::People) => Some(
                lang.t(
                    "Cơ sở dữ liệu chưa trả lời nên chưa có danh sách này. Quý vị có thể tiếp tục, hoặc tải lại trang sau ít phút.",
                    "The register has not answered, so there is no list. You may go on, or load the page again in a few minutes.",
                )
                .to_owned(),
            ),
            Origin::NotHeld if matches!(self.field.kind, Kind::People) => Some(
                lang.t(
                    "Cơ sở dữ liệu không ghi ai trong danh sách này.",
                    "The register has nobody on this list.",
                )
                .to_owned(),
            ),
            Origin::ToVerify => Some(
                lang.t(
                    "Cơ sở dữ liệu chưa trả lời. Quý vị khai tại đây; cơ quan sẽ tự đối chiếu sau.",
                    "The register has not answered. Enter it here; the agency will verify it later.",
                )
                .to_owned(),
            ),
            Origin::NotHeld => Some(
                lang.t(
                    "Cơ sở dữ liệu chưa có thông tin này nên quý vị cần khai.",
                    "The register does not hold this, so please enter it.",
                )
                .to_owned(),
            ),
            Origin::Doubted if matches!(self.field.kind, Kind::People) => show::held(self.field, self.ctx, lang).map(|held| match lang {
                Lang::Vi => format!("Cơ sở dữ liệu ghi: {held}. Quý vị đã báo chưa đúng; cán bộ sẽ kiểm tra danh sách này."),
                Lang::En => format!("The register says: {held}. You said that this is wrong; an officer will look at the list."),
            }),
            Origin::Doubted => show::held(self.field, self.ctx, lang).map(|held| match lang {
                Lang::Vi => format!("Cơ sở dữ liệu ghi: {held}. Quý vị đã báo chưa đúng; khai nội dung đúng tại đây."),
                Lang::En => {
                    format!("The register says: {held}. You said that this is wrong; enter here what is right.")
                }
            }),
            Origin::Asked | Origin::Eid | Origin::Registry | Origin::Derived => None,
        };
        let mut html = drawn(&Before {
            shown: SHOWN,
            id: &self.field.id,
            lang,
            note,
            undo: self.doubt().filter(|_| origin == Origin::Doubted),
        });
        html.push_str(&self.body());
        html
    }

    /// What stands in a control: as typed, else the stored answer.
    fn text(&self, part: Option<&str>) -> String {
        let name = part.map_or_else(|| self.field.id.clone(), |p| format!("{}.{p}", self.field.id));
        if let Some(input) = self.input {
            return input.first(&name).unwrap_or("").to_owned();
        }
        let value = match part {
            Some(part) => self.value.and_then(|v| v.get(part)),
            None => self.value,
        };
        match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(_)) => value.map_or_else(String::new, |v| show::number(v, self.lang())),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// A date as the date component takes it: ISO, or `dd/mm/yyyy` as typed.
    fn date_text(&self, part: Option<&str>) -> String {
        let name = part.map_or_else(|| self.field.id.clone(), |p| format!("{}.{p}", self.field.id));
        if let Some(input) = self.input {
            let typed = |p: &str| input.first(&format!("{name}.{p}")).unwrap_or("");
            let three = [typed("day"), typed("month"), typed("year")].join("/");
            return if three == "//" {
                input.first(&name).unwrap_or("").to_owned()
            } else {
                three
            };
        }
        self.text(part)
    }

    fn finish(&self, field: ui::Field) -> String {
        let field = field
            .required(self.required)
            .hint(self.hint())
            .autocomplete(self.field.autocomplete.as_deref());
        drawn(&field)
    }

    fn body(&self) -> String {
        let (view, lang) = (self.view, self.lang());
        let (id, label) = (&self.field.id, self.label());
        let list = |items: &[(&str, &str, &str)]| -> Vec<ui::Choice> {
            items
                .iter()
                .map(|(value, vi, en)| ui::Choice::new(value, lang.t(vi, en)))
                .collect()
        };
        match &self.field.kind {
            Kind::Text { max_length, .. } => {
                let field = ui::input(view, id, label).value(self.text(None));
                self.finish(if *max_length > 200 {
                    field.max_length(*max_length)
                } else {
                    field
                })
            }
            Kind::LongText { max_length } => self.finish(
                ui::textarea(view, id, label)
                    .rows(6)
                    .max_length(*max_length)
                    .value(self.text(None)),
            ),
            Kind::PersonName | Kind::Agency | Kind::ResultRef { .. } => {
                self.finish(ui::input(view, id, label).value(self.text(None)))
            }
            Kind::PersonNumber => self.finish(ui::number(view, id, label).width(20).value(self.text(None))),
            Kind::TaxCode => self.finish(ui::input(view, id, label).width(20).value(self.text(None))),
            Kind::Phone => {
                let token = self.field.autocomplete.as_deref();
                drawn(
                    &ui::phone(view, id, label)
                        .value(self.text(None))
                        .required(self.required)
                        .hint(self.hint())
                        .autocomplete(token),
                )
            }
            Kind::Email => self.finish(ui::email(view, id, label).value(self.text(None))),
            Kind::Date { .. } => self.finish(ui::date(view, id, label).value(self.date_text(None))),
            Kind::PartialDate => {
                let stored = self.date_text(None);
                // The component splits a full date; a partial one is laid out here: ISO is year first.
                let parts: Vec<&str> = stored.split('-').collect();
                let value = match parts.as_slice() {
                    [year, month] => format!("/{month}/{year}"),
                    [year] if !year.contains('/') && !year.is_empty() => format!("//{year}"),
                    _ => stored.clone(),
                };
                let hint = lang.t(
                    "Nếu không rõ ngày, tháng thì chỉ ghi năm.",
                    "If the day and month are not known, give the year only.",
                );
                drawn(
                    &ui::date(view, id, label)
                        .value(value)
                        .required(self.required)
                        .hint(self.hint().unwrap_or(hint))
                        .autocomplete(self.field.autocomplete.as_deref()),
                )
            }
            Kind::Sex => self.finish(
                ui::radios(view, id, label, list(&SEXES))
                    .inline()
                    .values([self.text(None)]),
            ),
            Kind::YesNo => {
                let choices = list(&[("true", "Có", "Yes"), ("false", "Không", "No")]);
                self.finish(ui::radios(view, id, label, choices).inline().values([self.text(None)]))
            }
            Kind::Ethnicity => self.finish(self.long_list(lists::ethnicities())),
            Kind::Nationality => self.finish(self.long_list(lists::countries())),
            Kind::Choice(options) => {
                let choices: Vec<ui::Choice> = options
                    .iter()
                    .map(|o| ui::Choice::from_text(&o.value, &o.label, lang).hint(o.hint.as_ref().map(|h| h.get(lang))))
                    .collect();
                if choices.len() > 10 {
                    self.finish(ui::autocomplete(view, id, label, choices).value(self.text(None)))
                } else {
                    self.finish(ui::radios(view, id, label, choices).values([self.text(None)]))
                }
            }
            Kind::Choices { options, .. } => {
                let choices: Vec<ui::Choice> = options
                    .iter()
                    .map(|o| ui::Choice::from_text(&o.value, &o.label, lang).hint(o.hint.as_ref().map(|h| h.get(lang))))
                    .collect();
                let values: Vec<String> = match self.input {
                    Some(input) => input.typed.get(id).cloned().unwrap_or_default(),
                    None => self
                        .value
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                        .filter_map(|v| v.as_str().map(str::to_owned))
                        .collect(),
                };
                self.finish(ui::checkboxes(view, id, label, choices).values(values))
            }
            Kind::People => String::new(),
            Kind::PeopleOf(_) => {
                let number = |one: &Value| one.get("person_number").and_then(Value::as_str).map(str::to_owned);
                let people = self.people.into_iter().flatten();
                let choices: Vec<ui::Choice> = people
                    .filter_map(|one| Some(ui::Choice::new(number(one)?, show::person(one, lang))))
                    .collect();
                let values: Vec<String> = match self.input {
                    Some(input) => input.typed.get(id).cloned().unwrap_or_default(),
                    None => self
                        .value
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                        .filter_map(number)
                        .collect(),
                };
                self.finish(ui::checkboxes(view, id, label, choices).values(values))
            }
            Kind::Integer(_) => self.finish(ui::number(view, id, label).value(self.text(None))),
            Kind::Decimal(_) => self.finish(
                ui::input(view, id, label)
                    .width(10)
                    .attr("inputmode", "decimal")
                    .value(self.text(None)),
            ),
            Kind::Money(_) => self.finish(ui::money(view, id, label).value(self.text(None))),
            Kind::Area(_) => self.finish(
                ui::input(view, id, label)
                    .width(10)
                    .attr("inputmode", "decimal")
                    .suffix("m²")
                    .value(self.text(None)),
            ),
            Kind::Declaration => self.finish(ui::checkbox(view, id, label).values([self.text(None)])),
            Kind::Address => self.place(true),
            Kind::Commune => self.place(false),
            Kind::LandParcel => self.group(vec![
                self.part("sheet", "Tờ bản đồ số", "Map sheet number").width(10),
                self.part("parcel", "Thửa đất số", "Parcel number").width(10),
            ]),
            Kind::IdDocument => {
                let name = |part: &str| format!("{id}.{part}");
                self.group(vec![
                    ui::radios(
                        view,
                        name("kind"),
                        lang.t("Loại giấy tờ", "Kind of paper"),
                        list(&ID_KINDS),
                    )
                    .values([self.text(Some("kind"))]),
                    self.part("number", "Số", "Number").width(20),
                    ui::date(view, name("date"), lang.t("Ngày cấp", "Date of issue"))
                        .value(self.date_text(Some("date"))),
                    self.part("place", "Nơi cấp", "Place of issue"),
                ])
            }
        }
    }

    fn long_list(&self, entries: &[lists::Entry]) -> ui::Field {
        let choices: Vec<ui::Choice> = entries
            .iter()
            .map(|e| ui::Choice::from_text(&e.code, &e.name, self.lang()))
            .collect();
        ui::autocomplete(self.view, &self.field.id, self.label(), choices).value(self.text(None))
    }

    fn part(&self, part: &str, vi: &str, en: &str) -> ui::Field {
        ui::input(self.view, format!("{}.{part}", self.field.id), self.lang().t(vi, en)).value(self.text(Some(part)))
    }

    fn place(&self, detail: bool) -> String {
        let lang = self.lang();
        let provinces: Vec<ui::Choice> = self
            .ctx
            .units
            .provinces(self.ctx.today)
            .into_iter()
            .map(|unit| ui::Choice::new(unit.code, &unit.name))
            .collect();
        let province = format!("{}.province", self.field.id);
        // A stored commune is a code; people see its name.
        let typed = self.text(Some("commune"));
        let commune = self
            .ctx
            .units
            .resolve(&typed, self.ctx.today)
            .map_or(typed, |unit| unit.title(lang));
        let hint = lang.t(
            "Tên hiện hành, hoặc tên trước ngày 01/7/2025: hệ thống tự tìm đơn vị mới.",
            "The name of today, or the one before 1 July 2025: the new unit is found by itself.",
        );
        let mut parts = vec![
            ui::autocomplete(
                self.view,
                province,
                lang.t("Tỉnh, thành phố", "Province or city"),
                provinces,
            )
            .value(self.text(Some("province"))),
            ui::input(
                self.view,
                format!("{}.commune", self.field.id),
                lang.t("Xã, phường, đặc khu", "Commune or ward"),
            )
            .hint(hint)
            .value(commune),
        ];
        if detail {
            parts.push(self.part(
                "detail",
                "Số nhà, đường, thôn, tổ dân phố",
                "House number, street, hamlet, residential group",
            ));
        }
        self.group(parts)
    }

    fn group(&self, parts: Vec<ui::Field>) -> String {
        let token = if self.field.autocomplete.as_deref() == Some("off") {
            Some("off")
        } else {
            None
        };
        drawn(&Group {
            id: &self.field.id,
            lang: self.lang(),
            label: self.label(),
            hint: self.hint(),
            error: self.view.problems.at(&self.field.id, self.lang()),
            optional: !self.required,
            parts: parts.into_iter().map(|part| part.autocomplete(token)).collect(),
        })
    }
}
