//! `listMethods` and `allowedMethods` (PR-MREST section 4). The annexes of the specification contradict each other:
//! real servers and clients use the form of Annex B, tools made from the OpenAPI description in Annex A expect another.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::is_reserved;
use crate::model::{
    identifier::ServiceId,
    rights::{Methods, Pattern},
};

/// How a service is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// By its base URL only.
    Rest,
    /// By an OpenAPI document.
    OpenApi,
}

impl ServiceKind {
    /// As lists write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "REST",
            Self::OpenApi => "OPENAPI",
        }
    }
}

/// A method, or all of them, on the paths of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Which methods. Lists have a line for each.
    pub methods: Methods,
    /// Which paths: `/pet/*`.
    pub path: Pattern,
}

impl Endpoint {
    /// The endpoint `* **` that every service has.
    fn is_base(&self) -> bool {
        self.methods == Methods::Any && self.path.as_str() == "**"
    }
}

/// A service with its endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEntry {
    /// Which.
    pub id: ServiceId,
    /// How it is described.
    pub kind: ServiceKind,
    /// Its endpoints; for `allowedMethods` those that the caller may call.
    pub endpoints: Vec<Endpoint>,
}

/// Which form a client expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MethodsShape {
    /// `{"service":[{"member_class":…}]}`: PR-MREST Annex B, and what X-Road answers.
    #[default]
    Service,
    /// `{"member":[{"memberClass":…}]}`: PR-MREST Annex A.
    Member,
    /// As [`MethodsShape::Member`], in GovStack's words.
    GovStack,
}

/// The list in one form. Metaservices and base endpoints are not in it (PR-MREST section 4).
pub fn methods_json(services: &[ServiceEntry], shape: MethodsShape) -> String {
    let services: Vec<Value> = services
        .iter()
        .filter(|service| !is_reserved(&service.id.code))
        .map(|service| entry(service, shape))
        .collect();
    match shape {
        MethodsShape::Service => json!({ "service": services }),
        MethodsShape::Member | MethodsShape::GovStack => json!({ "member": services }),
    }
    .to_string()
}

fn entry(service: &ServiceEntry, shape: MethodsShape) -> Value {
    let ServiceId { provider, code } = &service.id;
    let (instance, class) = (provider.member.instance.as_str(), provider.member.class.as_str());
    let (member, subsystem) = (provider.member.code.as_str(), provider.code.as_str());
    let (code, kind) = (code.as_str(), service.kind.as_str());
    let endpoints: Vec<Value> = service
        .endpoints
        .iter()
        .filter(|endpoint| !endpoint.is_base())
        .flat_map(|endpoint| {
            endpoint
                .methods
                .names()
                .into_iter()
                .map(|name| (name, endpoint.path.as_str()))
        })
        .map(|(method, path)| json!({"method": method, "path": path}))
        .collect();
    match shape {
        MethodsShape::Service => json!({
            "member_class": class,
            "member_code": member,
            "object_type": "SERVICE",
            "service_code": code,
            "service_type": kind,
            "subsystem_code": subsystem,
            "xroad_instance": instance,
            "endpoint_list": endpoints,
        }),
        MethodsShape::Member => json!({
            "objectType": {"object_type": "SERVICE"},
            "serviceType": kind,
            "xRoadInstance": instance,
            "memberClass": class,
            "memberCode": member,
            "subsystemCode": subsystem,
            "serviceCode": code,
            "endpointList": {"member": endpoints},
        }),
        MethodsShape::GovStack => json!({
            "objectType": "SERVICE",
            "serviceType": kind,
            "instanceId": instance,
            "memberClass": class,
            "memberCode": member,
            "applicationCode": subsystem,
            "serviceCode": code,
            "endpointList": {"member": endpoints},
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Method;

    fn example() -> Vec<ServiceEntry> {
        let endpoint = |methods, path: &str| Endpoint {
            methods,
            path: path.parse().expect(path),
        };
        let entry = |id: &str, endpoints| ServiceEntry {
            id: id.parse().expect(id),
            kind: ServiceKind::OpenApi,
            endpoints,
        };
        vec![
            entry(
                "VN/GOV/G22/dvcqg/pets",
                vec![
                    endpoint(Methods::Any, "**"),
                    endpoint(Methods::of([Method::Get]), "/pet/*"),
                    endpoint(Methods::Any, "/store"),
                ],
            ),
            entry("VN/GOV/G22/dvcqg/getOpenAPI", vec![endpoint(Methods::Any, "/x")]),
        ]
    }

    #[test]
    fn the_form_of_real_servers_is_that_of_annex_b() {
        assert_eq!(
            methods_json(&example(), MethodsShape::Service),
            r#"{"service":[{"member_class":"GOV","member_code":"G22","object_type":"SERVICE","service_code":"pets","service_type":"OPENAPI","subsystem_code":"dvcqg","xroad_instance":"VN","endpoint_list":[{"method":"GET","path":"/pet/*"},{"method":"*","path":"/store"}]}]}"#
        );
    }

    #[test]
    fn the_other_forms_have_member() {
        assert_eq!(
            methods_json(&example(), MethodsShape::Member),
            r#"{"member":[{"objectType":{"object_type":"SERVICE"},"serviceType":"OPENAPI","xRoadInstance":"VN","memberClass":"GOV","memberCode":"G22","subsystemCode":"dvcqg","serviceCode":"pets","endpointList":{"member":[{"method":"GET","path":"/pet/*"},{"method":"*","path":"/store"}]}}]}"#
        );
        let govstack = methods_json(&example(), MethodsShape::GovStack);
        assert!(
            govstack.starts_with(r#"{"member":[{"objectType":"SERVICE","serviceType":"OPENAPI","instanceId":"VN","#)
        );
        assert!(govstack.contains(r#""applicationCode":"dvcqg""#));
    }
}
