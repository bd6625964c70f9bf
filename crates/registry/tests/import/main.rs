//! Files into a registry, as agencies really have them, on real databases.

mod lists;
mod workbook;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use base::{Error, Timestamp, time::FixedClock};
use cleansing::encoding::Encoding;
use identity::{Actor, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, Role, Roles, Shell};
use procedure::reference::Reference;
use registry::{
    folder,
    import::{self, Options, Progress, Stage, Summary},
    model::RegistryCode,
    service::{Feed, Mask, Purpose, Registries, When},
    shelf::Shelf,
};
use uuid::Uuid;
use workbook::{sheet, workbook};

static REFERENCE: LazyLock<Arc<Reference>> =
    LazyLock::new(|| Arc::new(Reference::embedded().expect("the reference data of this build")));

/// The usual headings of a list of residents.
const MAPPING: &str = r#"
    source = "Sổ hộ khẩu xã Tân Lập, năm 2019"
    valid_from = "2026-07-01"
    [[column]]
    field = "name"
    names = ["Họ và tên"]
    [[column]]
    field = "birth_date"
    names = ["Ngày sinh"]
    [[column]]
    field = "sex"
    names = ["Giới tính"]
    [[column]]
    field = "person_number"
    names = ["Số định danh"]
    [constants]
    nationality = "VN"
    status = "alive"
"#;
const HEADINGS: &str = "Họ và tên,Ngày sinh,Giới tính,Số định danh\n";

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-25T10:00:00+07:00").expect("an instant")
}

fn population() -> RegistryCode {
    "population".parse().expect("a code")
}

struct Office {
    registries: Registries,
    folder: tempfile::TempDir,
}

async fn offices() -> Vec<Office> {
    offices_with("population").await
}

async fn offices_with(registry: &str) -> Vec<Office> {
    let mut offices = Vec::new();
    for store in store::testkit::stores(&[identity::MIGRATIONS, registry::MIGRATIONS]).await {
        let shelf = Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../registries")
            .join(registry);
        let files = folder::read(&folder).expect("files");
        shelf.publish(&files, "test", now()).await.expect("published");
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            Arc::new(FixedClock::at(now())),
            Entropy::system(),
            Shell::default(),
        );
        offices.push(Office {
            registries: Registries::new(store, shelf, identity.expect("good settings")),
            folder: tempfile::tempdir().expect("a folder"),
        });
    }
    offices
}

fn steward(role: Role) -> Ctx {
    steward_of("G01", role)
}

fn steward_of(agency: &str, role: Role) -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(1)),
            name: "Trần Thị Bình".to_owned(),
            title: String::new(),
            agency: agency.to_owned(),
            roles: Roles::of(&[role]),
        }),
        now: now(),
        request_id: Uuid::nil(),
        lang: base::Lang::Vi,
    }
}

impl Office {
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("written");
        path
    }

    fn options(&self, file: PathBuf) -> Options {
        Options {
            file,
            mapping: MAPPING.to_owned(),
            report: self.folder.path().join("report.csv"),
            keep_good: true,
            dry_run: false,
            resume: false,
            batch: import::BATCH,
            threads: 2,
        }
    }

    async fn import(&self, options: &Options) -> Result<Summary, Error> {
        let ctx = steward(Role::Steward);
        let clock = FixedClock::at(now());
        import::import(&self.registries, &ctx, &clock, &population(), options, &mut |_| {}).await
    }

    /// What was taken in of a file with the usual headings, and what the report says: line, column and code of each.
    async fn keep(&self, name: &str, content: impl AsRef<[u8]>) -> (Summary, Vec<String>) {
        let options = self.options(self.file(name, content));
        let summary = self.import(&options).await.expect("imported");
        (summary, self.report())
    }

    fn report(&self) -> Vec<String> {
        let mut reader = csv::Reader::from_path(self.folder.path().join("report.csv")).expect("a report");
        let rows = reader.records().map(|row| {
            let row = row.expect("a row");
            assert!(!row[5].is_empty() && !row[6].is_empty(), "in both languages");
            format!("{}:{} {} {}", &row[0], &row[1], &row[2], &row[4])
        });
        rows.collect()
    }

    /// What the registry says of a person, if anything.
    async fn person(&self, number: &str) -> Option<serde_json::Value> {
        let purpose = Purpose::read("registry.steward", "", "").expect("a purpose");
        let (ctx, when) = (steward(Role::Steward), When::default());
        let read = self
            .registries
            .read(&ctx, &purpose, &population(), number, when, &Mask::ALL)
            .await;
        read.ok().map(|view| view.body)
    }
}

