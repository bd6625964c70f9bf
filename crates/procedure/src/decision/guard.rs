//! Judges decisions.dmn before `dsntk` sees it: its size, its elements, its names, its graph, and every FEEL text.

use std::collections::{BTreeMap, BTreeSet};

use base::Text;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value, json};

use super::Table;
use crate::{
    check::{Severity, Sink, Source},
    feel::{self, Flaw, Type, Types},
    form::{Answers, Context, Form, Rule},
};

const MAX_NODES: u32 = 20_000;
const MAX_NESTING: usize = 24;
/// A decision that feeds others may not be larger: loops over it are estimated at this size.
const MAX_FEEDING: u64 = 200;

const NAMESPACES: [&str; 3] = [
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

const ALLOWED: [&str; 39] = [
    "definitions",
    "description",
    "inputData",
    "variable",
    "decision",
    "question",
    "allowedAnswers",
    "informationRequirement",
    "requiredInput",
    "requiredDecision",
    "decisionTable",
    "input",
    "inputExpression",
    "inputValues",
    "output",
    "outputValues",
    "defaultOutputEntry",
    "rule",
    "inputEntry",
    "outputEntry",
    "annotation",
    "annotationEntry",
    "text",
    "literalExpression",
    "context",
    "contextEntry",
    "list",
    "relation",
    "column",
    "row",
    "conditional",
    "if",
    "then",
    "else",
    "knowledgeSource",
    "authorityRequirement",
    "requiredAuthority",
    "textAnnotation",
    "association",
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
        let (ty, size) = guard.expression(logic, &types, 0);
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
    for (node, name) in inputs.values() {
        let Some(variable) = child(*node, "variable") else {
            continue;
        };
        let ty = all.get(name).cloned().unwrap_or(Type::Any);
        if let Some(reference) = item(&ty, &format!("t_{name}"), &prefix, &mut items) {
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
        inputs: given,
        types: all,
        tables,
    })
}

struct Guard<'a, 'b> {
    sink: &'a mut Sink,
    source: &'a Source<'b>,
    failed: bool,
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

    /// Every element must be of the profile, not too deep, and in FEEL.
    fn elements(&mut self, root: Node<'_, '_>) {
        let dmn = root.tag_name().namespace();
        let mut stack = vec![(root, 0_usize)];
        while let Some((node, depth)) = stack.pop() {
            let name = node.tag_name().name();
            // Diagrams and extensions of modelling tools mean nothing here.
            if node.tag_name().namespace() != dmn || name == "extensionElements" {
                continue;
            }
            if depth > MAX_NESTING {
                return self.error(
                    node,
                    "too-deep",
                    "Các phần tử lồng nhau quá sâu.",
                    "The elements are nested too deep.",
                );
            }
            if !ALLOWED.contains(&name) {
                self.error(
                    node,
                    "forbidden",
                    &format!("Phần tử <{name}> không dùng được trong gói thủ tục."),
                    &format!("The element <{name}> may not be used in a package."),
                );
                continue;
            }
            let feel = |text: &str| text.is_empty() || text.to_ascii_lowercase().contains("feel");
            if ["expressionLanguage", "typeLanguage"]
                .iter()
                .filter_map(|a| node.attribute(*a))
                .any(|text| !feel(text))
            {
                self.error(node, "forbidden", "Chỉ dùng ngôn ngữ FEEL.", "Only FEEL may be used.");
            }
            stack.extend(node.children().filter(Node::is_element).map(|child| (child, depth + 1)));
        }
    }

    /// The decisions, those that others need first. A circle is refused.
    fn order(&mut self, decisions: &BTreeMap<String, (Node<'_, '_>, String)>) -> Option<Vec<String>> {
        let mut done: Vec<String> = Vec::new();
        let mut left: Vec<&String> = decisions.keys().collect();
        while !left.is_empty() {
            let ready: Vec<&String> = left
                .iter()
                .filter(|id| {
                    decisions.get(**id).is_some_and(|(node, _)| {
                        needs(*node)
                            .iter()
                            .all(|need| !decisions.contains_key(need) || done.contains(need))
                    })
                })
                .copied()
                .collect();
            if ready.is_empty() {
                if let Some((node, name)) = left.first().and_then(|id| decisions.get(*id)) {
                    self.error(
                        *node,
                        "cycle",
                        &format!("Quyết định “{name}” cần chính kết quả của nó (vòng tròn)."),
                        &format!("The decision “{name}” needs its own result (a circle)."),
                    );
                }
                return None;
            }
            left.retain(|id| !ready.contains(id));
            done.extend(ready.into_iter().cloned());
        }
        Some(done)
    }

    fn feel(&mut self, node: Node<'_, '_>, types: &Types) -> (Type, u64) {
        let Some(text) = text_of(node) else {
            self.error(node, "bad-dmn", "Thiếu biểu thức.", "The expression is missing.");
            return (Type::Any, 1);
        };
        match feel::inspect(text, types) {
            Ok(found) => found,
            Err(flaws) => {
                self.flaws(node, flaws);
                (Type::Any, 1)
            }
        }
    }

    /// A boxed expression: its type and the estimated size of its value.
    fn expression(&mut self, node: Node<'_, '_>, types: &Types, depth: usize) -> (Type, u64) {
        if depth > MAX_NESTING {
            return (Type::Any, 1);
        }
        match node.tag_name().name() {
            "literalExpression" => self.feel(node, types),
            "decisionTable" => self.table(node, types),
            "context" => {
                let mut inner = types.clone();
                let mut parts = Types::new();
                let mut size = 1_u64;
                for entry in elements(node, "contextEntry") {
                    let Some(logic) = entry
                        .children()
                        .find(|c| c.is_element() && is_logic(c.tag_name().name()))
                    else {
                        continue;
                    };
                    let (ty, entry_size) = self.expression(logic, &inner, depth + 1);
                    size = size.saturating_add(entry_size);
                    match child(entry, "variable").and_then(|v| v.attribute("name")) {
                        Some(name) if identifier(name) => {
                            inner.declare(name, ty.clone());
                            parts.declare(name, ty);
                        }
                        Some(_) => self.error(
                            entry,
                            "bad-id",
                            "Tên phải chỉ gồm chữ cái không dấu, chữ số, dấu gạch dưới.",
                            "A name has letters, digits and underscores only.",
                        ),
                        // The entry without a name is the value of the whole.
                        None => return (ty, entry_size.saturating_add(size)),
                    }
                }
                (parts.into_context(), size)
            }
            "list" => {
                let mut size = 1_u64;
                let mut item: Option<Type> = None;
                for logic in node
                    .children()
                    .filter(|c| c.is_element() && is_logic(c.tag_name().name()))
                {
                    let (ty, logic_size) = self.expression(logic, types, depth + 1);
                    size = size.saturating_add(logic_size);
                    item = Some(match item {
                        None => ty,
                        Some(before) => before.join(ty),
                    });
                }
                (Type::List(Box::new(item.unwrap_or(Type::Any))), size)
            }
            "relation" => {
                let columns: Vec<&str> = elements(node, "column").filter_map(|c| c.attribute("name")).collect();
                let mut size = 1_u64;
                let mut parts = Types::new();
                for row in elements(node, "row") {
                    for (cell, column) in row.children().filter(Node::is_element).zip(&columns) {
                        let (ty, cell_size) = self.expression(cell, types, depth + 1);
                        size = size.saturating_add(cell_size);
                        if identifier(column) {
                            parts.declare(column, ty);
                        }
                    }
                }
                (Type::List(Box::new(parts.into_context())), size)
            }
            "conditional" => {
                let mut found = (Type::Null, 1);
                for (part, wanted) in [("if", true), ("then", false), ("else", false)] {
                    let logic = child(node, part)
                        .and_then(|p| p.children().find(|c| c.is_element() && is_logic(c.tag_name().name())));
                    let Some(logic) = logic else {
                        self.error(
                            node,
                            "bad-dmn",
                            "Thiếu if, then hoặc else.",
                            "if, then or else is missing.",
                        );
                        continue;
                    };
                    let (ty, size) = self.expression(logic, types, depth + 1);
                    if wanted {
                        if !ty.fits(&Type::Boolean) {
                            self.error(
                                logic,
                                "type",
                                "Điều kiện phải cho đúng hoặc sai.",
                                "The condition must be true or false.",
                            );
                        }
                    } else {
                        found = (found.0.join(ty), found.1.max(size));
                    }
                }
                found
            }
            _ => (Type::Any, 1),
        }
    }

    fn table(&mut self, node: Node<'_, '_>, types: &Types) -> (Type, u64) {
        let inputs: Vec<Type> = elements(node, "input")
            .map(|input| match child(input, "inputExpression") {
                Some(expression) => self.feel(expression, types).0,
                None => {
                    self.error(
                        input,
                        "bad-dmn",
                        "Thiếu biểu thức đầu vào.",
                        "The input expression is missing.",
                    );
                    Type::Any
                }
            })
            .collect();
        for clause in elements(node, "input").zip(&inputs) {
            if let Some(values) = child(clause.0, "inputValues") {
                self.tests(values, types, clause.1);
            }
        }
        let outputs: Vec<Node<'_, '_>> = elements(node, "output").collect();
        let many = outputs.len() > 1;
        if inputs.is_empty() || outputs.is_empty() {
            self.error(
                node,
                "bad-dmn",
                "Bảng quyết định phải có đầu vào và đầu ra.",
                "A decision table needs inputs and outputs.",
            );
        }
        let (mut columns, mut size) = (vec![Type::Null; outputs.len()], 1_u64);
        for output in &outputs {
            if many && !output.attribute("name").is_some_and(identifier) {
                self.error(
                    *output,
                    "bad-id",
                    "Mỗi cột đầu ra phải có tên.",
                    "Each output column needs a name.",
                );
            }
            for (part, tests) in [("outputValues", true), ("defaultOutputEntry", false)] {
                match child(*output, part) {
                    Some(values) if tests => self.tests(values, types, &Type::Any),
                    Some(value) => {
                        self.feel(value, types);
                    }
                    None => {}
                }
            }
        }
        for rule in elements(node, "rule") {
            let entries: Vec<Node<'_, '_>> = elements(rule, "inputEntry").collect();
            let results: Vec<Node<'_, '_>> = elements(rule, "outputEntry").collect();
            if entries.len() != inputs.len() || results.len() != outputs.len() {
                self.error(
                    rule,
                    "bad-dmn",
                    "Số ô của quy tắc không khớp số cột của bảng.",
                    "The rule has another number of cells than the table has columns.",
                );
                continue;
            }
            for (entry, ty) in entries.iter().zip(&inputs) {
                self.tests(*entry, types, ty);
            }
            for (result, column) in results.iter().zip(&mut columns) {
                let (ty, result_size) = self.feel(*result, types);
                size = size.saturating_add(result_size);
                *column = std::mem::replace(column, Type::Null).join(ty);
            }
        }
        let single = if many {
            let mut parts = Types::new();
            for (output, ty) in outputs.iter().zip(columns) {
                if let Some(name) = output.attribute("name").filter(|n| identifier(n)) {
                    parts.declare(name, ty);
                }
            }
            parts.into_context()
        } else {
            columns.into_iter().next().unwrap_or(Type::Any)
        };
        let policy = node.attribute("hitPolicy").unwrap_or("UNIQUE");
        let listed = matches!(policy, "RULE ORDER" | "OUTPUT ORDER")
            || (policy == "COLLECT" && node.attribute("aggregation").is_none());
        (if listed { Type::List(Box::new(single)) } else { single }, size)
    }

    fn tests(&mut self, node: Node<'_, '_>, types: &Types, input: &Type) {
        match text_of(node) {
            Some(text) => {
                if let Err(flaws) = feel::inspect_tests(text, types, input) {
                    self.flaws(node, flaws);
                }
            }
            None => self.error(
                node,
                "bad-dmn",
                "Ô trống; ghi dấu - nếu không xét.",
                "The cell is empty; write - for any value.",
            ),
        }
    }
}

/// The rules of a table for the trace: their tests and what is written beside them.
fn rules(table: Node<'_, '_>, types: &Types) -> Vec<(Vec<feel::Expr>, String)> {
    let inputs: Vec<&str> = elements(table, "input")
        .filter_map(|i| child(i, "inputExpression").and_then(text_of))
        .collect();
    elements(table, "rule")
        .map(|rule| {
            let tests = elements(rule, "inputEntry")
                .zip(&inputs)
                .filter_map(|(entry, input)| text_of(entry).filter(|t| t.trim() != "-").map(|tests| (input, tests)))
                .filter_map(|(input, tests)| feel::rule(input, tests, types))
                .collect();
            let note = elements(rule, "annotationEntry")
                .filter_map(text_of)
                .chain(child(rule, "description").and_then(|d| d.text()))
                .find(|t| !t.trim().is_empty())
                .map_or_else(String::new, |t| t.trim().to_owned());
            (tests, note)
        })
        .collect()
}

fn elements<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |c| c.is_element() && c.tag_name().name() == name)
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    elements(node, name).next()
}

