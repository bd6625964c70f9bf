//! Dossiers that people file and officers handle: figures that follow each step equal figures made anew, and what the
//! dossiers themselves say.

use std::sync::Arc;

use ::store::jobs::Runner;
use base::{Error, Lang, Timestamp, time::FixedClock};
use dossier::{
    model::{
        action::{Detail, DossierId, Ground, PaymentMethod},
        command::{Command, Completion},
        status::{Bucket, NationalStatus},
    },
    service::Filing,
};
use identity::{AccountId, Actor, Assurance, Ctx, OfficerActor, OfficerId, PersonActor, Purpose, Role, Roles, Sex};
use jiff::civil::datetime;
use procedure::form::{Answers, Applicant, Channel};
use proptest::prelude::*;
use serde_json::{Map, json};
use uuid::Uuid;

use super::{
    everything,
    site::{AGENCY, Site, sites},
};
use crate::{
    handlers,
    model::{By, Line, Measure, Month, Question},
};

/// What happens to a dossier, each so many minutes after what was before.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// The first open step ends as most do.
    Step,
    /// The first open step ends with a refusal, if it is the reception.
    Refuse,
    Pay,
    Withdraw,
    Stop,
    /// The jobs that wait are done; what is not done now is overtaken.
    Jobs,
}

#[derive(Debug, Clone)]
struct Life {
    person: u8,
    online: bool,
    on_paper: bool,
    filed_after: i64,
    acts: Vec<(Act, i64)>,
}

fn life() -> impl Strategy<Value = Life> {
    let act = prop_oneof![
        6 => Just(Act::Step),
        1 => Just(Act::Refuse),
        3 => Just(Act::Pay),
        1 => Just(Act::Withdraw),
        1 => Just(Act::Stop),
        2 => Just(Act::Jobs),
    ];
    let wait = prop_oneof![5_i64..300, 1_000_i64..30_000];
    (
        0_u8..3,
        any::<bool>(),
        any::<bool>(),
        0_i64..60_000,
        prop::collection::vec((act, wait), 0..9),
    )
        .prop_map(|(person, online, on_paper, filed_after, acts)| Life {
            person,
            online,
            on_paper,
            filed_after,
            acts,
        })
}

/// A Friday morning.
fn begin() -> Timestamp {
    Timestamp::from_legal(datetime(2026, 11, 20, 9, 0, 0, 0))
}

fn ctx(actor: Actor, now: Timestamp) -> Ctx {
    Ctx {
        actor,
        now,
        request_id: base::Id::<Ctx>::new(now).uuid(),
        lang: Lang::Vi,
    }
}

fn person(n: u8, now: Timestamp) -> Ctx {
    let person = PersonActor {
        account: AccountId::from_uuid(Uuid::from_u128(u128::from(n) + 1)),
        name: "Nguyễn Thị Ngọc Ánh".to_owned(),
        person_number: Some("046190001234".to_owned()),
        birth_date: Some(jiff::civil::date(1990, 5, 2)),
        sex: Some(Sex::Female),
        phone: Some("0905123456".to_owned()),
        email: None,
        assurance: Assurance::Level2,
        organisation: None,
    };
    ctx(Actor::Person(person), now)
}

fn officer(now: Timestamp) -> Ctx {
    let officer = OfficerActor {
        officer: OfficerId::from_uuid(Uuid::from_u128(77)),
        name: "Trần Văn Bình".to_owned(),
        title: "Công chức".to_owned(),
        agency: AGENCY.to_owned(),
        roles: Roles::of(&[Role::Receptionist, Role::Specialist, Role::Leader]),
    };
    ctx(Actor::Officer(officer), now)
}

