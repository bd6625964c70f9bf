use std::fs;

use base::{Kind, Lang};
use jiff::civil::{Date, date};

use super::*;

const BEFORE: Date = date(2025, 6, 30);
const AFTER: Date = date(2025, 7, 1);
const TODAY: Date = date(2026, 11, 21);

fn reference() -> Reference {
    Reference::embedded().expect("the embedded data are sound")
}

fn published() -> Published {
    Published::from_source(&Source::embedded()).expect("the embedded procedures are sound")
}

fn code(text: &str) -> UnitCode {
    text.parse().expect("a unit code")
}

fn count(units: &Units, level: Level, on: Date) -> usize {
    units
        .iter()
        .filter(|u| u.code.level() == level && u.holds_on(on))
        .count()
}

#[test]
fn the_map_has_as_many_units_as_the_resolutions_say() {
    let units = reference().units;
    assert_eq!(count(&units, Level::Province, BEFORE), 63);
    assert_eq!(count(&units, Level::District, BEFORE), 696);
    assert_eq!(count(&units, Level::Commune, BEFORE), 10_035);
    assert_eq!(count(&units, Level::Province, AFTER), 34);
    assert_eq!(count(&units, Level::District, AFTER), 0);
    assert_eq!(count(&units, Level::Commune, AFTER), 3_321);
    let of = |kind| units.iter().filter(|u| u.kind == kind && u.holds_on(TODAY)).count();
    assert_eq!(
        (of(UnitKind::Commune), of(UnitKind::Ward), of(UnitKind::SpecialZone)),
        (2_621, 687, 13)
    );
    assert_eq!((of(UnitKind::Province), of(UnitKind::City)), (28, 6));
}

#[test]
fn every_commune_has_a_successor_and_471_were_divided() {
    let units = reference().units;
    let (mut one, mut divided) = (0, 0);
    for unit in units
        .iter()
        .filter(|u| u.code.level() == Level::Commune && u.holds_on(BEFORE))
    {
        match units.successors(unit, TODAY) {
            Some(Successors::One(_)) => one += 1,
            Some(Successors::Split(parts)) => {
                divided += 1;
                assert_eq!(parts.iter().filter(|p| p.is_default).count(), 1, "{}", unit.code);
            }
            None => panic!("{} has no successor", unit.code),
        }
    }
    // The five island districts that had no communes went over as districts: 9,569 in all.
    let islands = ["318", "471", "498", "536", "755"];
    for island in islands {
        assert!(
            matches!(units.convert(island, BEFORE, TODAY), Some(Successors::One(_))),
            "{island}"
        );
    }
    assert_eq!((one + islands.len(), divided), (9_569, 471));
}

#[test]
fn seven_province_codes_changed_their_meaning() {
    let units = reference().units;
    let name = |code: &str, on| units.resolve(code, on).map(|u| u.name.to_string());
    let changed: Vec<_> = units
        .provinces(TODAY)
        .into_iter()
        .map(|u| u.code.to_string())
        .filter(|code| name(code, BEFORE) != name(code, AFTER))
        .collect();
    let mut sorted = changed.clone();
    sorted.sort();
    assert_eq!(sorted, ["15", "24", "44", "52", "80", "82", "91"]);
    assert_eq!(name("15", BEFORE).as_deref(), Some("Yên Bái"));
    assert_eq!(name("15", AFTER).as_deref(), Some("Lào Cai"));
    // Ten became fifteen: the old paper of Lào Cai leads to the new Lào Cai, and so does that of Yên Bái.
    for old in ["10", "15"] {
        let Some(Successors::One(now)) = units.convert(old, BEFORE, TODAY) else {
            panic!("{old} has one successor")
        };
        assert_eq!((now.code.to_string().as_str(), &*now.name), ("15", "Lào Cai"));
    }
}

#[test]
fn a_divided_commune_names_every_successor() {
    let units = reference().units;
    // Thị trấn Tây Đằng, huyện Ba Vì, Hà Nội.
    let old = units
        .iter()
        .find(|u| &*u.name == "Tây Đằng" && u.kind == UnitKind::Township)
        .expect("the township was there before the reform");
    assert_eq!(
        units.address(old, Lang::Vi),
        "thị trấn Tây Đằng, huyện Ba Vì, thành phố Hà Nội"
    );
    let Some(Successors::Split(parts)) = units.successors(old, TODAY) else {
        panic!("it was divided")
    };
    let names: Vec<_> = parts.iter().map(|p| (&*p.unit.name, p.is_default)).collect();
    assert_eq!(names, [("Minh Châu", true), ("Quảng Oai", false)]);
    assert_eq!(
        units.successors(old, BEFORE),
        Some(Successors::One(old)),
        "on the last day it was still itself"
    );
    let new = parts[1].unit;
    assert!(
        units
            .predecessors(new)
            .any(|(unit, relation)| unit == old && relation == Relation::Split)
    );
}

