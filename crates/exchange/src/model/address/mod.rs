//! Where a call goes: the request target of the edge, in each of its dialects, as one [`Target`].
//!
//! ```text
//! /r1/{instance}/{class}/{member}/{subsystem}/{service}[/path][?query]        X-Road (PR-REST 4.1, reference 1.1)
//! /govstack/r1/…                                                              GovStack Information Mediator
//! /XrdAdapter/RestService/forward/{path}?dstcode=VN:GOV:…&providerurl=…       the Vietnamese adapter; also VXPAdapter
//! ```

mod forward;
mod path;
mod query;

use std::fmt;

use base::codes::CodeError;

pub use forward::{ForwardRules, ServiceRule};
pub use path::{PathFlaw, ServicePath};
pub use query::{Parameter, parameters};

use super::{
    error::{ErrorCode, Refusal},
    identifier::{Part, ServiceId, SubsystemId},
    reason::reasons,
};

/// The longest request target that is read, in bytes.
pub const LONGEST_TARGET: usize = 8 * 1024;

/// What stands before `/r1` in the GovStack dialect.
pub const GOVSTACK_PREFIX: &str = "/govstack";

reasons! {
    /// Why a request target is none of ours.
    pub enum AddressFlaw {
        TooLong = "address-too-long",
            "Địa chỉ dài hơn 8 KiB. Chuyển dữ liệu dài vào nội dung của yêu cầu.",
            "The address is longer than 8 KiB. Send long data in the body.";
        NotOurs = "address-unknown",
            "Địa chỉ phải bắt đầu bằng /r1/, /govstack/r1/, /XrdAdapter/RestService/forward/ hoặc /VXPAdapter/RestService/forward/.",
            "An address begins with /r1/, /govstack/r1/, /XrdAdapter/RestService/forward/ or /VXPAdapter/RestService/forward/.";
        NoVersion = "protocol-version-missing",
            "Phần đầu của địa chỉ phải là phiên bản giao thức: r1.",
            "The first part of the address is the version of the protocol: r1.";
        OtherVersion = "protocol-version-unsupported",
            "Chỉ hỗ trợ phiên bản giao thức r1.",
            "The only version of the protocol that is spoken here is r1.";
        TooShort = "address-too-short",
            "Địa chỉ thiếu phần: /r1/{instance}/{memberClass}/{memberCode}/{subsystemCode}/{serviceCode}. Mã hệ thống là bắt buộc.",
            "The address lacks a part: /r1/{instance}/{memberClass}/{memberCode}/{subsystemCode}/{serviceCode}. The subsystem is mandatory.";
        Query = "query-character",
            "Chuỗi truy vấn có khoảng trắng, ký tự điều khiển, “#” hoặc ký tự ngoài ASCII; hãy mã hóa phần trăm.",
            "The query has white space, control characters, “#” or characters beyond ASCII; percent-encode them.";
    }
}

/// Who taught the caller to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// X-Road message protocol for REST.
    XRoad,
    /// GovStack Information Mediator: the same, its client in `X-GovStack-Client`.
    GovStack,
    /// The adapter in front of VDXP (Trục liên thông văn bản quốc gia). Its callers send no headers of X-Road.
    Adapter,
}

/// A service, and what is asked of it. Nothing in it was changed on the way: the bytes that are judged are those that
/// are signed, forwarded and logged.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// `/r1/VN/GOV/…/service` as it came.
    prefix: String,
    service: ServiceId,
    path: ServicePath,
    query: Option<String>,
}

impl Target {
    /// Reads `/r1/…`. Path and query stay as they are, byte for byte; without a slash after the service the path is
    /// empty, with nothing behind the slash it is `/`.
    ///
    /// # Errors
    /// [`Refusal`] with [`ErrorCode::BadRequest`]: at `path` or `query`, for one [`AddressFlaw`], [`PathFlaw`] or
    /// [`super::identifier::PartFlaw`].
    pub fn parse(raw: &[u8]) -> Result<Self, Refusal> {
        bounded(raw)?;
        let (raw_path, query) = split_query(raw)?;
        let pieces: Vec<&[u8]> = raw_path.splitn(8, |b| *b == b'/').collect();
        let [b"", version, ..] = pieces.as_slice() else {
            return Err(bad(AddressFlaw::NotOurs));
        };
        // As the reference implementation: `r` and one digit, which is 1.
        match *version {
            b"r1" => {}
            [b'r', digit] if digit.is_ascii_digit() => return Err(bad(AddressFlaw::OtherVersion)),
            _ => return Err(bad(AddressFlaw::NoVersion)),
        }
        let [_, _, instance, class, member, subsystem, service, rest @ ..] = pieces.as_slice() else {
            return Err(bad(AddressFlaw::TooShort));
        };
        let part = |raw: &[u8]| Part::from_segment(raw).map_err(bad);
        let service = ServiceId {
            provider: SubsystemId::of([part(instance)?, part(class)?, part(member)?], part(subsystem)?),
            code: part(service)?,
        };
        let path_at = raw_path.len() - rest.first().map_or(0, |path| path.len() + 1);
        let (prefix, path) = raw_path.split_at(path_at);
        let path = ServicePath::parse(path).map_err(bad)?;
        // The parts were read as ASCII.
        let prefix = String::from_utf8_lossy(prefix).into_owned();
        Ok(Self {
            prefix,
            service,
            path,
            query,
        })
    }

