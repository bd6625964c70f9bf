//! How the town works on a dossier until the present: mostly well before it is due, now and then late.

use base::Timestamp;
use dossier::{
    consult::Consulted,
    model::{
        action::{Detail, DossierId, Ground, MissingItem, PaymentMethod},
        command::{Command, Completion, Opinion},
        status::Money,
    },
    service::{DossierView, TaskView, UploadFor},
};
use identity::{Actor, OfficerActor, Purpose, Role};
use procedure::{
    form::{Answers, Channel},
    package::Package,
    process::{FieldKind, OutcomeEffect},
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

use super::town::{MINUTE, Town};

/// A working day, minutes.
const DAY: i64 = 480;
/// The longest that a step takes for which there is time, minutes.
const LONGEST: i64 = 2 * DAY;
/// More moves than any dossier takes.
const MOVES: usize = 60;

/// How a dossier fares. By number, not by chance: a small town has few late ones, and must not have none or many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Each step is done with time to spare.
    InTime,
    /// One step takes longer than there was time for.
    Late,
    /// Received of late, and left lying.
    Lying,
    /// Papers were asked for of late, and have not come yet.
    Incomplete,
}

impl Fate {
    /// Of the `n`th dossier, filed so many days ago.
    pub(super) fn of(n: usize, days: i64) -> Self {
        if n % 4 == 1 && (2..15).contains(&days) {
            Self::Lying
        } else if n % 31 == 12 {
            Self::Late
        } else if n % 11 == 8 && (2..25).contains(&days) {
            Self::Incomplete
        } else {
            Self::InTime
        }
    }
}

/// What happens next to a dossier.
struct Move<'t> {
    /// Who does it; none when a timer comes due.
    by: Option<&'t OfficerActor>,
    at: Timestamp,
    what: What,
}

enum What {
    Command(Box<Command>),
    /// The papers that were asked for, brought to the counter.
    Papers(Vec<String>),
}

impl<'t> Move<'t> {
    fn command(by: &'t OfficerActor, at: Timestamp, command: Command) -> Self {
        Self {
            by: Some(by),
            at,
            what: What::Command(Box::new(command)),
        }
    }
}

