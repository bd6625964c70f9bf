//! What runs the statements: DataFusion within this process, or Ballista on many machines.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ballista::prelude::{SessionConfigExt as _, SessionContextExt as _};
use base::{Error, Kind, Result};
use datafusion::{
    error::DataFusionError,
    execution::{FunctionRegistry as _, SendableRecordBatchStream, SessionStateBuilder, session_state::SessionState},
    physical_plan::stream::RecordBatchReceiverStream,
    prelude::{ParquetReadOptions, SessionConfig, SessionContext},
};
use futures::StreamExt as _;

use crate::functions;

/// Where statements run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// DataFusion in this process, on all its cores.
    Here,
    /// A Ballista scheduler and an executor in this process, which speak to each other as on a network.
    Standalone,
    /// The scheduler of a cluster at this address, `host:port`.
    Cluster(String),
}

/// Something that runs statements.
pub struct Engine {
    context: SessionContext,
    tables: AtomicU64,
}

/// How long a scheduler may take to be reached.
const PATIENCE: Duration = Duration::from_secs(10);

impl Engine {
    /// Starts or reaches it.
    ///
    /// # Errors
    /// `scheduler-unreachable`; what Ballista itself says when it cannot start.
    pub async fn start(place: &Place) -> Result<Self> {
        let context = match place {
            Place::Here => SessionContext::new_with_state(state_of(settled(SessionConfig::new()))),
            Place::Standalone => SessionContext::standalone_with_state(state()).await.map_err(failed)?,
            Place::Cluster(address) => {
                reach(address).await?;
                let url = format!("df://{address}");
                SessionContext::remote_with_state(&url, state()).await.map_err(failed)?
            }
        };
        // Ballista's client begins with its own functions alone.
        for function in functions::all() {
            context.register_udf(function);
        }
        Ok(Self {
            context,
            tables: AtomicU64::new(0),
        })
    }

    /// Runs a statement over one Parquet file; it is given the name of the table.
    ///
    /// # Errors
    /// What the engine says: a file that is not there or not Parquet, a column that it lacks, executors that do not come back.
    pub async fn run(
        &self,
        file: &Path,
        statement: impl FnOnce(&str) -> String,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let table = format!("bucket_{}", self.tables.fetch_add(1, Ordering::Relaxed));
        let path = file
            .to_str()
            .ok_or_else(|| DataFusionError::Execution(format!("{} is not UTF-8", file.display())))?;
        let options = ParquetReadOptions::default();
        self.context.register_parquet(&table, path, options).await?;
        let frame = self.context.sql(&statement(&table)).await;
        // The plan holds what it needs of the table.
        self.context.deregister_table(&table)?;
        let mut batches = frame?.execute_stream().await?;
        // A task of its own: statements that are waited for by one task would share its core.
        let mut running = RecordBatchReceiverStream::builder(batches.schema(), 2);
        let found = running.tx();
        running.spawn(async move {
            while let Some(batch) = batches.next().await {
                if found.send(batch).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        Ok(running.build())
    }
}

/// A scheduler that does not answer is told at once, and not by each piece of work.
async fn reach(address: &str) -> Result<()> {
    let unreachable = |why: &dyn std::fmt::Display| {
        Error::refused(
            Kind::Unavailable,
            "scheduler-unreachable",
            format!("Không kết nối được tới bộ điều phối {address}: {why}."),
            format!("The scheduler {address} cannot be reached: {why}."),
        )
    };
    match tokio::time::timeout(PATIENCE, tokio::net::TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(unreachable(&error)),
        Err(late) => Err(unreachable(&late)),
    }
}

/// A session of Ballista that knows the functions.
pub(crate) fn state() -> SessionState {
    state_of(config())
}

pub(crate) fn config() -> SessionConfig {
    settled(SessionConfig::new_with_ballista())
}

/// A bucket is one piece of work for one core: nothing is passed between machines, and what is in memory is the bucket.
fn settled(config: SessionConfig) -> SessionConfig {
    config
        .with_target_partitions(1)
        .set_bool("datafusion.optimizer.prefer_hash_join", true)
        // Texts as the functions take them.
        .set_bool("datafusion.execution.parquet.schema_force_view_types", false)
}

pub(crate) fn state_of(config: SessionConfig) -> SessionState {
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .build();
    for function in functions::all() {
        // What the engine has under that name is replaced; it has nothing to say against it.
        let _: Result<Option<Arc<_>>, _> = state.register_udf(Arc::new(function));
    }
    state
}

pub(crate) fn failed(error: DataFusionError) -> Error {
    Error::internal(error)
}
