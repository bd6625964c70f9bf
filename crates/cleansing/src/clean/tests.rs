use std::{path::PathBuf, sync::LazyLock};

use jiff::civil::date;

use super::*;
use crate::encoding::Encoding;

const LAYOUT: &str = r#"
    keys = ["cccd"]
    [[field]]
    id = "ho_ten"
    names = ["Họ và tên", "Họ tên"]
    type = "name"
    required = true
    [[field]]
    id = "ngay_sinh"
    names = ["Ngày sinh", "Ngày, tháng, năm sinh"]
    type = "birthday"
    [[field]]
    id = "cccd"
    names = ["Số CCCD", "Số định danh"]
    type = "id-number"
    [[field]]
    id = "dien_thoai"
    names = ["Điện thoại"]
    type = "phone"
    [[field]]
    id = "dia_chi"
    names = ["Địa chỉ"]
    type = "address"
"#;

struct Run {
    folder: tempfile::TempDir,
    layout: Layout,
}

static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| {
    Gazetteer::from_csv(
        [
            include_str!("../../../../data/units/provinces.csv"),
            include_str!("../../../../data/units/districts-2024.csv"),
            include_str!("../../../../data/units/communes.csv"),
        ],
        include_str!("../../../../data/units/changes-2025.csv"),
    )
    .expect("units")
});

