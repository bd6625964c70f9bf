//! Linkage in buckets beside linkage in memory.

mod cluster;
mod ground;
mod same;
