//! Files whose rows are found among the records of a registry: brought, compared, decided about, taken back, removed.

#[path = "pairs/kept.rs"]
mod kept;
#[path = "files/numbers.rs"]
mod numbers;
#[path = "files/odd.rs"]
mod odd;
#[path = "import/workbook.rs"]
mod workbook;

use std::sync::Arc;

use axum::{
    Extension,
    body::{Body, Bytes},
    http::{Request, StatusCode, header},
};
use base::{Error, Lang, Timestamp, time::FixedClock};
use cleansing::encoding::Encoding;
use futures::TryStreamExt as _;
use http_body_util::BodyExt as _;
use identity::{Actor, Ctx, IdentityState, OfficerActor, OfficerId, Role, Roles};
use kept::{kept, now, population};
use registry::{
    history::Moment,
    linking::files::{
        Figures, File, FileId, FileState, Found, KEPT_DAYS, LARGEST, Line, LineState, LineVerdict, MOST_ROWS, Upload,
    },
    model::{FieldPath, RegistryCode, ValidTime},
    service::{self, Change, Provenance, Registries, Target},
};
use serde_json::{Value, json};
use store::{Store, jobs::Runner};
use tower::ServiceExt as _;
use uuid::Uuid;

const BINH: &str = "Trần Thị Bình";
/// Headings, and the fields that they are.
const HEADINGS: &str = "Họ và tên,Ngày sinh,Giới tính,Mã xã,Số CMND cũ,Ghi chú";
const FIELDS: [&str; 6] = ["name", "birth_date", "sex", "residence.commune", "former_id_cards", ""];

fn at_agency(name: &str, role: Role, agency: &str) -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(name.len() as u128)),
            name: name.to_owned(),
            title: String::new(),
            agency: agency.to_owned(),
            roles: Roles::of(&[role]),
        }),
        now: now(),
        request_id: Uuid::nil(),
        lang: Lang::Vi,
    }
}

fn steward() -> Ctx {
    at_agency(BINH, Role::Steward, "G01")
}

struct Office {
    registries: Registries,
    store: Store,
    identity: IdentityState,
}

async fn offices() -> Vec<Office> {
    let mut offices = Vec::new();
    for store in store::testkit::stores(&[identity::MIGRATIONS, registry::MIGRATIONS]).await {
        let (registries, identity) = kept(&store, &["population", "residence"]).await;
        let office = Office {
            registries,
            store,
            identity,
        };
        office
            .add(
                "001180000011",
                "Nguyễn Thị Hường",
                "1980-03-05",
                "00004",
                &["012345678", "987654321"],
            )
            .await;
        office
            .add("001090000021", "Trần Văn Hòa", "1990-02-03", "00004", &[])
            .await;
        office
            .add("001090000022", "Trần Văn Hòa", "1990-02-03", "00008", &[])
            .await;
        office.work(now()).await;
        offices.push(office);
    }
    offices
}

impl Office {
    async fn add(&self, number: &str, name: &str, born: &str, commune: &str, cards: &[&str]) {
        let sex = if name.contains("Thị") { "female" } else { "male" };
        let mut body = json!({
            "person_number": number, "name": name, "birth_date": born, "sex": sex, "nationality": "VN",
            "status": "alive", "residence": {"province": "01", "commune": commune},
        });
        if !cards.is_empty() {
            body["former_id_cards"] = Value::from(cards.to_vec());
        }
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
            .write(&steward(), &population(), change, &source, number)
            .await;
        written.expect("written");
    }

    /// Does once what is due; how many jobs that were.
    async fn work_once(&self, at: Timestamp) -> u64 {
        let runner = Runner::new(self.store.clone(), Arc::new(FixedClock::at(at)));
        let runner = service::handlers(runner, &self.registries);
        runner.run_due().await.expect("jobs") as u64
    }

    async fn work(&self, at: Timestamp) {
        while self.work_once(at).await > 0 {}
    }

    async fn put(&self, name: &str, content: impl Into<Bytes>) -> Result<FileId, Error> {
        self.put_as(&steward(), &population(), name, content).await
    }

