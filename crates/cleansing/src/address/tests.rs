use std::sync::LazyLock;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

static GAZETTEER: LazyLock<Gazetteer> = LazyLock::new(|| {
    Gazetteer::from_csv(
        [
            include_str!("../../../../data/units/provinces.csv"),
            include_str!("../../../../data/units/districts-2024.csv"),
            include_str!("../../../../data/units/communes.csv"),
        ],
        include_str!("../../../../data/units/changes-2025.csv"),
    )
    .expect("the tables of the platform")
});

fn shown(text: &str) -> String {
    let found = GAZETTEER.locate(text, None);
    let choices: Vec<String> = found
        .choices
        .iter()
        .map(|c| format!("{} {}", c.unit.code, c.unit.name))
        .collect();
    let reasons: Vec<&str> = found.reasons.iter().map(|r| r.code()).collect();
    format!(
        "{}: {} ({})",
        found.certainty.as_str(),
        choices.join(" | "),
        reasons.join(", ")
    )
}

#[test]
fn addresses_as_people_write_them() {
    for (text, expected) in [
        // A divided commune gives its successors, never a guess.
        (
            "Số 12, ngõ 5, phố X, P. Dịch Vọng, Q. Cầu Giấy, TP Hà Nội",
            "choose: 00166 Cầu Giấy | 00160 Nghĩa Đô (commune-split)",
        ),
        ("P.Trúc Bạch, Q.Ba Đình, HN", "certain: 00004 Ba Đình ()"),
        ("truc bach, ba dinh, ha noi", "certain: 00004 Ba Đình ()"),
        ("TRÚC BẠCH - BA ĐÌNH - HÀ NỘI", "certain: 00004 Ba Đình ()"),
        ("quận Ba Đình, phường Trúc Bạch, Hà Nội", "certain: 00004 Ba Đình ()"),
        ("Tỉnh: Ninh Bình; Phường: Hoa Lư", "certain: 14329 Hoa Lư ()"),
        // Before and after, the name is that of another ward.
        (
            "phường Ngọc Hà, Hà Nội",
            "choose: 00008 Ngọc Hà | 00004 Ba Đình (commune-split, old-or-new)",
        ),
        ("P12, Q.Bình Thạnh, TPHCM", "certain: 26929 Bình Thạnh ()"),
        ("Phường 01, Quận 3, TP. Hồ Chí Minh", "certain: 27154 Bàn Cờ ()"),
        ("phường Hoa Lư, tỉnh Ninh Bình", "certain: 14329 Hoa Lư ()"),
        (
            "xa yen mi huyen thanh tri ha noi",
            "choose: 00640 Thanh Trì | 00685 Nam Phù (commune-split)",
        ),
        // Misspelt.
        (
            "P. Trúc Bặch, Q. Ba Đình, Hà Nội",
            "likely: 00004 Ba Đình (other-marks)",
        ),
        (
            "P. Trúc Bạhc, Q. Ba Đình, Hà Nội",
            "likely: 00004 Ba Đình (misspelt-unit)",
        ),
        (
            "P. Trúc Bạch, Q. Ba Đình, Hà Nộii",
            "likely: 00004 Ba Đình (no-province)",
        ),
        ("Trúc Bạck, Ba Đìn, Hà Nội", "likely: 00004 Ba Đình (misspelt-unit)"),
        // New ward, old district.
        ("phường Cầu Giấy, quận Cầu Giấy, Hà Nội", "certain: 00166 Cầu Giấy ()"),
        (
            "phường Hoa Lư, quận Cầu Giấy, Ninh Bình",
            "choose: 14329 Hoa Lư (contradiction)",
        ),
        // A ward that was merged before the old list begins.
        (
            "123/4 Lê Văn Sỹ, P.13, Q.3, TP.HCM",
            "unknown:  (no-commune, contradiction)",
        ),
        (
            "12 Nguyễn Huệ, Bến Nghé, Quận 1, Hồ Chí Minh, Việt Nam",
            "certain: 26740 Sài Gòn ()",
        ),
        // Old units, new province.
        ("Thị trấn Vôi, Lạng Giang, Bắc Ninh", "certain: 07375 Lạng Giang ()"),
        (
            "Thôn 3, xã Ea H'leo, huyện Ea H'leo, tỉnh Đắk Lắk",
            "certain: 24184 Ea H'Leo ()",
        ),
        ("thôn 3 xã eahleo daklak", "certain: 24184 Ea H'Leo ()"),
        ("huyện Lý Sơn, Quảng Ngãi", "certain: 21548 Lý Sơn ()"),
        ("phường Sông Hiến, TP Cao Bằng", "certain: 01273 Thục Phán ()"),
        ("phường Trúc Bạch, quận Ba Đình", "likely: 00004 Ba Đình (no-province)"),
        ("Đống Đa, Hà Nội", "likely: 00235 Đống Đa (no-kind)"),
        (
            "xã Thạnh Quới, Sóc Trăng",
            "choose: 31726 Gia Hòa | 31246 Thạnh Quới (commune-split, old-or-new, doubtful-map, no-district)",
        ),
        ("TP. Vinh, Nghệ An", "unknown:  (no-commune)"),
        ("đường Nguyễn Huệ", "unknown:  (no-commune)"),
        ("", "unknown:  (no-commune)"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    let many = GAZETTEER.locate("xã Tân Thành", None);
    assert!(many.certainty == Certainty::Choose && many.choices.len() > 20);
}

#[test]
fn the_rest_and_what_is_above_are_said() {
    let found = GAZETTEER.locate("45 đường Trần Phú, P. Trúc Bạch, Q. Ba Đình, TP Hà Nội", None);
    assert_eq!(found.rest, "45 đường Trần Phú");
    assert_eq!(found.within.map(Unit::title).as_deref(), Some("quận Ba Đình"));
    assert_eq!(
        found
            .choices
            .first()
            .and_then(|c| c.written)
            .map(Unit::title)
            .as_deref(),
        Some("phường Trúc Bạch")
    );
    let city = GAZETTEER.locate("TP. Vinh, Nghệ An", None);
    assert_eq!(city.within.map(Unit::title).as_deref(), Some("thành phố Vinh"));
}

#[test]
fn the_day_of_writing_tells_old_from_new() {
    let at = |day| {
        let found = GAZETTEER.locate("phường Ngọc Hà, Hà Nội", Some(day));
        (found.certainty, found.choices.len())
    };
    assert_eq!(at(date(2025, 7, 1)), (Certainty::Certain, 1));
    assert_eq!(at(date(2019, 1, 1)), (Certainty::Choose, 2), "divided: two successors");
    assert_eq!(at(date(2025, 6, 30)), (Certainty::Choose, 2));
}

/// Each unit of both lists, written in full with and without marks, is found.
#[test]
fn every_unit_is_found_by_its_full_address() {
    let g = &*GAZETTEER;
    let mut sure = 0;
    let mut total = 0;
    for (n, unit) in (0_u32..).zip(g.units()) {
        if unit.level != Level::Commune {
            continue;
        }
        let above = [unit.district, unit.province]
            .into_iter()
            .flatten()
            .filter_map(|a| g.unit(a));
        let parts: Vec<String> = std::iter::once(unit).chain(above).map(Unit::title).collect();
        let full = parts.join(", ");
        let day = (unit.valid_from.year(), unit.is_current());
        let written = Some(if day.1 { date(2025, 7, 1) } else { date(2025, 1, 1) });
        let wanted: Vec<&str> = if unit.is_current() {
            vec![&unit.code]
        } else {
            g.successors(n)
                .iter()
                .filter_map(|s| g.unit(s.unit))
                .map(|u| &*u.code)
                .collect()
        };
        for text in [full.clone(), base::text::fold(&full)] {
            let found = g.locate(&text, written);
            let codes: Vec<&str> = found.choices.iter().map(|c| &*c.unit.code).collect();
            assert!(
                wanted.iter().all(|w| codes.contains(w)),
                "{text}: {codes:?} lacks one of {wanted:?}"
            );
            assert!(wanted.len() == 1 || found.certainty == Certainty::Choose, "{text}");
            total += 1;
            sure += usize::from(codes.len() == wanted.len() && found.certainty >= Certainty::Choose);
        }
    }
    // The others share their name, but for marks or for "Xã" and "Thị trấn", with a neighbour in the same district.
    assert!(total == 26_712 && sure * 1000 >= total * 995, "{sure} of {total}");
}

#[test]
fn tables_that_do_not_fit_are_refused_with_all_that_is_wrong() {
    let row = |code, province| UnitRow {
        code,
        valid_from: date(2025, 7, 1),
        valid_to: None,
        kind: "xã",
        name: "A",
        province,
        district: None,
    };
    let change = ChangeRow {
        old: "00002",
        new: "00001",
        is_default: true,
        doubtful: false,
    };
    let refused = Gazetteer::new([row("00001", Some("09")), row("00003", Some("08"))], [change]).expect_err("refused");
    let places: Vec<&str> = refused
        .problems()
        .into_iter()
        .flatten()
        .map(|p| p.at.as_str())
        .collect();
    assert_eq!(places, ["00001", "00003", "00002"]);
    let table = "code,valid_from,valid_to,kind,name\n01,yesterday,,tỉnh,A\n";
    assert!(Gazetteer::from_csv([table, "a\n", "a\n"], "a\n").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_taken(text in "\\PC{0,80}|.{0,60}|([PQX]\\.? ?[0-9a-zà-ỹ]{1,6},? ?){0,8}") {
        let _ = GAZETTEER.locate(&text, Some(date(2020, 1, 1)));
    }
}
