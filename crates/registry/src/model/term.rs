//! The common data dictionary (từ điển dữ liệu dùng chung, Decision 2439/QĐ-TTg of 2025) and its code lists.

use std::{collections::BTreeMap, sync::Arc};

use base::{
    Lang, Text,
    codes::{
        AgencyCode, CodeError, CustomsDeclaration, DossierCode, HealthCard, InsuranceNumber, OldIdCard, PersonNumber,
        PhoneNumber, ProcedureCode, TaxCode,
    },
};
use jiff::civil::Date;
use procedure::{
    form as shared,
    reference::{Level, Units},
};
use serde::{Deserialize, Serialize};

use super::code::{ListId, TermId};
use crate::check::Sink;

/// What sort of value a term has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    /// Text of people.
    Text,
    /// A number that identifies something, by a rule of its own ([`Identifier`]) or by the pattern in the schema.
    Identifier,
    /// A code of a code list.
    Code,
    /// A day: `2026-11-25`.
    Date,
    /// A day of which only the year, or year and month may be known: `1950`, `1950-07`.
    PartialDate,
    /// An instant with its offset (RFC 3339).
    Instant,
    /// A whole number.
    Integer,
    /// Whole đồng.
    Money,
    /// A decimal number.
    Decimal,
    /// Yes or no.
    Boolean,
    /// Several fields together.
    Group,
}

impl DataType {
    /// The type that a schema has to give such a field.
    pub const fn json(self) -> &'static str {
        match self {
            Self::Text | Self::Identifier | Self::Code | Self::Date | Self::PartialDate | Self::Instant => "string",
            Self::Integer | Self::Money => "integer",
            Self::Decimal => "number",
            Self::Boolean => "boolean",
            Self::Group => "object",
        }
    }

    /// The format that a schema has to give such a field.
    pub const fn format(self) -> Option<&'static str> {
        match self {
            Self::Date => Some("date"),
            Self::Instant => Some("date-time"),
            _ => None,
        }
    }
}

/// How grave it is when somebody reads it who should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// Anybody may read it.
    Public,
    /// For agencies.
    Internal,
    /// Personal data (dữ liệu cá nhân cơ bản, Law 91/2025/QH15).
    Personal,
    /// Sensitive personal data (dữ liệu cá nhân nhạy cảm).
    Sensitive,
}

impl Sensitivity {
    /// Whether a read of it has to be told to whom it is about.
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Personal | Self::Sensitive)
    }

    /// The word for it.
    pub fn label(self) -> Text {
        match self {
            Self::Public => Text::new("Công khai", "Public"),
            Self::Internal => Text::new("Nội bộ", "Internal"),
            Self::Personal => Text::new("Dữ liệu cá nhân", "Personal"),
            Self::Sensitive => Text::new("Dữ liệu cá nhân nhạy cảm", "Sensitive personal"),
        }
    }
}

/// A number whose rule is known here; its source stands at the type in [`base::codes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identifier {
    /// Personal number, 12 digits.
    PersonNumber,
    /// Identity card before it, 9 digits.
    OldIdCard,
    /// Tax code or enterprise code, 10 or 13 digits, with check digit.
    TaxCode,
    /// Social insurance number, 10 digits.
    InsuranceNumber,
    /// Health insurance card, 15 characters or 10 digits.
    HealthCard,
    /// Customs declaration, 12 digits.
    CustomsDeclaration,
    /// Telephone number.
    Phone,
    /// Code of an agency.
    AgencyCode,
    /// Code of a procedure.
    ProcedureCode,
    /// Code of a dossier.
    DossierCode,
}