fn codes(error: &Error) -> Vec<&str> {
    error
        .problems()
        .into_iter()
        .flatten()
        .map(|problem| problem.code.as_str())
        .collect()
}

/// Cleaning and forms read by one list: another has other peoples under the same codes.
#[test]
fn peoples_of_files_are_those_of_forms() {
    let list = procedure::form::ethnicities();
    assert_eq!(list.len(), 55);
    for entry in list {
        for written in [&entry.name.vi, &entry.name.vi.to_uppercase(), &entry.code] {
            let read = cleansing::value::ethnicity(written).expect("known").value;
            assert_eq!(
                (read.code(), read.name()),
                (entry.code.clone(), entry.name.vi.as_str()),
                "{written}"
            );
        }
    }
}

#[tokio::test]
async fn a_good_file_is_taken_in_once() {
    for office in offices().await {
        let text =
            format!("{HEADINGS}NGUYỄN VĂN  AN,05/03/1980,Nam,001080000011\nTrần Thị Bình,1990,nữ,001190000012\n");
        let options = office.options(office.file("a.csv", text));
        let mut stages = Vec::new();
        let ctx = steward(Role::Steward);
        let clock = FixedClock::at(now());
        let whole = Options {
            keep_good: false,
            ..options.clone()
        };
        let mut told = |progress: Progress| stages.push((progress.stage, progress.rows, progress.bytes == progress.of));
        let summary = import::import(&office.registries, &ctx, &clock, &population(), &whole, &mut told)
            .await
            .expect("imported");
        assert_eq!(
            (summary.rows, summary.taken, summary.refused, summary.kept),
            (2, 2, 0, true)
        );
        assert_eq!(
            stages,
            [
                (Stage::Reading, 0, true),
                (Stage::Judging, 2, true),
                (Stage::Taking, 2, true)
            ]
        );
        let an = office.person("001080000011").await.expect("there");
        assert_eq!(
            (&an["name"], &an["birth_date"], &an["sex"]),
            (&"Nguyễn Văn An".into(), &"1980-03-05".into(), &"male".into())
        );
        assert_eq!(
            office.person("001190000012").await.expect("there")["birth_date"],
            "1990"
        );
        // The same again is told, whichever way.
        for again in [
            options.clone(),
            whole,
            Options {
                resume: true,
                ..options.clone()
            },
        ] {
            let refused = office.import(&again).await.expect_err("refused");
            assert_eq!(codes(&refused), ["imported-already"]);
        }
        // Of what a file has in common with one before, only the rest is taken.
        let text =
            format!("{HEADINGS}Nguyễn Văn An,05/03/1980,Nam,001080000011\nLê Văn Cường,07/08/1985,Nam,001085000013\n");
        let (summary, report) = office.keep("b.csv", text).await;
        assert_eq!(
            (summary.taken, report),
            (1, vec!["2:4 person_number key-taken".to_owned()])
        );
        // Each became a version of its own, in the feed of changes, at its own instant.
        let changes = office
            .registries
            .changes(
                &ctx,
                None,
                &population(),
                Feed {
                    limit: 10,
                    ..Feed::default()
                },
                &Mask::ALL,
            )
            .await
            .expect("changes")
            .items;
        assert_eq!(changes.len(), 3);
        assert!(changes.is_sorted_by_key(|change| change.version.recorded_at));
    }
}

