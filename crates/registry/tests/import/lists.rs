//! Lists of groups in tables: numbered columns, and a row for each item.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::*;

const ENTERPRISES: &str = r#"
    source = "Sổ đăng ký kinh doanh"
    valid_from = "2026-07-01"
    column = [
        { field = "tax_code" },
        { field = "name" },
        { field = "legal_form" },
        { field = "status" },
        { field = "founded_on" },
        { field = "address.province", names = ["province"] },
        { field = "address.commune", names = ["commune"] },
        { field = "representatives[1].name", names = ["representative_1_name"] },
        { field = "representatives[1].person_number", names = ["representative_1_number"] },
        { field = "representatives[1].title", names = ["representative_1_title"] },
        { field = "representatives[2].name", names = ["representative_2_name"] },
        { field = "representatives[2].person_number", names = ["representative_2_number"] },
    ]
"#;
const ENTERPRISE_HEADINGS: &str = "tax_code,name,legal_form,status,founded_on,province,commune,representative_1_name,\
    representative_1_number,representative_1_title,representative_2_name,representative_2_number\n";

const CUSTOMS: &str = r#"
    source = "Hệ thống tờ khai cũ"
    valid_from = "2026-07-01"
    rows = "lines"
    column = [
        { field = "number", names = ["Số tờ khai"] },
        { field = "flow", names = ["Loại hình"] },
        { field = "registered_on", names = ["Ngày đăng ký"] },
        { field = "tax_code", names = ["Mã số thuế"] },
        { field = "office", names = ["Hải quan"] },
        { field = "value", names = ["Tổng trị giá"] },
        { field = "duty", names = ["Tổng thuế"] },
        { field = "lines.hs_code", names = ["Mã HS"] },
        { field = "lines.goods", names = ["Tên hàng"] },
        { field = "lines.origin", names = ["Xuất xứ"] },
        { field = "lines.value", names = ["Trị giá"] },
        { field = "lines.duty", names = ["Thuế"] },
    ]
    constants = { status = "registered" }
"#;
const CUSTOMS_HEADINGS: &str = "Số tờ khai,Loại hình,Ngày đăng ký,Mã số thuế,Hải quan,Tổng trị giá,Tổng thuế,Mã HS,Tên hàng,\
    Xuất xứ,Trị giá,Thuế\n";

/// A registry of another steward, with where it is kept.
struct Place {
    office: Office,
    code: RegistryCode,
    ctx: Ctx,
}

async fn places(registry: &str, steward: &str) -> Vec<Place> {
    let place = |office| Place {
        office,
        code: registry.parse().expect("a code"),
        ctx: steward_of(steward, Role::Steward),
    };
    offices_with(registry).await.into_iter().map(place).collect()
}

async fn enterprises() -> Vec<Place> {
    places("enterprises", "G12").await
}

async fn customs() -> Vec<Place> {
    places("customs", "G12.18").await
}

impl Place {
    async fn import(&self, options: &Options) -> Result<Summary, Error> {
        let (clock, registries) = (FixedClock::at(now()), &self.office.registries);
        import::import(registries, &self.ctx, &clock, &self.code, options, &mut |_| {}).await
    }

    fn options(&self, mapping: &str, name: &str, content: impl AsRef<[u8]>) -> Options {
        Options {
            mapping: mapping.to_owned(),
            ..self.office.options(self.office.file(name, content))
        }
    }

    /// What was taken in of a file, and what the report says.
    async fn keep(&self, mapping: &str, name: &str, content: impl AsRef<[u8]>) -> (Summary, Vec<String>) {
        let summary = self.import(&self.options(mapping, name, content)).await;
        (summary.expect("imported"), self.office.report())
    }

    /// What is wrong with a mapping: code and place of each.
    async fn refused(&self, mapping: &str) -> Vec<String> {
        let refused = self.import(&self.options(mapping, "a.csv", "a\n1\n")).await;
        let refused = refused.expect_err("refused");
        let problems = refused.problems().into_iter().flatten();
        problems
            .map(|problem| format!("{} {}", problem.code, problem.at))
            .collect()
    }

    async fn body(&self, key: &str) -> Option<Value> {
        let purpose = Purpose::read("registry.steward", "", "").expect("a purpose");
        let registries = &self.office.registries;
        let read = registries
            .read(&self.ctx, &purpose, &self.code, key, When::default(), &Mask::ALL)
            .await;
        read.ok().map(|view| view.body)
    }

