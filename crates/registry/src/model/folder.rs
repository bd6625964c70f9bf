//! A folder becomes a registry: every finding at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use base::{Error, Kind, Result};
use procedure::reference::Reference;
use sha2::{Digest, Sha256};

use super::{
    EventType, Field, FieldPath, Filter, Link, Name, Operation, Operator, Registry, RegistryCode, Service, SharedList,
    Vocabulary, allocation,
    attribute::{self, RawAttributes},
    duplicates, event, migration,
    raw::{RawMigration, RawRegistry, RawRules, RawService},
    rule::{self, known},
    schema,
};
use crate::check::{Report, Sink};

pub(super) const FILE: &str = "registry.toml";
/// The names of the files of a folder; the first two have to be there.
const NAMES: [&str; 7] = [
    FILE,
    schema::FILE,
    "rules.toml",
    migration::FILE,
    attribute::FILE,
    duplicates::FILE,
    duplicates::MODEL,
];
/// Parameters of a list that are no filters.
const PARAMETERS: [&str; 6] = ["cursor", "limit", "sort", "fields", "as_of", "known_at"];
/// Names that expressions use for themselves.
const RESERVED: [&str; 2] = ["today", "valid_from"];

/// The files of a registry and the dictionary that it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    pub(crate) own: BTreeMap<String, String>,
    pub(crate) vocabulary: Vocabulary,
}

impl Files {
    /// What is kept: the folder's files, and of the dictionary what is used.
    pub(crate) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string(&(&self.own, &self.vocabulary))?)
    }

    /// Reads [`Self::to_json`].
    pub(crate) fn from_json(text: &str) -> Result<Self> {
        let (own, vocabulary) = serde_json::from_str(text)?;
        Ok(Self { own, vocabulary })
    }

    /// The text of a file.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.own.get(name).map(String::as_str)
    }

    /// SHA-256 in hex over each name and text with its length, then over the vocabulary.
    fn hash(&self) -> Result<String> {
        let mut hasher = Sha256::new();
        let vocabulary = serde_json::to_string(&self.vocabulary)?;
        let own = self.own.iter().flat_map(|(name, text)| [name, text]);
        for part in own.chain([&vocabulary]) {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        Ok(hex::encode(hasher.finalize()))
    }
}

impl Registry {
    /// Judges the files of a registry; the registry where nothing is wrong with it. Its migration is judged when it is published
    /// over the version before ([`super::breaks`]).
    pub fn compile(files: &Files, reference: &Arc<Reference>) -> (Option<Self>, Report) {
        let mut sink = Sink::default();
        let compiled = compile(files, reference, &mut sink);
        let failed = sink.any_error();
        (compiled.filter(|_| !failed), sink.report())
    }

    /// As [`Self::compile`], for files that have to be good.
    ///
    /// # Errors
    /// A refusal with every finding.
    pub fn from_files(files: &Files, reference: &Arc<Reference>) -> Result<Self> {
        let (registry, report) = Self::compile(files, reference);
        registry.ok_or_else(|| Error::Refused(Kind::Invalid, report.problems()))
    }
}

