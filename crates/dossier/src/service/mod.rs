//! Use cases. Permission is judged here, so that a page and the API cannot differ.

mod contesting;
mod copies;
mod documents;
mod drafts;
mod figures;
mod filing;
mod finding_out;
mod handling;
mod jobs;
mod leaves;
mod notices;
mod once;
mod reading;
mod secret;
mod uploads;
mod writing;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use base::{
    Calendar, Error, Result,
    codes::{AgencyCode, DossierCodePattern},
};
use identity::IdentityState;
use ledger::Ledgers;
use procedure::{
    package::{ExecutingLevel, Package},
    reference::Reference,
    shelf::Shelf,
};
use registry::{contest::Contest, keeper::Keeper, lookup::Lookup};
use serde::{Deserialize, Serialize};
use store::Store;

pub use drafts::{DraftView, PaperView};
pub use figures::DossierFigures;
pub use filing::{Filed, Filing, FilingPaper};
pub use handling::Done;
pub(crate) use handling::{any_of, no_dossier};
pub use jobs::{CHANGED, DOCUMENT, handlers};
pub use leaves::{EntryProof, LeafSays, PROOFS_FORMAT, Proofs};
pub use notices::NoticeItem;
pub use once::{Check, LONGEST_DOUBT, Outcome};
pub use reading::{
    COUNTED, ConsultationItem, DossierItem, DossierView, HistoryLine, Holder, PAGE, Queue, QueueItem, QueueQuery,
    Slice, StoredFile, TaskView, Tracking, WATCHED, Watch, WatchItem,
};
pub(crate) use reading::{bad_cursor, minutes_left, question, silence};
pub(crate) use uploads::Rule;
pub use uploads::{LARGEST_PIECE, UploadFor, UploadState};
pub use writing::WriteView;

pub use crate::store::{
    drafts::{Draft, DraftId},
    lists::Filter,
    uploads::Upload,
};
use crate::{
    consult::{Consulted, Exchange},
    model::state::{OpenTask, Rules, State},
    proposal::Proposing,
};

/// What a node decides about its dossiers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The pattern of dossier codes.
    pub code_pattern: DossierCodePattern,
    /// Which agency decides the procedures of each level: `commune = "H42.28"`.
    pub agencies: BTreeMap<String, String>,
    /// Which agency stands behind a symbolic name of a package: `fire-police = "G01.42.7"`, or
    /// `fire-police = { system = "VN/GOV/000.00.00.G01/motcua", agency = "G01.42.7" }` where it has a node of its own.
    pub consulted: BTreeMap<String, Consulted>,
    /// Names of agencies, for documents and pages.
    pub agency_names: BTreeMap<String, String>,
    /// The place that documents are dated at.
    pub place: String,
    /// Where people reach this node, without a slash at the end.
    pub public_url: String,
    /// The largest file that may be uploaded, bytes. A package may ask for less.
    pub largest_upload: u64,
    /// The key of tracking secrets.
    #[serde(skip)]
    pub secret_key: [u8; 32],
}

impl Default for Config {
    fn default() -> Self {
        Self {
            code_pattern: DossierCodePattern::parse(DossierCodePattern::CIRCULAR_01_2018)
                .unwrap_or_else(|_| unreachable!("a constant pattern that a test reads")),
            agencies: BTreeMap::new(),
            consulted: BTreeMap::new(),
            agency_names: BTreeMap::new(),
            place: String::new(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            largest_upload: 50 << 20,
            secret_key: [0; 32],
        }
    }
}

/// The use cases of dossiers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dossiers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    shelf: Shelf,
    reference: Arc<Reference>,
    identity: IdentityState,
    config: Config,
    calendar: RwLock<Arc<Calendar>>,
    filings: filing::Filings,
    ledgers: OnceLock<Ledgers>,
    exchange: OnceLock<Exchange>,
    lookup: OnceLock<Arc<dyn Lookup>>,
    keeper: OnceLock<Arc<dyn Keeper>>,
    contest: OnceLock<Arc<dyn Contest>>,
    proposing: OnceLock<Proposing>,
}

impl Dossiers {
    /// Puts the use cases together.
    pub fn new(
        store: Store,
        shelf: Shelf,
        reference: Arc<Reference>,
        calendar: Calendar,
        identity: IdentityState,
        config: Config,
    ) -> Self {
        let calendar = RwLock::new(Arc::new(calendar));
        Self(Arc::new(Inner {
            store,
            shelf,
            reference,
            identity,
            config,
            calendar,
            filings: filing::filings(),
            ledgers: OnceLock::new(),
            exchange: OnceLock::new(),
            lookup: OnceLock::new(),
            keeper: OnceLock::new(),
            contest: OnceLock::new(),
            proposing: OnceLock::new(),
        }))
    }

