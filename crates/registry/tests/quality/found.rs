//! Findings: when they come, what closes them, and what a steward does with them.

use base::Kind;
use identity::Role;
use registry::{
    model::Dimension,
    quality::{Correction, Edit, Finding, FindingId, State, Wanted, Whose},
    service::{Change, Target, With},
};
use serde_json::{Value, json};

use crate::town::{AN, BINH, RULES, Town, code, day, files, key, member, refusal, seen, towns};

impl Town {
    pub async fn queue(&self, wanted: &Wanted) -> Vec<Finding> {
        let wanted = Wanted {
            limit: 100,
            ..wanted.clone()
        };
        let queue = self.quality.queue(&self.steward(), &code(), &wanted).await;
        queue.expect("a queue").items
    }

    /// The rules that records break, sorted.
    pub async fn broken(&self) -> Vec<String> {
        let open = self.queue(&Wanted::default()).await;
        let mut rules: Vec<String> = open.iter().map(|finding| finding.rule.to_string()).collect();
        rules.sort();
        rules
    }

    async fn only(&self) -> FindingId {
        let [finding] = self.queue(&Wanted::default()).await.try_into().expect("one finding");
        finding.id
    }
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn edit(field: &str, value: &str) -> Edit {
    Edit {
        in_place_of: None,
        field: field.parse().expect("a field"),
        value: value.to_owned(),
    }
}

#[tokio::test]
async fn a_finding_comes_with_its_clock_and_goes_with_the_version_that_mends_it() {
    for town in towns().await {
        let mut body = member(AN, "Nguyễn Thị An");
        body.as_object_mut().expect("an object").remove("commune");
        let written = town.add(body).await;
        assert!(town.broken().await.is_empty());
        town.settle().await;
        let [found] = town.queue(&Wanted::default()).await.try_into().expect("one finding");
        assert_eq!(
            (found.rule.as_str(), found.dimension),
            ("has-commune", Dimension::Complete)
        );
        assert_eq!((found.seq, found.record), (1, written.record.uuid()));
        // Three working days after Wednesday the 25th: Monday.
        assert_eq!(found.due_at.legal_date().to_string(), "2026-11-30");
        assert_eq!(
            town.quality.open_findings(&code(), town.now()).await.expect("a count"),
            1
        );

        let overdue = Wanted {
            whose: Whose::Overdue,
            ..Wanted::default()
        };
        assert!(town.queue(&overdue).await.is_empty());
        town.pass(6);
        assert!(town.queue(&overdue).await[0].is_overdue(town.now()));

        // Who may not see it, does not; who may not correct, cannot.
        for ctx in [
            town.officer("Đọc", "G01", Role::Reader),
            town.officer("Khác", "G02", Role::Steward),
            town.person(AN, "Nguyễn Thị An"),
        ] {
            let seen = town
                .quality
                .finding(&ctx, &code(), found.id)
                .await
                .expect_err("refused");
            assert_eq!(seen.kind(), Some(Kind::Forbidden));
            let edits = vec![edit("commune", "00004")];
            let mended = town
                .quality
                .mend(&ctx, &code(), found.id, 1, edits)
                .await
                .expect_err("refused");
            assert_eq!(mended.kind(), Some(Kind::Forbidden));
        }

        let view = town
            .quality
            .finding(&town.steward(), &code(), found.id)
            .await
            .expect("a finding");
        let record = view.record.expect("it holds");
        let mend = async |edits| {
            town.quality
                .mend(&town.steward(), &code(), found.id, record.newest, edits)
                .await
        };
        for (edits, expected) in [
            (vec![], "nothing-changed"),
            (vec![edit("name", "Nguyễn Thị An")], "nothing-changed"),
            (vec![edit("nowhere", "x")], "unknown-field"),
            (vec![edit("commune", "99999")], "not-in-list"),
            (vec![edit("name", "")], "missing"),
        ] {
            let error = mend(edits).await.expect_err("refused");
            if expected != "missing" {
                assert_eq!(refusal(&error), [expected]);
            }
        }
        mend(vec![edit("commune", "00008")]).await.expect("corrected");
        town.settle().await;
        assert!(town.broken().await.is_empty());
        let view = town
            .quality
            .finding(&town.steward(), &code(), found.id)
            .await
            .expect("a finding");
        assert_eq!((view.finding.state, view.finding.mended_by), (State::Mended, Some(2)));
        assert_eq!(view.record.expect("it holds").body["commune"], "00008");
        assert_eq!(
            refusal(&mend(vec![edit("commune", "00004")]).await.expect_err("closed")),
            ["not-open"]
        );
        assert_eq!(
            town.quality.open_findings(&code(), town.now()).await.expect("a count"),
            0
        );
    }
}

#[tokio::test]
async fn of_two_stewards_who_mend_one_record_the_second_is_told() {
    for town in towns().await {
        let bad = with(member(AN, "NGUYỄN THỊ AN"), "commune", Value::from("00004"));
        town.add(bad).await;
        town.settle().await;
        let id = town.only().await;
        let first = town
            .quality
            .mend(&town.steward(), &code(), id, 1, vec![edit("name", "Nguyễn Thị An")])
            .await;
        first.expect("corrected");
        let other = town.officer("Lê Văn Cường", "G01", Role::Steward);
        let second = town
            .quality
            .mend(&other, &code(), id, 1, vec![edit("name", "Nguyễn Thị Ân")])
            .await;
        let error = second.expect_err("somebody was faster");
        assert_eq!(refusal(&error), ["record-changed"]);
        assert!(error.to_string().contains("Trần Thị Bình"), "{error}");
    }
}

#[tokio::test]
async fn what_is_there_twice_is_found_on_both_sides_and_mended_on_both() {
    for town in towns().await {
        let cards = |number: &str, name: &str, cards: &[&str]| with(member(number, name), "cards", json!(cards));
        let an = town.add(cards(AN, "Nguyễn Thị An", &["012345678"])).await;
        town.settle().await;
        assert!(town.broken().await.is_empty());
        let binh = town
            .add(cards(BINH, "Trần Văn Bình", &["987654321", "012345678"]))
            .await;
        town.settle().await;
        assert_eq!(town.broken().await, ["one-card", "one-card"]);
        let third = town.add(cards("001190000033", "Lê Thị Chi", &["012345678"])).await;
        town.settle().await;
        assert_eq!(town.broken().await.len(), 3);
        town.correct(&third, 1, member("001190000033", "Lê Thị Chi")).await;
        town.settle().await;
        assert_eq!(town.broken().await.len(), 2);
        town.correct(&binh, 1, cards(BINH, "Trần Văn Bình", &["987654321"]))
            .await;
        town.settle().await;
        assert!(town.broken().await.is_empty());
        // Erased, it is nobody's any more.
        let again = town.add(cards("001190000041", "Vũ Thị Dung", &["012345678"])).await;
        town.settle().await;
        assert_eq!(town.broken().await.len(), 2);
        let _ = an;
        let provenance = registry::service::Provenance {
            source: "Quyết định".to_owned(),
            basis: "Luật số 91/2025/QH15".to_owned(),
            dossier: None,
        };
        let erased = town
            .registries
            .erase(&town.steward(), &code(), seen(&again), &provenance)
            .await;
        erased.expect("erased");
        town.settle().await;
        assert!(town.broken().await.is_empty());
    }
}

#[tokio::test]
async fn who_is_named_may_come_later_and_go_again_and_of_what_is_kept_elsewhere_nothing_is_said() {
    for town in towns().await {
        town.add(with(member(AN, "Nguyễn Thị An"), "sponsor", Value::from(BINH)))
            .await;
        town.settle().await;
        assert_eq!(town.broken().await, ["sponsor-is-known"]);
        let binh = town.add(member(BINH, "Trần Văn Bình")).await;
        town.settle().await;
        assert!(town.broken().await.is_empty());
        town.write(Change::Correct {
            record: seen(&binh),
            corrects: 1,
            with: With::Void,
        })
        .await;
        town.settle().await;
        assert_eq!(town.broken().await, ["sponsor-is-known"]);
    }
}

#[tokio::test]
async fn what_nobody_confirms_grows_old_and_what_begins_later_is_judged_then() {
    for town in towns().await {
        let an = town.add(member(AN, "Nguyễn Thị An")).await;
        // A body that begins in ten days and breaks a rule.
        let mut later = member(AN, "Nguyễn Thị An");
        later.as_object_mut().expect("an object").remove("commune");
        town.write(Change::Assert {
            target: Target::Known(seen(&an)),
            from: day("2026-12-05"),
            to: Some(day("2026-12-10")),
            body: later,
        })
        .await;
        town.settle().await;
        assert!(town.broken().await.is_empty());
        town.pass(10);
        town.settle().await;
        assert_eq!(town.broken().await, ["has-commune"]);
        town.pass(6);
        town.settle().await;
        assert!(town.broken().await.is_empty());
        town.pass(20);
        town.settle().await;
        assert_eq!(town.broken().await, ["fresh"]);
    }
}

#[tokio::test]
async fn a_correction_of_the_past_changes_nothing_of_today() {
    for town in towns().await {
        let an = town.add(member(AN, "NGUYỄN THỊ AN")).await;
        let moved = town
            .write(Change::Assert {
                target: Target::Known(seen(&an)),
                from: day("2026-06-01"),
                to: None,
                body: with(member(AN, "NGUYỄN THỊ AN"), "commune", Value::from("00008")),
            })
            .await;
        town.settle().await;
        assert_eq!(town.broken().await, ["name-written"]);
        let past = town.correct(&moved, 1, member(AN, "Nguyễn Thị An")).await;
        town.settle().await;
        assert_eq!(town.broken().await, ["name-written"]);
        // The correction made the first version of all that was since January; what holds today was said later and stays.
        let view = town
            .quality
            .finding(&town.steward(), &code(), town.only().await)
            .await
            .expect("a finding");
        let record = view.record.expect("it holds");
        assert_eq!((record.seq, record.newest), (2, past.seq));
        let mended = town
            .quality
            .accept(&town.steward(), &code(), view.finding.id, record.newest, 0)
            .await;
        mended.expect("the proposal is taken");
        town.settle().await;
        assert!(town.broken().await.is_empty());
    }
}

#[tokio::test]
async fn an_excuse_is_for_the_values_that_it_was_made_for() {
    for town in towns().await {
        let mut body = member(AN, "Nguyễn Thị An");
        body.as_object_mut().expect("an object").remove("commune");
        let mut binh = member(BINH, "TRẦN VĂN BÌNH");
        let written = town.add(body).await;
        let second = town.add(binh.clone()).await;
        town.settle().await;
        assert_eq!(town.broken().await, ["has-commune", "name-written"]);
        for finding in town.queue(&Wanted::default()).await {
            let excuse = async |reason: &str| town.quality.excuse(&town.steward(), &code(), finding.id, reason).await;
            assert_eq!(refusal(&excuse("  ").await.expect_err("no reason")), ["required"]);
            assert_eq!(
                refusal(&excuse(&"x".repeat(1_001)).await.expect_err("too long")),
                ["too-long"]
            );
            excuse("Đã đối chiếu giấy tờ gốc").await.expect("excused");
            assert_eq!(refusal(&excuse("Lần nữa").await.expect_err("closed")), ["not-open"]);
        }
        assert!(town.broken().await.is_empty());
        assert_eq!(
            town.quality.open_findings(&code(), town.now()).await.expect("a count"),
            0
        );
        // Other values, another look; the same values, the excuse stays.
        let mut other = member(AN, "Nguyễn Thị Anh");
        other.as_object_mut().expect("an object").remove("commune");
        town.correct(&written, 1, other).await;
        binh["name"] = Value::from("TRẦN VĂN BÍNH");
        town.correct(&second, 1, binh).await;
        town.settle().await;
        assert_eq!(town.broken().await, ["name-written"]);
    }
}

#[tokio::test]
async fn a_steward_takes_and_puts_back_and_sees_their_own() {
    for town in towns().await {
        town.add(member(AN, "NGUYỄN THỊ AN")).await;
        town.settle().await;
        let id = town.only().await;
        let mine = Wanted {
            whose: Whose::Mine,
            ..Wanted::default()
        };
        assert!(town.queue(&mine).await.is_empty());
        town.quality
            .take(&town.steward(), &code(), id, true)
            .await
            .expect("taken");
        assert_eq!(
            town.queue(&mine).await[0].owner.as_ref().expect("an owner").1,
            "Trần Thị Bình"
        );
        let other = town.officer("Lê Văn Cường", "G01", Role::Steward);
        for take in [true, false] {
            let error = town.quality.take(&other, &code(), id, take).await.expect_err("taken");
            assert_eq!(refusal(&error), ["taken"]);
        }
        town.quality
            .take(&town.steward(), &code(), id, false)
            .await
            .expect("put back");
        town.quality.take(&other, &code(), id, true).await.expect("taken");
    }
}

#[tokio::test]
async fn a_commune_that_is_no_more_is_proposed_its_successor_and_of_a_split_one_the_choices() {
    for town in towns().await {
        // In 2024, before the merger of 1 July 2025.
        let old = |number: &str, name: &str, commune: &str| Change::Assert {
            target: Target::New,
            from: day("2025-03-01"),
            to: None,
            body: with(member(number, name), "commune", Value::from(commune)),
        };
        let (whole, split) = communes();
        town.write(old(AN, "Nguyễn Thị An", &whole)).await;
        town.write(old(BINH, "Trần Văn Bình", &split)).await;
        town.settle().await;
        assert_eq!(town.broken().await, ["commune-of-today", "commune-of-today"]);
        for finding in town.queue(&Wanted::default()).await {
            let view = town
                .quality
                .finding(&town.steward(), &code(), finding.id)
                .await
                .expect("a finding");
            let record = view.record.expect("it holds");
            let was = record.body["commune"].as_str().expect("a commune").to_owned();
            assert_eq!(view.proposals.len() > 1, was == split, "{:?}", view.proposals);
            assert!(!view.proposals.is_empty(), "of {was}, split {}", was == split);
            let last = view.proposals.len() - 1;
            let chosen = view.proposals[last].values[0].1.clone();
            let beyond = town
                .quality
                .accept(&town.steward(), &code(), finding.id, record.newest, last + 1)
                .await;
            assert_eq!(refusal(&beyond.expect_err("no such")), ["no-such-proposal"]);
            let accepted = town
                .quality
                .accept(&town.steward(), &code(), finding.id, record.newest, last)
                .await;
            accepted.expect("written");
            // What held before the merger still did.
            let read = async |as_of: &str| {
                let when = registry::service::When {
                    as_of: Some(day(as_of)),
                    known_at: None,
                };
                let purpose = registry::service::Purpose::read("registry.steward", "", "").expect("a purpose");
                let key = record.id.to_string();
                let read = town
                    .registries
                    .read(
                        &town.steward(),
                        &purpose,
                        &code(),
                        &key,
                        when,
                        &registry::service::Mask::ALL,
                    )
                    .await;
                read.expect("it held").body["commune"]
                    .as_str()
                    .expect("a commune")
                    .to_owned()
            };
            assert_eq!((read("2025-06-30").await, read("2025-07-01").await), (was, chosen));
        }
        town.settle().await;
        assert!(town.broken().await.is_empty());
    }
}

#[tokio::test]
async fn a_commune_is_corrected_by_its_name_in_the_province_beside_it() {
    for town in towns().await {
        let mut body = member(AN, "Nguyễn Thị An");
        body.as_object_mut().expect("an object").remove("commune");
        let written = town.add(body).await;
        let correct = async |seen, edits: &[(&str, &str)]| {
            let correction = Correction {
                record: written.record.uuid(),
                seen,
                edits: edits.iter().map(|(field, value)| edit(field, value)).collect(),
                source: "Giấy xác nhận thông tin về cư trú".to_owned(),
                key: key(),
            };
            let corrected = town.quality.correct(&town.steward(), &code(), &correction).await;
            corrected.map_err(|error| refusal(&error))
        };
        let known = [("province", "01"), ("commune", "phuong ngoc ha")];
        for (edits, expected) in [
            (&known[1..], "province-first"),
            (&[known[0], ("commune", "phường Hoa Lư")], "unknown-unit"),
            // The ward of that name that was until 2025 became parts of two.
            (&[known[0], ("commune", "Văn Miếu - Quốc Tử Giám")], "ambiguous-unit"),
            (&[("province", "37"), known[1]], "unknown-unit"),
        ] {
            assert_eq!(correct(1, edits).await.expect_err("refused"), [expected], "{edits:?}");
        }
        correct(1, &known).await.expect("corrected");
        // The code is there now, and what the page shows of it means the same, in either language.
        for said in ["phường Ngọc Hà", "Ngọc Hà Ward", "00008"] {
            assert_eq!(
                correct(2, &[("commune", said)]).await.expect_err("the same"),
                ["nothing-changed"]
            );
        }
        correct(2, &[("commune", "Ba Đình")])
            .await
            .expect("in the province that is there");
        assert_eq!(
            correct(3, &[("commune", "00004")]).await.expect_err("the same"),
            ["nothing-changed"]
        );
    }
}

/// A former commune that has become one, and one that was split.
fn communes() -> (String, String) {
    let units = &crate::town::REFERENCE.units;
    let today = jiff::civil::date(2026, 11, 25);
    let before = jiff::civil::date(2025, 3, 1);
    let (mut whole, mut split) = (None, None);
    for unit in units.iter() {
        let code = unit.code.to_string();
        if code.len() != 5 || !unit.holds_on(before) || units.resolve(&code, today).is_some() {
            continue;
        }
        match units.convert(&code, before, today) {
            Some(procedure::reference::Successors::One(_)) if whole.is_none() => whole = Some(code),
            Some(procedure::reference::Successors::Split(parts)) if split.is_none() && parts.len() > 1 => {
                split = Some(code)
            }
            _ => {}
        }
    }
    (whole.expect("one"), split.expect("one"))
}

#[tokio::test]
async fn new_rules_judge_all_records_anew() {
    for town in towns().await {
        for n in 0..230 {
            town.add(member(&format!("00119000{n:04}"), "Nguyễn Thị An")).await;
        }
        town.settle().await;
        assert!(town.broken().await.is_empty());
        let registry = crate::town::REGISTRY.replace("version = 1", "version = 2");
        let rules = format!(
            "{RULES}\n[[rule]]\nid = \"has-sponsor\"\nkind = \"required\"\nfield = \"sponsor\"\ndimension = \"complete\"\naction = \"note\"\n\
             message = {{ vi = \"Thiếu người bảo trợ.\", en = \"No sponsor.\" }}\n"
        );
        let shelf = town.registries.shelf();
        shelf
            .publish(&files(&registry, &rules), "test", town.now())
            .await
            .expect("published");
        town.settle().await;
        assert_eq!(
            town.quality.open_findings(&code(), town.now()).await.expect("a count"),
            230
        );
        assert_eq!(town.quality.progress(&code(), town.now()).await.expect("a place"), None);
        // A rule that is withdrawn closes what it found.
        let registry = crate::town::REGISTRY.replace("version = 1", "version = 3");
        shelf
            .publish(&files(&registry, RULES), "test", town.now())
            .await
            .expect("published");
        town.settle().await;
        assert!(town.broken().await.is_empty());
    }
}