fn compile(files: &Files, reference: &Arc<Reference>, sink: &mut Sink) -> Option<Registry> {
    for name in NAMES.iter().take(2).filter(|name| files.get(name).is_none()) {
        sink.error(
            name,
            "",
            "missing-file",
            format!("Thiếu tệp {name}."),
            format!("The file {name} is missing."),
        );
    }
    let raw: Option<RawRegistry> = files.get(FILE).and_then(|text| sink.toml(FILE, text));
    let schema = files
        .get(schema::FILE)
        .and_then(|text| schema::read(text, &files.vocabulary, sink));
    let rules: RawRules = files
        .get("rules.toml")
        .and_then(|text| sink.toml("rules.toml", text))
        .unwrap_or_default();
    let migration: Option<RawMigration> = files
        .get(migration::FILE)
        .and_then(|text| sink.toml(migration::FILE, text));
    let attributes: RawAttributes = files
        .get(attribute::FILE)
        .and_then(|text| sink.toml(attribute::FILE, text))
        .unwrap_or_default();
    let (schema, fields, validator) = schema?;
    for field in fields.iter().filter(|field| RESERVED.contains(&field.path.as_str())) {
        sink.error(
            schema::FILE,
            format!("/properties/{}", field.path),
            "reserved-name",
            "Tên này dành cho biểu thức; đặt tên khác cho trường.",
            "Expressions use this name; give the field another.",
        );
    }
    let used = used(&files.vocabulary, &fields, &rules);
    for term in used.terms.values() {
        used.judge_term(term, sink);
    }
    let rules = rule::compile(rules, &fields, &used, sink);
    let raw = raw?;
    judge(&raw, &fields, &attributes.names(), sink);
    let migration = migration.map(|raw| migration::read(raw, &fields, sink));
    let packed = Files {
        own: files.own.clone(),
        vocabulary: used.clone(),
    };
    let filters: Vec<Filter> = raw
        .filter
        .into_iter()
        .map(|f| Filter {
            field: f.field,
            operators: f.operators,
            folded: f.folded,
        })
        .collect();
    let attributes = attribute::compile(attributes, &fields, &raw.key, &filters, sink);
    let allocations = allocation::compile(raw.allocate, &fields, &raw.key, &filters, sink);
    let duplicates = duplicates::compile(files, &fields, &filters, sink);
    let hash = match packed.hash() {
        Ok(hash) => hash,
        Err(error) => {
            sink.error("", "", "unreadable", error.to_string(), error.to_string());
            return None;
        }
    };
    Some(Registry {
        code: raw.code,
        version: raw.version,
        hash,
        name: raw.name,
        summary: raw.summary,
        steward: raw.steward,
        about: raw.about,
        subjects: raw.subjects,
        represented: raw.represented,
        key: raw.key,
        valid_time: raw.valid_time,
        basis: raw.basis,
        retention: raw.retention,
        sensitivity: raw.sensitivity,
        attributes,
        allocations,
        duplicates,
        filters,
        services: raw
            .service
            .into_iter()
            .map(|s| Service {
                id: s.id,
                name: s.name,
                operations: s.operations,
                filters: s.filters,
                fields: s.fields,
                attributes: s.attributes,
                pseudonyms: s.pseudonyms,
                link: s.basis.map(|basis| Link {
                    between: s.between,
                    basis,
                }),
            })
            .collect(),
        events: raw
            .event
            .into_iter()
            .map(|e| EventType {
                id: e.id,
                name: e.name,
                on: e.on,
                reaches: e.reaches,
                fields: e.fields,
            })
            .collect(),
        doubts: raw.doubts,
        without_dossier: raw.without_dossier,
        mending: raw.quality,
        fields,
        rules,
        vocabulary: used,
        migration,
        schema,
        files: packed,
        validator,
        reference: Arc::clone(reference),
        gazetteer: OnceLock::new(),
    })
}

/// Of a dictionary what a registry uses: so that a new term elsewhere is no new version here.
fn used(all: &Vocabulary, fields: &[Field], rules: &RawRules) -> Vocabulary {
    let mut used = Vocabulary::default();
    for field in fields {
        used.terms.insert(field.term.id.clone(), Arc::clone(&field.term));
    }
    let of_rules = rules.rule.iter().filter_map(|rule| match &rule.test {
        super::raw::RawTest::CodeList { list, .. } => Some(list),
        _ => None,
    });
    let of_terms = fields.iter().filter_map(|field| field.term.list.as_ref());
    for list in of_rules
        .chain(of_terms)
        .filter(|list| SharedList::named(list).is_none())
    {
        if let Some(found) = all.lists.get(list) {
            used.lists.insert(list.clone(), Arc::clone(found));
        }
    }
    used
}

