//! Import, search, pages and API, on every database engine present.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use ::store::{Read, Store, params, testkit};
use ::view::{Page, Site};
use askama::Template as _;
use base::{Lang, Timestamp, time::FixedClock};
use jiff::civil::{Date, date};

use super::{
    import::{self, Options, Report},
    model::{Code, State},
    oddity::Kind,
    pages::{self, Asked},
    search::{Index, Query, Reading},
    service::Catalogue,
    store as tables,
};
use crate::{
    package::CheckOptions,
    reference::{Published, Source},
    shelf::{self, Shelf},
};

const DAY: Date = date(2026, 7, 20);

fn clock(day: Date) -> FixedClock {
    FixedClock::at(Timestamp::from_legal(day.at(9, 0, 0, 0)))
}

fn options(day: Date) -> Options {
    Options::today(&clock(day))
}

async fn load(store: &Store, files: &[PathBuf], day: Date) -> Report {
    import::import(store, &clock(day), files, &options(day), &mut |_| {})
        .await
        .expect("the database works")
}

fn published() -> Published {
    Published::from_source(&Source::embedded()).expect("the reference data are sound")
}

async fn load_own(store: &Store, day: Date) -> Report {
    import::import_reference(store, &clock(day), &published(), &options(day), &mut |_| {})
        .await
        .expect("the database works")
}

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

fn write(dir: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::File::create(&path)
        .and_then(|mut f| f.write_all(content))
        .expect("a temporary file");
    path
}

fn kinds(report: &Report, file: &str, line: u64) -> Vec<Kind> {
    report
        .findings
        .iter()
        .filter(|f| f.file == file && f.line == line)
        .map(|f| f.oddity.kind)
        .collect()
}

async fn stores() -> Vec<Store> {
    testkit::stores(&[super::MIGRATIONS, shelf::MIGRATIONS]).await
}

const HEADER: &str = "code,name,fields,executing_agencies,promulgating_agency,audiences,type,state\n";

