//! Whether agencies' records have the mistakes of their profile, and no others.

mod common;

use common::told;
use country::{
    mess::{Agency, Profile, Record, Slip, records, spelling},
    people::Person,
};

/// Every record with its person.
fn all(seed: u64, agency: Agency, profile: Profile) -> Vec<(Person, Record)> {
    let (country, communities) = told(seed, 12_000);
    let mut found = Vec::new();
    for community in &communities {
        for record in records(community, country.units(), agency, profile) {
            found.push((community.person(record.cluster).clone(), record));
        }
    }
    found
}

#[test]
fn mistakes_are_as_frequent_as_the_profile_says() {
    for profile in [Profile::Easy, Profile::Usual, Profile::Bad] {
        let records = all(4, Agency::A, profile);
        let check = |slip: Slip, can: &dyn Fn(&Person, &Record) -> bool| {
            let able: Vec<_> = records.iter().filter(|(p, r)| can(p, r)).collect();
            let made = able.iter().filter(|(_, r)| r.slips.has(slip)).count() as f64;
            let (count, rate) = (able.len() as f64, profile.rate(slip));
            // Four deviations of chance, and what other mistakes at the same place take away.
            let tolerance = 4.0 * (rate * (1.0 - rate) / count).sqrt() + 0.06 * rate;
            assert!(
                (made / count - rate).abs() < tolerance,
                "{profile:?} {slip:?}: {} for {rate}",
                made / count
            );
        };
        let any = |_: &Person, _: &Record| true;
        let has = |r: &Record, slips: &[Slip]| slips.iter().any(|slip| r.slips.has(*slip));
        for slip in [
            Slip::Typo,
            Slip::OtherName,
            Slip::Sex,
            Slip::NoAddress,
            Slip::NoParents,
            Slip::YearOnly,
        ] {
            check(slip, &any);
        }
        check(Slip::DefaultBirthday, &|p, r| {
            !p.birth.to_string().ends_with("01-01") && !has(r, &[Slip::YearOnly])
        });
        check(Slip::NoNumber, &|p, _| p.number.is_some() || p.old_card.is_some());
        check(Slip::OldCard, &|p, _| p.number.is_some() && p.old_card.is_some());
        check(Slip::FormerAddress, &|p, r| {
            p.residences.len() > 1 && !has(r, &[Slip::NoAddress])
        });
        check(Slip::NoPhone, &|p, r| {
            p.phone.is_some() && !has(r, &[Slip::OthersPhone])
        });
        check(Slip::NoMarks, &|p, _| !p.name.to_string().is_ascii());
        let again = records.iter().filter(|(_, r)| r.slips.has(Slip::Duplicate)).count() as f64;
        let share = again / (records.len() as f64 - again);
        assert!(
            (share - profile.rate(Slip::Duplicate)).abs() < 0.008,
            "{profile:?}: {share} duplicates"
        );
    }
}

#[test]
fn a_record_without_mistakes_is_the_truth_and_one_with_some_is_not() {
    let records = all(6, Agency::A, Profile::Usual);
    let mut clean = 0;
    for (person, record) in &records {
        let name = person.name.to_string();
        let of_name = [
            Slip::Telex,
            Slip::Vni,
            Slip::NoMarks,
            Slip::PlainD,
            Slip::TonePlace,
            Slip::Decomposed,
            Slip::Order,
            Slip::ShortMiddle,
            Slip::Typo,
            Slip::Sound,
            Slip::OtherName,
        ];
        let capitals = record.name == record.name.to_uppercase();
        if !of_name.iter().any(|slip| record.slips.has(*slip)) {
            assert_eq!(record.name, if capitals { name.to_uppercase() } else { name.clone() });
        } else if !record.slips.has(Slip::OtherName) {
            assert_ne!(record.name, name, "{record:?}");
        }
        if record.slips.has(Slip::Decomposed) {
            assert_ne!(base::text::nfc(&record.name), record.name);
        }
        if record.slips.has(Slip::NoMarks) {
            assert_eq!(spelling::without_marks(&record.name), record.name);
        }
        let of_birth = [Slip::DayMonth, Slip::DefaultBirthday, Slip::YearOff, Slip::YearOnly];
        let wrong = of_birth.iter().any(|slip| record.slips.has(*slip));
        assert_eq!(record.birth != person.birth.to_string(), wrong, "{record:?}");
        let of_number = [
            Slip::Digit,
            Slip::Transposed,
            Slip::LeadingZero,
            Slip::OldCard,
            Slip::NoNumber,
        ];
        if !of_number.iter().any(|slip| record.slips.has(*slip)) {
            let number = person.person_number().map(String::from);
            let number = number
                .or_else(|| person.old_card_number().map(String::from))
                .unwrap_or_default();
            assert_eq!(record.number, number);
        }
        clean += usize::from(record.slips.to_string().is_empty());
    }
    assert!(clean * 10 > records.len(), "{clean} clean records");
}

#[test]
fn the_agencies_differ_and_know_whom_they_know() {
    let (a, b) = (all(6, Agency::A, Profile::Usual), all(6, Agency::B, Profile::Usual));
    assert!(a.iter().all(|(person, _)| person.death.is_none()));
    let dead = b.iter().filter(|(person, _)| person.death.is_some()).count();
    assert!(dead > 0 && dead * 20 < b.len(), "{dead} dead left in");
    assert!(a.len() > b.len());
    assert!(
        b.iter()
            .all(|(_, r)| r.birth.len() == 4 || r.birth.as_bytes()[2] == b'/')
    );
    let capitals = b.iter().filter(|(_, r)| r.name == r.name.to_uppercase()).count() as f64 / b.len() as f64;
    assert!((0.45..0.55).contains(&capitals), "{capitals}");
    let mut keys: Vec<&str> = a.iter().chain(&b).map(|(_, r)| r.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), a.len() + b.len(), "every record has its own key");
}
