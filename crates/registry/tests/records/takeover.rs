//! Records that are taken over with their histories are those that were written here, version by version.

use base::Timestamp;
use registry::service::Recorded;
use serde_json::json;
use store::{Read as _, Row, params, sea_orm};

use super::{
    Change, Ctx, Error, Mask, Office, Provenance, Registries, Seen, Target, Value, When, With, Written, day, key,
    offices, person, population, purpose, steward,
};

const NUMBERS: [&str; 3] = ["001190000017", "001190000024", "001190000031"];

/// Chance that is the same each time.
pub struct Dice(pub u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(&format!("{text}T08:00:00+07:00")).expect("an instant")
}

fn holds(number: &str, from: u64, commune: u64) -> With {
    With::Holds {
        from: day(&format!("2021-{:02}-01", 1 + from % 12)),
        to: None,
        body: person(
            number,
            "Nguyễn Thị An",
            ["00004", "00008", "00025"][commune as usize % 3],
        ),
    }
}

/// What might be recorded of a record next.
fn next(dice: &mut Dice, number: &str, nth: i64, recorded: Timestamp) -> Recorded {
    let (from, commune) = (dice.below(12), dice.below(3));
    let corrects = (nth > 0 && dice.below(3) == 0).then(|| 1 + dice.below(nth as u64) as i64);
    let says = match (dice.below(6), corrects) {
        (0, Some(_)) => With::Void,
        (1, _) if nth > 0 => With::Ends {
            at: day(&format!("2021-{:02}-15", 1 + from % 12)),
        },
        _ => holds(number, from, commune),
    };
    Recorded {
        key: number.to_owned(),
        seq: nth + 1,
        recorded_at: recorded,
        corrects,
        says,
        source: "Sổ cũ".to_owned(),
        basis: "Luật Căn cước số 26/2023/QH15".to_owned(),
    }
}

/// Writes a version as it is written every day.
async fn write(registries: &Registries, version: &Recorded, seen: Option<&Written>) -> Result<Written, Error> {
    let record = seen.map(|seen| Seen {
        record: seen.record,
        seq: seen.seq,
    });
    let change = match (version.corrects, version.says.clone(), record) {
        (Some(corrects), with, Some(record)) => Change::Correct { record, corrects, with },
        (None, With::Ends { at }, Some(record)) => Change::End { record, at },
        (_, With::Holds { from, to, body }, record) => Change::Assert {
            target: record.map_or(Target::New, Target::Known),
            from,
            to,
            body,
        },
        other => panic!("not to be written: {other:?}"),
    };
    let provenance = Provenance {
        source: version.source.clone(),
        basis: version.basis.clone(),
        dossier: None,
    };
    let ctx = Ctx {
        now: version.recorded_at,
        ..steward()
    };
    registries.write(&ctx, &population(), change, &provenance, &key()).await
}

#[derive(Debug, PartialEq, Row)]
struct SegmentRow {
    valid_from: i64,
    valid_to: i64,
    known_from: i64,
    known_to: i64,
    seq: i64,
    ended: bool,
    begins: bool,
}

#[derive(Debug, PartialEq, Row)]
struct IndexRow {
    slot: i64,
    value: Vec<u8>,
    valid_from: i64,
    valid_to: i64,
    known_from: i64,
    known_to: i64,
}

#[derive(Debug, PartialEq, Row)]
struct VersionRow {
    seq: i64,
    kind: String,
    effect: String,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
    recorded_at: i64,
    body: Option<String>,
    corrects: Option<i64>,
    actor_name: String,
    source: String,
    basis: String,
}

/// Everything that is kept of records but their ids: each version has an instant of its own, by which its rows are known.
async fn kept(office: &Office) -> (Vec<VersionRow>, Vec<SegmentRow>, Vec<IndexRow>) {
    let read = office.store.read();
    let versions = "SELECT seq, kind, effect, valid_from, valid_to, recorded_at, body, corrects, actor_name, source, basis \
                    FROM registry_version ORDER BY recorded_at";
    let segments = "SELECT valid_from, valid_to, known_from, known_to, seq, ended, begins FROM registry_segment \
                    ORDER BY known_from, valid_from";
    let index = "SELECT slot, value, valid_from, valid_to, known_from, known_to FROM registry_index \
                 ORDER BY known_from, slot, value, valid_from";
    (
        read.all(versions, params![]).await.expect("versions"),
        read.all(segments, params![]).await.expect("segments"),
        read.all(index, params![]).await.expect("the index"),
    )
}

