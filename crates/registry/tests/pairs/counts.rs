//! Rare and common values: counted with every change, and never otherwise than from scratch.

use store::{Read as _, Row, params, sea_orm};

use super::*;
use registry::service::With;

#[derive(Debug, PartialEq, Row)]
struct TermRow {
    slot: i64,
    value: Vec<u8>,
    n: i64,
}

impl Office {
    async fn terms(&self) -> Vec<TermRow> {
        let sql = "SELECT slot, value, n FROM registry_term ORDER BY slot, value";
        self.store.read().all(sql, params![]).await.expect("rows")
    }

    /// Six people come; one is written otherwise, one goes, one is erased, and one goes and comes back under another name.
    async fn live(&self, at_once: bool) {
        let names = [
            "Lê Văn An",
            "Lê Văn An",
            "Lê Văn An",
            "Trần Thị Bé",
            "Trần Thị Bé",
            "Phạm Dung",
        ];
        let number = |n: usize| format!("0011800001{n:02}");
        for (n, name) in names.into_iter().enumerate() {
            self.add(&number(n), name, "00004").await;
        }
        let day = Moment::parse("2026-07-01", ValidTime::Day).expect("a day");
        for step in 0..5 {
            if at_once {
                self.work().await;
            }
            match step {
                0 => {
                    let with = With::Holds {
                        from: day,
                        to: None,
                        body: person(&number(1), "Lê Văn Ân", "00004"),
                    };
                    let record = self.seen(&number(1)).await;
                    let change = Change::Correct {
                        record,
                        corrects: 1,
                        with,
                    };
                    self.write(change, "corrected").await;
                }
                1 => {
                    let (record, at) = (self.seen(&number(3)).await, Moment::of(now(), ValidTime::Day));
                    self.write(Change::End { record, at }, "ended").await;
                }
                2 => {
                    let law = Provenance {
                        source: "Quyết định".to_owned(),
                        basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 14".to_owned(),
                        ..Provenance::default()
                    };
                    let (ctx, seen) = (officer("Trần Thị Bình", Role::Steward), self.seen(&number(5)).await);
                    let erased = self.registries.erase(&ctx, &population(), seen, &law).await;
                    erased.expect("erased");
                }
                3 => {
                    let change = Change::Assert {
                        target: Target::Known(self.seen(&number(3)).await),
                        from: Moment::of(now(), ValidTime::Day),
                        to: None,
                        body: person(&number(3), "Phạm Dung", "00004"),
                    };
                    self.write(change, "back").await;
                }
                _ => {}
            }
        }
        self.work().await;
    }
}

#[tokio::test]
async fn counts_that_follow_every_change_are_those_from_scratch() {
    for (office, other) in offices().await.into_iter().zip(offices().await) {
        office.live(true).await;
        other.live(false).await;
        let terms = office.terms().await;
        assert_eq!(terms, other.terms().await);
        let mut times: Vec<(bool, i64)> = terms.iter().map(|term| (term.value.is_empty(), term.n)).collect();
        times.sort_unstable();
        // Two called An, one Ân, one Bé, one Dung; five in all.
        assert_eq!(times, [(false, 1), (false, 1), (false, 1), (false, 2), (true, 5)]);
        // Nothing is kept of who was erased, and nobody reads a name out of what is.
        let kept = format!("{terms:?}");
        assert!(!kept.contains("Lê") && terms.iter().all(|term| matches!(term.value.len(), 0 | 16)));
    }
}

#[tokio::test]
async fn an_erasure_counts_out_at_once() {
    for office in offices().await {
        office.add("001180000011", "Nguyễn Bí Mật", "00004").await;
        office.work().await;
        assert_eq!(office.terms().await.len(), 2);
        let law = Provenance {
            source: "Quyết định".to_owned(),
            basis: "Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15, Điều 14".to_owned(),
            ..Provenance::default()
        };
        let (ctx, seen) = (
            officer("Trần Thị Bình", Role::Steward),
            office.seen("001180000011").await,
        );
        let erased = office.registries.erase(&ctx, &population(), seen, &law).await;
        erased.expect("erased");
        assert_eq!(office.terms().await, []);
    }
}

#[tokio::test]
async fn a_rare_name_weighs_more_than_nguyen_van_hung() {
    for office in offices().await {
        for n in 0..60 {
            let number = format!("0010800002{n:02}");
            // The last two share the birthday.
            let day = (n % 59) % 28 + 1;
            let month = (n % 59) / 28 + 1;
            let mut body = person(&number, "Nguyễn Văn Hùng", "00004");
            body["sex"] = json!("male");
            body["birth_date"] = json!(format!("1980-{month:02}-{day:02}"));
            office.add_body(&number, body).await;
        }
        for number in ["001180000011", "001180000012"] {
            office.add(number, "Quách Thị Hạnh Nguyên", "00004").await;
        }
        office.work().await;
        let open = office.pairs(State::Open).await;
        let [hung, nguyen] = ["001080000200", "001180000011"];
        let (hung, nguyen) = (office.seen(hung).await.record, office.seen(nguyen).await.record);
        let of = |record| open.iter().filter(move |pair| pair.records.contains(&record));
        let common = of(hung).next().expect("a pair of the two who share the birthday");
        let rare = of(nguyen).next().expect("a pair of the rare name").weight;
        assert_eq!(of(hung).count(), 1, "{open:?}");
        assert!(rare > common.weight + 3.0, "{open:?}");
        let reason = &common.reason;
        assert!(
            reason.vi.contains("giá trị phổ biến") && reason.en.contains("a common value"),
            "{reason:?}"
        );
        assert!(office.pairs(State::Merged).await.is_empty());
        for number in ["001180000011", "001180000012"] {
            assert!(office.person(number).await.is_some(), "nothing merges by itself");
        }
    }
}
