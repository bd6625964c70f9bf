//! A merge at one node, and those at another who name the record.

use ::exchange::events::{Asker, EventTypeId, NewEvent, NewType, Sensitivity, State, Step, Trouble};
use ::registry::{
    history::Moment,
    linking::{Keep, State as Stands, Verdict},
    model::{RegistryCode, ValidTime},
    quality::{FindingView, State as Found, Wanted},
    service::{Change, Provenance, Target},
};
use serde_json::{Value, json};

use super::{registries::keeper, *};
use crate::following;

const KEEPS: &str = "VN/GOV/000.00.00.G01/motcua";
const NAMES: &str = "VN/GOV/000.00.00.G12/motcua";
const OLD: &str = "001180000011";
const NEW: &str = "001180000012";
const OTHER: &str = "001180000099";

fn population() -> RegistryCode {
    "population".parse().expect("a code")
}

fn enterprises() -> RegistryCode {
    "enterprises".parse().expect("a code")
}

/// The steward of who names people.
fn registrar() -> Ctx {
    let mut ctx = keeper();
    if let Actor::Officer(officer) = &mut ctx.actor {
        "G12".clone_into(&mut officer.agency);
    }
    ctx
}

impl Town {
    async fn add(&self, ctx: &Ctx, code: &RegistryCode, key: &str, body: Value) {
        let change = Change::Assert {
            target: Target::New,
            from: Moment::parse("2026-07-01", ValidTime::Day).expect("a day"),
            to: None,
            body,
        };
        let provenance = Provenance {
            source: "Sổ".to_owned(),
            ..Provenance::default()
        };
        let written = self.whole.registries.write(ctx, code, change, &provenance, key).await;
        written.expect("written");
    }

    /// The findings about representatives that stand so.
    async fn findings(&self, state: Found) -> Vec<FindingView> {
        let wanted = Wanted {
            state: Some(state),
            rule: Some("representative-is-known".parse().expect("a rule")),
            limit: 10,
            ..Wanted::default()
        };
        let (ctx, code, quality) = (registrar(), enterprises(), &self.whole.quality);
        let mut views = Vec::new();
        for finding in quality.queue(&ctx, &code, &wanted).await.expect("a queue").items {
            views.push(quality.finding(&ctx, &code, finding.id).await.expect("a finding"));
        }
        views
    }

    async fn has(&self, state: Found, count: usize) -> Vec<FindingView> {
        until("the findings are judged", async || {
            let found = self.findings(state).await;
            (found.len() == count).then_some(found)
        })
        .await
    }

    /// Follows, whoever of the node hears it first, until so many findings are open.
    async fn hears_until(&self, count: usize) -> Vec<FindingView> {
        until("the merge is heard and judged", async || {
            self.follow().await;
            let found = self.findings(Found::Open).await;
            (found.len() == count).then_some(found)
        })
        .await
    }

    /// Follows the merges of the registries that it names until there is nothing more; how many events it was given.
    async fn follow(&self) -> Option<usize> {
        let [follower] = &following::merges(&self.whole).await.expect("followers")[..] else {
            panic!("it names one registry of another node")
        };
        let mut heard = 0;
        loop {
            match follower.step(SystemClock.now()).await {
                Ok(Step::More(count)) => heard += count,
                Ok(Step::Done(count)) => return Some(heard + count),
                Ok(Step::Unapproved) => return None,
                // The node follows by itself as well, and was faster.
                Err(Trouble::Here(base::Error::Refused(..))) => {}
                // A node that has just started may not reach the other yet.
                Err(trouble) => {
                    eprintln!("{trouble}");
                    return None;
                }
            }
        }
    }
}

/// A person who is there twice at who keeps the registry; at another node two firms name her former key, one of them beside somebody else.
async fn known(keeps: &Town, names: &Town) {
    for number in [OLD, NEW] {
        let person = json!({
            "person_number": number, "name": "Nguyễn Thị Hường", "birth_date": "1980-03-05", "sex": "female", "nationality": "VN",
            "status": "alive", "residence": {"province": "01", "commune": "00004"},
        });
        keeps.add(&keeper(), &population(), number, person).await;
    }
    for (tax_code, representatives) in [
        (
            "0100233488",
            json!([{"person_number": OTHER, "name": "Lê Văn An"}, {"person_number": OLD, "name": "Nguyễn Thị Hường"}]),
        ),
        (
            "0100109106",
            json!([{"person_number": OLD, "name": "Nguyễn Thị Hường"}]),
        ),
    ] {
        let firm = json!({
            "tax_code": tax_code, "name": format!("Công ty {tax_code}"), "legal_form": "llc", "status": "active",
            "founded_on": "2020-01-02", "address": {"province": "01", "commune": "00004"}, "representatives": representatives,
        });
        names.add(&registrar(), &enterprises(), tax_code, firm).await;
    }
}

