//! A timestamping authority (RFC 3161) vouches for when the log was as it is: once an hour or a day it stamps the signed note of
//! a checkpoint. The token is verified, and kept beside the log.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use ::ledger::{Log, SignedCheckpoint, Stamp};
use ::traces::{Kind, Tracer};
use anyhow::{Context as _, bail};
use base::{Clock, Text, Timestamp};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use trust::{
    Anchor, Certificate, Explained as _, Revocations, TrustStore,
    certificate::Scope,
    timestamp::{Client, Token},
};

use super::config::{Every, Timestamps};

/// How often it is looked whether a stamp is due; the first rest after a failure.
const LOOK: Duration = Duration::from_secs(5);
/// The longest rest: each failure in a row doubles it up to here.
const LONGEST_REST: Duration = Duration::from_secs(1_800);

/// The CAs in these files, for timestamps; none when there are no files.
///
/// # Errors
/// A file cannot be read, or holds what is no CA.
pub fn stampers(roots: &[PathBuf]) -> anyhow::Result<Option<TrustStore>> {
    let mut anchors = Vec::new();
    for path in roots {
        let chain = Certificate::load_chain(path).with_context(|| path.display().to_string())?;
        for certificate in chain {
            let anchor = Anchor::new(certificate, Scope::Everyone).with_context(|| path.display().to_string())?;
            anchors.push(anchor);
        }
    }
    let store = || TrustStore::new(anchors, Revocations::default());
    Ok((!roots.is_empty()).then(store))
}

/// The last stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastStamp {
    /// Entries of the tree that was stamped.
    pub size: u64,
    /// When, by the authority.
    pub time: Timestamp,
    /// The authority.
    pub authority: String,
}

/// Has a log stamped.
pub struct Stamping {
    log: Arc<Log>,
    clock: Arc<dyn Clock>,
    client: Client,
    stampers: TrustStore,
    every: Every,
    tracer: Tracer,
    state: RwLock<State>,
}

/// The last stamp, and why there was none at the last attempt.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The last one.
    pub last: Option<LastStamp>,
    /// What went wrong.
    pub problem: Option<Text>,
}

impl Stamping {
    /// Reads the CAs, and the last stamp.
    ///
    /// # Errors
    /// No CA is named or one cannot be read; the last stamp cannot be read.
    pub fn open(config: &Timestamps, log: Arc<Log>, clock: Arc<dyn Clock>, tracer: Tracer) -> anyhow::Result<Self> {
        let Some(stampers) = stampers(&config.roots).context("ledger.timestamps.roots")? else {
            bail!("ledger.timestamps.roots: name the certificates of the authority's CAs");
        };
        let last = match log.stamps().last() {
            Some(size) => log.stamped(*size)?.and_then(|stamp| last_of(&stamp, &stampers)),
            None => None,
        };
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            log,
            clock,
            client: Client::new(&config.url, http),
            stampers,
            every: config.every,
            tracer,
            state: RwLock::new(State { last, problem: None }),
        })
    }

    /// How it stands.
    pub fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The CAs of authorities that are believed.
    pub const fn stampers(&self) -> &TrustStore {
        &self.stampers
    }

    /// Has checkpoints stamped until `stop`.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut rest = LOOK;
        loop {
            match self.look().await {
                Ok(()) => rest = LOOK,
                Err(problem) => {
                    tracing::warn!(problem = problem.en, "no timestamp on the log");
                    self.state.write().unwrap_or_else(PoisonError::into_inner).problem = Some(problem);
                    rest = rest.saturating_mul(2).min(LONGEST_REST);
                }
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Has a checkpoint stamped, if one is due.
    async fn look(&self) -> Result<(), Text> {
        let now = self.clock.now();
        let last = self.state().last;
        if last
            .as_ref()
            .is_some_and(|last| self.every.of(last.time) == self.every.of(now))
        {
            return Ok(());
        }
        let Some(checkpoint) = self.to_stamp() else {
            return Ok(());
        };
        let digest = Sha256::digest(checkpoint.to_string()).into();
        let mut span = self.tracer.begin(Kind::Client, "timestamp", None);
        let token = self.client.stamp(digest, &self.stampers, now).await;
        let token = token.map_err(|error| {
            span.fail(|| error.code());
            error.text()
        })?;
        drop(span);
        let last = LastStamp {
            size: checkpoint.checkpoint().size,
            time: token.time,
            authority: token.authority,
        };
        let stamp = Stamp {
            checkpoint,
            token: token.der,
        };
        let log = Arc::clone(&self.log);
        let kept = tokio::task::spawn_blocking(move || log.stamp(&stamp)).await;
        let lost = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a timestamp could not be kept");
            Text::new("Không lưu được dấu thời gian.", "The timestamp could not be kept.")
        };
        kept.map_err(|error| lost(&error))?.map_err(|error| lost(&error))?;
        tracing::info!(size = last.size, time = %last.time, "the log was stamped");
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State {
            last: Some(last),
            problem: None,
        };
        Ok(())
    }

    /// The newest cosigned checkpoint if it has entries that no stamp covers, else the newest of all, else none.
    fn to_stamp(&self) -> Option<SignedCheckpoint> {
        let covered = self.log.stamps().last().copied().unwrap_or(0);
        let newest = [self.log.cosigned(), Some(self.log.checkpoint())];
        let mut news = newest.into_iter().flatten().filter(|c| c.checkpoint().size > covered);
        news.next().map(|checkpoint| (*checkpoint).clone())
    }
}

fn last_of(stamp: &Stamp, stampers: &TrustStore) -> Option<LastStamp> {
    let digest = Sha256::digest(stamp.checkpoint.to_string()).into();
    let token = Token::verify(&stamp.token, &digest, stampers).ok()?;
    Some(LastStamp {
        size: stamp.checkpoint.checkpoint().size,
        time: token.time,
        authority: token.authority,
    })
}
