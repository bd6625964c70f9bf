//! Which addresses a webhook may have. It is a subscriber who names the address and this node that calls it, so it must lead
//! nowhere that only this node can reach.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use base::codes::CodeError;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// The longest address.
const LONGEST: usize = 500;

/// How webhooks are called.
#[derive(Debug, Clone, Copy)]
pub struct Webhooks {
    /// Whether they may be on this very machine, and then without TLS; for demonstrations and tests.
    pub loopback: bool,
    /// How long one call may take.
    pub patience: Duration,
    /// After so many failures in a row no more calls are made until somebody resumes them.
    pub tries: i64,
    /// The pause after the first failure, in seconds; it doubles with each further one, up to an hour.
    pub pause: i64,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            loopback: false,
            patience: Duration::from_secs(5),
            tries: 8,
            pause: 10,
        }
    }
}

impl Webhooks {
    /// Whether a call may go to this address. Networks of agencies (RFC 1918) may be called: that is where they are.
    fn allows(&self, address: IpAddr) -> bool {
        let address = plain(address);
        if address.is_loopback() {
            return self.loopback;
        }
        let refused = match address {
            IpAddr::V4(v4) => {
                v4.octets()[0] == 0
                    || v4.octets()[0] >= 224 // multicast, reserved, broadcast
                    || v4.is_link_local() // among them the metadata service of most clouds, 169.254.169.254
                    || METADATA.contains(&v4)
            }
            IpAddr::V6(v6) => {
                v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local() || v6 == METADATA_V6
            }
        };
        !refused
    }
}

/// Metadata services outside the link-local networks.
const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056).
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        [0, 0, 0, 0, 0, 0] if g != 0 => v4(g, h),
        [0x2002, ..] => v4(b, c),
        _ => address,
    }
}

/// Reads the address of a webhook. Where its name leads is judged at each call.
pub(in crate::events) fn check_url(text: &str, rules: &Webhooks) -> Result<Url, CodeError> {
    let malformed = || {
        CodeError::new(
            "webhook-address",
            "Địa chỉ webhook là một URL https tối đa 500 ký tự, không có tên đăng nhập và không có phần sau dấu #.",
            "The address of a webhook is an https URL of at most 500 characters, without a user name and without a #.",
        )
    };
    if text.len() > LONGEST {
        return Err(malformed());
    }
    let url: Url = text.parse().map_err(|_| malformed())?;
    let host = url.host_str().ok_or_else(malformed)?;
    let literal = host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let here = host == "localhost" || literal.is_some_and(|ip| plain(ip).is_loopback());
    let secure = url.scheme() == "https" || (url.scheme() == "http" && here && rules.loopback);
    if !secure || !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(malformed());
    }
    if literal.is_some_and(|ip| !rules.allows(ip)) || (here && !rules.loopback) {
        return Err(CodeError::new(
            "webhook-address-refused",
            "Webhook không được ở chính máy này, mạng liên kết cục bộ hoặc địa chỉ siêu dữ liệu của đám mây.",
            "A webhook may not be on this machine, in a link-local network or at a metadata address of a cloud.",
        ));
    }
    Ok(url)
}

/// A name that leads to an address that may not be called.
#[derive(Debug)]
pub(super) struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to an address that webhooks may not have")
    }
}

impl std::error::Error for Forbidden {}

/// Resolves names for the calls: what was judged here is what is connected to, so a name cannot lead elsewhere in between.
#[derive(Debug, Clone)]
pub(super) struct Guard(pub Webhooks);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One forbidden address is enough: an honest name has none.
            if found.iter().any(|address| !rules.allows(address.ip())) {
                return Err(Forbidden.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_only_this_node_reaches_are_refused() {
        let strict = Webhooks::default();
        for refused in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
        ] {
            let address: IpAddr = refused.parse().expect(refused);
            assert!(!strict.allows(address), "{refused}");
        }
        for fine in [
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "203.0.113.9",
            "2001:db8::1",
            "fd12::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(strict.allows(fine.parse().expect(fine)), "{fine}");
        }
        let demo = Webhooks {
            loopback: true,
            ..strict
        };
        assert!(demo.allows("127.0.0.1".parse().expect("an address")));
        assert!(!demo.allows("169.254.169.254".parse().expect("an address")), "never");
    }

    #[test]
    fn addresses_are_https_and_plain() {
        let strict = Webhooks::default();
        for good in [
            "https://a.gov.vn/hook",
            "https://10.1.2.3:8443/x?y=1",
            "https://[2001:db8::1]/",
        ] {
            check_url(good, &strict).expect(good);
        }
        for (bad, code) in [
            ("", "webhook-address"),
            ("a.gov.vn", "webhook-address"),
            ("http://a.gov.vn/", "webhook-address"),
            ("ftp://a.gov.vn/", "webhook-address"),
            ("file:///etc/passwd", "webhook-address"),
            ("https://u:p@a.gov.vn/", "webhook-address"),
            ("https://a.gov.vn/#x", "webhook-address"),
            ("http://127.0.0.1/", "webhook-address"),
            ("https://127.0.0.1/", "webhook-address-refused"),
            // Other spellings of 127.0.0.1 and of the metadata service.
            ("https://2130706433/", "webhook-address-refused"),
            ("https://0x7f.1/", "webhook-address-refused"),
            ("https://0251.0376.0251.0376/", "webhook-address-refused"),
            ("https://[::ffff:169.254.169.254]/", "webhook-address-refused"),
            ("https://localhost/", "webhook-address-refused"),
            ("https://LOCALHOST/", "webhook-address-refused"),
        ] {
            assert_eq!(check_url(bad, &strict).expect_err(bad).code(), code, "{bad}");
        }
        assert!(check_url(&format!("https://a.vn/{}", "x".repeat(500)), &strict).is_err());
        let demo = Webhooks {
            loopback: true,
            ..strict
        };
        check_url("http://127.0.0.1:9000/hook", &demo).expect("a demonstration");
        assert!(
            check_url("http://a.gov.vn/", &demo).is_err(),
            "without TLS only on this machine"
        );
    }
}
