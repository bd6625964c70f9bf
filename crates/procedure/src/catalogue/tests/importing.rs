//! What is published is loaded: oddities are told, nothing is lost.

use super::*;

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
