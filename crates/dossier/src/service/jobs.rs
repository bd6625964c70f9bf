//! Deferred work of dossiers: timers, services, documents. Each has one effect, however often it is tried.

use base::{Error, Kind, Result};
use identity::Ctx;
use registry::contest::NEWS;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::jobs::{Run, Runner};

use super::{
    Dossiers,
    contesting::CONTEST,
    finding_out::FIND_OUT,
    notices::{DAILY, NOTICE},
    once::VERIFY,
    writing::is_writing,
};
use crate::model::{
    action::{DocumentKind, DossierId},
    command::Command,
};

/// A timer of a process is due.
pub const TIMER: &str = "dossier.timer";
/// A service task of a process is to be done.
pub const SERVICE: &str = "dossier.service";
/// A dossier has a new entry: for those who follow, many at a time ([`store::jobs::Runner::on_many`]).
pub const CHANGED: &str = "dossier.changed";
/// A document is to be made.
pub const DOCUMENT: &str = "dossier.document";

/// Payload of [`TIMER`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TimerJob {
    /// The dossier.
    pub dossier: DossierId,
    /// Token of the timer.
    pub token: u32,
}

/// Payload of [`SERVICE`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceJob {
    /// The dossier.
    pub dossier: DossierId,
    /// Token of the service task.
    pub token: u32,
    /// The service.
    pub service: String,
    /// Tries so far, where it depends on others.
    #[serde(default)]
    pub tries: u32,
    /// The write whose registry was silent at the last try: it may have it.
    #[serde(default)]
    pub unheard: Option<String>,
}

/// Payload of [`DOCUMENT`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DocumentJob {
    /// The dossier.
    pub dossier: DossierId,
    /// Which document.
    pub kind: DocumentKind,
    /// The entry of the log that called for it.
    pub cause: i64,
}

/// Payload of [`CHANGED`]: the dossier has this entry now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Changed {
    /// The dossier.
    pub dossier: DossierId,
    /// The entry.
    pub seq: i64,
}

/// Teaches a runner the jobs of dossiers.
pub fn handlers(runner: Runner, dossiers: &Dossiers) -> Runner {
    let (timers, services, documents) = (dossiers.clone(), dossiers.clone(), dossiers.clone());
    let (notices, daily, verifying) = (dossiers.clone(), dossiers.clone(), dossiers.clone());
    let (contesting, doubted, finding) = (dossiers.clone(), dossiers.clone(), dossiers.clone());
    runner
        .on(FIND_OUT, move |run| {
            let dossiers = finding.clone();
            async move { dossiers.find_out(&run, &run.payload()?).await }
        })
        .on(NEWS, move |run| {
            let dossiers = doubted.clone();
            async move { dossiers.tell_of_doubt(&run, &run.payload()?).await }
        })
        .on(CONTEST, move |run| {
            let dossiers = contesting.clone();
            async move { dossiers.contest(&run, &run.payload()?).await }
        })
        .on(NOTICE, move |run| {
            let dossiers = notices.clone();
            async move { dossiers.tell(&run, &run.payload()?).await }
        })
        .on(DAILY, move |run| {
            let dossiers = daily.clone();
            async move { dossiers.look_daily(&run).await }
        })
        .on(VERIFY, move |run| {
            let dossiers = verifying.clone();
            async move { dossiers.verify(&run, &run.payload()?).await }
        })
        .on(TIMER, move |run| {
            let dossiers = timers.clone();
            async move {
                let TimerJob { dossier, token } = run.payload()?;
                dossiers.by_platform(&run, dossier, &Command::FireTimer { token }).await
            }
        })
        .on(SERVICE, move |run| {
            let dossiers = services.clone();
            async move {
                let job: ServiceJob = run.payload()?;
                if is_writing(&job.service) {
                    return dossiers.write_registries(&run, &job).await;
                }
                let ServiceJob { dossier, token, .. } = job;
                // Documents and figures follow from the log by themselves; a service task marks the place in the process.
                dossiers
                    .by_platform(
                        &run,
                        dossier,
                        &Command::FinishService {
                            token,
                            result: Value::Bool(true),
                        },
                    )
                    .await
            }
        })
        .on(DOCUMENT, move |run| {
            let dossiers = documents.clone();
            async move {
                let DocumentJob { dossier, kind, cause } = run.payload()?;
                dossiers.make_document(&run, dossier, kind, cause).await
            }
        })
}

impl Dossiers {
    /// A command of the platform itself. What was overtaken by an officer meanwhile is done.
    pub(super) async fn by_platform(&self, run: &Run, id: DossierId, command: &Command) -> Result<()> {
        let ctx = Ctx::system("Hệ thống", run.now);
        match self.command(&ctx, id, command, None).await {
            Ok(_) | Err(Error::Refused(Kind::Conflict, _)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
