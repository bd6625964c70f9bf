//! Work in pieces on several threads, with the results in the order of the pieces: what comes out does not depend on how
//! many threads there are.

use base::{Error, Result};
use std::sync::mpsc::sync_channel;

/// Results that a thread may be ahead of the one who takes them: what bounds memory.
const AHEAD: usize = 4;

/// Works on every piece; `sink` sees the results in order.
///
/// # Errors
/// What `sink` returns, at once; the rest is not worked on.
pub(crate) fn in_order<P: Sync, W, T: Send>(
    threads: usize,
    pieces: &[P],
    begin: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &P) -> T + Sync,
    mut sink: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let threads = threads.clamp(1, pieces.len().max(1));
    std::thread::scope(|scope| {
        let results: Vec<_> = (0..threads)
            .map(|first| {
                let (sender, receiver) = sync_channel(AHEAD);
                let (begin, work) = (&begin, &work);
                scope.spawn(move || {
                    let mut worker = begin();
                    for piece in pieces.iter().skip(first).step_by(threads) {
                        if sender.send(work(&mut worker, piece)).is_err() {
                            break;
                        }
                    }
                });
                receiver
            })
            .collect();
        for n in 0..pieces.len() {
            let result = results.get(n % threads).map(|r| r.recv());
            match result {
                Some(Ok(result)) => sink(result)?,
                _ => return Err(Error::internal("a thread ended before its work was done")),
            }
        }
        Ok(())
    })
}

/// As many threads as the machine offers.
pub fn threads_here() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        let pieces: Vec<u64> = (0..1000).collect();
        for threads in [1, 2, 3, 8] {
            let mut seen = Vec::new();
            in_order(
                threads,
                &pieces,
                || 0u64,
                |sum, n| {
                    *sum += n;
                    n * n
                },
                |r| {
                    seen.push(r);
                    Ok(())
                },
            )
            .expect("done");
            assert!(seen.iter().copied().eq((0..1000).map(|n| n * n)));
        }
    }

    #[test]
    fn a_sink_that_refuses_stops_the_work() {
        let pieces = [0; 100_000];
        let mut taken = 0;
        let refused = in_order(
            2,
            &pieces,
            || (),
            |(), _| (),
            |()| {
                taken += 1;
                if taken == 3 {
                    Err(Error::internal("full"))
                } else {
                    Ok(())
                }
            },
        );
        assert!(refused.is_err() && taken == 3);
    }
}
