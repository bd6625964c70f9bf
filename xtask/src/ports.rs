//! Ports for programs that are told where to listen before they start.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems give to outgoing connections (Linux: from 32768 on; IANA: from 49152 on). One of
/// those can be taken by any connection between the choice and the start of the program.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static TAKEN: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens at now, and that is not given again by this process until all others were.
///
/// # Errors
/// When every port of the range is in use.
pub fn free() -> anyhow::Result<u16> {
    // Two runs at once begin at different places.
    let start = u16::try_from(std::process::id() % u32::from(COUNT))?;
    for _ in 0..COUNT {
        let next = TAKEN.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + next) % COUNT;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port from {FIRST} to {}", FIRST + COUNT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_is_not_given_twice_and_is_out_of_the_way_of_connections() -> anyhow::Result<()> {
        let one = free()?;
        let held = TcpListener::bind(("127.0.0.1", one))?;
        let others = (0..50).map(|_| free()).collect::<anyhow::Result<Vec<_>>>()?;
        assert!(!others.contains(&one));
        assert!(others.iter().all(|p| (FIRST..FIRST + COUNT).contains(p)));
        drop(held);
        Ok(())
    }
}
