//! Reading the elements of a DMN file.

use roxmltree::Node;

use crate::feel::{self, Types};

/// The rules of a table for the trace: their tests and what is written beside them.
pub(super) fn rules(table: Node<'_, '_>, types: &Types) -> Vec<(Vec<feel::Expr>, String)> {
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

pub(super) fn elements<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |c| c.is_element() && c.tag_name().name() == name)
}

pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    elements(node, name).next()
}

pub(super) fn text_of<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    child(node, "text")?.text().filter(|t| !t.trim().is_empty())
}

pub(super) fn is_logic(name: &str) -> bool {
    matches!(
        name,
        "literalExpression" | "decisionTable" | "context" | "list" | "relation" | "conditional"
    )
}

pub(super) fn requirements<'a, 'i>(decision: Node<'a, 'i>) -> impl Iterator<Item = (Node<'a, 'i>, String)> {
    elements(decision, "informationRequirement")
        .flat_map(|r| r.children().filter(Node::is_element).collect::<Vec<_>>())
        .filter(|n| matches!(n.tag_name().name(), "requiredInput" | "requiredDecision"))
        .map(|n| (n, n.attribute("href").unwrap_or("").trim_start_matches('#').to_owned()))
}

pub(super) fn needs(decision: Node<'_, '_>) -> Vec<String> {
    requirements(decision).map(|(_, need)| need).collect()
}

pub(super) fn identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 60
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
