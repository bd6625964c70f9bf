//! Dossiers that people file and officers handle: figures that follow each step equal figures made anew, and what the
//! dossiers themselves say.

use std::{collections::BTreeMap, sync::Arc};

use ::store::jobs::Runner;
use base::{Error, Lang, Timestamp, time::FixedClock};
use dossier::{
    model::{
        action::{Detail, DossierId, Ground, MissingItem, PaymentMethod},
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
use crate::model::{By, Line, Measure, Month, Question, Stock};

/// Packages of one procedure: one that asks for papers never, and one that does before and after the reception.
const PACKAGES: [&str; 2] = ["crates/procedure/tests/packages/good", "catalogue/2.000635"];

/// What happens to a dossier, each so many minutes after what was before.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// The first open step ends as most do.
    Step,
    /// The first open step ends with a refusal, if it is the reception.
    Refuse,
    Pay,
    /// Papers are asked for in the first open step, if it can.
    Ask,
    /// They are handed in.
    Answer,
    Withdraw,
    Stop,
    /// The jobs that wait are done; what is not done now is overtaken.
    Jobs,
}

#[derive(Debug, Clone)]
pub(super) struct Life {
    pub person: u8,
    pub online: bool,
    pub on_paper: bool,
    pub filed_after: i64,
    pub acts: Vec<(Act, i64)>,
}

fn life() -> impl Strategy<Value = Life> {
    let act = prop_oneof![
        6 => Just(Act::Step),
        1 => Just(Act::Refuse),
        3 => Just(Act::Pay),
        1 => Just(Act::Ask),
        2 => Just(Act::Answer),
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
pub(super) fn begin() -> Timestamp {
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

/// A dossier that has lived: which, until when, and how it stood at the end of each month that it saw.
pub(super) struct Lived {
    pub id: DossierId,
    pub end: Timestamp,
    ends: Vec<(Month, Option<Bucket>)>,
}

/// Files a dossier and lets happen to it what happens.
pub(super) async fn live(site: &Site, life: &Life, clock: &FixedClock, runner: &Runner) -> Lived {
    let dossiers = site.insight.dossiers();
    let mut now = begin().plus_seconds(life.filed_after * 60);
    let (units, today) = (&dossiers.reference().units, now.legal_date());
    let province = units.provinces(today)[0].code.to_string();
    let commune = units.communes(units.provinces(today)[0].code, today)[0]
        .code
        .to_string();
    let residence = json!({ "province": province, "commune": commune, "detail": "Số 5, đường Lê Lợi" });
    let date = if life.on_paper { "2012-03-04" } else { "2020-03-04" };
    let answers = if site.package == PACKAGES[0] {
        json!({
            "requester": { "residence": residence, "relation": "parent" },
            "person": { "name": "Trần Văn An", "birth": "1962-05" },
            "event": { "kind": "birth", "date": date },
            "request": { "copies": 3, "promise": true }
        })
    } else {
        json!({
            "requester": { "residence": residence },
            "event": { "kind": "birth", "office": "Xã Phú Mậu, tỉnh Thừa Thiên" },
            "request": { "for_whom": "self", "copies": 3, "promise": true },
            "fee": { "exemption": "none" }
        })
    };
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
    let mut ends = Vec::new();
    for (act, minutes) in &life.acts {
        let before = Month::of(now);
        now = now.plus_seconds(minutes * 60);
        let view = dossiers
            .get(&Ctx::system("test", now), filed.id, Purpose::Support)
            .await
            .expect("the dossier");
        let bucket = view.state.ended_at.is_none().then(|| view.state.national().bucket());
        let passed = (before.index()..Month::of(now).index()).map(Month::from_index);
        ends.extend(passed.map(|month| (month, bucket)));
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
                Some("intake" | "receive") => step("accept", Detail::None),
                Some("draft") => step("done", Detail::None),
                Some("review") => step("ok", Detail::None),
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
            Act::Ask => step(
                "supplement",
                Detail::Supplement {
                    items: vec![MissingItem {
                        at: "event.office".to_owned(),
                        reason: "event-unclear".to_owned(),
                        text: "Ghi rõ nơi đã đăng ký.".to_owned(),
                        basis: "Luật Hộ tịch 2014, Điều 64".to_owned(),
                    }],
                    second_ground: "Nơi đăng ký mới bổ sung không có sổ.".to_owned(),
                },
            ),
            Act::Answer => Some(Command::Supplement {
                answers: Answers::from_value(json!({ "event": { "office": "Xã Phú Mậu, huyện Phú Vang" } }))
                    .expect("an object"),
                papers: Vec::new(),
            }),
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
        let who = if matches!(act, Act::Withdraw | Act::Answer) {
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
    Lived {
        id: filed.id,
        end: now,
        ends,
    }
}

/// The published total against what each dossier says of itself; gives the total.
async fn agrees_with_dossiers(site: &Site, lived: &[Lived], now: Timestamp) -> Line {
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
    let ids: Vec<DossierId> = lived.iter().map(|l| l.id).collect();
    for f in site.insight.dossiers().figures_of(&ids).await.expect("figures") {
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

/// What is published of the end of each month that has passed, against how each dossier stood then; gives it.
async fn ends_agree_with_dossiers(site: &Site, lived: &[Lived], now: Timestamp) -> Vec<Stock> {
    let mut stood: BTreeMap<Month, Stock> = BTreeMap::new();
    let (first, this_month) = (Month::of(begin()), Month::of(now));
    for dossier in lived {
        // What nothing happened to any more stands as it stood last.
        let figures = site
            .insight
            .dossiers()
            .figures_of(&[dossier.id])
            .await
            .expect("figures");
        let last = figures.first().expect("the dossier");
        let bucket = last.ended_at.is_none().then(|| last.status.bucket());
        let since = (Month::of(dossier.end).index()..this_month.index()).map(|n| (Month::from_index(n), bucket));
        for (month, bucket) in dossier.ends.iter().copied().chain(since) {
            let stock = stood.entry(month).or_default();
            stock.in_progress += i64::from(bucket == Some(Bucket::InProgress));
            stock.paused += i64::from(bucket == Some(Bucket::Paused));
        }
    }
    let question = |by, to| Question {
        agency: None,
        field: None,
        from: first,
        to,
        by,
    };
    let report = site.insight.report(&question(By::Month, this_month), now).await;
    let lines = report.expect("a report").lines;
    let mut ends = Vec::new();
    for (line, month) in lines
        .iter()
        .zip((first.index()..this_month.index()).map(Month::from_index))
    {
        let expected = stood.get(&month).copied().unwrap_or_default();
        assert_eq!(line.end, Some(expected), "{month}: {:?}", site.package);
        let report = site.insight.report(&question(By::Agency, month), now).await;
        assert_eq!(
            report.expect("a report").total.end.unwrap_or_default(),
            expected,
            "{month}"
        );
        ends.push(expected);
    }
    ends
}

/// Lets lives happen on each engine; gives the published totals, and what stood at the end of each month.
async fn follow(package: &'static str, lives: &[Life]) -> Vec<(Line, Vec<Stock>)> {
    let mut totals = Vec::new();
    for site in sites(&[package]).await {
        let clock = Arc::new(FixedClock::at(begin()));
        let runner = site.runner(clock.clone());
        let (mut lived, mut last) = (Vec::new(), begin());
        for life in lives {
            let dossier = live(&site, life, &clock, &runner).await;
            last = last.max(dossier.end);
            lived.push(dossier);
        }
        clock.set(last);
        while runner.run_due().await.expect("jobs") > 0 {}
        let followed = everything(&site.store).await;
        agrees_with_dossiers(&site, &lived, last).await;
        ends_agree_with_dossiers(&site, &lived, last).await;
        site.insight.rebuild(&mut |_| ()).await.expect("rebuilt");
        let anew = everything(&site.store).await;
        assert_eq!(followed, anew);
        let ends = ends_agree_with_dossiers(&site, &lived, last).await;
        totals.push((agrees_with_dossiers(&site, &lived, last).await, ends));
        site.store.close().await;
    }
    totals
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn followed_step_by_step_equals_made_anew(lives in prop::collection::vec(life(), 1..7), package in 0_usize..2) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { drop(follow(PACKAGES[package], &lives).await) });
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
    for (total, _) in follow(PACKAGES[0], &lives).await {
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

/// Dossiers that await a payment, or papers before and after their reception, while months end.
#[tokio::test(flavor = "multi_thread")]
async fn what_stood_at_the_end_of_each_month_is_kept() {
    use Act::{Answer, Ask, Jobs, Pay, Step, Withdraw};
    const FORTNIGHT: i64 = 14 * 24 * 60;
    let life = |person: u8, online: bool, acts: &[Act]| Life {
        person,
        online,
        on_paper: false,
        filed_after: 0,
        acts: acts.iter().map(|act| (*act, FORTNIGHT)).collect(),
    };
    let lives = [
        life(0, true, &[Step, Pay, Jobs, Ask, Jobs, Answer, Step, Jobs, Step]),
        life(1, false, &[Ask, Jobs, Jobs, Answer, Step, Jobs, Pay, Step]),
        life(2, true, &[Ask, Jobs, Withdraw]),
        life(2, true, &[Step, Jobs, Jobs, Pay, Ask, Answer, Ask, Jobs, Withdraw]),
        life(1, false, &[Pay, Step]),
    ];
    for (_, ends) in follow(PACKAGES[1], &lives).await {
        let stocks: Vec<(i64, i64)> = ends.iter().map(|end| (end.in_progress, end.paused)).collect();
        assert!(stocks.iter().any(|(in_progress, _)| *in_progress > 1), "{stocks:?}");
        assert!(stocks.iter().any(|(_, paused)| *paused > 1), "{stocks:?}");
        assert!(
            stocks.len() > 3 && stocks.windows(2).any(|pair| pair[0] != pair[1]),
            "{stocks:?}"
        );
    }
}