impl Identifier {
    /// Judges a value by the rule.
    ///
    /// # Errors
    /// Why it is none, for people and programs.
    pub fn check(self, text: &str) -> Result<(), CodeError> {
        let canonical = match self {
            Self::PersonNumber => text.parse().map(|c: PersonNumber| c.to_string()),
            Self::OldIdCard => text.parse().map(|c: OldIdCard| c.to_string()),
            Self::TaxCode => text.parse().map(|c: TaxCode| c.to_string()),
            Self::InsuranceNumber => text.parse().map(|c: InsuranceNumber| c.to_string()),
            Self::HealthCard => text.parse().map(|c: HealthCard| c.to_string()),
            Self::CustomsDeclaration => text.parse().map(|c: CustomsDeclaration| c.to_string()),
            Self::Phone => text.parse().map(|c: PhoneNumber| c.to_string()),
            Self::AgencyCode => text.parse().map(|c: AgencyCode| c.to_string()),
            Self::ProcedureCode => text.parse().map(|c: ProcedureCode| c.to_string()),
            Self::DossierCode => text.parse().map(|c: DossierCode| c.to_string()),
        }?;
        if canonical == text {
            return Ok(());
        }
        Err(CodeError::new(
            "not-canonical",
            "Ghi mã theo đúng một dạng chuẩn: không có khoảng trắng, đúng chữ hoa và dấu nối.",
            "Write the code in its one canonical form: no spaces, capitals and hyphens as they should be.",
        ))
    }
}

/// A term: what the whole nation calls one thing, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Its id.
    pub id: TermId,
    /// Its name.
    pub name: Text,
    /// What it means to whoever works with it.
    pub definition: Text,
    /// How it is written, by which rule.
    pub technical: Text,
    /// The type of its values.
    #[serde(rename = "type")]
    pub ty: DataType,
    /// The rule of an identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Identifier>,
    /// The unit that numbers are in: `đồng`, `m2`, `%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The list that codes are from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListId>,
    /// The agency that says what it means.
    pub owner: AgencyCode,
    /// How grave a read is.
    pub sensitivity: Sensitivity,
    /// The law that it stands in.
    pub basis: String,
    /// How long it is kept.
    pub retention: Text,
}

/// A code list (danh mục dùng chung) in a file of the dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeList {
    /// Its id.
    pub id: ListId,
    /// Its name.
    pub name: Text,
    /// Where it is from: the law that enacts it.
    pub source: String,
    /// Its codes.
    #[serde(rename = "code")]
    pub codes: Vec<ListCode>,
}

/// A code of a list, during one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListCode {
    /// The code.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// The first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Date>,
}

/// What of the dictionary a registry uses, kept with each version of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// Its terms.
    pub terms: BTreeMap<TermId, Arc<Term>>,
    /// Its lists, but for those of [`SharedList`].
    pub lists: BTreeMap<ListId, Arc<CodeList>>,
}

/// A list that the platform keeps already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedList {
    /// `units.provinces`: provinces by their dates.
    Provinces,
    /// `units.communes`: communes by their dates, before and after 1 July 2025.
    Communes,
    /// `ethnicities`: Decision 121-TCTK/PPCĐ.
    Ethnicities,
    /// `countries`: ISO 3166-1.
    Countries,
}

impl SharedList {
    /// The list of this id.
    pub fn named(id: &ListId) -> Option<Self> {
        match id.as_str() {
            "units.provinces" => Some(Self::Provinces),
            "units.communes" => Some(Self::Communes),
            "ethnicities" => Some(Self::Ethnicities),
            "countries" => Some(Self::Countries),
            _ => None,
        }
    }

    fn holds(self, units: &Units, code: &str, on: Date) -> bool {
        // What is older than the tables of units is told in the first codes that they have.
        let unit = |level| {
            units
                .resolve_from_beginning(code, on)
                .is_some_and(|unit| unit.code.level() == level)
        };
        match self {
            Self::Provinces => unit(Level::Province),
            Self::Communes => unit(Level::Commune),
            Self::Ethnicities => shared::ethnicities().iter().any(|entry| entry.code == code),
            Self::Countries => shared::countries().iter().any(|entry| entry.code == code),
        }
    }
}

impl CodeList {
    fn holds(&self, code: &str, on: Date) -> bool {
        self.codes.iter().any(|c| {
            c.code == code && c.valid_from.is_none_or(|first| first <= on) && c.valid_to.is_none_or(|last| on <= last)
        })
    }
}

