//! How often somebody may be wrong about code and secret.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use base::{Error, Kind, Result, Timestamp};

/// Wrong tries of one address in one minute.
const MOST: u32 = 30;
const MINUTE: i64 = 60_000_000;
/// Addresses that are remembered; beyond it the expired ones are dropped, then all.
const ADDRESSES: usize = 10_000;

/// Wrong tries by address, in the memory of this node.
#[derive(Debug, Default)]
pub(super) struct Tries(Mutex<HashMap<IpAddr, (Timestamp, u32)>>);

impl Tries {
    /// Whether the address may try.
    ///
    /// # Errors
    /// `TooMany` after 30 wrong tries within a minute.
    pub fn permit(&self, from: IpAddr, now: Timestamp) -> Result<()> {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match tries.get(&from) {
            Some((since, wrong)) if *wrong >= MOST && now < since.plus_micros(MINUTE) => Err(Error::refused(
                Kind::TooMany,
                "too-many-tries",
                "Đã tra cứu sai quá nhiều lần. Vui lòng thử lại sau một phút.",
                "Too many wrong tries. Please try again in a minute.",
            )),
            _ => Ok(()),
        }
    }

    /// Notes a wrong try.
    pub fn wrong(&self, from: IpAddr, now: Timestamp) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= ADDRESSES {
            tries.retain(|_, (since, _)| now < since.plus_micros(MINUTE));
            if tries.len() >= ADDRESSES {
                tries.clear();
            }
        }
        let entry = tries.entry(from).or_insert((now, 0));
        if now >= entry.0.plus_micros(MINUTE) {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

/// Where the request came from: the other end of the connection, or, where the node trusts its proxy, the last entry
/// of `X-Forwarded-For`.
#[derive(Debug, Clone, Copy)]
pub(super) struct From(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let trusts = parts
            .extensions
            .get::<identity::IdentityState>()
            .is_some_and(|i| i.config().trust_forwarded_for);
        let forwarded = parts.headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
        let forwarded = forwarded
            .and_then(|list| list.rsplit(',').next())
            .and_then(|ip| ip.trim().parse().ok());
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip());
        let unknown = IpAddr::from([0, 0, 0, 0]);
        Ok(Self(forwarded.filter(|_| trusts).or(peer).unwrap_or(unknown)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guesser_waits_a_minute_and_others_do_not() {
        let tries = Tries::default();
        let (guesser, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = Timestamp::from_micros(1_000);
        for _ in 0..MOST {
            assert!(tries.permit(guesser, now).is_ok());
            tries.wrong(guesser, now);
        }
        let refused = tries.permit(guesser, now.plus_seconds(59)).expect_err("too many");
        assert_eq!(refused.kind(), Some(Kind::TooMany));
        assert!(tries.permit(other, now).is_ok());
        assert!(tries.permit(guesser, now.plus_seconds(60)).is_ok());
        tries.wrong(guesser, now.plus_seconds(60));
        assert!(
            tries.permit(guesser, now.plus_seconds(61)).is_ok(),
            "the count begins anew"
        );
    }
}
