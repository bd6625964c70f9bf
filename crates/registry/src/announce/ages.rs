//! Ages that are reached: no version of a record tells of them, the calendar does. Of each day a job tells who reached an age on it, and orders the
//! next day. When the node starts the last days are gone through again, so that one that stood still is late and loses nobody; what was told before
//! is there under its id.

use base::{Result, Timestamp};
use jiff::{
    ToSpan as _,
    civil::{Date, Time},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    Tx,
    jobs::{Job, Run},
    transact,
};
use uuid::Uuid;

use super::{Announcer, RETENTION_DAYS, types_of};
use crate::{
    history::Moment,
    model::{Age, EventType, Registry, RegistryCode},
    service::{Mask, body_of},
    shelf::Editions,
    store::{
        NOW, VersionRow, index,
        read::{self, At, Bound, Condition, Order},
    },
};
use exchange::events::NewEvent;

/// It is to be told who reached an age on a day.
pub(super) const AGES: &str = "registry.ages";
/// Days before today that are gone through when the node starts. Fewer than events are kept, else somebody would be told of twice.
const BACK: i64 = 14;
/// Records that are looked at together.
const PIECE: u32 = 100;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Of {
    registry: RegistryCode,
    day: Date,
}

/// Orders that the last days are gone through, where a registry tells of ages.
pub(super) async fn begin(tx: &Tx, registry: &Registry, now: Timestamp) -> Result<()> {
    if registry.events.iter().all(|event| event.reaches.is_none()) {
        return Ok(());
    }
    let first = now.legal_date().saturating_sub(BACK.days());
    tx.enqueue(order(&registry.code, first, now)?, now).await
}

/// The order of a day, due once it has come; at most one waits for each registry.
fn order(code: &RegistryCode, day: Date, now: Timestamp) -> Result<Job> {
    let registry = code.clone();
    let comes = Timestamp::from_legal(day.to_datetime(Time::midnight()));
    let job = Job::new(AGES, &Of { registry, day })?;
    Ok(job.key(format!("{AGES}/{code}")).at(comes.max(now)))
}

impl Announcer {
    /// Tells who reached an age on the day of the job, and orders the next day.
    pub(super) async fn tell_ages(&self, run: &Run) -> Result<()> {
        let Of { registry: code, day } = run.payload()?;
        let registries = &self.0.registries;
        registries.shelf().refresh().await?;
        let editions = registries.editions(&code)?;
        let registry = editions.current();
        let mut tells = false;
        if self.tells(&registry) {
            for event in &registry.events {
                let Some(age) = &event.reaches else { continue };
                tells = true;
                for since in written(day, age.years) {
                    self.tell_of(&editions, event, age, (day, &since), run.now).await?;
                }
            }
        }
        let next = order(&code, day.saturating_add(1.day()), run.now)?;
        transact!(registries.store(), |tx| {
            run.done(&tx).await?;
            match tells {
                true => tx.enqueue(next.clone(), run.now).await,
                false => Ok(()),
            }
        })
    }

    /// Tells of all whose field says `since`.
    async fn tell_of(
        &self,
        editions: &Editions,
        event: &EventType,
        age: &Age,
        (day, since): (Date, &str),
        now: Timestamp,
    ) -> Result<()> {
        let registry = editions.current();
        let Some(filter) = registry.filter(&age.since) else {
            return Ok(());
        };
        let Some(value) = index::bytes(filter, &Value::from(since)) else {
            return Ok(());
        };
        let conditions = [Condition {
            slot: index::slot_of(&registry, filter),
            bound: Bound::Is(value),
        }];
        let at = At {
            valid: Moment::of(now, registry.valid_time),
            known: NOW,
        };
        let (db, id) = (self.0.registries.store().read(), self.type_of(&registry, event)?);
        let mut after = None;
        loop {
            let order = Order::Age { after };
            let places = read::find(&db, &registry.code, &conditions, &order, at, PIECE).await?;
            let records: Vec<Uuid> = places.iter().map(|place| place.record_id).collect();
            let spoken = read::spoken(&db, &registry.code, &records, at).await?;
            let news = spoken
                .iter()
                .map(|spoken| reached(editions, event, day, &spoken.version, now));
            self.publish(&id, news.collect::<Result<_>>()?).await?;
            after = match records.last() {
                Some(last) if records.len() == PIECE as usize => Some(*last),
                _ => return Ok(()),
            };
        }
    }
}

fn reached(
    editions: &Editions,
    event: &EventType,
    day: Date,
    version: &VersionRow,
    now: Timestamp,
) -> Result<NewEvent> {
    let mut data = json!({ "record": version.record_id, "day": day.to_string() });
    if let Some(body) = body_of(editions, version, now)? {
        data["fields"] = Mask::of(event.fields.clone()).apply(&body);
    }
    Ok(NewEvent {
        producer_id: Some(producer_id(version.record_id, day)),
        key: None,
        data,
    })
}

/// A record reaches an age on one day; on another only where the field was wrong.
fn producer_id(record: Uuid, day: Date) -> String {
    format!("{record}@{day}")
}

/// The ids of all that may be told still of a record on a day.
pub(super) fn ids_until(record: Uuid, last: Date) -> Vec<String> {
    let days = (0..=RETENTION_DAYS + BACK).map(|back| last.saturating_sub(back.days()));
    days.map(|day| producer_id(record, day)).collect()
}

/// The schema of the data of such an event.
pub(super) fn schema_of(registry: &Registry, event: &EventType) -> Value {
    json!({
        "type": "object",
        "properties": {
            "record": { "type": "string", "description": "Id of the record in the registry" },
            "day": { "type": "string", "format": "date", "description": "The day on which the age is reached" },
            "fields": types_of(registry, &event.fields),
        },
        "required": ["record", "day"],
        "additionalProperties": false,
    })
}

/// How a field may write the day since which it is so many years on a day. Of whom the month alone is known it is so on its last day, and of whom the
/// year alone on the last of the year: nobody of them is younger then. Who was born on 29 February is older on 28 February of a year without a 29th
/// (Civil Code 91/2015/QH13, Article 148).
fn written(day: Date, years: u16) -> Vec<String> {
    let Some(year) = i16::try_from(years)
        .ok()
        .and_then(|years| day.year().checked_sub(years))
    else {
        return Vec::new();
    };
    let in_month = |n: i8| Date::new(year, day.month(), n).ok().map(|since| since.to_string());
    let mut written: Vec<String> = in_month(day.day()).into_iter().collect();
    if day == day.last_of_month() {
        written.extend((day.day() + 1..=31).filter_map(in_month));
        written.push(format!("{year:04}-{:02}", day.month()));
        if day.month() == 12 {
            written.push(format!("{year:04}"));
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn an_age_is_reached_on_the_day_and_by_whom_it_is_not_whole_on_the_last() {
        for (day, since) in [
            (date(2026, 11, 25), vec!["1951-11-25"]),
            (date(2026, 11, 30), vec!["1951-11-30", "1951-11"]),
            (date(2026, 12, 31), vec!["1951-12-31", "1951-12", "1951"]),
            (date(2027, 2, 28), vec!["1952-02-28", "1952-02-29", "1952-02"]),
            (date(2028, 2, 28), vec!["1953-02-28"]),
            (date(2028, 2, 29), vec!["1953-02"]),
        ] {
            assert_eq!(written(day, 75), since, "{day}");
        }
    }
}