fn judge(raw: &RawRegistry, fields: &[Field], attributes: &[Name], sink: &mut Sink) {
    for (path, text) in [
        ("name", &raw.name),
        ("summary", &raw.summary),
        ("retention.note", &raw.retention.note),
    ] {
        sink.translated(FILE, path, text);
    }
    if raw.version == 0 {
        sink.error(
            FILE,
            "version",
            "bad-version",
            "Phiên bản đếm từ 1.",
            "Versions count from 1.",
        );
    }
    if raw.basis.is_empty()
        || raw
            .basis
            .iter()
            .any(|b| b.text.trim().is_empty() || b.article.trim().is_empty())
    {
        sink.error(
            FILE,
            "basis",
            "missing-basis",
            "Cơ sở dữ liệu phải nêu văn bản và điều làm căn cứ.",
            "A registry names the law and the article that it stands on.",
        );
    }
    judge_keys(raw, fields, sink);
    if let Some(represented) = &raw.represented {
        represented.judge(&raw.code, fields, sink);
    }
    judge_filters(raw, fields, sink);
    judge_services(raw, fields, attributes, sink);
    event::judge(raw, fields, sink);
}

fn judge_keys(raw: &RawRegistry, fields: &[Field], sink: &mut Sink) {
    if raw.key.is_empty() {
        nothing(sink, "key".to_owned());
    }
    for path in &raw.key {
        let Some(field) = known(path, fields, FILE, "key".to_owned(), sink) else {
            continue;
        };
        if field.many || !always_there(path, fields) {
            sink.error(
                FILE,
                "key",
                "key-not-required",
                format!("Trường khóa “{path}” phải bắt buộc và chỉ có một giá trị."),
                format!("The key field “{path}” has to be required and have one value."),
            );
        }
    }
    for path in &raw.subjects {
        let Some(field) = known(path, fields, FILE, "subjects".to_owned(), sink) else {
            continue;
        };
        if field.term.identifier != Some(super::Identifier::PersonNumber) {
            sink.error(
                FILE,
                "subjects",
                "subject-not-a-person",
                format!("Trường “{path}” phải là số định danh cá nhân."),
                format!("The field “{path}” has to be a personal number."),
            );
        }
    }
    if raw.about == super::About::Person && raw.subjects.is_empty() {
        sink.error(
            FILE,
            "subjects",
            "person-without-subject",
            "Bản ghi về cá nhân phải nêu trường chứa số định danh (subjects), để người đó thấy ai đã xem dữ liệu của mình.",
            "Records about persons name the field of the personal number (subjects), so that the person sees who read about them.",
        );
    }
    let personal = fields.iter().find(|field| field.term.sensitivity.is_personal());
    if let Some(field) = personal.filter(|_| raw.subjects.is_empty()) {
        sink.warning(
            FILE,
            "subjects",
            "personal-without-subject",
            format!(
                "Có dữ liệu cá nhân (“{}”) nhưng không nêu người mà dữ liệu nói về.",
                field.path
            ),
            format!(
                "There are personal data (“{}”) and nobody whom they are about.",
                field.path
            ),
        );
    }
}

/// Whether a field is required, and so is every group that it stands in.
fn always_there(path: &FieldPath, fields: &[Field]) -> bool {
    fields
        .iter()
        .filter(|field| field.path.covers(path))
        .all(|field| field.required)
}

fn judge_filters(raw: &RawRegistry, fields: &[Field], sink: &mut Sink) {
    let mut names: BTreeSet<String> = PARAMETERS.map(str::to_owned).into();
    for (n, filter) in raw.filter.iter().enumerate() {
        let at = |key: &str| format!("filter[{n}].{key}");
        if raw.filter[..n].iter().any(|other| other.field == filter.field) {
            twice(sink, at("field"), filter.field.as_str());
        }
        if filter.operators.is_empty() {
            nothing(sink, at("operators"));
        }
        let asked = Filter {
            field: filter.field.clone(),
            operators: filter.operators.clone(),
            folded: filter.folded,
        };
        for (name, _) in asked.parameters() {
            if !names.insert(name.clone()) {
                twice(sink, at("field"), &name);
            }
        }
        let Some(field) = known(&filter.field, fields, FILE, at("field"), sink) else {
            continue;
        };
        let text = field.term.ty.json() == "string";
        if field.term.ty == super::DataType::Group {
            sink.error(
                FILE,
                at("field"),
                "cannot-filter",
                "Không lọc theo nhóm trường; hãy nêu trường bên trong.",
                "A group cannot be asked by; name a field within it.",
            );
        }
        let ordered = filter.operators.iter().any(|op| *op != Operator::Eq);
        if field.many && ordered {
            sink.error(
                FILE,
                at("operators"),
                "cannot-filter",
                "Trường có nhiều giá trị chỉ lọc được theo từng giá trị (eq).",
                "A field of several values can be asked by one of them only (eq).",
            );
        }
        if !text && (filter.folded || filter.operators.contains(&Operator::Prefix)) {
            sink.error(
                FILE,
                at("operators"),
                "cannot-filter",
                "Chỉ văn bản mới lọc theo phần đầu (prefix) hoặc bỏ dấu (folded).",
                "Only a text can be asked by its beginning, or folded.",
            );
        }
    }
}

