//! Keeping the figures: facts take the place of older ones, and the counters move by the difference.

use std::collections::BTreeMap;

use ::store::{
    MOST_VALUES, Read, Row, Tx, among, padded, params,
    sea_orm::{self, Value},
};
use base::{Result, Timestamp};
use uuid::Uuid;

use crate::model::{Change, Effect, Fact, Measure, User};

const FACT: &str = "fact (dossier_id, seq, agency, field, procedure_code, channel, account, status, running, submitted_at, received_at, \
                    original_due_at, due_at, ended_at, delivered_at, outcome, working_minutes, supplements, pauses, held, asked_again)";

/// Puts facts, no two of one dossier, in the place of older ones and moves the counters by the differences. Facts that are not
/// newer than what is known change nothing.
pub async fn apply(tx: &Tx, facts: &[Fact], at: impl Fn(&Fact) -> Timestamp) -> Result<()> {
    if facts.is_empty() {
        return Ok(());
    }
    take_turn(tx).await?;
    let old = known(tx, facts).await?;
    let changes = facts.iter().map(|new| Change {
        old: old.get(&new.dossier_id),
        new,
        at: at(new),
    });
    let changes: Vec<Change<'_>> = changes
        .filter(|c| c.old.is_none_or(|old| old.seq < c.new.seq))
        .collect();
    let replaced: Vec<Uuid> = changes.iter().filter_map(|c| c.old).map(|old| old.dossier_id).collect();
    for ids in padded(&replaced, MOST_VALUES) {
        let sql = format!("DELETE FROM fact WHERE dossier_id IN ({})", among(1, ids.len()));
        tx.exec(&sql, ids.into_iter().map(Value::from).collect()).await?;
    }
    let rows: Vec<Vec<Value>> = changes.iter().map(|c| row(c.new)).collect::<Result<_>>()?;
    tx.insert(FACT, &rows, "").await?;
    move_counters(tx, &Effect::of(changes)).await
}

/// Makes whoever else moves counters wait until this transaction has ended. Each statement after it then sees all that was
/// committed before, under READ COMMITTED too: without it two transactions could read the same old fact and both count their
/// difference to it, or one could clear counters while the other keeps the fact that belongs to them. Under a stricter level the
/// one that waited is run again. With one such row before all others no two transactions can wait for each other. It costs
/// little: the dossiers of a day are of the same few services, whose counters let only one move them at a time anyway.
async fn take_turn(tx: &Tx) -> Result<()> {
    tx.exec("UPDATE figure_turn SET whole = whole WHERE id = 1", params![])
        .await
        .map(drop)
}

/// What is known of the same dossiers.
async fn known(tx: &Tx, facts: &[Fact]) -> Result<BTreeMap<Uuid, Fact>> {
    let ids: Vec<Uuid> = facts.iter().map(|fact| fact.dossier_id).collect();
    let mut known = BTreeMap::new();
    for ids in padded(&ids, MOST_VALUES) {
        let sql = format!("SELECT * FROM fact WHERE dossier_id IN ({})", among(1, ids.len()));
        let rows = tx.all::<Fact>(&sql, ids.into_iter().map(Value::from).collect()).await?;
        known.extend(rows.into_iter().map(|fact| (fact.dossier_id, fact)));
    }
    Ok(known)
}

fn row(fact: &Fact) -> Result<Vec<Value>> {
    Ok(params![
        fact.dossier_id,
        fact.seq,
        fact.agency,
        fact.field,
        fact.procedure_code,
        fact.channel,
        fact.account,
        fact.status,
        fact.running,
        fact.submitted_at,
        fact.received_at,
        fact.original_due_at,
        fact.due_at,
        fact.ended_at,
        fact.delivered_at,
        fact.outcome,
        fact.working_minutes,
        fact.supplements,
        serde_json::to_string(&fact.pauses)?,
        fact.held,
        fact.asked_again
    ])
}

