//! `getOpenAPI` (PR-MREST section 5, reference 1.7): the description of a service, without the addresses behind it.

use base::codes::CodeError;
use serde_json::Value;

use crate::model::{
    address::parameters,
    error::{ErrorCode, Refusal},
    identifier::{Part, ServiceId},
    reason::reasons,
};

reasons! {
    /// Why a description cannot be shown.
    pub enum OpenApiFlaw {
        NotJson = "openapi-not-json",
            "Mô tả dịch vụ không phải là đối tượng JSON.",
            "The description of the service is no JSON object.";
        Version = "openapi-version",
            "Mô tả dịch vụ phải theo OpenAPI 3.",
            "The description of the service has to be OpenAPI 3.";
        ServerUrl = "openapi-server-url",
            "Mô tả dịch vụ có địa chỉ máy chủ không hợp lệ.",
            "The description of the service has a malformed server URL.";
        ServiceCode = "service-code-missing",
            "Thiếu tham số serviceCode: getOpenAPI?serviceCode=hoso.",
            "The parameter serviceCode is missing: getOpenAPI?serviceCode=hoso.";
    }
}

/// The service that `getOpenAPI?serviceCode=…` asks for.
///
/// # Errors
/// [`Refusal`] with [`ErrorCode::InvalidRequest`].
pub fn requested_service(query: Option<&str>) -> Result<Part, Refusal> {
    let bad = |reason: CodeError| Refusal::at(ErrorCode::InvalidRequest, "serviceCode", reason);
    let value = parameters(query.unwrap_or_default()).find(|p| p.name == "serviceCode");
    let value = value.ok_or_else(|| bad(OpenApiFlaw::ServiceCode.into()))?.value;
    Part::new(&value).map_err(|flaw| bad(flaw.into()))
}

/// The refusal for a service without a description. Clients match the text (xrdinfo).
pub fn not_openapi() -> Refusal {
    let reason = CodeError::new(
        "not-openapi",
        "Dịch vụ loại REST không có mô tả OpenAPI.",
        "Invalid service type: REST",
    );
    Refusal::at(ErrorCode::ServerInternalError, "serviceCode", reason)
}

/// The refusal for a description that cannot be had. Clients match its beginning. X-Road goes on with the URL, which it
/// hides everywhere else; here comes the service.
pub fn unreadable(service: &ServiceId) -> Refusal {
    let reason = CodeError::new(
        "openapi-unreadable",
        format!("Không đọc được mô tả của dịch vụ {service}. Báo bên cung cấp."),
        format!("Failed reading service description from {service}"),
    );
    Refusal::at(ErrorCode::ServerInternalError, "serviceCode", reason)
}

/// The description with the path alone in each `servers[].url`; a URL with variables stays. X-Road does so at the top
/// of the document only; here it is done wherever OpenAPI 3 lets `servers` stand.
///
/// # Errors
/// [`OpenApiFlaw`] when it is no OpenAPI 3 in JSON, or has a URL that is none.
pub fn anonymise(description: &str) -> Result<String, OpenApiFlaw> {
    let mut document: Value = serde_json::from_str(description).map_err(|_| OpenApiFlaw::NotJson)?;
    let root = document.as_object_mut().ok_or(OpenApiFlaw::NotJson)?;
    if root
        .get("openapi")
        .is_some_and(|v| !v.as_str().is_some_and(|v| v.starts_with("3.")))
    {
        return Err(OpenApiFlaw::Version);
    }
    if let Some(Value::Array(servers)) = root.get_mut("servers") {
        for server in servers {
            if let Some(url) = concrete_url(server) {
                *url = path_of(url).ok_or(OpenApiFlaw::ServerUrl)?.to_owned();
            }
        }
    }
    hide_servers(&mut document);
    Ok(document.to_string())
}

/// Path items, operations and links stand in `paths`, `webhooks`, callbacks and components. An example may have a
/// member of that name as well; it does no harm that it loses a host name.
fn hide_servers(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &mut *member) {
                    ("servers", Value::Array(servers)) => servers.iter_mut().for_each(hide),
                    ("server", server @ Value::Object(_)) => hide(server),
                    _ => hide_servers(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_servers),
        _ => {}
    }
}