fn judge_services(raw: &RawRegistry, fields: &[Field], attributes: &[Name], sink: &mut Sink) {
    for (n, service) in raw.service.iter().enumerate() {
        let at = |key: &str| format!("service[{n}].{key}");
        sink.translated(FILE, at("name"), &service.name);
        if raw.service[..n].iter().any(|other| other.id == service.id) {
            twice(sink, at("id"), service.id.as_str());
        }
        let tells_facts = service.operations.contains(&Operation::Facts);
        let shows_records = service.operations.iter().any(|op| *op != Operation::Facts);
        for (key, is_missing) in [
            ("operations", service.operations.is_empty()),
            ("fields", shows_records && service.fields.is_empty()),
            ("attributes", tells_facts && service.attributes.is_empty()),
        ] {
            if is_missing {
                nothing(sink, at(key));
            }
        }
        for attribute in service.attributes.iter().filter(|name| !attributes.contains(name)) {
            sink.error(
                FILE,
                at("attributes"),
                "unknown-attribute",
                format!("“{attribute}” không có trong attributes.toml."),
                format!("“{attribute}” is not in attributes.toml."),
            );
        }
        if !service.attributes.is_empty() && !tells_facts {
            sink.error(
                FILE,
                at("attributes"),
                "attributes-without-facts",
                "Dịch vụ nêu thuộc tính phải có thao tác “facts”.",
                "A service with attributes has the operation “facts”.",
            );
        }
        for field in &service.fields {
            known(field, fields, FILE, at("fields"), sink);
        }
        for field in &service.filters {
            if !raw.filter.iter().any(|filter| filter.field == *field) {
                sink.error(
                    FILE,
                    at("filters"),
                    "unknown-filter",
                    format!("“{field}” không có trong các mục [[filter]]."),
                    format!("“{field}” is none of [[filter]]."),
                );
            }
        }
        if !service.filters.is_empty() && !service.operations.contains(&Operation::List) {
            sink.error(
                FILE,
                at("filters"),
                "filter-without-list",
                "Dịch vụ có bộ lọc phải có thao tác “list”.",
                "A service with filters has the operation “list”.",
            );
        }
        let shows_key = |path: &FieldPath| service.fields.iter().any(|shown| shown.covers(path));
        let names_records = [Operation::Write, Operation::Own];
        let names_records = names_records.iter().any(|op| service.operations.contains(op));
        if names_records && !raw.key.iter().all(shows_key) {
            sink.error(
                FILE,
                at("fields"),
                "write-without-key",
                "Dịch vụ ghi, hoặc cho người được ghi nhận xem (own), phải gồm các trường khóa.",
                "A service that writes, or tells people of themselves (own), has the key fields.",
            );
        }
        let is_of_somebody = !raw.subjects.is_empty() || raw.represented.is_some();
        if service.operations.contains(&Operation::Own) && !is_of_somebody {
            sink.error(
                FILE,
                at("operations"),
                "own-without-subject",
                "Chỉ cơ sở dữ liệu nêu người mà bản ghi nói về (subjects), hoặc doanh nghiệp có người đại diện (represented), mới có thao tác “own”.",
                "Only a registry that says whom its records are about (subjects), or of which enterprises (represented), has the operation “own”.",
            );
        }
        judge_pseudonyms(service, raw, fields, &at, sink);
    }
}

