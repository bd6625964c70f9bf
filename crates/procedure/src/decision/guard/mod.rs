//! Judges decisions.dmn before `dsntk` sees it: its size, its elements, its names, its graph, and every FEEL text.

mod elements;
mod logic;
mod profile;
mod samples;
mod typing;

use std::collections::{BTreeMap, BTreeSet};

use base::Text;
use roxmltree::{Document, Node, ParsingOptions};

pub(super) use self::samples::samples;
use self::{
    elements::{child, identifier, is_logic, needs, requirements, rules},
    typing::item,
};
use super::Table;
use crate::{
    check::{Severity, Sink, Source},
    feel::{Flaw, MAX_FILE_WORK, Type, Types},
    form::{Context, Form},
};

const MAX_NODES: u32 = 20_000;
const MAX_NESTING: usize = 24;
const MAX_DECISIONS: usize = 100;
/// A decision that feeds others may not be larger: loops over it are estimated at this size.
const MAX_FEEDING: u64 = 200;

const NAMESPACES: [&str; 3] = [
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// What is left to give to `dsntk`.
pub(super) struct Guarded {
    pub xml: String,
    pub namespace: String,
    pub model: String,
    pub inputs: Types,
    pub types: Types,
    pub tables: Vec<Table>,
}

pub(super) fn guard(sink: &mut Sink, source: &Source<'_>, form: &Form) -> Option<Guarded> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = match Document::parse_with_options(source.text, options) {
        Ok(document) => document,
        Err(error) => {
            let at = error.pos();
            sink.push(crate::check::Finding {
                severity: Severity::Error,
                code: "bad-xml".to_owned(),
                file: source.name.to_owned(),
                line: at.row,
                column: at.col,
                text: Text::new(
                    format!("Không đọc được XML: {error}"),
                    format!("Not readable as XML: {error}"),
                ),
            });
            return None;
        }
    };
    let mut guard = Guard {
        sink,
        source,
        failed: false,
        work: 0,
        uses: BTreeSet::new(),
    };
    let root = document.root_element();
    let known = root.tag_name().namespace().is_some_and(|ns| NAMESPACES.contains(&ns));
    if root.tag_name().name() != "definitions" || !known {
        guard.error(
            root,
            "bad-dmn",
            "Tệp phải là DMN 1.3, 1.4 hoặc 1.5.",
            "The file must be DMN 1.3, 1.4 or 1.5.",
        );
        return None;
    }
    guard.elements(root);
    if guard.failed {
        return None;
    }

    let mut inputs: BTreeMap<String, (Node<'_, '_>, String)> = BTreeMap::new();
    let mut decisions: BTreeMap<String, (Node<'_, '_>, String)> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for node in root.children().filter(Node::is_element) {
        let kind = node.tag_name().name();
        if !matches!(kind, "inputData" | "decision") {
            continue;
        }
        let (id, name) = (node.attribute("id").unwrap_or(""), node.attribute("name").unwrap_or(""));
        if id.is_empty() || !identifier(name) {
            guard.error(
                node,
                "bad-id",
                &format!("“{name}” phải có id và tên chỉ gồm chữ cái không dấu, chữ số, dấu gạch dưới."),
                &format!("“{name}” needs an id and a name of letters, digits and underscores only."),
            );
            continue;
        }
        if !names.insert(name.to_owned()) || inputs.contains_key(id) || decisions.contains_key(id) {
            guard.error(
                node,
                "duplicate-id",
                &format!("“{name}” hoặc id “{id}” đã dùng."),
                &format!("“{name}” or the id “{id}” is used twice."),
            );
        }
        if kind == "inputData" {
            if !matches!(name, "answers" | "applicant" | "channel" | "today") {
                guard.error(
                    node,
                    "unknown-input",
                    &format!("Không có đầu vào “{name}”; chỉ có answers, applicant, channel, today."),
                    &format!("There is no input “{name}”; only answers, applicant, channel, today."),
                );
            }
            inputs.insert(id.to_owned(), (node, name.to_owned()));
        } else {
            decisions.insert(id.to_owned(), (node, name.to_owned()));
        }
    }
    if guard.failed {
        return None;
    }
    if decisions.len() > MAX_DECISIONS {
        guard.error(
            root,
            "too-large",
            &format!("Tệp có {} quyết định; tối đa {MAX_DECISIONS}.", decisions.len()),
            &format!("The file has {} decisions; at most {MAX_DECISIONS}.", decisions.len()),
        );
        return None;
    }
    let order = guard.order(&decisions)?;

    let mut all = Types::new();
    Context::declare(&mut all);
    let mut answers = Types::new();
    for field in form.fields() {
        answers.declare(&field.id, field.feel.clone());
    }
    all.declare("answers", answers.into_context());
    let given = all.clone();

    let feeding: BTreeSet<String> = decisions.values().flat_map(|(node, _)| needs(*node)).collect();
    // `dsntk` evaluates a decision anew for each that needs it: 30 that need the one before twice are 2^30 evaluations. So
    // each is charged with all that it needs, and all of them together, as the trace evaluates each.
    let mut costs: BTreeMap<String, u64> = BTreeMap::new();
    let mut total = 0_u64;
    let mut tables = Vec::new();
    let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    let mut items = String::new();
    let prefix = source
        .text
        .get(root.range().start + 1..)
        .and_then(|t| t.split([' ', '\n', '\t', '\r', '>']).next())
        .and_then(|t| t.split_once(':'))
        .map(|(p, _)| format!("{p}:"))
        .unwrap_or_default();
    for id in order {
        let Some((node, name)) = decisions.get(&id) else {
            continue;
        };
        // Only what the decision says it needs is in its sight.
        let mut types = Types::new();
        let mut uses = Vec::new();
        for (child, need) in requirements(*node) {
            match (inputs.get(&need), decisions.get(&need)) {
                (Some((_, input)), _) => {
                    if let Some(ty) = all.get(input) {
                        types.declare(input, ty.clone());
                    }
                }
                (None, Some((_, decision))) => {
                    types.declare(decision, all.get(decision).cloned().unwrap_or(Type::Any));
                    uses.push(decision.clone());
                }
                (None, None) => guard.error(
                    child,
                    "unknown-name",
                    &format!("Yêu cầu “{need}” không trỏ tới đâu."),
                    &format!("The requirement “{need}” points nowhere."),
                ),
            }
        }
        let mut table = Table {
            name: name.clone(),
            needs: uses,
            rules: Vec::new(),
        };
        let logic = node
            .children()
            .find(|c| c.is_element() && is_logic(c.tag_name().name()));
        let Some(logic) = logic else {
            guard.error(
                *node,
                "bad-dmn",
                &format!("Quyết định “{name}” không có nội dung."),
                &format!("The decision “{name}” has no logic."),
            );
            continue;
        };
        guard.work = 0;
        let (ty, size) = guard.expression(logic, &types, 0);
        let mut cost = guard.work.saturating_add(1);
        for need in needs(*node) {
            cost = cost.saturating_add(costs.get(&need).copied().unwrap_or(0));
        }
        costs.insert(id.clone(), cost);
        if total <= MAX_FILE_WORK && total.saturating_add(cost) > MAX_FILE_WORK {
            guard.error(
                *node,
                "too-costly",
                &format!("Đến quyết định “{name}”, các quyết định của tệp có thể phải tính quá nhiều; mỗi quyết định được tính lại cho từng quyết định cần đến nó."),
                &format!("With the decision “{name}” the decisions of the file may take too much work; each is evaluated again for every one that needs it."),
            );
        }
        total = total.saturating_add(cost);
        if feeding.contains(&id) && size > MAX_FEEDING {
            guard.error(
                *node,
                "too-costly",
                &format!("Quyết định “{name}” cho kết quả quá lớn để quyết định khác dùng."),
                &format!("The decision “{name}” gives too much for others to work with."),
            );
        }
        if logic.tag_name().name() == "decisionTable" {
            table.rules = rules(logic, &types);
        }
        if feeding.contains(&id)
            && let Some(variable) = child(*node, "variable")
            && let Some(reference) = item(&ty, &format!("t_{name}"), &prefix, &mut items)
        {
            edits.push((
                variable.range(),
                format!("<{prefix}variable name=\"{name}\" typeRef=\"{reference}\"/>"),
            ));
        }
        all.declare(name, ty);
        tables.push(table);
    }
    // `dsntk` copies the inputs for each decision and each step of a path: it is told only of what is read.
    let reads = all.only(&guard.uses);
    for (node, name) in inputs.values() {
        let Some(variable) = child(*node, "variable") else {
            continue;
        };
        let Some(ty) = reads.get(name) else {
            continue;
        };
        if let Some(reference) = item(ty, &format!("t_{name}"), &prefix, &mut items) {
            edits.push((
                variable.range(),
                format!("<{prefix}variable name=\"{name}\" typeRef=\"{reference}\"/>"),
            ));
        }
    }
    if guard.failed {
        return None;
    }
    let mut xml = source.text.to_owned();
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, text) in edits {
        xml.replace_range(range, &text);
    }
    // The first child of the root begins right after its start tag, and every edit stands behind it.
    let start = root.first_child()?.range().start;
    xml.insert_str(start, &items);
    Some(Guarded {
        xml,
        namespace: root.attribute("namespace").unwrap_or("").to_owned(),
        model: root.attribute("name").unwrap_or("").to_owned(),
        inputs: given.only(&guard.uses),
        types: reads,
        tables,
    })
}

struct Guard<'a, 'b> {
    sink: &'a mut Sink,
    source: &'a Source<'b>,
    failed: bool,
    /// Estimated work of the expressions of the decision in hand.
    work: u64,
    /// The names that expressions read, of all decisions.
    uses: BTreeSet<String>,
}

impl Guard<'_, '_> {
    fn error(&mut self, node: Node<'_, '_>, code: &str, vi: &str, en: &str) {
        self.failed = true;
        self.sink.error(self.source, node.range().start, code, vi, en);
    }

    fn flaws(&mut self, node: Node<'_, '_>, flaws: Vec<Flaw>) {
        self.failed = true;
        self.sink.flaws(self.source, node.range().start, flaws);
    }
}