#[tokio::test]
async fn one_bad_row_keeps_everything_out_unless_good_ones_are_wanted() {
    for office in offices().await {
        let text =
            format!("{HEADINGS}Nguyễn Văn An,05/03/1980,Nam,001080000011\nTrần Thị Bình,30/02/1990,Nữ,001190000012\n");
        let whole = Options {
            keep_good: false,
            ..office.options(office.file("a.csv", text))
        };
        for dry_run in [true, false] {
            let summary = office
                .import(&Options {
                    dry_run,
                    ..whole.clone()
                })
                .await
                .expect("judged");
            assert_eq!(
                (summary.rows, summary.taken, summary.refused, summary.kept),
                (2, 1, 1, false)
            );
            assert_eq!(office.report(), ["3:2 birth_date no-such-day"]);
            assert_eq!(office.person("001080000011").await, None);
        }
        let text = fs::read_to_string(office.folder.path().join("report.csv")).expect("a report");
        assert!(!text.contains("30/02/1990") && !text.contains("Bình"), "no values");
        let summary = office
            .import(&Options {
                keep_good: true,
                ..whole
            })
            .await
            .expect("imported");
        assert_eq!((summary.taken, summary.kept), (1, true));
        assert!(office.person("001080000011").await.is_some());
        assert_eq!(office.person("001190000012").await, None);
    }
}

#[tokio::test]
async fn who_is_no_steward_takes_nothing_in() {
    for office in offices().await {
        let options = office.options(office.file("a.csv", HEADINGS));
        let clock = FixedClock::at(now());
        for ctx in [steward(Role::Reader), steward(Role::Specialist)] {
            let refused = import::import(&office.registries, &ctx, &clock, &population(), &options, &mut |_| {}).await;
            assert_eq!(codes(&refused.expect_err("refused")), ["forbidden"]);
        }
        let code: RegistryCode = "nothing".parse().expect("a code");
        let ctx = steward(Role::Steward);
        let refused = import::import(&office.registries, &ctx, &clock, &code, &options, &mut |_| {}).await;
        assert_eq!(codes(&refused.expect_err("refused")), ["not-found"]);
    }
}

#[tokio::test]
async fn bad_rows_are_told_by_line_and_column() {
    for office in offices().await {
        // Numbers that a spreadsheet ate, days that never were, sexes and rules, a row that is shifted, one that is too long.
        let text = format!(
            "\u{feff}{HEADINGS}\
             Lê An,05/03/1980,Nam,1080000011\n\
             Lê Bình,30/02/1990,Nữ,1.90000012E+11\n\
             Lê Cường,07/08/1885,Nam,001085000013\n\
             Lê Dung,12/12/1985,không rõ,001185000014\n\
             ,,Lê Em,12/12/1985,Nữ\n\
             Lê Giang,01/02/1986,Nam,001086000015,thừa\n\
             Lê Hà,01/02/1986,Nữ\n\
             Lê Khánh,03/02/1986,Nam,001086000016\n"
        );
        let (summary, report) = office.keep("a.csv", text).await;
        assert_eq!((summary.rows, summary.taken, summary.refused), (8, 1, 7));
        let wanted = [
            "2:4 person_number lost-zero",
            "3:2 birth_date no-such-day",
            "3:4 person_number lost-digits",
            "4:2 birth_date born-since-1900",
            "5:3 sex out-of-bounds",
            "5:3 sex not-in-list",
            "6:0  ragged-row",
            "6:1 name required",
            "6:2 birth_date required",
            "6:4 person_number not-an-id-number",
            "7:0  ragged-row",
            "8:0  short-row",
            "8:4 person_number required",
        ];
        assert_eq!(report, wanted);
        assert!(office.person("001086000016").await.is_some());
    }
}