    /// The target of a call that another dialect names, in the form of X-Road.
    pub(crate) fn of(service: ServiceId, path: ServicePath, query: Option<String>) -> Self {
        Self {
            prefix: format!("/r1/{service}"),
            service,
            path,
            query,
        }
    }

    /// The service.
    pub const fn service(&self) -> &ServiceId {
        &self.service
    }

    /// The path behind the service code.
    pub const fn path(&self) -> &ServicePath {
        &self.path
    }

    /// The query behind `?`, untouched (PR-REST 4.5). `Some("")` when there is a `?` and nothing behind.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// What is appended to the base URL of the service: path and query. PR-REST 4.1; of a base that ends with `/`, that
    /// slash goes (reference 1.5).
    pub fn at_provider(&self, base_url: &str) -> String {
        let base = match self.path.as_str() {
            "" => base_url,
            _ => base_url.strip_suffix('/').unwrap_or(base_url),
        };
        let query = self.query.iter().flat_map(|query| ["?", query]);
        [base, self.path.as_str()].into_iter().chain(query).collect()
    }
}

/// The request target.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.path)?;
        self.query.iter().try_for_each(|query| write!(f, "?{query}"))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Reads a request target in any dialect.
///
/// # Errors
/// As [`Target::parse`], and for the adapter those that [`ForwardRules`] names.
pub fn read(raw: &[u8], rules: &ForwardRules) -> Result<(Dialect, Target), Refusal> {
    bounded(raw)?;
    let govstack = raw
        .strip_prefix(GOVSTACK_PREFIX.as_bytes())
        .filter(|rest| rest.starts_with(b"/"));
    if let Some(rest) = govstack {
        return Ok((Dialect::GovStack, Target::parse(rest)?));
    }
    match forward::after_prefix(raw) {
        Some(rest) => Ok((Dialect::Adapter, rules.read(rest)?)),
        None => Ok((Dialect::XRoad, Target::parse(raw)?)),
    }
}

fn bounded(raw: &[u8]) -> Result<(), Refusal> {
    if raw.len() > LONGEST_TARGET {
        return Err(bad(AddressFlaw::TooLong));
    }
    Ok(())
}

/// The raw path, and the query behind the first `?`.
fn split_query(raw: &[u8]) -> Result<(&[u8], Option<String>), Refusal> {
    let Some(at) = raw.iter().position(|b| *b == b'?') else {
        return Ok((raw, None));
    };
    let (path, query) = (&raw[..at], &raw[at + 1..]);
    if query.iter().any(|b| !b.is_ascii_graphic() || *b == b'#') {
        return Err(Refusal::at(ErrorCode::BadRequest, "query", AddressFlaw::Query));
    }
    Ok((path, Some(String::from_utf8_lossy(query).into_owned())))
}

