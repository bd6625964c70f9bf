//! Doubts: who may report one, what the steward does with it by which clock, and what nobody learns by it.

use base::{Error, Kind, Result};
use identity::{Ctx, Role};
use registry::{
    contest::{Contest as _, Contested, Told},
    quality::{
        Edit, Whose,
        doubts::{Doubt, DoubtId, DoubtState, Receipt, Report, Reporter},
    },
    service::{EXCHANGE, Mask, Provenance, Written},
};

use crate::town::{AN, BINH, Town, code, key, member, refusal, seen, towns};

fn report(field: &str) -> Report {
    Report {
        field: field.to_owned(),
        wrong: "Tên đệm sai".to_owned(),
        right: "Nguyễn Thị Ánh".to_owned(),
        evidence: "Giấy khai sinh số 12".to_owned(),
        dossier: None,
    }
}

impl Town {
    async fn doubt(&self, ctx: &Ctx, number: &str, report: &Report) -> Result<Receipt> {
        let by = Reporter::Caller;
        self.quality.doubt(ctx, &by, &code(), number, report, &key()).await
    }

    pub async fn doubts(&self, open: bool, whose: Whose) -> Vec<Doubt> {
        let doubts = self
            .quality
            .doubts(&self.steward(), &code(), open, whose, None, 100)
            .await;
        doubts.expect("doubts").items
    }

    async fn state(&self, id: DoubtId) -> DoubtState {
        let view = self.quality.doubt_view(&self.steward(), &code(), id).await;
        view.expect("a doubt").doubt.state
    }

    async fn counted(&self, measure: &str) -> i64 {
        let figures = self.quality.figures(&code(), self.now()).await.expect("figures");
        match measure {
            "received" => figures.doubts.received,
            "open" => figures.doubts.open,
            "answered" => figures.doubts.answered,
            "in-time" => figures.doubts.in_time,
            _ => figures.doubts.upheld,
        }
    }

    pub async fn an(&self) -> Written {
        let written = self.add(member(AN, "Nguyễn Thị An")).await;
        self.add(member(BINH, "Trần Văn Bình")).await;
        self.settle().await;
        written
    }
}

fn kind(error: &Error) -> Kind {
    error.kind().expect("a refusal")
}

fn edits(field: &str, value: &str) -> Vec<Edit> {
    vec![Edit {
        in_place_of: None,
        field: field.parse().expect("a field"),
        value: value.to_owned(),
    }]
}