impl Vocabulary {
    /// Whether `code` is of the list `id` on a day; not in a list that nobody knows.
    pub fn lists_code(&self, units: &Units, id: &ListId, code: &str, on: Date) -> bool {
        match SharedList::named(id) {
            Some(list) => list.holds(units, code, on),
            None => self.lists.get(id).is_some_and(|list| list.holds(code, on)),
        }
    }

    /// What a code of the list `id` means, for people; of one that meant several things in its time the last. None where nobody knows.
    pub fn name_of(&self, units: &Units, id: &ListId, code: &str, lang: Lang) -> Option<String> {
        let unit = || {
            let unit = units.versions(code.parse().ok()?).last()?;
            Some(units.address(unit, lang))
        };
        match SharedList::named(id) {
            Some(SharedList::Provinces | SharedList::Communes) => unit(),
            Some(SharedList::Ethnicities) => {
                let found = shared::ethnicities().iter().find(|entry| entry.code == code)?;
                Some(found.name.get(lang).to_owned())
            }
            Some(SharedList::Countries) => {
                let found = shared::countries().iter().find(|entry| entry.code == code)?;
                Some(found.name.get(lang).to_owned())
            }
            None => {
                let codes = &self.lists.get(id)?.codes;
                let found = codes.iter().rfind(|known| known.code == code)?;
                Some(found.name.get(lang).to_owned())
            }
        }
    }

    /// What a list has on `today`, for somebody who chooses: each code with its name, and one that meant several things in its time by the
    /// last. Empty for communes, which are too many.
    pub fn choices(&self, units: &Units, id: &ListId, today: Date, lang: Lang) -> Vec<(String, String)> {
        match SharedList::named(id) {
            Some(SharedList::Communes) => Vec::new(),
            Some(SharedList::Provinces) => {
                let provinces = units.provinces(today).into_iter();
                provinces
                    .map(|unit| (unit.code.to_string(), unit.name.to_string()))
                    .collect()
            }
            Some(SharedList::Ethnicities) => {
                let all = shared::ethnicities().iter();
                all.map(|entry| (entry.code.clone(), entry.name.get(lang).to_owned()))
                    .collect()
            }
            Some(SharedList::Countries) => {
                let all = shared::countries().iter();
                all.map(|entry| (entry.code.clone(), entry.name.get(lang).to_owned()))
                    .collect()
            }
            None => {
                let codes = self.lists.get(id).map(|list| list.codes.as_slice()).unwrap_or_default();
                let last = |n: usize| codes[n + 1..].iter().all(|later| later.code != codes[n].code);
                let of = |n: usize| (codes[n].code.clone(), codes[n].name.get(lang).to_owned());
                (0..codes.len()).filter(|n| last(*n)).map(of).collect()
            }
        }
    }

    /// What a list is called; its id where it is not here.
    pub fn list_name(&self, id: &ListId) -> Text {
        match SharedList::named(id) {
            Some(SharedList::Provinces) => Text::new("Tỉnh, thành phố", "Provinces"),
            Some(SharedList::Communes) => Text::new("Xã, phường, đặc khu", "Communes"),
            Some(SharedList::Ethnicities) => Text::new("Dân tộc", "Ethnic groups"),
            Some(SharedList::Countries) => Text::new("Quốc gia, vùng lãnh thổ", "Countries"),
            None => {
                let list = self.lists.get(id);
                list.map_or_else(|| Text::new(id.as_str(), id.as_str()), |list| list.name.clone())
            }
        }
    }

    /// Whether there is a list of this id.
    pub fn knows_list(&self, id: &ListId) -> bool {
        SharedList::named(id).is_some() || self.lists.contains_key(id)
    }