async fn move_counters(tx: &Tx, effect: &Effect) -> Result<()> {
    let columns = Measure::ALL.map(Measure::column);
    let sums = columns.map(|c| format!("{c} = figure.{c} + excluded.{c}")).join(", ");
    let figures = effect.figures.iter().map(|((service, month), counts)| {
        let mut row = params![service.agency, month.index(), service.field, service.procedure];
        row.extend(Measure::ALL.map(|m| Value::from(counts.get(m))));
        row
    });
    tx.insert(
        &format!("figure (agency, month, field, procedure_code, {})", columns.join(", ")),
        &figures.collect::<Vec<_>>(),
        &format!(" ON CONFLICT (agency, month, field, procedure_code) DO UPDATE SET {sums}"),
    )
    .await?;
    let durations = effect.durations.iter().map(|((service, month, bucket), n)| {
        params![
            service.agency,
            month.index(),
            service.field,
            service.procedure,
            *bucket,
            *n
        ]
    });
    tx.insert(
        "figure_duration (agency, month, field, procedure_code, bucket, n)",
        &durations.collect::<Vec<_>>(),
        " ON CONFLICT (agency, month, field, procedure_code, bucket) DO UPDATE SET n = figure_duration.n + excluded.n",
    )
    .await?;
    let standing = effect.standing.iter().map(|(service, shift)| {
        params![
            service.agency,
            service.field,
            service.procedure,
            shift.waiting,
            shift.in_progress,
            shift.paused,
            shift.at
        ]
    });
    tx.insert(
        "figure_standing (agency, field, procedure_code, waiting, in_progress, paused, updated_at)",
        &standing.collect::<Vec<_>>(),
        " ON CONFLICT (agency, field, procedure_code) DO UPDATE SET \
         waiting = figure_standing.waiting + excluded.waiting, \
         in_progress = figure_standing.in_progress + excluded.in_progress, \
         paused = figure_standing.paused + excluded.paused, \
         updated_at = CASE WHEN figure_standing.updated_at > excluded.updated_at \
         THEN figure_standing.updated_at ELSE excluded.updated_at END",
    )
    .await?;
    let people = move_users(tx, &effect.users).await?;
    let people = people
        .iter()
        .map(|(user, n)| params![user.agency, user.procedure, user.year, user.online, *n]);
    tx.insert(
        "figure_people (agency, procedure_code, year, online, people)",
        &people.collect::<Vec<_>>(),
        " ON CONFLICT (agency, procedure_code, year, online) DO UPDATE SET people = figure_people.people + excluded.people",
    )
    .await
}

#[derive(Debug, Row)]
struct UserRow {
    agency: String,
    procedure_code: String,
    year: i64,
    online: bool,
    account: Uuid,
    n: i64,
}

/// Moves the dossiers of users; gives how many people more, or fewer, used each service, as users without account. A person
/// comes with the first dossier and goes with the last.
async fn move_users(tx: &Tx, users: &BTreeMap<User, i64>) -> Result<BTreeMap<User, i64>> {
    let mut people: BTreeMap<User, i64> = BTreeMap::new();
    let mut rows = Vec::new();
    for (user, n) in users {
        match user.account {
            None => *people.entry(user.clone()).or_default() += n,
            Some(account) => rows.push(params![
                user.agency,
                user.procedure,
                user.year,
                user.online,
                account,
                *n
            ]),
        }
    }
    let known = tx
        .insert_returning::<UserRow>(
            "figure_user (agency, procedure_code, year, online, account, n)",
            &rows,
            " ON CONFLICT (agency, procedure_code, year, online, account) DO UPDATE SET n = figure_user.n + excluded.n \
             RETURNING agency, procedure_code, year, online, account, n",
        )
        .await?;
    for now in known {
        let mut user = User {
            agency: now.agency,
            procedure: now.procedure_code,
            year: now.year,
            online: now.online,
            account: Some(now.account),
        };
        let before = now.n - users.get(&user).copied().unwrap_or_default();
        user.account = None;
        *people.entry(user).or_default() += i64::from(now.n > 0) - i64::from(before > 0);
    }
    people.retain(|_, n| *n != 0);
    Ok(people)
}

/// Forgets everything. From then on what stood at the end of months is not known, until [`finish`].
pub async fn clear(tx: &Tx) -> Result<()> {
    set_whole(tx, false).await?;
    for table in [
        "fact",
        "figure",
        "figure_duration",
        "figure_standing",
        "figure_user",
        "figure_people",
    ] {
        tx.exec(&format!("DELETE FROM {table}"), params![]).await?;
    }
    Ok(())
}

/// Notes that all facts were made anew.
pub async fn finish(tx: &Tx) -> Result<()> {
    set_whole(tx, true).await
}

async fn set_whole(tx: &Tx, whole: bool) -> Result<()> {
    tx.exec("UPDATE figure_turn SET whole = $1 WHERE id = 1", params![whole])
        .await
        .map(drop)
}