fn hide(server: &mut Value) {
    if let Some(url) = concrete_url(server) {
        *url = path_of(url).unwrap_or_default().to_owned();
    }
}

/// The URL of a server object, unless it has variables.
fn concrete_url(server: &mut Value) -> Option<&mut String> {
    match server.get_mut("url") {
        Some(Value::String(url)) if !(url.contains('{') && url.contains('}')) => Some(url),
        _ => None,
    }
}

/// The path of a URL or of a relative reference.
fn path_of(url: &str) -> Option<&str> {
    if url.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`')) {
        return None;
    }
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let after_authority = |rest: &'_ str| rest.find('/').unwrap_or(rest.len());
    let authority = url
        .strip_prefix("//")
        .or_else(|| url.split_once("://").map(|(_, rest)| rest));
    Some(match authority {
        Some(rest) => &rest[after_authority(rest)..],
        None => url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(description: &str) -> Value {
        let shown = anonymise(description).expect(description);
        serde_json::from_str::<Value>(&shown).expect("JSON")["servers"].clone()
    }

    #[test]
    fn addresses_are_hidden_as_x_road_hides_them() {
        // Openapi3AnonymiserTest, case by case.
        for (url, shown) in [
            ("https://example.com/api/v1", "/api/v1"),
            ("https://{host}/api/v1", "https://{host}/api/v1"),
            ("https://{host}:{port}/api", "https://{host}:{port}/api"),
            ("https://user@10.0.0.1:8443/a?b#c", "/a"),
            ("https://example.com", ""),
            ("//example.com/a", "/a"),
            ("/v2", "/v2"),
        ] {
            let description =
                serde_json::json!({"openapi": "3.1.0", "servers": [{"url": url}, {"description": "none"}]});
            assert_eq!(servers(&description.to_string())[0]["url"], shown, "{url}");
        }
        assert_eq!(anonymise(r#"{"openapi":"2.0.0"}"#), Err(OpenApiFlaw::Version));
        assert_eq!(
            anonymise(r#"{"openapi":"3.0.0","servers":[{"url":"https://exam ple.com/api"}]}"#),
            Err(OpenApiFlaw::ServerUrl)
        );
        assert_eq!(
            anonymise(r#"{"servers":[{"url":"http://a/b"}]}"#).expect("no version"),
            r#"{"servers":[{"url":"/b"}]}"#
        );
        assert_eq!(anonymise("openapi: 3.0.0"), Err(OpenApiFlaw::NotJson));
        assert_eq!(anonymise("[]"), Err(OpenApiFlaw::NotJson));
    }

    #[test]
    fn no_address_is_left_deeper_down() {
        let description = r#"{"openapi":"3.1.0","paths":{"/a":{"servers":[{"url":"http://10.0.0.1/x"}],"get":{"servers":[{"url":"http://10.0.0.1/y"}],"responses":{"200":{"links":{"l":{"server":{"url":"http://10.0.0.1/z"}}}}}}}}}"#;
        let shown = anonymise(description).expect("OpenAPI 3");
        assert!(!shown.contains("10.0.0.1"), "{shown}");
    }

    #[test]
    fn clients_match_the_texts_of_refusals() {
        assert_eq!(not_openapi().message(), "Invalid service type: REST");
        let service = "VN/GOV/G22/dvcqg/hoso".parse().expect("a service");
        assert!(
            unreadable(&service)
                .message()
                .starts_with("Failed reading service description from")
        );
    }

    #[test]
    fn the_service_code_is_mandatory() {
        assert_eq!(
            requested_service(Some("x=1&serviceCode=listFirms"))
                .expect("a code")
                .as_str(),
            "listFirms"
        );
        for query in [None, Some(""), Some("serviceCode"), Some("serviceCode=a%2Fb")] {
            assert_eq!(
                requested_service(query).expect_err("refused").code(),
                ErrorCode::InvalidRequest
            );
        }
    }
}
