//! Filling the registries of the nodes with one country, in which the people of the demonstration live.

use std::sync::Arc;

use anyhow::Context as _;
use base::{Clock as _, codes::Sex, time::SystemClock};
use country::{Day, Options, Part};
use futures::future::try_join_all;

use super::folder::NodeFolder;
use crate::{
    demo::people::{self, Known},
    node::{MIGRATIONS, Node, open_store},
    populate::{Land, load},
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
pub fn land(persons: u32) -> anyhow::Result<Land> {
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
    Land::make(options, &[citizen, business])
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

/// Publishes the registries of the nodes and fills them, if that was not done before. The nodes must not be running.
///
/// # Errors
/// A database cannot be used, or a record does not pass the rules of its registry.
pub async fn populate(nodes: &[NodeFolder], land: &Arc<Land>) -> anyhow::Result<()> {
    let keeps = |node: &&NodeFolder| node.agency.registries().next().is_some() && !node.is_populated();
    try_join_all(nodes.iter().filter(keeps).map(|node| fill(node, land))).await?;
    Ok(())
}

async fn fill(node: &NodeFolder, land: &Arc<Land>) -> anyhow::Result<()> {
    let store = open_store(&node.config).await?;
    store.migrate(MIGRATIONS, SystemClock.now()).await?;
    let opened = Node::open(node.config.clone(), store).await?;
    let (agency, land, registries) = (node.agency, Arc::clone(land), opened.registries.clone());
    // Judging records is work for the processor: the nodes' go side by side.
    let filling = tokio::spawn(async move {
        for registry in agency.registries() {
            let loaded = load(&registries, &registry.parse()?, &land.records(registry)).await;
            loaded.with_context(|| format!("filling {registry}"))?;
        }
        anyhow::Ok(())
    });
    filling.await??;
    opened.store.close().await;
    node.populated()
}
