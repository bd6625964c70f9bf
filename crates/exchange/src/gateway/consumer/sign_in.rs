//! Which information system calls, and whether it is the one that it says.

use std::net::IpAddr;

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::super::flaw::{GatewayFlaw, refusal};
use crate::model::{
    address::Dialect,
    error::{ErrorCode, Refusal},
    headers::{CLIENT, GOVSTACK_CLIENT, HeadFlaw},
    hosting::{ClientSignIn, Hosting, LocalClient},
    identifier::{ClientId, SubsystemId},
};

/// The client of a request, signed in. None when the head names none that can be read; whoever reads the head says so,
/// with all else that is wrong with it. A token is taken out of the head: it goes no further.
pub(super) fn client<'h>(
    hosting: &'h Hosting,
    dialect: Dialect,
    headers: &mut HeaderMap,
    from: IpAddr,
) -> Result<Option<(&'h SubsystemId, &'h LocalClient)>, Refusal> {
    let found = match said(dialect, headers) {
        Some(value) => {
            let Ok(said) = ClientId::parse(value) else {
                return Ok(None);
            };
            let client = said.as_subsystem().and_then(|id| hosting.clients.get_key_value(&id));
            let client = client.ok_or_else(|| refusal(ErrorCode::UnknownMember, CLIENT, GatewayFlaw::NotRegistered))?;
            if let Err(flaw) = check(&client.1.sign_in, headers, from) {
                return Err(refusal(ErrorCode::ClientSslAuthenticationFailed, "authorization", flaw));
            }
            client
        }
        // Software behind the adapter says nothing; how it signs in has to be enough.
        None if dialect == Dialect::Adapter => {
            let mut fitting = hosting
                .clients
                .iter()
                .filter(|(_, c)| check(&c.sign_in, headers, from).is_ok());
            match (fitting.next(), fitting.next()) {
                (Some(client), None) => client,
                (None, _) => return Err(refusal(ErrorCode::UnknownMember, CLIENT, GatewayFlaw::NotRegistered)),
                _ => {
                    return Err(refusal(
                        ErrorCode::InvalidClientIdentifier,
                        CLIENT,
                        GatewayFlaw::TwoClients,
                    ));
                }
            }
        }
        None => return Ok(None),
    };
    if matches!(found.1.sign_in, ClientSignIn::Token(_)) {
        headers.remove(AUTHORIZATION);
    }
    Ok(Some(found))
}

/// The last header that names the client counts (PR-REST 4.3).
fn said(dialect: Dialect, headers: &HeaderMap) -> Option<&[u8]> {
    let names = |name: &str| name == CLIENT || dialect == Dialect::GovStack && name == GOVSTACK_CLIENT;
    let named = headers.iter().filter(|(name, _)| names(name.as_str())).last();
    named.map(|(_, value)| value.as_bytes())
}

/// What the head says is not who signed in.
pub(super) fn other_client() -> Refusal {
    Refusal::at(ErrorCode::InvalidClientIdentifier, CLIENT, HeadFlaw::ClientMissing)
}

fn check(sign_in: &ClientSignIn, headers: &HeaderMap, from: IpAddr) -> Result<(), GatewayFlaw> {
    match sign_in {
        ClientSignIn::Open => Ok(()),
        ClientSignIn::Networks(networks) => {
            let from = from.to_canonical();
            let inside = networks.iter().any(|network| contains(network, from));
            inside.then_some(()).ok_or(GatewayFlaw::Network)
        }
        ClientSignIn::Token(expected) => {
            let shown = bearer(headers).map(|token| hex::encode(Sha256::digest(token)));
            let same =
                shown.is_some_and(|shown| shown.as_bytes().ct_eq(expected.to_ascii_lowercase().as_bytes()).into());
            same.then_some(()).ok_or(GatewayFlaw::Token)
        }
    }
}

/// RFC 6750, 2.1. One header, or none.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Whether `10.1.2.0/24` or `::1/128` has an address; a network that cannot be read has none.
fn contains(network: &str, address: IpAddr) -> bool {
    let (base, length) = network.split_once('/').unwrap_or((network, ""));
    let (Ok(base), length) = (base.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let (base, address, bits) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => (base.to_bits().into(), address.to_bits().into(), 32),
        (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let length = if network.contains('/') { length } else { Ok(bits) };
    length.is_ok_and(|length| length <= bits && (base ^ address).checked_shr(bits - length).unwrap_or(0) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_they_are_written() {
        for (network, address, inside) in [
            ("10.1.2.0/24", "10.1.2.255", true),
            ("10.1.2.0/24", "10.1.3.0", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3/32", "10.1.2.4", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("::1/128", "::1", true),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "10.0.0.1", false),
            ("10.0.0.0/33", "10.0.0.1", false),
            ("10.0.0.0/", "10.0.0.0", false),
            ("10.0.0.0/-1", "10.0.0.0", false),
            ("agency", "10.0.0.0", false),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(contains(network, address), inside, "{network} {address}");
        }
    }

    #[test]
    fn one_bearer_token_counts() {
        let headers = |values: &[&'static str]| {
            let values = values
                .iter()
                .map(|v| (AUTHORIZATION, http::HeaderValue::from_static(v)));
            values.fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(name, value);
                map
            })
        };
        assert_eq!(bearer(&headers(&["bearer  abc "])), Some(&b"abc"[..]));
        for values in [&[][..], &["Basic abc"], &["Bearer"], &["Bearer a", "Bearer b"]] {
            assert_eq!(bearer(&headers(values)), None, "{values:?}");
        }
    }
}
