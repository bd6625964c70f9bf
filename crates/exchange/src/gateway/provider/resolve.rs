//! Where the names of services lead: never to addresses that no service may have.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    vec::IntoIter,
};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

use crate::access::is_forbidden_address;

/// The system's resolver without the addresses of [`is_forbidden_address`]. Whoever registered a service may not have
/// been the one who says where its name leads today.
#[derive(Debug, Clone)]
pub(super) struct Resolver(GaiResolver);

impl Resolver {
    pub fn new() -> Self {
        Self(GaiResolver::new())
    }
}

impl Service<Name> for Resolver {
    type Response = IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<IntoIter<SocketAddr>>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolved = self.0.call(name);
        Box::pin(async move { allowed(resolved.await?) })
    }
}

fn allowed(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<IntoIter<SocketAddr>> {
    let allowed: Vec<_> = addresses
        .filter(|address| !is_forbidden_address(address.ip()))
        .collect();
    if allowed.is_empty() {
        return Err(io::Error::other("the name leads to no address that a service may have"));
    }
    Ok(allowed.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_to_the_metadata_of_a_cloud() {
        let parse = |text: &str| text.parse::<SocketAddr>().expect(text);
        let forbidden = [
            "169.254.169.254:80",
            "[fe80::1]:80",
            "[::ffff:169.254.169.254]:80",
            "0.0.0.0:80",
        ]
        .map(parse);
        assert!(allowed(forbidden.into_iter()).is_err());
        let good = parse("127.0.0.1:80");
        let left: Vec<_> = allowed(forbidden.into_iter().chain([good]))
            .expect("one is left")
            .collect();
        assert_eq!(left, [good]);
    }

    #[tokio::test]
    async fn names_of_this_machine_are_found() {
        let mut resolver = Resolver::new();
        let name = "localhost".parse().expect("a name");
        assert!(
            resolver
                .call(name)
                .await
                .expect("resolved")
                .all(|a| a.ip().is_loopback())
        );
    }
}
