//! What the operator's tools see of a node: figures for Prometheus, and whether it is ready, with what will go wrong soon.

mod figures;
mod ready;
#[cfg(test)]
pub(crate) mod strict;

pub use self::{
    figures::{Standing, figures},
    ready::ready,
};
use crate::node::Node;

/// The free share of the disk of the data folder, 0 to 1.
fn disk_free(node: &Node) -> Option<f64> {
    let disk = rustix::fs::statvfs(&node.config().data).ok()?;
    (disk.f_blocks > 0).then(|| disk.f_bavail as f64 / disk.f_blocks as f64)
}
