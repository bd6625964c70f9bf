//! What the exchange says about itself: members, services, descriptions (X-Road PR-META, PR-MREST; reference 1.7), and
//! the same for GovStack (`GovStack_IM_Directory_Services_API.yaml`).

mod clients;
mod methods;
mod openapi;

pub use clients::{ClientEntry, clients_govstack, clients_json, clients_xml};
pub use methods::{Endpoint, MethodsShape, ServiceEntry, ServiceKind, methods_json};
pub use openapi::{OpenApiFlaw, anonymise, not_openapi, requested_service, unreadable};

use super::identifier::Part;

/// The media type of JSON answers of metaservices.
pub const JSON_TYPE: &str = "application/json;charset=utf-8";
/// The media type of `listClients` when JSON is not accepted.
pub const XML_TYPE: &str = "text/xml;charset=utf-8";

/// A service that every node answers itself. Its codes are reserved, no right is needed, and no list has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metaservice {
    /// All services of a subsystem.
    ListMethods,
    /// Those that the caller may call.
    AllowedMethods,
    /// The description of one.
    GetOpenApi,
}

impl Metaservice {
    /// The one of this code.
    pub fn of(code: &Part) -> Option<Self> {
        match code.as_str() {
            "listMethods" => Some(Self::ListMethods),
            "allowedMethods" => Some(Self::AllowedMethods),
            "getOpenAPI" => Some(Self::GetOpenApi),
            _ => None,
        }
    }
}

/// Whether no provider may call a service so: X-Road's metaservices, those of SOAP too. The built-in
/// services beside them are `crate::BUILT_IN`.
pub fn is_reserved(code: &Part) -> bool {
    const RESERVED: [&str; 7] = [
        "listMethods",
        "allowedMethods",
        "getOpenAPI",
        "getWsdl",
        "getSecurityServerMetrics",
        "getSecurityServerOperationalData",
        "getSecurityServerHealthData",
    ];
    RESERVED.contains(&code.as_str())
}

/// Names in the archive of `GET /verificationconf`: what a verifier needs offline, as X-Road's tools expect it.
pub mod verificationconf {
    use crate::model::identifier::Part;

    /// The file that has the code of the own instance.
    pub const INSTANCE: &str = "verificationconf/instance-identifier";

    /// The file that has the shared parameters of an instance.
    pub fn shared_params(instance: &Part) -> String {
        format!("verificationconf/{instance}/shared-params.xml")
    }

    /// The file that says in which version of X-Road's format they are.
    pub fn metadata(instance: &Part) -> String {
        format!("{}.metadata", shared_params(instance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metaservices_have_reserved_codes() {
        for (code, service) in [
            ("listMethods", Some(Metaservice::ListMethods)),
            ("getOpenAPI", Some(Metaservice::GetOpenApi)),
            ("getWsdl", None),
        ] {
            let code = Part::new(code).expect(code);
            assert_eq!(Metaservice::of(&code), service);
            assert!(is_reserved(&code));
        }
        assert!(
            !is_reserved(&Part::new("getopenapi").expect("a code")),
            "codes are case-sensitive"
        );
    }

    #[test]
    fn the_archive_is_named_as_x_road_names_it() {
        let instance = Part::new("VN").expect("an instance");
        assert_eq!(
            verificationconf::shared_params(&instance),
            "verificationconf/VN/shared-params.xml"
        );
    }
}
