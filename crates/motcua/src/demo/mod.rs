//! The demonstration: one ward of Ninh Bình with its people, officers and a few months of dossiers. Everything goes through
//! the same use cases as in production; only the clock of the past is made up.

pub mod answers;
pub mod people;
mod town;
mod work;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context as _;
use base::{Clock as _, Text, time::SystemClock};
use dossier::consult::Consulted;
use identity::DemoRole;
use indicatif::{ProgressBar, ProgressStyle};
use procedure::{
    catalogue::import::{self, Options},
    reference::{Published, Source},
};

use crate::{
    cli::say,
    config::{Config, Database, Http, Pseudonyms, Site},
    nation,
    node::{MIGRATIONS, Node, open_store},
    serve,
};

/// The deciding agency of the demonstration: the People's Committee of Hoa Lư ward (illustrative code).
pub const WARD: &str = "H42.28";
/// The agency that the demonstration consults on fire safety (illustrative code).
pub const FIRE_POLICE: &str = "G01.42.7";
/// The agency for every other question.
pub const DEPARTMENT: &str = "H42.28.3";

/// What `motcua demo` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A whole nation instead of one town: eight agencies, each a node of its own, that ask each other.
    #[arg(long)]
    pub nation: bool,
    /// Calls a second that the nation's agencies make by themselves; 0: none.
    #[arg(long, requires = "nation")]
    pub traffic: Option<f64>,
    /// About how many persons live in the nation's country. One that was made before keeps its own.
    #[arg(long, requires = "nation", value_parser = clap::value_parser!(u32).range(500..=1_000_000))]
    pub persons: Option<u32>,
    /// Port on 127.0.0.1; 0 takes a free one. A nation that was made before keeps its own.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Folder of the data: motcua-data, or motcua-nation.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Begin anew: the folder's former contents are removed.
    #[arg(long)]
    pub fresh: bool,
    /// How many dossiers the town has filed already.
    #[arg(long, default_value_t = 160)]
    pub dossiers: usize,
    /// A PostgreSQL database instead of the embedded SQLite.
    #[arg(long, env = "MOTCUA_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// The issuer of an e-ID that plays the national one, with the client `motcua`.
    #[arg(long)]
    pub oidc: Option<String>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            nation: false,
            traffic: None,
            persons: None,
            port: 8080,
            data: None,
            fresh: false,
            dossiers: 160,
            database: None,
            oidc: None,
        }
    }
}

impl Args {
    /// The folder of the data.
    pub fn folder(&self) -> PathBuf {
        let usual = if self.nation { "motcua-nation" } else { "motcua-data" };
        self.data.clone().unwrap_or_else(|| usual.into())
    }
}

/// The configuration of the demonstration, with somebody behind every agency that a package consults.
///
/// # Errors
/// A package of this build cannot be read.
pub fn furnished(args: &Args) -> anyhow::Result<Config> {
    let mut config = config(args)?;
    map_consulted(&mut config)?;
    Ok(config)
}

/// The configuration of the demonstration.
///
/// # Errors
/// None at present; the same shape as reading a file.
pub fn config(args: &Args) -> anyhow::Result<Config> {
    let public_url = format!("http://127.0.0.1:{}", args.port);
    let oidc = args.oidc.as_ref().map(|issuer| {
        serde_json::from_value(serde_json::json!({
            "issuer": issuer, "client_id": "motcua", "client_secret": "motcua-demo-secret",
        }))
    });
    let mut dossiers = dossier::service::Config::default();
    for level in ["commune", "province", "ministry", "agency"] {
        dossiers.agencies.insert(level.to_owned(), WARD.to_owned());
    }
    for (code, name) in [
        (WARD, "Ủy ban nhân dân phường Hoa Lư"),
        (FIRE_POLICE, "Phòng Cảnh sát phòng cháy, chữa cháy và cứu nạn, cứu hộ"),
        (DEPARTMENT, "Phòng Kinh tế, Hạ tầng và Đô thị phường Hoa Lư"),
    ] {
        dossiers.agency_names.insert(code.to_owned(), name.to_owned());
    }
    dossiers.place = "Hoa Lư".to_owned();
    Ok(Config {
        data: args.folder(),
        database: Database {
            url: args.database.clone().unwrap_or_default(),
            ..Database::default()
        },
        http: Http {
            listen: SocketAddr::from(([127, 0, 0, 1], args.port)),
            ..Http::default()
        },
        site: Site {
            agency: Text::new("Phường Hoa Lư, tỉnh Ninh Bình", "Hoa Lư ward, Ninh Bình province"),
            hotline: "0229 000 0000".to_owned(),
            ..Site::default()
        },
        identity: identity::Config {
            public_url,
            demo: true,
            oidc: oidc.transpose()?,
            ..identity::Config::default()
        },
        dossiers,
        ledger: Default::default(),
        exchange: None,
        traces: Default::default(),
        packages: Vec::new(),
        registries: Vec::new(),
        questions: Vec::new(),
        proposals: Vec::new(),
        pseudonyms: Pseudonyms::default(),
        reference: None,
        calendar: None,
    })
}

