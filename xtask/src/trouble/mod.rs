//! Trouble between nodes: three nodes of the built program under load, and everything that can happen to them. What must hold
//! afterwards is in [`verdict`].

pub mod chance;
pub mod clients;
mod ground;
pub mod pour;
mod proxy;
mod system;
pub mod town;
mod verdict;
pub mod wire;

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;

use self::{
    chance::Chance,
    clients::Memory,
    ground::Disk,
    proxy::Way,
    town::{Ground, Node, Place, Town},
};
use crate::{
    run::{self, Outcome},
    workspace::Workspace,
};

/// Information systems that call at the same time.
const CLIENTS: u64 = 6;
/// How long healing may take: as long as two nodes need to notice that a silent connection is dead, and some more.
const HEALS: Duration = Duration::from_secs(60);
/// The disk under each member, in MiB, and how much more for each round.
const DISK: [u64; 2] = [168, 24];

/// How much trouble.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How often everything happens.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// The longest time that one trouble lasts, seconds.
    #[arg(long, default_value_t = 2)]
    longest: u64,
    /// The same seed makes the same choices.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Only troubles whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// The program; without it the one that was built last.
    #[arg(long)]
    binary: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rounds: 1,
            longest: 2,
            seed: 7,
            only: None,
            binary: None,
        }
    }
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Cut,
    Stall,
    StallBack,
    BreakRequest,
    BreakAnswer,
    Flip,
    KillConsumer,
    KillProvider,
    KillBoth,
    PauseConsumer,
    PauseProvider,
    LinkDown,
    FullConsumer,
    FullProvider,
    FullAndKilled,
}

const ALL: [Trouble; 15] = [
    Trouble::Cut,
    Trouble::KillConsumer,
    Trouble::Stall,
    Trouble::KillProvider,
    Trouble::StallBack,
    Trouble::BreakRequest,
    Trouble::FullConsumer,
    Trouble::BreakAnswer,
    Trouble::PauseProvider,
    Trouble::Flip,
    Trouble::LinkDown,
    Trouble::FullProvider,
    Trouble::PauseConsumer,
    Trouble::KillBoth,
    Trouble::FullAndKilled,
];

impl Trouble {
    const fn name(self) -> &'static str {
        match self {
            Self::Cut => "the line is cut",
            Self::Stall => "the line stalls",
            Self::StallBack => "answers are held up",
            Self::BreakRequest => "the line breaks within a request",
            Self::BreakAnswer => "the line breaks within an answer",
            Self::Flip => "a byte changes on the line",
            Self::KillConsumer => "the consumer's node is killed",
            Self::KillProvider => "the provider's node is killed",
            Self::KillBoth => "both nodes are killed",
            Self::PauseConsumer => "the consumer's node is paused",
            Self::PauseProvider => "the provider's node is paused",
            Self::LinkDown => "the link between the namespaces goes down",
            Self::FullConsumer => "the consumer's disk is full",
            Self::FullProvider => "the provider's disk is full",
            Self::FullAndKilled => "the provider's disk is full and its node is killed",
        }
    }

    const fn needs_link(self) -> bool {
        matches!(self, Self::LinkDown)
    }

    const fn needs_disks(self) -> bool {
        matches!(self, Self::FullConsumer | Self::FullProvider | Self::FullAndKilled)
    }
}

/// Runs the trial, in namespaces of its own where the system lets us.
///
/// # Errors
/// When the federation cannot be founded.
pub fn check(workspace: &Workspace, options: &Options) -> anyhow::Result<Outcome> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => workspace.metadata()?.target_directory.join("debug/motcua"),
    };
    let folder = workspace.root.join("target/trouble");
    if ground::is_private() {
        return trial(&binary, &folder, options, true);
    }
    match ground::private() {
        Ok(mut command) => {
            command.arg("trouble").arg("--binary").arg(&binary);
            let numbers = [
                ("--rounds", u64::from(options.rounds)),
                ("--longest", options.longest),
                ("--seed", options.seed),
            ];
            for (name, number) in numbers {
                command.arg(name).arg(number.to_string());
            }
            if let Some(only) = &options.only {
                command.arg("--only").arg(only);
            }
            let (good, said) = run::tee(&mut command)?;
            Ok(run::closing(&said, good))
        }
        Err(reason) => {
            println!("  NO NAMESPACES OF ITS OWN ({reason}): no disk is filled and no link is taken down");
            trial(&binary, &folder, options, false)
        }
    }
}

/// The nodes, and what can be done to them.
struct Trial {
    town: Town,
    /// Under the consumer's and the provider's member.
    disks: Option<[Disk; 2]>,
    linked: bool,
    longest: Duration,
    chance: Chance,
}

