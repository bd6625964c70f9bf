//! Rows that have a personal number, and rows that have an address in words.

use registry::linking::files::{Line, LineState};

use super::{Office, codes, now, offices, population, steward};

const HEADINGS: &str = "Số CCCD hoặc CMND,Họ và tên,Ngày sinh,Địa chỉ";
const FIELDS: [&str; 4] = ["person_number", "name", "birth_date", "residence"];

/// Compares rows below the headings; of each how it stands, and why it may be the first of its candidates.
async fn compared(office: &Office, rows: &str) -> Vec<(Line, Vec<(String, String)>)> {
    let id = office
        .put("a.csv", format!("{HEADINGS}\n{rows}"))
        .await
        .expect("taken in");
    office.begin(id, &FIELDS).await.expect("begun");
    office.work(now()).await;
    let mut lines = Vec::new();
    for n in 1..=office.file(id).await.total {
        let told = office.registries.line(&steward(), &population(), id, n).await;
        let (line, candidates, _) = told.expect("there");
        let candidates = candidates.iter();
        let candidates = candidates.map(|candidate| (candidate.record.to_string(), candidate.reason.vi.clone()));
        lines.push((line, candidates.collect()));
    }
    lines
}

#[tokio::test]
async fn a_number_proposes_its_record_and_decides_nothing_alone() {
    for office in offices().await {
        let lines = compared(
            &office,
            concat!(
                "001180000011,Nguyễn Thị Hường,05/03/1980,\n",
                "001180000011,,,\n",
                "001180000011,Lê Văn Không,01/02/1970,\n",
                "001090000022,Trần Văn Hòa,03/02/1990,\n",
                "012345678,nguyen thi huong,,\n",
                "001180000099,Nguyễn Thị Hường,05/03/1980,\n",
                "001180000098,Lê Văn Không,01/02/1970,\n",
                "00118000001,Nguyễn Thị Hường,05/03/1980,\n",
                ",Nguyễn Thị Hường,05/03/1980,\n",
            ),
        )
        .await;
        let stand: Vec<LineState> = lines.iter().map(|(line, _)| line.state).collect();
        assert_eq!(
            stand,
            [
                LineState::Clear,
                LineState::Possible,
                LineState::Possible,
                // There is another of this name and birthday, who has a number of his own.
                LineState::Clear,
                // A former card, in the column of numbers.
                LineState::Clear,
                LineState::Possible,
                LineState::Lone,
                LineState::Possible,
                LineState::Possible,
            ]
        );
        let reason = |n: usize| lines[n].1[0].1.as_str();
        assert!(reason(0).starts_with("Số định danh cá nhân trùng. "), "{}", reason(0));
        assert!(reason(1).starts_with("Số định danh cá nhân trùng. "), "{}", reason(1));
        let against = "Mâu thuẫn: số định danh cá nhân trùng nhưng khác ";
        assert!(reason(2).starts_with(against), "{}", reason(2));
        let other = "nhưng số định danh cá nhân khác.";
        assert!(
            reason(5).starts_with("Mâu thuẫn: trùng ") && reason(5).contains(other),
            "{}",
            reason(5)
        );
        // A number of eleven digits is none; it is said, and the rest is compared as where there is no number.
        assert!(
            !lines[7].0.flaw.vi.is_empty() && !reason(7).contains("Mâu thuẫn"),
            "{}",
            reason(7)
        );
        assert_eq!(lines[7].0.weight, lines[8].0.weight);
        let hoa = office
            .registries
            .file(&steward(), &population(), office_file(&office).await)
            .await;
        assert_eq!(hoa.expect("there").0.figures.same, 0, "nothing was decided");
        let first = |n: usize| lines[n].1[0].0.clone();
        assert!(first(0) == first(1) && first(0) == first(2) && first(0) != first(3));
    }
}

/// The only file that is there.
async fn office_file(office: &Office) -> registry::linking::files::FileId {
    let files = office.registries.files(&steward(), &population(), None, 2).await;
    files.expect("a list").items[0].id
}

#[tokio::test]
async fn an_address_in_words_is_compared_by_its_commune_and_a_divided_one_by_none() {
    for office in offices().await {
        let lines = compared(
            &office,
            concat!(
                ",Nguyễn Thị Hường,05/03/1980,\n",
                ",Nguyễn Thị Hường,05/03/1980,\"Số 5, P. Trúc Bạch, Q. Ba Đình, TP Hà Nội\"\n",
                ",Nguyễn Thị Hường,05/03/1980,\"Phường Ngọc Hà, Quận Ba Đình, Hà Nội\"\n",
                ",Nguyễn Thị Hường,05/03/1980,\"Phường Cống Vị, Quận Ba Đình, Hà Nội\"\n",
                ",Nguyễn Thị Hường,05/03/1980,ở với con\n",
            ),
        )
        .await;
        let of = |n: usize| (lines[n].0.state, lines[n].0.weight.expect("a candidate"));
        let (bare, same, divided, other, unknown) = (of(0), of(1), of(2), of(3), of(4));
        assert_eq!((bare.0, same.0), (LineState::Possible, LineState::Clear));
        assert!(same.1 > bare.1 + 5.0, "{same:?}");
        // Of the two communes that it became the record is in one: that neither speaks for it nor against it.
        assert_eq!(divided, bare);
        let flaw = &lines[2].0.flaw.vi;
        assert!(
            flaw.contains("Có thể là: ") && flaw.contains("00004") && flaw.contains("00008"),
            "{flaw}"
        );
        // The record is in neither.
        assert!(other.0 == LineState::Possible && other.1 < bare.1, "{other:?}");
        assert_eq!(unknown, bare);
        assert!(lines[4].0.flaw.vi.contains("không dùng được"), "{:?}", lines[4].0.flaw);

        let at = format!("/registries/population/files/{}", office_file(&office).await);
        let (_, _, page) = office.call(&steward(), &format!("{at}/rows/3"), None).await;
        assert!(
            page.contains("00004") && page.contains("00008"),
            "both are shown: {page}"
        );
        let id = office.put("b.csv", format!("{HEADINGS},Mã xã\n,A,1990,,00004\n")).await;
        let id = id.expect("taken in");
        let (_, _, page) = office
            .call(&steward(), &format!("/registries/population/files/{id}"), None)
            .await;
        assert!(page.contains("(địa chỉ ghi bằng chữ)"), "{page}");
        let twice = office
            .begin(id, &["", "name", "birth_date", "residence", "residence.commune"])
            .await;
        assert_eq!(codes(&twice.expect_err("refused")), ["field-twice"]);
    }
}