    /// What the registry says when it is given a body as a line of JSON.
    async fn of_json(&self, body: Value, key: &str) -> Value {
        let line = json!({ "valid_from": "2026-07-01", "body": body }).to_string();
        let (summary, report) = self.keep("source = 'Hệ thống cũ'", "a.ndjson", line).await;
        assert_eq!(summary.taken, 1, "{report:?}");
        self.body(key).await.expect("there")
    }
}

fn enterprise(tax_code: &str, representatives: Value) -> Value {
    json!({
        "tax_code": tax_code, "name": "Công ty An Bình", "legal_form": "llc", "status": "active", "founded_on": "2010-03-05",
        "address": { "province": "01", "commune": "00004" }, "representatives": representatives,
    })
}

fn enterprise_row(tax_code: &str, representatives: &str) -> String {
    format!("{tax_code},Công ty An Bình,llc,active,05/03/2010,01,00004,{representatives}\n")
}

#[tokio::test]
async fn numbered_columns_are_items_of_a_list() {
    for (place, other) in enterprises().await.into_iter().zip(enterprises().await) {
        let text = [
            ENTERPRISE_HEADINGS.to_owned(),
            enterprise_row("TAX0", "LÊ VĂN AN,001080000011,Giám đốc,Trần Thị Bình,001190000012"),
            enterprise_row("TAX1", ",,,Trần Thị Bình,001190000012"),
            enterprise_row("TAX2", "Lê Văn An,,Giám đốc,Trần Thị Bình,001190000012"),
            enterprise_row("TAX3", "Lê Văn An,001080000011,,Trần Thị Bình,1190000012"),
            enterprise_row("TAX4", ",,,,"),
        ]
        .concat();
        let (summary, report) = place.keep(ENTERPRISES, "a.csv", tax_codes(&text)).await;
        let counts = (summary.rows, summary.records, summary.taken, summary.doubtful);
        assert_eq!(counts, (5, 5, 2, 1), "{report:?}");
        let wanted = [
            "3:11 representatives[2].name gap-in-list",
            "4:9 representatives[1].person_number required",
            "5:12 representatives[2].person_number lost-zero",
            "6:0  required",
        ];
        assert_eq!(report, wanted);
        let two = json!([
            { "name": "Lê Văn An", "person_number": "001080000011", "title": "Giám đốc" },
            { "name": "Trần Thị Bình", "person_number": "001190000012" },
        ]);
        let body = place.body(TAX[0]).await.expect("there");
        assert_eq!(body, other.of_json(enterprise(TAX[0], two.clone()), TAX[0]).await);
        let body = place.body(TAX[1]).await.expect("there");
        assert_eq!(body, enterprise(TAX[1], json!([two[1]])));
    }
}

#[tokio::test]
async fn a_record_without_items_has_what_the_mapping_says() {
    for place in enterprises().await {
        let mapping = ENTERPRISES.replace(
            "{ field = \"representatives[1].title\", names = [\"representative_1_title\"] },",
            "",
        );
        let constants = "constants = { representatives = [], representatives.title = 'Giám đốc' }";
        // A table cannot be a list and its items; each by itself.
        assert_eq!(
            place.refused(&format!("{mapping}\n{constants}")).await,
            ["bad-mapping "]
        );
        let mapping = format!("{mapping}\n[constants]\nrepresentatives = []");
        let text = [ENTERPRISE_HEADINGS, &enterprise_row("TAX0", ",,,,")].concat();
        let (summary, report) = place.keep(&mapping, "none.csv", tax_codes(&text)).await;
        assert_eq!(summary.taken, 1, "{report:?}");
        assert_eq!(place.body(TAX[0]).await, Some(enterprise(TAX[0], json!([]))));
        let mapping = mapping.replace("representatives = []", "representatives.title = 'Giám đốc'");
        let text = [ENTERPRISE_HEADINGS, &enterprise_row("TAX1", ",,,Lê An,001080000011")].concat();
        let (summary, report) = place.keep(&mapping, "title.csv", tax_codes(&text)).await;
        assert_eq!(summary.taken, 1, "{report:?}");
        let one = json!([{ "name": "Lê An", "person_number": "001080000011", "title": "Giám đốc" }]);
        assert_eq!(place.body(TAX[1]).await, Some(enterprise(TAX[1], one)));
    }
}

