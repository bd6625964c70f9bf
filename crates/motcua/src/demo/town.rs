//! A few months of dossiers, filed as the people of a ward of some 30,000 file them.

use base::Timestamp;
use dossier::{
    model::action::DossierId,
    service::{Filing, FilingPaper, UploadFor},
};
use identity::{Actor, Assurance, Ctx, DemoRole, NewAccount, OfficerActor, PersonActor, Sex};
use procedure::{
    form::{Applicant, Channel, Context},
    package::Package,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::json;
use uuid::Uuid;

use super::{answers, bar, people, work::Fate};
use crate::node::Node;

/// The town is the same each time it is built.
const SEED: u64 = 20_251_121;
/// How far back the dossiers go, days.
const DAYS: i64 = 120;
/// Tries for one dossier; a form may refuse what chance has answered.
const TRIES: usize = 12;
/// A minute in microseconds.
pub(super) const MINUTE: i64 = 60_000_000;

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
    for n in 0..count {
        let package = packages.choose_weighted(&mut rng, |p| if p.id.code == "1.013225" { 1 } else { 3 })?;
        let days = DAYS - DAYS * i64::try_from(n)? / i64::try_from(count)?;
        if let Some((id, at)) = town.file(package, days, n, &mut rng).await? {
            town.handle(id, at, Fate::of(n, days), &mut rng).await?;
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

pub(super) struct Town<'a> {
    pub(super) node: &'a Node,
    pub(super) receptionist: OfficerActor,
    /// Civil status is this officer's.
    pub(super) registrar: OfficerActor,
    /// Land and building are this one's.
    pub(super) surveyor: OfficerActor,
    pub(super) leader: OfficerActor,
    pub(super) consulted: Vec<OfficerActor>,
    citizen: PersonActor,
    business: PersonActor,
    paper: Vec<u8>,
    pub(super) now: Timestamp,
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
            registrar: officer("chuyenvien").await?,
            surveyor: officer("chuyenvien2").await?,
            leader: officer("lanhdao").await?,
            consulted: vec![officer("pccc").await?, officer("hatang").await?],
            citizen: people::person(node, DemoRole::Citizen).await?,
            business: people::person(node, DemoRole::Business).await?,
            paper,
            now: node.clock.now(),
            node,
        })
    }

    pub(super) fn ctx(&self, actor: Actor, at: Timestamp) -> Ctx {
        Ctx {
            actor,
            now: at,
            request_id: base::Id::<()>::new(at).uuid(),
            lang: base::Lang::Vi,
        }
    }

    /// When somebody files, so many days ago: online at any hour that people are awake, else while the counter is open.
    fn filing_time(&self, days: i64, online: bool, rng: &mut StdRng) -> anyhow::Result<Timestamp> {
        let then = self.now.plus_seconds(-days * 86_400);
        Ok(if online {
            let time = jiff::civil::Time::new(
                rng.random_range(6..23),
                rng.random_range(0..60),
                rng.random_range(0..60),
                0,
            )?;
            Timestamp::from_legal(then.legal_date().to_datetime(time))
        } else {
            let minutes = rng.random_range(1..480);
            self.node.dossiers.calendar().sub_working_micros(then, minutes * MINUTE)
        })
    }

    /// Files one dossier; `None` where chance found no answers that the form accepts.
    async fn file(
        &self,
        package: &Package,
        days: i64,
        n: usize,
        rng: &mut StdRng,
    ) -> anyhow::Result<Option<(DossierId, Timestamp)>> {
        // Every tenth dossier is the demo citizen's own, so that their page is not empty.
        let known = match n % 20 {
            0 | 10 => Some(&self.citizen),
            5 => Some(&self.business),
            _ => None,
        };
        let channel = if known.is_some() || rng.random_bool(0.62) {
            Channel::Online
        } else if rng.random_bool(0.85) {
            Channel::Counter
        } else {
            Channel::Post
        };
        let online = channel == Channel::Online;
        let (filer, applicant) = match known {
            Some(person) => (Actor::Person(person.clone()), Applicant::from(person)),
            None => self.townsperson(n, online, rng).await?,
        };
        let at = self.filing_time(days, online, rng)?;
        for _ in 0..TRIES {
            let units = &self.node.dossiers.reference().units;
            let facts = procedure::form::Facts::default();
            let context = Context {
                applicant: &applicant,
                channel,
                today: at.legal_date(),
                facts: &facts,
                units,
            };
            let answers = answers::fill(&package.form, &context, rng);
            let needs = package.form.journey(&answers, &context);
            if !needs.problems.is_empty() {
                continue;
            }
            let ctx = self.ctx(filer.clone(), at);
            let mut papers = Vec::new();
            for need in needs.papers.iter().filter(|p| p.required) {
                let Some(paper) = package.form.papers.get(need.paper) else {
                    continue;
                };
                papers.push(
                    self.hand_in(&ctx, UploadFor::Procedure(&package.id.code), &paper.id)
                        .await?,
                );
            }
            let filing = Filing {
                procedure: package.id.code.clone(),
                answers,
                papers,
                applicant: (!online).then(|| applicant.clone()),
                channel: (!online).then_some(channel),
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

    /// A paper with its one file.
    pub(super) async fn hand_in(&self, ctx: &Ctx, why: UploadFor<'_>, paper: &str) -> anyhow::Result<FilingPaper> {
        let name = format!("{paper}.pdf");
        let upload = self
            .node
            .dossiers
            .upload_whole(ctx, why, paper, &name, &self.paper)
            .await?;
        Ok(FilingPaper {
            paper: paper.to_owned(),
            uploads: vec![upload.id],
        })
    }

    /// Somebody of the town: with an account of their own online, else filed for by the receptionist.
    async fn townsperson(&self, n: usize, online: bool, rng: &mut StdRng) -> anyhow::Result<(Actor, Applicant)> {
        let female = rng.random();
        let year = rng.random_range(1960..2003);
        let new = NewAccount {
            person_number: Some(answers::person_number(rng, year, female)),
            birth_date: jiff::civil::Date::new(year, rng.random_range(1..=12), rng.random_range(1..=28)).ok(),
            sex: Some(if female { Sex::Female } else { Sex::Male }),
            phone: Some(format!("09{:08}", rng.random_range(10_000_000..99_999_999))),
            assurance: Assurance::Level2,
            ..NewAccount::named(people::ISSUER, &format!("townsperson-{n}"), &answers::name(rng))
        };
        if online {
            let person = people::signed_in(self.node, new).await?;
            let applicant = Applicant::from(&person);
            return Ok((Actor::Person(person), applicant));
        }
        let applicant = Applicant {
            name: Some(new.name),
            person_number: new.person_number,
            birth_date: new.birth_date,
            sex: new.sex.map(|sex| sex.code().to_owned()),
            phone: new.phone,
            ..Applicant::default()
        };
        Ok((Actor::Officer(self.receptionist.clone()), applicant))
    }
}