fn judge_pseudonyms(
    service: &RawService,
    raw: &RawRegistry,
    fields: &[Field],
    at: &impl Fn(&str) -> String,
    sink: &mut Sink,
) {
    for path in &service.pseudonyms {
        let Some(field) = known(path, fields, FILE, at("pseudonyms"), sink) else {
            continue;
        };
        if !service.fields.iter().any(|shown| shown.covers(path)) {
            sink.error(
                FILE,
                at("pseudonyms"),
                "pseudonym-not-shown",
                format!("“{path}” không có trong các trường mà dịch vụ cung cấp."),
                format!("“{path}” is none of the fields that the service shows."),
            );
        }
        if field.term.ty.json() != "string" {
            sink.error(
                FILE,
                at("pseudonyms"),
                "pseudonym-of-no-text",
                "Chỉ trường dạng văn bản mới thay được bằng mã thay thế.",
                "Only a text can be replaced by a pseudonym.",
            );
        }
    }
    let in_the_clear =
        |path: &&FieldPath| service.fields.iter().any(|shown| shown.covers(path)) && !service.pseudonyms.contains(path);
    if let Some(path) = raw
        .subjects
        .iter()
        .find(in_the_clear)
        .filter(|_| !service.pseudonyms.is_empty())
    {
        sink.error(
            FILE,
            at("pseudonyms"),
            "subject-in-the-clear",
            format!("Dịch vụ cấp mã thay thế nhưng vẫn cho thấy số định danh ở “{path}”."),
            format!("The service gives pseudonyms and shows the personal number at “{path}” all the same."),
        );
    }
    // All speak of numbers: an order has them in its body, an attribute may be one, and people are told of themselves by theirs.
    let speaks_of_numbers = [Operation::Write, Operation::Facts, Operation::Own];
    if !service.pseudonyms.is_empty() && speaks_of_numbers.iter().any(|op| service.operations.contains(op)) {
        sink.error(
            FILE,
            at("operations"),
            "write-by-pseudonym",
            "Dịch vụ ghi, cung cấp thuộc tính (facts) hoặc cho người được ghi nhận xem (own) không dùng mã thay thế.",
            "A service that writes, tells attributes (facts) or tells people of themselves (own) uses no pseudonyms.",
        );
    }
    let translates = service.operations.contains(&Operation::Translate);
    let is_link = service.between.len() > 1 && service.basis.is_some() && !service.pseudonyms.is_empty();
    let alone = service.operations.len() == 1;
    if translates && !(is_link && alone) {
        sink.error(
            FILE,
            at("operations"),
            "translate-between-whom",
            "Dịch vụ nối mã thay thế chỉ có thao tác “translate”, nêu pseudonyms, ít nhất hai hệ thống (between) và căn cứ pháp lý (basis).",
            "A service that translates pseudonyms does nothing else, and names pseudonyms, two clients or more (between) and its law (basis).",
        );
    }
    if !translates && (!service.between.is_empty() || service.basis.is_some()) {
        sink.error(
            FILE,
            at("between"),
            "link-without-translate",
            "Chỉ dịch vụ có thao tác “translate” mới nêu between và basis.",
            "Only a service with the operation “translate” has between and basis.",
        );
    }
}

pub(super) fn nothing(sink: &mut Sink, path: String) {
    sink.error(
        FILE,
        path,
        "nothing-named",
        "Phải nêu ít nhất một giá trị.",
        "At least one has to be named.",
    );
}

pub(super) fn twice(sink: &mut Sink, path: String, what: &str) {
    sink.error(
        FILE,
        path,
        "duplicate-id",
        format!("“{what}” đã được khai báo."),
        format!("“{what}” is declared already."),
    );
}

/// The files that a folder may hold.
pub(crate) const fn folder_names() -> [&'static str; 7] {
    NAMES
}

/// That a folder bears the code of its registry.
pub(crate) fn same_name(folder: &str, code: &RegistryCode, sink: &mut Sink) {
    if folder != code.as_str() {
        sink.error(
            FILE,
            "code",
            "folder-name-differs",
            format!("Thư mục phải mang tên của mã: “{code}”."),
            format!("The folder has to bear the name of the code: “{code}”."),
        );
    }
}