    async fn put_as(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        name: &str,
        content: impl Into<Bytes>,
    ) -> Result<FileId, Error> {
        let upload = Upload {
            name: name.to_owned(),
            content: content.into(),
            basis: "Rà soát theo Luật Căn cước, Điều 10".to_owned(),
            note: String::new(),
        };
        self.registries.put_file(ctx, code, upload).await
    }

    async fn begin(&self, id: FileId, fields: &[&str]) -> Result<(), Error> {
        let field = |name: &&str| (!name.is_empty()).then(|| name.parse::<FieldPath>().expect("a field"));
        let fields: Vec<_> = fields.iter().map(field).collect();
        self.registries.begin_file(&steward(), &population(), id, &fields).await
    }

    /// Brings rows below the headings, and compares them.
    async fn compared(&self, rows: &str) -> FileId {
        let id = self
            .put("danh sách.csv", format!("{HEADINGS}\n{rows}"))
            .await
            .expect("taken in");
        self.begin(id, &FIELDS).await.expect("begun");
        self.work(now()).await;
        assert_eq!(self.file(id).await.state, FileState::Done);
        id
    }

    async fn file(&self, id: FileId) -> File {
        self.registries
            .file(&steward(), &population(), id)
            .await
            .expect("there")
            .0
    }

    async fn line(&self, id: FileId, n: i64) -> (Line, Vec<String>) {
        let (line, candidates, _) = self
            .registries
            .line(&steward(), &population(), id, n)
            .await
            .expect("there");
        (
            line,
            candidates
                .iter()
                .map(|candidate| candidate.record.to_string())
                .collect(),
        )
    }

    async fn decide(&self, who: &str, id: FileId, line: &Line, verdict: LineVerdict) -> Result<Option<i64>, Error> {
        let ctx = at_agency(who, Role::Steward, "G01");
        self.registries
            .decide_line(&ctx, &population(), id, line.n, line.version, verdict)
            .await
    }

    async fn result(&self, id: FileId) -> Vec<Vec<String>> {
        let pieces = self.registries.file_result(&steward(), &population(), id).await;
        let pieces: Vec<Bytes> = pieces.expect("a result").try_collect().await.expect("to its end");
        let text = String::from_utf8(pieces.concat()).expect("UTF-8");
        let text = text.strip_prefix('\u{feff}').expect("a mark");
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let row = |row: csv::Result<csv::StringRecord>| row.expect("a row").iter().map(str::to_owned).collect();
        reader.records().map(row).collect()
    }

