//! `motcua node …`, `motcua exchange …`, `motcua service …`.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use ::exchange::{
    access::{Access, Asked},
    conformance,
    directory::{
        Digest,
        join::{NewNode, Node, Operator, Progress},
    },
    model::{
        Method, Purpose,
        identifier::{ClientId, MemberId, Part},
    },
};
use anyhow::{Context as _, bail};
use base::{Clock as _, Lang, Text, time::SystemClock};
use clap::{Args, Subcommand};
use identity::{Ctx, Entropy, Sealer};
use trust::{
    Algorithm, KeyError,
    key::{TokenKey, TokenUri},
};

use super::{PATIENCE, keys, operator};
use crate::{
    cli::{say, spinner},
    config::Config,
    node::{Node as Whole, open_store},
};

/// The folder of a node in its data.
pub const FOLDER: &str = "exchange";
/// Where the address of the operator is kept in it.
pub const OPERATOR: &str = "operator";

/// Joining a federation.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Found a federation: this node becomes its operator. Prints the fingerprint that every member compares.
    Found {
        /// The configuration.
        #[arg(long)]
        config: PathBuf,
        /// The X-Road instance of all members, such as VN.
        #[arg(long)]
        instance: String,
    },
    /// Make the keys of this node. Prints the fingerprints that the operator compares. A node whose log ended (`motcua ledger end`)
    /// takes another --gateway, and with it another log.
    Init(Init),
    /// Join the federation whose operator is at URL, and wait until the operator has approved.
    Join(Join),
    /// Replace the key of TLS. A running node goes on without a pause.
    Rotate(keys::Rotate),
    /// Have the keys that were replaced believed no more, without waiting for the day that they have.
    Retire(keys::Retire),
}

/// `motcua node init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The configuration.
    #[arg(long)]
    config: PathBuf,
    /// The member: VN/GOV/000.00.00.H42.
    #[arg(long)]
    member: MemberId,
    /// Its name, in Vietnamese.
    #[arg(long)]
    name: String,
    /// Its name in English.
    #[arg(long, default_value = "")]
    name_en: String,
    /// The code of the gateway within the member.
    #[arg(long, default_value = "ss1")]
    gateway: String,
    /// Where other nodes reach it: host:port.
    #[arg(long)]
    address: String,
    /// ECDSA P-256 instead of Ed25519.
    #[arg(long)]
    p256: bool,
    #[command(flatten)]
    token: Token,
}

/// Keys in an HSM.
#[derive(Debug, Clone, Args)]
pub struct Token {
    /// Make the keys in an HSM: the PKCS#11 module of its manufacturer.
    #[arg(long, requires_all = ["token", "pin_file"])]
    pub pkcs11: Option<PathBuf>,
    /// The label of the token.
    #[arg(long, requires = "pkcs11")]
    pub token: Option<String>,
    /// The file that has the PIN, for its owner only.
    #[arg(long, requires = "pkcs11")]
    pub pin_file: Option<PathBuf>,
}

impl Token {
    /// Makes a key in the token and says where it is; one that a crash left there is taken up. None without a token.
    ///
    /// # Errors
    /// What is amiss with module, token or PIN.
    pub fn key(&self, object: &str, algorithm: Algorithm) -> anyhow::Result<Option<String>> {
        let (Some(module), Some(token), Some(pin)) = (&self.pkcs11, &self.token, &self.pin_file) else {
            return Ok(None);
        };
        let pin = std::path::absolute(pin).with_context(|| format!("--pin-file {}", pin.display()))?;
        let uri = TokenUri {
            module: module.clone(),
            token: token.clone(),
            serial: None,
            object: Some(object.to_owned()),
            id: None,
            pin_file: Some(pin),
        };
        match TokenKey::generate(&uri, algorithm) {
            Ok(_) | Err(KeyError::Exists(_)) => Ok(Some(uri.to_uri())),
            Err(error) => Err(error.into()),
        }
    }
}

/// `motcua node join`.
#[derive(Debug, Args)]
pub struct Join {
    /// The operator: https://….
    url: String,
    /// The configuration.
    #[arg(long)]
    config: PathBuf,
    /// The fingerprint of the root, compared with the operator by another way. Without it you are shown it and asked.
    #[arg(long)]
    root: Option<String>,
    /// The code of an invitation.
    #[arg(long)]
    invitation: Option<String>,
    /// Apply and leave; run it again to see how it stands.
    #[arg(long)]
    no_wait: bool,
}

