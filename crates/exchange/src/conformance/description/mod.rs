//! An OpenAPI description, read into what a check needs of it.

mod document;
mod fields;
mod judge;
mod operation;
mod structure;

use std::collections::BTreeSet;

use base::Text;
use serde_json::Value;

pub(super) use document::{is_type, step, types};
pub(super) use fields::{Field, Side};
pub(super) use judge::{Judge, Verdict};
pub(super) use operation::{Content, Operation, Parameter, Place, Response, Statuses};

use self::document::Document;
use super::{report::Finding, rules::Rule, sheet::Sheet};

/// Longest description, in bytes.
pub(super) const LONGEST: usize = 4 * 1024 * 1024;

/// Deepest nesting.
const DEEPEST: usize = 64;

/// A description.
#[derive(Debug)]
pub(super) struct Description {
    document: Document,
    /// The operations that could be read, in the order of the document.
    pub operations: Vec<Operation>,
    /// Every named field and parameter.
    pub fields: Vec<Field>,
    /// Pointers to the schemas that stand by themselves: of components, parameters, bodies and headers.
    pub schemas: BTreeSet<String>,
}

impl Description {
    /// Reads the bytes that a service gave. What is wrong with the structure is written down; what can be read is used.
    ///
    /// # Errors
    /// They are no description at all.
    pub fn read(bytes: &[u8], sheet: &mut Sheet) -> Result<Self, Finding> {
        let refuse = |vi: String, en: String| Err(Finding::at("", Text::new(vi, en)));
        let root: Value = match serde_json::from_slice(bytes) {
            Ok(root) => root,
            Err(error) => {
                return refuse(
                    format!("Bản mô tả không phải là JSON hợp lệ: {error}."),
                    format!("The description is not valid JSON: {error}."),
                );
            }
        };
        if depth(&root) > DEEPEST {
            return refuse(
                format!("Bản mô tả lồng quá {DEEPEST} tầng."),
                format!("The description is nested more than {DEEPEST} deep."),
            );
        }
        let Some(version) = root.get("openapi").and_then(Value::as_str) else {
            return refuse(
                "Tài liệu không có trường openapi nên không phải là bản mô tả OpenAPI 3.".into(),
                "The document has no field `openapi`, so it is no OpenAPI 3 description.".into(),
            );
        };
        sheet.kept(Rule::DescriptionRead);
        let known = ["3.0.", "3.1."].iter().any(|known| version.starts_with(known));
        sheet.judge(Rule::OpenApiVersion, known, "/openapi", || {
            Text::new(
                format!("Phiên bản OpenAPI “{version}” không được hỗ trợ; dùng 3.1."),
                format!("OpenAPI version “{version}” is not supported; use 3.1."),
            )
        });
        let document = Document::new(root);
        structure::check_head(&document, sheet);
        structure::check_references(&document, sheet);
        let operations = operation::read(&document, sheet);
        let (fields, schemas) = fields::collect(&document, &operations);
        Ok(Self {
            document,
            operations,
            fields,
            schemas,
        })
    }

    /// The whole document.
    pub const fn root(&self) -> &Value {
        self.document.root()
    }

    /// What stands at a pointer when references are followed, and where that is.
    pub fn follow(&self, pointer: &str) -> Option<(String, &Value)> {
        self.document.follow(pointer)
    }

    /// The schema that a field mainly has, and where it stands.
    pub fn gist(&self, pointer: &str) -> Option<(String, &Value)> {
        self.document.gist(pointer)
    }

    /// A text of `info`.
    pub fn info(&self, name: &str) -> &str {
        let value = self.root().get("info").and_then(|info| info.get(name));
        value.and_then(Value::as_str).unwrap_or_default()
    }

    /// The properties of an object schema with their pointers, those of `allOf` too; of 500 schemas at most, which is what a
    /// circle of `allOf` comes to.
    pub fn properties(&self, pointer: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.gather_properties(pointer, &mut found, &mut 500);
        found
    }

    fn gather_properties(&self, pointer: &str, found: &mut Vec<(String, String)>, left: &mut usize) {
        let Some((at, schema)) = self.gist(pointer).filter(|_| *left > 0) else {
            return;
        };
        *left -= 1;
        let properties = schema.get("properties").and_then(Value::as_object);
        for name in properties.into_iter().flat_map(|properties| properties.keys()) {
            found.push((name.clone(), format!("{at}/properties/{}", step(name))));
        }
        let parts = schema.get("allOf").and_then(Value::as_array).map_or(0, Vec::len);
        for n in 0..parts {
            self.gather_properties(&format!("{at}/allOf/{n}"), found, left);
        }
    }
}

/// How deep a value is nested.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 1,
    }
}
