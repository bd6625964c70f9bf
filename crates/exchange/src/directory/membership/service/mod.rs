//! The use cases of membership. What an officer does needs [`Permission::ManageDirectory`]; what a member does is signed
//! by its key.

mod apply;
mod decide;
mod entry;
mod members;
mod refusals;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use ::store::{Read, Store, transact};
use base::{Error, Result, Text, Timestamp};
use identity::{Ctx, Permission, Scope};
use trust::{Authority, Certificate, KeyId, PublicKey, ca};

pub use apply::{Answer, Standing as ApplicationStanding};
pub use decide::{Application, Approve, Invitation, Invite};
pub use entry::{Changed, EntryRequest};
pub use members::{Act, CertificateInfo, Registered, Revoke, reason_of};

use super::store as tables;
use crate::{
    directory::{Due, Publisher, anchors::pem},
    model::{
        federation::{AnchorEntry, Directory, Member, WitnessEntry},
        identifier::{MemberId, Part},
    },
};

/// How the federation is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the federation.
    pub name: Text,
    /// CAs of members, beside the built-in one.
    pub anchors: Vec<AnchorEntry>,
    /// Who cosigns the logs.
    pub witnesses: Vec<WitnessEntry>,
    /// How many witnesses a checkpoint must have.
    pub quorum: usize,
    /// Whether only the invited may apply.
    pub invitation_only: bool,
    /// For how many days certificates are valid, at most [`ca::LONGEST_DAYS`].
    pub certificate_days: u16,
}

/// The use cases, and all they need. Cheap to clone.
#[derive(Clone)]
pub struct Membership(Arc<Inner>);

struct Inner {
    store: Store,
    publisher: Arc<Publisher>,
    authority: Authority,
    settings: Settings,
    publishing: tokio::sync::Mutex<()>,
}

/// How far publication is behind what was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    /// Whether the newest decision is in an edition.
    pub current: bool,
    /// The number of the next edition.
    pub next: u64,
}

impl Membership {
    /// Opens the register, and publishes an edition if there is none or the settings are not those of the newest.
    ///
    /// # Errors
    /// The database or the publisher failed.
    pub async fn open(
        store: Store,
        publisher: Arc<Publisher>,
        authority: Authority,
        settings: Settings,
    ) -> Result<Self> {
        transact!(store, |tx| { tables::begin(&tx).await })?;
        let membership = Self(Arc::new(Inner {
            store,
            publisher,
            authority,
            settings,
            publishing: tokio::sync::Mutex::default(),
        }));
        let news = membership.settings_are_news().await?;
        membership.publish(news).await?;
        Ok(membership)
    }

    /// What signs and writes editions.
    pub fn publisher(&self) -> &Arc<Publisher> {
        &self.0.publisher
    }

    /// Keeps the folder current for as long as it is polled: signs anew in time, and publishes what a failure left behind.
    pub async fn keep(self) {
        let validity = self.0.publisher.validity().timestamp;
        let tick = Duration::from_secs(u64::try_from(validity / 10).unwrap_or(1).clamp(1, 30));
        loop {
            tokio::time::sleep(tick).await;
            if let Err(error) = self.tick().await {
                tracing::error!(%error, "the directory could not be signed");
            }
        }
    }

    /// One turn of [`Membership::keep`].
    ///
    /// # Errors
    /// The database or the publisher failed; the next turn tries again.
    pub async fn tick(&self) -> Result<()> {
        self.publish_what_waits().await?;
        let publisher = Arc::clone(&self.0.publisher);
        blocking(move || publisher.renew()).await??;
        Ok(())
    }

    /// How far publication is.
    ///
    /// # Errors
    /// `Forbidden` without [`Permission::ManageDirectory`].
    pub async fn publication(&self, ctx: &Ctx) -> Result<Publication> {
        require(ctx)?;
        let state = tables::state(&self.0.store.read()).await?;
        Ok(Publication {
            current: state.published >= state.revision,
            next: self.0.publisher.next_version(),
        })
    }

    /// Whether the newest edition says otherwise than the settings.
    async fn settings_are_news(&self) -> Result<bool> {
        let publisher = Arc::clone(&self.0.publisher);
        let newest = blocking(move || publisher.newest()).await??;
        let settings = &self.0.settings;
        Ok(newest.is_some_and(|newest| {
            let said = newest.directory();
            // The first anchor is the built-in CA.
            said.name != settings.name
                || said.anchors.get(1..) != Some(&settings.anchors[..])
                || said.witnesses != settings.witnesses
                || said.quorum != settings.quorum
        }))
    }

    async fn publish_what_waits(&self) -> Result<()> {
        self.publish(false).await
    }

