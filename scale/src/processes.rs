//! The processes of a cluster: Ballista's own, which know the functions.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::{cluster::BallistaCluster, config::SchedulerConfig, scheduler_process::start_server};
use base::{Error, Result};

use crate::engine::{config, state, state_of};

/// Seconds after which an executor that is silent counts as lost, and its work is given to another.
const LOST_AFTER: u64 = 15;

/// Seconds between two signs of life.
const HEARTBEAT: u64 = 3;

/// Where an executor listens and keeps what it works on.
#[derive(Debug, Clone)]
pub struct Executor {
    /// Its address, for results; for tasks it listens one port above.
    pub listen: SocketAddr,
    /// Its scheduler.
    pub scheduler: SocketAddr,
    /// A folder for what does not fit into memory.
    pub work: PathBuf,
    /// Buckets at a time.
    pub cores: usize,
    /// The most bytes of memory for all of them.
    pub memory: u64,
}

/// Serves as the scheduler until the process ends.
///
/// # Errors
/// The address is taken.
pub async fn run_scheduler(listen: SocketAddr) -> Result<()> {
    let configuration = SchedulerConfig {
        bind_host: listen.ip().to_string(),
        bind_port: listen.port(),
        external_host: listen.ip().to_string(),
        executor_timeout_seconds: LOST_AFTER,
        expire_dead_executor_interval_seconds: HEARTBEAT,
        override_session_builder: Some(Arc::new(|config| Ok(state_of(config)))),
        override_config_producer: Some(Arc::new(config)),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&configuration).await;
    let cluster = cluster.map_err(Error::internal)?;
    let served = start_server(cluster, listen, Arc::new(configuration)).await;
    served.map_err(Error::internal)
}

/// Works until the process ends.
///
/// # Errors
/// The address is taken, or the scheduler does not answer.
pub async fn run_executor(executor: Executor) -> Result<()> {
    let configuration = ExecutorProcessConfig {
        bind_host: executor.listen.ip().to_string(),
        external_host: Some(executor.listen.ip().to_string()),
        port: executor.listen.port(),
        grpc_port: executor.listen.port() + 1,
        scheduler_host: executor.scheduler.ip().to_string(),
        scheduler_port: executor.scheduler.port(),
        scheduler_connect_timeout_seconds: 30,
        executor_heartbeat_interval_seconds: HEARTBEAT,
        vcores: executor.cores,
        memory_pool_size: Some(executor.memory),
        work_dir: Some(executor.work.display().to_string()),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&state()))),
        override_config_producer: Some(Arc::new(config)),
        ..ExecutorProcessConfig::default()
    };
    let worked = start_executor_process(Arc::new(configuration)).await;
    worked.map_err(Error::internal)
}
