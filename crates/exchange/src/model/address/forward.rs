//! The dialect of the adapter in front of VDXP, as one-stop software in use speaks it (reference 8.3):
//! `/XrdAdapter/RestService/forward/mapi/login?dstcode=VN:GOV:000.00.00.G22:vpcpdvcprovider&providerurl=https://…`.
//!
//! `dstcode` names the subsystem. `providerurl` says where its sender believes the provider to be: a node that followed
//! it would fetch any address for anybody (SSRF), and a provider that saw it might. So it chooses nothing and goes no
//! further. Which service of the subsystem is meant, the dialect does not say; a [`ServiceRule`] does.

use std::collections::BTreeMap;

use super::{Target, bad, parameters, path::ServicePath, split_query};
use crate::model::{
    error::{ErrorCode, Refusal},
    identifier::{Part, ServiceId, SubsystemId},
    reason::reasons,
};

const PREFIXES: [&str; 2] = ["/XrdAdapter/RestService/forward", "/VXPAdapter/RestService/forward"];

reasons! {
    /// Why a target of the adapter's dialect leads nowhere.
    pub enum ForwardFlaw {
        NoDestination = "dstcode-missing",
            "Thiếu tham số dstcode: dstcode=VN:GOV:<mã định danh>:<hệ thống>.",
            "The parameter dstcode is missing: dstcode=VN:GOV:<member code>:<subsystem>.";
        TwoDestinations = "dstcode-twice",
            "Tham số dstcode xuất hiện nhiều lần; chỉ gửi một.",
            "The parameter dstcode stands more than once; send one.";
        NoService = "forward-no-service",
            "Sau /forward/ phải có đường dẫn; đoạn đầu của đường dẫn là mã dịch vụ.",
            "After /forward/ comes a path; its first segment is the service code.";
    }
}

/// How the service code of a call is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ServiceRule {
    /// The first segment of the path: `mapi/login` is the path `/login` of the service `mapi`.
    #[default]
    FirstSegment,
    /// All paths of the subsystem belong to one service and stay whole: `mapi/login` is the path `/mapi/login` of it.
    Whole(Part),
}

/// The rules of a node: one for all, and others for certain subsystems.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForwardRules {
    /// Where nothing else is said.
    pub default: ServiceRule,
    /// For these subsystems.
    pub of: BTreeMap<SubsystemId, ServiceRule>,
}

/// What follows the adapter's prefix.
pub(super) fn after_prefix(raw: &[u8]) -> Option<&[u8]> {
    PREFIXES
        .iter()
        .find_map(|prefix| raw.strip_prefix(prefix.as_bytes()))
        .filter(|rest| matches!(rest.first(), None | Some(b'/' | b'?')))
}

impl ForwardRules {
    /// Reads what follows the prefix.
    pub(super) fn read(&self, rest: &[u8]) -> Result<Target, Refusal> {
        let (path, query) = split_query(rest)?;
        let path = ServicePath::parse(path).map_err(bad)?;
        let (destination, query) = destination(query.as_deref().unwrap_or_default())?;
        let (code, path) = match self.of.get(&destination).unwrap_or(&self.default) {
            ServiceRule::Whole(code) => (code.clone(), path),
            ServiceRule::FirstSegment => {
                let (code, path) = path
                    .split_first()
                    .filter(|(code, _)| !code.is_empty())
                    .ok_or_else(|| bad(ForwardFlaw::NoService))?;
                (Part::from_segment(code.as_bytes()).map_err(bad)?, path)
            }
        };
        let service = ServiceId {
            provider: destination,
            code,
        };
        Ok(Target::of(service, path, query))
    }
}

