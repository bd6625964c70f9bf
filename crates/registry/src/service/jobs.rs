//! Deferred work.

use serde::{Deserialize, Serialize};
use store::jobs::Runner;
use uuid::Uuid;

use super::Registries;
use crate::{
    linking::files::{FILE, FORGET_FILE},
    model::RegistryCode,
};

/// A registry has new versions of records; at most one waits for each registry.
pub const CHANGED: &str = "registry.changed";

/// The records of a registry are found by other fields, or by another key.
pub const REINDEX: &str = "registry.reindex";

/// Records of a registry changed: are there others that may speak of the same?
pub const LINK: &str = "registry.link";

/// Which piece of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reindex {
    /// The registry.
    pub registry: RegistryCode,
    /// The records after this one.
    pub after: Option<Uuid>,
}

/// Which.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Changed {
    /// The registry.
    pub registry: RegistryCode,
}

/// Teaches a runner the jobs of registries.
pub fn handlers(runner: Runner, registries: &Registries) -> Runner {
    let (changed, reindex, link) = (registries.clone(), registries.clone(), registries.clone());
    let (file, forget) = (registries.clone(), registries.clone());
    runner
        .on(CHANGED, move |run| {
            let registries = changed.clone();
            async move {
                let Changed { registry } = run.payload()?;
                registries.order_linking(&run, &registry).await?;
                registries.keep_some_leaves(&run, &registry).await
            }
        })
        .on(REINDEX, move |run| {
            let registries = reindex.clone();
            async move {
                let Reindex { registry, after } = run.payload()?;
                registries.reindex(&run, &registry, after).await
            }
        })
        .on(LINK, move |run| {
            let registries = link.clone();
            async move {
                let Changed { registry } = run.payload()?;
                registries.link(&run, &registry).await
            }
        })
        .on(FILE, move |run| {
            let registries = file.clone();
            async move { registries.compare_file(&run, &run.payload()?).await }
        })
        .on(FORGET_FILE, move |run| {
            let registries = forget.clone();
            async move { registries.forget_file(&run, &run.payload()?).await }
        })
}