/// Files a dossier and lets happen to it what happens; gives its id and the last instant.
async fn live(site: &Site, life: &Life, clock: &FixedClock, runner: &Runner) -> (DossierId, Timestamp) {
    let dossiers = site.insight.dossiers();
    let mut now = begin().plus_seconds(life.filed_after * 60);
    let (units, today) = (&dossiers.reference().units, now.legal_date());
    let province = units.provinces(today)[0].code.to_string();
    let commune = units.communes(units.provinces(today)[0].code, today)[0]
        .code
        .to_string();
    let date = if life.on_paper { "2012-03-04" } else { "2020-03-04" };
    let answers = json!({
        "requester": { "residence": { "province": province, "commune": commune, "detail": "Số 5, đường Lê Lợi" }, "relation": "parent" },
        "person": { "name": "Trần Văn An", "birth": "1962-05" },
        "event": { "kind": "birth", "date": date },
        "request": { "copies": 3, "promise": true }
    });
    let applicant = Applicant {
        name: Some("Lê Thị Hoa".to_owned()),
        person_number: Some("037190001234".to_owned()),
        phone: Some("0912345678".to_owned()),
        ..Applicant::default()
    };
    let filing = Filing {
        procedure: "2.000635".to_owned(),
        answers: Answers::from_value(answers).expect("an object"),
        papers: Vec::new(),
        applicant: (!life.online).then_some(applicant),
        channel: (!life.online).then_some(Channel::Counter),
    };
    let who = |now| {
        if life.online {
            person(life.person, now)
        } else {
            officer(now)
        }
    };
    let filed = dossiers
        .file(&who(now), &filing, &base::Id::<Ctx>::new(now).uuid().to_string())
        .await
        .expect("filed");
    for (act, minutes) in &life.acts {
        now = now.plus_seconds(minutes * 60);
        let view = dossiers
            .get(&Ctx::system("test", now), filed.id, Purpose::Support)
            .await
            .expect("the dossier");
        let task = view.state.tasks.first();
        let step = |outcome: &str, detail: Detail| {
            task.map(|task| {
                Command::Complete(Completion {
                    token: task.token,
                    outcome: outcome.to_owned(),
                    fields: Map::new(),
                    note: String::new(),
                    detail,
                })
            })
        };
        let command = match act {
            Act::Jobs => {
                clock.set(now);
                while runner.run_due().await.expect("jobs") > 0 {}
                continue;
            }
            Act::Step => match task.map(|task| task.node.as_str()) {
                Some("intake") => step("accept", Detail::None),
                Some("draft") => step("done", Detail::None),
                _ => step("approve", Detail::None),
            },
            Act::Refuse => step(
                "refuse",
                Detail::Grounds {
                    grounds: vec![Ground {
                        reason: "not-registered".to_owned(),
                        text: "Không tìm thấy trong sổ.".to_owned(),
                        basis: "Luật Hộ tịch 2014, Điều 64".to_owned(),
                    }],
                },
            ),
            Act::Pay => Some(Command::RecordPayment {
                amount: 24_000,
                method: PaymentMethod::Cash,
                reference: "BL-1".to_owned(),
            }),
            Act::Withdraw => Some(Command::Withdraw {
                reason: "Không còn nhu cầu.".to_owned(),
            }),
            Act::Stop => Some(Command::Stop {
                reason: "Người yêu cầu đã mất.".to_owned(),
                basis: "Luật Hộ tịch 2014".to_owned(),
            }),
        };
        let Some(command) = command else { continue };
        let who = if matches!(act, Act::Withdraw) {
            who(now)
        } else {
            officer(now)
        };
        match dossiers.command(&who, filed.id, &command, None).await {
            // What cannot be done now changes nothing.
            Ok(_) | Err(Error::Refused(..)) => {}
            Err(error) => panic!("{act:?}: {error}"),
        }
    }
    (filed.id, now)
}