    async fn call(&self, ctx: &Ctx, path: &str, form: Option<(&str, Vec<u8>)>) -> (StatusCode, String, String) {
        let app = registry::pages::router(self.registries.clone())
            .layer(Extension(ctx.clone()))
            .layer(Extension(self.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let request = match form {
            None => Request::get(path).body(Body::empty()),
            Some((kind, body)) => Request::post(path)
                .header(header::CONTENT_TYPE, kind)
                .body(Body::from(body)),
        };
        let answer = app.oneshot(request.expect("a request")).await.expect("an answer");
        let to = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|to| to.to_str().ok())
            .unwrap_or_default();
        let (status, to) = (answer.status(), to.to_owned());
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, to, String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    }

    async fn press(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, String, String) {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.call(
            &steward(),
            path,
            Some(("application/x-www-form-urlencoded", body.into_bytes())),
        )
        .await
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

fn words(error: &Error) -> String {
    error
        .problems()
        .into_iter()
        .flatten()
        .map(|problem| problem.text.vi.clone())
        .collect()
}

#[tokio::test]
async fn each_row_finds_its_record_and_name_and_birthday_alone_are_never_clear() {
    for office in offices().await {
        // Composed the other way, in small letters, without marks; a former card that is not the first of its record.
        let id = office
            .compared(concat!(
                "nguye\u{302}\u{303}n thi\u{323} hu\u{31b}o\u{300}\u{31b}ng,05/03/1980,Nữ,00004,,\n",
                "nguyen thi huong,05-03-1980,nữ,,,\n",
                "Nguyễn Thị Hường,,,,987654321,\n",
                "TRẦN VĂN HOÀ,3/2/1990,Nam,,,\n",
                "Lê Văn Không,01/02/1970,Nam,00004,,\n",
                "Không ngày sinh,,Nam,,,\n",
                "Trần Văn Hòa,03/02/1990,Nam,Xã lạ,,\n",
            ))
            .await;
        let mut told = Vec::new();
        for n in 1..=7 {
            let (line, candidates) = office.line(id, n).await;
            told.push((line.state, candidates.len()));
        }
        assert_eq!(
            told,
            [
                (LineState::Clear, 1),
                (LineState::Possible, 1),
                (LineState::Clear, 1),
                (LineState::Possible, 2),
                (LineState::Lone, 0),
                (LineState::Unread, 0),
                (LineState::Possible, 2),
            ]
        );
        let first = office.line(id, 1).await.1;
        assert_eq!(
            office.line(id, 2).await.1,
            first,
            "the same record by name and birthday"
        );
        assert_eq!(office.line(id, 3).await.1, first, "the same record by its card");
        let (lacking, _) = office.line(id, 6).await;
        assert!(lacking.flaw.vi.contains("không đủ giá trị"), "{:?}", lacking.flaw);
        let (strange, _) = office.line(id, 7).await;
        assert!(strange.flaw.vi.contains("“Mã xã”"), "{:?}", strange.flaw);
        let (_, candidates, _) = office
            .registries
            .line(&steward(), &population(), id, 2)
            .await
            .expect("there");
        let reason = &candidates[0].reason.vi;
        assert!(
            reason.contains("trùng khớp") && !reason.contains("Hường") && !reason.contains("1980"),
            "no values: {reason}"
        );
        let file = office.file(id).await;
        let figures = Figures {
            clear: 2,
            possible: 3,
            lone: 1,
            unread: 1,
            clear_left: 2,
            ..Figures::default()
        };
        assert_eq!((file.total, file.done, file.figures), (7, 7, figures));
        // Nothing was decided, and nobody is merged.
        let decided = office
            .registries
            .lines(&steward(), &population(), id, None, 0, 10)
            .await
            .expect("a list");
        assert!(decided.items.is_empty());
    }
}

#[tokio::test]
async fn files_are_known_by_headings_in_any_form_and_encoding() {
    for office in offices().await {
        let field = |name: &str| Some(name.parse::<FieldPath>().expect("a field"));
        let wanted = vec![field("name"), field("birth_date")];
        let columns =
            |file: &File| -> Vec<Option<FieldPath>> { file.columns.iter().map(|(_, field)| field.clone()).collect() };

        // A workbook as a legacy program writes it, with a title, headings of two rows, the numbers of the columns, and headings again.
        let sheet = workbook::sheet(&[
            &["DANH SÁCH CÔNG DÂN"],
            &["Thông tin cá nhân", ""],
            &["Họ và tên", "Ngày sinh"],
            &["(1)", "(2)"],
            &["Nguyễn Thị Hường", "05/03/1980"],
            &["Họ và tên", "Ngày sinh"],
            &["Lê Văn Không", "01/02/1970"],
        ]);
        let id = office
            .put("a.xlsx", workbook::workbook(&sheet))
            .await
            .expect("taken in");
        let file = office.file(id).await;
        assert_eq!(columns(&file), wanted, "{:?}", file.columns);
        office.begin(id, &["name", "birth_date"]).await.expect("begun");
        office.work(now()).await;
        let (line, candidates) = office.line(id, file.total - 1).await;
        assert_eq!(
            (line.line, line.state, candidates.len()),
            (5, LineState::Possible, 1),
            "{line:?}"
        );

        // The bytes of an old font.
        let bytes = |text: &str| -> Vec<u8> {
            let byte = |c: char| (0..=255_u8).find(|byte| Encoding::Tcvn3.decode(&[*byte]).text == c.to_string());
            text.chars()
                .map(|c| byte(c).unwrap_or_else(|| panic!("{c} in TCVN3")))
                .collect()
        };
        let mut text = bytes("Họ và tên,Ngày sinh\nNguyễn Thị Hường,05/03/1980\n");
        for n in 0..30 {
            text.extend(bytes(&format!("Lê Thị Phượng,{:02}/04/1971\n", n % 28 + 1)));
        }
        let id = office.put("b.csv", text).await.expect("taken in");
        let file = office.file(id).await;
        assert_eq!((columns(&file), file.total), (wanted, 31), "{:?}", file.columns);
        office.begin(id, &["name", "birth_date"]).await.expect("begun");
        office.work(now()).await;
        let (line, candidates) = office.line(id, 1).await;
        assert_eq!(
            (line.cells[0].as_str(), line.state, candidates.len()),
            ("Nguyễn Thị Hường", LineState::Possible, 1)
        );
    }
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_refused_and_nothing_stays() {
    for office in offices().await {
        let refused = |result: Result<FileId, Error>| {
            let error = result.expect_err("refused");
            format!("{} {}", codes(&error).join(" "), words(&error))
        };
        let empty = refused(office.put("a.csv", "").await);
        assert!(empty.starts_with("empty-file"), "{empty}");
        let bare = refused(office.put("a.csv", format!("{HEADINGS}\n")).await);
        assert!(bare.starts_with("no-rows"), "{bare}");
        let broken = office
            .put("a.xlsx", b"PK\x03\x04 and no workbook".to_vec())
            .await
            .expect_err("refused");
        assert!(
            broken
                .problems()
                .is_some_and(|problems| problems.iter().all(|problem| problem.at == "file")),
            "{broken:?}"
        );
        let large = refused(office.put("a.csv", vec![b'a'; LARGEST + 1]).await);
        assert!(large.starts_with("too-large"), "{large}");
        let many = format!("Họ và tên,Ngày sinh\n{}", "An,1990\n".repeat(MOST_ROWS + 1));
        let many = refused(office.put("a.csv", many).await);
        assert!(
            many.starts_with("too-many-rows") && many.contains(&(MOST_ROWS + 2).to_string()),
            "{many}"
        );
        let wide = refused(
            office
                .put("a.csv", format!("{HEADINGS}\nAn{}\n", ",".repeat(400)))
                .await,
        );
        assert!(
            wide.starts_with("too-many-columns") && wide.contains("Dòng 2"),
            "{wide}"
        );
        let groundless = Upload {
            name: "a.csv".to_owned(),
            content: Bytes::from_static(b"name\nAn\n"),
            ..Upload::default()
        };
        let groundless = refused(office.registries.put_file(&steward(), &population(), groundless).await);
        assert!(groundless.starts_with("basis-wanted"), "{groundless}");
        let residence: RegistryCode = "residence".parse().expect("a code");
        let undeclared = refused(office.put_as(&steward(), &residence, "a.csv", HEADINGS).await);
        assert!(undeclared.starts_with("no-linkage"), "{undeclared}");
        let strangers = [
            at_agency("Lê An", Role::Reader, "G01"),
            at_agency("Lê An", Role::Specialist, "G01"),
            at_agency("Lê An", Role::Steward, "H01"),
        ];
        for stranger in &strangers {
            let refused = refused(office.put_as(stranger, &population(), "a.csv", HEADINGS).await);
            assert!(refused.starts_with("forbidden"), "{refused}");
        }
        let listed = office
            .registries
            .files(&steward(), &population(), None, 10)
            .await
            .expect("a list");
        assert!(listed.items.is_empty());

        // The same content is there once.
        let text = format!("{HEADINGS}\nNguyễn Thị Hường,05/03/1980,,,,\n");
        let id = office.put("một.csv", text.clone()).await.expect("taken in");
        let twice = refused(office.put("hai.csv", text.clone()).await);
        assert!(
            twice.starts_with("file-known") && twice.contains("một.csv") && twice.contains(BINH),
            "{twice}"
        );
        // Columns by which nobody is found, two of one field, one that is not compared.
        let lacking = office
            .begin(id, &["name", "", "sex", "", "", ""])
            .await
            .expect_err("refused");
        assert_eq!(codes(&lacking), ["no-blocking"]);
        assert!(words(&lacking).contains("Ngày, tháng, năm sinh"), "{lacking:?}");
        let wrong = office
            .begin(id, &["name", "birth_date", "name", "ethnicity", "", ""])
            .await
            .expect_err("refused");
        assert_eq!(codes(&wrong), ["field-twice", "not-compared"]);
        for stranger in &strangers {
            let file = office
                .registries
                .file(stranger, &population(), id)
                .await
                .expect_err("refused");
            assert_eq!(codes(&file), ["forbidden"]);
            let result = office
                .registries
                .file_result(stranger, &population(), id)
                .await
                .err()
                .expect("refused");
            assert_eq!(codes(&result), ["forbidden"]);
            let removed = office
                .registries
                .remove_file(stranger, &population(), id)
                .await
                .expect_err("refused");
            assert_eq!(codes(&removed), ["forbidden"]);
        }
        office.begin(id, &FIELDS).await.expect("begun");
        assert_eq!(
            codes(&office.begin(id, &FIELDS).await.expect_err("begun before")),
            ["columns-confirmed"]
        );
    }
}

#[tokio::test]
async fn a_comparison_goes_on_where_it_was_broken_off_and_no_row_counts_twice() {
    for office in offices().await {
        let (ctx, code) = (steward(), population());
        let rows: String = (0..450)
            .map(|n| format!("Lê Văn Không,{:02}/02/1970,Nam,00004,,{n}\n", n % 28 + 1))
            .collect();
        let text = format!("{HEADINGS}\nNguyễn Thị Hường,05/03/1980,Nữ,00004,,\n{rows}");
        let id = office.put("a.csv", text).await.expect("taken in");
        office.begin(id, &FIELDS).await.expect("begun");
        // Each time by another runner, as after a restart.
        office.work_once(now()).await;
        let file = office.file(id).await;
        assert_eq!(
            (file.state, file.done, file.figures.clear),
            (FileState::Comparing, 200, 1)
        );
        office.registries.stop_file(&ctx, &code, id).await.expect("stopped");
        office.work(now()).await;
        let file = office.file(id).await;
        assert_eq!((file.state, file.done), (FileState::Cancelled, 200));
        let again = office
            .registries
            .stop_file(&ctx, &code, id)
            .await
            .expect_err("stopped before");
        assert_eq!(codes(&again), ["file-stands-otherwise"]);
        office.registries.resume_file(&ctx, &code, id).await.expect("gone on");
        office.work(now()).await;
        let file = office.file(id).await;
        assert_eq!((file.state, file.done), (FileState::Done, 451));
        assert_eq!((file.figures.clear, file.figures.lone), (1, 450));
        // A page at a time, in the order of the file.
        let lone = Some(LineState::Lone);
        let first = office
            .registries
            .lines(&ctx, &code, id, lone, 0, 300)
            .await
            .expect("a list");
        let after = first.next.as_deref().and_then(|next| next.parse().ok()).expect("more");
        let rest = office
            .registries
            .lines(&ctx, &code, id, lone, after, 300)
            .await
            .expect("a list");
        assert_eq!((first.items.len(), rest.items.len(), rest.next), (300, 150, None));
        assert_eq!(office.result(id).await.len(), 452);
    }
}

#[tokio::test]
async fn a_steward_decides_takes_back_and_is_told_who_was_faster() {
    for office in offices().await {
        let id = office
            .compared(concat!(
                "Nguyễn Thị Hường,05/03/1980,Nữ,00004,,=HYPERLINK(1)\n",
                "Trần Văn Hòa,03/02/1990,Nam,,,\n",
                "Trần Văn Hòa,03/02/1990,Nam,00008,,\n",
                "Nguyễn Thị Hường,,,,012345678,\n",
            ))
            .await;
        let (ctx, code) = (steward(), population());
        let (two, candidates) = office.line(id, 2).await;
        let record = |text: &str| text.parse().expect("a record");
        let strange = LineVerdict::Same(service::RecordId::from_uuid(Uuid::nil()));
        assert_eq!(
            codes(&office.decide(BINH, id, &two, strange).await.expect_err("refused")),
            ["not-proposed"]
        );
        assert_eq!(
            codes(
                &office
                    .decide(BINH, id, &two, LineVerdict::Undo)
                    .await
                    .expect_err("refused")
            ),
            ["row-stands-otherwise"]
        );
        let (one, other) = futures::join!(
            office.decide(BINH, id, &two, LineVerdict::Same(record(&candidates[0]))),
            office.decide("Lê Văn Cường", id, &two, LineVerdict::Nobody)
        );
        let (winner, loser) = if one.is_ok() {
            (BINH, other)
        } else {
            ("Lê Văn Cường", one)
        };
        let told = loser.expect_err("one of them was slower");
        assert_eq!(codes(&told), ["row-decided"]);
        assert!(words(&told).starts_with(winner), "{told:?}");
        let (decided, _) = office.line(id, 2).await;
        office
            .decide(BINH, id, &decided, LineVerdict::Undo)
            .await
            .expect("undone");
        let (open, _) = office.line(id, 2).await;
        assert_eq!(
            (open.found, open.version, office.file(id).await.figures.same),
            (None, 3, 0)
        );
        // After a decision comes the next row that waits, at the end the first again.
        let next = office
            .decide(BINH, id, &open, LineVerdict::Same(record(&candidates[1])))
            .await
            .expect("decided");
        assert_eq!(next, Some(3));
        let (four, _) = office.line(id, 4).await;
        assert_eq!(
            office
                .decide(BINH, id, &four, LineVerdict::Nobody)
                .await
                .expect("decided"),
            Some(1)
        );

        // All clear ones at once, by their number, and back.
        let figures = office.file(id).await.figures;
        let left = figures.clear_left;
        assert_eq!(
            (left, figures.same, figures.nobody),
            (office.file(id).await.figures.clear - 1, 1, 1)
        );
        let wrong = office
            .registries
            .take_clear(&ctx, &code, id, left + 1)
            .await
            .expect_err("refused");
        assert_eq!(codes(&wrong), ["other-number"]);
        assert_eq!(office.file(id).await.figures, figures);
        office
            .registries
            .take_clear(&ctx, &code, id, left)
            .await
            .expect("taken");
        let after = office.file(id).await.figures;
        assert_eq!((after.clear_left, after.same, after.together), (0, 1 + left, left));
        let (first, candidates) = office.line(id, 1).await;
        assert_eq!(first.found, Some(Found::Together(record(&candidates[0]))));

        let result = office.result(id).await;
        assert_eq!(result[0][..3], ["Họ và tên", "Ngày sinh", "Giới tính"]);
        assert_eq!((result.len(), result[1].len()), (5, 12));
        assert_eq!(result[1][5], "'=HYPERLINK(1)", "no formula");
        assert_eq!((result[1][9].as_str(), result[1][10].as_str()), ("001180000011", BINH));
        assert!(result[1][7].starts_with("0.9"), "{:?}", result[1]);
        assert_eq!(
            (result[4][8].as_str(), result[4][9].as_str()),
            ("Không phải bản ghi nào", "")
        );
        // Each key is a read, with the ground.
        let auditor = at_agency("Kiểm tra", Role::Auditor, "G01");
        let (reads, _) = office
            .identity
            .agency_reads(&auditor, "G01", None, None)
            .await
            .expect("reads");
        let told = reads
            .iter()
            .filter(|read| read.what.contains("Rà soát các bản ghi nghi trùng"));
        assert_eq!(told.count(), 2 + usize::from(left > 1), "{reads:?}");

        office
            .registries
            .untake_clear(&ctx, &code, id)
            .await
            .expect("taken back");
        assert_eq!(office.file(id).await.figures, figures);
        assert_eq!(
            codes(
                &office
                    .registries
                    .untake_clear(&ctx, &code, id)
                    .await
                    .expect_err("nothing")
            ),
            ["other-number"]
        );
    }
}

#[tokio::test]
async fn rows_are_removed_by_hand_or_by_themselves_and_the_figures_stay() {
    for office in offices().await {
        let row = "Nguyễn Thị Hường,05/03/1980,Nữ,00004,,\n";
        let (ctx, code) = (steward(), population());
        let first = office.compared(row).await;
        let second = office.compared(&row.repeat(2)).await;
        office
            .registries
            .remove_file(&ctx, &code, first)
            .await
            .expect("removed");
        let removed = |file: &File| {
            (
                file.state,
                file.name.clone(),
                file.columns.len(),
                file.total,
                file.figures.clear,
            )
        };
        assert_eq!(
            removed(&office.file(first).await),
            (FileState::Removed, String::new(), 0, 1, 1)
        );
        let gone = office.registries.line(&ctx, &code, first, 1).await.expect_err("gone");
        assert_eq!(codes(&gone), ["not-found"]);
        let gone = office
            .registries
            .file_result(&ctx, &code, first)
            .await
            .err()
            .expect("gone");
        assert_eq!(codes(&gone), ["not-found"]);
        let twice = office
            .registries
            .remove_file(&ctx, &code, first)
            .await
            .expect_err("removed before");
        assert_eq!(codes(&twice), ["file-stands-otherwise"]);
        // What is removed may be brought again.
        office.compared(row).await;

        let days = |days: i64| now().plus_seconds(days * 86_400);
        office.work(days(KEPT_DAYS - 1)).await;
        assert_eq!(office.file(second).await.state, FileState::Done);
        office.work(days(KEPT_DAYS)).await;
        assert_eq!(
            removed(&office.file(second).await),
            (FileState::Removed, String::new(), 0, 2, 2)
        );
        let listed = office.registries.files(&ctx, &code, None, 2).await.expect("a list");
        let rest = office
            .registries
            .files(&ctx, &code, listed.next.as_deref(), 2)
            .await
            .expect("a list");
        assert_eq!((listed.items.len(), rest.items.len()), (2, 1));
        assert!(
            listed
                .items
                .iter()
                .chain(&rest.items)
                .all(|file| file.state == FileState::Removed)
        );
    }
}

#[tokio::test]
async fn the_pages_bring_a_file_from_its_upload_to_its_result() {
    for office in offices().await {
        let at = "/registries/population/files";
        let english = Ctx {
            lang: Lang::En,
            ..steward()
        };
        for ctx in [&steward(), &english] {
            let (status, _, page) = office.call(ctx, at, None).await;
            assert_eq!((status, page.matches("<h1").count()), (StatusCode::OK, 1), "{page}");
        }
        let (_, _, page) = office.call(&steward(), "/registries/population", None).await;
        assert!(page.contains(at), "the registry's page leads there");
        let send = |name: &str, basis: &str| {
            let rows = concat!(
                "Nguyễn Thị Hường,05/03/1980,Nữ,00004,,<script>alert(1)</script>\n",
                "Trần Văn Hòa,03/02/1990,Nam,,,\n",
                "Nguyễn Thị Hường,,,,012345678,\n",
            );
            let part = |name: &str, text: &str| {
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
            };
            let file = format!(
                "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n{HEADINGS}\n{rows}\r\n"
            );
            let body = format!(
                "{}{}{file}--b--\r\n",
                part("basis", basis),
                part("note", "<i>đợt 1</i>")
            );
            ("multipart/form-data; boundary=b", body.into_bytes())
        };
        let (status, _, page) = office.call(&steward(), at, Some(send("a.csv", " "))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.contains("căn cứ pháp lý") && page.contains("&#60;i&#62;") || page.contains("&lt;i&gt;"),
            "{page}"
        );
        let stranger = at_agency("Lê An", Role::Steward, "H01");
        let (status, ..) = office.call(&stranger, at, Some(send("a.csv", "Luật Căn cước"))).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let (status, to, page) = office
            .call(
                &steward(),
                at,
                Some(send("../<b>danh sách.csv", "Luật Căn cước, Điều 10")),
            )
            .await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let (status, _, page) = office.call(&steward(), &to, None).await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            page.contains("danh sách.csv") && !page.contains("<b>danh") && page.contains("column5"),
            "{page}"
        );
        assert!(!page.contains("<script>alert"), "{page}");

        let columns: Vec<String> = (0..FIELDS.len()).map(|n| format!("column{n}")).collect();
        let form = |fields: &[&'static str]| -> Vec<(String, String)> {
            let columns = columns
                .iter()
                .cloned()
                .zip(fields.iter().map(|field| (*field).to_owned()));
            [("then".to_owned(), "begin".to_owned())]
                .into_iter()
                .chain(columns)
                .collect()
        };
        let begin = form(&["name", "", "", "", "", ""]);
        let begin: Vec<(&str, &str)> = begin
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let (status, _, page) = office.press(&to, &begin).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("Chưa đủ cột"), "{page}");
        let begin = form(&FIELDS);
        let begin: Vec<(&str, &str)> = begin
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(office.press(&to, &begin).await.0, StatusCode::SEE_OTHER);
        let (_, _, page) = office.call(&steward(), &to, None).await;
        assert!(page.contains("0/3") && page.contains("Cập nhật tiến độ"), "{page}");
        office.work(now()).await;
        let (_, _, page) = office.call(&steward(), &to, None).await;
        assert!(
            page.contains("Nhận tất cả dòng rõ ràng: 2") && page.contains("result.csv"),
            "{page}"
        );

        let row = format!("{to}/rows/2");
        for ctx in [&steward(), &english] {
            let (status, _, page) = office.call(ctx, &row, None).await;
            assert_eq!((status, page.matches("<h1").count()), (StatusCode::OK, 1), "{page}");
            assert!(page.contains("candidate=2"), "{page}");
        }
        let (_, _, page) = office.call(&steward(), &format!("{row}?candidate=2"), None).await;
        let record = page
            .split("name=\"record\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a record");
        let same = [("verdict", "same"), ("record", record), ("seen", "1")];
        assert_eq!(
            office.press(&row, &[("seen", "1")]).await.0,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        let (status, next, _) = office.press(&row, &same).await;
        assert_eq!((status, next), (StatusCode::SEE_OTHER, format!("{to}/rows/3")));
        let (status, _, page) = office.press(&row, &same).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(page.contains("đã quyết định về dòng này"), "{page}");
        let (status, back, _) = office.press(&row, &[("verdict", "undo"), ("seen", "2")]).await;
        assert_eq!((status, back), (StatusCode::SEE_OTHER, row.clone()));

        assert_eq!(
            office.press(&to, &[("then", "together"), ("count", "2")]).await.0,
            StatusCode::SEE_OTHER
        );
        let (status, _, text) = office.call(&steward(), &format!("{to}/result.csv"), None).await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.starts_with('\u{feff}') && text.contains("001180000011"), "{text}");
        for path in [&to, &row, &format!("{to}/result.csv")] {
            assert_eq!(
                office.call(&stranger, path, None).await.0,
                StatusCode::FORBIDDEN,
                "{path}"
            );
        }
        assert_eq!(
            office.press(&to, &[("then", "remove")]).await.0,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_eq!(
            office.press(&to, &[("then", "remove"), ("sure", "true")]).await.0,
            StatusCode::SEE_OTHER
        );
        let (status, _, page) = office.call(&steward(), &to, None).await;
        assert_eq!(status, StatusCode::OK);
        assert!(
            !page.contains("danh sách.csv") && page.contains("Đã xóa các dòng"),
            "{page}"
        );
        assert_eq!(office.call(&steward(), &row, None).await.0, StatusCode::NOT_FOUND);
    }
}
