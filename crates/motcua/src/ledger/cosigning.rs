//! The witnesses of this node's log: new checkpoints go to them in the background, and what enough of them cosigned is what
//! the log shows to the world. No message and no request waits for a witness.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use ::ledger::{
    Cosigner, Ledger, Policy, SignedCheckpoint, VerifierKey,
    witness::{Answer, Channel, ChannelError, Pace, Peer, Standing, Witnesses},
};
use ::traces::{Context, Kind, Tracer};
use anyhow::{Context as _, bail};
use base::Timestamp;
use bytes::Bytes;
use exchange::{journal::DirectoryNow, model::federation::View};
use futures::future::BoxFuture;
use http::HeaderMap;
use tokio::sync::watch;

use super::config;

/// The longest answer of a witness that is read, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// Who cosigns, and how many must.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Wanted {
    witnesses: Vec<config::Witness>,
    quorum: usize,
}

impl Wanted {
    /// Those of the configuration.
    fn configured(config: &config::Ledger) -> anyhow::Result<Self> {
        for witness in &config.witnesses {
            check(witness).with_context(|| format!("ledger.witnesses: {}", witness.url))?;
        }
        let quorum = config.quorum.unwrap_or(config.witnesses.len() / 2 + 1);
        let wanted = Self {
            witnesses: config.witnesses.clone(),
            quorum: if config.witnesses.is_empty() { 0 } else { quorum },
        };
        wanted.policy(&[]).context("ledger.quorum")?;
        Ok(wanted)
    }

    /// Those of the directory but `own`: nobody vouches for themselves. One that cannot be read is left out; others are not to
    /// suffer for it.
    fn of(view: &View, own: Option<&VerifierKey>) -> Self {
        let directory = view.directory();
        let read = |entry: &exchange::model::federation::WitnessEntry| {
            let witness = config::Witness {
                url: entry.url.clone(),
                key: entry.key.parse().ok()?,
            };
            check(&witness).ok().map(|()| witness)
        };
        let others = directory.witnesses.iter().filter_map(read);
        let witnesses: Vec<_> = others.filter(|witness| Some(&witness.key) != own).collect();
        Self {
            quorum: directory.quorum.min(witnesses.len()),
            witnesses,
        }
    }

    fn policy(&self, logs: &[VerifierKey]) -> anyhow::Result<Policy> {
        let keys = self.witnesses.iter().map(|witness| witness.key.clone()).collect();
        Ok(Policy::new(logs.to_vec(), keys, self.quorum)?)
    }
}

/// A witness can be asked over HTTP, and its signatures say when.
fn check(witness: &config::Witness) -> anyhow::Result<()> {
    let address: reqwest::Url = witness.url.parse()?;
    if !matches!(address.scheme(), "http" | "https") {
        bail!("a witness is asked over http or https");
    }
    if !witness.key.algorithm().timestamped() {
        bail!("the key of a witness is of type cosignature/v1 or ML-DSA-44");
    }
    Ok(())
}

/// The witnesses of one log.
pub struct Cosigning {
    ledger: Ledger,
    configured: Wanted,
    /// This node as a witness.
    own: Option<VerifierKey>,
    directory: OnceLock<DirectoryNow>,
    calls: Calls,
    pace: Pace,
    current: RwLock<Arc<Current>>,
}

/// Those who are asked now.
struct Current {
    wanted: Wanted,
    policy: Policy,
    witnesses: Witnesses,
}

/// How it stands with the cosignatures, for people.
#[derive(Debug, Clone)]
pub struct Cosigned {
    /// Each witness.
    pub witnesses: Vec<Standing>,
    /// How many must cosign.
    pub quorum: usize,
    /// The newest checkpoint that enough of them cosigned: its size and who did.
    pub newest: Option<(u64, Vec<Cosigner>)>,
}

impl Cosigned {
    /// When the newest cosigned checkpoint got its last cosignature.
    pub fn at(&self) -> Option<Timestamp> {
        let (_, cosigners) = self.newest.as_ref()?;
        cosigners.iter().filter_map(time_of).max()
    }

    /// The witnesses that accuse the log of another history than it has now.
    pub fn accusers(&self) -> impl Iterator<Item = &Standing> {
        let accuses = |standing: &&Standing| standing.miss.as_ref().is_some_and(|miss| miss.accuses_the_log());
        self.witnesses.iter().filter(accuses)
    }
}

/// When a witness cosigned.
pub fn time_of(cosigner: &Cosigner) -> Option<Timestamp> {
    let seconds = i64::try_from(cosigner.time?).ok()?;
    Some(Timestamp::from_micros(seconds.checked_mul(1_000_000)?))
}

impl Cosigning {
    /// The witnesses of the configuration. Nobody is asked yet. `own` is the key of this node as a witness.
    ///
    /// # Errors
    /// A witness that cannot be asked, or a quorum that cannot be reached.
    pub fn new(
        config: &config::Ledger,
        ledger: Ledger,
        own: Option<VerifierKey>,
        pace: Pace,
        tracer: Tracer,
    ) -> anyhow::Result<Self> {
        let configured = Wanted::configured(config)?;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(pace.patience)
            .build()?;
        let calls = Calls { http, tracer };
        let current = Current::new(configured.clone(), &ledger, pace, &calls)?;
        Ok(Self {
            ledger,
            configured,
            own,
            directory: OnceLock::new(),
            calls,
            pace,
            current: RwLock::new(Arc::new(current)),
        })
    }