/// The published total against what each dossier says of itself; gives the total.
async fn agrees_with_dossiers(site: &Site, ids: &[DossierId], now: Timestamp) -> Line {
    let question = Question {
        agency: Some(AGENCY.to_owned()),
        field: None,
        from: Month::of(begin()),
        to: Month::of(now),
        by: By::Procedure,
    };
    let total = site.insight.report(&question, now).await.expect("a report").total;
    let standing = total.now.expect("of the whole");
    let (mut received, mut online, mut decided, mut waiting, mut in_progress, mut paused, mut overdue) =
        (0, 0, 0, 0, 0, 0, 0);
    for id in ids {
        let f = site.insight.dossiers().figures(*id).await.expect("figures");
        received += i64::from(f.received_at.is_some());
        online += i64::from(f.received_at.is_some() && f.channel == Channel::Online);
        decided +=
            i64::from(f.ended_at.is_some() && matches!(f.status, NationalStatus::Decided | NationalStatus::Returned));
        if f.ended_at.is_none() {
            waiting += i64::from(f.status.bucket() == Bucket::Waiting);
            in_progress += i64::from(f.status.bucket() == Bucket::InProgress);
            paused += i64::from(f.status.bucket() == Bucket::Paused);
            overdue += i64::from(f.status.bucket() == Bucket::InProgress && f.due_at.is_some_and(|due| due < now));
        }
    }
    assert_eq!(total.counts.get(Measure::Received), received);
    assert_eq!(total.counts.get(Measure::Online), online);
    assert_eq!(total.counts.solved(), decided);
    assert_eq!(
        (
            standing.waiting,
            standing.in_progress,
            standing.paused,
            standing.overdue
        ),
        (waiting, in_progress, paused, overdue)
    );
    total
}

/// Lets lives happen on each engine; gives the published totals.
async fn follow(lives: &[Life]) -> Vec<Line> {
    let mut totals = Vec::new();
    for site in sites(&["crates/procedure/tests/packages/good"]).await {
        let clock = Arc::new(FixedClock::at(begin()));
        let runner = handlers(Runner::new(site.store.clone(), clock.clone()), &site.insight);
        let (mut ids, mut last) = (Vec::new(), begin());
        for life in lives {
            let (id, end) = live(&site, life, &clock, &runner).await;
            ids.push(id);
            last = last.max(end);
        }
        clock.set(last);
        while runner.run_due().await.expect("jobs") > 0 {}
        let followed = everything(&site.store).await;
        agrees_with_dossiers(&site, &ids, last).await;
        site.insight.rebuild(&mut |_| ()).await.expect("rebuilt");
        let anew = everything(&site.store).await;
        assert_eq!(followed, anew);
        totals.push(agrees_with_dossiers(&site, &ids, last).await);
        site.store.close().await;
    }
    totals
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn followed_step_by_step_equals_made_anew(lives in prop::collection::vec(life(), 1..7)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { drop(follow(&lives).await) });
    }
}

/// One dossier for each way in which one can end or stand, so that none of them is left to chance.
#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_a_dossier_is_followed() {
    use Act::{Jobs, Pay, Refuse, Step, Stop, Withdraw};
    let life = |person: u8, online: bool, acts: &[Act]| Life {
        person,
        online,
        on_paper: person == 0,
        filed_after: i64::from(person) * 20_000,
        acts: acts.iter().map(|act| (*act, 30)).collect(),
    };
    let mut late = life(2, false, &[Jobs, Step, Pay, Step, Jobs, Step]);
    late.acts[4].1 = 30_000;
    let lives = [
        life(0, true, &[]),
        life(0, true, &[Refuse]),
        life(0, true, &[Jobs, Step]),
        life(0, true, &[Step, Pay]),
        life(1, true, &[Step, Pay, Step, Jobs, Step]),
        life(1, false, &[Step, Pay, Step, Step]),
        late,
        life(2, true, &[Step, Pay, Withdraw]),
        life(2, true, &[Withdraw]),
        life(1, true, &[Step, Pay, Stop]),
    ];
    for total in follow(&lives).await {
        let now = total.now.expect("of the whole");
        for measure in [
            Measure::Online,
            Measure::Counter,
            Measure::Late,
            Measure::Refused,
            Measure::Withdrawn,
            Measure::Stopped,
            Measure::Timed,
        ] {
            assert!(total.counts.get(measure) > 0, "{measure:?} in {total:?}");
        }
        assert!(
            total.counts.get(Measure::Early) + total.counts.get(Measure::OnTime) > 0,
            "{total:?}"
        );
        assert!(now.waiting > 0 && now.in_progress > 0, "{now:?}");
    }
}
