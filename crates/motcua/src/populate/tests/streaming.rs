//! A country through files is the country that is in memory.

use std::sync::Arc;

use country::{Country, Options};
use registry::service::{Mask, When};
use tokio::sync::mpsc;

use super::{code, now, offices};
use crate::populate::{
    REGISTRIES, Scribe,
    stream::{Keepers, Progress, stream},
    units,
};

fn options() -> Options {
    Options {
        persons: 1_200,
        seed: 3,
        ..Options::default()
    }
}

fn of(options: Options) -> Arc<Country> {
    Arc::new(Country::new(options, units().expect("units")).expect("a country"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_country_is_told_into_files_and_taken_over_once() {
    let country = of(options());
    let scribe = Scribe::of(&country);
    let told_of: Vec<_> = country.communities().collect();
    let versions: usize = REGISTRIES
        .iter()
        .flat_map(|registry| told_of.iter().flat_map(|community| scribe.records(registry, community)))
        .map(|record| record.told.len())
        .sum();
    for registries in offices().await {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("country");
        let keepers: Keepers = REGISTRIES.map(|code| (code, registries.clone())).into();
        let (told, mut heard) = mpsc::unbounded_channel();
        let taken = stream(&keepers, &country, &folder, 2, told).await.expect("taken over");
        assert_eq!(taken, versions);
        let mut last = Vec::new();
        while let Some(progress) = heard.recv().await {
            last.push(progress);
        }
        let communities = u64::from(country.len());
        assert!(last.contains(&Progress::Telling(communities, communities)));
        assert!(
            matches!(last.last(), Some(Progress::Taking(done, of)) if done == of),
            "{last:?}"
        );

        // What is there is passed over, whatever the files say of how far it was.
        std::fs::remove_file(folder.join("population.json")).expect("removed");
        let (told, _heard) = mpsc::unbounded_channel();
        let again = stream(&keepers, &country, &folder, 2, told)
            .await
            .expect("nothing to do");
        assert_eq!(again, 0);
        let (told, _heard) = mpsc::unbounded_channel();
        let other = of(Options {
            persons: 1_300,
            ..options()
        });
        let refused = stream(&keepers, &other, &folder, 2, told)
            .await
            .expect_err("another country");
        assert!(refused.to_string().contains("another country"), "{refused}");

        let record = scribe.records("enterprises", &told_of[0]).remove(0);
        let body = record.told[0].body.as_ref().expect("a body");
        let ctx = identity::Ctx::system("test", now());
        let purpose = registry::service::Purpose::read("registry.steward", "", "").expect("a purpose");
        let key = body["tax_code"].as_str().expect("a code");
        let read = registries
            .read(&ctx, &purpose, &code("enterprises"), key, When::default(), &Mask::ALL)
            .await;
        assert_eq!(read.expect("a record").body["name"], body["name"]);
    }
}