    /// From now on the witnesses of this directory are asked, unless the configuration names some.
    pub fn follow(&self, directory: DirectoryNow) {
        // A node follows one directory.
        let _ = self.directory.set(directory);
        self.refresh();
    }

    /// The witnesses as they are now: those of the configuration, or those that the directory names.
    fn refresh(&self) -> Arc<Current> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let (true, Some(directory)) = (self.configured.witnesses.is_empty(), self.directory.get()) else {
            return current;
        };
        let wanted = Wanted::of(&directory(), self.own.as_ref());
        if wanted == current.wanted {
            return current;
        }
        match Current::new(wanted, &self.ledger, self.pace, &self.calls) {
            Ok(new) => {
                let new = Arc::new(new);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
                new
            }
            Err(error) => {
                tracing::warn!(%error, "the witnesses of the directory cannot be used; the last ones go on");
                current
            }
        }
    }

    /// Whom this node believes as witnesses, and how many it asks for.
    pub fn policy(&self) -> Policy {
        self.refresh().policy.clone()
    }

    /// How it stands.
    pub fn standing(&self) -> Cosigned {
        let current = self.refresh();
        let newest = self.ledger.log.cosigned().and_then(|checkpoint| {
            let cosigners = current.policy.judge(&checkpoint).ok()?;
            (!cosigners.is_empty()).then(|| (checkpoint.checkpoint().size, cosigners))
        });
        Cosigned {
            witnesses: current.witnesses.standings(),
            quorum: current.wanted.quorum,
            newest,
        }
    }

    /// Asks until `stop`. The first time after a second: a node that starts again and again asks no more often.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut gathered = None;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(self.pace.between) => {}
            }
            gathered = Some(self.round(gathered).await);
        }
    }

    /// One look: has the latest checkpoint cosigned by those who have not yet. `before` is what the last round gathered.
    async fn round(&self, before: Option<SignedCheckpoint>) -> SignedCheckpoint {
        let current = self.refresh();
        let log = &self.ledger.log;
        let latest = log.checkpoint();
        let same = |other: &SignedCheckpoint| other.checkpoint() == latest.checkpoint();
        let checkpoint = before
            .filter(same)
            .or_else(|| Some((*log.cosigned()?).clone()).filter(same))
            .unwrap_or_else(|| (*latest).clone());
        let gathered = current.witnesses.gather(log, &checkpoint).await;
        for (witness, miss) in &gathered.missing {
            let code = miss.code();
            if miss.accuses_the_log() {
                tracing::error!(witness, code, %miss, "a witness says that this log is not what it was");
            } else {
                tracing::warn!(witness, code, %miss, "a witness did not cosign");
            }
        }
        if gathered.cosigned > 0 && current.policy.judge(&gathered.checkpoint).is_ok() {
            let (log, cosigned) = (Arc::clone(log), gathered.checkpoint.clone());
            match tokio::task::spawn_blocking(move || log.set_cosigned(cosigned)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a cosigned checkpoint could not be kept"),
                Err(error) => tracing::error!(%error, "a cosigned checkpoint could not be kept"),
            }
        }
        gathered.checkpoint
    }
}

impl Current {
    fn new(wanted: Wanted, ledger: &Ledger, pace: Pace, calls: &Calls) -> anyhow::Result<Self> {
        let policy = wanted.policy(&ledger.keys)?;
        let peer = |witness: &config::Witness| {
            let channel = Http {
                url: format!("{}/add-checkpoint", witness.url.trim_end_matches('/')),
                calls: calls.clone(),
            };
            Peer::new(witness.key.clone(), Arc::new(channel))
        };
        let witnesses = Witnesses::new(wanted.witnesses.iter().map(peer).collect(), pace);
        if let Some(cosigned) = ledger.log.cosigned() {
            witnesses.remember(&cosigned);
        }
        Ok(Self {
            wanted,
            policy,
            witnesses,
        })
    }
}

/// By what witnesses are asked.
#[derive(Clone)]
struct Calls {
    http: reqwest::Client,
    tracer: Tracer,
}

/// A witness at an address.
struct Http {
    url: String,
    calls: Calls,
}

impl Http {
    async fn ask(&self, headers: HeaderMap, body: String) -> Result<Answer, ChannelError> {
        let failed = |error: reqwest::Error| ChannelError(error.without_url().to_string());
        let request = self.calls.http.post(&self.url).headers(headers).body(body);
        let mut response = request.send().await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(ChannelError("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status().as_u16(),
            body: Bytes::from(body),
        })
    }
}

impl Channel for Http {
    fn add_checkpoint(&self, body: String) -> BoxFuture<'_, Result<Answer, ChannelError>> {
        Box::pin(async move {
            let mut span = self
                .calls
                .tracer
                .begin(Kind::Client, "witness", Context::current().as_ref());
            span.method("POST");
            let mut headers = HeaderMap::new();
            if let Some(context) = span.context() {
                context.write(&mut headers);
            }
            let answer = self.ask(headers, body).await;
            match &answer {
                Ok(answer) => span.status(answer.status),
                Err(_) => span.fail(|| "unreachable"),
            }
            answer
        })
    }
}
