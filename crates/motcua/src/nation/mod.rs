//! The demonstration nation: nine members of a federation, each a process of its own with its own data, keys and ports, and the
//! agencies' own systems behind them. What happens between them goes through the use cases and addresses of production; this
//! process only plays the officers who approve, and the clerks who ask. One invented country is in the registries of the nodes and
//! in the agencies' systems.

mod agencies;
mod child;
mod folder;
mod joining;
mod links;
mod offering;
mod office;
mod officers;
mod plan;
mod populate;
mod traffic;

#[cfg(test)]
pub use populate::land;

use std::{collections::BTreeMap, fmt::Write as _, fs, pin::pin, process::ExitStatus, sync::Arc, time::Duration};

use anyhow::Context as _;
use futures::future::{join_all, select_all, try_join_all};
use identity::DemoRole;
use indicatif::ProgressBar;
use tokio::task::{AbortHandle, JoinSet};

use self::{
    agencies::Country,
    child::Child,
    folder::{Folder, NodeFolder},
    offering::Offices,
    office::Office,
    plan::{OPERATOR, PROVINCE},
    traffic::Traffic,
};
use crate::{cli::say, demo, serve};

/// Persons in the country, if not said otherwise.
const PERSONS: u32 = 1_000;
/// Calls a second that the agencies make, if not said otherwise.
const RATE: f64 = 3.0;
/// How long a call of this process may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// One-click sign-in, by node and role.
type Links = BTreeMap<&'static str, Vec<(DemoRole, String)>>;

/// Makes the nation if there is none, and runs it until asked to stop.
///
/// # Errors
/// The folder or a port cannot be used, or a node does not start.
pub async fn run(args: &demo::Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.database.is_none() && args.oidc.is_none(),
        "each node of the nation has a database of its own: leave out --database, MOTCUA_DATABASE and --oidc"
    );
    let folder = Folder::at(&args.folder())?;
    if args.fresh {
        folder.clear()?;
    }
    folder.settle(args.port, args.persons.unwrap_or(PERSONS))?;
    let mut asked = pin!(serve::asked_to_stop());
    let nation = tokio::select! {
        started = Nation::start(folder, args) => started?,
        () = &mut asked => return Ok(()),
    };
    say(&nation.welcome()?)?;
    nation.run(asked).await
}

/// The nation while it runs.
struct Nation {
    nodes: Vec<NodeFolder>,
    links: Links,
    children: Vec<Child>,
    /// The agencies' systems.
    systems: JoinSet<std::io::Result<()>>,
    _beside: Vec<Aborted>,
}

/// Ends a task when it is dropped.
struct Aborted(AbortHandle);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Nation {
    async fn start(folder: Folder, args: &demo::Args) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let (nodes, listening) = (folder.nodes()?, folder.systems()?);
        let first = !folder.is_complete();
        let node_of = |wanted: &str| {
            let found = nodes.iter().find(|node| node.agency.folder == wanted);
            found.with_context(|| format!("{wanted} is not in the plan"))
        };
        let (operator, province) = (node_of(OPERATOR)?, node_of(PROVINCE)?);
        let persons = listening.persons;
        let land = Arc::new(tokio::task::spawn_blocking(move || populate::land(persons)).await??);
        if first {
            joining::found(operator)?;
            for node in &nodes {
                joining::keys(node)?;
            }
            populate::populate(&folder, &nodes, &land).await?;
            // In the town's past the fire police answered at its own node and nobody asked registries: theirs did not exist yet.
            let mut past = province.config.clone();
            if let Some(exchange) = &mut past.exchange {
                exchange.registries.clear();
            }
            past.dossiers.consulted = demo::furnished(&demo::Args::default())?.dossiers.consulted;
            let town = demo::build(past, args.dossiers).await?;
            // The reads of its past become leaves now; those that do not come to it, when its node starts.
            let _ = town.identity.catch_up_reads(PATIENCE).await;
            town.store.close().await;
        }

        let grants: Vec<_> = links::all()
            .into_iter()
            .filter_map(|link| Some((link.basis?, link)))
            .collect();
        let mut work = nodes.len() * 2;
        if first {
            work += nodes.len() * 2 + grants.len();
        }
        let bar = demo::bar(work as u64, "Các nút / nodes");
        let (links, offices) = prepare(&nodes, first, &http, &bar).await?;