    /// Publishes what was decided since the newest edition; also if nothing was, for `news`.
    async fn publish(&self, news: bool) -> Result<()> {
        let _one = self.0.publishing.lock().await;
        // Before the members: what changes in between is published once more.
        let state = tables::state(&self.0.store.read()).await?;
        if !news && state.published >= state.revision && self.0.publisher.due() != Due::Edition {
            return Ok(());
        }
        let now = self.0.publisher.now();
        let directory = self.directory(now).await?;
        let inner = Arc::clone(&self.0);
        let revoked = self.revocations(now).await?;
        blocking(move || {
            let (number, valid) = (inner.publisher.next_version(), inner.publisher.validity().edition);
            let list = inner.authority.revocation_list(&revoked, number, now, valid)?;
            inner.publisher.publish(Directory {
                revocations: vec![pem("X509 CRL", list.der())],
                ..directory
            })?;
            Ok::<_, Error>(())
        })
        .await??;
        transact!(self.0.store, |tx| { tables::published(&tx, state.revision).await })
    }

    /// After a decision was stored: publishes it at once. A failure is not the decider's to mend; [`Membership::keep`]
    /// tries again, and the pages say that it waits.
    async fn publish_soon(&self) {
        if let Err(error) = self.publish_what_waits().await {
            tracing::error!(%error, "the directory could not be published");
        }
    }

    async fn directory(&self, now: Timestamp) -> Result<Directory> {
        let settings = &self.0.settings;
        let mut members = BTreeMap::new();
        for row in tables::members(&self.0.store.read()).await? {
            let member: Member = serde_json::from_str(&row.entry)?;
            members.insert(member.id.clone(), member);
        }
        let own = AnchorEntry {
            certificate: self.0.authority.certificate().to_pem(),
            members: vec![],
        };
        Ok(Directory {
            instance: self.0.publisher.instance(),
            name: settings.name.clone(),
            version: self.0.publisher.next_version(),
            issued: now,
            anchors: [own].into_iter().chain(settings.anchors.iter().cloned()).collect(),
            revocations: vec![],
            members: members.into_values().collect(),
            witnesses: settings.witnesses.clone(),
            quorum: settings.quorum,
        })
    }

    async fn revocations(&self, now: Timestamp) -> Result<Vec<ca::Revocation>> {
        let rows = tables::revoked(&self.0.store.read(), now).await?;
        let entries = rows.into_iter().filter_map(|row| {
            Some(ca::Revocation {
                at: Timestamp::from_micros(row.revoked_at?),
                invalid_since: row.invalid_since.map(Timestamp::from_micros),
                reason: reason_of(row.reason.as_deref()?)?,
                serial: row.serial_number,
            })
        });
        Ok(entries.collect())
    }

    async fn issue(
        &self,
        request: trust::CertificateRequest,
        approval: ca::Approval,
        now: Timestamp,
    ) -> Result<Certificate> {
        let authority = self.0.authority.clone();
        Ok(blocking(move || authority.issue(&request, &approval, now)).await??)
    }

    fn instance(&self) -> Part {
        self.0.publisher.instance()
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Membership({:?})", self.0.publisher)
    }
}

fn require(ctx: &Ctx) -> Result<()> {
    ctx.require(Permission::ManageDirectory, &Scope::Anywhere)
}

/// An entry as it stands in the tables.
struct Entry {
    member: Member,
    /// As it was read, for the comparison when it is written.
    text: String,
    version: i64,
    last_change: Option<String>,
}

impl Entry {
    async fn find(db: &impl Read, member: &MemberId) -> Result<Option<Self>> {
        let Some(row) = tables::member(db, &member.to_string()).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            member: serde_json::from_str(&row.entry)?,
            text: row.entry,
            version: row.version,
            last_change: row.last_change,
        }))
    }
}

/// The keys of a member's gateways that are believed now, with the gateway of each.
async fn current_keys(db: &impl Read, member: &Member) -> Result<Vec<(Part, PublicKey)>> {
    let listed: BTreeMap<KeyId, &Part> = member
        .gateways
        .iter()
        .flat_map(|gateway| gateway.keys.iter().map(move |key| (*key, &gateway.code)))
        .collect();
    let mut keys = Vec::new();
    for row in tables::standing_certificates(db, &member.id.to_string()).await? {
        for certificate in Certificate::chain_from_pem(&row.pem)? {
            if let Some(gateway) = listed.get(&certificate.key_id()) {
                keys.push(((*gateway).clone(), certificate.public_key()?));
            }
        }
    }
    Ok(keys)
}

/// Signing and writing take their time.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}
