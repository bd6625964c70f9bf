//! Boxed expressions: every FEEL text is typed, and the size of its value is estimated.

use roxmltree::Node;

use super::{
    Guard, MAX_NESTING,
    elements::{child, elements, identifier, is_logic, text_of},
};
use crate::feel::{self, Type, Types};

impl Guard<'_, '_> {
    pub(super) fn feel(&mut self, node: Node<'_, '_>, types: &Types) -> (Type, u64) {
        let Some(text) = text_of(node) else {
            self.error(node, "bad-dmn", "Thiếu biểu thức.", "The expression is missing.");
            return (Type::Any, 1);
        };
        match feel::inspect(text, types) {
            Ok(found) => {
                self.work = self.work.saturating_add(found.work);
                self.uses.extend(found.uses);
                (found.ty, found.size)
            }
            Err(flaws) => {
                self.flaws(node, flaws);
                (Type::Any, 1)
            }
        }
    }

    /// A boxed expression: its type and the estimated size of its value.
    pub(super) fn expression(&mut self, node: Node<'_, '_>, types: &Types, depth: usize) -> (Type, u64) {
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

    pub(super) fn table(&mut self, node: Node<'_, '_>, types: &Types) -> (Type, u64) {
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

    pub(super) fn tests(&mut self, node: Node<'_, '_>, types: &Types, input: &Type) {
        match text_of(node) {
            Some(text) => match feel::inspect_tests(text, types, input) {
                Ok(found) => {
                    self.work = self.work.saturating_add(found.work);
                    self.uses.extend(found.uses);
                }
                Err(flaws) => self.flaws(node, flaws),
            },
            None => self.error(
                node,
                "bad-dmn",
                "Ô trống; ghi dấu - nếu không xét.",
                "The cell is empty; write - for any value.",
            ),
        }
    }
}
