//! When a wish comes too late: the rule, in one place.
//!
//! Somebody acts on a dossier as their page showed it. What has happened since counts against them only where it changes
//! what they judged:
//!
//! - What the platform notes by itself never counts: a document made from an earlier entry, a service done, a timer. A
//!   timer that closed a step leaves no step to complete, and [`super::command::decide`] says so.
//! - Who has taken a step never counts: whether the actor may do it is judged on the present state.
//! - A remark among officers counts for the other officers, not for its author, and not for the applicant, who cannot see it.
//!   The very same remark of its author again does: it was sent twice.
//! - An opinion of a consulted agency counts for officers.
//! - Everything else counts for everybody: steps, answers to a request, money, a new date, an end.
//!
//! Three wishes have a measure of their own. An answer to a request for papers is late only where another request is open
//! than the one that was answered. An opinion holds whatever has happened, and so do the platform's own wishes.

use super::{
    action::{Action, ActorKind, ActorRef, Entry},
    command::Command,
    state::State,
};

/// Whether `since`, the entries after the version `seen`, make the wish of `by` one about another dossier than they saw.
pub fn is_late(command: &Command, by: &ActorRef, state: &State, seen: i64, since: &[Entry]) -> bool {
    // A version that never was is no version that somebody saw.
    if seen > state.version {
        return true;
    }
    match command {
        Command::Supplement { .. } => state.open_supplement().is_some_and(|open| open.seq > seen),
        Command::AnswerConsultation(_) | Command::FireTimer { .. } | Command::FinishService { .. } => false,
        Command::Note { text } => since
            .iter()
            .any(|entry| counts(entry, by) || is_same_note(entry, by, text)),
        _ => since.iter().any(|entry| counts(entry, by)),
    }
}

fn is_same_note(entry: &Entry, by: &ActorRef, said: &str) -> bool {
    matches!(&entry.action, Action::Noted { text } if entry.actor.id == by.id && text == said.trim())
}

/// Whether an entry changes what `by` judges.
pub fn counts(entry: &Entry, by: &ActorRef) -> bool {
    let officer = by.kind == ActorKind::Officer;
    match &entry.action {
        Action::DocumentIssued(_)
        | Action::ServiceDone { .. }
        | Action::TimerFired { .. }
        | Action::RegistriesAnswered { .. }
        | Action::RegistryWrote { .. }
        | Action::Assigned { .. } => false,
        Action::Noted { .. } => officer && entry.actor.id != by.id,
        Action::ConsultationAnswered { .. } => officer,
        Action::Submitted(_)
        | Action::StepCompleted(_)
        | Action::Supplemented { .. }
        | Action::PaymentRecorded { .. }
        | Action::FeeWaived { .. }
        | Action::Reappointed { .. }
        | Action::Withdrawn { .. }
        | Action::Stopped { .. } => true,
    }
}
