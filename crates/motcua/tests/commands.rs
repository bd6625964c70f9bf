//! The commands for files, as a person runs them: processes of their own, killed and short of room where need be.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use store::{Config, Faults, Read as _, Store, params};

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

/// A folder with files, in which commands run.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// With a node that has the population registry and keeps its data in a folder of this name.
    fn with_node(data: &str) -> Self {
        let desk = Self::new();
        let registry = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries/population");
        desk.file(
            "motcua.toml",
            format!("data = {:?}\nregistries = [{registry:?}]\n", desk.path(data)),
        );
        desk.file("mapping.toml", MAPPING);
        desk.well(&["migrate", "--config", "motcua.toml"]);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_motcua"));
        command
            .current_dir(self.0.path())
            .args(arguments)
            .env_remove("MOTCUA_DATABASE");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program runs")
    }

    /// What a command says that does well.
    fn well(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a command says that refuses.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The number that a query of the node's database gives.
    async fn number(&self, data: &str, sql: &str) -> Option<i64> {
        let config = Config {
            url: format!("sqlite:{}", self.path(data).join("motcua.db").display()),
            connections: 1,
            blobs: self.path("blobs"),
            blob_key: [0; 32],
            faults: Faults::default(),
        };
        let store = Store::open(&config).await.expect("the database opens");
        let number = store.read().scalar(sql, params![]).await.expect("an answer");
        store.close().await;
        number
    }
}

const IMPORT: [&str; 6] = [
    "registry",
    "import",
    "population",
    "list.csv",
    "--config",
    "motcua.toml",
];

fn import<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&IMPORT, more].concat()
}

fn list(rows: u32) -> String {
    let mut text = HEADINGS.to_owned();
    for n in 0..rows {
        let _ = writeln!(text, "Nguyễn Văn An,05/03/1980,Nam,001080{n:06}");
    }
    text
}

#[test]
fn a_list_of_an_agency_goes_into_a_registry() {
    let desk = Desk::with_node("data");
    desk.file(
        "list.csv",
        format!("{HEADINGS}Nguyễn Văn An,05/03/1980,Nam,001080000011\nTrần Thị Bình,30/02/1990,Nữ,001190000012\n"),
    );
    desk.well(&import(&["--suggest", "draft.toml"]));
    let draft = desk.read("draft.toml");
    assert!(
        draft.contains("4/4 cột (100 %)") && draft.contains("field = \"person_number\""),
        "{draft}"
    );
    let again = desk.run(&import(&["--suggest", "draft.toml"]));
    assert!(!again.status.success(), "what a person wrote is not overwritten");
    let said = desk.refused(&import(&["--mapping", "draft.toml"]));
    assert!(
        said.contains("required source: Nêu nguồn dữ liệu") && said.contains("no-valid-from"),
        "{said}"
    );

    let mapped = ["--mapping", "mapping.toml"];
    let said = desk.refused(&import(&[&mapped[..], &["--dry-run", "--en"]].concat()));
    assert!(
        said.starts_with("Nothing was taken in. 2 rows: 1 are good, 1 are not"),
        "{said}"
    );
    let said = desk.refused(&import(&mapped));
    assert!(
        said.starts_with("Không nhập gì. 2 dòng: 1 dòng đạt, 1 dòng không đạt"),
        "{said}"
    );
    let report = desk.read("list.csv.report.csv");
    assert!(
        report.contains("\n3,2,birth_date,bad,no-such-day,Không có ngày này trong lịch."),
        "{report}"
    );
    let said = desk.well(&import(&[&mapped[..], &["--keep-good", "--report", "r.csv"]].concat()));
    assert!(said.starts_with("Đã nhập 1 trong 2 dòng; 1 dòng bị từ chối"), "{said}");
    assert!(desk.path("r.csv").exists() && !desk.path("r.csv.part").exists());
    let output = desk.run(&import(&[&mapped[..], &["--keep-good"]].concat()));
    assert_eq!(output.status.code(), Some(1));
    let all = [output.stdout, output.stderr].concat();
    let all = String::from_utf8(all).expect("text");
    assert!(
        all.contains("imported-already") && !all.contains("Bình") && !all.contains("001190000012"),
        "{all}"
    );

    let mut other = import(&mapped);
    other[2] = "nothing";
    assert!(desk.refused(&other).contains("not-found"));
    desk.file("list.csv", "");
    assert!(desk.refused(&import(&mapped)).contains("no-header"));
    let usage = desk.run(&IMPORT);
    assert_eq!(usage.status.code(), Some(2), "a mapping is wanted");
}