impl Town<'_> {
    /// Lets everybody work until the present.
    pub(super) async fn handle(
        &self,
        id: DossierId,
        filed_at: Timestamp,
        fate: Fate,
        rng: &mut StdRng,
    ) -> anyhow::Result<()> {
        let dossiers = &self.node.dossiers;
        let mut at = self.after(filed_at, rng.random_range(1..90));
        // Whoever made the last move sees where it leads: data are read in the name of those who work on the dossier.
        let mut reader = &self.receptionist;
        for _ in 0..MOVES {
            if at >= self.now {
                return Ok(());
            }
            let ctx = self.ctx(Actor::Officer(reader.clone()), at);
            let view = dossiers.get(&ctx, id, purpose(reader)).await?;
            let Some(next) = self.next(&view, at, fate, rng).filter(|next| next.at < self.now) else {
                return Ok(());
            };
            at = next.at;
            reader = next.by.unwrap_or(reader);
            let actor = next
                .by
                .map_or(Actor::System("Hệ thống"), |officer| Actor::Officer(officer.clone()));
            let ctx = self.ctx(actor, at);
            let done = match &next.what {
                What::Command(command) => dossiers.command(&ctx, id, command, None).await,
                What::Papers(asked) => {
                    let mut papers = Vec::new();
                    for paper in asked {
                        let why = UploadFor::Supplement(&view.state.code);
                        papers.push(self.hand_in(&ctx, why, paper).await?);
                    }
                    dossiers.supplement(&ctx, id, Answers::new(), &papers, None).await
                }
            };
            match done {
                Ok(_) => {}
                // Chance has chosen what cannot be: the dossier stays where it is.
                Err(base::Error::Refused(..)) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            // A timer comes due at any hour; people look when they are at work.
            if next.by.is_none() {
                at = self.after(at, rng.random_range(1..90));
            }
        }
        Ok(())
    }

    /// The next move, by somebody who has been able to make it since `at`; none where nobody makes one.
    fn next(&self, view: &DossierView, at: Timestamp, fate: Fate, rng: &mut StdRng) -> Option<Move<'_>> {
        let state = &view.state;
        if state.consultations.iter().any(|c| c.token.is_some()) {
            return self.opinion(view, at, rng);
        }
        if let Some(open) = state.open_supplement() {
            return (fate != Fate::Incomplete).then(|| Move {
                by: Some(&self.receptionist),
                at: self.after(at, rng.random_range(DAY..18 * DAY)),
                what: What::Papers(open.items.iter().map(|item| item.at.clone()).collect()),
            });
        }
        let step = view.tasks.first()?;
        if state.waits_for_payment() || (state.money == Money::Due && state.decision.is_final()) {
            let command = Command::RecordPayment {
                amount: state.owed() - state.paid,
                method: PaymentMethod::Cash,
                reference: format!("BL{:06}", rng.random_range(1..999_999)),
            };
            let minutes = rng.random_range(5..DAY);
            return Some(Move::command(&self.receptionist, self.after(at, minutes), command));
        }
        if fate == Fate::Lying && step.finish_by.is_some() {
            return None;
        }
        let at = self.done_at(view, step, at, fate, rng);
        let completion = completion(view, step, at, fate, rng);
        Some(Move::command(
            self.officer(&view.package, step),
            at,
            Command::Complete(completion),
        ))
    }

    /// Agencies are asked side by side: each answers a few days after it was asked, or lets its time run out.
    fn opinion(&self, view: &DossierView, at: Timestamp, rng: &mut StdRng) -> Option<Move<'_>> {
        let asked = view.state.consultations.iter().find(|c| c.token.is_some())?;
        let consulted = &self.node.dossiers.config().consulted;
        let agency = consulted.get(&asked.agency).map(Consulted::code);
        let officer = self.consulted.iter().find(|o| Some(o.agency.as_str()) == agency);
        if let Some(officer) = officer.filter(|_| rng.random_bool(0.8)) {
            let command = Command::AnswerConsultation(Opinion {
                sent_by: asked.sent_by.clone(),
                agrees: true,
                opinion: "Thống nhất với nội dung đề nghị.".to_owned(),
                document: format!("{}/CV-PC", rng.random_range(100..999)),
                ..Opinion::default()
            });
            let answered = self.after(asked.sent_at, rng.random_range(DAY / 2..5 * DAY));
            return Some(Move::command(officer, at.max(answered), command));
        }
        let timer = view.state.timers.first()?;
        Some(Move {
            by: None,
            at: at.max(timer.due),
            what: What::Command(Box::new(Command::FireTimer { token: timer.token })),
        })
    }

    /// When a step is done that an officer could begin at `at`.
    fn done_at(&self, view: &DossierView, step: &TaskView, at: Timestamp, fate: Fate, rng: &mut StdRng) -> Timestamp {
        let calendar = self.node.dossiers.calendar();
        let left = |until: Timestamp| calendar.working_minutes_between(at, until);
        let due = view.due.and_then(|d| d.current).filter(|due| *due > at);
        let minutes = match (step.finish_by, due) {
            (Some(_), Some(due)) if fate == Fate::Late => left(due) + rng.random_range(45..2 * DAY),
            (Some(by), _) => left(by).clamp(2, LONGEST) * rng.random_range(10..80) / 100,
            // No time limit runs: the dossier has come in, or its result waits to be fetched.
            (None, _) if view.state.received_at.is_none() => rng.random_range(5..150),
            (None, _) => rng.random_range(20..4 * DAY),
        };
        self.after(at, minutes)
    }

    fn officer(&self, package: &Package, step: &TaskView) -> &OfficerActor {
        match step.open.role.as_str() {
            "receptionist" => &self.receptionist,
            "leader" => &self.leader,
            // The Ministry of Justice issues what the registrar does.
            _ if package.meta.authority == "G15" => &self.registrar,
            _ => &self.surveyor,
        }
    }

    fn after(&self, at: Timestamp, minutes: i64) -> Timestamp {
        self.node.dossiers.calendar().add_working_micros(at, minutes * MINUTE)
    }
}