/// Tax codes with right check digits, of nobody.
const TAX: [&str; 5] = ["0199900018", "0199900025", "0199900032", "0199900057", "0199900064"];

fn tax_codes(text: &str) -> String {
    let codes = TAX.iter().enumerate();
    codes.fold(text.to_owned(), |text, (n, code)| {
        text.replace(&format!("TAX{n}"), code)
    })
}

/// A row of a declaration of 300 đồng with 30 of duty; the line is `goods,origin,value,duty`.
fn row(number: &str, line: &str) -> String {
    format!("{number},Nhập khẩu,05/03/2026,{},18A3,300,30,01012100,{line}\n", TAX[0])
}

fn declaration(number: &str, lines: &[(&str, &str, u64, u64)]) -> Value {
    let lines = lines.iter().map(|(goods, origin, value, duty)| {
        json!({ "hs_code": "01012100", "goods": goods, "origin": origin, "value": value, "duty": duty })
    });
    json!({
        "number": number, "flow": "import", "registered_on": "2026-03-05", "tax_code": TAX[0], "office": "18A3",
        "status": "registered", "value": 300, "duty": 30, "lines": lines.collect::<Vec<_>>(),
    })
}

#[tokio::test]
async fn rows_of_one_key_are_one_record() {
    for (place, other) in customs().await.into_iter().zip(customs().await) {
        let text = [
            "\u{feff}".to_owned(),
            CUSTOMS_HEADINGS.to_owned(),
            row("100000000001", "\"Ngựa, thuần chủng\n(để nhân giống)\",Việt Nam,100,10"), // 2, 3
            row(" 100000000001 ", "\"Ngựa \"\"khác\"\"\",LA,200,20"),                      // 4
            row("100000000002", "Ngựa,VN,100,10"),                                         // 5
            CUSTOMS_HEADINGS.to_owned(),                                                   // 6: a page ends
            row("100000000002", "Ngựa,LA,100,10").replace("18A3", "18B1"),                 // 7
            row("100000000002", "Ngựa,LA,100,10").replace("05/03/2026", "06/03/2026"),     // 8
            row("100000000003", "Ngựa,VN,100,10"),                                         // 9
            row("100000000003", "Ngựa,VN,một trăm,10"),                                    // 10
            row("100000000003", "Ngựa,VN,100,10"),                                         // 11
            row("100000000004", "Ngựa,VN,300,30"),                                         // 12
            row("100000000001", "Ngựa,VN,300,30"),                                         // 13
            row("100000000005", "Ngựa,VN,100,10"),                                         // 14
            row("100000000005", "Ngựa,ZZ,100,10"),                                         // 15
            row("100000000005", ",VN,100,10"),                                             // 16
            row("100000000006", "Ngựa,VN,100,10"),                                         // 17
            row("100000000006", "Ngựa,ZZ,200,20"),                                         // 18
            row("100000000007", "Ngựa,VN,100,10"),                                         // 19
            row("100000000007", "Ngựa,VN,100,10"),                                         // 20
            row("100000000008", "Ngựa,VN,300,30"),                                         // 21
        ]
        .concat();
        let judged = place.options(CUSTOMS, "a.csv", &text);
        let judged = place
            .import(&Options {
                dry_run: true,
                ..judged
            })
            .await
            .expect("judged");
        let counts = (judged.rows, judged.records, judged.taken, judged.refused);
        assert_eq!(counts, (18, 9, 3, 6), "{:?}", place.office.report());
        let mut wanted = vec![
            "6:0  repeated-header",
            "7:5 office row-differs",
            "10:11 lines.value not-an-amount",
            "16:9 lines.goods required",
            "18:10 lines.origin not-in-list",
            "19:0 lines.value value-is-the-sum",
            "19:7 duty duty-is-the-sum",
        ];
        let twice = "13:0 number duplicate-key";
        assert_eq!(place.office.report(), [&wanted[..], &[twice]].concat());
        let (summary, report) = place.keep(CUSTOMS, "a.csv", &text).await;
        let counts = (summary.rows, summary.records, summary.taken, summary.refused);
        assert_eq!(counts, (18, 9, 3, 6), "{report:?}");
        wanted.insert(3, "13:1 number key-taken");
        assert_eq!(report, wanted);
        let two = [
            ("Ngựa, thuần chủng (để nhân giống)", "VN", 100, 10),
            ("Ngựa \"khác\"", "LA", 200, 20),
        ];
        let said = other.of_json(declaration("100000000001", &two), "100000000001").await;
        assert_eq!(place.body("100000000001").await, Some(said));
        let one = declaration("100000000004", &[("Ngựa", "VN", 300, 30)]);
        assert_eq!(place.body("100000000004").await, Some(one));
        assert!(place.body("100000000002").await.is_none() && place.body("100000000003").await.is_none());
    }
}

