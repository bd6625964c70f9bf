//! Dossiers in great number, for measuring: filed through the use cases, many at a time, some of them received.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use base::Clock as _;
use dossier::{
    model::{
        action::DossierId,
        command::{Command, Completion},
    },
    service::Filing,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use identity::{Actor, Ctx, NewOfficer, OfficerActor, Role, Roles};
use indicatif::{ProgressBar, ProgressStyle};
use procedure::{
    decision::Bar,
    form::{Answers, Applicant, Channel, Context},
    package::Package,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::{
    cli::say,
    demo::{self, WARD, answers},
    node::{MIGRATIONS, Node, open_store},
};

/// What `motcua seed` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many dossiers there shall be.
    #[arg(long)]
    pub dossiers: u64,
    /// Folder of the data.
    #[arg(long, default_value = "motcua-data")]
    pub data: PathBuf,
    /// A PostgreSQL database instead of the embedded SQLite.
    #[arg(long, env = "MOTCUA_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// National code of the procedure.
    #[arg(long, default_value = "1.004873")]
    pub procedure: String,
    /// How many at a time.
    #[arg(long, default_value_t = 64)]
    pub concurrency: usize,
    /// How many of them to file; the others are copies of these.
    #[arg(long, default_value_t = 10_000)]
    pub filed: u64,
}

/// Fills the database (without documents and published figures; beyond `--filed` with copies), and prints as JSON what a load generator needs: a token, the procedure and answers that it accepts.
///
/// # Errors
/// The database failed.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let demo_args = demo::Args {
        data: Some(args.data.clone()),
        database: args.database.clone(),
        ..demo::Args::default()
    };
    let config = demo::config(&demo_args)?;
    let store = open_store(&config).await?;
    store.migrate(MIGRATIONS, base::time::SystemClock.now()).await?;
    let node = Node::open(config, store).await?;
    node.put_built_in_packages().await?;
    let (officer, token) = officer(&node).await?;
    let filing = Arc::new(sample(&node, &args.procedure)?);
    let before = count(&node).await?;
    let missing = args.dossiers.saturating_sub(before);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec}")?;
    let bar = ProgressBar::new(missing).with_style(style).with_message("Dossiers");
    let filed: Vec<DossierId> = stream::iter(0..missing.min(args.filed.max(1)))
        .map(|n| {
            let (node, officer, filing, bar) = (&node, officer.clone(), Arc::clone(&filing), &bar);
            async move {
                let now = node.clock.now();
                let ctx = Ctx {
                    actor: Actor::Officer(officer),
                    now,
                    request_id: base::Id::<()>::new(now).uuid(),
                    lang: base::Lang::Vi,
                };
                let key = format!("seed/{}/{n}", now.micros());
                let filed = node.dossiers.file(&ctx, &filing, &key).await?;
                if n % 2 == 0 {
                    receive(node, &ctx, filed.id).await?;
                }
                bar.inc(1);
                anyhow::Ok(filed.id)
            }
        })
        .buffer_unordered(args.concurrency)
        .try_collect()
        .await?;
    copies(&node, &filed, missing - filed.len() as u64, &bar).await?;
    bar.finish_and_clear();
    // What the past left to do would compete with what is measured: dossiers of years have their documents and figures.
    node.store
        .forget_jobs(&[dossier::service::DOCUMENT, dossier::service::CHANGED])
        .await?;
    node.store.analyze().await?;
    let out = serde_json::json!({
        "dossiers": before + missing,
        "token": token,
        "procedure": args.procedure,
        "body": { "procedure": args.procedure, "answers": filing.answers, "applicant": { "name": "Nguyễn Thị Hương" }, "channel": "counter" },
        "receive": { "outcome": "accept" },
    });
    say(&format!("{out}\n"))?;
    node.store.close().await;
    Ok(())
}

/// Copies of what was filed, each dossier in its turn.
async fn copies(node: &Node, of: &[DossierId], count: u64, bar: &ProgressBar) -> anyhow::Result<()> {
    const AT_ONCE: u64 = 256;
    let batches = (0..count).step_by(AT_ONCE as usize);
    stream::iter(batches.zip(of.iter().cycle()))
        .map(async |(from, id)| {
            let many = AT_ONCE.min(count - from);
            let now = node.clock.now();
            node.dossiers.copy_for_measuring(*id, many as usize, now).await?;
            bar.inc(many);
            anyhow::Ok(())
        })
        .buffer_unordered(4)
        .try_collect::<()>()
        .await
}

