//! A few months of dossiers: filed, received, handled, late now and then, as a ward of some 30,000 people sees them.

use base::Timestamp;
use dossier::{
    model::{
        action::{Detail, DossierId, Ground, MissingItem, PaymentMethod},
        command::{Command, Completion},
    },
    service::{Filing, FilingPaper, UploadFor},
};
use identity::{Actor, Ctx, DemoRole, OfficerActor, PersonActor, Purpose};
use procedure::{
    form::{Applicant, Channel, Context},
    package::Package,
    process::{FieldKind, OutcomeEffect, UserTask},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{answers, bar, people};
use crate::node::Node;

/// The town is the same each time it is built.
const SEED: u64 = 20_251_121;
/// How far back the dossiers go, days.
const DAYS: i64 = 120;
/// Tries for one dossier; a form may refuse what chance has answered.
const TRIES: usize = 12;

/// Files and handles `count` dossiers.
///
/// # Errors
/// The database failed.
pub async fn build(node: &Node, count: usize) -> anyhow::Result<()> {
    let town = Town::open(node).await?;
    let mut rng = StdRng::seed_from_u64(SEED);
    let packages = node.dossiers.shelf().all_on(node.clock.now().legal_date());
    anyhow::ensure!(!packages.is_empty(), "there are no packages to file");
    let progress = bar(count as u64, "Hồ sơ / dossiers");
    let now = node.clock.now();
    for n in 0..count {
        let package = packages.choose_weighted(&mut rng, |p| if p.id.code == "1.013225" { 1 } else { 3 })?;
        let days = DAYS - DAYS * i64::try_from(n)? / i64::try_from(count)?;
        let filed_at = town.office_time(now.plus_seconds(-days * 86_400 + rng.random_range(0..36_000)));
        if let Some((id, at)) = town.file(package, filed_at, n, &mut rng).await? {
            town.handle(id, package, at, &mut rng).await?;
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

struct Town<'a> {
    node: &'a Node,
    receptionist: OfficerActor,
    specialists: Vec<OfficerActor>,
    leader: OfficerActor,
    consulted: Vec<OfficerActor>,
    citizen: PersonActor,
    business: PersonActor,
    paper: Vec<u8>,
    now: Timestamp,
}

impl<'a> Town<'a> {
    async fn open(node: &'a Node) -> anyhow::Result<Self> {
        let system = Ctx::system("demo", node.clock.now());
        let officer = async |login: &str| -> anyhow::Result<OfficerActor> {
            let found = node.identity.officer_by_login(&system, login).await?;
            Ok(OfficerActor {
                officer: found.id,
                name: found.name,
                title: found.title,
                agency: found.agency,
                roles: found.roles,
            })
        };
        let source =
            "#set page(width: 14cm, height: 9cm)\n#set text(font: \"Tinos\")\nGiấy tờ minh họa của bản dùng thử.";
        let paper = view::pdf::render_now(&view::pdf::Job::new(source, json!({}), node.clock.now()))
            .map_err(|e| anyhow::anyhow!("the sample paper: {e}"))?;
        Ok(Self {
            receptionist: officer("tiepnhan").await?,
            specialists: vec![officer("chuyenvien").await?, officer("chuyenvien2").await?],
            leader: officer("lanhdao").await?,
            consulted: vec![officer("pccc").await?, officer("hatang").await?],
            citizen: people::person(node, DemoRole::Citizen).await?,
            business: people::person(node, DemoRole::Business).await?,
            paper,
            now: node.clock.now(),
            node,
        })
    }

    fn ctx(&self, actor: Actor, at: Timestamp) -> Ctx {
        Ctx {
            actor,
            now: at,
            request_id: base::Id::<()>::new(at).uuid(),
            lang: base::Lang::Vi,
        }
    }

    /// An instant at which the office works, at or after `at`.
    fn office_time(&self, at: Timestamp) -> Timestamp {
        self.node.dossiers.calendar().add_working_time(at, 1)
    }

    /// Files one dossier; `None` where chance found no answers that the form accepts.
    async fn file(
        &self,
        package: &Package,
        at: Timestamp,
        n: usize,
        rng: &mut StdRng,
    ) -> anyhow::Result<Option<(DossierId, Timestamp)>> {
        let online = rng.random_bool(0.62);
        // Every tenth online dossier is the demo citizen's own, so that their page is not empty.
        let person = match n % 20 {
            0 | 10 => self.citizen.clone(),
            5 => self.business.clone(),
            _ => self.townsperson(rng),
        };
        let known = matches!(n % 20, 0 | 10 | 5);
        for _ in 0..TRIES {
            let applicant = Applicant::from(&person);
            let units = &self.node.dossiers.reference().units;
            let registry = std::collections::BTreeMap::new();
            let channel = if online || known {
                Channel::Online
            } else {
                Channel::Counter
            };
            let context = Context {
                applicant: &applicant,
                channel,
                today: at.legal_date(),
                registry: &registry,
                units,
            };
            let answers = answers::fill(&package.form, &context, rng);
            let needs = package.form.journey(&answers, &context);
            if !needs.problems.is_empty() {
                continue;
            }
            // Townspeople without an account are filed for at the counter.
            let actor = if known {
                Actor::Person(person.clone())
            } else {
                Actor::Officer(self.receptionist.clone())
            };
            let ctx = self.ctx(actor, at);
            let mut papers = Vec::new();
            for need in needs.papers.iter().filter(|p| p.required) {
                let Some(paper) = package.form.papers.get(need.paper) else {
                    continue;
                };
                let name = format!("{}.pdf", paper.id);
                let upload = self
                    .node
                    .dossiers
                    .upload_whole(
                        &ctx,
                        UploadFor::Procedure(&package.id.code),
                        &paper.id,
                        &name,
                        &self.paper,
                    )
                    .await?;
                papers.push(FilingPaper {
                    paper: paper.id.clone(),
                    uploads: vec![upload.id],
                });
            }
            let filing = Filing {
                procedure: package.id.code.clone(),
                answers,
                papers,
                applicant: (!known).then(|| applicant.clone()),
                channel: (!known).then_some(if online { Channel::Post } else { Channel::Counter }),
            };
            match self
                .node
                .dossiers
                .file(&ctx, &filing, &Uuid::from_u128(rng.random()).to_string())
                .await
            {
                Ok(filed) => return Ok(Some((filed.id, at))),
                Err(base::Error::Refused(..)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn townsperson(&self, rng: &mut StdRng) -> PersonActor {
        let female = rng.random();
        let year = rng.random_range(1960..2003);
        PersonActor {
            name: answers::name(rng),
            person_number: Some(answers::person_number(rng, year, female)),
            birth_date: jiff::civil::Date::new(year, rng.random_range(1..=12), rng.random_range(1..=28)).ok(),
            sex: Some(if female {
                identity::Sex::Female
            } else {
                identity::Sex::Male
            }),
            phone: Some(format!("09{:08}", rng.random_range(10_000_000..99_999_999))),
            ..self.citizen.clone()
        }
    }

    /// Lets officers work until the present.
    async fn handle(
        &self,
        id: DossierId,
        package: &Package,
        filed_at: Timestamp,
        rng: &mut StdRng,
    ) -> anyhow::Result<()> {
        let calendar = self.node.dossiers.calendar();
        let slow = rng.random_bool(0.08);
        let mut at = filed_at;
        for _ in 0..40 {
            let system = self.ctx(Actor::System("demo"), at);
            let view = self.node.dossiers.get(&system, id, Purpose::Support).await?;
            let pause = if slow {
                rng.random_range(200..2400)
            } else {
                rng.random_range(20..420)
            };
            at = calendar.add_working_time(at, pause);
            if at >= self.now {
                return Ok(());
            }
            if let Some(asked) = view.state.consultations.iter().find(|c| c.token.is_some()) {
                if rng.random_bool(0.8) {
                    let agency = self
                        .node
                        .dossiers
                        .config()
                        .consulted
                        .get(&asked.agency)
                        .cloned()
                        .unwrap_or_default();
                    if let Some(officer) = self.consulted.iter().find(|o| o.agency == agency) {
                        let command = Command::AnswerConsultation {
                            sent_by: asked.sent_by.clone(),
                            agrees: true,
                            opinion: "Thống nhất với nội dung đề nghị.".to_owned(),
                            document: format!("{}/CV-PC", rng.random_range(100..999)),
                        };
                        self.node
                            .dossiers
                            .command(&self.ctx(Actor::Officer(officer.clone()), at), id, &command, None)
                            .await?;
                        continue;
                    }
                }
                // Silence until the time is over.
                if let Some(timer) = view.state.timers.first() {
                    if timer.due >= self.now {
                        return Ok(());
                    }
                    at = at.max(timer.due);
                    let command = Command::FireTimer { token: timer.token };
                    self.node
                        .dossiers
                        .command(&self.ctx(Actor::System("Hệ thống"), at), id, &command, None)
                        .await?;
                    continue;
                }
            }
            if view.state.open_supplement().is_some() {
                // The applicant has not answered yet.
                return Ok(());
            }
            if view.state.waits_for_payment() {
                let command = Command::RecordPayment {
                    amount: view.state.owed() - view.state.paid,
                    method: PaymentMethod::Cash,
                    reference: format!("BL{:06}", rng.random_range(1..999_999)),
                };
                self.node
                    .dossiers
                    .command(
                        &self.ctx(Actor::Officer(self.receptionist.clone()), at),
                        id,
                        &command,
                        None,
                    )
                    .await?;
                continue;
            }
            let Some(task) = view.tasks.first() else { return Ok(()) };
            let officer = match task.open.role.as_str() {
                "receptionist" => &self.receptionist,
                "leader" => &self.leader,
                "consulted" => self.consulted.first().unwrap_or(&self.receptionist),
                _ => self.specialists.choose(rng).unwrap_or(&self.receptionist),
            };
            let completion = completion(package, &task.task, task.open.token, &view.state.applicant.name, rng);
            let ctx = self.ctx(Actor::Officer(officer.clone()), at);
            match self
                .node
                .dossiers
                .command(&ctx, id, &Command::Complete(completion), None)
                .await
            {
                Ok(_) => {}
                // The fee is paid when the result is fetched, or the dossier waits for something else.
                Err(base::Error::Refused(..)) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// What an officer would choose: mostly the usual way, now and then a request for papers or a refusal with its ground.
fn completion(package: &Package, task: &UserTask, token: u32, applicant: &str, rng: &mut StdRng) -> Completion {
    let usual = task.outcomes.iter().find(|o| o.primary).or(task.outcomes.first());
    let rare = task.outcomes.iter().find(|o| {
        (o.effect == OutcomeEffect::RequestSupplement && rng.random_bool(0.05))
            || (o.effect == OutcomeEffect::Refuse && rng.random_bool(0.02))
    });
    let Some(outcome) = rare.or(usual) else {
        return Completion {
            token,
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
        OutcomeEffect::RequestSupplement => {
            let reason = package.meta.supplement_reasons.iter().find(|r| r.about.is_some());
            match (reason, package.form.papers.first()) {
                (Some(r), _) => Detail::Supplement {
                    items: vec![item(r.about.as_deref().unwrap_or_default(), r)],
                    second_ground: String::new(),
                },
                (None, Some(paper)) => {
                    package
                        .meta
                        .supplement_reasons
                        .first()
                        .map_or(Detail::None, |r| Detail::Supplement {
                            items: vec![item(&paper.id, r)],
                            second_ground: String::new(),
                        })
                }
                (None, None) => Detail::None,
            }
        }
        OutcomeEffect::Deliver => Detail::Delivery {
            channel: Channel::Counter,
            recipient: applicant.to_owned(),
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
                FieldKind::Date => json!("2026-09-15"),
                FieldKind::Number => json!(1),
                FieldKind::YesNo => json!(true),
                FieldKind::Choice(options) => json!(options.first().map(|o| o.value.as_str())),
                FieldKind::Text | FieldKind::LongText | FieldKind::File => json!("Đã kiểm tra, phù hợp hồ sơ."),
            };
            (f.id.clone(), value)
        })
        .collect();
    Completion {
        token,
        outcome: outcome.id.clone(),
        fields,
        note: String::new(),
        detail,
    }
}

fn item(at: &str, reason: &procedure::package::Reason) -> MissingItem {
    MissingItem {
        at: at.to_owned(),
        reason: reason.id.clone(),
        text: reason.text.vi.clone(),
        basis: reason.basis.clone(),
    }
}
