//! Một Cửa, one door: the binary. It reads the configuration, puts the crates together and serves.

mod backup;
mod bar;
mod clean;
mod cli;
mod config;
#[cfg(test)]
mod conformance;
mod demo;
mod exchange;
mod following;
mod front;
mod imports;
mod invent;
mod ledger;
mod link;
mod logging;
mod metrics;
mod nation;
mod node;
mod packages;
mod populate;
mod ports;
mod proposals;
mod questions;
mod registrar;
mod registries;
mod seed;
mod serve;
mod tls;
mod traces;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

/// A message through the gateway takes some hundred small pieces of memory: the system's allocator costs a fifth more of the
/// processor (bench/RESULTS.md, "The exchange").
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logging::start(&cli.log);
    // Two providers of cryptography are linked (one by way of libraries); this process uses one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime does not start");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