/// Writes what a year might bring to three records.
pub async fn write_some(registries: &Registries, dice: &mut Dice) -> Vec<Recorded> {
    let (mut versions, mut seen) = (Vec::new(), [None, None, None]);
    for month in 1..=12 {
        for day in [3, 3, 17] {
            let which = dice.below(3) as usize;
            let nth = seen[which].as_ref().map_or(0, |seen: &Written| seen.seq);
            let recorded = at(&format!("2022-{month:02}-{day:02}"));
            let version = next(dice, NUMBERS[which], nth, recorded);
            // What the use cases of every day refuse is not part of the history.
            if let Ok(now) = write(registries, &version, seen[which].as_ref()).await {
                seen[which] = Some(now);
                versions.push(version);
            }
        }
    }
    assert!(versions.len() > 15, "{}", versions.len());
    versions
}

#[tokio::test]
async fn taken_over_at_once_they_are_as_if_written_one_by_one() {
    for seed in 0..5 {
        let (mut written, taken) = (offices().await, offices().await);
        for (one, other) in written.drain(..).zip(&taken) {
            let mut dice = Dice(seed);
            let versions = write_some(&one.registries, &mut dice).await;
            let mut rest = versions.as_slice();
            while !rest.is_empty() {
                let (some, after) = rest.split_at((1 + dice.below(20) as usize).min(rest.len()));
                let count = other.registries.take_over(&steward(), &population(), some).await;
                assert_eq!(count.expect("taken over"), some.len());
                rest = after;
            }
            assert_eq!(kept(&one).await, kept(other).await, "seed {seed}");
            // Once more is once.
            let again = other.registries.take_over(&steward(), &population(), &versions).await;
            assert_eq!(again.expect("they are there"), 0);
        }
    }
}

#[tokio::test]
async fn histories_that_do_not_fit_are_refused_whole() {
    for office in offices().await {
        let registries = &office.registries;
        let version = |seq: i64, recorded: &str, says: With| Recorded {
            key: NUMBERS[0].to_owned(),
            seq,
            recorded_at: at(recorded),
            corrects: None,
            says,
            source: "Sổ cũ".to_owned(),
            basis: String::new(),
        };
        let born = || version(1, "2022-07-01", holds(NUMBERS[0], 0, 0));
        let moved = || version(2, "2023-01-02", holds(NUMBERS[0], 5, 1));
        let take = async |versions: &[Recorded]| {
            let taken = registries.take_over(&steward(), &population(), versions).await;
            match taken {
                Ok(count) => count.to_string(),
                Err(Error::Refused(_, problems)) => {
                    let told = problems
                        .iter()
                        .map(|p| format!("{} {}", p.at, p.code).trim().to_owned());
                    told.collect::<Vec<_>>().join(", ")
                }
                Err(error) => panic!("{error}"),
            }
        };
        let mut other = born();
        other.key = NUMBERS[1].to_owned();
        let mut nameless = moved();
        nameless.says = match nameless.says {
            With::Holds { from, to, mut body } => {
                body.as_object_mut().expect("fields").remove("name");
                With::Holds { from, to, body }
            }
            says => says,
        };
        nameless.source = " ".to_owned();
        assert_eq!(
            take(&[other, nameless.clone()]).await,
            "versions[0].key other-key, versions[1].source required"
        );
        nameless.source = "Sổ cũ".to_owned();
        assert_eq!(take(&[born(), nameless]).await, "versions[1] required");
        let ahead = version(1, "2027-01-01", holds(NUMBERS[0], 0, 0));
        assert_eq!(take(&[ahead]).await, "versions[0].recorded_at recorded-ahead");
        let mut void = born();
        void.says = With::Void;
        assert_eq!(take(&[void]).await, "versions[0].corrects nothing-said");
        assert_eq!(take(&[moved()]).await, "version-missing", "the first is not there");
        assert_eq!(take(&[born(), moved()]).await, "2");
        let late = version(3, "2022-12-31", holds(NUMBERS[0], 7, 2));
        assert_eq!(take(&[late]).await, "recorded-before");
        let differs = version(2, "2023-01-02", holds(NUMBERS[0], 5, 2));
        assert_eq!(take(&[differs]).await, "version-differs");
        let mut far = version(3, "2023-02-01", With::Void);
        far.corrects = Some(9);
        assert_eq!(take(&[far]).await, "version-missing");

        let reader = super::officer("Ông Khách", "G01", super::Role::Reader);
        let refused = registries.take_over(&reader, &population(), &[moved()]).await;
        assert_eq!(refused.expect_err("no steward").kind(), Some(super::Kind::Forbidden));

        // It is known since the day on which it was recorded there, by whoever takes it over.
        let read = async |known: &str| {
            let when = When {
                as_of: Some(day("2022-06-01")),
                known_at: Some(at(known).plus_seconds(60)),
            };
            let read = registries
                .read(&steward(), &purpose(), &population(), NUMBERS[0], when, &Mask::ALL)
                .await;
            read.map(|view| view.body["residence"]["commune"].clone())
                .unwrap_or(Value::Null)
        };
        assert_eq!(read("2022-06-30").await, Value::Null);
        assert_eq!(read("2022-07-01").await, json!("00004"));
        assert_eq!(read("2023-01-02").await, json!("00008"));
    }
}