    /// Reads the files of a dictionary: `name.toml` has terms, `lists/name.toml` one list.
    pub(crate) fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>, sink: &mut Sink) -> Self {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Terms {
            #[serde(default)]
            term: Vec<Term>,
        }
        let mut read = Self::default();
        for (file, text) in files {
            if file.contains("lists/") {
                let Some(list) = sink.toml::<CodeList>(file, text) else {
                    continue;
                };
                judge_list(&list, file, sink);
                if SharedList::named(&list.id).is_some() || read.lists.contains_key(&list.id) {
                    twice(sink, file, "id", list.id.as_str());
                }
                read.lists.insert(list.id.clone(), Arc::new(list));
                continue;
            }
            let Some(terms) = sink.toml::<Terms>(file, text) else {
                continue;
            };
            for (n, term) in terms.term.into_iter().enumerate() {
                if read.terms.contains_key(&term.id) {
                    twice(sink, file, &format!("term[{n}].id"), term.id.as_str());
                }
                read.terms.insert(term.id.clone(), Arc::new(term));
            }
        }
        read
    }

    /// Judges one term that a registry uses.
    pub(crate) fn judge_term(&self, term: &Term, sink: &mut Sink) {
        const FILE: &str = "dictionary";
        let at = |key: &str| format!("{}.{key}", term.id);
        sink.translated(FILE, at("name"), &term.name);
        sink.translated(FILE, at("definition"), &term.definition);
        sink.translated(FILE, at("technical"), &term.technical);
        sink.translated(FILE, at("retention"), &term.retention);
        if term.basis.trim().is_empty() {
            sink.error(
                FILE,
                at("basis"),
                "missing-basis",
                "Thuật ngữ phải nêu căn cứ pháp lý.",
                "A term names the law that it stands in.",
            );
        }
        match (term.ty, &term.list) {
            (DataType::Code, None) => sink.error(
                FILE,
                at("list"),
                "code-without-list",
                "Thuật ngữ kiểu “code” phải nêu danh mục (list).",
                "A term of type “code” names its list.",
            ),
            (DataType::Code, Some(list)) if !self.knows_list(list) => sink.error(
                FILE,
                at("list"),
                "unknown-list",
                format!("Không có danh mục “{list}” trong từ điển."),
                format!("The dictionary has no list “{list}”."),
            ),
            (DataType::Code, Some(_)) | (_, None) => {}
            (_, Some(_)) => sink.error(
                FILE,
                at("list"),
                "list-without-code",
                "Chỉ thuật ngữ kiểu “code” mới có danh mục.",
                "Only a term of type “code” has a list.",
            ),
        }
        if term.identifier.is_some() && term.ty != DataType::Identifier {
            sink.error(
                FILE,
                at("identifier"),
                "not-an-identifier",
                "Chỉ thuật ngữ kiểu “identifier” mới có quy tắc mã (identifier).",
                "Only a term of type “identifier” has a rule of identifiers.",
            );
        }
        let counts = matches!(term.ty, DataType::Integer | DataType::Decimal);
        if counts && term.unit.is_none() {
            sink.error(
                FILE,
                at("unit"),
                "number-without-unit",
                "Số phải nêu đơn vị tính (unit); số không có đơn vị ghi “1”.",
                "A number names its unit; one that has none says “1”.",
            );
        }
    }
}

fn judge_list(list: &CodeList, file: &str, sink: &mut Sink) {
    sink.translated(file, "name", &list.name);
    if list.source.trim().is_empty() {
        sink.error(
            file,
            "source",
            "missing-basis",
            "Danh mục phải nêu văn bản ban hành (source).",
            "A list names the text that enacts it.",
        );
    }
    for (n, code) in list.codes.iter().enumerate() {
        sink.translated(file, format!("code[{n}].name"), &code.name);
        let overlaps = |other: &ListCode| {
            other.code == code.code
                && other.valid_from <= code.valid_to.or(Some(Date::MAX))
                && code.valid_from <= other.valid_to.or(Some(Date::MAX))
        };
        if list.codes[..n].iter().any(overlaps) {
            twice(sink, file, &format!("code[{n}].code"), &code.code);
        }
    }
    if list.codes.is_empty() {
        sink.error(
            file,
            "code",
            "empty-list",
            "Danh mục không có mã nào.",
            "The list has no code.",
        );
    }
}

fn twice(sink: &mut Sink, file: &str, path: &str, what: &str) {
    sink.error(
        file,
        path,
        "duplicate-id",
        format!("“{what}” đã được khai báo."),
        format!("“{what}” is declared already."),
    );
}