#[tokio::test]
async fn keys_are_taken_once_within_a_file_and_against_the_registry() {
    for office in offices().await {
        let row = |name: &str, number: &str| format!("{name},05/03/1980,Nam,{number}\n");
        let text = format!(
            "{HEADINGS}{}{}{}",
            row("Lê An", "001080000011"),
            row("Lê Bình", "001080000012"),
            row("Lê Cường", "001080000011")
        );
        let options = office.options(office.file("a.csv", &text));
        let judged = office
            .import(&Options {
                dry_run: true,
                ..options.clone()
            })
            .await
            .expect("judged");
        assert_eq!((judged.taken, judged.refused), (2, 1));
        assert_eq!(office.report(), ["4:0 person_number duplicate-key"]);
        let kept = office.import(&options).await.expect("imported");
        assert_eq!((kept.taken, kept.refused), (2, 1));
        assert_eq!(office.report(), ["4:4 person_number key-taken"]);
        assert_eq!(office.person("001080000011").await.expect("there")["name"], "Lê An");
        let later = office.options(office.file("b.csv", format!("{HEADINGS}{}", row("Lê Dũng", "001080000012"))));
        for dry_run in [true, false] {
            let refused = office
                .import(&Options {
                    dry_run,
                    ..later.clone()
                })
                .await
                .expect("judged");
            assert_eq!((refused.taken, refused.refused, refused.kept), (0, 1, false));
            assert_eq!(office.report(), ["2:4 person_number key-taken"]);
        }
    }
}

#[tokio::test]
async fn files_of_old_encodings_and_mixed_ones() {
    for office in offices().await {
        // TCVN3 has no capitals with a tone.
        let text = "Họ và tên;Ngày sinh;Giới tính;Số định danh\nNguyễn Thị Hường;05/03/1980;nữ;001180000011\nPhạm Đức Thắng;06/03/1980;nam;001080000012\nVũ Quỳnh Trâm;07/03/1980;nữ;001180000013\n";
        let tcvn3 = Encoding::Tcvn3.encode(text).expect("coded");
        let (summary, _) = office.keep("tcvn3.csv", &tcvn3).await;
        assert_eq!((summary.taken, summary.refused), (3, 0));
        assert_eq!(
            office.person("001180000013").await.expect("there")["name"],
            "Vũ Quỳnh Trâm"
        );
        // One row that another program has added in another encoding.
        let mut mixed = format!("{HEADINGS}Nguyễn Thị Hường,05/03/1980,nữ,001180000021\n").into_bytes();
        mixed.extend(
            Encoding::Tcvn3
                .encode("Trần Đức Thưởng,05/03/1980,nam,001080000022\n")
                .expect("coded"),
        );
        let (summary, report) = office.keep("mixed.csv", &mixed).await;
        assert_eq!((summary.taken, summary.doubtful), (2, 1), "{report:?}");
        assert_eq!(
            office.person("001080000022").await.expect("there")["name"],
            "Trần Đức Thưởng"
        );
        // UTF-16, as spreadsheets write "Unicode text".
        let mut utf16 = vec![0xff, 0xfe];
        let text = format!("{HEADINGS}Đỗ Thị Yến,05/03/1980,nữ,001180000031\n").replace(',', "\t");
        utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let (summary, report) = office.keep("utf16.txt", &utf16).await;
        assert_eq!((summary.taken, summary.refused), (1, 0), "{report:?}");
        assert_eq!(
            office.person("001180000031").await.expect("there")["name"],
            "Đỗ Thị Yến"
        );
    }
}

