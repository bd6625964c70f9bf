//! One question: its id, its duties under the law, and whether the state already holds the answer.

use super::{
    super::{Attribute, Claim, Field, FieldSource, Held, Retention, Rule, Sensitivity, Whose, kind::Kind, once},
    Loader,
    kind::Settings,
    raw::RawField,
};

/// Fields whose ids begin so are about the wife or husband of the person who files.
const SPOUSE: &str = "spouse";

impl Loader<'_, '_> {
    pub(super) fn field(&mut self, raw: RawField, requester: bool) -> Field {
        let at = raw.id.span().start;
        let id = raw.id.get_ref().clone();
        self.id(&id, at);
        let when = raw.when.as_ref().and_then(|when| self.condition(when));
        let required = self.rule(raw.required);
        let label = self.both(at, "label", raw.label);
        let hint = raw.hint.map(|hint| self.both(at, "hint", hint));
        let settings = Settings {
            options: raw.options,
            min: raw.min,
            max: raw.max,
            decimals: raw.decimals,
            max_length: raw.max_length,
            pattern: raw.pattern,
            pattern_help: raw.pattern_help,
            of: raw.of,
        };
        let kind = self.kind(&raw.r#type, at, settings);
        let source = self.source(raw.source.as_ref(), &id, at, &kind);
        self.people(&id, at, &kind, &source, &required);
        let basis = raw.basis.unwrap_or_default();
        if basis.trim().is_empty() {
            self.error(
                at,
                "missing-basis",
                format!("“{id}” chưa có căn cứ pháp lý (basis)."),
                format!("“{id}” has no legal basis (basis)."),
            );
        }
        let sensitivity = raw.sensitivity.unwrap_or_else(|| {
            self.error(
                at,
                "missing-sensitivity",
                format!("“{id}” chưa có mức độ bảo mật (sensitivity)."),
                format!("“{id}” has no sensitivity."),
            );
            Sensitivity::Personal
        });
        if sensitivity < Sensitivity::Personal && kind.is_personal() {
            self.sink.warning(
                self.source,
                at,
                "low-sensitivity",
                format!("“{id}” là dữ liệu cá nhân nhưng ghi mức thấp hơn personal."),
                format!("“{id}” is personal data but its sensitivity is below personal."),
            );
        }
        let retention = raw.retention.unwrap_or_else(|| {
            self.error(
                at,
                "missing-retention",
                format!("“{id}” chưa có thời hạn lưu giữ (retention)."),
                format!("“{id}” has no retention."),
            );
            Retention::Permanent
        });
        let exception_basis = raw.exception_basis.filter(|b| !b.trim().is_empty());
        let requester = requester || id.starts_with("requester.");
        if matches!(source, FieldSource::Asked) && exception_basis.is_none() {
            self.once_only(&id, at, &kind, requester);
        }
        let autocomplete = raw.autocomplete.or_else(|| {
            let token = match kind {
                Kind::PersonName => "name",
                Kind::Phone => "tel",
                Kind::Email => "email",
                Kind::Date { .. } if id.ends_with(".birth_date") => "bday",
                _ => return Some("off".to_owned()).filter(|_| kind.is_personal()),
            };
            Some(if requester { token } else { "off" }.to_owned())
        });
        let feel = kind.feel();
        self.types.declare(&id, feel.clone());
        self.seen.insert(id.clone());
        let told = matches!(source, FieldSource::Eid(Claim::PersonNumber) | FieldSource::Registry(_));
        if told && matches!(kind, Kind::PersonNumber) {
            self.tells_whom.insert(id.clone());
        }
        if matches!(kind, Kind::TaxCode) {
            self.enterprises.insert(id.clone());
        }
        if matches!(kind, Kind::People) {
            self.people.insert(id.clone());
        }
        Field {
            id,
            kind,
            label,
            hint,
            required,
            when,
            source,
            basis,
            sensitivity,
            retention,
            exception_basis,
            autocomplete,
            feel,
        }
    }

    /// A list of people is told by a registry, and goes without where it tells nothing; who is ticked is asked.
    fn people(&mut self, id: &str, at: usize, kind: &Kind, source: &FieldSource, required: &Rule) {
        let good = match kind {
            Kind::People => {
                matches!(source, FieldSource::Registry(_) | FieldSource::Derived(_)) && matches!(required, Rule::Never)
            }
            Kind::PeopleOf(_) => matches!(source, FieldSource::Asked),
            _ => true,
        };
        if !good {
            self.error(
                at,
                "bad-people",
                format!("“{id}”: kiểu people lấy từ cơ sở dữ liệu và có required = false; kiểu people-of có source = \"asked\"."),
                format!("“{id}”: the type people comes from a registry and has required = false; people-of has source = \"asked\"."),
            );
        }
    }

    fn id(&mut self, id: &str, at: usize) {
        const RESERVED: [&str; 6] = [
            "applicant",
            "channel",
            "today",
            "answers",
            "submitted_on",
            "deadline_case",
        ];
        const WORDS: [&str; 24] = [
            "for",
            "if",
            "then",
            "else",
            "in",
            "and",
            "or",
            "not",
            "some",
            "every",
            "return",
            "between",
            "instance",
            "of",
            "function",
            "external",
            "true",
            "false",
            "null",
            "satisfies",
            "list",
            "context",
            "range",
            "item",
        ];
        /// These are words of FEEL only where a name begins.
        const FIRST: [&str; 4] = ["date", "time", "number", "string"];
        let good = id.len() <= 80
            && id.split('.').count() <= 4
            && id.split('.').all(|part| {
                part.starts_with(|c: char| c.is_ascii_lowercase())
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            });
        if !good {
            return self.error(
                at,
                "bad-id",
                format!("Mã “{id}” phải gồm 1 đến 4 đoạn a-z, 0-9, _ nối bằng dấu chấm, mỗi đoạn bắt đầu bằng chữ."),
                format!(
                    "The id “{id}” must be 1 to 4 segments of a-z, 0-9, _ joined by dots, each starting with a letter."
                ),
            );
        }
        let first = id.split('.').next().unwrap_or(id);
        if let Some(word) = id
            .split('.')
            .find(|part| WORDS.contains(part))
            .or(Some(first).filter(|f| FIRST.contains(f)))
        {
            self.error(
                at,
                "reserved-id",
                format!("“{word}” là từ khóa của FEEL, không dùng trong mã được."),
                format!("“{word}” is a word of FEEL and cannot be part of an id."),
            );
        }
        if RESERVED.contains(&first) {
            self.error(
                at,
                "reserved-id",
                format!("Mã không được bắt đầu bằng “{first}”: tên này đã dành cho hệ thống."),
                format!("An id cannot begin with “{first}”: the name is reserved."),
            );
        }
        if self.seen.contains(id) {
            self.error(
                at,
                "duplicate-id",
                format!("Mã “{id}” đã dùng ở trên."),
                format!("The id “{id}” is already used above."),
            );
        }
    }

    /// An id must not be the beginning of another: its answer cannot be both a value and a group.
    pub(super) fn prefixes(&mut self) {
        let clashes: Vec<String> = self
            .seen
            .iter()
            .filter(|id| {
                self.seen
                    .range(format!("{id}.")..)
                    .next()
                    .is_some_and(|next| next.starts_with(&format!("{id}.")))
            })
            .cloned()
            .collect();
        for id in clashes {
            self.sink.whole(
                self.source.name,
                "bad-id",
                format!("“{id}” vừa là một câu hỏi vừa là phần đầu của mã khác."),
                format!("“{id}” is both a field and the beginning of another id."),
            );
        }
    }

    /// What a registry answers is not asked of a person.
    fn once_only(&mut self, id: &str, at: usize, kind: &Kind, requester: bool) {
        let group = id.rsplit_once('.').map_or("", |(group, _)| group);
        let number = self.numbers.get(group).cloned();
        let (of, whose) = match number {
            Some((of, Whose::Organisation)) => (Some(of), Whose::Organisation),
            _ if requester => (None, Whose::Person),
            Some((of, whose)) => (Some(of), whose),
            // Civil status tells who that is.
            None if group == SPOUSE => (Some(format!("{SPOUSE}.person_number")), Whose::Person),
            None => return,
        };
        let told = |held: &&Held| match whose {
            Whose::Person => requester || held.attribute.is_some(),
            Whose::Organisation => held.public,
        };
        let held = once::held()
            .iter()
            .filter(|held| held.about == whose && held.answers(id, kind.name()))
            .find(told);
        let Some(held) = held else { return };
        let source = match (&held.eid, &held.attribute) {
            (Some(claim), _) if requester => format!("eid:{claim}"),
            (_, Some(attribute)) => {
                let of = of.filter(|of| of != id);
                format!(
                    "registry:{}",
                    Attribute {
                        of,
                        ..attribute.clone()
                    }
                )
            }
            _ => return,
        };
        let (vi, en) = match &held.attribute {
            Some(Attribute { registry, name, .. }) => (
                format!("cơ sở dữ liệu “{registry}” đã có thông tin này ở thuộc tính “{name}”"),
                format!("the registry “{registry}” holds this as its attribute “{name}”"),
            ),
            None => (
                "định danh điện tử đã có thông tin này".to_owned(),
                "the e-ID tells this".to_owned(),
            ),
        };
        self.error(
            at,
            "asked-again",
            format!("“{id}”: {vi}; dùng source = \"{source}\", hoặc nêu ở exception_basis vì sao vẫn phải hỏi."),
            format!("“{id}”: {en}; use source = \"{source}\", or say in exception_basis why the person is asked all the same."),
        );
    }
}