fn trial(binary: &Path, folder: &Path, options: &Options, private: bool) -> anyhow::Result<Outcome> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder)?;
    let mut skipped = Vec::new();
    let (here, there) = if private {
        ground::link()?
    } else {
        (Place::here(), Place::here())
    };
    let disks = if private {
        let megabytes = DISK[0] + DISK[1] * u64::from(options.rounds);
        Some([
            Disk::under(&folder.join("consumer"), megabytes)?,
            Disk::under(&folder.join("provider"), megabytes)?,
        ])
    } else {
        None
    };
    let begun = Instant::now();
    let ground = Ground {
        binary,
        folder,
        here,
        there,
    };
    let town = Town::found(&ground)?;
    println!(
        "  three nodes, founded, joined and granted in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let mut trial = Trial {
        town,
        disks,
        linked: private,
        longest: Duration::from_secs(options.longest),
        chance: Chance::new(options.seed),
    };
    let (stop, memory) = (AtomicBool::new(false), Mutex::new(Memory::default()));
    let mut wrong = Vec::new();
    let mut happened = 0;
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let edge = trial.town.consumer.edge;
        for n in 0..CLIENTS {
            let (stop, memory) = (&stop, &memory);
            let seed = options.seed * 1_000 + n;
            scope.spawn(move || clients::work(edge, seed, stop, memory));
        }
        let mut go_on = || -> anyhow::Result<()> {
            for round in 1..=options.rounds {
                for trouble in ALL {
                    if options
                        .only
                        .as_ref()
                        .is_some_and(|only| !trouble.name().contains(only.as_str()))
                    {
                        continue;
                    }
                    if trouble.needs_link() && !trial.linked || trouble.needs_disks() && trial.disks.is_none() {
                        skipped.push(trouble.name());
                        continue;
                    }
                    let before = lock(&memory).acknowledged();
                    let calm = trial
                        .chance
                        .between(Duration::from_millis(400), Duration::from_millis(1_200));
                    std::thread::sleep(calm);
                    let fault = trial.befall(trouble).with_context(|| trouble.name())?;
                    happened += 1;
                    match trial.heals() {
                        Some(after) => println!(
                            "  {round}: {}, for {:.1} s; healed in {:.1} s; {} acknowledged meanwhile",
                            trouble.name(),
                            fault.as_secs_f64(),
                            after.as_secs_f64(),
                            lock(&memory).acknowledged() - before
                        ),
                        None => wrong.push(format!("no call succeeds within {HEALS:?} after: {}", trouble.name())),
                    }
                }
            }
            std::thread::sleep(Duration::from_millis(500));
            Ok(())
        };
        let went = go_on();
        stop.store(true, Ordering::Relaxed);
        went
    })?;
    let memory = memory.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "  {} messages, {} acknowledged; refused:",
        memory.said.len(),
        memory.acknowledged()
    );
    for (kind, (times, codes)) in memory.refusals() {
        println!("    {times} × {kind} {codes:?}");
    }
    anyhow::ensure!(
        memory.acknowledged() > 20,
        "too little was acknowledged to say anything"
    );
    let verdict = verdict::judge(&trial.town, &memory)?;
    wrong.extend(verdict.wrong);
    if trial.disks.is_some() && options.only.is_none() {
        let full = memory
            .refusals()
            .values()
            .any(|(_, codes)| codes.contains("ledger-full"));
        if !full {
            wrong.push("no call was refused because a disk was full".to_owned());
        }
    }
    let mut outcome = Outcome::of_findings(verdict.checks + happened, &wrong);
    outcome.skipped = skipped.len() as u64;
    outcome.note = format!("{happened} troubles, {} messages acknowledged", memory.acknowledged());
    if !skipped.is_empty() {
        outcome.note.push_str(&format!("; NOT TRIED: {}", skipped.join(", ")));
    }
    Ok(outcome)
}

fn lock(memory: &Mutex<Memory>) -> std::sync::MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Trial {
    /// Lets something happen, and ends it. Gives how long it lasted.
    fn befall(&mut self, trouble: Trouble) -> anyhow::Result<Duration> {
        let lasts = self.chance.between(Duration::from_millis(300), self.longest);
        let bytes = u32::try_from(self.chance.below(60_000)).unwrap_or(0);
        let begun = Instant::now();
        let wait = || std::thread::sleep(lasts);
        let (consumer, provider, line) = (&self.town.consumer, &self.town.provider, &self.town.line);
        match trouble {
            Trouble::Cut => line.cut(),
            Trouble::Stall => [Way::There, Way::Back].into_iter().for_each(|way| line.stall(way)),
            Trouble::StallBack => line.stall(Way::Back),
            Trouble::BreakRequest => line.break_after(Way::There, bytes),
            Trouble::BreakAnswer => line.break_after(Way::Back, bytes),
            Trouble::Flip => line.flip(if bytes % 2 == 0 { Way::There } else { Way::Back }),
            Trouble::KillConsumer => consumer.kill(),
            Trouble::KillProvider => provider.kill(),
            Trouble::KillBoth => [consumer, provider].into_iter().for_each(Node::kill),
            Trouble::PauseConsumer => consumer.signal("STOP")?,
            Trouble::PauseProvider => provider.signal("STOP")?,
            Trouble::LinkDown => ground::set_link(false)?,
            Trouble::FullConsumer => self.disk(0)?.fill()?,
            Trouble::FullProvider | Trouble::FullAndKilled => self.disk(1)?.fill()?,
        }
        wait();
        match trouble {
            Trouble::KillConsumer => drop(consumer.start()?),
            Trouble::KillProvider => drop(provider.start()?),
            Trouble::KillBoth => {
                consumer.start()?;
                provider.start()?;
            }
            Trouble::PauseConsumer => consumer.signal("CONT")?,
            Trouble::PauseProvider => provider.signal("CONT")?,
            Trouble::LinkDown => ground::set_link(true)?,
            Trouble::FullConsumer => self.disk(0)?.free()?,
            Trouble::FullProvider => self.disk(1)?.free()?,
            Trouble::FullAndKilled => {
                provider.kill();
                self.disk(1)?.free()?;
                provider.start()?;
            }
            _ => line.mend(),
        }
        Ok(begun.elapsed())
    }

    fn disk(&self, n: usize) -> anyhow::Result<&Disk> {
        self.disks.as_ref().and_then(|disks| disks.get(n)).context("no disk")
    }

    /// How long it takes until a call succeeds again; none if it does not.
    fn heals(&self) -> Option<Duration> {
        let begun = Instant::now();
        while begun.elapsed() < HEALS {
            if self.town.probe(Duration::from_secs(10)) {
                return Some(begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}
