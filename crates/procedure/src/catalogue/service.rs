//! The catalogue as the rest of the platform asks it: which procedures there are, which can be filed here, which version
//! holds on a day. Reading it needs no permission: it is public.

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use ::store::Store;
use base::{Lang, Result, Text};
use jiff::civil::Date;

use super::{
    model::{Code, Entry},
    packaged,
    search::{Index, Query, Results},
    store::{self as tables, Version},
};
use crate::{
    form::Paper,
    package::{Level, Package},
    process::{DrawOptions, OutlineStep, draw, outline},
    reference::{LifeEvent, Reference},
    shelf::Shelf,
};

/// The catalogue of this node. Cheap to clone.
#[derive(Clone)]
pub struct Catalogue(Arc<Inner>);

struct Inner {
    store: Store,
    shelf: Shelf,
    reference: Arc<Reference>,
    now: RwLock<Arc<Snapshot>>,
}

/// All that is kept in memory, as of one import; replaced whole.
#[derive(Debug)]
pub struct Snapshot {
    /// The search index of all procedures.
    pub index: Index,
    day: Date,
    mark: String,
}

impl Catalogue {
    /// Opens the catalogue: reads what was imported, builds the index. What is on `shelf` can be filed here.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn open(store: Store, shelf: Shelf, reference: Arc<Reference>, today: Date) -> Result<Self> {
        let snapshot = build(&store, &shelf, &reference, today).await?;
        Ok(Self(Arc::new(Inner {
            store,
            shelf,
            reference,
            now: RwLock::new(Arc::new(snapshot)),
        })))
    }

    /// What is in memory now. Hold it for the length of one answer.
    pub fn now(&self) -> Arc<Snapshot> {
        match self.0.now.read() {
            Ok(now) => now.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }

    /// Rebuilds the index if something was imported since, by whichever process, or if the day has changed.
    ///
    /// # Errors
    /// A failure of the database; what was in memory stays.
    pub async fn refresh(&self, today: Date) -> Result<bool> {
        let old = self.now();
        if old.day == today && old.mark == mark(&self.0.store, &self.0.shelf, today).await? {
            return Ok(false);
        }
        let snapshot = build(&self.0.store, &self.0.shelf, &self.0.reference, today).await?;
        let snapshot = Arc::new(snapshot);
        match self.0.now.write() {
            Ok(mut now) => *now = snapshot,
            Err(poisoned) => *poisoned.into_inner() = snapshot,
        }
        Ok(true)
    }

    /// A procedure in the version that holds on a day; of one that is known by name at most, what its package says.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn find(&self, code: &Code, on: Date) -> Result<Option<Entry>> {
        let published = tables::on(&self.0.store, code, on).await?;
        let package = self.package_on(code.as_str(), on);
        Ok(packaged::shown(
            published,
            package.as_deref(),
            &self.0.reference.agencies,
        ))
    }

    /// The versions of a procedure, the newest first.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn history(&self, code: &Code) -> Result<Vec<Version>> {
        tables::history(&self.0.store, code).await
    }

    /// Searches and gives what `read` makes of the results.
    ///
    /// # Errors
    /// Refused when the query's page mark is not one of ours.
    pub fn search<T>(&self, query: &Query, read: impl FnOnce(Results<'_>) -> T) -> Result<T> {
        let now = self.now();
        let results = now.index.search(query)?;
        Ok(read(results))
    }

    /// Life events, in the order of the page.
    pub fn life_events(&self) -> &[LifeEvent] {
        &self.0.reference.life_events
    }

    /// The icon of a procedure: that of the life event to which it belongs.
    pub fn icon_of(&self, code: &str) -> &'static str {
        self.now().index.life_event_of(code).map_or("document", super::icon)
    }

    /// The package under which a dossier that is received on `day` is processed.
    pub fn package_on(&self, code: &str, day: Date) -> Option<Arc<Package>> {
        self.0.shelf.on(code, day)
    }

    /// The same, for the public pages.
    pub fn offer_on(&self, code: &str, day: Date) -> Option<Offer> {
        self.package_on(code, day).map(Offer)
    }
}

impl std::fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalogue")
            .field("procedures", &self.now().index.len())
            .finish_non_exhaustive()
    }
}

/// Changes with every import and with every package that comes into force.
async fn mark(store: &Store, shelf: &Shelf, today: Date) -> Result<String> {
    let mut mark = tables::imports(store, 1)
        .await?
        .first()
        .map(|i| i.id.to_string())
        .unwrap_or_default();
    for package in shelf.all_on(today) {
        mark.push_str(&package.id.hash);
    }
    Ok(mark)
}

async fn build(store: &Store, shelf: &Shelf, reference: &Reference, today: Date) -> Result<Snapshot> {
    // The mark first: an import that ends meanwhile is seen at the next refresh.
    let mark = mark(store, shelf, today).await?;
    let mut packages: BTreeMap<String, Arc<Package>> = shelf
        .all_on(today)
        .into_iter()
        .map(|package| (package.id.code.clone(), package))
        .collect();
    let published = tables::current(store).await?;
    let mut entries: Vec<Entry> = published
        .into_iter()
        .filter_map(|entry| {
            let package = packages.remove(entry.code.as_str());
            packaged::shown(Some(entry), package.as_deref(), &reference.agencies)
        })
        .collect();
    // What is filed here and published nowhere.
    entries.extend(
        packages
            .values()
            .filter_map(|package| packaged::shown(None, Some(package), &reference.agencies)),
    );
    let index = Index::build(&entries, &reference.life_events, today, |code| {
        shelf.on(code, today).is_some()
    });
    Ok(Snapshot {
        index,
        day: today,
        mark,
    })
}

/// What the public pages show of a package.
#[derive(Debug, Clone)]
pub struct Offer(pub Arc<Package>);

impl Offer {
    /// Its version.
    pub fn version(&self) -> &str {
        &self.0.id.version
    }

    /// Why only part of it runs online (dịch vụ công trực tuyến một phần); `None` when all of it does.
    pub fn partial(&self) -> Option<Text> {
        (self.0.meta.level == Level::Partial).then(|| self.0.meta.level_reason.clone().unwrap_or_default())
    }

    /// One sentence about it.
    pub fn summary(&self) -> &Text {
        &self.0.meta.summary
    }

    /// The account that filing it online needs.
    pub fn account(&self) -> Text {
        self.0.meta.account()
    }

    /// How long it takes: the name of each case with its time. The last is the ordinary one.
    pub fn times(&self) -> Vec<(Text, Text)> {
        let cases = &self.0.meta.deadlines;
        cases.iter().rev().map(|c| (c.name.clone(), c.time())).collect()
    }

    /// What the applicant will live through.
    pub fn steps(&self) -> &[Text] {
        &self.0.meta.steps
    }

    /// The papers that its form asks for.
    pub fn papers(&self) -> &[Paper] {
        &self.0.form.papers
    }

    /// The steps of the process in words.
    pub fn outline(&self, lang: Lang) -> Vec<OutlineStep> {
        outline(&self.0.process, &DrawOptions::plain(lang))
    }

    /// The process as SVG.
    pub fn drawing(&self, lang: Lang) -> String {
        draw(&self.0.process, &DrawOptions::plain(lang))
    }
}