pub(crate) async fn receive(node: &Node, ctx: &Ctx, id: DossierId) -> anyhow::Result<()> {
    let completion = Completion {
        token: 1,
        outcome: "accept".to_owned(),
        ..Completion::default()
    };
    let view = node
        .dossiers
        .command(ctx, id, &Command::Complete(completion), None)
        .await;
    view.map(drop).context("receiving a seeded dossier")
}

async fn count(node: &Node) -> anyhow::Result<u64> {
    let found = store::Read::scalar::<i64>(&node.store.read(), "SELECT count(*) FROM dossier", Vec::new()).await?;
    Ok(found.unwrap_or(0).unsigned_abs())
}

/// An officer with every role that handles dossiers, and a token for programs.
pub(crate) async fn officer(node: &Node) -> anyhow::Result<(OfficerActor, String)> {
    let ctx = Ctx::system("motcua seed", node.clock.now());
    let login = "seed";
    let id = match node.identity.officer_by_login(&ctx, login).await {
        Ok(found) => found.id,
        Err(_) => {
            let roles = Roles::of(&[Role::Receptionist, Role::Specialist, Role::Leader]);
            let new = NewOfficer {
                login: login.to_owned(),
                name: "Máy đo tải".to_owned(),
                title: String::new(),
                agency: WARD.to_owned(),
                roles,
                password: None,
                demo: None,
            };
            node.identity.create_officer(&ctx, &new).await?
        }
    };
    let found = node.identity.officer(&ctx, id).await?;
    let actor = OfficerActor {
        officer: found.id,
        name: found.name,
        title: found.title,
        agency: found.agency,
        roles: found.roles,
    };
    let new = identity::NewToken {
        label: "Đo tải".to_owned(),
        owner: identity::TokenOwner::Officer(id),
        roles: Roles::of(&[Role::Receptionist, Role::Specialist, Role::Leader]),
        read_only: false,
        days: 1,
    };
    let token = node.identity.create_token(&ctx, &new).await?;
    Ok((actor, token))
}

/// A filing that the procedure accepts.
pub(crate) fn sample(node: &Node, procedure: &str) -> anyhow::Result<Filing> {
    let today = node.clock.now().legal_date();
    let package = node
        .dossiers
        .shelf()
        .on(procedure, today)
        .with_context(|| format!("no package {procedure}"))?;
    let applicant = Applicant {
        name: Some("Nguyễn Thị Hương".to_owned()),
        ..Applicant::default()
    };
    let units = &node.dossiers.reference().units;
    let facts = procedure::form::Facts::default();
    let context = Context {
        applicant: &applicant,
        channel: Channel::Counter,
        today,
        facts: &facts,
        units,
    };
    let mut rng = StdRng::seed_from_u64(1);
    for _ in 0..200 {
        let answers = answers::fill(&package.form, &context, &mut rng);
        let journey = package.form.journey(&answers, &context);
        let complete = journey.problems.is_empty() && !journey.papers.iter().any(|p| p.required);
        if complete && entitled(&package, &journey.answers, &context)? {
            return Ok(filing(procedure, answers, &applicant));
        }
        let _: u32 = rng.random();
    }
    anyhow::bail!("no answers for {procedure} that need neither papers nor money")
}

/// Whether nothing bars the applicant and nothing is to be paid, so that the first step can be done at once.
fn entitled(package: &Package, answers: &Answers, context: &Context<'_>) -> anyhow::Result<bool> {
    let remarks = package.eligibility(answers, context)?;
    let fees = package.fees(answers, context)?;
    Ok(!remarks.iter().any(|r| r.severity == Bar::Stop) && fees.iter().all(|fee| fee.amount == base::Dong::ZERO))
}

fn filing(procedure: &str, answers: Answers, applicant: &Applicant) -> Filing {
    Filing {
        procedure: procedure.to_owned(),
        answers,
        papers: Vec::new(),
        applicant: Some(applicant.clone()),
        channel: Some(Channel::Counter),
    }
}
