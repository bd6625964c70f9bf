//! Use cases of records. Permission is judged here, so that a page, the API and the exchange cannot differ; personal data are read
//! only with a [`Purpose`], and each read is in the log of reads before anything is shown.

mod allocate;
mod erase;
mod facts;
mod held;
pub(crate) mod jobs;
mod leaves;
pub(crate) mod many;
mod mask;
mod numbered;
mod order;
mod purpose;
mod query;
mod read;
mod reindex;
mod takeover;
mod veil;
pub(crate) mod write;

use std::sync::{Arc, OnceLock};

use base::{Error, Result};
use exchange::model::Meanings;
use identity::{Ctx, IdentityState, Permission, Scope};
use ledger::{Ledgers, Log};
use store::Store;

pub use facts::Fact;
pub use held::Held;
pub use jobs::{CHANGED, LINK, REINDEX, handlers};
pub use mask::Mask;
pub use numbered::{Numbered, REACH};
pub(crate) use order::merge;
pub use order::{Carried, HERE};
pub use purpose::Purpose;
pub(crate) use purpose::caused;
pub use query::{Asked, Query, Sort, Times, When};
pub use read::{ChangeView, Feed, Listed, RecordView, Slice, VersionView};
pub(crate) use read::{Told, body_of};
pub(crate) use reindex::order as reindex_order;
pub use takeover::Recorded;
pub use veil::Veil;
pub use write::{Change, Fresh, Provenance, Seen, Target, With, Written};

use crate::{
    model::{PseudonymKey, Registry, RegistryCode},
    shelf::{Editions, Shelf},
};

/// The name under which the exchange acts: its gateway has judged who may, by a grant.
pub const EXCHANGE: &str = "exchange";

base::typed_id!(
    /// One record of a registry.
    Record as RecordId
);

/// The use cases of registries. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registries(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    shelf: Shelf,
    identity: IdentityState,
    ledgers: OnceLock<Ledgers>,
    pseudonyms: OnceLock<PseudonymKey>,
    meanings: OnceLock<Meanings>,
}

impl Registries {
    /// Puts the use cases together.
    pub fn new(store: Store, shelf: Shelf, identity: IdentityState) -> Self {
        Self(Arc::new(Inner {
            store,
            shelf,
            identity,
            ledgers: OnceLock::new(),
            pseudonyms: OnceLock::new(),
            meanings: OnceLock::new(),
        }))
    }

    /// The registries, in all their versions: public.
    pub fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    /// The address of this node, without `/` at its end.
    pub(crate) fn public_url(&self) -> &str {
        self.0.identity.config().public_url.trim_end_matches('/')
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// The transparency log, once it is open.
    pub(crate) fn ledger(&self) -> Option<&Arc<Log>> {
        self.0.ledgers.get().map(|ledgers| &ledgers.present.log)
    }

    pub(crate) fn editions(&self, code: &RegistryCode) -> Result<Arc<Editions>> {
        self.0.shelf.get(code).ok_or_else(no_registry)
    }

    /// The registry in all its versions, for whom the permission holds.
    pub(crate) fn open(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        permission: Permission,
    ) -> Result<(Arc<Editions>, Arc<Registry>)> {
        let editions = self.editions(code)?;
        let registry = editions.current();
        ctx.require(permission, &Scope::Agency(registry.steward.to_string()))?;
        Ok((editions, registry))
    }

    /// The registry in all its versions, for who may read its records for this purpose.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden`; `Invalid` where the purpose needs a dossier and none is named.
    pub(crate) fn open_to_read(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        code: &RegistryCode,
    ) -> Result<(Arc<Editions>, Arc<Registry>)> {
        let (editions, registry) = self.open(ctx, code, Permission::ReadRegistry)?;
        purpose.suits(&registry)?;
        Ok((editions, registry))
    }

    /// Says what purposes mean at this node; before that, and without it, those of the program have words.
    pub fn say_purposes_by(&self, meanings: Meanings) {
        let _ = self.0.meanings.set(meanings);
    }

    pub(crate) fn meanings(&self) -> &Meanings {
        self.0.meanings.get_or_init(Meanings::default)
    }
}

fn no_registry() -> Error {
    Error::not_found("cơ sở dữ liệu", "registry")
}

fn no_record() -> Error {
    Error::not_found("bản ghi", "record")
}