#[tokio::test]
async fn a_row_of_no_record_keeps_out_those_around_it() {
    for place in customs().await {
        let text = [
            CUSTOMS_HEADINGS.to_owned(),
            row("100000000001", "Ngựa,VN,300,30"),           // 2
            row("100000000002", "Ngựa,VN,300,30"),           // 3
            row("", "Ngựa,VN,0,0"),                          // 4: of 2 or of 3
            row("100000000003", "Ngựa,VN,300,30"),           // 5
            row("100000000004", "Ngựa,VN,300,30"),           // 6
            row("100000000005", "Ngựa,VN,300,30"),           // 7
            row("100000000005", "Ngựa, thuần chủng,VN,0,0"), // 8: a comma too many
            row("100000000005", "Ngựa,VN,0,0"),              // 9
            row("100000000006", "\"Ngựa,VN,300,30"),         // 10: a quote that never ends
            row("100000000007", "Ngựa,VN,300,30"),           // 11
            row("100000000008", "Ngựa,VN,300,30"),           // 12
        ]
        .concat();
        let (summary, report) = place.keep(CUSTOMS, "a.csv", &text).await;
        for line in [4, 8, 10] {
            assert!(report.contains(&format!("{line}:0  row-of-no-record")), "{report:?}");
        }
        assert!(report.contains(&"4:1 number required".to_owned()), "{report:?}");
        let kept = ["100000000001", "100000000004", "100000000008"];
        assert_eq!((summary.rows, summary.taken), (11, 3), "{report:?}");
        for key in kept {
            assert!(place.body(key).await.is_some(), "{key}");
        }
        for key in ["100000000002", "100000000003", "100000000005", "100000000007"] {
            assert!(place.body(key).await.is_none(), "{key}");
        }
    }
}

#[tokio::test]
async fn workbooks_and_fixed_width_have_rows_of_items_too() {
    for place in customs().await {
        let headings: Vec<&str> = CUSTOMS_HEADINGS.trim().split(',').collect();
        let cells = |number, goods, value, duty| {
            let all = [
                number,
                "import",
                "05/03/2026",
                TAX[0],
                "18A3",
                "#300",
                "#30",
                "01012100",
                goods,
                "VN",
                value,
                duty,
            ];
            all.to_vec()
        };
        let rows = [
            headings,
            cells("100000000001", "Ngựa", "#100", "#10"),
            cells("100000000001", "Lừa", "#200", "#20"),
            cells("100000000002", "Ngựa", "#100", "#10"),
            cells("100000000002", "Lừa", "#REF", "#20"),
        ];
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let (summary, report) = place.keep(CUSTOMS, "a.xlsx", workbook(&sheet(&rows))).await;
        assert_eq!((summary.rows, summary.records, summary.taken), (4, 2, 1), "{report:?}");
        assert!(
            report.iter().any(|line| line.starts_with("5:11 lines.value ")),
            "{report:?}"
        );
        let lines = [("Ngựa", "VN", 100, 10), ("Lừa", "VN", 200, 20)];
        let said = declaration("100000000001", &lines);
        assert_eq!(place.body("100000000001").await, Some(said));

        let fixed: String = [("Ngựa", "100", "10"), ("Lừa", "200", "20")]
            .iter()
            .map(|(goods, value, duty)| format!("100000000003{goods:<10}{value:>6}{duty:>4}\n"))
            .collect();
        let mapping = format!(
            r#"
            source = "Sổ cũ"
            valid_from = "2026-07-01"
            format = "fixed"
            rows = "lines"
            column = [
                {{ field = "number", from = 1, width = 12 }},
                {{ field = "lines.goods", from = 13, width = 10 }},
                {{ field = "lines.value", from = 23, width = 6 }},
                {{ field = "lines.duty", from = 29, width = 4 }},
            ]
            [constants]
            flow = "import"
            registered_on = "2026-03-05"
            tax_code = "{}"
            office = "18A3"
            status = "registered"
            value = 300
            duty = 30
            lines = {{ hs_code = "01012100", origin = "VN" }}
            "#,
            TAX[0]
        );
        let (summary, report) = place.keep(&mapping, "a.txt", fixed).await;
        assert_eq!((summary.rows, summary.taken), (2, 1), "{report:?}");
        let said = declaration("100000000003", &lines);
        assert_eq!(place.body("100000000003").await, Some(said));
    }
}

