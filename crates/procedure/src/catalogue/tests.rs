//! Import, search, pages and API, on every database engine present.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use ::store::{Read, Store, params, testkit};
use ::view::{Page, Site};
use askama::Template as _;
use base::{Lang, Timestamp, time::FixedClock};
use jiff::civil::{Date, date};

mod importing;
mod searching;
mod showing;

use super::{
    import::{self, Options, Report},
    model::{Code, Layer, State},
    oddity::Kind,
    pages::{self, Asked},
    search::{Index, Query, Reading},
    service::Catalogue,
    store as tables,
};
use crate::{
    package::CheckOptions,
    reference::{Published, Reference, Source},
    shelf::{self, Shelf},
};

const DAY: Date = date(2026, 7, 20);

fn clock(day: Date) -> FixedClock {
    FixedClock::at(Timestamp::from_legal(day.at(9, 0, 0, 0)))
}

fn options(day: Date) -> Options {
    Options::today(&clock(day))
}

async fn load(store: &Store, files: &[PathBuf], day: Date) -> Report {
    import::import(store, &clock(day), files, &options(day), &mut |_| {})
        .await
        .expect("the database works")
}

fn published() -> Published {
    Published::from_source(&Source::embedded()).expect("the reference data are sound")
}

async fn load_own(store: &Store, day: Date) -> Report {
    import::import_reference(store, &clock(day), &published(), &options(day), &mut |_| {})
        .await
        .expect("the database works")
}

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

fn write(dir: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::File::create(&path)
        .and_then(|mut f| f.write_all(content))
        .expect("a temporary file");
    path
}

fn kinds(report: &Report, file: &str, line: u64) -> Vec<Kind> {
    report
        .findings
        .iter()
        .filter(|f| f.file == file && f.line == line)
        .map(|f| f.oddity.kind)
        .collect()
}

async fn stores() -> Vec<Store> {
    testkit::stores(&[super::MIGRATIONS, shelf::MIGRATIONS]).await
}

const HEADER: &str = "code,name,fields,executing_agencies,promulgating_agency,audiences,type,state\n";

fn reference() -> Arc<Reference> {
    Arc::new(Reference::embedded().expect("the reference data are sound"))
}

/// A shelf with these packages of the catalogue in force.
async fn shelf_with(store: &Store, codes: &[&str]) -> Shelf {
    let shelf = Shelf::open(store.clone()).await.expect("the shelf opens");
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    for code in codes {
        let now = Timestamp::from_legal(DAY.at(9, 0, 0, 0));
        let put = shelf.put_dir(&packages.join(code), &CheckOptions::default(), now).await;
        put.expect("a good package");
    }
    shelf
}

async fn own_catalogue(store: Store) -> Catalogue {
    load_own(&store, DAY).await;
    let shelf = Shelf::open(store.clone()).await.expect("the shelf opens");
    Catalogue::open(store, shelf, reference(), DAY)
        .await
        .expect("the catalogue opens")
}
