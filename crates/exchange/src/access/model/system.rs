//! Information systems of this node's members.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use base::{Problems, Text, codes::CodeError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text::{SHORT, words};
use crate::model::{
    Purpose,
    hosting::ClientSignIn,
    identifier::{Part, SubsystemId},
};

/// A network in the notation of RFC 4632: `10.1.2.0/24`; a bare address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether an address is in it. An IPv4 address that comes in the clothes of IPv6 (`::ffff:10.1.2.3`) is taken as IPv4.
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (own.to_bits() ^ other.to_bits()) & mask4(self.prefix) == 0,
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits() ^ other.to_bits()) & mask6(self.prefix) == 0,
            _ => false,
        }
    }
}

fn mask4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Network {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let malformed = || {
            CodeError::new(
                "network-malformed",
                format!("“{text}” không phải là địa chỉ mạng; viết như 10.1.2.0/24 hoặc ::1/128."),
                format!("“{text}” is no network; write it like 10.1.2.0/24 or ::1/128."),
            )
        };
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| malformed())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().map_err(|_| malformed())?,
            Some(_) => return Err(malformed()),
            None => most,
        };
        if prefix > most {
            return Err(malformed());
        }
        if prefix == 0 {
            return Err(CodeError::new(
                "network-everybody",
                format!("“{text}” là mọi địa chỉ. Nếu thật sự muốn vậy, chọn “Không kiểm tra”."),
                format!("“{text}” is every address. If that is what you mean, choose “No check”."),
            ));
        }
        let first = match address {
            IpAddr::V4(own) => IpAddr::V4(Ipv4Addr::from_bits(own.to_bits() & mask4(prefix))),
            IpAddr::V6(own) => IpAddr::V6(Ipv6Addr::from_bits(own.to_bits() & mask6(prefix))),
        };
        if first != address {
            return Err(CodeError::new(
                "network-host-bits",
                format!("“{text}” không bắt đầu ở đầu mạng; ý là {first}/{prefix}, hay chỉ {address}?"),
                format!(
                    "“{text}” does not begin where its network begins; is {first}/{prefix} meant, or {address} alone?"
                ),
            ));
        }
        Ok(Self { address, prefix })
    }
}

/// Whether a caller at this address comes from one of the networks of [`ClientSignIn::Networks`]. A network that cannot be
/// read lets nobody in.
pub fn is_from(networks: &[String], address: IpAddr) -> bool {
    networks
        .iter()
        .filter_map(|network| network.parse::<Network>().ok())
        .any(|network| network.has(address))
}

/// How a system signs in, as it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignInDraft {
    /// From certain networks.
    #[default]
    Networks,
    /// By a token, which is shown once.
    Token,
    /// Without any check.
    Open,
}

impl SignInDraft {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Networks, Self::Token, Self::Open];

    /// The name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Networks => "networks",
            Self::Token => "token",
            Self::Open => "open",
        }
    }

    /// The name for people.
    pub fn label(self) -> Text {
        match self {
            Self::Networks => Text::new("Theo địa chỉ mạng", "By network"),
            Self::Token => Text::new("Bằng mã truy cập", "By access token"),
            Self::Open => Text::new("Không kiểm tra", "No check"),
        }
    }

    /// The way of a system.
    pub const fn of(sign_in: &ClientSignIn) -> Self {
        match sign_in {
            ClientSignIn::Networks(_) => Self::Networks,
            ClientSignIn::Token(_) => Self::Token,
            ClientSignIn::Open => Self::Open,
        }
    }
}

/// An information system as it is typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SystemDraft {
    /// Its identifier, `VN/GOV/H57/motcua`. It cannot be changed later.
    pub subsystem: String,
    /// The agency that answers for it (Decision 20/2020/QĐ-TTg).
    pub agency: String,
    /// Its name in Vietnamese.
    pub name_vi: String,
    /// Its name in English.
    pub name_en: String,
    /// How it signs in.
    pub sign_in: SignInDraft,
    /// The networks from which it calls, one a line.
    pub networks: String,
    /// The purpose of its calls, for software that cannot state it.
    pub purpose: String,
    /// The one service to which all its paths belong in the adapter's dialect; empty: the first segment names the service.
    pub whole_service: String,
}

/// An information system whose fields are in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemSpec {
    /// Which.
    pub subsystem: SubsystemId,
    /// The agency that answers for it.
    pub agency: String,
    /// Its name.
    pub name: Text,
    /// How it signs in; of a token nothing is known here.
    pub sign_in: SignInDraft,
    /// Its networks, in canonical form, when it signs in by them.
    pub networks: Vec<String>,
    /// Its registered purpose.
    pub purpose: Option<Purpose>,
    /// The one service of the adapter's dialect.
    pub whole_service: Option<Part>,
}

/// Most networks of one system.
const MOST_NETWORKS: usize = 100;