#[tokio::test]
async fn a_record_has_so_many_rows_and_no_more() {
    for place in customs().await {
        let mut text = [CUSTOMS_HEADINGS, &row("100000000001", "Ngựa,VN,300,30")].concat();
        for _ in 0..5_000 {
            text += &row("100000000002", "Ngựa,VN,1,1");
        }
        text += &row("100000000003", "Ngựa,VN,300,30");
        // The schema has 50 lines: what it says is said of the record.
        for _ in 0..60 {
            text += &row("100000000004", "Ngựa,VN,5,0");
        }
        let (summary, report) = place.keep(CUSTOMS, "a.csv", text).await;
        assert_eq!(
            (summary.rows, summary.records, summary.taken),
            (5_062, 4, 2),
            "{report:?}"
        );
        assert_eq!(report, ["2051:0  record-too-long", "5004:0 lines out-of-bounds"]);
        assert!(place.body("100000000003").await.is_some());
    }
}

/// Pieces have 2,048 rows, which three does not divide: a record would be split wherever a run stops, were it not kept whole.
#[tokio::test]
async fn a_run_that_goes_on_splits_no_record() {
    for place in customs().await {
        let mut text = CUSTOMS_HEADINGS.to_owned();
        for n in 0..3_000 {
            for line in 0..3 {
                // One in a thousand is bad, in its second row.
                let value = if n % 1_000 == 7 && line == 1 { "x" } else { "100" };
                let _ = write!(text, "{}", row(&format!("100{n:09}"), &format!("Ngựa,VN,{value},10")));
            }
        }
        for stop_after in 1..4 {
            let options = Options {
                batch: 100,
                // Another text, so that the file is not known: its numbers begin elsewhere.
                ..place.options(CUSTOMS, "a.csv", text.replace("\n100", &format!("\n{stop_after}00")))
            };
            let clock = FixedClock::at(now());
            let (mut batches, stop) = (0, tokio::sync::Notify::new());
            let mut told = |progress: Progress| {
                batches += u32::from(progress.stage == Stage::Taking);
                if batches == stop_after {
                    stop.notify_one();
                }
            };
            tokio::select! {
                biased;
                () = stop.notified() => {}
                done = import::import(&place.office.registries, &place.ctx, &clock, &place.code, &options, &mut told) => panic!("{done:?}"),
            }
            let resume = Options {
                resume: true,
                ..options
            };
            let summary = place.import(&resume).await.expect("imported");
            let counts = (summary.rows, summary.records, summary.taken, summary.refused);
            assert_eq!(counts, (9_000, 3_000, 2_997, 3));
            let wanted: Vec<String> = (0..3)
                .map(|n| format!("{}:11 lines.value not-an-amount", (n * 1_000 + 7) * 3 + 3))
                .collect();
            assert_eq!(place.office.report(), wanted);
            // Those where the pieces end: 683 records have 2,049 rows.
            for n in [0, 682, 683, 684, 1_365, 1_366, 2_999] {
                let body = place.body(&format!("{stop_after}00{n:09}")).await.expect("there");
                assert_eq!(body["lines"].as_array().map(Vec::len), Some(3), "{n}");
            }
        }
    }
}

