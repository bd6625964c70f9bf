//! What members say to the operator, sealed by their keys.

use base::{Problems, Text, Timestamp, codes::CodeError};
use serde::{Deserialize, Serialize};
use trust::{CertificateRequest, Explained, KeyId, PublicKey};
use uuid::Uuid;

use super::super::{
    anchors::certified,
    refusal::Refusal,
    seal::{Document, Key, Sealed},
};
use crate::model::{
    federation::{Description, Member, Service, Subsystem},
    identifier::{MemberId, Part},
    message::LogName,
    meta::{ServiceKind, is_reserved},
};

/// How old an application or a question may be when it comes, in seconds.
const LONGEST_WAY: i64 = 86_400;
/// How far the applicant's clock may be ahead, in seconds.
const SKEW: i64 = 600;
/// Longest name of anything, in characters.
const LONGEST_NAME: usize = 200;
/// Most subsystems of a member, and most services of a subsystem.
const MOST: usize = 2_000;

/// An application to join, or to add a gateway to a member. Sealed by the key that is to be certified and by the key of
/// the log, and, to add to a member, by a current key of that member too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Of which federation.
    pub instance: Part,
    /// Which member.
    pub member: MemberId,
    /// Its name.
    pub name: Text,
    /// The code of the gateway within the member.
    pub gateway: Part,
    /// `host:port` of the listener for other nodes.
    pub address: String,
    /// The certificate request, PEM.
    pub request: String,
    /// The origin of the gateway's log.
    pub log: LogName,
    /// The key that signs its checkpoints, under the name of the log.
    pub log_key: Key,
    /// Where the log is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_url: Option<String>,
    /// The code of an invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// When it was signed.
    pub created: Timestamp,
}

impl Document for Application {
    const KIND: &'static str = "membership-application";
}

/// An applicant asks how its application stands. Sealed by the key that is to be certified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Of which federation.
    pub instance: Part,
    /// Which application.
    pub application: Uuid,
    /// When it was signed.
    pub created: Timestamp,
}

impl Document for Question {
    const KIND: &'static str = "membership-question";
}

/// A member changes its own entry. Sealed by a current key of the gateway that it changes, and by the new key of the log
/// when there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryChange {
    /// Of which federation.
    pub instance: Part,
    /// Whose entry.
    pub member: MemberId,
    /// One more than the version of the entry that it changes: so none is taken twice, and none out of order.
    pub version: u64,
    /// All information systems of the member from now on.
    pub subsystems: Vec<Subsystem>,
    /// The gateway that signs.
    pub gateway: GatewayChange,
}

impl Document for EntryChange {
    const KIND: &'static str = "membership-entry";
}

/// What a gateway says of itself from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayChange {
    /// Which.
    pub code: Part,
    /// `host:port` of the listener for other nodes.
    pub address: String,
    /// Where the log is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_url: Option<String>,
    /// A certificate request for a new key, PEM; the old ones stay beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Keys that are believed no more. One must stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retire: Vec<KeyId>,
    /// A new key of the log. Former ones stay, for old messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_key: Option<Key>,
}

/// An application whose signatures stand.
#[derive(Debug, Clone)]
pub struct Proven {
    /// What it says.
    pub application: Application,
    /// Its certificate request.
    pub request: CertificateRequest,
    /// Whether a current key of the member signed too.
    pub endorsed: bool,
}

impl Proven {
    /// Reads an application; `current` are the keys of the member's gateways, none for a new one. Whether it is well
    /// formed is [`Proven::check`].
    ///
    /// # Errors
    /// A damaged document or request, a wrong signature, or one that is missing.
    pub fn read(sealed: &Sealed<Application>, current: &[PublicKey]) -> Result<Self, Problems> {
        let application = sealed.body().clone();
        let request = CertificateRequest::from_pem(&application.request).map_err(|error| at("request", &error))?;
        let tls = node_key(request.spki()).map_err(|refusal| refusal.problems())?;
        let current: Vec<Key> = current.iter().filter_map(|key| Key::of_node(key).ok()).collect();
        let known = [&tls, &application.log_key].into_iter().chain(&current);
        let signers = sealed.signers(known).map_err(|refusal| refusal.problems())?;
        if !signers.contains(&tls.id()) || !signers.contains(&application.log_key.id()) {
            return Err(missing_signature());
        }
        Ok(Self {
            endorsed: current.iter().any(|key| signers.contains(&key.id())),
            application,
            request,
        })
    }