/// The subsystem that `dstcode` names, and the query without the adapter's own parameters.
fn destination(query: &str) -> Result<(SubsystemId, Option<String>), Refusal> {
    let at_query = |reason: ForwardFlaw| Refusal::at(ErrorCode::BadRequest, "dstcode", reason);
    let (mut destination, mut others) = (None, Vec::new());
    for parameter in parameters(query) {
        match parameter.name.to_ascii_lowercase().as_str() {
            "dstcode" if destination.is_some() => return Err(at_query(ForwardFlaw::TwoDestinations)),
            "dstcode" => destination = Some(parameter.value),
            "providerurl" => {}
            _ => others.push(parameter.raw),
        }
    }
    let destination = destination.ok_or_else(|| at_query(ForwardFlaw::NoDestination))?;
    let destination = SubsystemId::from_dstcode(&destination)
        .map_err(|reason| Refusal::at(ErrorCode::BadRequest, "dstcode", reason))?;
    Ok((destination, (!others.is_empty()).then(|| others.join("&"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::address::{Dialect, read};

    fn target(raw: &str, rules: &ForwardRules) -> String {
        let (dialect, target) = read(raw.as_bytes(), rules).expect(raw);
        assert_eq!(dialect, Dialect::Adapter);
        target.to_string()
    }

    fn code_of(raw: &str) -> String {
        let refusal = read(raw.as_bytes(), &ForwardRules::default()).expect_err(raw);
        refusal
            .problems()
            .iter()
            .next()
            .map(|p| p.code.clone())
            .expect("a problem")
    }

    #[test]
    fn calls_seen_in_the_wild_lead_to_their_service() {
        // Reference 8.3.
        let rules = ForwardRules::default();
        assert_eq!(
            target(
                "/XrdAdapter/RestService/forward/mapi/login?dstcode=VN:GOV:000.00.00.G22:vpcpdvcprovider",
                &rules
            ),
            "/r1/VN/GOV/000.00.00.G22/vpcpdvcprovider/mapi/login"
        );
        assert_eq!(
            target(
                "/VXPAdapter/RestService/forward/bndp/public/v1/login?dstcode=VN%3AGOV%3A000.00.00.G22%3Avpcpdvcprovider\
                 &providerurl=https%3A%2F%2Fapi.example.vn",
                &rules
            ),
            "/r1/VN/GOV/000.00.00.G22/vpcpdvcprovider/bndp/public/v1/login"
        );
        assert_eq!(
            target(
                "/XrdAdapter/RestService/forward/service/vpcp/viewbill?token=MjAy&dstcode=VN:COM:0106001236:PaymentSvc\
                 &providerurl=http://10.0.0.41:8083/&b=[2]",
                &rules
            ),
            "/r1/VN/COM/0106001236/PaymentSvc/service/vpcp/viewbill?token=MjAy&b=[2]"
        );
    }

    #[test]
    fn providerurl_is_nowhere_afterwards_however_it_is_written() {
        for name in ["providerurl", "ProviderUrl", "provider%75rl", "%70roviderurl"] {
            let raw = format!(
                "/XrdAdapter/RestService/forward/a?{name}=http://169.254.169.254/&dstcode=VN:GOV:G22:x&{name}=2"
            );
            assert_eq!(target(&raw, &ForwardRules::default()), "/r1/VN/GOV/G22/x/a");
        }
    }

    #[test]
    fn a_subsystem_may_have_one_service_for_all_paths() {
        let subsystem = SubsystemId::from_dstcode("VN:GOV:G22:x").expect("a subsystem");
        let whole = ServiceRule::Whole(Part::new("all").expect("a code"));
        let rules = ForwardRules {
            default: ServiceRule::FirstSegment,
            of: [(subsystem, whole)].into(),
        };
        assert_eq!(
            target(
                "/XrdAdapter/RestService/forward/mapi/login?dstcode=VN:GOV:G22:x",
                &rules
            ),
            "/r1/VN/GOV/G22/x/all/mapi/login"
        );
        assert_eq!(
            target(
                "/XrdAdapter/RestService/forward/mapi/login?dstcode=VN:GOV:G22:y",
                &rules
            ),
            "/r1/VN/GOV/G22/y/mapi/login"
        );
    }

    #[test]
    fn what_names_no_service_is_refused() {
        let prefix = "/XrdAdapter/RestService/forward";
        for (rest, code) in [
            ("/a", "dstcode-missing"),
            ("/a?VN%3AGOV%3AG22%3Ax", "dstcode-missing"),
            ("/a?dstcode=VN:GOV:G22:x&dstcode=VN:GOV:G22:y", "dstcode-twice"),
            ("/a?dstcode=VN:GOV:G22:x&DSTCODE=VN:GOV:G22:y", "dstcode-twice"),
            ("/a?dstcode=VN:GOV:G22", "dstcode-form"),
            ("/a?dstcode=", "identifier-empty"),
            ("?dstcode=VN:GOV:G22:x", "forward-no-service"),
            ("/?dstcode=VN:GOV:G22:x", "forward-no-service"),
            ("//a?dstcode=VN:GOV:G22:x", "path-empty-segment"),
            ("/a/%2e%2e/b?dstcode=VN:GOV:G22:x", "path-dot-segment"),
            ("/a:b?dstcode=VN:GOV:G22:x", "identifier-separator"),
            ("ed/a?dstcode=VN:GOV:G22:x", "protocol-version-missing"),
        ] {
            assert_eq!(code_of(&format!("{prefix}{rest}")), code, "{rest}");
        }
    }
}