#[tokio::test]
async fn headings_in_two_rows_titles_above_them_and_four_hundred_columns() {
    for office in offices().await {
        let text = "UBND xã Tân Lập,,,,\nDanh sách,,,,\nSTT,Người dân,,,\n,Họ và tên,Ngày sinh,Giới tính,Số định danh\n(1),(2),(3),(4),(5)\n1,An,05/03/1980,Nam,001080000011\n";
        let (summary, report) = office.keep("two.csv", text).await;
        assert_eq!((summary.rows, summary.taken), (1, 1), "{report:?}");
        let wide: Vec<String> = (0..400).map(|n| format!("Cột {n}")).collect();
        let text = format!(
            "{},{HEADINGS}{},Bình,05/03/1990,Nữ,001190000012\n",
            wide.join(","),
            vec!["x"; 400].join(",")
        );
        let (summary, report) = office.keep("wide.csv", text).await;
        assert_eq!((summary.rows, summary.taken), (1, 1), "{report:?}");
        let refused = office
            .import(&office.options(office.file("none.csv", "a,b\n1,2\n")))
            .await;
        assert_eq!(codes(&refused.expect_err("refused")), ["no-header"]);
        let refused = office
            .import(&office.options(office.file("some.csv", "Họ và tên,Ngày sinh\nAn,1980\n")))
            .await;
        assert_eq!(
            codes(&refused.expect_err("refused")),
            ["missing-columns", "missing-columns"]
        );
        let refused = office.import(&office.options(office.file("empty.csv", ""))).await;
        assert_eq!(codes(&refused.expect_err("refused")), ["no-header"]);
        let (summary, _) = office.keep("headings.csv", HEADINGS).await;
        assert_eq!((summary.rows, summary.kept), (0, false));
        // The rest of a file may be tried again with another mapping.
        let text = format!("{HEADINGS}Lê An,05/03/1980,M,001080000071\nLê Bình,05/03/1980,Nam,001080000072\n");
        let options = office.options(office.file("again.csv", text));
        for taken in [1, 0] {
            let done = office.import(&options).await;
            assert_eq!(done.map_or(0, |summary| summary.taken), taken);
        }
        let values = "names = [\"Giới tính\"]\nvalues = { M = \"male\" }";
        let mapping = MAPPING.replace("names = [\"Giới tính\"]", values);
        let rest = office.import(&Options { mapping, ..options }).await.expect("imported");
        assert_eq!((rest.taken, rest.refused), (1, 1));
        let refused = office
            .import(&office.options(office.folder.path().join("absent.csv")))
            .await;
        assert_eq!(codes(&refused.expect_err("refused")), ["cannot-open"]);
    }
}

#[tokio::test]
async fn bytes_that_no_file_should_have_cost_their_own_row() {
    for office in offices().await {
        let mut text = format!("{HEADINGS}\"An,05/03/1980,Nam,001080000011\nB\0nh,05/03/1990,Nữ,001190000012\nB\0ình,05/03/1990,Nữ,001190000013\n").into_bytes();
        text.extend(b"x".repeat(5 * 1024 * 1024));
        text.extend("\nDung,12/12/1985,Nữ,001185000014\n".as_bytes());
        let (summary, report) = office.keep("a.csv", &text).await;
        assert_eq!((summary.rows, summary.taken), (5, 1), "{report:?}");
        for wanted in [
            "2:0  unclosed-quote",
            "3:1 name nul-byte",
            "4:1 name nul-byte",
            "5:0  line-too-long",
        ] {
            assert!(report.iter().any(|line| line == wanted), "{wanted}: {report:?}");
        }
        assert!(office.person("001185000014").await.is_some());
    }
}

#[tokio::test]
async fn workbooks_with_numbers_for_text_and_bombs() {
    for office in offices().await {
        let rows: [&[&str]; 4] = [
            &["Họ và tên", "Ngày sinh", "Giới tính", "Số định danh"],
            &["An", "05/03/1980", "Nam", "#1080000011"],
            &["Bình", "05/03/1990", "Nữ", "001190000012"],
            &["Cường", "#REF", "Nam", "#1.080000012E10"],
        ];
        let (summary, report) = office.keep("a.xlsx", workbook(&sheet(&rows))).await;
        assert_eq!((summary.rows, summary.taken), (3, 1), "{report:?}");
        assert!(report.contains(&"2:4 person_number lost-zero".to_owned()), "{report:?}");
        let mut bomb = b"<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>".to_vec();
        bomb.extend(b"x".repeat(64 * 1024 * 1024));
        let refused = office
            .import(&office.options(office.file("bomb.xlsx", workbook(&bomb))))
            .await;
        assert_eq!(codes(&refused.expect_err("refused")), ["zip-bomb"]);
        let refused = office
            .import(&office.options(office.file("no.xlsx", "PK\u{3}\u{4}nothing")))
            .await;
        assert!(refused.is_err());
    }
}

