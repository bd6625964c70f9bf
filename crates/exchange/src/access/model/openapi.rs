//! Reading an OpenAPI document for what a gateway needs: title, version, endpoints.

use base::{Problems, codes::CodeError};
use serde_json::{Map, Value};

use crate::model::{
    Method,
    meta::{Endpoint, OpenApiFlaw, anonymise},
    rights::{Methods, Pattern},
};

/// Most operations of one document.
const MOST_ENDPOINTS: usize = 2_000;

/// What an OpenAPI document says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenApi {
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// One for each path: its methods, and its template with `*` for each parameter.
    pub endpoints: Vec<Endpoint>,
}

impl OpenApi {
    /// Reads a document in JSON.
    ///
    /// # Errors
    /// Everything that is wrong with it, at `openapi` or at the path: no JSON, no OpenAPI 3, no title, a path that no call
    /// could have.
    pub fn read(document: &[u8]) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let text = str::from_utf8(document).unwrap_or_default();
        anonymise(text).map_err(|flaw| whole(flaw.into()))?;
        let root: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        if !root.contains_key("openapi") {
            return Err(whole(OpenApiFlaw::Version.into()));
        }
        let info = |name: &str| {
            let value = root.get("info").and_then(|info| info.get(name)).and_then(Value::as_str);
            value
                .map(str::trim)
                .filter(|text| !text.is_empty() && text.chars().count() <= 200)
        };
        let (Some(title), Some(version)) = (info("title"), info("version")) else {
            return Err(whole(CodeError::new(
                "openapi-title",
                "Mô tả dịch vụ thiếu info.title hoặc info.version.",
                "The description lacks info.title or info.version.",
            )));
        };
        let mut endpoints = Vec::new();
        for (template, item) in root.get("paths").and_then(Value::as_object).into_iter().flatten() {
            let methods = methods(item);
            if methods == Methods::of([]) {
                continue;
            }
            match pattern(template).parse::<Pattern>() {
                Ok(path) => endpoints.push(Endpoint { methods, path }),
                Err(flaw) => {
                    let text = flaw.text();
                    let shown: String = template.chars().filter(|c| !c.is_control()).take(80).collect();
                    problems.add(
                        flaw.code(),
                        "openapi",
                        format!("Đường dẫn “{shown}”: {}", text.vi),
                        format!("The path “{shown}”: {}", text.en),
                    );
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        match endpoints.len() {
            0 => Err(whole(CodeError::new(
                "openapi-no-paths",
                "Mô tả dịch vụ không có đường dẫn (paths) nào có phương thức.",
                "The description has no paths with operations.",
            ))),
            n if n > MOST_ENDPOINTS => Err(whole(CodeError::new(
                "openapi-too-many",
                format!("Mô tả dịch vụ có hơn {MOST_ENDPOINTS} đường dẫn; chia thành nhiều dịch vụ."),
                format!("The description has more than {MOST_ENDPOINTS} paths; make several services of it."),
            ))),
            _ => Ok(Self {
                title: title.to_owned(),
                version: version.to_owned(),
                endpoints,
            }),
        }
    }
}

/// A reason against the document as a whole.
fn whole(reason: CodeError) -> Problems {
    let mut problems = Problems::new();
    reason.add_to(&mut problems, "openapi");
    problems
}

/// The operations of a path item.
fn methods(item: &Value) -> Methods {
    let known = |name: &String| name.to_ascii_uppercase().parse::<Method>().ok();
    Methods::of(
        item.as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase()))
            .filter_map(known),
    )
}

/// `/pet/{id}/image` as a pattern: `/pet/*/image`. A star of the template itself stays one.
fn pattern(template: &str) -> String {
    let (mut pattern, mut rest) = (String::with_capacity(template.len()), template);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, behind)) = after.split_once('}') else {
            break;
        };
        pattern.push_str(&before.replace('*', "\\*"));
        // Two parameters side by side are still one segment: `**` would be more.
        if !pattern.ends_with('*') || pattern.ends_with("\\*") {
            pattern.push('*');
        }
        rest = behind;
    }
    pattern.push_str(&rest.replace('*', "\\*"));
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<OpenApi, Vec<String>> {
        OpenApi::read(document.as_bytes()).map_err(|problems| problems.iter().map(|p| p.code.clone()).collect())
    }

    #[test]
    fn endpoints_are_the_operations_with_stars_for_parameters() {
        let document = r#"{"openapi":"3.1.0","info":{"title":"Hồ sơ","version":"1.2"},"paths":{
            "/persons/{id}":{"get":{},"parameters":[],"x-note":{},"GET":{}},
            "/a*b/{x}{y}/c.{format}":{"post":{},"delete":{}},"/empty":{"summary":"none"}}}"#;
        let found = read(document).expect("a good document");
        assert_eq!((found.title.as_str(), found.version.as_str()), ("Hồ sơ", "1.2"));
        let lines: Vec<String> = found
            .endpoints
            .iter()
            .map(|e| format!("{} {}", e.methods, e.path))
            .collect();
        assert_eq!(lines, ["GET /persons/*", "DELETE, POST /a\\*b/*/c.*"]);
    }

    #[test]
    fn what_is_no_description_is_refused_under_its_code() {
        let with_paths =
            |paths: &str| format!(r#"{{"openapi":"3.0.3","info":{{"title":"t","version":"1"}},"paths":{paths}}}"#);
        for (document, code) in [
            ("<a/>".to_owned(), "openapi-not-json"),
            ("[]".to_owned(), "openapi-not-json"),
            ("{}".to_owned(), "openapi-version"),
            (r#"{"swagger":"2.0"}"#.to_owned(), "openapi-version"),
            (r#"{"openapi":"2.0"}"#.to_owned(), "openapi-version"),
            (
                r#"{"openapi":"3.1.0","info":{"title":" ","version":"1"}}"#.to_owned(),
                "openapi-title",
            ),
            (with_paths("{}"), "openapi-no-paths"),
            (with_paths(r#"{"pets":{"get":{}}}"#), "pattern-not-absolute"),
            (with_paths(r#"{"/a/../b":{"get":{}}}"#), "pattern-no-such-path"),
            (with_paths(r#"{"/a%2Fb":{"get":{}}}"#), "pattern-no-such-path"),
        ] {
            assert_eq!(read(&document).expect_err(&document), [code], "{document}");
        }
    }
}
