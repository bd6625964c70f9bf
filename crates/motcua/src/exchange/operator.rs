//! The operator of a federation: its keys, its CA and its directory, in the folder `federation` of the data.
//!
//! `motcua node found` makes them. The keys of the root are needed again only to change keys: they are to be taken away from the
//! machine (docs/operations.md).

use std::{path::Path, sync::Arc};

use ::exchange::{
    directory::{Digest, Membership, Publisher, Quorum, Quorums, Settings, Signers, Validity},
    model::{federation::WitnessEntry, identifier::Part},
};
use anyhow::{Context as _, bail};
use base::{Clock, Timestamp};
use store::Store;
use trust::{Algorithm, Authority, Certificate, Signer, key::SigningKey};

use super::config;
use crate::config::Config;

/// The folder in the data.
const FOLDER: &str = "federation";
/// How long the CA's own certificate is valid, in days.
const CA_DAYS: u16 = 3_650;

/// Whether a federation was founded here.
pub fn is_founded(data: &Path) -> bool {
    data.join(FOLDER).join("root.key").exists()
}

/// Founds a federation; gives the fingerprint of its root, which every member compares.
///
/// # Errors
/// One was founded here before, or the folder cannot be written.
pub fn found(data: &Path, instance: &Part, now: Timestamp) -> anyhow::Result<Digest> {
    let folder = data.join(FOLDER);
    if is_founded(data) {
        bail!("a federation was founded in {} before", folder.display());
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let key = |name: &str| -> anyhow::Result<Arc<dyn Signer>> {
        let path = folder.join(format!("{name}.key"));
        let key =
            SigningKey::create(&path, Algorithm::Ed25519).with_context(|| format!("making {}", path.display()))?;
        Ok(Arc::new(key))
    };
    let (root, edition, timestamp) = (key("root")?, key("edition")?, key("timestamp")?);
    let one = |signer: &Arc<dyn Signer>| Quorum {
        threshold: 1,
        keys: vec![signer.public_key().clone()],
    };
    let quorums = Quorums {
        root: one(&root),
        edition: one(&edition),
        timestamp: one(&timestamp),
    };
    let authority = Authority::create(&format!("{instance} CA"), key("ca")?, now, CA_DAYS)?;
    let path = folder.join("ca.pem");
    std::fs::write(&path, authority.certificate().to_pem()).with_context(|| format!("writing {}", path.display()))?;
    let published = folder.join("directory");
    Ok(Publisher::found(
        &published,
        instance,
        &quorums,
        &[root],
        Validity::default(),
        now,
    )?)
}

/// Opens what [`found`] made; none if it was not.
///
/// # Errors
/// A key or the directory cannot be read, or the database failed.
pub async fn open(
    config: &Config,
    exchange: &config::Exchange,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Membership>> {
    let folder = config.data.join(FOLDER);
    if !folder.join("edition.key").exists() {
        return Ok(None);
    }
    let key = |name: &str| -> anyhow::Result<Arc<dyn Signer>> {
        let path = folder.join(format!("{name}.key"));
        let key = SigningKey::load(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Arc::new(key))
    };
    let signers = Signers {
        edition: vec![key("edition")?],
        timestamp: vec![key("timestamp")?],
    };
    let ca = Certificate::load_chain(&folder.join("ca.pem"))?;
    let ca = ca.into_iter().next().context("ca.pem is empty")?;
    let authority = Authority::open(ca, key("ca")?)?;
    let (published, now) = (folder.join("directory"), Arc::clone(clock));
    let publisher =
        tokio::task::spawn_blocking(move || Publisher::open(&published, &signers, Validity::default(), now)).await??;
    let witnesses = exchange.federation.witnesses.iter();
    if exchange.federation.quorum > witnesses.len() {
        bail!("exchange.federation.quorum: more witnesses than exchange.federation.witnesses names");
    }
    let entry = |witness: &crate::ledger::config::Witness| WitnessEntry {
        key: witness.key.to_string(),
        url: witness.url.clone(),
    };
    let settings = Settings {
        name: exchange.federation.name.clone(),
        anchors: Vec::new(),
        witnesses: witnesses.map(entry).collect(),
        quorum: exchange.federation.quorum,
        invitation_only: exchange.federation.invitation_only,
        certificate_days: exchange.federation.certificate_days,
    };
    let membership = Membership::open(store.clone(), Arc::new(publisher), authority, settings).await?;
    // Every member reads it from the first day on.
    membership.tick().await?;
    Ok(Some(membership))
}