        let mut head = Child::spawn(operator.clone())?;
        head.ready(&http).await?;
        if first {
            let office = offices.get(OPERATOR).context("the operator has no key")?;
            let meeting = joining::meet(operator).await?;
            for node in &nodes {
                joining::join(node, meeting.clone(), operator, office).await?;
                bar.inc(1);
            }
            // It takes part in the exchange from its next start on.
            head.stop().await?;
            head = Child::spawn(operator.clone())?;
            head.ready(&http).await?;
        }
        bar.inc(1);
        let others = nodes.iter().filter(|node| node.agency.folder != OPERATOR).cloned();
        let mut others = others.map(Child::spawn).collect::<anyhow::Result<Vec<_>>>()?;
        try_join_all(others.iter_mut().map(async |child| {
            child.ready(&http).await?;
            bar.inc(1);
            anyhow::Ok(())
        }))
        .await?;

        let country = tokio::task::spawn_blocking(move || Arc::new(Country::of(&land))).await?;
        let systems = agencies::serve(&country, &listening).await?;
        if first {
            let describe = |service: &str| agencies::document(&country, service);
            try_join_all(nodes.iter().map(async |node| {
                let office = offices.get(node.agency.folder).context("a node without a key")?;
                offering::register(node, office, &listening, &describe).await?;
                bar.inc(1);
                anyhow::Ok(())
            }))
            .await?;
            try_join_all(grants.iter().map(async |(basis, link)| {
                offering::grant(link, basis, &offices).await?;
                bar.inc(1);
                anyhow::Ok(())
            }))
            .await?;
            folder.complete()?;
        }
        bar.finish_and_clear();

        let mut beside = Vec::new();
        if first {
            let approving = tokio::spawn(offering::approve_subscriptions(offices));
            beside.push(Aborted(approving.abort_handle()));
        }
        let traffic = clerks(&nodes, country, http, args.traffic.unwrap_or(RATE));
        beside.push(Aborted(tokio::spawn(traffic.run()).abort_handle()));
        let mut children = vec![head];
        children.append(&mut others);
        Ok(Self {
            nodes,
            links,
            children,
            systems,
            _beside: beside,
        })
    }

    /// Waits until asked to stop, names a node that dies, and stops the others.
    async fn run(mut self, mut asked: impl Future<Output = ()> + Unpin) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = &mut asked => break,
                (child, status) = ended(&mut self.children) => {
                    let child = self.children.remove(child);
                    let _ = fs::remove_file(child.node.pid());
                    let (vi, en) = child.node.agency.name;
                    say(&format!(
                        "Nút {vi} đã dừng ({status}); xem {log}\nThe node of {en} has ended ({status}); see {log}\n",
                        log = child.node.log().display(),
                    ))?;
                }
                Some(end) = self.systems.join_next() => {
                    end?.context("a system of an agency")?;
                }
            }
        }
        say("Đang dừng các nút… / stopping the nodes…\n")?;
        let stopped = join_all(self.children.into_iter().map(Child::stop)).await;
        stopped.into_iter().collect()
    }

    /// Where everything is, for the terminal.
    fn welcome(&self) -> anyhow::Result<String> {
        let mut out = String::new();
        for node in &self.nodes {
            let (vi, en) = node.agency.name;
            writeln!(out, "\n{vi} / {en}: {}", node.site())?;
            for (role, link) in self.links.get(node.agency.folder).into_iter().flatten() {
                writeln!(out, "  {:<22} {link}", role.label().vi)?;
            }
        }
        let site = self
            .nodes
            .iter()
            .find(|node| node.agency.folder == PROVINCE)
            .map_or("", NodeFolder::site);
        writeln!(out, "\nBản đồ liên thông trực tiếp / live map: {site}/exchange/map")?;
        writeln!(out, "Ctrl+C để dừng / to stop")?;
        Ok(out)
    }
}

/// The first child that ends, and how; never, when there is none.
async fn ended(children: &mut [Child]) -> (usize, String) {
    if children.is_empty() {
        return std::future::pending().await;
    }
    let waiting = children.iter_mut().map(|child| Box::pin(child.ended()));
    let (status, n, _) = select_all(waiting).await;
    (
        n,
        status.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string()),
    )
}

/// Officers, their one-click links and, at the first start, keys for their programs.
async fn prepare(
    nodes: &[NodeFolder],
    first: bool,
    http: &reqwest::Client,
    bar: &ProgressBar,
) -> anyhow::Result<(Links, Offices)> {
    let (mut links, mut offices) = (Links::new(), Offices::new());
    for node in nodes {
        let prepared = officers::prepare(node, first).await?;
        links.insert(node.agency.folder, prepared.links);
        if let Some(key) = prepared.key {
            offices.insert(node.agency.folder, Office::new(node.url(), key, http.clone()));
        }
        bar.inc(1);
    }
    Ok((links, offices))
}

/// Those who call all day.
fn clerks(nodes: &[NodeFolder], country: Arc<Country>, http: reqwest::Client, rate: f64) -> Traffic {
    Traffic {
        edges: nodes
            .iter()
            .map(|node| (node.agency.folder, node.exchange().edge))
            .collect(),
        country,
        rate,
        http,
    }
}
