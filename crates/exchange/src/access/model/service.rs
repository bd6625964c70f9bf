//! Services behind this node.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use base::{Problems, Text, codes::CodeError};
use http::{HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize, Serializer};
use url::{Host, Url};
use utoipa::ToSchema;

use super::{
    system::{given, names, note},
    text::{LONG, SHORT, words},
};
use crate::{
    builtin::BuiltIn,
    model::{
        Pointer,
        identifier::{Part, ServiceId, SubsystemId},
        meta::is_reserved,
        tracker::{Place, SubjectRule},
    },
};

/// The longest that a service may take, in seconds.
const LONGEST_TIMEOUT: u32 = 600;
/// Most places of a subject rule.
const MOST_PLACES: usize = 20;
/// The longest key of a service, in characters.
const LONGEST_KEY: usize = 4_000;

/// A service as it is typed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceDraft {
    /// The system that offers it. It cannot be changed later.
    pub provider: String,
    /// Its code within the system. It cannot be changed later.
    pub code: String,
    /// Its name in Vietnamese.
    pub name_vi: String,
    /// Its name in English.
    pub name_en: String,
    /// Where it is: http or https.
    pub url: String,
    /// How long it may take, in seconds, from 1 to 600.
    pub timeout_seconds: String,
    /// Whether its certificate is verified, when its address is https.
    pub verify_certificate: bool,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Why, for callers.
    pub notice: String,
    /// Where the numbers of persons stand in its messages, one place a line; see `read_subjects`.
    pub subjects: String,
    /// What reading it does, in the words of the data tracker.
    pub action: String,
    /// The header in which the service asks a key of this node; empty when it asks none.
    pub credential_header: String,
    /// That key; empty leaves the one that is kept.
    #[schema(value_type = String, write_only)]
    pub credential: Typed,
}

/// A secret as it is typed. It is not shown again, nor logged.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Typed(pub String);

/// Whoever reads it back reads nothing.
impl Serialize for Typed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("")
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed")
    }
}

impl Default for ServiceDraft {
    fn default() -> Self {
        Self {
            provider: String::new(),
            code: String::new(),
            name_vi: String::new(),
            name_en: String::new(),
            url: String::new(),
            timeout_seconds: "60".to_owned(),
            verify_certificate: true,
            disabled: false,
            notice: String::new(),
            subjects: String::new(),
            action: String::new(),
            credential_header: String::new(),
            credential: Typed::default(),
        }
    }
}

/// A service whose fields are in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Which.
    pub id: ServiceId,
    /// Its name.
    pub name: Text,
    /// Where it is.
    pub url: String,
    /// How long it may take, in milliseconds.
    pub timeout_ms: u32,
    /// Whether its certificate is verified.
    pub verify_certificate: bool,
    /// Why it is switched off.
    pub disabled: Option<String>,
    /// Where the numbers of persons stand.
    pub subjects: SubjectRule,
    /// What reading it does.
    pub action: String,
    /// The header of its key, and the key if there is a new one; none when it asks for none.
    pub credential: Option<(HeaderName, Option<HeaderValue>)>,
}

impl ServiceDraft {
    /// Reads every field.
    ///
    /// # Errors
    /// Everything that is wrong, each at its field.
    pub fn read(&self) -> Result<ServiceSpec, Problems> {
        let mut problems = Problems::new();
        let provider = note(self.provider.trim().parse::<SubsystemId>(), "provider", &mut problems);
        let code = note(
            Part::new(self.code.trim()).map_err(CodeError::from),
            "code",
            &mut problems,
        );
        if code
            .as_ref()
            .is_some_and(|code| is_reserved(code) || BuiltIn::of(code).is_some())
        {
            problems.add(
                "reserved-code",
                "code",
                "Mã này dành cho dịch vụ của chính nền tảng trao đổi; chọn mã khác.",
                "This code belongs to a service of the exchange itself; choose another.",
            );
        }
        let name = names(&self.name_vi, &self.name_en, &mut problems);
        let url = note(read_url(&self.url), "url", &mut problems);
        let timeout_ms = self.timeout(&mut problems);
        let disabled = self.disabled.then(|| {
            let required = Some((
                "Ghi lý do tạm ngừng để bên gọi biết, ví dụ thời gian bảo trì.",
                "Say why it is switched off, for callers to read.",
            ));
            words(&self.notice, SHORT, required, "notice", &mut problems)
        });
        let subjects = read_subjects(&self.subjects, "subjects", &mut problems);
        let required = Some((
            "Ghi việc tra cứu này là gì, để người dân đọc trong nhật ký truy cập dữ liệu.",
            "Say what this reads, for people to see in their data tracker.",
        ));
        let action = words(&self.action, SHORT, required, "action", &mut problems);
        let credential = self.credential(&mut problems);
        match (provider, code, url) {
            (Some(provider), Some(code), Some(url)) if problems.is_empty() => Ok(ServiceSpec {
                id: ServiceId { provider, code },
                name,
                url,
                timeout_ms,
                verify_certificate: self.verify_certificate,
                disabled,
                subjects,
                action,
                credential,
            }),
            _ => Err(problems),
        }
    }