#[tokio::test]
async fn every_oddity_of_the_list_is_told_at_its_line_and_good_rows_stay() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut csv = HEADER.as_bytes().to_vec();
    let rows: [&[u8]; 15] = [
        " 1.000001,Mã có khoảng trắng,Hộ tịch,,Bộ Tư pháp,Công dân Việt Nam,STANDARD,ACTIVE".as_bytes(), // 2
        "1.000001,Thủ tục khác,Hộ tịch,Sở Tư pháp,Bộ Tư pháp,Công dân Việt Nam,STANDARD,ACTIVE".as_bytes(), // 3
        "1.000002,TÊN VIẾT HOA TOÀN BỘ.,Hộ tịch,|A||A,,nhóm 1,SPECIFIC,GONE".as_bytes(),                 // 4
        "1.000003-Xoa,Đã xóa,,B,Bộ xây dựng (Giao thông vận tải cũ),Doanh nghiệp,STANDARD,ACTIVE".as_bytes(), // 5
        "1.0000045,Mã lạ,X,B,UBND tỉnh Gia Lai,Doanh nghiệp,STANDARD,ACTIVE".as_bytes(),                 // 6
        "2.000656.000.00.00.H29,Biến thể,X,B,Bộ A,Doanh nghiệp,NEW,ACTIVE".as_bytes(),                   // 7
        ",Không mã,X,B,Bộ A,Doanh nghiệp,STANDARD,ACTIVE".as_bytes(),                                    // 8
        "1.000005,,X,B,Bộ A,Doanh nghiệp,STANDARD,ACTIVE".as_bytes(),                                    // 9
        "1.000006,Thiếu cột,X".as_bytes(),                                                               // 10
        b"1.000007,\xff\xfe not text,X,B,C,D,STANDARD,ACTIVE",                                           // 11
        "1.000008,Tho\u{309}a thua\u{323}\u{302}n\u{200b},X,B,Bộ A,Doanh nghiệp,STANDARD,ACTIVE".as_bytes(), // 12
        "1.000009,Thá»§ tá»¥c,X,B,Bộ A,Doanh nghiệp,STANDARD,ACTIVE".as_bytes(),                         // 13
        "../../etc/passwd,Mã hiểm,X,B,Bộ A,Doanh nghiệp,STANDARD,ACTIVE".as_bytes(),                     // 14
        "1.000010,\"Mở ngoặc không đóng,X,B,Bộ A,Doanh nghiệp,STANDARD,ACTIVE".as_bytes(),               // 15
        "1.000011,Dòng cuối,X,Ủy ban nhân dân cấp xã,Bộ A,Doanh nghiệp,STANDARD,ACTIVE".as_bytes(),      // 16
    ];
    for row in rows {
        csv.extend_from_slice(row);
        csv.push(b'\n');
    }
    csv.extend_from_slice(&vec![b'x'; 3 << 20]); // 17
    csv.extend_from_slice("\n1.000012,Sau dòng dài,X,B,Bộ A,Doanh nghiệp,STANDARD,ACTIVE\n".as_bytes()); // 18
    let file = write(dir.path(), "list.csv", &csv);
    for store in stores().await {
        let report = load(&store, std::slice::from_ref(&file), DAY).await;
        let has = |line: u64, kind: Kind| {
            let found = kinds(&report, "list.csv", line);
            assert!(found.contains(&kind), "line {line}: {kind:?} not among {found:?}");
        };
        // The row whose code had a stray space yields to the tidy one of the same code.
        has(2, Kind::CodeSpaces);
        has(2, Kind::CodeDuplicate);
        has(2, Kind::ExecutingBlank);
        has(4, Kind::NameCapitals);
        has(4, Kind::NameUnfinished);
        has(4, Kind::ListBlankItem);
        has(4, Kind::ListRepeatedItem);
        has(4, Kind::PromulgatingBlank);
        has(4, Kind::AudienceUnknown);
        has(4, Kind::StateUnknown);
        has(5, Kind::CodeMarkedDeleted);
        has(5, Kind::FieldBlank);
        has(5, Kind::AgencyFormer);
        has(5, Kind::AgencySpelling);
        has(6, Kind::CodeNonstandard);
        has(6, Kind::SortContradicts);
        has(7, Kind::CodeProvince);
        has(7, Kind::SortUnknown);
        has(8, Kind::CodeBlank);
        has(9, Kind::NameBlank);
        has(10, Kind::RowColumns);
        has(11, Kind::NotUtf8);
        has(12, Kind::NotNfc);
        has(12, Kind::HiddenCharacter);
        has(13, Kind::Mojibake);
        has(14, Kind::CodeUnusable);
        has(15, Kind::RowMalformed);
        has(17, Kind::LineTooLong);
        assert_eq!(report.counts.added, 9, "{}", report.text(Lang::En, 50));
        assert_eq!(report.counts.refused, 8, "{}", report.text(Lang::En, 50));
        let kept = tables::on(&store, &code("1.000001"), DAY)
            .await
            .expect("readable")
            .expect("taken");
        assert_eq!(kept.name.vi, "Thủ tục khác");
        let composed = tables::on(&store, &code("1.000008"), DAY)
            .await
            .expect("readable")
            .expect("taken");
        assert_eq!(composed.name.vi, "Thỏa thuận");
        assert!(
            tables::on(&store, &code("1.000012"), DAY)
                .await
                .expect("readable")
                .is_some()
        );
        // Both languages, and no terminal control characters.
        for lang in [Lang::Vi, Lang::En] {
            let text = report.text(lang, 3);
            assert!(
                text.contains("list.csv:11") && !text.chars().any(|c| c.is_control() && c != '\n'),
                "{text}"
            );
        }
        let again = load(&store, std::slice::from_ref(&file), date(2026, 8, 1)).await;
        assert_eq!(
            (again.counts.added, again.counts.changed, again.counts.unchanged),
            (0, 0, 9)
        );
    }
}

