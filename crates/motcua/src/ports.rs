//! Ports of this machine that nobody uses.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// So many ports that are free, all at once, so that none is given twice. They lie below those that systems give to
/// outgoing connections (from 32768 on), one of which could take a port before its node listens, or while it is down.
///
/// # Errors
/// There are not so many.
pub fn free(n: usize) -> anyhow::Result<Vec<SocketAddr>> {
    let first = rand::random_range(20_000..31_000_u16);
    let free = (first..32_768).filter_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
    let held: Vec<_> = free.take(n).collect();
    anyhow::ensure!(held.len() == n, "no {n} free ports from {first} to 32767");
    Ok(held.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?)
}

/// One, for a test.
#[cfg(test)]
pub fn one() -> SocketAddr {
    free(1).expect("a port")[0]
}
