//! Filling the registries of the nodes with one country, in which the people of the demonstration live.

use std::sync::Arc;

use anyhow::Context as _;
use base::{Clock as _, codes::Sex, time::SystemClock};
use country::{Country, Day, Options, Part};

use super::folder::{Folder, NodeFolder};
use crate::{
    bar::cores,
    demo::people::{self, Known},
    node::{MIGRATIONS, Node, open_store},
    populate::{
        REGISTRIES, shown,
        stream::{Keepers, stream},
        units,
    },
};

/// The country is the same each time.
const SEED: u64 = 15;
/// The province whose people it tells of, by its code until 30 June 2025: Ninh Bình.
const HOME: u8 = 37;
/// The commune in which the people of the demonstration live: Hoa Lư.
const WARD: &str = "14329";

/// The country of the demonstration with about so many persons.
///
/// # Errors
/// The number is out of range.
pub fn land(persons: u32) -> anyhow::Result<Country> {
    let options = Options {
        seed: SEED,
        persons,
        provinces: vec![HOME],
        ..Options::default()
    };
    let (code, name) = people::COMPANY;
    let citizen = part(people::CITIZEN, Sex::Female)?;
    let business = Part {
        company: Some((code.parse()?, name)),
        ..part(people::BUSINESS, Sex::Male)?
    };
    let mut country = Country::new(options, units()?)?;
    for part in [citizen, business] {
        anyhow::ensure!(
            country.cast(&part),
            "nobody in the country fits the part of {}",
            part.name
        );
    }
    Ok(country)
}

fn part((name, number, birth): Known, sex: Sex) -> anyhow::Result<Part> {
    Ok(Part {
        name,
        number: number
            .parse()
            .map_err(|_| anyhow::anyhow!("{number} is no personal number"))?,
        sex,
        birth: Day::from(birth),
        commune: WARD,
        company: None,
    })
}

/// Publishes the registries of the nodes and fills them, if that was not done before. The nodes must not be running. What broke off goes on where
/// it was.
///
/// # Errors
/// A database cannot be used, or a record does not pass the rules of its registry.
pub async fn populate(folder: &Folder, nodes: &[NodeFolder], land: &Arc<Country>) -> anyhow::Result<()> {
    if folder.is_populated() {
        return folder.populated();
    }
    let (mut stores, mut keepers) = (Vec::new(), Keepers::new());
    for node in nodes.iter().filter(|node| node.agency.registries().next().is_some()) {
        let store = open_store(&node.config).await?;
        store.migrate(MIGRATIONS, SystemClock.now()).await?;
        let opened = Node::open(node.config.clone(), store).await?;
        for registry in node.agency.registries().filter(|code| REGISTRIES.contains(code)) {
            keepers.insert(registry, opened.registries.clone());
        }
        stores.push(opened.store);
    }
    let (progress, showing) = shown("Dân cư / people", "Cơ sở dữ liệu, MB / registries, MB")?;
    let filled = stream(&keepers, land, &folder.told(), cores(), progress).await;
    showing.await?;
    filled.context("filling the registries")?;
    for store in stores {
        store.analyze().await?;
        store.close().await;
    }
    folder.populated()
}