#[tokio::test]
async fn a_person_doubts_the_steward_corrects_and_the_person_is_told() {
    for town in towns().await {
        let written = town.an().await;
        let an = town.person(AN, "Nguyễn Thị An");
        let mine = town.quality.mine(&an).await.expect("records");
        assert_eq!(mine.len(), 1);
        assert_eq!(mine[0].records[0].held.body["name"], "Nguyễn Thị An");
        let receipt = town.doubt(&an, AN, &report("name")).await.expect("taken in");
        // One and five working days after Wednesday the 25th.
        let days = [receipt.acknowledge_by, receipt.answer_by].map(|at| at.legal_date().to_string());
        assert_eq!(days, ["2026-11-26", "2026-12-02"]);
        let again = town
            .doubt(&an, AN, &report("name"))
            .await
            .expect_err("it waits already");
        assert_eq!(refusal(&again), ["doubted-already"]);
        assert_eq!((town.counted("received").await, town.counted("open").await), (1, 1));

        town.quality
            .acknowledge(&town.steward(), &code(), receipt.id)
            .await
            .expect("acknowledged");
        let twice = town
            .quality
            .acknowledge(&town.steward(), &code(), receipt.id)
            .await
            .expect_err("already");
        assert_eq!(refusal(&twice), ["doubt-moved-on"]);
        let uphold = async |ctx: &Ctx, value: &str, answer: &str| {
            let edits = edits("name", value);
            town.quality
                .uphold(ctx, &code(), receipt.id, written.seq, edits, answer)
                .await
        };
        let silent = uphold(&town.steward(), "Nguyễn Thị Ánh", " ")
            .await
            .expect_err("no answer");
        assert_eq!(refusal(&silent), ["required"]);
        uphold(&town.steward(), "Nguyễn Thị Ánh", "Đã đính chính")
            .await
            .expect("corrected");
        // Of two stewards the second is told who was first, and changes nothing.
        let other = town.officer("Lê Văn Cường", "G01", Role::Steward);
        let error = uphold(&other, "Nguyễn Thị Ân", "Đã sửa").await.expect_err("too late");
        assert_eq!(refusal(&error), ["doubt-moved-on"]);
        assert!(error.to_string().contains("Trần Thị Bình"), "{error}");

        let mine = town.quality.mine(&an).await.expect("records");
        let record = &mine[0].records[0];
        assert_eq!(record.held.body["name"], "Nguyễn Thị Ánh");
        assert!(
            record.held.source.contains(&receipt.id.to_string()),
            "{}",
            record.held.source
        );
        let doubt = &record.doubts[0];
        assert_eq!(
            (doubt.state, doubt.corrected_by, doubt.seen),
            (DoubtState::Upheld, Some(2), false)
        );
        assert_eq!(doubt.answer.as_ref().expect("an answer").2, "Đã đính chính");
        town.quality.seen_doubts(&an).await.expect("seen");
        assert!(town.quality.own_doubt(&an, receipt.id).await.expect("mine").seen);
        for (measure, n) in [("open", 0), ("answered", 1), ("in-time", 1), ("upheld", 1)] {
            assert_eq!(town.counted(measure).await, n, "{measure}");
        }
    }
}

#[tokio::test]
async fn nobody_doubts_or_sees_what_is_anothers() {
    for town in towns().await {
        town.an().await;
        let (an, binh) = (town.person(AN, "Nguyễn Thị An"), town.person(BINH, "Trần Văn Bình"));
        let others = town.doubt(&binh, AN, &report("name")).await.expect_err("not theirs");
        let nobody = town
            .doubt(&binh, "001190000099", &report("name"))
            .await
            .expect_err("nobody's");
        // Whether there is such a record is not told.
        assert_eq!((kind(&others), refusal(&others)), (Kind::NotFound, refusal(&nobody)));
        let written = town
            .registries
            .newest(&town.steward(), &code(), AN)
            .await
            .expect("a record")
            .0;
        let peek = town
            .quality
            .my_record(&binh, &code(), written.uuid())
            .await
            .expect_err("not theirs");
        assert_eq!(kind(&peek), Kind::NotFound);
        let mine = town.quality.mine(&binh).await.expect("records");
        assert!(
            mine.iter()
                .flat_map(|mine| &mine.records)
                .all(|record| record.held.body["number"] == BINH)
        );

        let receipt = town.doubt(&an, AN, &report("name")).await.expect("taken in");
        assert_eq!(
            kind(&town.quality.own_doubt(&binh, receipt.id).await.expect_err("not theirs")),
            Kind::NotFound
        );
        assert_eq!(
            kind(
                &town
                    .quality
                    .withdraw_doubt(&binh, receipt.id)
                    .await
                    .expect_err("not theirs")
            ),
            Kind::NotFound
        );
        for ctx in [
            town.officer("Khác", "G02", Role::Steward),
            town.officer("Đọc", "G01", Role::Reader),
            binh.clone(),
        ] {
            let id = receipt.id;
            let corrected = town
                .quality
                .uphold(&ctx, &code(), id, 1, edits("name", "Trần Thị An"), "Đã sửa")
                .await;
            assert_eq!(kind(&corrected.expect_err("refused")), Kind::Forbidden);
            assert_eq!(
                kind(&town.quality.doubt_view(&ctx, &code(), id).await.expect_err("refused")),
                Kind::Forbidden
            );
        }
        let reader = town.officer("Đọc", "G01", Role::Reader);
        town.doubt(&reader, AN, &report("commune"))
            .await
            .expect("who may read may doubt");
        let elsewhere = town.officer("Khác", "G02", Role::Reader);
        assert_eq!(
            kind(&town.doubt(&elsewhere, AN, &report("name")).await.expect_err("refused")),
            Kind::Forbidden
        );
        let anonymous = town.ctx(identity::Actor::Anonymous);
        assert_eq!(
            kind(&town.doubt(&anonymous, AN, &report("name")).await.expect_err("refused")),
            Kind::Unauthenticated
        );
    }
}

