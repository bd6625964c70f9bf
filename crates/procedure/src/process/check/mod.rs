//! Judges a process before anyone relies on it: its structure, its steps, its conditions, and whether the token game
//! can get stuck.

mod soundness;
mod steps;
mod structure;

use super::{
    feel::{Feel, Variables},
    finding::{Finding, Findings},
    model::Process,
    parse,
};

/// What a process may refer to.
#[derive(Clone, Copy)]
pub struct CheckContext<'a> {
    /// The roles that a step may name.
    pub roles: &'a [&'a str],
    /// The services that a service task may name.
    pub services: &'a [&'a str],
    /// The expression language.
    pub feel: &'a dyn Feel,
    /// The variables given at the start, with their types; those that the process sets itself are added.
    pub variables: &'a Variables,
}

/// A file that was read and checked.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The process, when no finding is an error.
    pub process: Option<Process>,
    /// Everything that was found: of the file, then of the process.
    pub findings: Vec<Finding>,
}

/// Reads and checks a file, and says everything at once, also what the checker thinks of a file that the reader
/// already refuses.
pub fn examine(xml: &str, context: &CheckContext<'_>) -> Examined {
    let (process, mut findings) = parse::read(xml);
    let Some(process) = process else {
        return Examined {
            process: None,
            findings: findings.0,
        };
    };
    let readable = !findings.any_error();
    run(&process, context, readable, &mut findings);
    Examined {
        process: Some(process).filter(|_| !findings.any_error()),
        findings: findings.0,
    }
}

/// Everything that is wrong or doubtful with a process. It may run when no finding is an error: then no branch lacks a
/// way, every condition has its type, every step has its role, budget and outcomes, and from every state that the
/// token game can reach, the end can be reached, with no token left behind and never two in one place.
///
/// Data is not looked at for the last part: at an exclusive split any way may be taken, at an inclusive split any
/// combination, and any event may happen. So a process that would be saved by two conditions always agreeing is refused
/// too; draw it so that the second question is not asked.
pub fn check(process: &Process, context: &CheckContext<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    run(process, context, true, &mut findings);
    findings.0
}

fn run(process: &Process, context: &CheckContext<'_>, readable: bool, findings: &mut Findings) {
    let playable = structure::check(process, findings);
    steps::check(process, context, findings);
    if playable && readable {
        soundness::check(process, findings);
    }
}