/// Decides about the one pair at who keeps the registry.
async fn decide(keeps: &Town, stands: Stands, merge: bool) {
    let (ctx, code, registries) = (keeper(), population(), &keeps.whole.registries);
    let pair = until("the pair is found", async || {
        let mut pairs = registries
            .pairs(&ctx, &code, stands, None, 10)
            .await
            .expect("a list")
            .items;
        pairs.pop()
    })
    .await;
    let (old, _) = registries.newest(&ctx, &code, OLD).await.expect("she is there");
    let verdict = match (merge, pair.records[0] == old) {
        (false, _) => Verdict::Undo,
        (true, true) => Verdict::Same(Keep::Second),
        (true, false) => Verdict::Same(Keep::First),
    };
    let decided = registries
        .decide(&ctx, &code, pair.id, pair.version, verdict, "Đối chiếu giấy tờ gốc")
        .await;
    decided.expect("decided");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_names_a_record_that_was_merged_at_another_node_is_offered_the_other_key() {
    let dirs = tempfile::tempdir().expect("a folder");
    let operator = founded(dirs.path()).await;
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries");
    let (mut settings, url) = config(&dirs.path().join("a"));
    settings.registries = vec![folders.join("population")];
    settings.exchange.as_mut().expect("an exchange").agency = "G01".to_owned();
    let keeps = member(&operator, (settings, url), "VN/GOV/000.00.00.G01", "Bộ Công an").await;
    let (text, url) = config_text(&dirs.path().join("b"), "");
    let text = format!("{text}[exchange.registries]\npopulation = \"{KEEPS}\"\n");
    let mut settings: Config = toml::from_str(&text).expect("a configuration");
    settings.registries = vec![folders.join("enterprises")];
    settings.exchange.as_mut().expect("an exchange").agency = "G12".to_owned();
    let names = member(&operator, (settings, url), "VN/GOV/000.00.00.G12", "Bộ Tài chính").await;
    keeps.system(KEEPS).await;
    names.system(NAMES).await;
    keeps.learn().await;
    names.learn().await;
    known(&keeps, &names).await;

    // The node asks for the subscription by itself, with its law, and hears nothing before a steward agrees.
    let events = keeps.joined().events.clone();
    let asked = until("it is asked for", async || {
        names.follow().await;
        let asked = events
            .subscriptions(&keeps.steward(), Some(State::Requested), None, 10)
            .await;
        Some(asked.expect("a list").rows).filter(|rows| !rows.is_empty())
    })
    .await;
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(
        (asked[0].of.name.to_string().as_str(), asked[0].purpose.as_str()),
        ("population.merged", "registry.references")
    );
    assert!(asked[0].legal_basis.contains("Luật Doanh nghiệp"), "{asked:?}");
    events
        .decide(&keeps.steward(), asked[0].id, State::Approved, "")
        .await
        .expect("approved");

    // Merged there: a finding here, with the other key.
    decide(&keeps, Stands::Open, true).await;
    for found in names.hears_until(2).await {
        let offered: Vec<&str> = found.proposals.iter().map(|one| one.shown.as_str()).collect();
        assert_eq!(offered, [NEW]);
    }

    // Taken back: it closes, and nothing was overwritten.
    decide(&keeps, Stands::Merged, false).await;
    names.hears_until(0).await;

    // Merged again while the node was down: it learns of it later, once.
    let (mut config, url) = (names.config.clone(), names.url.clone());
    names.stop().await;
    decide(&keeps, Stands::Open, true).await;
    // In this process connections of the stopped node may still hold its files, so it starts again on what they say.
    let moved = dirs.path().join("b-again");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(&config.data)
        .arg(&moved)
        .status();
    assert!(copied.expect("copied").success());
    config.data = moved;
    let names = Town::serve(config, url).await;
    names.learn().await;
    let found = names.hears_until(2).await;
    until("nothing more is told", async || {
        (names.follow().await == Some(0)).then_some(())
    })
    .await;
    let ids = |found: &[FindingView]| found.iter().map(|one| one.finding.id).collect::<Vec<_>>();
    assert_eq!(ids(&found), ids(&names.has(Found::Open, 2).await));

    // Who does not keep the registry is not heard, whatever it calls its events.
    let mine = NAMES.parse::<SubsystemId>().expect("a system");
    let of = EventTypeId {
        provider: mine.clone(),
        name: "population.merged".parse().expect("a name"),
    };
    let room = names.joined().events.clone();
    let new = NewType {
        id: of.clone(),
        title: Text::new("Hợp nhất", "Merged"),
        schema: json!({"type": "object"}),
        sensitivity: Sensitivity::Internal,
        key_field: None,
        retention_days: 10,
    };
    room.define(Asker::Subsystem(&mine), &new).await.expect("a type");
    let lie = json!({
        "record": Uuid::from_u128(1), "version": 2, "change": "merged", "recorded_at": "2026-11-25T00:00:00Z", "key": OTHER,
        "stayed": {"record": Uuid::from_u128(2), "key": NEW},
    });
    let news = NewEvent {
        producer_id: None,
        key: None,
        data: lie,
    };
    for published in room.publish_all(&mine, &of, vec![news]).await.expect("published") {
        published.expect("published");
    }
    assert_eq!(names.follow().await, Some(0));
    assert_eq!(ids(&found), ids(&names.has(Found::Open, 2).await));

    // One click writes the key, in the place of the one and nowhere else.
    let of_firm = |one: &&FindingView| one.record.as_ref().is_some_and(|record| record.key == "0100233488");
    let found = found.iter().find(of_firm).expect("of both firms");
    let seen = found.record.as_ref().expect("a firm").newest;
    let quality = &names.whole.quality;
    let accepted = quality
        .accept(&registrar(), &enterprises(), found.finding.id, seen, 0)
        .await;
    accepted.expect("accepted");
    names.has(Found::Open, 1).await;
    let mended = names.findings(Found::Mended).await;
    let firm = mended.iter().find(of_firm).and_then(|one| one.record.as_ref());
    let firm = &firm.expect("a firm").body;
    assert_eq!(
        firm["representatives"],
        json!([{"person_number": OTHER, "name": "Lê Văn An"}, {"person_number": NEW, "name": "Nguyễn Thị Hường"}])
    );

    // Another keeper has told of nothing: what the former one told is not held against anybody.
    let handler = names
        .whole
        .registries
        .heard_merges(population(), NAMES.parse().expect("a system"));
    handler.forget_others(SystemClock.now()).await.expect("forgotten");
    names.has(Found::Open, 0).await;
}