impl SystemDraft {
    /// Reads every field.
    ///
    /// # Errors
    /// Everything that is wrong, each at its field.
    pub fn read(&self) -> Result<SystemSpec, Problems> {
        let mut problems = Problems::new();
        let subsystem = self.subsystem.trim().parse::<SubsystemId>();
        let subsystem = note(subsystem, "subsystem", &mut problems);
        let agency = self.agency.trim().parse::<base::codes::AgencyCode>();
        let agency = note(agency, "agency", &mut problems);
        let name = names(&self.name_vi, &self.name_en, &mut problems);
        let networks = match self.sign_in {
            SignInDraft::Networks => read_networks(&self.networks, &mut problems),
            SignInDraft::Token | SignInDraft::Open => Vec::new(),
        };
        let purpose = given(&self.purpose).map(|text| text.parse::<Purpose>().map_err(CodeError::from));
        let purpose = purpose.and_then(|read| note(read, "purpose", &mut problems));
        let whole_service = given(&self.whole_service).map(|text| Part::new(text).map_err(CodeError::from));
        let whole_service = whole_service.and_then(|read| note(read, "whole_service", &mut problems));
        match (subsystem, agency) {
            (Some(subsystem), Some(agency)) if problems.is_empty() => Ok(SystemSpec {
                subsystem,
                agency: agency.to_string(),
                name,
                sign_in: self.sign_in,
                networks,
                purpose,
                whole_service,
            }),
            _ => Err(problems),
        }
    }
}

fn read_networks(text: &str, problems: &mut Problems) -> Vec<String> {
    let mut networks: Vec<String> = Vec::new();
    for line in text.split([',', '\n']).map(str::trim).filter(|line| !line.is_empty()) {
        match line.parse::<Network>() {
            Ok(network) => networks.push(network.to_string()),
            Err(reason) => reason.add_to(problems, "networks"),
        }
        if networks.len() > MOST_NETWORKS {
            problems.add(
                "too-many",
                "networks",
                format!("Ghi tối đa {MOST_NETWORKS} mạng."),
                format!("Give at most {MOST_NETWORKS} networks."),
            );
            break;
        }
    }
    if networks.is_empty() && problems.at("networks", base::Lang::Vi).is_none() {
        problems.add(
            "required",
            "networks",
            "Ghi ít nhất một địa chỉ mạng, ví dụ 10.1.2.0/24.",
            "Give at least one network, such as 10.1.2.0/24.",
        );
    }
    networks.dedup();
    networks
}

/// A field that may stay empty.
pub(super) fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// What was read, or its flaw noted at a field.
pub(super) fn note<T>(read: Result<T, CodeError>, at: &str, problems: &mut Problems) -> Option<T> {
    read.map_err(|reason| reason.add_to(problems, at)).ok()
}

/// A name in both languages; the English may be missing.
pub(super) fn names(vi: &str, en: &str, problems: &mut Problems) -> Text {
    let required = Some(("Nhập tên tiếng Việt.", "Enter the name in Vietnamese."));
    Text::new(
        words(vi, SHORT, required, "name_vi", problems),
        words(en, SHORT, None, "name_en", problems),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_what_they_say() {
        let network: Network = "10.1.2.0/24".parse().expect("a network");
        for (address, inside) in [
            ("10.1.2.0", true),
            ("10.1.2.255", true),
            ("::ffff:10.1.2.7", true),
            ("10.1.3.0", false),
            ("::1", false),
        ] {
            assert_eq!(network.has(address.parse().expect(address)), inside, "{address}");
        }
        let one: Network = "::1".parse().expect("an address");
        assert_eq!(one.to_string(), "::1/128");
        assert!(one.has("::1".parse().expect("loopback")));
        assert!(!one.has("::2".parse().expect("another")));
        for (text, code) in [
            ("10.1.2.0/33", "network-malformed"),
            ("10.1.2.0/", "network-malformed"),
            ("10.1.2.0/+8", "network-malformed"),
            ("10.1.2.1/24", "network-host-bits"),
            ("0.0.0.0/0", "network-everybody"),
            ("::/0", "network-everybody"),
            ("a.example/24", "network-malformed"),
            ("", "network-malformed"),
        ] {
            assert_eq!(text.parse::<Network>().expect_err(text).code(), code, "{text}");
        }
        assert!(!is_from(
            &["nonsense".to_owned()],
            "10.1.2.3".parse().expect("an address")
        ));
    }

    #[test]
    fn a_draft_says_everything_that_is_wrong() {
        let draft = SystemDraft {
            subsystem: "VN/GOV/H57".into(),
            agency: "<b>".into(),
            name_vi: " ".into(),
            name_en: "x\u{0}".into(),
            networks: "10.0.0.1/8\n::1".into(),
            purpose: "Verify!".into(),
            whole_service: "a/b".into(),
            ..SystemDraft::default()
        };
        let problems = draft.read().expect_err("much is wrong");
        let places: Vec<&str> = problems.iter().map(|p| p.at.as_str()).collect();
        assert_eq!(
            places,
            [
                "subsystem",
                "agency",
                "name_vi",
                "name_en",
                "networks",
                "purpose",
                "whole_service"
            ]
        );
    }
}
