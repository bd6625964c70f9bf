//! Which elements a package may use, and how they may hang together.

use std::collections::BTreeMap;

use roxmltree::Node;

use super::{Guard, MAX_NESTING, elements::needs};

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

impl Guard<'_, '_> {
    /// Every element must be of the profile, not too deep, and in FEEL.
    pub(super) fn elements(&mut self, root: Node<'_, '_>) {
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
    pub(super) fn order(&mut self, decisions: &BTreeMap<String, (Node<'_, '_>, String)>) -> Option<Vec<String>> {
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
}