    /// Everything that is wrong with it in itself.
    pub fn check(&self, instance: &Part, now: Timestamp) -> Problems {
        let mut problems = Problems::new();
        let application = &self.application;
        check_instance(instance, &application.instance, &mut problems);
        if application.member.instance != *instance {
            problems.add(
                "member-instance",
                "member",
                format!("{} không thuộc liên thông {instance}.", application.member),
                format!("{} is not of the federation {instance}.", application.member),
            );
        }
        match certified(&application.member) {
            Ok(member) if self.request.member() == Some(&member) => {}
            Ok(_) => problems.add(
                "request-other-member",
                "request",
                "Yêu cầu cấp chứng thư ghi tên một thành viên khác với đơn.",
                "The certificate request names another member than the application.",
            ),
            Err(_) => problems.add(
                "member-characters",
                "member",
                "Mã thành viên chỉ gồm chữ cái không dấu, chữ số, dấu chấm, gạch dưới và gạch nối; mỗi phần tối đa 64 ký tự.",
                "A member's id has letters without marks, digits, dots, underscores and hyphens; at most 64 in each part.",
            ),
        }
        check_name(&application.name, "name", &mut problems);
        check_code(&application.gateway, "gateway", &mut problems);
        check_address(&application.address, "address", &mut problems);
        let host = host_of(&application.address).unwrap_or_default();
        if !self
            .request
            .hosts()
            .iter()
            .any(|named| named.eq_ignore_ascii_case(host))
        {
            problems.add(
                "request-other-host",
                "address",
                format!("Yêu cầu cấp chứng thư không có tên máy {host}."),
                format!("The certificate request does not name the host {host}."),
            );
        }
        if application.log_key.verifier().name() != application.log.as_str() {
            log_key_name(application.log.as_str(), "log_key", &mut problems);
        }
        if let Some(url) = &application.log_url {
            check_url(url, "log_url", &mut problems);
        }
        check_time(application.created, now, &mut problems);
        problems
    }
}