    /// The packages.
    pub fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    /// Provinces, communes, agencies.
    pub fn reference(&self) -> &Reference {
        &self.0.reference
    }

    /// What the node decided.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The working-day calendar in force.
    pub fn calendar(&self) -> Arc<Calendar> {
        Arc::clone(&self.0.calendar.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another calendar into force; due dates are derived from it from now on.
    pub fn set_calendar(&self, calendar: Calendar) {
        *self.0.calendar.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(calendar);
    }

    /// The name of an agency, or its code.
    pub fn agency_name<'a>(&'a self, code: &'a str) -> &'a str {
        self.0.config.agency_names.get(code).map_or(code, String::as_str)
    }

    /// From now on agencies with nodes of their own are spoken with by this.
    pub fn join(&self, exchange: Exchange) {
        // Joined once, by whoever serves.
        let _ = self.0.exchange.set(exchange);
    }

    pub(crate) fn exchange(&self) -> Option<&Exchange> {
        self.0.exchange.get()
    }

    /// From now on people are proposed to by these rules.
    pub fn propose_by(&self, proposing: Proposing) {
        // Said once, by whoever serves.
        let _ = self.0.proposing.set(proposing);
    }

    pub(crate) fn proposing(&self) -> Option<&Proposing> {
        self.0.proposing.get()
    }

    pub(crate) fn lookup(&self) -> Option<&Arc<dyn Lookup>> {
        self.0.lookup.get()
    }

    pub(crate) fn keeper(&self) -> Option<&Arc<dyn Keeper>> {
        self.0.keeper.get()
    }

    pub(crate) fn identity(&self) -> &IdentityState {
        &self.0.identity
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn rules<'a>(&'a self, package: &'a Package, calendar: &'a Calendar) -> Rules<'a> {
        Rules {
            package,
            calendar,
            units: &self.0.reference.units,
        }
    }

    /// The name of the agency that receives and decides dossiers of a package.
    ///
    /// # Errors
    /// The configuration names no agency, or not one.
    pub fn receiving_agency(&self, package: &Package) -> Result<String> {
        let code = self.deciding_agency(package)?;
        Ok(self.agency_name(&code.to_string()).to_owned())
    }

    /// The agency that decides dossiers of a package.
    fn deciding_agency(&self, package: &Package) -> Result<AgencyCode> {
        let level = match package.meta.executing_level {
            ExecutingLevel::Commune => "commune",
            ExecutingLevel::Province => "province",
            ExecutingLevel::Ministry => "ministry",
            ExecutingLevel::Agency => "agency",
        };
        let agencies = &self.0.config.agencies;
        let code = agencies
            .get(&package.id.code)
            .or_else(|| agencies.get(level))
            .or_else(|| agencies.values().next());
        let code = code.ok_or_else(|| Error::internal("no agency decides anything here: see [dossiers.agencies]"))?;
        code.parse()
            .map_err(|_| Error::internal(format!("not an agency code: {code}")))
    }

    /// The agency that proposes a procedure, which may have no package here.
    ///
    /// # Errors
    /// The configuration names no agency, or not one.
    pub(crate) fn proposing_agency(&self, procedure: &str) -> Result<AgencyCode> {
        let agencies = &self.0.config.agencies;
        let code = agencies
            .get(procedure)
            .or_else(|| agencies.get("commune"))
            .or_else(|| agencies.values().next());
        let code = code.ok_or_else(|| Error::internal("no agency decides anything here: see [dossiers.agencies]"))?;
        code.parse()
            .map_err(|_| Error::internal(format!("not an agency code: {code}")))
    }

    /// The agency behind a symbolic name; the name itself where the node has not said, so that the question is kept
    /// and an operator can see where it went.
    pub(crate) fn consulted_agency(&self, symbol: &str) -> String {
        let known = self.0.config.consulted.get(symbol);
        known.map_or(symbol, Consulted::code).to_owned()
    }

    fn task_agency(&self, state: &State, task: &OpenTask) -> String {
        task.unit
            .as_deref()
            .map_or_else(|| state.agency.clone(), |unit| self.consulted_agency(unit))
    }
}