#[tokio::test]
async fn nothing_is_lost_without_being_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let row = |code: &str, name: &str| format!("{code},{name},X,B,Bộ A,Doanh nghiệp,STANDARD,ACTIVE\n");
    let first = [
        row(" 1.000001", "Một"),
        row("1.000002", "Hai"),
        row("1.000002", "Hai"),
        row("1.000003 ", "Ba"),
    ];
    let second = [row("1.000002", "Hai bản sau"), row("1.000003", "Ba")];
    let first = write(
        dir.path(),
        "first.csv",
        format!("{HEADER}{}", first.concat()).as_bytes(),
    );
    let second = write(
        dir.path(),
        "second.csv",
        format!("{HEADER}{}", second.concat()).as_bytes(),
    );
    let store = stores().await.remove(0);
    let report = load(&store, &[first, second], DAY).await;
    // Every row is counted once: as read, or as refused.
    assert_eq!(
        (report.counts.read, report.counts.refused, report.counts.added),
        (6, 0, 3)
    );
    assert!(kinds(&report, "first.csv", 4).contains(&Kind::RowRepeated));
    assert!(kinds(&report, "second.csv", 2).contains(&Kind::RowReplaced));
    assert!(
        !kinds(&report, "second.csv", 3).contains(&Kind::RowReplaced),
        "the same content"
    );
    let kept = tables::on(&store, &code("1.000002"), DAY)
        .await
        .expect("readable")
        .expect("taken");
    assert_eq!(kept.name.vi, "Hai bản sau");
    assert!(
        tables::on(&store, &code("1.000001"), DAY)
            .await
            .expect("readable")
            .is_some(),
        "untidy, but the only one"
    );
    // What a short text leaves out, it says.
    let odd = report.by_kind["code-spaces"];
    assert_eq!(odd, 2);
    assert!(
        report.text(Lang::En, 1).contains("… and 1 more"),
        "{}",
        report.text(Lang::En, 1)
    );
}

#[tokio::test]
async fn files_that_are_not_what_they_say_are_refused_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let deep = format!(
        "{{\"code\":\"1.000001\",\"name\":\"x\",\"results\":{}1{}}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let cases: [(&str, Vec<u8>, Kind); 9] = [
        ("empty.csv", vec![], Kind::FileColumns),
        ("columns.csv", b"ma;ten\n1;2\n".to_vec(), Kind::FileColumns),
        ("utf16.csv", b"\xff\xfec\0o\0d\0e\0".to_vec(), Kind::NotUtf8),
        ("cut.json", br#"{"code": "1.000001", "na"#.to_vec(), Kind::RowMalformed),
        ("number.json", b"42".to_vec(), Kind::RowMalformed),
        ("deep.jsonl", deep.into_bytes(), Kind::RowMalformed),
        ("line.jsonl", vec![b'['; 2 << 20], Kind::LineTooLong),
        ("picture.png", b"\x89PNG".to_vec(), Kind::FileFormat),
        ("nul.jsonl", b"\0\0\0\0".to_vec(), Kind::RowMalformed),
    ];
    let store = stores().await.remove(0);
    for (name, content, kind) in cases {
        let file = write(dir.path(), name, &content);
        let report = load(&store, &[file], DAY).await;
        assert!(
            report.findings.iter().any(|f| f.oddity.kind == kind),
            "{name}: {:?}",
            report.findings
        );
        assert!(report.counts.added == 0 && report.counts.refused > 0, "{name}");
    }
    let report = load(&store, &[dir.path().join("missing.csv"), dir.path().to_path_buf()], DAY).await;
    assert_eq!(report.counts.refused, 2);
    let marked = write(
        dir.path(),
        "bom.csv",
        format!("\u{feff}{HEADER}1.000001,Tên,X,B,C,D,STANDARD,ACTIVE\r\n").as_bytes(),
    );
    let report = load(&store, &[marked], DAY).await;
    assert_eq!(report.counts.added, 1);
    assert!(kinds(&report, "bom.csv", 1).contains(&Kind::Bom));
}

const FACTS: &str = r#"{"code":"1.000001","name":"Thủ tục A","field":{"code":"G15-TP07","name":"Hộ tịch"},"promulgating_agency":"Bộ Tư pháp","executing_agency":null,"audiences":["Công dân Việt Nam"],"results":[],"channels":[{"method":"ONLINE","fees":[{"type":"FEE","value_vnd":45,"text":""},{"type":"FEE","value_vnd":0,"text":"Do Hội đồng nhân dân tỉnh quy định"},{"type":"FEE","value_vnd":8000,"text":"5.000 đồng"},{"type":"FEE","value_vnd":null,"text":""}],"processing":{"qty":20,"unit":"DAY"},"note":"03 ngày làm việc"},{"method":"FAX","fees":[],"processing":{"qty":0,"unit":"OTHER"},"note":""},{"method":"DIRECT","fees":[],"processing":{"qty":"Theo mô tả","unit":"OTHER"},"note":""}],"cases":[{"case_code":"1.000001.01","qty":7.5,"unit":"WORKING_DAY"}],"legal_basis":["60/2014/QH13","12/2020/NĐ-C"]}"#;