#[tokio::test]
async fn mappings_of_lists_are_judged_whole() {
    for place in customs().await {
        for (change, wanted) in [
            (("rows = \"lines\"", "rows = \"value\""), "not-a-list rows"),
            (("rows = \"lines\"", "rows = \"shoes\""), "not-a-list rows"),
            (("lines.goods", "lines[1].goods"), "not-an-item column[8].field"),
            (("lines.goods", "lines[0].goods"), "not-an-item column[8].field"),
            (("lines.goods", "value[1]"), "not-an-item column[8].field"),
            (("lines.goods", "lines[1].goods[2]"), "not-an-item column[8].field"),
            (("lines.goods", "lines.shoes"), "unknown-field column[8].field"),
            (("lines.goods", "lines"), "no-address column[8].field"),
            (
                ("{ field = \"number\", names = [\"Số tờ khai\"] },", ""),
                "no-key-column rows",
            ),
            (
                ("{ field = \"lines.goods\", names = [\"Tên hàng\"] },", ""),
                "field-not-filled lines.goods",
            ),
            (("format", "format"), ""),
        ] {
            let mapping = CUSTOMS.replace(change.0, change.1);
            let refused = place.refused(&mapping).await;
            assert_eq!(
                refused.iter().any(|found| found == wanted),
                !wanted.is_empty(),
                "{change:?}: {refused:?}"
            );
        }
        let without = CUSTOMS.replace("rows = \"lines\"", "");
        let at = |n: usize| format!("field-in-list column[{n}].field");
        let lines = "field-not-filled lines".to_owned();
        assert_eq!(
            place.refused(&without).await,
            [at(7), at(8), at(9), at(10), at(11), lines]
        );
        let counted = without.replace("lines.", "lines[51].");
        assert_eq!(place.refused(&counted).await[0], "not-an-item column[7].field");
        let nothing = "source = 'x'\nvalid_from = '2026-07-01'\nrows = 'lines'\n[[column]]\nfield = 'number'";
        let refused = place.refused(nothing).await;
        assert!(refused.contains(&"field-not-filled rows".to_owned()), "{refused:?}");
        let json = "format = 'ndjson'\nsource = 'x'\nrows = 'lines'";
        assert_eq!(place.refused(json).await, ["no-columns column"]);
    }
    for place in enterprises().await {
        let number = "{ field = \"representatives[2].person_number\", names = [\"representative_2_number\"] },";
        let mapping = ENTERPRISES.replace(number, "{ field = \"activities\" }, { field = \"activities[1]\" },");
        let wanted = [
            "field-not-filled representatives[2].person_number",
            "duplicate column[11].field",
        ];
        assert_eq!(place.refused(&mapping).await, wanted);
        let mapping = ENTERPRISES.replace("representatives[", "[");
        let refused = place
            .refused(&format!("{mapping}\n[constants]\nrepresentatives.title = 'x'"))
            .await;
        for wanted in [
            "not-an-item column[7].field",
            "field-not-filled representatives",
            "field-in-list constants.representatives.title",
        ] {
            assert!(refused.iter().any(|found| found == wanted), "{wanted}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn numbered_headings_are_proposed_as_items() {
    for place in enterprises().await {
        let headings = "Mã số doanh nghiệp,Tên doanh nghiệp,Loại hình doanh nghiệp,Tình trạng pháp lý,Ngày đăng ký lần đầu,Vốn điều lệ,\
            representative_1_name,representative_1_person_number,Họ tên người đại diện 2,Số định danh người đại diện 2,Chức danh 3\n";
        let text = format!(
            "{headings}{},Công ty An,llc,active,05/03/2010,1000,Lê An,001080000011,Lê Bình,001190000012,x\n",
            TAX[0]
        );
        let file = place.office.file("a.csv", text);
        let shelf = place.office.registries.shelf();
        let registry = shelf.get(&place.code).expect("published").current();
        let draft = import::suggest(&file, &registry).expect("a draft");
        for wanted in ["representatives[1].name", "representatives[1].person_number"] {
            assert!(draft.contains(&format!("field = \"{wanted}\"")), "{wanted}: {draft}");
        }
        // What has no first of its kind is no item.
        assert!(
            !draft.contains("representatives[2]") && !draft.contains("representatives[3]"),
            "{draft}"
        );
        assert!(
            draft.contains("field = \"tax_code\"") && draft.contains("field = \"founded_on\""),
            "{draft}"
        );
    }
    for place in customs().await {
        let shelf = place.office.registries.shelf();
        let registry = shelf.get(&place.code).expect("published").current();
        let draft = import::suggest(&place.office.file("a.csv", CUSTOMS_HEADINGS), &registry).expect("a draft");
        assert!(draft.contains("rows = \"lines\""), "{draft}");
    }
}