fn bad(reason: impl Into<CodeError>) -> Refusal {
    Refusal::at(ErrorCode::BadRequest, "path", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(raw: &[u8]) -> String {
        let refusal = Target::parse(raw).expect_err("refused");
        assert_eq!(refusal.code(), ErrorCode::BadRequest);
        refusal
            .problems()
            .iter()
            .next()
            .map(|p| p.code.clone())
            .expect("a problem")
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        // PR-REST 4.1.
        let raw = "/r1/INSTANCE/CLASS2/MEMBER2/SUBSYSTEM2/BARSERVICE/v1/bar/zyggy?quu=1";
        let target = Target::parse(raw.as_bytes()).expect("as the specification says");
        assert_eq!(
            target.service().to_string(),
            "INSTANCE/CLASS2/MEMBER2/SUBSYSTEM2/BARSERVICE"
        );
        assert_eq!(target.path().as_str(), "/v1/bar/zyggy");
        assert_eq!(target.query(), Some("quu=1"));
        assert_eq!(target.to_string(), raw);
        assert_eq!(
            target.at_provider("https://barservice.example.org/"),
            "https://barservice.example.org/v1/bar/zyggy?quu=1"
        );
    }

    #[test]
    fn a_trailing_slash_is_a_path() {
        // Reference 1.1: trailing slash gives "/", none gives "", and the provider's URL is called as it is.
        let path = |raw: &str| Target::parse(raw.as_bytes()).expect(raw);
        assert_eq!(path("/r1/VN/GOV/G22/dvcqg/hoso").path().as_str(), "");
        assert_eq!(path("/r1/VN/GOV/G22/dvcqg/hoso/").path().as_str(), "/");
        assert_eq!(path("/r1/VN/GOV/G22/dvcqg/hoso?").query(), Some(""));
        assert_eq!(
            path("/r1/VN/GOV/G22/dvcqg/hoso").at_provider("http://a/b/"),
            "http://a/b/"
        );
        assert_eq!(
            path("/r1/VN/GOV/G22/dvcqg/hoso/").at_provider("http://a/b/"),
            "http://a/b/"
        );
        assert_eq!(
            path("/r1/VN/GOV/G22/dvcqg/hoso?x").at_provider("http://a"),
            "http://a?x"
        );
    }

    #[test]
    fn path_and_query_stay_as_they_are() {
        let raw = "/r1/VN/GOV/G%32%32/dvcqg/hoso/h%E1%bb%93/100%25?a=%2F..%2f&b=[1]|2&&c";
        let target = Target::parse(raw.as_bytes()).expect(raw);
        assert_eq!(target.service().provider.member.code.as_str(), "G22");
        assert_eq!(target.path().as_str(), "/h%E1%bb%93/100%25");
        assert_eq!(target.to_string(), raw);
    }

    #[test]
    fn pieces_that_are_missing_or_wrong_are_named() {
        for (raw, code) in [
            (&b"/r1/VN/GOV/G22/dvcqg"[..], "address-too-short"),
            (b"/r1", "address-too-short"),
            (b"/r1/", "address-too-short"),
            (b"/r2/VN/GOV/G22/dvcqg/hoso", "protocol-version-unsupported"),
            (b"/r/VN/GOV/G22/dvcqg/hoso", "protocol-version-missing"),
            (b"/r11/VN/GOV/G22/dvcqg/hoso", "protocol-version-missing"),
            (b"/R1/VN/GOV/G22/dvcqg/hoso", "protocol-version-missing"),
            (b"//r1/VN/GOV/G22/dvcqg/hoso", "protocol-version-missing"),
            (b"r1/VN/GOV/G22/dvcqg/hoso", "address-unknown"),
            (b"http://node/r1/VN/GOV/G22/dvcqg/hoso", "address-unknown"),
            (b"*", "address-unknown"),
            (b"", "address-unknown"),
            (b"/r1/VN/GOV//dvcqg/hoso", "identifier-empty"),
            (b"/r1/VN/GOV/G22/dvcqg/", "identifier-empty"),
            (b"/r1/VN/GOV/../dvcqg/hoso", "identifier-dot-segment"),
            (b"/r1/VN/GOV/%2e%2E/dvcqg/hoso", "identifier-dot-segment"),
            (b"/r1/VN/GOV/G22/dvcqg/BAR%2FSERVICE", "identifier-separator"),
            (b"/r1/VN/GOV/G22/dvcqg/hoso\\x", "identifier-character"),
            (b"/r1/VN/GOV/G22/dvcqg/ho%zzso", "identifier-bad-escape"),
            (b"/r1/VN/GOV/G22/dvcqg/ho%2", "identifier-bad-escape"),
            (b"/r1/VN/GOV/G22/dvcqg/h\xe1\xbb\x93", "identifier-character"),
            (b"/r1/VN/GOV/G22/dvcqg/hoso/a#b", "path-character"),
            (b"/r1/VN/GOV/G22/dvcqg/hoso?a b", "query-character"),
            (b"/r1/VN/GOV/G22/dvcqg/hoso?a\r\nHost: x", "query-character"),
            (b"/r1/VN/GOV/G22/dvcqg/hoso?a#b", "query-character"),
            (b"/r1/VN/GOV/G22/dvcqg/hoso?\xc3\xa1", "query-character"),
        ] {
            assert_eq!(code_of(raw), code, "{}", raw.escape_ascii());
        }
        assert_eq!(code_of(&[b'/'; LONGEST_TARGET + 1]), "address-too-long");
    }

    #[test]
    fn every_dialect_leads_to_the_same_target() {
        let rules = ForwardRules::default();
        let (dialect, x_road) = read(b"/r1/VN/GOV/000.00.00.G22/vpcp/mapi/login?x=1", &rules).expect("X-Road");
        assert_eq!(dialect, Dialect::XRoad);
        let (dialect, govstack) =
            read(b"/govstack/r1/VN/GOV/000.00.00.G22/vpcp/mapi/login?x=1", &rules).expect("GovStack");
        assert_eq!((dialect, &govstack), (Dialect::GovStack, &x_road));
        let raw = b"/XrdAdapter/RestService/forward/mapi/login?x=1&dstcode=VN:GOV:000.00.00.G22:vpcp";
        let (dialect, adapter) = read(raw, &rules).expect("the adapter");
        assert_eq!((dialect, &adapter), (Dialect::Adapter, &x_road));
        assert!(read(b"/govstackr1/VN/GOV/A/B/C", &rules).is_err());
    }
}
