//! What the tests share.

use std::{cell::RefCell, collections::HashMap, path::Path, sync::Arc};

use base::{Timestamp, time::FixedClock};
use ledger::{Algorithm, FileKey, Hash, Kind, Log, Options, Policy, Signer};

pub const ORIGIN: &str = "so-cai.hue.example/2026";

/// 2026-11-25 00:00 in Viet Nam.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_539_600_000_000);

/// A runtime that ends with the test.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

pub fn key() -> Arc<FileKey> {
    key_named(ORIGIN, Algorithm::Ed25519)
}

pub fn key_named(name: &str, algorithm: Algorithm) -> Arc<FileKey> {
    Arc::new(FileKey::generate(name, algorithm).expect("a key"))
}

pub fn options(key: &Arc<FileKey>) -> Options {
    let mut options = Options::new(key.name(), Arc::<FileKey>::clone(key));
    options.clock = Arc::new(FixedClock::at(NOW));
    options
}

pub fn open(dir: &Path, key: &Arc<FileKey>) -> Log {
    Log::open(dir, options(key)).expect("the log opens")
}

pub fn policy(key: &Arc<FileKey>) -> Policy {
    Policy::log(key.verifier())
}

/// Appends records `first`, `first + 1`, … one by one or in batches of some size.
pub fn fill(log: &Log, records: std::ops::Range<u64>, batch: usize) {
    let records: Vec<_> = records.map(|n| (Kind::ACTION, record(n))).collect();
    block_on(async {
        for batch in records.chunks(batch) {
            log.append_all(batch.to_vec()).await.expect("it is stored");
        }
    });
}

pub fn record(n: u64) -> Vec<u8> {
    format!("hồ sơ {n}").into_bytes()
}

/// The definitions of RFC 6962 2.1 word for word; hashes of the same leaves are computed once.
pub struct Naive<'a> {
    leaves: &'a [Hash],
    known: RefCell<HashMap<(u64, u64), Hash>>,
}

impl<'a> Naive<'a> {
    pub fn new(leaves: &'a [Hash]) -> Self {
        Self {
            leaves,
            known: RefCell::default(),
        }
    }

    /// MTH(D[0:size]).
    pub fn root(&self, size: u64) -> Hash {
        self.mth(0, size)
    }

    fn mth(&self, start: u64, end: u64) -> Hash {
        match end - start {
            0 => return Hash::EMPTY,
            1 => return self.leaves[start as usize],
            _ => {}
        }
        if let Some(hash) = self.known.borrow().get(&(start, end)) {
            return *hash;
        }
        let middle = start + split(end - start);
        let hash = Hash::node(&self.mth(start, middle), &self.mth(middle, end));
        self.known.borrow_mut().insert((start, end), hash);
        hash
    }

    /// PATH(m, D[0:size]).
    pub fn path(&self, m: u64, size: u64) -> Vec<Hash> {
        self.path_in(m, 0, size)
    }

    fn path_in(&self, m: u64, start: u64, end: u64) -> Vec<Hash> {
        if end - start <= 1 {
            return Vec::new();
        }
        let k = split(end - start);
        let (mut path, other) = if m < k {
            (self.path_in(m, start, start + k), self.mth(start + k, end))
        } else {
            (self.path_in(m - k, start + k, end), self.mth(start, start + k))
        };
        path.push(other);
        path
    }

    /// PROOF(m, D[0:size]).
    pub fn consistency(&self, m: u64, size: u64) -> Vec<Hash> {
        if m == 0 {
            Vec::new()
        } else {
            self.subproof(m, 0, size, true)
        }
    }

    fn subproof(&self, m: u64, start: u64, end: u64, whole: bool) -> Vec<Hash> {
        if m == end - start {
            return if whole { Vec::new() } else { vec![self.mth(start, end)] };
        }
        let k = split(end - start);
        let (mut proof, other) = if m <= k {
            (self.subproof(m, start, start + k, whole), self.mth(start + k, end))
        } else {
            (self.subproof(m - k, start + k, end, false), self.mth(start, start + k))
        };
        proof.push(other);
        proof
    }
}

/// The largest power of two smaller than n.
const fn split(n: u64) -> u64 {
    n.next_power_of_two() / 2
}