fn text_of<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    child(node, "text")?.text().filter(|t| !t.trim().is_empty())
}

fn is_logic(name: &str) -> bool {
    matches!(
        name,
        "literalExpression" | "decisionTable" | "context" | "list" | "relation" | "conditional"
    )
}

fn requirements<'a, 'i>(decision: Node<'a, 'i>) -> impl Iterator<Item = (Node<'a, 'i>, String)> {
    elements(decision, "informationRequirement")
        .flat_map(|r| r.children().filter(Node::is_element).collect::<Vec<_>>())
        .filter(|n| matches!(n.tag_name().name(), "requiredInput" | "requiredDecision"))
        .map(|n| (n, n.attribute("href").unwrap_or("").trim_start_matches('#').to_owned()))
}

fn needs(decision: Node<'_, '_>) -> Vec<String> {
    requirements(decision).map(|(_, need)| need).collect()
}

fn identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 60
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Writes the item definition of a type where it needs one; gives the reference to it.
fn item(ty: &Type, name: &str, prefix: &str, out: &mut String) -> Option<String> {
    fn simple(ty: &Type) -> Option<&'static str> {
        Some(match ty {
            Type::Boolean => "boolean",
            Type::Number => "number",
            Type::String | Type::Enum(_) => "string",
            Type::Date => "date",
            _ => return None,
        })
    }
    fn write(ty: &Type, name: &str, tag: &str, prefix: &str, out: &mut String) {
        let (ty, many) = match ty {
            Type::List(item) => (&**item, " isCollection=\"true\""),
            other => (other, ""),
        };
        out.push_str(&format!("<{prefix}{tag} name=\"{name}\"{many}>"));
        match ty {
            Type::Context(parts) => {
                for (part, ty) in parts {
                    write(ty, part, "itemComponent", prefix, out);
                }
            }
            other => out.push_str(&format!(
                "<{prefix}typeRef>{}</{prefix}typeRef>",
                simple(other).unwrap_or("Any")
            )),
        }
        out.push_str(&format!("</{prefix}{tag}>"));
    }
    match ty {
        Type::Context(parts) if parts.is_empty() => None,
        Type::Context(_) | Type::List(_) => {
            write(ty, name, "itemDefinition", prefix, out);
            Some(name.to_owned())
        }
        other => simple(other).map(str::to_owned),
    }
}