#[tokio::test]
async fn details_are_not_lost_by_a_shorter_source_and_changes_are_versions() {
    let dir = tempfile::tempdir().expect("a folder");
    let list = |name: &str| {
        format!(
            "{HEADER}1.000001,{name},Hộ tịch,Sở Tư pháp|Ủy ban nhân dân cấp xã,Bộ Tư pháp,Công dân Việt Nam,STANDARD,ACTIVE\n"
        )
    };
    let csv = write(dir.path(), "list.csv", list("Thủ tục A").as_bytes());
    let facts = write(dir.path(), "facts.jsonl", FACTS.as_bytes());
    for store in stores().await {
        let report = load(&store, &[csv.clone(), facts.clone()], DAY).await;
        assert_eq!((report.counts.added, report.counts.changed), (1, 0));
        let found = kinds(&report, "facts.jsonl", 1);
        for kind in [
            Kind::ExecutingBlank,
            Kind::ResultsBlank,
            Kind::FeeScale,
            Kind::FeeZeroByProvince,
            Kind::FeeContradicts,
            Kind::FeeBlank,
            Kind::TimeContradicts,
            Kind::MethodUnknown,
            Kind::QtyText,
            Kind::UnitOther,
            Kind::QtyFraction,
            Kind::CaseContradicts,
            Kind::BasisMalformed,
        ] {
            assert!(found.contains(&kind), "{kind:?} not among {found:?}");
        }
        let entry = tables::on(&store, &code("1.000001"), DAY)
            .await
            .expect("readable")
            .expect("taken");
        assert_eq!(entry.executing.len(), 2, "the list names both agencies");
        assert_eq!(entry.channels.len(), 2);
        assert_eq!(entry.fields.len(), 1);
        assert_eq!(entry.fields[0].code, "G15-TP07");
        // Neither file alone takes away what the other gave.
        for file in [&csv, &facts] {
            let again = load(&store, std::slice::from_ref(file), date(2026, 7, 25)).await;
            assert_eq!(again.counts.unchanged, 1);
        }
        // A changed name is a new version from the day of the import; the old one stays.
        let renamed = write(dir.path(), "list2.csv", list("Thủ tục A (mới)").as_bytes());
        let changed = load(&store, &[renamed], date(2026, 9, 1)).await;
        assert_eq!(changed.counts.changed, 1);
        let name = async |day| {
            tables::on(&store, &code("1.000001"), day)
                .await
                .expect("readable")
                .map(|e| (e.name.vi, e.valid_to))
        };
        assert_eq!(name(date(2026, 7, 1)).await, None);
        assert_eq!(
            name(date(2026, 8, 31)).await.map(|n| n.1),
            Some(Some(date(2026, 8, 31)))
        );
        let entry = tables::on(&store, &code("1.000001"), date(2026, 9, 1))
            .await
            .expect("readable")
            .expect("taken");
        assert_eq!((entry.channels.len(), entry.valid_to), (2, None));
        // A correction on the same day is a revision, not an overwriting.
        let again = write(dir.path(), "list3.csv", list("Thủ tục A (đính chính)").as_bytes());
        load(&store, &[again], date(2026, 9, 1)).await;
        let rows = store
            .read()
            .scalar::<i64>("SELECT COUNT(*) FROM procedure_version", params![])
            .await;
        assert_eq!(rows.expect("readable"), Some(3));
        let versions = tables::history(&store, &code("1.000001")).await.expect("readable");
        assert_eq!(
            versions
                .iter()
                .map(|v| (v.valid_from, v.valid_to, v.revision))
                .collect::<Vec<_>>(),
            vec![(date(2026, 9, 1), None, 2), (DAY, Some(date(2026, 8, 31)), 1),]
        );
        assert_eq!(tables::imports(&store, 10).await.expect("readable").len(), 5);
    }
}

async fn own_catalogue(store: Store) -> Catalogue {
    load_own(&store, DAY).await;
    let events = published().life_events;
    let shelf = Shelf::open(store.clone()).await.expect("the shelf opens");
    Catalogue::open(store, shelf, events, DAY)
        .await
        .expect("the catalogue opens")
}