    fn credential(&self, problems: &mut Problems) -> Option<(HeaderName, Option<HeaderValue>)> {
        let (name, key) = (self.credential_header.trim(), self.credential.0.trim());
        if name.is_empty() {
            if !key.is_empty() {
                problems.add(
                    "credential-header",
                    "credential_header",
                    "Nhập tên tiêu đề mà dịch vụ đọc khóa, ví dụ X-Api-Key.",
                    "Enter the header in which the service reads the key, such as X-Api-Key.",
                );
            }
            return None;
        }
        let header = HeaderName::try_from(name).ok().filter(may_carry_key);
        if header.is_none() {
            problems.add(
                "credential-header",
                "credential_header",
                "Không dùng được tên tiêu đề này cho khóa. Dùng Authorization hoặc một tên riêng của dịch vụ, ví dụ X-Api-Key.",
                "This header cannot carry a key. Use Authorization or one of the service's own, such as X-Api-Key.",
            );
        }
        let value = Some(key).filter(|key| !key.is_empty()).map(|key| {
            let visible = key.len() <= LONGEST_KEY && key.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
            HeaderValue::try_from(key).ok().filter(|_| visible)
        });
        if value == Some(None) {
            problems.add(
                "credential",
                "credential",
                format!("Khóa có tối đa {LONGEST_KEY} ký tự ASCII in được."),
                format!("A key has at most {LONGEST_KEY} printable ASCII characters."),
            );
        }
        Some((header?, value.flatten()))
    }

    fn timeout(&self, problems: &mut Problems) -> u32 {
        let digits = Some(self.timeout_seconds.trim()).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let seconds = digits.and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
        if !(1..=LONGEST_TIMEOUT).contains(&seconds) {
            problems.add(
                "out-of-range",
                "timeout_seconds",
                format!("Nhập số giây từ 1 đến {LONGEST_TIMEOUT}."),
                format!("Enter a number of seconds from 1 to {LONGEST_TIMEOUT}."),
            );
        }
        seconds.saturating_mul(1_000)
    }
}

/// Headers that say how a message travels, or what the exchange says itself, carry no key.
fn may_carry_key(name: &HeaderName) -> bool {
    const TRAVEL: [HeaderName; 10] = [
        header::HOST,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::TRANSFER_ENCODING,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::EXPECT,
    ];
    let ours = ["x-road-", "x-motcua-"]
        .iter()
        .any(|prefix| name.as_str().starts_with(prefix));
    !ours && !TRAVEL.contains(name)
}

/// The base address of a service.
///
/// Services stand in the agency's own network, so private and loopback addresses are allowed: refusing them would refuse
/// nearly every service there is. What no service of an agency has is refused: addresses of the link, where clouds answer
/// with the keys of the machine, and those of no one machine. A name is only a promise: the gateway judges the address
/// that it resolves to once more by [`is_forbidden_address`], each time that it connects.
fn read_url(text: &str) -> Result<String, CodeError> {
    let refuse = |code, vi: &str, en: &str| Err(CodeError::new(code, vi, en));
    let Ok(url) = Url::parse(text.trim()) else {
        return refuse(
            "url-malformed",
            "Nhập địa chỉ đầy đủ của dịch vụ, ví dụ https://10.1.2.3/api.",
            "Enter the whole address of the service, such as https://10.1.2.3/api.",
        );
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse(
            "url-scheme",
            "Địa chỉ phải bắt đầu bằng http:// hoặc https://.",
            "The address begins with http:// or https://.",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse(
            "url-credentials",
            "Không ghi tên đăng nhập hay mật khẩu vào địa chỉ.",
            "Put no user name or password into the address.",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse(
            "url-query",
            "Địa chỉ gốc không có phần sau “?” hoặc “#”; phần đó do bên gọi gửi.",
            "A base address has nothing behind “?” or “#”: that is for the caller to send.",
        );
    }
    if url.as_str().len() > 1_000 {
        return refuse(
            "too-long",
            "Địa chỉ dài hơn 1000 ký tự.",
            "The address is longer than 1000 characters.",
        );
    }
    let forbidden = match url.host() {
        None => true,
        Some(Host::Ipv4(address)) => is_forbidden_address(address.into()),
        Some(Host::Ipv6(address)) => is_forbidden_address(address.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            matches!(name.as_str(), "metadata" | "instance-data") || name.starts_with("metadata.google.")
        }
    };
    if forbidden {
        return refuse(
            "url-forbidden-address",
            "Địa chỉ này không phải của một dịch vụ: địa chỉ liên kết cục bộ, địa chỉ siêu dữ liệu của máy chủ đám mây, hoặc không chỉ một máy nào.",
            "No service has this address: it is of the link, of a cloud's metadata, or of no one machine.",
        );
    }
    Ok(url.to_string())
}

/// Whether the gateway may never connect to this address for a service: of the link (RFC 3927, RFC 4291 2.5.6, where clouds
/// keep their metadata), the metadata of AWS by IPv6, unspecified, multicast, broadcast. An IPv4 address within an IPv6 one
/// is judged as what it is.
pub fn is_forbidden_address(address: IpAddr) -> bool {
    const AWS_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_multicast() || v4.is_broadcast() || v4.octets()[0] == 0,
        IpAddr::V6(v6) => {
            let embedded = v6.to_ipv4_mapped().or_else(|| match v6.segments() {
                // NAT64 (RFC 6052) and IPv4-compatible addresses.
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] if v6 != Ipv6Addr::LOCALHOST => {
                    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                    Some([a, b, c, d].into())
                }
                _ => None,
            });
            match embedded {
                Some(v4) => is_forbidden_address(v4.into()),
                None => v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified() || v6 == AWS_METADATA,
            }
        }
    }
}