/// Made-up answers that a form could hold: each field at its plain values, optional ones now and then left out.
pub(super) fn samples(form: &Form) -> Vec<Answers> {
    fn make(ty: &Type, turn: usize) -> Value {
        match ty {
            Type::Boolean => json!(turn.is_multiple_of(2)),
            Type::Number => json!([1, 2, 30, 250, 1_000_000][turn % 5]),
            Type::Enum(options) if !options.is_empty() => json!(options[turn % options.len()]),
            Type::Date => json!(["2026-07-01", "1980-02-29", "2030-12-31"][turn % 3]),
            Type::List(item) => Value::Array((0..=turn % 3).map(|k| make(item, turn + k)).collect()),
            Type::Context(parts) => Value::Object(
                parts
                    .iter()
                    .enumerate()
                    .map(|(n, (k, ty))| (k.clone(), make(ty, turn + n)))
                    .collect::<Map<_, _>>(),
            ),
            _ => json!("x"),
        }
    }
    (0..24)
        .map(|turn| {
            let mut answers = Answers::new();
            for (n, field) in form.fields().enumerate() {
                let left_out = !matches!(field.required, Rule::Always) && (turn + n) % 3 == 0;
                if !left_out {
                    // A different stride for each field, so that fields vary against each other.
                    answers.set(&field.id, make(&field.feel, turn + n * (turn % 5)));
                }
            }
            answers
        })
        .collect()
}