impl Question {
    /// Whether a question is signed by the key of its application, and fresh.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(sealed: &Sealed<Self>, key: &PublicKey, instance: &Part, now: Timestamp) -> Result<(), Problems> {
        let key = node_key(key.spki()).map_err(|refusal| refusal.problems())?;
        let signers = sealed.signers([&key]).map_err(|refusal| refusal.problems())?;
        if signers.is_empty() {
            return Err(missing_signature());
        }
        let mut problems = Problems::new();
        check_instance(instance, &sealed.body().instance, &mut problems);
        check_time(sealed.body().created, now, &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl EntryChange {
    /// Whether a current key of the gateway signed it. `current` are those keys.
    ///
    /// # Errors
    /// A wrong signature, or one that is missing.
    pub fn prove(sealed: &Sealed<Self>, current: &[PublicKey]) -> Result<(), Problems> {
        let current: Vec<Key> = current.iter().filter_map(|key| Key::of_node(key).ok()).collect();
        let log_key = sealed.body().gateway.log_key.as_ref();
        let signers = sealed
            .signers(current.iter().chain(log_key))
            .map_err(|refusal| refusal.problems())?;
        let by_gateway = current.iter().any(|key| signers.contains(&key.id()));
        if by_gateway && log_key.is_none_or(|key| signers.contains(&key.id())) {
            Ok(())
        } else {
            Err(missing_signature())
        }
    }

    /// The entry after the change, without a new key of TLS, which has to be certified first.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn apply(&self, member: &Member) -> Result<Member, Problems> {
        let mut problems = Problems::new();
        let mut changed = member.clone();
        check_subsystems(member, &self.subsystems, &mut problems);
        check_address(&self.gateway.address, "gateway.address", &mut problems);
        if let Some(url) = &self.gateway.log_url {
            check_url(url, "gateway.log_url", &mut problems);
        }
        changed.subsystems.clone_from(&self.subsystems);
        match changed
            .gateways
            .iter_mut()
            .find(|gateway| gateway.code == self.gateway.code)
        {
            Some(gateway) => {
                gateway.address.clone_from(&self.gateway.address);
                gateway.log_url.clone_from(&self.gateway.log_url);
                for key in &self.gateway.retire {
                    if !gateway.keys.contains(key) {
                        problems.add(
                            "key-unknown",
                            "gateway.retire",
                            format!("Cổng không có khóa {key}."),
                            format!("The gateway has no key {key}."),
                        );
                    }
                }
                gateway.keys.retain(|key| !self.gateway.retire.contains(key));
                if gateway.keys.is_empty() && self.gateway.request.is_none() {
                    problems.add(
                        "key-last",
                        "gateway.retire",
                        "Cổng phải còn ít nhất một khóa. Hãy thêm khóa mới trước.",
                        "A gateway keeps at least one key. Add a new one first.",
                    );
                }
                if let Some(key) = &self.gateway.log_key {
                    if key.verifier().name() != gateway.log.as_str() {
                        log_key_name(gateway.log.as_str(), "gateway.log_key", &mut problems);
                    }
                    let text = key.verifier().to_string();
                    if !gateway.log_keys.contains(&text) {
                        gateway.log_keys.push(text);
                    }
                }
            }
            None => problems.add(
                "gateway-unknown",
                "gateway.code",
                format!("{} không có cổng {}.", member.id, self.gateway.code),
                format!("{} has no gateway {}.", member.id, self.gateway.code),
            ),
        }
        if problems.is_empty() {
            Ok(changed)
        } else {
            Err(problems)
        }
    }
}

fn check_subsystems(member: &Member, subsystems: &[Subsystem], problems: &mut Problems) {
    let many = subsystems.len() > MOST || subsystems.iter().any(|subsystem| subsystem.services.len() > MOST);
    if many {
        problems.add(
            "too-many",
            "subsystems",
            format!("Tối đa {MOST} hệ thống, và {MOST} dịch vụ trong mỗi hệ thống."),
            format!("At most {MOST} subsystems, and {MOST} services in each."),
        );
        return;
    }
    for (n, subsystem) in subsystems.iter().enumerate() {
        let at = format!("subsystems.{n}");
        check_code(&subsystem.code, &format!("{at}.code"), problems);
        check_name(&subsystem.name, &format!("{at}.name"), problems);
        let mut codes = std::collections::BTreeSet::new();
        for (n, service) in subsystem.services.iter().enumerate() {
            let at = format!("{at}.services.{n}");
            if !codes.insert(&service.code) {
                problems.add(
                    "service-twice",
                    &at,
                    format!("Có hai dịch vụ cùng mã {}.", service.code),
                    format!("There are two services {}.", service.code),
                );
            }
            check_service(member, service, &at, problems);
        }
    }
}

fn check_service(member: &Member, service: &Service, at: &str, problems: &mut Problems) {
    check_code(&service.code, &format!("{at}.code"), problems);
    check_name(&service.name, &format!("{at}.name"), problems);
    if is_reserved(&service.code) {
        problems.add(
            "service-reserved",
            format!("{at}.code"),
            format!("Mã {} dành cho chính trục liên thông.", service.code),
            format!("The code {} is reserved for the exchange itself.", service.code),
        );
    }
    match (service.kind, &service.description) {
        (ServiceKind::OpenApi, None) | (ServiceKind::Rest, Some(_)) => problems.add(
            "service-description",
            format!("{at}.description"),
            "Dịch vụ loại OpenAPI phải có tài liệu mô tả; dịch vụ loại REST thì không.",
            "A service of kind OpenAPI has a description; one of kind REST has none.",
        ),
        _ => {}
    }
    let unknown = |code: &&Part| !member.gateways.iter().any(|gateway| gateway.code == **code);
    for code in service.gateways.iter().filter(unknown) {
        problems.add(
            "gateway-unknown",
            format!("{at}.gateways"),
            format!("{} không có cổng {code}.", member.id),
            format!("{} has no gateway {code}.", member.id),
        );
    }
}

/// Whether a document is the OpenAPI 3 that a service says.
///
/// # Errors
/// The reasons against it, at its hash.
pub fn check_document(description: &Description, document: &[u8]) -> Result<(), CodeError> {
    let json: serde_json::Value = serde_json::from_slice(document).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let said = (text(&json["info"]["title"]), text(&json["info"]["version"]));
    if text(&json["openapi"]).starts_with("3.")
        && said == (description.title.clone(), description.version.clone())
        && description.bytes == document.len() as u64
    {
        return Ok(());
    }
    Err(CodeError::new(
        "openapi-other",
        "Tài liệu không phải OpenAPI 3 dạng JSON, hoặc tên, phiên bản, độ dài không khớp với mô tả.",
        "The document is no OpenAPI 3 in JSON, or its title, version or length is not what the description says.",
    ))
}

/// The key of a node, as it seals.
pub fn node_key(spki: &[u8]) -> Result<Key, Refusal> {
    let public = PublicKey::from_spki(spki)?;
    Key::of_node(&public).map_err(|_| Refusal::Malformed("key"))
}

fn at(place: &str, error: &impl Explained) -> Problems {
    let text = error.text();
    let mut problems = Problems::new();
    problems.add(error.code(), place, text.vi, text.en);
    problems
}

fn missing_signature() -> Problems {
    let mut problems = Problems::new();
    problems.add(
        "signature-missing",
        "",
        "Văn bản thiếu chữ ký của khóa TLS, của khóa nhật ký, hoặc của khóa hiện tại của cổng.",
        "The document is not signed by the key of TLS, the key of the log, or a current key of the gateway.",
    );
    problems
}

fn check_instance(expected: &Part, found: &Part, problems: &mut Problems) {
    if expected != found {
        problems.add(
            "application-other-instance",
            "instance",
            format!("Văn bản này gửi cho liên thông {found}; đây là liên thông {expected}."),
            format!("This was meant for the federation {found}; this is {expected}."),
        );
    }
}

fn check_name(name: &Text, place: &str, problems: &mut Problems) {
    let bad = |text: &str| text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control);
    if name.vi.trim().is_empty() || bad(&name.vi) || bad(&name.en) {
        problems.add(
            "name",
            place,
            format!("Tên không được để trống và dài tối đa {LONGEST_NAME} ký tự."),
            format!("A name is not empty, and has at most {LONGEST_NAME} characters."),
        );
    }
}