#[tokio::test]
async fn lines_of_json_and_fixed_width() {
    for office in offices().await {
        let body = |number: &str| {
            format!(
                "{{\"person_number\":\"{number}\",\"name\":\"An\",\"birth_date\":\"1980\",\"sex\":\"male\",\"nationality\":\"VN\",\"status\":\"alive\"}}"
            )
        };
        let lines = format!(
            "{{\"valid_from\":\"2026-07-01\",\"body\":{}}}\n\n{{\"valid_from\":\"2026-07-01\",\"valid_to\":\"2026-06-01\",\"body\":{}}}\nnothing\n{{\"valid_from\":\"2026-07-01\",\"body\":{{\"name\":\"An\"}}}}\n",
            body("001080000011"),
            body("001080000012")
        );
        let options = Options {
            mapping: "source = \"Hệ thống cũ\"".to_owned(),
            ..office.options(office.file("a.ndjson", lines))
        };
        let summary = office.import(&options).await.expect("imported");
        let report = office.report();
        assert_eq!((summary.rows, summary.taken), (4, 1), "{report:?}");
        for wanted in ["3:0 valid_to empty-interval", "4:0  bad-line", "5:0  required"] {
            assert!(report.iter().any(|line| line == wanted), "{wanted}: {report:?}");
        }
        let fixed = "An                  0503198001080000099x\nBình                05031990001190000019Nữ\n";
        let options = Options {
            mapping: r#"
                source = "Sổ cũ"
                valid_from = "2026-07-01"
                format = "fixed"
                column = [
                    { field = "name", from = 1, width = 20 },
                    { field = "birth_date", from = 21, width = 8 },
                    { field = "person_number", from = 29, width = 12 },
                    { field = "sex", from = 41, width = 3 },
                ]
                constants = { nationality = "VN", status = "alive" }
            "#
            .to_owned(),
            ..office.options(office.file("fixed.txt", fixed))
        };
        let summary = office.import(&options).await.expect("imported");
        assert_eq!((summary.rows, summary.taken), (2, 1), "{:?}", office.report());
        assert_eq!(office.person("001190000019").await.expect("there")["sex"], "female");
    }
}

#[tokio::test]
async fn a_mapping_is_judged_whole() {
    for office in offices().await {
        let file = office.file("a.csv", HEADINGS);
        for (mapping, wanted) in [
            ("nonsense", vec!["bad-mapping"]),
            (
                "valid_from = 'soon'\n[[column]]\nfield = 'shoe'\n[[column]]\nfield = 'name'\n[[column]]\nfield = 'residence.shoe'\n[constants]\nnothing = 1\nperson_number = '001080000011'",
                vec![
                    "required",
                    "not-a-moment",
                    "unknown-field",
                    "unknown-field",
                    "unknown-field",
                    "field-not-filled",
                    "field-not-filled",
                    "field-not-filled",
                    "field-not-filled",
                    "no-valid-from",
                ],
            ),
            (
                &MAPPING.replace("valid_from = \"2026-07-01\"", ""),
                vec!["no-valid-from"],
            ),
            (&format!("{MAPPING}\n[[column]]\nfield = \"name\""), vec!["duplicate"]),
            (&format!("format = \"ndjson\"\n{MAPPING}"), vec!["no-columns"]),
        ] {
            let options = Options {
                mapping: mapping.to_owned(),
                ..office.options(file.clone())
            };
            let refused = office.import(&options).await.expect_err("refused");
            assert_eq!(codes(&refused), wanted, "{mapping}");
        }
    }
}