#[tokio::test]
async fn the_reference_data_load_and_are_found() {
    for store in stores().await {
        let report = load_own(&store, DAY).await;
        assert!(report.is_clean(), "{}", report.text(Lang::En, 5));
        assert!(report.counts.added >= 80, "{:?}", report.counts);
        assert!(
            !report.findings.iter().any(|f| f.oddity.kind == Kind::ColumnUnknown),
            "{:?}",
            report.findings
        );
        let catalogue = own_catalogue(store).await;
        let first = |text: &str| {
            let query = Query {
                text: text.to_owned(),
                ..Query::default()
            };
            catalogue
                .search(&query, |r| r.hits.first().map(|s| s.code.to_string()))
                .expect("searchable")
        };
        for (asked, found) in [
            ("1.001193", "1.001193"),
            ("1.001193.02", "1.001193"),
            ("dang ky khai sinh", "1.001193"),
            ("Đăng ký khai sinh", "1.001193"),
            ("khai sinh", "1.001193"),
            ("làm giấy khai sinh", "1.001193"),
            ("lam giay khai sinh cho con", "1.001193"),
            ("tình trạng hôn nhân", "1.004873"),
            ("tach ho", "1.010038"),
            ("dang ky khai sin", "1.001193"),
        ] {
            assert_eq!(first(asked).as_deref(), Some(found), "{asked}");
        }
        let entry = catalogue
            .find(&code("2.000986"), DAY)
            .await
            .expect("readable")
            .expect("known");
        assert_eq!(entry.standing(DAY), State::Replaced);
        assert_eq!(entry.successors, vec![code("3.000722")]);
        let new = catalogue
            .find(&code("3.000722"), DAY)
            .await
            .expect("readable")
            .expect("known");
        assert_eq!(new.standing(DAY), State::NamedOnly);
        assert!(new.predecessors.contains(&code("2.000986")));
        assert!(
            !catalogue.refresh(DAY).await.expect("readable"),
            "nothing was imported since"
        );
        assert!(
            catalogue.refresh(date(2026, 7, 21)).await.expect("readable"),
            "a new day"
        );
    }
}

#[tokio::test]
async fn slips_are_forgiven_and_nobody_is_left_with_nothing() {
    let catalogue = own_catalogue(stores().await.remove(0)).await;
    let now = catalogue.now();
    let search = |text: &str| {
        now.index
            .search(&Query {
                text: text.to_owned(),
                ..Query::default()
            })
            .expect("searchable")
    };
    let forgiven = search("hon nhaan");
    assert_eq!((forgiven.reading, forgiven.total > 0), (Reading::Forgiven, true));
    // A word of fewer than five letters is not guessed at, but asked about, spelled as a name spells it.
    let slip = search("hon nhxn");
    assert_eq!((slip.total, slip.did_you_mean.as_deref()), (0, Some("hôn nhân")));
    let part = search("hon zzzzzz");
    assert!(part.total == 0 && !part.nearest.is_empty());
    let loose = search("tôi muốn xin tách hộ");
    assert_eq!(
        (loose.reading, loose.hits.first().map(|s| s.code.as_str())),
        (Reading::Loosened, Some("1.010038"))
    );
    let nothing = search("zzzzzz");
    assert!(nothing.total == 0 && nothing.did_you_mean.is_none() && nothing.nearest.is_empty());
    for hostile in [
        "",
        "   ",
        "%",
        "'; DROP TABLE",
        "\u{0}\u{301}\u{301}",
        &"a ".repeat(5000),
        &"đ".repeat(100_000),
        "1.",
        "9.9",
    ] {
        let _ = search(hostile);
    }
    let bad = Query {
        after: Some("-1".to_owned()),
        ..Query::default()
    };
    assert!(now.index.search(&bad).is_err());
}