/// Why an officer reads a dossier.
fn purpose(officer: &OfficerActor) -> Purpose {
    if officer.roles.has(Role::Receptionist) {
        Purpose::Reception
    } else if officer.roles.has(Role::Consulted) {
        Purpose::Consultation
    } else {
        Purpose::CaseHandling
    }
}

/// What an officer would choose: mostly the usual way, now and then a request for papers or a refusal with its ground.
fn completion(view: &DossierView, step: &TaskView, at: Timestamp, fate: Fate, rng: &mut StdRng) -> Completion {
    let (task, package) = (&step.task, &view.package);
    // Papers are asked for once.
    let missing = missing_paper(view, rng).filter(|_| view.state.supplements.is_empty());
    let usual = task.outcomes.iter().find(|o| o.primary).or(task.outcomes.first());
    let rare = task.outcomes.iter().find(|o| match o.effect {
        OutcomeEffect::RequestSupplement => missing.is_some() && (fate == Fate::Incomplete || rng.random_bool(0.08)),
        OutcomeEffect::Refuse => rng.random_bool(0.02),
        _ => false,
    });
    let Some(outcome) = rare.or(usual) else {
        return Completion {
            token: step.open.token,
            ..Completion::default()
        };
    };
    let detail = match outcome.effect {
        OutcomeEffect::Refuse | OutcomeEffect::Reject => {
            package
                .meta
                .refusal_reasons
                .choose(rng)
                .map_or(Detail::None, |r| Detail::Grounds {
                    grounds: vec![Ground {
                        reason: r.id.clone(),
                        text: r.text.vi.clone(),
                        basis: r.basis.clone(),
                    }],
                })
        }
        OutcomeEffect::RequestSupplement => missing.map_or(Detail::None, |item| Detail::Supplement {
            items: vec![item],
            second_ground: String::new(),
        }),
        OutcomeEffect::Deliver => Detail::Delivery {
            channel: Channel::Counter,
            recipient: view.state.applicant.name.clone(),
        },
        OutcomeEffect::Stop => Detail::Stop {
            reason: "Theo đề nghị của người nộp hồ sơ.".to_owned(),
            basis: "Nghị định 61/2018/NĐ-CP".to_owned(),
        },
        _ => Detail::None,
    };
    let fields: Map<String, Value> = task
        .fields
        .iter()
        .filter(|f| f.required && f.belongs_to(&outcome.id))
        .map(|f| {
            let value = match &f.kind {
                FieldKind::Date => json!(at.legal_date().to_string()),
                FieldKind::Number => json!(1),
                FieldKind::YesNo => json!(true),
                FieldKind::Choice(options) => json!(options.first().map(|o| o.value.as_str())),
                FieldKind::Text | FieldKind::LongText | FieldKind::File => json!("Đã kiểm tra, phù hợp hồ sơ."),
            };
            (f.id.clone(), value)
        })
        .collect();
    Completion {
        token: step.open.token,
        outcome: outcome.id.clone(),
        fields,
        note: String::new(),
        detail,
    }
}

/// A paper that could be asked for, of those that were handed in if there are any: a page is missing, or cannot be read.
fn missing_paper(view: &DossierView, rng: &mut StdRng) -> Option<MissingItem> {
    let (form, handed_in) = (&view.package.form, &view.state.papers);
    let papers: Vec<_> = view
        .package
        .meta
        .supplement_reasons
        .iter()
        .filter_map(|reason| Some((reason, reason.about.as_deref().filter(|id| form.paper(id).is_some())?)))
        .collect();
    let here: Vec<_> = papers
        .iter()
        .filter(|(_, paper)| handed_in.iter().any(|p| p.paper == *paper))
        .collect();
    let (reason, paper) = here.choose(rng).copied().or_else(|| papers.choose(rng))?;
    Some(MissingItem {
        at: (*paper).to_owned(),
        reason: reason.id.clone(),
        text: reason.text.vi.clone(),
        basis: reason.basis.clone(),
    })
}
