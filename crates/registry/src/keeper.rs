//! Telling a registry what was decided elsewhere, at this node or by the exchange. The agency that owns the registry judges.

use std::fmt;

use base::Problems;
use futures::future::BoxFuture;
use identity::Ctx;
use procedure::writes::Plan;
use serde_json::Value;

/// The purpose under which procedures tell registries, as grants name it.
pub const PURPOSE: &str = "procedure.write";

/// How it is said that an order never came.
pub const UNKNOWN: &str = "order-unknown";

/// One write of one dossier.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The same order again has the same id, and one effect.
    pub id: String,
    /// What is done.
    pub plan: Plan,
    /// National code of the procedure: the purpose.
    pub procedure: String,
    /// Why the registry may be told (decree and article).
    pub basis: String,
    /// Code of the dossier that caused it.
    pub dossier: String,
    /// What says so, as it stands in the record.
    pub source: String,
}

/// What a registry said to an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// It is done.
    Done {
        /// The entry, as the registry names it.
        entry: String,
        /// The record as the registry holds it now; null where it ended or was taken back.
        record: Value,
    },
    /// No, and why.
    Refused(Problems),
    /// The exchange lets no order through, and why. Of one that arrived before it says nothing.
    Barred(Problems),
    /// No answer; to be asked again.
    Silent,
}

/// Somebody who tells registries. An order that was carried out before is answered as it was then.
pub trait Keeper: fmt::Debug + Send + Sync {
    /// Carries out an order.
    fn tell<'a>(&'a self, ctx: &'a Ctx, order: &'a Order) -> BoxFuture<'a, Said>;

    /// What an order became that was told and not answered. Nothing is written; where it never came ([`UNKNOWN`]), it is not carried out
    /// any more should it come late.
    fn became<'a>(&'a self, ctx: &'a Ctx, asked: &'a Asked) -> BoxFuture<'a, Said>;

    /// Takes back what an order had done: its entry never held. Said twice, it is done once.
    fn take_back<'a>(&'a self, ctx: &'a Ctx, order: &'a TakeBack) -> BoxFuture<'a, Said>;
}

/// Asking what an order became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The id of the order.
    pub order: String,
    /// The registry.
    pub registry: String,
    /// National code of the procedure.
    pub procedure: String,
    /// Code of the dossier.
    pub dossier: String,
}

/// Taking back an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeBack {
    /// The id of the order that it takes back.
    pub order: String,
    /// The registry.
    pub registry: String,
    /// The entry that the order became.
    pub entry: String,
    /// National code of the procedure.
    pub procedure: String,
    /// Code of the dossier.
    pub dossier: String,
}