fn check_code(code: &Part, place: &str, problems: &mut Problems) {
    if !code.is_portable() || LogName::new(code.as_str()).is_err() {
        problems.add(
            "code-characters",
            place,
            format!("Mã {code} chỉ được gồm chữ cái không dấu, chữ số, dấu chấm và gạch nối."),
            format!("The code {code} has letters without marks, digits, dots and hyphens only."),
        );
    }
}

/// The host of `host:port`, without the brackets of IPv6.
pub fn host_of(address: &str) -> Option<&str> {
    let (host, port) = address.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bare.unwrap_or(host);
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-') || (bare.is_some() && b == b':');
    (!host.is_empty() && host.bytes().all(known)).then_some(host)
}

fn check_address(address: &str, place: &str, problems: &mut Problems) {
    if host_of(address).is_none() {
        problems.add(
            "address",
            place,
            "Địa chỉ cổng phải có dạng máy:cổng, ví dụ exchange.example.gov.vn:5500.",
            "The address of a gateway is host:port, such as exchange.example.gov.vn:5500.",
        );
    }
}

fn check_url(url: &str, place: &str, problems: &mut Problems) {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fits = rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()));
    if !fits || url.len() > 500 {
        problems.add(
            "url",
            place,
            "Địa chỉ phải bắt đầu bằng http:// hoặc https://.",
            "The address begins with http:// or https://.",
        );
    }
}

fn log_key_name(log: &str, place: &str, problems: &mut Problems) {
    problems.add(
        "log-key",
        place,
        format!("Khóa nhật ký phải mang tên {log}."),
        format!("The key of the log is named {log}."),
    );
}

fn check_time(created: Timestamp, now: Timestamp, problems: &mut Problems) {
    if created > now.plus_seconds(SKEW) || created < now.plus_seconds(-LONGEST_WAY) {
        problems.add(
            "application-time",
            "created",
            format!(
                "Văn bản được ký lúc {}, quá xa giờ hiện tại. Hãy chỉnh đồng hồ và ký lại.",
                created.display()
            ),
            format!("This was signed at {created}, too far from now. Set the clock and sign again."),
        );
    }
}