#[tokio::test]
async fn a_doubt_tells_a_system_nothing_of_what_its_service_does_not_show() {
    for town in towns().await {
        town.an().await;
        let exchange = town.ctx(identity::Actor::System(EXCHANGE));
        let mask = Mask::of(vec![
            "number".parse().expect("a field"),
            "name".parse().expect("a field"),
        ]);
        let by = Reporter::System("VN/GOV/x/y".to_owned(), mask);
        let tell = async |field: &str| {
            let (once, report) = (key(), report(field));
            town.quality.doubt(&exchange, &by, &code(), AN, &report, &once).await
        };
        // A field that is there, one that is not of this record, and one that no record has: the same words.
        let hidden = tell("commune").await.expect_err("not shown");
        for field in ["sponsor", "nowhere", "no such field"] {
            assert_eq!(
                tell(field).await.expect_err("not shown").to_string(),
                hidden.to_string()
            );
        }
        tell("name").await.expect("it is shown");
        // And a person or an officer cannot pass for a system.
        let steward = town
            .quality
            .doubt(&town.steward(), &by, &code(), AN, &report("name"), &key())
            .await;
        assert_eq!(kind(&steward.expect_err("refused")), Kind::Forbidden);
    }
}

#[tokio::test]
async fn clocks_run_out_stand_while_evidence_is_asked_for_and_late_answers_count_as_late() {
    for town in towns().await {
        town.an().await;
        let an = town.person(AN, "Nguyễn Thị An");
        let id = town.doubt(&an, AN, &report("name")).await.expect("taken in").id;
        assert!(town.doubts(true, Whose::Overdue).await.is_empty());
        town.pass(2);
        assert!(town.doubts(true, Whose::Overdue).await[0].is_overdue(town.now()));
        assert_eq!(
            town.quality.overdue_doubts(&code(), town.now()).await.expect("a count"),
            1
        );
        // Asked on Friday with three working days left; answered on Wednesday: due on Monday after.
        town.quality
            .ask(&town.steward(), &code(), id, "Giấy tờ nào?")
            .await
            .expect("asked");
        assert!(town.doubts(true, Whose::Overdue).await.is_empty());
        assert!(!town.quality.own_doubt(&an, id).await.expect("mine").seen);
        town.pass(5);
        assert!(town.doubts(true, Whose::Overdue).await.is_empty());
        let an = town.person(AN, "Nguyễn Thị An");
        town.quality.reply(&an, id, "Giấy khai sinh").await.expect("replied");
        let view = town
            .quality
            .doubt_view(&town.steward(), &code(), id)
            .await
            .expect("a doubt");
        assert_eq!(view.doubt.due_at.legal_date().to_string(), "2026-12-07");
        assert!(view.doubt.evidence.ends_with("Giấy khai sinh"));
        assert_eq!(
            refusal(&town.quality.reply(&an, id, "Nữa").await.expect_err("nothing is asked")),
            ["doubt-moved-on"]
        );
        town.pass(6);
        assert_eq!(town.doubts(true, Whose::Overdue).await.len(), 1);
        town.quality
            .refuse_doubt(&town.steward(), &code(), id, "Hồ sơ gốc ghi như vậy")
            .await
            .expect("answered");
        assert_eq!(town.state(id).await, DoubtState::Refused);
        assert_eq!(town.doubts(false, Whose::All).await.len(), 1);
        for (measure, n) in [("open", 0), ("answered", 1), ("in-time", 0), ("upheld", 0)] {
            assert_eq!(town.counted(measure).await, n, "{measure}");
        }
        // Whoever was refused may doubt again, and take it back.
        let an = town.person(AN, "Nguyễn Thị An");
        let id = town.doubt(&an, AN, &report("name")).await.expect("taken in").id;
        town.quality.withdraw_doubt(&an, id).await.expect("withdrawn");
        assert_eq!(town.state(id).await, DoubtState::Withdrawn);
        assert_eq!((town.counted("received").await, town.counted("open").await), (2, 0));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_report_is_told_at_once_and_the_same_report_counts_once() {
    for town in towns().await {
        town.an().await;
        let an = town.person(AN, "Nguyễn Thị An");
        let bad = Report {
            field: "nowhere".to_owned(),
            wrong: " ".to_owned(),
            right: "x".repeat(1_001),
            evidence: "\u{7}".to_owned(),
            dossier: Some("không".to_owned()),
        };
        let codes = refusal(&town.doubt(&an, AN, &bad).await.expect_err("refused"));
        assert_eq!(codes.len(), 5, "{codes:?}");
        let (by, once) = (Reporter::Caller, key());
        let tell = async |report: &Report| town.quality.doubt(&an, &by, &code(), AN, report, &once).await;
        let first = tell(&report("name")).await.expect("taken in");
        assert_eq!(tell(&report("name")).await.expect("the same"), first);
        assert_eq!(
            kind(&tell(&report("commune")).await.expect_err("another")),
            Kind::Conflict
        );
        assert_eq!(town.doubts(true, Whose::All).await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_contested_in_a_dossier_becomes_a_doubt_and_an_erasure_takes_its_words() {
    for town in towns().await {
        let written = town.an().await;
        let contested = Contested {
            id: "H42.28-260821-0001/members.full-name".to_owned(),
            entry: format!("members/{AN}#1"),
            attribute: "full-name".parse().expect("a name"),
            label: base::Text::new("Họ tên", "Name"),
            reason: "Tên tôi khác".to_owned(),
            filed: "Nguyễn Thị Ánh".to_owned(),
            procedure: "1.004227".to_owned(),
            by: ("Nguyễn Thị An".to_owned(), None),
            dossier: "H42.28-260821-0001".to_owned(),
        };
        let ctx = Ctx::system("test", town.now());
        for _ in 0..2 {
            assert_eq!(town.quality.contest(&ctx, &contested).await, Told::Taken);
        }
        let [doubt] = town.doubts(true, Whose::All).await.try_into().expect("one");
        assert_eq!((doubt.field.as_str(), doubt.wrong.as_str()), ("name", "Tên tôi khác"));
        assert_eq!(doubt.dossier.as_deref(), Some("H42.28-260821-0001"));
        let elsewhere = Contested {
            entry: "elsewhere/1#1".to_owned(),
            ..contested.clone()
        };
        assert_eq!(town.quality.contest(&ctx, &elsewhere).await, Told::NotHere);
        let provenance = Provenance {
            source: "Quyết định".to_owned(),
            basis: "Luật số 91/2025/QH15".to_owned(),
            dossier: None,
        };
        let erased = town
            .registries
            .erase(&town.steward(), &code(), seen(&written), &provenance)
            .await;
        erased.expect("erased");
        let view = town
            .quality
            .doubt_view(&town.steward(), &code(), doubt.id)
            .await
            .expect("a doubt");
        assert_eq!(
            (view.doubt.wrong, view.doubt.right, view.record),
            (String::new(), String::new(), None)
        );
        let gone = town
            .quality
            .contest(
                &ctx,
                &Contested {
                    id: "x".to_owned(),
                    ..contested
                },
            )
            .await;
        assert!(matches!(gone, Told::Refused(_)), "{gone:?}");
    }
}
