//! The ledger on real disks, against other people's code and against attackers.

mod audit;
mod copy;
mod crash;
mod disk;
mod hostile;
#[cfg(feature = "http")]
mod http;
mod log;
mod note;
mod proof;
mod publish;
mod support;
mod tree;
mod witness;
