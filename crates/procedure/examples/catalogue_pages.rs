//! Renders the pages of the catalogue with the reference data (and, when files are named, with what they hold) into a
//! folder, and measures import and search. For looking and measuring; not part of the product.
//!
//! `cargo run -p procedure --example catalogue_pages -- OUT [FILE...]`

use std::{path::PathBuf, sync::Arc, time::Instant};

use base::{Lang, Timestamp, time::FixedClock};
use jiff::civil::date;
use procedure::{
    catalogue::{
        Catalogue, MIGRATIONS,
        import::{self, Options},
        preview,
        search::Query,
    },
    reference::{Published, Reference, Source},
    shelf::{self, Shelf},
};
use store::{Config, Faults, Store};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().ok_or("name a folder")?;
    let files: Vec<PathBuf> = arguments.collect();
    std::fs::create_dir_all(&out)?;
    let url = std::env::var("DATABASE").unwrap_or_else(|_| format!("sqlite:{}", out.join("catalogue.db").display()));
    let config = Config {
        url,
        connections: 4,
        blobs: out.join("blobs"),
        blob_key: [7; 32],
        faults: Faults { every: 0 },
    };
    let store = Store::open(&config).await?;
    let day = date(2026, 11, 21);
    let clock = FixedClock::at(Timestamp::from_legal(day.at(9, 0, 0, 0)));
    store
        .migrate(
            &[store::MIGRATIONS, MIGRATIONS, shelf::MIGRATIONS],
            Timestamp::from_micros(1),
        )
        .await?;
    let published = Published::from_source(&Source::embedded())?;
    let options = Options {
        retrieved: Some(date(2026, 7, 18)),
        ..Options::today(&clock)
    };
    let started = Instant::now();
    let own = import::import_reference(&store, &clock, &published, &options, &mut |_| {}).await?;
    eprintln!("reference data: {:?} in {:?}", own.counts, started.elapsed());
    let started = Instant::now();
    let report = import::import(&store, &clock, &files, &options, &mut |_| {}).await?;
    eprintln!("files: {:?} in {:?}", report.counts, started.elapsed());
    std::fs::write(out.join("report.txt"), report.text(Lang::Vi, 5))?;
    std::fs::write(out.join("report.json"), report.json()?)?;
    let started = Instant::now();
    let again = import::import(&store, &clock, &files, &options, &mut |_| {}).await?;
    eprintln!("again: {:?} in {:?}", again.counts, started.elapsed());
    let shelf = Shelf::open(store.clone()).await?;
    if let Ok(packages) = std::env::var("PACKAGES") {
        for folder in std::fs::read_dir(packages)? {
            let folder = folder?.path();
            if let Err(error) = shelf
                .put_dir(
                    &folder,
                    &procedure::package::CheckOptions::default(),
                    Timestamp::from_legal(day.at(9, 0, 0, 0)),
                )
                .await
            {
                eprintln!("{}: {error}", folder.display());
            }
        }
    }
    let started = Instant::now();
    let catalogue = Catalogue::open(store, shelf, Arc::new(Reference::embedded()?), day).await?;
    eprintln!("index of {}: {:?}", catalogue.now().index.len(), started.elapsed());
    measure(&catalogue)?;
    for lang in [Lang::Vi, Lang::En] {
        for (name, html) in preview(&catalogue, lang, Arc::new(view::Site::default()), day).await? {
            std::fs::write(out.join(format!("{name}.{}.html", lang.tag())), html)?;
        }
    }
    Ok(())
}

fn measure(catalogue: &Catalogue) -> base::Result<()> {
    let questions = [
        "",
        "khai sinh",
        "làm giấy khai sinh",
        "dang ky ket hon co yeu to nuoc ngoai",
        "1.001193",
        "cap giay chung nhan quyen su dung dat",
        "giay phep xay dung nha o",
        "th",
        "d",
        "thanh lap doanh nghiep tu nhan",
        "hai quan",
        "ngan hang",
        "nhaan nghiepp",
        "khong co gi ca zzzz",
    ];
    let mut times = Vec::new();
    for round in 0..200 {
        for question in questions {
            let query = Query {
                text: question.to_owned(),
                ..Query::default()
            };
            let started = Instant::now();
            let total = catalogue.search(&query, |r| r.total)?;
            let took = started.elapsed();
            if round == 0 {
                eprintln!("{question:>45}: {total:>5} in {took:?}");
            }
            times.push(took);
        }
    }
    times.sort();
    let at = |p: usize| times.get(times.len() * p / 1000).copied().unwrap_or_default();
    eprintln!(
        "search: p50 {:?} p99 {:?} max {:?} of {}",
        at(500),
        at(990),
        at(999),
        times.len()
    );
    Ok(())
}