#[tokio::test]
async fn a_draft_of_a_mapping_wants_only_what_a_person_has_to_say() {
    for office in offices().await {
        let text = "STT,Họ tên khai sinh,Ngày tháng năm sinh,Giới tính,Số định danh cá nhân,Dân tộc,Nơi thường trú,Ghi chú\n1,An,05/03/1980,Nam,001080000011,Kinh,\"Số 5, phường Ba Đình, TP Hà Nội\",x\n2,Bình,05/03/1980,Nữ,001180000012,Tày,\"xã Tân Lập\",x\n";
        let file = office.file("a.csv", text);
        let registry = office
            .registries
            .shelf()
            .get(&population())
            .expect("published")
            .current();
        let draft = import::suggest(&file, &registry).expect("a draft");
        let options = Options {
            mapping: draft.clone(),
            ..office.options(file)
        };
        let refused = office.import(&options).await.expect_err("not complete");
        let lacking = ["required", "field-not-filled", "field-not-filled", "no-valid-from"];
        assert_eq!(codes(&refused), lacking, "{draft}");
        let mapping = draft
            .replace("source = \"\"", "source = \"Sổ hộ khẩu\"")
            .replace("# valid_from", "valid_from")
            .replace("# nationality = \"\"", "nationality = \"VN\"")
            .replace("# status = \"\"", "status = \"alive\"");
        let summary = office.import(&Options { mapping, ..options }).await.expect("imported");
        assert_eq!((summary.taken, summary.refused), (1, 1), "{draft}");
        let an = office.person("001080000011").await.expect("there");
        assert_eq!(
            (&an["ethnicity"], &an["residence"]["commune"]),
            (&"01".into(), &"00004".into())
        );
        assert_eq!(an["residence"]["detail"], "Số 5");
        // The other address may be in many places: a person chooses.
        assert!(
            office
                .report()
                .iter()
                .any(|line| line == "3:7 residence.commune same-name" || line == "3:7 residence.commune commune-split")
        );
    }
}

#[tokio::test]
async fn a_run_that_was_broken_off_goes_on_and_takes_nothing_twice() {
    for office in offices().await {
        let mut text = HEADINGS.to_owned();
        for n in 0..9_000 {
            // One in a thousand is bad.
            let day = if n % 1_000 == 7 { "31/02/1980" } else { "05/03/1980" };
            text += &format!("Lê An,{day},Nam,001080{n:06}\n");
        }
        let options = Options {
            batch: 2_048,
            ..office.options(office.file("a.csv", &text))
        };
        // Whoever listens goes away after the second transaction.
        let (ctx, clock, code) = (steward(Role::Steward), FixedClock::at(now()), population());
        let mut batches = 0;
        let stop = tokio::sync::Notify::new();
        let mut told = |progress: Progress| {
            batches += u32::from(progress.stage == Stage::Taking);
            if batches == 2 {
                stop.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = stop.notified() => {}
            done = import::import(&office.registries, &ctx, &clock, &code, &options, &mut told) => panic!("{done:?}"),
        }
        let refused = office.import(&options).await.expect_err("refused");
        assert_eq!(codes(&refused), ["import-broken-off"]);
        let other = Options {
            resume: true,
            mapping: MAPPING.replace("2019", "2020"),
            ..options.clone()
        };
        assert_eq!(
            codes(&office.import(&other).await.expect_err("refused")),
            ["settings-changed"]
        );
        let resume = Options {
            resume: true,
            ..options
        };
        let summary = office.import(&resume).await.expect("imported");
        assert_eq!((summary.rows, summary.taken, summary.refused), (9_000, 8_991, 9));
        let report = office.report();
        let wanted: Vec<String> = (0..9)
            .map(|n| format!("{}:2 birth_date no-such-day", n * 1_000 + 9))
            .collect();
        assert_eq!(report, wanted);
        assert!(office.person("001080000000").await.is_some() && office.person("001080008999").await.is_some());
        let nothing = Options {
            resume: true,
            ..office.options(office.file("b.csv", HEADINGS))
        };
        assert_eq!(
            codes(&office.import(&nothing).await.expect_err("refused")),
            ["nothing-to-resume"]
        );
    }
}