impl Run {
    fn new(layout: &str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            layout: Layout::from_toml(layout).expect("a layout"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, content: &[u8], strict: bool) -> Result<Summary> {
        std::fs::write(self.path("in"), content).expect("written");
        self.with(|options| Options { strict, ..options }, &mut |_| {})
    }

    fn with(&self, change: impl Fn(Options<'_>) -> Options<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Summary> {
        let (input, good, report) = (self.path("in"), self.path("good.csv"), self.path("report.csv"));
        let options = change(Options {
            input: &input,
            layout: &self.layout,
            good: &good,
            report: &report,
            strict: false,
            resume: false,
            show_values: true,
            today: date(2026, 11, 26),
            written: None,
            gazetteer: Some(&GAZETTEER),
            checkpoint_rows: 400,
            key_memory: 1 << 20,
        });
        clean(&options, progress)
    }

    fn good(&self) -> Vec<String> {
        lines(&self.path("good.csv"))
    }

    /// Line, column, field and code of each finding.
    fn findings(&self) -> Vec<String> {
        let mut reader = csv::Reader::from_path(self.path("report.csv")).expect("a report");
        let rows = reader.records().map(|r| r.expect("a row"));
        rows.map(|r| format!("{}:{} {} {}", &r[0], &r[1], &r[2], &r[4]))
            .collect()
    }
}

fn lines(path: &std::path::Path) -> Vec<String> {
    std::fs::read_to_string(path)
        .expect("a file")
        .lines()
        .map(str::to_owned)
        .collect()
}

const MESS: &str = "\u{feff}ỦY BAN NHÂN DÂN XÃ;;;;\r\nDANH SÁCH NHÂN KHẨU;;;;\r\n\r\n\
    Họ và tên;Ngày sinh;Giấy tờ;Điện thoại;Địa chỉ\r\n;;Số CCCD;;\r\n(1);(2);(3);(4);(5)\r\n\
    NGUYỄN VĂN AN;05/03/1980;037080001234;0912 345 678;P. Trúc Bạch, Q. Ba Đình, Hà Nội\r\n\
    Trần Thị Bưởi;30/02/1985;037185001235;912345679;P. Dịch Vọng, Q. Cầu Giấy, Hà Nội\r\n\
    Lê Văn Cam;01/01/1975;37075001236;01681234567;\r\n\
    Họ và tên;Ngày sinh;Số CCCD;Điện thoại;Địa chỉ\r\n\
    ;12/12/1990;037090001237;;\r\n\
    x;Phạm Thị Đào;12/12/1990;037190001238;0912345670\r\n\
    Vũ Văn Giang;25/12/1991;037091001239;0912345671;;thừa\r\n\
    Đỗ Thị Hoà;26/12/1991\r\n\
    Nguyễn Văn An;05/03/1980;037080001234;;P. Dịch Vọng, Q. Cầu Giấy, Hà Nội\r\n";

#[test]
fn a_messy_file_gives_good_rows_and_a_report() {
    let run = Run::new(LAYOUT);
    let summary = run.run(MESS.as_bytes(), false).expect("readable");
    assert_eq!(
        run.good(),
        [
            "source_line,ho_ten,ngay_sinh,cccd,dien_thoai,dia_chi,dia_chi_unit,dia_chi_certainty",
            "7,Nguyễn Văn An,1980-03-05,037080001234,+84912345678,\"P. Trúc Bạch, Q. Ba Đình, Hà Nội\",00004,certain",
            "14,Đỗ Thị Hòa,1991-12-26,,,,,",
            "15,Nguyễn Văn An,1980-03-05,037080001234,,\"P. Dịch Vọng, Q. Cầu Giấy, Hà Nội\",,choose",
        ]
    );
    assert_eq!(
        run.findings(),
        [
            "6:  column-numbers",
            "8:2 ngay_sinh no-such-day",
            "8:4 dien_thoai lost-zero",
            "8:5 dia_chi commune-split",
            "9:2 ngay_sinh default-birthday",
            "9:3 cccd lost-zero",
            "10:  repeated-header",
            "11:1 ho_ten required",
            "12:1 ho_ten one-word-name",
            "12:2 ngay_sinh not-a-date",
            "12:3 cccd not-an-id-number",
            "12:4 dien_thoai not-a-phone-number",
            "12:5 dia_chi no-commune",
            "12:  columns-shifted",
            "13:  ragged-row",
            "14:  short-row",
            "15:5 dia_chi commune-split",
            "15: cccd duplicate-key",
        ]
    );
    assert_eq!(
        (
            summary.rows,
            summary.good,
            summary.bad,
            summary.doubtful,
            summary.duplicates
        ),
        (8, 3, 5, 2, 1)
    );
    assert!(summary.accepted && summary.encoding_sure);
    let report = std::fs::read_to_string(run.path("report.csv")).expect("a report");
    assert!(
        report.contains("37075001236,037075001236") && report.contains("00166 phường Cầu Giấy | 00160 phường Nghĩa Đô")
    );
}

#[test]
fn strict_refuses_the_whole_file() {
    let run = Run::new(LAYOUT);
    assert!(!run.run(MESS.as_bytes(), true).expect("readable").accepted);
    let mut left: Vec<_> = std::fs::read_dir(run.folder.path())
        .expect("a folder")
        .flatten()
        .map(|e| e.file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["in", "report.csv"]);
    let good = "Họ tên;Số định danh\nNguyễn Văn An;037080001234\n";
    assert!(run.run(good.as_bytes(), true).expect("readable").accepted);
    let double = format!("{good}Nguyễn Văn Bê;037080001234\n");
    assert!(
        !run.run(double.as_bytes(), true).expect("readable").accepted,
        "two rows with one key"
    );
}

#[test]
fn values_stay_out_of_a_report_unless_asked_for() {
    let run = Run::new(LAYOUT);
    std::fs::write(run.path("in"), MESS).expect("written");
    run.with(
        |o| Options {
            show_values: false,
            ..o
        },
        &mut |_| {},
    )
    .expect("readable");
    let report = std::fs::read_to_string(run.path("report.csv")).expect("a report");
    for secret in ["37075001236", "912345679", "Dịch Vọng", "Đào"] {
        assert!(!report.contains(secret), "{secret}");
    }
}

#[cfg(unix)]
#[test]
fn results_are_for_their_owner_and_no_formula_runs_in_a_report() {
    use std::os::unix::fs::PermissionsExt as _;
    let run = Run::new(LAYOUT);
    let text = "Họ tên;Điện thoại\n=cmd|' /C calc'!A0;0912345678\nNguyễn Văn An;912345678\n";
    run.run(text.as_bytes(), false).expect("readable");
    let report = std::fs::read_to_string(run.path("report.csv")).expect("a report");
    assert!(report.contains(",'=cmd") && report.contains(",'+84912345678") && !report.contains(",=cmd"));
    for name in ["good.csv", "report.csv"] {
        let mode = std::fs::metadata(run.path(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[test]
fn one_file_in_many_encodings_is_reported_by_line() {
    let run = Run::new(LAYOUT);
    let mut bytes = "Họ tên;Số định danh\nNguyễn Thị Ánh;037180001230\n".as_bytes().to_vec();
    bytes.extend(Encoding::Tcvn3.encode("trần thị bưởi;037180001231\n").expect("coded"));
    bytes.extend(Encoding::Vni.encode("Đặng Thị Hương;037180001232\n").expect("coded"));
    bytes.extend("NguyÔn ThÞ Lan;037180001233\n".bytes());
    run.run(&bytes, false).expect("readable");
    assert_eq!(
        run.good()[1..],
        [
            "2,Nguyễn Thị Ánh,,037180001230,,,,",
            "3,Trần Thị Bưởi,,037180001231,,,,",
            "4,Đặng Thị Hương,,037180001232,,,,",
            "5,Nguyễn Thị Lan,,037180001233,,,,"
        ]
    );
    let differs: Vec<String> = run.findings().into_iter().filter(|f| f.contains("encoding")).collect();
    assert_eq!(
        differs,
        [
            "1:  encoding-unsure",
            "3:1 ho_ten encoding-differs",
            "4:1 ho_ten encoding-differs",
            "5:1 ho_ten encoding-differs"
        ]
    );
    for encoding in [
        Encoding::Tcvn3,
        Encoding::Vni,
        Encoding::Windows1258,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
    ] {
        let text = "họ tên\tsố định danh\nnguyễn thị bưởi\t037180001230\nđặng thị hương\t037180001231\n";
        let mut bytes = if encoding.is_ascii_based() {
            Vec::new()
        } else {
            encoding.encode("\u{feff}").expect("coded")
        };
        bytes.extend(encoding.encode(text).expect("coded"));
        let summary = run.run(&bytes, false).expect("readable");
        assert_eq!((summary.encoding.as_str(), summary.good), (encoding.name(), 2));
        assert_eq!(
            run.good()[2],
            "3,Đặng Thị Hương,,037180001231,,,,",
            "{}",
            encoding.name()
        );
    }
}

#[test]
fn a_workbook_is_cleaned_like_any_file() {
    let run = Run::new(LAYOUT);
    let cell = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let sheet = format!(
        "<worksheet><sheetData><row>{}{}{}</row><row>{}<c s=\"1\"><v>29285</v></c><c><v>37080001234</v></c></row></sheetData></worksheet>",
        cell("Họ tên"),
        cell("Ngày sinh"),
        cell("Số CCCD"),
        cell("NguyÔn V¨n An"),
    );
    let bytes = crate::read::workbook_for_tests(&sheet);
    run.run(&bytes, false).expect("readable");
    assert_eq!(
        run.findings()[2..],
        ["2:1 ho_ten encoding-differs", "2:3 cccd lost-zero"]
    );
    let accepting = LAYOUT.replace("type = \"id-number\"", "type = \"id-number\"\n accept = ['lost-zero']");
    let run = Run::new(&accepting);
    run.run(&bytes, false).expect("readable");
    assert_eq!(run.good()[1], "2,Nguyễn Văn An,1980-03-05,037080001234,,,,");
}

#[test]
fn a_run_that_broke_off_goes_on() {
    let layout = "keys = ['cccd']\n[[field]]\nid = 'ho_ten'\ntype = 'name'\n[[field]]\nid = 'cccd'\ntype = 'id-number'";
    let run = Run::new(layout);
    let mut text = String::from("ho_ten,cccd\n");
    for n in 0..700 {
        text.push_str(&format!("Nguyễn Văn An,0370800{:05}\n", n % 690));
    }
    let whole = run.run(text.as_bytes(), false).expect("readable");
    let (good, report) = (run.good(), lines(&run.path("report.csv")));
    // Broken off after the checkpoint: what was written after it is there, and more.
    let copy = |name: &str| std::fs::copy(run.path(name), run.path(&format!("{name}.saved"))).map(|_| ());
    let saved = std::cell::Cell::new(false);
    run.with(|o| o, &mut |_| {
        if !saved.replace(true) {
            for name in ["good.csv.part", "report.csv.part", "good.csv.keys", "good.csv.progress"] {
                copy(name).expect("copied");
            }
        }
    })
    .expect("readable");
    for name in ["good.csv.part", "report.csv.part", "good.csv.keys", "good.csv.progress"] {
        std::fs::rename(run.path(&format!("{name}.saved")), run.path(name)).expect("renamed");
    }
    let mut torn = std::fs::OpenOptions::new()
        .append(true)
        .open(run.path("good.csv.part"))
        .expect("a file");
    std::io::Write::write_all(&mut torn, b"999,half a ro").expect("written");
    std::fs::remove_file(run.path("good.csv")).expect("removed");
    let again = run
        .with(|o| Options { resume: true, ..o }, &mut |_| {})
        .expect("resumed");
    assert_eq!(again, whole);
    assert_eq!((run.good(), lines(&run.path("report.csv"))), (good, report));
    assert_eq!(whole.duplicates, 10);
    let refused = run
        .with(|o| Options { resume: true, ..o }, &mut |_| {})
        .expect_err("it is done");
    assert!(refused.to_string().contains("no run"));
}

#[test]
fn files_without_what_is_needed_are_refused_whole() {
    let run = Run::new(LAYOUT);
    let code = |bytes: &[u8]| {
        let refused = run.run(bytes, false).expect_err("refused");
        let codes: Vec<String> = refused
            .problems()
            .into_iter()
            .flatten()
            .map(|p| p.code.clone())
            .collect();
        codes.join(",")
    };
    assert_eq!(code(b""), "no-header");
    assert_eq!(code(b"a;b\n1;2\n"), "no-header");
    assert_eq!(code("Ngày sinh;CCCD\n1;2\n".as_bytes()), "missing-columns");
    assert_eq!(code(b"PK\x03\x04"), "damaged-workbook");
    let missing = run
        .with(
            |o| Options {
                input: std::path::Path::new("/none"),
                ..o
            },
            &mut |_| {},
        )
        .expect_err("refused");
    assert!(missing.to_string().contains("cannot be read"));
    let no_units = run
        .with(|o| Options { gazetteer: None, ..o }, &mut |_| {})
        .expect_err("refused");
    assert!(no_units.to_string().contains("no units"));
}

#[test]
fn four_hundred_columns_are_a_file_like_any_other() {
    let mut layout = String::new();
    for n in 0..400 {
        layout.push_str(&format!("[[field]]\nid = 'f{n}'\ntype = 'number'\n"));
    }
    let run = Run::new(&layout);
    let row = |f: &dyn Fn(usize) -> String| (0..400).map(f).collect::<Vec<_>>().join(";");
    let text = format!(
        "{}\n{}\n{}\n",
        row(&|n| format!("F{n}")),
        row(&|n| format!("{n},5")),
        row(&|n| if n == 399 { "x".to_owned() } else { n.to_string() })
    );
    let summary = run.run(text.as_bytes(), false).expect("readable");
    assert_eq!((summary.good, summary.bad), (1, 1));
    assert_eq!(run.findings(), ["3:400 f399 not-a-number"]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]
    #[test]
    fn any_file_is_survived(
        head in "(Họ tên;Số CCCD;Ngày sinh;Địa chỉ\n)?",
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        text in "([0-9/]{0,10}|[a-zà-ỹ ]{0,12}|\"|;|\n){0,40}",
    ) {
        let run = Run::new(LAYOUT);
        let _ = run.run(&[head.as_bytes(), text.as_bytes(), &bytes].concat(), false);
        let _ = run.run(&bytes, true);
    }
}