/// Reads a subject rule, one place a line: `path 2`, `query id`, `request /person/id`, `answer /items/*/id`.
pub fn read_subjects(text: &str, at: &str, problems: &mut Problems) -> SubjectRule {
    let mut places = Vec::new();
    for line in words(text, LONG, None, at, problems).lines().filter_map(given) {
        let (kind, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let place = match kind {
            "path" => rest
                .parse::<usize>()
                .ok()
                .filter(|n| (1..=50).contains(n))
                .map(Place::PathSegment),
            "query" => given(rest).map(|name| Place::QueryParameter(name.to_owned())),
            "request" | "answer" => {
                let pointer = note(rest.parse::<Pointer>().map_err(CodeError::from), at, problems);
                let Some(pointer) = pointer else { continue };
                Some(if kind == "request" {
                    Place::Request(pointer)
                } else {
                    Place::Answer(pointer)
                })
            }
            _ => None,
        };
        match place {
            Some(place) => places.push(place),
            None => {
                let shown: String = line.chars().take(80).collect();
                problems.add(
                    "subject-place",
                    at,
                    format!("Không hiểu dòng “{shown}”. Viết: path 2, query id, request /person/id hoặc answer /items/*/id."),
                    format!("The line “{shown}” says nothing. Write: path 2, query id, request /person/id or answer /items/*/id."),
                );
            }
        }
    }
    if places.len() > MOST_PLACES {
        problems.add(
            "too-many",
            at,
            format!("Ghi tối đa {MOST_PLACES} vị trí."),
            format!("Give at most {MOST_PLACES} places."),
        );
    }
    SubjectRule(places)
}

/// A rule as [`read_subjects`] reads it.
pub fn subjects_text(rule: &SubjectRule) -> String {
    let lines: Vec<String> = rule
        .0
        .iter()
        .map(|place| match place {
            Place::PathSegment(n) => format!("path {n}"),
            Place::QueryParameter(name) => format!("query {name}"),
            Place::Request(pointer) => format!("request {pointer}"),
            Place::Answer(pointer) => format!("answer {pointer}"),
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_no_service_has_are_refused_however_they_are_written() {
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://0.0.0.0/",
            "http://0/",
            "http://[::]/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://metadata.google.internal/computeMetadata/v1/",
            "http://METADATA/",
            "http://169.254.169.254./",
            "http://１６９.254.169.254/",
        ] {
            assert_eq!(read_url(url).expect_err(url).code(), "url-forbidden-address", "{url}");
        }
        for (url, code) in [
            ("ftp://10.1.2.3/", "url-scheme"),
            ("file:///etc/passwd", "url-scheme"),
            ("javascript:alert(1)", "url-scheme"),
            ("http://user:pass@10.1.2.3/", "url-credentials"),
            ("http://10.1.2.3/?q=1", "url-query"),
            ("http://10.1.2.3/#x", "url-query"),
            ("10.1.2.3/api", "url-malformed"),
            ("http://", "url-malformed"),
        ] {
            assert_eq!(read_url(url).expect_err(url).code(), code, "{url}");
        }
        for url in [
            "http://10.1.2.3:8080/api",
            "https://dichvu.h57.gov.vn/",
            "http://127.0.0.1:9000/",
            "http://[::1]:80/",
        ] {
            assert!(read_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn subject_rules_are_read_and_written_alike() {
        let mut problems = Problems::new();
        let text = "path 2\nquery id\nrequest /person/id\nanswer /items/*/id";
        let rule = read_subjects(text, "subjects", &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(rule.0.len(), 4);
        assert_eq!(subjects_text(&rule), text);
        for line in ["path 0", "path x", "query", "answer id", "body /a", "<script>"] {
            let mut problems = Problems::new();
            read_subjects(line, "subjects", &mut problems);
            assert_eq!(problems.iter().count(), 1, "{line}");
        }
    }
}
