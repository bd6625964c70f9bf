//! The other registries of this repository that look for duplicates: each finds the one that was planted, and takes two for two.

use super::*;

impl Office {
    async fn record(&self, agency: &str, registry: &str, key: &str, body: Value) {
        let change = Change::Assert {
            target: Target::New,
            from: Moment::parse("2026-07-01", ValidTime::Day).expect("a day"),
            to: None,
            body,
        };
        let source = Provenance {
            source: "Sổ".to_owned(),
            ..Provenance::default()
        };
        let written = self
            .registries
            .write(&steward_of(agency), &code(registry), change, &source, key)
            .await;
        written.unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }

    /// The pairs that wait, each with the two keys.
    async fn open_pairs(&self, agency: &str, registry: &str, keys: &[&str]) -> Vec<([String; 2], Pair)> {
        let (ctx, code) = (steward_of(agency), code(registry));
        let mut of_record = std::collections::BTreeMap::new();
        for key in keys {
            let (record, _) = self.registries.newest(&ctx, &code, key).await.expect("there");
            of_record.insert(record, (*key).to_owned());
        }
        let pairs = self.registries.pairs(&ctx, &code, State::Open, None, 50).await;
        let pairs = pairs.expect("a list").items.into_iter();
        let named = pairs.map(|pair| {
            let mut both = pair.records.map(|record| of_record[&record].clone());
            both.sort_unstable();
            (both, pair)
        });
        named.collect()
    }
}

fn firm(code: &str, name: &str, representative: &str, detail: &str, founded: &str) -> Value {
    json!({
        "tax_code": code, "name": name, "legal_form": "llc", "status": "active", "founded_on": founded,
        "address": {"province": "01", "commune": "00004", "detail": detail},
        "representatives": [{"person_number": representative, "name": "Nguyễn Thị Hường"}],
    })
}

#[tokio::test]
async fn one_firm_with_two_codes_is_found_and_two_firms_of_one_person_are_two() {
    const CODES: [&str; 6] = [
        "0100233488",
        "0100109106",
        "0312345673",
        "0300588569",
        "0101248141",
        "0100686209",
    ];
    let [one, again, sister, similar, namesake, other] = CODES;
    let (hường, nga) = ("001180000011", "001180000029");
    for office in offices_with(&["enterprises"]).await {
        for (code, name, representative, detail, founded) in [
            (one, "Công ty TNHH Hải Long", hường, "Số 3 phố Huế", "2020-01-02"),
            (again, "Công ty TNHH Hải Long", hường, "Số 3, phố Huế", "2020-03-09"),
            // Of the same person, at the same place.
            (
                sister,
                "Công ty TNHH Vận tải Bắc Hà",
                hường,
                "Số 3 phố Huế",
                "2021-05-06",
            ),
            (similar, "Công ty TNHH Hải Long 2", hường, "Số 3 phố Huế", "2022-07-08"),
            // Of the same name, and of somebody else.
            (
                namesake,
                "Công ty TNHH Hải Long",
                nga,
                "Số 90 phố Hàng Bông",
                "2019-02-03",
            ),
            (
                other,
                "Công ty Cổ phần Phú Thịnh",
                nga,
                "Số 12 phố Hàng Bông",
                "2020-01-02",
            ),
        ] {
            office
                .record(
                    "G12",
                    "enterprises",
                    code,
                    firm(code, name, representative, detail, founded),
                )
                .await;
        }
        office.work().await;
        let pairs = office.open_pairs("G12", "enterprises", &CODES).await;
        let found: Vec<_> = pairs.iter().map(|(both, _)| both.clone()).collect();
        let mut expected = [one.to_owned(), again.to_owned()];
        expected.sort_unstable();
        let reasons: Vec<_> = pairs.iter().map(|(both, pair)| (both, &pair.reason.vi)).collect();
        assert_eq!(found, [expected], "{reasons:#?}");
        let reason = &pairs[0].1.reason;
        assert!(
            reason.vi.contains("cùng một đối tượng") && reason.vi.contains("người đại diện và trụ sở"),
            "{reason:?}"
        );
    }
}

fn birth(number: u32, commune: &str, child: (&str, &str), mother: (&str, Option<&str>)) -> Value {
    let mut body = json!({
        "kind": "birth", "commune": commune, "year": 2026, "number": number, "registered_on": "2026-06-20",
        "child": {"name": child.0, "birth_date": child.1, "sex": "female"},
        "mother": {"name": mother.0},
        "father": {"name": "Trần Văn Bình"},
    });
    if let Some(number) = mother.1 {
        body["mother"]["person_number"] = json!(number);
    }
    body
}

#[tokio::test]
async fn a_birth_registered_twice_is_found_and_twins_are_two() {
    let lan = ("Nguyễn Thị Lan", Some("001190000017"));
    let nga = ("Lê Thị Nga", Some("001190000025"));
    for office in offices_with(&["civil-status"]).await {
        let entries = [
            birth(1, "00004", ("Trần Ngọc Anh", "2026-06-01"), lan),
            // In the father's commune, where the mother's number was not written down.
            birth(2, "00008", ("Trần Ngọc Anh", "2026-06-01"), ("Nguyễn Thị Lan", None)),
            // Her twin, with the name that twins have.
            birth(3, "00004", ("Trần Ngọc Ánh", "2026-06-01"), lan),
            // Her sister of another year, a namesake of the same day, and that one's twin.
            birth(4, "00004", ("Trần Ngọc Mai", "2024-02-01"), lan),
            birth(5, "00004", ("Trần Ngọc Anh", "2026-06-01"), nga),
            birth(6, "00004", ("Trần Quỳnh Chi", "2026-06-01"), nga),
        ];
        let mut keys = Vec::new();
        for body in &entries {
            let number = body["number"].to_string();
            office.record("G15", "civil-status", &number, body.clone()).await;
            let commune = body["commune"].as_str().expect("a commune");
            keys.push(format!("birth~{commune}~2026~{number}"));
        }
        office.work().await;
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let pairs = office.open_pairs("G15", "civil-status", &asked).await;
        let reasons: Vec<_> = pairs.iter().map(|(both, pair)| (both, &pair.reason.vi)).collect();
        assert_eq!(pairs.len(), 1, "{reasons:#?}");
        assert_eq!(pairs[0].0, [keys[0].clone(), keys[1].clone()], "{reasons:#?}");
        assert!(
            pairs[0].1.reason.vi.contains("mẹ và ngày sinh trùng khớp"),
            "{reasons:#?}"
        );
    }
}