#[tokio::test]
async fn filters_and_pages_agree_with_the_facets() {
    let catalogue = own_catalogue(stores().await.remove(0)).await;
    let now = catalogue.now();
    let index: &Index = &now.index;
    let all = index
        .search(&Query {
            limit: 100,
            ..Query::default()
        })
        .expect("searchable");
    assert_eq!(all.total, index.len());
    for facet in &all.facets.fields {
        let query = Query {
            field: Some(facet.id.clone()),
            ..Query::default()
        };
        assert_eq!(
            index.search(&query).expect("searchable").total,
            facet.count,
            "{}",
            facet.id
        );
    }
    for facet in &all.facets.life_events {
        let query = Query {
            life_event: Some(facet.id.clone()),
            ..Query::default()
        };
        assert_eq!(
            index.search(&query).expect("searchable").total,
            facet.count,
            "{}",
            facet.id
        );
    }
    let civil = published().procedures.iter().filter(|p| p.field == "G15-TP07").count();
    let by_code = Query {
        field: Some("g15-tp07".to_owned()),
        ..Query::default()
    };
    // The packages of this field that are not among the published eighty (there are none in this test) would add to it.
    let listed = index.search(&by_code).expect("searchable").total;
    assert!(listed >= civil, "{listed} of {civil}");
    assert_eq!(
        index
            .search(&Query {
                field: Some("khong-co".into()),
                ..Query::default()
            })
            .expect("ok")
            .total,
        0
    );
    assert_eq!(
        index
            .search(&Query {
                online: true,
                ..Query::default()
            })
            .expect("ok")
            .total,
        0
    );
    let mut seen = std::collections::BTreeSet::new();
    let mut query = Query {
        limit: 7,
        ..Query::default()
    };
    loop {
        let page = index.search(&query).expect("searchable");
        for hit in &page.hits {
            assert!(seen.insert(hit.code.clone()), "{} twice", hit.code);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), index.len());
}

fn page(lang: Lang) -> Page {
    Page::new(lang, Arc::new(Site::default()), "", "/services")
}

#[tokio::test]
async fn every_page_speaks_both_languages_and_escapes_what_was_published() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = stores().await.remove(0);
    let hostile = r#"{"code":"1.999999","name":"<script>alert(1)</script> khai sinh","field":{"code":"","name":"\"><img src=x>"},"promulgating_agency":"<b>","executing_agency":"</dd>","audiences":["<i>"],"results":["<u>"],"requirements":"- <s>\n&amp;","channels":[{"method":"ONLINE","fees":[{"type":"FEE","value_vnd":0,"text":"<fee>"}],"processing":{"qty":"<qty>","unit":"OTHER"},"note":"<note>"}],"cases":[{"case_code":"<case>","qty":1,"unit":"DAY"}],"legal_basis":[{"code":"<law>","name":"<title>"}],"steps_raw":[{"name":"<step>","text":"<p>"}],"checklist_raw":[{"group":"<group>","items":[{"name":"<paper>","original_qty":1,"copy_qty":1,"code":"<c>"}]}]}"#;
    let file = write(dir.path(), "hostile.json", hostile.as_bytes());
    load(&store, &[file], DAY).await;
    let catalogue = own_catalogue(store).await;
    for lang in [Lang::Vi, Lang::En] {
        let asked = |q: &str| Asked {
            q: q.to_owned(),
            ..Asked::default()
        };
        let mut html = Vec::new();
        for question in [
            Asked::default(),
            asked("khai sinh"),
            asked("hon nhaan"),
            asked("zzzzzz"),
            Asked {
                audience: "citizen".into(),
                field: "ho-tich".into(),
                online: "1".into(),
                ..asked("<\"'>")
            },
            Asked {
                all: "1".into(),
                after: "20".into(),
                ..Asked::default()
            },
            Asked {
                level: "nonsense".into(),
                after: "x".into(),
                ..Asked::default()
            },
        ] {
            let view = pages::services_page(&catalogue, page(lang), question).expect("a page");
            html.push(view.render().expect("renders"));
        }
        let view = pages::life_event_page(&catalogue, page(lang), "co-con-nho", Asked::default()).expect("a page");
        html.push(view.render().expect("renders"));
        for (code, on) in [
            ("1.001193", None),
            ("1.999999", None),
            ("2.000986", None),
            ("3.000722", None),
            ("1.001193", Some("2026-07-19")),
            ("1.001193", Some("not a day")),
        ] {
            let view = pages::procedure_page(&catalogue, page(lang), code, DAY, on)
                .await
                .expect("a page");
            html.push(view.render().expect("renders"));
        }
        for text in html {
            for bad in [
                "<script>alert",
                "<img src=x",
                "</dd></dd>",
                "<qty>",
                "<note>",
                "<fee>",
                "<paper>",
                "style=",
            ] {
                assert!(!text.contains(bad), "{bad} in {text}");
            }
            assert!(text.contains(lang.t("Dịch vụ công", "Public services")), "{text}");
        }
    }
    assert!(pages::life_event_page(&catalogue, page(Lang::Vi), "../x", Asked::default()).is_err());
    for code in ["9.999999", "../../etc", "<x>", ""] {
        assert!(
            pages::procedure_page(&catalogue, page(Lang::Vi), code, DAY, None)
                .await
                .is_err(),
            "{code}"
        );
    }
}