#[test]
fn a_successor_far_away_is_marked_as_doubtful() {
    let units = reference().units;
    // Xã Thạnh Quới: one in Cần Thơ, one in Sóc Trăng, a hundred kilometres apart, now in one province.
    let old = units.iter().filter(|u| &*u.name == "Thạnh Quới" && u.holds_on(BEFORE));
    let mut seen = 0;
    for unit in old.filter(|u| [Some(code("92")), Some(code("94"))].contains(&u.province)) {
        let Some(Successors::Split(parts)) = units.successors(unit, TODAY) else {
            panic!("listed as divided")
        };
        assert!(parts.iter().any(|p| p.doubtful && !p.is_default) && !parts[0].doubtful);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn search_ignores_diacritics_and_knows_former_names() {
    let units = reference().units;
    let scope = Scope {
        at: TODAY,
        level: Some(Level::Commune),
        province: None,
        limit: 5,
    };
    for query in ["Hoa Lư", "hoa lu", "PHUONG HOA LU", "Hoa Lư, Ninh Bình"] {
        let first = units.search(query, scope);
        assert_eq!(first.first().map(|h| h.unit.code), Some(code("14329")), "{query}");
    }
    let unfinished = units.search(
        "phường hoa l",
        Scope {
            province: Some(code("37")),
            ..scope
        },
    );
    assert_eq!(unfinished.first().map(|h| h.unit.code), Some(code("14329")));
    // Phường Phúc Xá (Ba Đình) is part of phường Hồng Hà now.
    let hits = units.search(
        "phuc xa",
        Scope {
            province: Some(code("01")),
            ..scope
        },
    );
    let hit = hits.first().expect("found under its former name");
    assert_eq!(
        (&*hit.unit.name, hit.former.map(|u| &*u.name)),
        ("Hồng Hà", Some("Phúc Xá"))
    );
    assert!(!hit.divided);
    // A former province is found under its name, as the province that took it in.
    let hits = units.search(
        "ha nam",
        Scope {
            level: Some(Level::Province),
            ..scope
        },
    );
    assert_eq!(hits.first().map(|h| &*h.unit.name), Some("Ninh Bình"));
    for name in ["Tân Thạnh", "Tân Thành"] {
        let hits = units.search(&format!("{name}, Đồng Tháp"), scope);
        let first = hits.first().map(|h| units.address(h.unit, Lang::Vi));
        assert_eq!(first, Some(format!("xã {name}, tỉnh Đồng Tháp")));
    }
    assert!(units.search("tan", scope).len() == scope.limit);
    assert!(units.search("  ,  ", scope).is_empty() && units.search("khong co noi nay", scope).is_empty());
}

#[test]
fn each_commune_is_meant_by_its_own_title_and_other_names_leave_a_choice() {
    let units = reference().units;
    let of = |name: &str, province: &str| -> Vec<String> {
        let found = units.communes_named(name, code(province), TODAY);
        found.iter().map(|unit| unit.code.to_string()).collect()
    };
    let mut former_too = 0;
    let communes = units
        .iter()
        .filter(|u| u.code.level() == Level::Commune && u.holds_on(TODAY));
    for unit in communes.step_by(9) {
        let (title, province) = (unit.title(Lang::Vi), unit.province.expect("a province").to_string());
        assert_eq!(of(&title, &province), [unit.code.to_string()], "{title}, {province}");
        former_too += usize::from(of(&unit.name, &province).len() > 1);
    }
    assert!(former_too > 0);
    assert_eq!(of("phường Văn Miếu - Quốc Tử Giám", "01"), ["00226"]);
    // A ward of that name was divided.
    assert_eq!(of("van mieu quoc tu giam", "01"), ["00190", "00226"]);
    // The province may be written behind it; a word of a province that is no more makes no commune of it (Ngọc Sơn, Hà Nam).
    assert_eq!(of("Hoa Lư, tỉnh Ninh Bình", "37"), ["14329"]);
    assert_eq!(of("hoa lu ninh binh", "37"), ["14329"]);
    assert!(of("phuong ngoc ha", "37").is_empty());
    assert!(of("không có xã này", "37").is_empty());
}

#[test]
fn unknown_codes_and_days_outside_the_data_are_nothing() {
    let units = reference().units;
    for unknown in ["", "99", "1", "0001", "00002", "abc", "١٢", "099999"] {
        assert_eq!(units.resolve(unknown, TODAY), None, "{unknown}");
    }
    assert_eq!(units.resolve("37", date(1990, 1, 1)), None);
    let nearest = units
        .resolve_nearest("15", date(1990, 1, 1))
        .expect("the oldest list answers");
    assert_eq!(&*nearest.name, "Yên Bái");
    assert_eq!(
        units.convert("001", BEFORE, TODAY),
        None,
        "a district with communes has no successor of its own"
    );
}

#[test]
fn lists_are_alphabetical_and_titles_read_well() {
    let units = reference().units;
    let provinces: Vec<_> = units.provinces(TODAY).iter().map(|u| u.name.to_string()).collect();
    assert_eq!(
        (provinces[0].as_str(), provinces[33].as_str()),
        ("An Giang", "Vĩnh Long")
    );
    assert_eq!(units.communes(code("37"), TODAY).len(), 129);
    assert!(units.districts(code("37"), TODAY).is_empty() && !units.districts(code("37"), BEFORE).is_empty());
    let ward = units.resolve("14329", TODAY).expect("Hoa Lư");
    assert_eq!(units.address(ward, Lang::Vi), "phường Hoa Lư, tỉnh Ninh Bình");
    assert_eq!(units.address(ward, Lang::En), "Hoa Lư Ward, Ninh Binh Province");
    let city = units.resolve("79", TODAY).expect("Hồ Chí Minh");
    assert_eq!(city.title(Lang::En), "Ho Chi Minh City");
}

#[test]
fn unit_codes_keep_their_zeros() {
    assert_eq!(code("00004").to_string(), "00004");
    assert_ne!(code("004"), code("00004"));
    assert_eq!(serde_json::to_string(&code("01")).expect("json"), "\"01\"");
    assert_eq!(
        serde_json::from_str::<UnitCode>("\"00004\"").expect("json"),
        code("00004")
    );
    assert!(serde_json::from_str::<UnitCode>("\"4\"").is_err());
}

#[test]
fn agencies_are_found_by_either_notation_and_on_their_day() {
    let reference = reference();
    let agencies = &reference.agencies;
    let name = |code, on| agencies.get(code, on).map(|a| a.name.vi.as_str());
    assert_eq!(name("H29", TODAY), Some("Ủy ban nhân dân thành phố Hồ Chí Minh"));
    assert_eq!(name("000.00.00.H29", TODAY), name("H29", TODAY));
    assert_eq!(
        name("G10", date(2024, 1, 1)),
        Some("Bộ Nông nghiệp và Phát triển nông thôn")
    );
    assert_eq!(name("G10", TODAY), Some("Bộ Nông nghiệp và Môi trường"));
    assert_eq!(
        (name("G04", date(2024, 1, 1)), name("G04", TODAY)),
        (Some("Bộ Giao thông vận tải"), None)
    );
    assert_eq!(name("H64", TODAY), None);
    assert_eq!(agencies.iter().filter(|a| a.status == AgencyStatus::Legacy).count(), 63);
    assert_eq!(agencies.iter().filter(|a| a.kind == AgencyKind::Group).count(), 11);
    let demo = &reference.demo_agencies;
    assert!(
        demo.iter()
            .all(|a| a.status == AgencyStatus::Illustrative && a.unit.is_some())
    );
    let ward = demo.get("000.00.28.H42", TODAY).expect("the demonstration's ward");
    assert_eq!(ward.name.vi, "Ủy ban nhân dân phường Hoa Lư");
    let below: Vec<_> = demo.children("H42.28", TODAY).map(|a| a.kind).collect();
    assert_eq!(below.iter().filter(|k| **k == AgencyKind::OneStop).count(), 1);
    assert_eq!(below.len(), 4);
}

#[test]
fn the_eighty_procedures_are_complete_and_translated() {
    let published = published();
    assert_eq!(published.procedures.len(), 80);
    for procedure in &published.procedures {
        let at = &procedure.code;
        assert!(
            !procedure.name.en.is_empty() && procedure.name.en != procedure.name.vi,
            "{at}"
        );
        assert!(procedure.results.iter().all(|r| !r.en.is_empty()), "{at}");
        assert!(
            !procedure.life_events.is_empty() && procedure.keywords.len() >= 2,
            "{at}"
        );
        assert!(!procedure.channel.is_empty() && !procedure.audiences.is_empty(), "{at}");
        assert_eq!(procedure.origin.date, date(2026, 7, 18));
        let texts = procedure
            .channel
            .iter()
            .flat_map(|c| c.fees.iter().filter_map(|f| f.text.as_ref()));
        assert!(texts.into_iter().all(|t| !t.en.is_empty()), "{at}");
    }
    for event in &published.life_events {
        assert!(
            published.procedures.iter().any(|p| p.life_events.contains(&event.id)),
            "{}",
            event.id
        );
    }
    for oddity in &published.oddities {
        assert!(
            published.procedures.iter().any(|p| p.oddities.contains(&oddity.code)),
            "{}",
            oddity.code
        );
    }
}

#[test]
fn published_errors_are_kept_and_named() {
    let published = published();
    let get = |code: &str| published.get(code, TODAY).expect("in the appendix");
    let has = |code: &str, oddity: &str| get(code).oddities.iter().any(|o| o == oddity);
    for procedure in &published.procedures {
        let blank = procedure.executing.name.vi.is_empty();
        assert_eq!(
            blank,
            has(&procedure.code, "executing-agency-blank"),
            "{}",
            procedure.code
        );
        assert_eq!(blank, procedure.executing.kind.is_empty(), "{}", procedure.code);
        for fee in procedure.channel.iter().flat_map(|c| &c.fees) {
            let tiny = (1..1_000).contains(&fee.amount);
            assert_eq!(tiny, fee.qualifier == Qualifier::SuspiciousScale, "{}", procedure.code);
            assert!(
                fee.qualifier != Qualifier::Fixed || fee.amount >= 1_000,
                "{}",
                procedure.code
            );
            assert!(
                fee.qualifier != Qualifier::SetByProvince || fee.amount == 0,
                "{}",
                procedure.code
            );
        }
    }
    assert_eq!(get("1.013217").channel[0].fees[0].amount, 45);
    assert_eq!(get("2.000635").channel[0].fees[0].qualifier, Qualifier::Fixed);
    assert!(has("1.013225", "channel-and-case-times-differ") && has("1.003197", "field-code-blank"));
    let replaced = get("2.000986").successor.as_deref();
    let successor = published
        .successors
        .iter()
        .find(|s| Some(s.code.as_str()) == replaced)
        .expect("3.000722");
    assert!(successor.replaces.iter().any(|c| c == "2.000986"));
    assert_eq!(
        get("1.013225").case[0].time,
        TimeLimit {
            qty: 20,
            unit: TimeUnit::Day,
            text: None
        }
    );
}

#[test]
fn a_folder_replaces_single_files_and_reports_all_that_is_wrong() {
    let dir = tempfile::tempdir().expect("a folder");
    let refused = Reference::load(dir.path()).expect_err("an empty folder is a slip of the pen");
    assert_eq!(refused.kind(), Some(Kind::Invalid));

    fs::create_dir_all(dir.path().join("procedures")).expect("a folder");
    let events = dir.path().join("procedures/life-events.toml");
    fs::write(
        &events,
        "[[life_event]]\nid = \"moi\"\ntitle = { vi = \"Mới\", en = \"New\" }\nintro = { vi = \"Một câu.\" }\n",
    )
    .expect("written");
    let newer = Reference::load(dir.path()).expect("one newer file over the rest");
    assert_eq!(newer.life_events.len(), 1);
    assert_eq!(count(&newer.units, Level::Commune, AFTER), 3_321);

    fs::write(&events, "[[life_event]]\nid = 7\n").expect("written");
    fs::create_dir_all(dir.path().join("units")).expect("a folder");
    let districts = "code,valid_from,valid_to,kind,name,province_code\n\
        001,2025-13-01,,quận,Ba Đình,01\n\
        0002,2025-01-01,2025-06-30,phố,Hoàn Kiếm,01\n\
        003,2025-01-01\n";
    fs::write(dir.path().join("units/districts-2024.csv"), districts).expect("written");
    let refused = Reference::load(dir.path()).expect_err("much is wrong");
    let problems = refused.problems().expect("a refusal");
    for at in [
        "units/districts-2024.csv:2",
        "units/districts-2024.csv:3",
        "units/districts-2024.csv:4",
    ] {
        let text = problems.at(at, Lang::Vi).unwrap_or_else(|| panic!("{at} in {refused}"));
        assert!(!text.is_empty());
    }
    assert!(
        problems
            .iter()
            .any(|p| p.at.starts_with("procedures/life-events.toml:"))
    );
    let on_third = problems.iter().filter(|p| p.at == "units/districts-2024.csv:3").count();
    assert_eq!(on_third, 2, "both the code and the kind");
}

#[test]
fn a_wrong_header_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(dir.path().join("units")).expect("a folder");
    fs::write(dir.path().join("units/provinces.csv"), "id,name\n01,Hà Nội\n").expect("written");
    let refused = Reference::load(dir.path()).expect_err("another table");
    assert!(
        refused
            .problems()
            .is_some_and(|p| p.at("units/provinces.csv:1", Lang::En).is_some())
    );
}