#[tokio::test]
async fn a_run_that_is_killed_goes_on_and_takes_nothing_twice() {
    const ROWS: u32 = 30_000;
    let desk = Desk::with_node("data");
    desk.file("list.csv", list(ROWS));
    let arguments = import(&["--mapping", "mapping.toml", "--keep-good", "--batch", "2048"]);
    let mut child = desk
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let taken = "SELECT COUNT(*) FROM registry_version";
    let begun = Instant::now();
    while desk.number("data", taken).await.unwrap_or(0) < 4_096 {
        assert!(begun.elapsed() < Duration::from_secs(180), "nothing is taken in");
        assert_eq!(child.try_wait().expect("a state"), None, "it ended by itself");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let before = desk.number("data", taken).await.expect("a number");
    assert!((4_096..i64::from(ROWS)).contains(&before), "{before} were taken before");
    assert!(desk.refused(&arguments).contains("import-broken-off"));
    let said = desk.well(&[&arguments[..], &["--resume"]].concat());
    assert!(said.starts_with(&format!("Đã nhập {ROWS} trong {ROWS} dòng")), "{said}");
    let rows = i64::from(ROWS);
    assert_eq!(desk.number("data", taken).await, Some(rows));
    let keys = "SELECT COUNT(DISTINCT json_extract(body, '$.person_number')) FROM registry_version";
    assert_eq!(desk.number("data", keys).await, Some(rows));
    let instants = "SELECT COUNT(DISTINCT recorded_at) FROM registry_version";
    assert_eq!(desk.number("data", instants).await, Some(rows));
}

#[tokio::test]
async fn a_country_goes_on_where_it_was_killed() {
    const REGISTRIES: [&str; 7] = [
        "population",
        "residence",
        "civil-status",
        "enterprises",
        "tax",
        "social-insurance",
        "customs",
    ];
    let desk = Desk::new();
    let folders = REGISTRIES.map(|code| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../registries")
            .join(code)
    });
    for data in ["one", "other"] {
        let config = format!("data = {:?}\nregistries = {folders:?}\n", desk.path(data));
        desk.file(&format!("{data}.toml"), config);
        desk.well(&["migrate", "--config", &format!("{data}.toml")]);
    }
    let country = ["registry", "country", "--persons", "1500", "--en", "--config"];
    let killed = [&country[..], &["one.toml", "--folder", "told"]].concat();
    let mut child = desk
        .command(&killed)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    let taken = "SELECT COUNT(*) FROM registry_version";
    let begun = Instant::now();
    while desk.number("one", taken).await.unwrap_or(0) < 8_000 {
        assert!(begun.elapsed() < Duration::from_secs(300), "nothing is taken over");
        assert_eq!(child.try_wait().expect("a state"), None, "it ended by itself");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let before = desk.number("one", taken).await.expect("a number");
    desk.well(&killed);
    let whole = desk.well(&[&country[..], &["other.toml", "--folder", "again"]].concat());
    let all = desk.number("other", taken).await.expect("a number");
    assert_eq!(whole, format!("{all} versions of records were taken over.\n"));
    assert!(before < all, "{before} of {all}");
    for sum in [
        taken,
        "SELECT COUNT(*) FROM registry_segment",
        "SELECT COUNT(*) FROM registry_index",
        "SELECT SUM(LENGTH(body)) FROM registry_version",
        "SELECT SUM(known_from % 1000003) FROM registry_segment",
    ] {
        assert_eq!(desk.number("one", sum).await, desk.number("other", sum).await, "{sum}");
    }
    assert_eq!(desk.well(&killed), "0 versions of records were taken over.\n");
}

#[tokio::test]
async fn a_full_disk_is_told_and_room_lets_it_go_on() {
    const ROWS: u32 = 20_000;
    let desk = Desk::with_node("data");
    let data = desk.path("small");
    fs::create_dir(&data).expect("a folder");
    let mount = |options: &str| {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(&data)
            .stderr(Stdio::null())
            .status();
        mount.is_ok_and(|status| status.success())
    };
    if !mount("size=14m") {
        let _ = writeln!(std::io::stderr(), "skipped: only root may make a small disk");
        return;
    }
    let config = desk.read("motcua.toml").replace("/data\"", "/small\"");
    desk.file("motcua.toml", config);
    desk.well(&["migrate", "--config", "motcua.toml"]);
    desk.file("list.csv", list(ROWS));
    let arguments = import(&["--mapping", "mapping.toml", "--keep-good", "--batch", "2048"]);
    let full = desk.run(&arguments);
    let said = String::from_utf8_lossy(&full.stdout).into_owned();
    let before = desk.number("small", "SELECT COUNT(*) FROM registry_version").await;
    let room = mount("remount,size=200m");
    let gone_on = desk.run(&[&arguments[..], &["--resume"]].concat());
    let after = desk.number("small", "SELECT COUNT(*) FROM registry_version").await;
    let unmounted = Command::new("umount").arg(&data).status();
    assert!(unmounted.is_ok_and(|status| status.success()) && room);
    assert!(
        full.status.code() == Some(1) && said.starts_with("storage-full : Hệ thống đã hết chỗ lưu trữ"),
        "{full:?}"
    );
    assert!(
        before.is_some_and(|taken| taken > 0 && taken < i64::from(ROWS)),
        "{before:?}"
    );
    assert!(gone_on.status.success(), "{gone_on:?}");
    assert_eq!(after, Some(i64::from(ROWS)));
}

#[test]
fn legacy_files_are_cleaned() {
    let desk = Desk::new();
    desk.file(
        "layout.toml",
        r#"
            keys = ["so"]
            field = [
                { id = "ho_ten", names = ["Họ và tên"], type = "name", required = true },
                { id = "so", names = ["Số định danh"], type = "id-number" },
                { id = "dia_chi", names = ["Địa chỉ"], type = "address" },
            ]
        "#,
    );
    let rows = "NGUYỄN THỊ  HƯỜNG,001180000011,\"P. Trúc Bạch, Q. Ba Đình, TP Hà Nội\"\nTrần Văn Bình,1080000012,\"phường Ba Đình, thành phố Hà Nội\"\n";
    desk.file("list.csv", format!("Họ và tên,Số định danh,Địa chỉ\n{rows}"));
    let clean = ["clean", "list.csv", "--layout", "layout.toml", "--out", "out"];
    let said = desk.well(&clean);
    assert!(said.starts_with("list.csv: 2 dòng, 1 dòng đạt"), "{said}");
    let good = desk.read("out/list.csv.clean.csv");
    assert!(
        good.contains("\n2,Nguyễn Thị Hường,001180000011,") && good.contains(",00004,certain"),
        "{good}"
    );
    let report = desk.read("out/list.csv.report.csv");
    assert!(
        report.contains("lost-zero") && !report.contains("1080000012"),
        "{report}"
    );
    let shown = desk.well(&[&clean[..], &["--show-values", "--en"]].concat());
    assert!(shown.starts_with("list.csv: 2 rows, 1 good"), "{shown}");
    assert!(
        desk.read("out/list.csv.report.csv").contains("001080000012"),
        "the proposal"
    );
    let strict = [&clean[..5], &["strict", "--strict"]].concat();
    assert!(desk.refused(&strict).contains("--strict") && !desk.path("strict/list.csv.clean.csv").exists());
    assert!(
        desk.refused(&[&clean[..], &["--resume"]].concat())
            .contains("nothing-to-resume")
    );
    desk.file("layout.toml", "[[field]]\nid = 'a'\ntype = 'shoe'");
    assert!(desk.refused(&clean).contains("bad-layout"));
}

#[test]
fn a_database_is_held_against_the_dictionary() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = folder.path().join("schema.sql");
    std::fs::write(
        &schema,
        "CREATE TABLE CONG_DAN (SO_CCCD VARCHAR2(12), HO_TEN NVARCHAR2(100), GHI_CHU CLOB);",
    )
    .expect("written");
    let dictionary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries/dictionary");
    let scan = |schema: &Path, dictionary: &Path| {
        let run = Command::new(env!("CARGO_BIN_EXE_motcua"))
            .args(["registry", "scan", "--json", "--dictionary"])
            .args([dictionary, schema])
            .output()
            .expect("run");
        (run.status.success(), String::from_utf8(run.stdout).expect("text"))
    };
    let (done, said) = scan(&schema, &dictionary);
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert!(done, "{said}");
    assert_eq!(
        (&said["percent"], &said["coverage"]["columns"]),
        (&66.7.into(), &3.into()),
        "{said}"
    );
    assert_eq!(said["matched"][0]["proposals"][0]["term"], "person.number");
    for (schema, dictionary, code) in [
        (folder.path().join("none.sql"), dictionary.as_path(), "unreadable"),
        (dictionary.join("person.toml"), dictionary.as_path(), "no-columns"),
        (schema, folder.path().join("none").as_path(), "missing-file"),
    ] {
        let (done, said) = scan(&schema, dictionary);
        assert!(!done && said.contains(code), "{said}");
    }
}

#[test]
fn a_country_is_the_same_for_the_same_seed() {
    let desk = Desk::new();
    let country = ["country", "--persons", "400", "--seed", "7", "--mess", "bad", "--out"];
    let said = desk.well(&[&country[..], &["one"]].concat());
    assert!(
        said.contains("people.csv: ") && said.contains("agency_b.csv: "),
        "{said}"
    );
    assert_eq!(said, desk.well(&[&country[..], &["two", "--threads", "1"]].concat()));
    for file in ["people.csv", "residences.csv", "agency_a.csv", "agency_b.csv"] {
        assert_eq!(
            desk.read(&format!("one/{file}")),
            desk.read(&format!("two/{file}")),
            "{file}"
        );
    }
    assert!(
        desk.refused(&["country", "--persons", "3", "--seed", "7", "--out", "x"])
            .contains("country-size")
    );
    let usage = desk.run(&[
        "country",
        "--persons",
        "400",
        "--seed",
        "7",
        "--out",
        "x",
        "--mess",
        "awful",
    ]);
    assert_eq!(usage.status.code(), Some(2));
}