#[tokio::test]
async fn the_page_says_which_account_filing_online_needs() {
    let store = stores().await.remove(0);
    load_own(&store, DAY).await;
    let shelf = Shelf::open(store.clone()).await.expect("the shelf opens");
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    for code in ["1.013225", "2.000635"] {
        let now = Timestamp::from_legal(DAY.at(9, 0, 0, 0));
        let put = shelf.put_dir(&packages.join(code), &CheckOptions::default(), now).await;
        put.expect("a good package");
    }
    let catalogue = Catalogue::open(store, shelf, published().life_events, DAY).await;
    let catalogue = catalogue.expect("the catalogue opens");
    for (code, account) in [
        ("1.013225", Some("Định danh điện tử (VNeID) mức độ 2")),
        ("2.000635", Some("mức độ 1 hoặc mức độ 2")),
        ("1.001193", None),
    ] {
        let view = pages::procedure_page(&catalogue, page(Lang::Vi), code, DAY, None).await;
        let html = view.expect("a page").render().expect("renders");
        assert_eq!(
            html.contains("Tài khoản để nộp trực tuyến"),
            account.is_some(),
            "{code}"
        );
        assert!(account.is_none_or(|account| html.contains(account)), "{code}");
    }
}

/// The published files, when they are there: `MOTCUA_SHARED`, or `../shared` beside the workspace.
fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?.join("shared");
    let dir = std::env::var_os("MOTCUA_SHARED").map_or(root, PathBuf::from);
    dir.join("data/national-catalogue.csv").is_file().then_some(dir)
}

#[tokio::test]
async fn the_nation_loads_once_and_is_found() {
    let Some(dir) = shared() else {
        eprintln!("skipped: the published files are not here (MOTCUA_SHARED)");
        return;
    };
    let data = dir.join("data");
    let mut files = vec![data.join("national-catalogue.csv"), data.join("procedure-facts.jsonl")];
    let pages = std::fs::read_dir(data.join("procedures")).expect("a folder");
    files.extend(pages.filter_map(|e| e.ok().map(|e| e.path())));
    for store in stores().await {
        let report = load(&store, &files, DAY).await;
        assert_eq!(report.counts.added, 5669, "{}", report.text(Lang::En, 2));
        assert_eq!(report.counts.refused, 1, "{}", report.text(Lang::En, 2));
        assert_eq!(report.by_kind.get("code-duplicate"), Some(&1));
        assert_eq!(
            report.by_kind.get("text-mojibake"),
            None,
            "{}",
            report.text(Lang::En, 2)
        );
        let again = load(&store, &files, date(2026, 8, 1)).await;
        assert_eq!(
            (again.counts.added, again.counts.changed, again.counts.unchanged),
            (0, 0, 5669)
        );
        load_own(&store, DAY).await;
        let shelf = Shelf::open(store.clone()).await.expect("the shelf opens");
        let catalogue = Catalogue::open(store, shelf, published().life_events, DAY)
            .await
            .expect("opens");
        let now = catalogue.now();
        let top = |text: &str| {
            let found = now
                .index
                .search(&Query {
                    text: text.to_owned(),
                    ..Query::default()
                })
                .expect("searchable");
            found.hits.first().map(|s| s.code.to_string()).unwrap_or_default()
        };
        assert_eq!(top("đăng ký khai sinh"), "1.001193");
        assert_eq!(top("dang ky ket hon"), "1.000894");
        assert_eq!(top("dang ky thuong tru"), "1.004222");
        let entry = catalogue
            .find(&code("1.001193"), DAY)
            .await
            .expect("readable")
            .expect("known");
        assert!(!entry.steps.is_empty() && !entry.papers.is_empty() && !entry.name.en.is_empty());
    }
}