/// Carries out `motcua node …`.
///
/// # Errors
/// What went wrong, for the operator.
pub async fn node(command: NodeCommand) -> anyhow::Result<ExitCode> {
    match command {
        NodeCommand::Found { config, instance } => {
            let config = Config::read(&config)?;
            let instance = Part::new(&instance).map_err(|flaw| anyhow::anyhow!("--instance: {flaw}"))?;
            let fingerprint = operator::found(&config.data, &instance, SystemClock.now())?;
            say(&format!("{fingerprint}\n"))?;
        }
        NodeCommand::Init(init) => make(init)?,
        NodeCommand::Join(join) => return self::join(join).await,
        NodeCommand::Rotate(rotate) => keys::rotate_by_hand(&rotate).await?,
        NodeCommand::Retire(retire) => keys::retire_by_hand(&retire).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn make(init: Init) -> anyhow::Result<()> {
    let config = Config::read(&init.config)?;
    if config.data.join("ledger.key").exists() {
        bail!(
            "the transparency log of {} has begun under a name of its own: end it first (`motcua ledger end`, docs/operations.md), or \
             choose a new data folder",
            config.data.display()
        );
    }
    if config.data.join("ledger/segments").exists() && !config.data.join(FOLDER).exists() {
        bail!(
            "{} has the log of another key: end it first (`motcua ledger end --key …`, docs/operations.md) [ledger-other-key]",
            config.data.display()
        );
    }
    let public = config.identity.public_url.trim_end_matches('/');
    let algorithm = if init.p256 {
        Algorithm::EcdsaP256
    } else {
        Algorithm::Ed25519
    };
    let key = |what: &str| init.token.key(&format!("{}-{what}", init.gateway), algorithm);
    let (tls_key, log_key) = (key("tls")?, key("log")?);
    let new = NewNode {
        member: init.member,
        name: Text::new(init.name, init.name_en),
        gateway: Part::new(&init.gateway).map_err(|flaw| anyhow::anyhow!("--gateway: {flaw}"))?,
        address: init.address,
        hosts: Vec::new(),
        algorithm,
        tls_key,
        log_key,
        log_url: Some(format!("{public}/ledger")),
    };
    let node = Node::init(&config.data.join(FOLDER), &new)?;
    let prints = node.fingerprints();
    say(&format!(
        "Yêu cầu cấp chứng thư / certificate request: {}\nKhóa TLS / TLS key: {}\nKhóa sổ cái / log key: {}\n",
        prints.request, prints.tls_key, prints.log_key
    ))
}

async fn join(join: Join) -> anyhow::Result<ExitCode> {
    let config = Config::read(&join.config)?;
    let folder = config.data.join(FOLDER);
    let mut node = Node::open(&folder).context("run `motcua node init` first")?;
    let operator = Operator::at(&join.url, PATIENCE)?;
    let meeting = operator.meet().await?;
    let found = meeting.fingerprint();
    let compared = match join.root {
        Some(root) => root
            .parse::<Digest>()
            .map_err(|_| anyhow::anyhow!("--root: a fingerprint is 64 digits of hex"))?,
        None => confirmed(meeting.instance(), found)?,
    };
    let known = meeting.confirm(compared)?;
    std::fs::write(folder.join(OPERATOR), &join.url).context("writing the address of the operator")?;
    node.apply(&known, join.invitation.as_deref(), None, SystemClock.now())
        .await?;
    let bar = spinner("Chờ người vận hành phê duyệt / waiting for the operator");
    loop {
        match node.poll(&operator, Arc::new(SystemClock)).await? {
            Progress::Joined { certificate, .. } => {
                bar.finish_and_clear();
                say(&format!(
                    "Đã tham gia / joined: {} {}\n",
                    node.server(),
                    certificate.fingerprint()
                ))?;
                return Ok(ExitCode::SUCCESS);
            }
            Progress::Refused(reason) => {
                bar.finish_and_clear();
                say(&format!("Bị từ chối / refused: {reason}\n"))?;
                return Ok(ExitCode::FAILURE);
            }
            Progress::Pending if join.no_wait => {
                bar.finish_and_clear();
                say("Đang chờ phê duyệt / waiting for approval\n")?;
                return Ok(ExitCode::SUCCESS);
            }
            Progress::Pending => {
                bar.tick();
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }
}

/// Shows the fingerprint and asks; only whoever sits there can say yes.
fn confirmed(instance: &Part, found: Digest) -> anyhow::Result<Digest> {
    if !std::io::stdin().is_terminal() {
        bail!("the root of {instance} is {found}; compare it with the operator by another way and give it with --root");
    }
    say(&format!(
        "Liên thông / federation: {instance}\nDấu vân tay gốc / root fingerprint: {found}\nĐã đối chiếu với người vận hành? / compared with the operator? [yes/no] "
    ))?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    if line.trim() == "yes" {
        Ok(found)
    } else {
        bail!("not confirmed; nothing was sent")
    }
}

/// What can be asked of the exchange.
#[derive(Debug, Subcommand)]
pub enum ExchangeCommand {
    /// Why a call would be allowed or refused at this node.
    Explain(Explain),
}

/// `motcua exchange explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The configuration.
    #[arg(long)]
    config: PathBuf,
    /// Who would call: VN/GOV/000.00.00.H42/motcua.
    #[arg(long)]
    client: ClientId,
    /// By which method.
    #[arg(long, default_value = "GET")]
    method: Method,
    /// The address: /r1/VN/GOV/…/service/path?query.
    target: String,
    /// Why.
    #[arg(long)]
    purpose: Option<Purpose>,
    /// From which address.
    #[arg(long)]
    from: Option<std::net::IpAddr>,
    /// In English.
    #[arg(long)]
    en: bool,
}

/// Carries out `motcua exchange …`.
///
/// # Errors
/// What went wrong, for the operator.
pub async fn exchange(command: ExchangeCommand) -> anyhow::Result<ExitCode> {
    let ExchangeCommand::Explain(asked) = command;
    let config = Config::read(&asked.config)?;
    let standing = last_directory(&config.data).await;
    let store = open_store(&config).await?;
    let sealer = Sealer::new(config.secret()?.key("services"));
    let whole = Whole::open(config, store).await?;
    let access = Access::open(
        whole.store.clone(),
        Arc::clone(&whole.clock),
        whole.dossiers.calendar().as_ref().clone(),
        ::exchange::access::Config::default(),
        Entropy::system(),
        sealer,
        Arc::new(move || standing.clone()),
    )
    .await?;
    let ctx = Ctx::system("motcua exchange explain", whole.clock.now());
    let question = Asked {
        client: asked.client,
        from: asked.from,
        token: None,
        method: asked.method,
        target: asked.target,
        purpose: asked.purpose,
    };
    let lang = lang(asked.en);
    for line in access.explain(&ctx, &question)? {
        say(&format!("{}\n", line.get(lang)))?;
    }
    whole.store.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The directory as the node has it on its disk, or newer.
async fn last_directory(data: &Path) -> Option<::exchange::model::federation::Standing> {
    let folder = data.join(FOLDER);
    let node = Node::open(&folder).ok()?;
    let mirror = Operator::at(&super::operator_url(&folder).ok()?, PATIENCE)
        .ok()?
        .mirror();
    let following = ::exchange::directory::Following::new(vec![mirror], node.directory_folder(), Arc::new(SystemClock));
    let follower = ::exchange::directory::Follower::open(following).await.ok()?;
    Some(follower.standing().load().as_ref().clone())
}

/// Services.
#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// Test a live service against its own OpenAPI description and the house rules (docs/service-rules.md).
    Check(Check),
}

/// `motcua service check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The service or its description.
    url: String,
    /// Under which address operations are called.
    #[arg(long)]
    base: Option<String>,
    /// A header for every request, `Name: value`. May be given several times.
    #[arg(long = "header")]
    headers: Vec<String>,
    /// A file with more of them, one a line: a key on the command line can be seen by every program of the machine.
    #[arg(long)]
    headers_from: Option<PathBuf>,
    /// Certificates of CAs to believe beside the system's, PEM.
    #[arg(long)]
    roots: Option<PathBuf>,
    /// Call methods that change something, too. Only with a service made for testing.
    #[arg(long)]
    write: bool,
    /// Most requests.
    #[arg(long, default_value_t = 400)]
    max_requests: u32,
    /// Longest time for one answer, seconds.
    #[arg(long, default_value_t = 10)]
    timeout: u64,
    /// The same seed makes the same requests.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
    /// In English.
    #[arg(long)]
    en: bool,
}

/// Carries out `motcua service …`.
///
/// # Errors
/// What went wrong, for the operator.
pub async fn service(command: ServiceCommand) -> anyhow::Result<ExitCode> {
    let ServiceCommand::Check(check) = command;
    let header = |text: &str| {
        let (name, value) = text.split_once(':').context("--header: Name: value")?;
        anyhow::Ok((name.trim().to_owned(), value.trim().to_owned()))
    };
    let from_file = check.headers_from.as_ref().map(std::fs::read_to_string).transpose();
    let from_file = from_file.context("reading --headers-from")?.unwrap_or_default();
    let lines = from_file.lines().filter(|line| !line.trim().is_empty());
    let headers = check.headers.iter().map(String::as_str).chain(lines).map(header);
    let roots = check.roots.as_ref().map(std::fs::read_to_string).transpose();
    let options = conformance::Options {
        base: check.base,
        headers: headers.collect::<anyhow::Result<_>>()?,
        roots: roots.context("reading --roots")?,
        write: check.write,
        max_requests: check.max_requests,
        timeout: Duration::from_secs(check.timeout.clamp(1, 600)),
        seed: check.seed,
        ..conformance::Options::new(check.url, Arc::new(SystemClock))
    };
    let lang = lang(check.en);
    let bar = spinner("");
    let report = conformance::check(&options, &mut |progress| {
        bar.set_message(format!(
            "{} / {}  {}",
            progress.done,
            progress.of,
            progress.now.get(lang)
        ));
        bar.tick();
    })
    .await?;
    bar.finish_and_clear();
    say(&if check.json {
        serde_json::to_string_pretty(&report.to_json()?)? + "\n"
    } else {
        report.to_text(lang)
    })?;
    Ok(if report.conforms {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const fn lang(en: bool) -> Lang {
    if en { Lang::En } else { Lang::Vi }
}