/// Makes the data if there are none, and serves.
///
/// # Errors
/// The folder, the database or the port cannot be used.
pub async fn run(args: Args) -> anyhow::Result<()> {
    if args.nation {
        return nation::run(&args).await;
    }
    let mut args = args;
    if args.port == 0 {
        // The address is part of links and cookies, so the port is chosen before anything else.
        args.port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    }
    if args.fresh {
        remove(&args.folder())?;
    }
    let node = build(furnished(&args)?, args.dossiers).await?;
    let links = links(&node);
    serve::serve(node, move |address| {
        let _ = say(&format!(
            "\nMột Cửa: http://{address}\n\nĐăng nhập một bước / one-click sign-in:\n{links}\nCtrl+C để dừng / to stop\n"
        ));
    })
    .await
}

/// Opens the node of the town, with its people and dossiers; makes them if there are none.
///
/// # Errors
/// The folder or the database cannot be used.
pub async fn build(config: Config, dossiers: usize) -> anyhow::Result<Node> {
    let store = open_store(&config).await?;
    store.migrate(MIGRATIONS, SystemClock.now()).await?;
    let node = Node::open(config, store).await?;
    node.open_ledger().await?;
    node.put_built_in_packages().await?;
    if !people::are_there(&node).await? {
        load_catalogue(&node).await?;
        people::settle(&node).await?;
        town::build(&node, dossiers).await?;
    }
    node.catalogue.refresh(node.clock.now().legal_date()).await?;
    Ok(node)
}

/// Only what the demonstration itself made is removed.
fn remove(folder: &std::path::Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let ours = folder.join("secret.key").exists() || std::fs::read_dir(folder)?.next().is_none();
    anyhow::ensure!(
        ours,
        "{} is not a data folder of Một Cửa; it is left alone",
        folder.display()
    );
    std::fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))
}

/// Every symbolic agency of the packages has somebody behind it.
fn map_consulted(config: &mut Config) -> anyhow::Result<()> {
    for files in crate::packages::built_in()? {
        let package = procedure::package::Package::from_files(&files, &crate::packages::options())?;
        for agency in &package.meta.agencies {
            let code = if agency.id.contains("fire") {
                FIRE_POLICE
            } else {
                DEPARTMENT
            };
            let here = Consulted::Here(code.to_owned());
            config.dossiers.consulted.insert(agency.id.clone(), here);
        }
    }
    Ok(())
}

async fn load_catalogue(node: &Node) -> anyhow::Result<()> {
    let published = Published::from_source(&Source::embedded())?;
    let options = Options::today(&SystemClock);
    import::import_reference(&node.store, &SystemClock, &published, &options, &mut |_| {}).await?;
    node.catalogue.refresh(node.clock.now().legal_date()).await?;
    Ok(())
}

fn links(node: &Node) -> String {
    let mut out = String::new();
    for role in DemoRole::ALL {
        let label = role.label();
        out.push_str(&format!("  {:<22} {}\n", label.vi, node.identity.demo_link(role)));
    }
    out
}

/// A bar for long work of a demonstration.
pub fn bar(total: u64, what: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_message(what)
}

#[cfg(test)]
mod tests {
    use identity::Role;

    use super::*;
    use crate::conformance::{advice, keeps_the_rules, key};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_api_of_the_town_keeps_the_house_rules() {
        let folder = tempfile::tempdir().expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let args = Args {
            data: Some(folder.path().join("data")),
            port,
            dossiers: 12,
            ..Args::default()
        };
        let mut config = config(&args).expect("a configuration");
        map_consulted(&mut config).expect("agencies");
        let store = open_store(&config).await.expect("a database");
        store.migrate(MIGRATIONS, SystemClock.now()).await.expect("migrated");
        let node = Node::open(config, store).await.expect("a node");
        node.open_ledger().await.expect("a log");
        node.put_built_in_packages().await.expect("packages");
        load_catalogue(&node).await.expect("a catalogue");
        people::settle(&node).await.expect("people");
        town::build(&node, args.dossiers).await.expect("a town");
        let key = key(&node, WARD, &[Role::Receptionist, Role::Leader, Role::Administrator]).await;
        let (ready, started) = tokio::sync::oneshot::channel();
        let served = tokio::spawn(serve::serve(node, move |_| {
            let _ = ready.send(());
        }));
        started.await.expect("it listens");

        let url = format!("http://127.0.0.1:{port}");
        let known = keeps_the_rules(&url, Some(&key)).await;
        assert!(known.coverage.succeeded >= 12, "{:?}", known.coverage);
        let anybody = keeps_the_rules(&url, None).await;
        assert!(anybody.coverage.succeeded >= 8, "{:?}", anybody.coverage);
        // What is left aside for a reason (`docs/service-rules.md`, "The platform's own API").
        let aside = [
            "server-declared",
            "text-bounded",
            "field-described",
            "etag-described",
            "operation-succeeds",
        ];
        for code in advice(&known) {
            assert!(aside.contains(&code), "{code}");
        }
        served.abort();
    }
}
