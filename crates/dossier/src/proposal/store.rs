//! The tables of proposals.

use base::{Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use super::{
    model::{Entry, Proposal, ProposalId, RunId},
    runs::Origin,
};

/// A proposal as its row has it.
#[derive(Debug, Clone, Row)]
pub struct ProposalRow {
    pub id: Uuid,
    pub rule: String,
    pub procedure_code: String,
    pub acts: bool,
    pub subject: Vec<u8>,
}

const COLUMNS: &str = "p.id, p.rule, p.procedure_code, p.acts, p.subject";

/// A new proposal.
#[derive(Debug)]
pub struct New<'a> {
    pub proposal: &'a Proposal,
    pub subject_key: &'a str,
    pub subject: &'a [u8],
    pub readers: &'a [String],
    pub entry: &'a Entry,
}

#[derive(Debug, Row)]
struct EntryRow {
    entry: String,
}

/// Writes a proposal down, unless there is one for the same reason.
pub async fn insert(tx: &Tx, new: &New<'_>) -> Result<bool> {
    let Proposal { id, made, .. } = new.proposal;
    let sql = "INSERT INTO proposal (id, rule, procedure_code, acts, subject_key, subject, state, made_at, until_at, version) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let values = params![
        id,
        made.rule.0,
        made.procedure,
        new.proposal.acts,
        new.subject_key,
        new.subject,
        new.proposal.state.code(),
        new.proposal.made_at,
        made.until,
        new.proposal.version
    ];
    if tx.exec(sql, values).await? == 0 {
        return Ok(false);
    }
    let readers: Vec<_> = new.readers.iter().map(|reader| params![reader, id]).collect();
    tx.insert("proposal_reader (person_key, proposal_id)", &readers, "")
        .await?;
    append(tx, *id, new.entry).await?;
    Ok(true)
}

/// Moves a proposal on from `version`; false where somebody else was faster.
pub async fn advance(tx: &Tx, proposal: &Proposal, from: i64, entry: &Entry) -> Result<bool> {
    let sql = "UPDATE proposal SET state = $3, draft_id = $4, version = $5 WHERE id = $1 AND version = $2";
    let values = params![
        proposal.id,
        from,
        proposal.state.code(),
        proposal.draft,
        proposal.version
    ];
    if tx.exec(sql, values).await? == 0 {
        return Ok(false);
    }
    append(tx, proposal.id, entry).await?;
    Ok(true)
}

async fn append(tx: &Tx, id: ProposalId, entry: &Entry) -> Result<()> {
    let sql = "INSERT INTO proposal_entry (proposal_id, seq, entry) VALUES ($1, $2, $3)";
    let values = params![id, entry.seq, serde_json::to_string(entry)?];
    tx.exec(sql, values).await.map(drop)
}

/// A proposal by its id.
pub async fn by_id(db: &impl Read, id: ProposalId) -> Result<Option<ProposalRow>> {
    let sql = format!("SELECT {COLUMNS} FROM proposal p WHERE p.id = $1");
    db.one(&sql, params![id]).await
}

/// The proposal whose prepared draft this is.
pub async fn by_draft(db: &impl Read, draft: Uuid) -> Result<Option<ProposalRow>> {
    let sql = format!("SELECT {COLUMNS} FROM proposal p WHERE p.draft_id = $1 ORDER BY p.id DESC LIMIT 1");
    db.one(&sql, params![draft]).await
}

/// What a person may see, newest first, before `before`.
pub async fn of_person(db: &impl Read, person: &str, before: Option<Uuid>, limit: u32) -> Result<Vec<ProposalRow>> {
    let from = format!(
        "SELECT {COLUMNS} FROM proposal_reader r JOIN proposal p ON p.id = r.proposal_id WHERE r.person_key = $1"
    );
    match before {
        None => {
            let sql = format!("{from} ORDER BY r.proposal_id DESC LIMIT {limit}");
            db.all(&sql, params![person]).await
        }
        Some(before) => {
            let sql = format!("{from} AND r.proposal_id < $2 ORDER BY r.proposal_id DESC LIMIT {limit}");
            db.all(&sql, params![person, before]).await
        }
    }
}

/// Proposals of a rule that an officer must look at, oldest first.
pub async fn stuck(db: &impl Read, rule: &str, limit: u32) -> Result<Vec<ProposalRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM proposal p WHERE p.rule = $1 AND p.state = 'stuck' ORDER BY p.id LIMIT {limit}");
    db.all(&sql, params![rule]).await
}

/// Keeps the sealed values of an act.
pub async fn keep_plans(tx: &Tx, id: ProposalId, plans: &[u8]) -> Result<()> {
    let sql = "UPDATE proposal SET plans = $2 WHERE id = $1 AND plans IS NULL";
    tx.exec(sql, params![id, plans]).await.map(drop)
}

/// The sealed values of an act.
pub async fn plans(db: &impl Read, id: ProposalId) -> Result<Option<Vec<u8>>> {
    #[derive(Row)]
    struct PlansRow {
        plans: Option<Vec<u8>>,
    }
    let row: Option<PlansRow> = db.one("SELECT plans FROM proposal WHERE id = $1", params![id]).await?;
    Ok(row.and_then(|row| row.plans))
}

/// Whether a person may see a proposal.
pub async fn may_see(db: &impl Read, person: &str, id: ProposalId) -> Result<bool> {
    let sql = "SELECT proposal_id FROM proposal_reader WHERE person_key = $1 AND proposal_id = $2";
    let found: Option<Uuid> = db.scalar(sql, params![person, id]).await?;
    Ok(found.is_some())
}

/// Takes a proposal out of a person's sight, if somebody else still sees it.
pub async fn leave(tx: &Tx, person: &str, id: ProposalId) -> Result<bool> {
    let sql = "SELECT person_key FROM proposal_reader WHERE proposal_id = $1 AND person_key <> $2 LIMIT 1";
    let other: Option<String> = tx.scalar(sql, params![id, person]).await?;
    if other.is_some() {
        let sql = "DELETE FROM proposal_reader WHERE person_key = $1 AND proposal_id = $2";
        tx.exec(sql, params![person, id]).await?;
    }
    Ok(other.is_some())
}

/// The log of a proposal.
pub async fn log(db: &impl Read, id: ProposalId) -> Result<Vec<Entry>> {
    let sql = "SELECT entry FROM proposal_entry WHERE proposal_id = $1 ORDER BY seq";
    let rows: Vec<EntryRow> = db.all(sql, params![id]).await?;
    rows.iter().map(|row| Ok(serde_json::from_str(&row.entry)?)).collect()
}

/// An entry that has no leaf yet.
#[derive(Debug, Row)]
pub struct BareRow {
    pub proposal_id: Uuid,
    pub seq: i64,
    pub entry: String,
}

/// Entries without a leaf.
pub async fn bare(db: &impl Read, limit: usize) -> Result<Vec<BareRow>> {
    let sql = format!(
        "SELECT proposal_id, seq, entry FROM proposal_entry WHERE leaf IS NULL ORDER BY proposal_id, seq LIMIT {limit}"
    );
    db.all(&sql, params![]).await
}

/// Notes the leaf of an entry.
pub async fn has_leaf(tx: &Tx, entry: &BareRow, origin: &str, leaf: i64) -> Result<()> {
    let sql = "UPDATE proposal_entry SET origin = $3, leaf = $4 WHERE proposal_id = $1 AND seq = $2";
    let values = params![entry.proposal_id, entry.seq, origin, leaf];
    tx.exec(sql, values).await.map(drop)
}

/// From here to the end of the transaction nobody else decides what is proposed to these people.
pub async fn hold(tx: &Tx, people: &[String], now: Timestamp) -> Result<()> {
    let mut people: Vec<&String> = people.iter().collect();
    // Always in one order, so that two never wait for each other.
    people.sort();
    for person in people {
        let sql = "INSERT INTO proposal_person (person_key, touched_at) VALUES ($1, $2) \
                   ON CONFLICT (person_key) DO UPDATE SET touched_at = excluded.touched_at";
        tx.exec(sql, params![person, now]).await?;
    }
    Ok(())
}

/// Whether a person wants no proposals of this procedure, or none at all.
pub async fn unwanted(db: &impl Read, person: &str, procedure: &str) -> Result<bool> {
    let sql = "SELECT said_at FROM proposal_wish WHERE person_key = $1 AND procedure_code IN ($2, '') LIMIT 1";
    let said: Option<i64> = db.scalar(sql, params![person, procedure]).await?;
    Ok(said.is_some())
}

/// Of how many procedures one person may say that they want no proposals; there are not more rules.
const MOST_WISHES: u32 = 500;

/// What a person does not want, empty for everything.
pub async fn wishes(db: &impl Read, person: &str) -> Result<Vec<String>> {
    #[derive(Row)]
    struct WishRow {
        procedure_code: String,
    }
    let sql = format!(
        "SELECT procedure_code FROM proposal_wish WHERE person_key = $1 ORDER BY procedure_code LIMIT {MOST_WISHES}"
    );
    let rows: Vec<WishRow> = db.all(&sql, params![person]).await?;
    Ok(rows.into_iter().map(|row| row.procedure_code).collect())
}

/// Notes or takes back that a person does not want something.
pub async fn wish(tx: &Tx, person: &str, procedure: &str, wanted: bool, now: Timestamp) -> Result<()> {
    let (sql, values) = if wanted {
        (
            "DELETE FROM proposal_wish WHERE person_key = $1 AND procedure_code = $2",
            params![person, procedure],
        )
    } else {
        (
            "INSERT INTO proposal_wish (person_key, procedure_code, said_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            params![person, procedure, now],
        )
    };
    tx.exec(sql, values).await.map(drop)
}

/// What stands open for a person, of one procedure or of all (empty).
pub async fn open_of(db: &impl Read, person: &str, procedure: &str) -> Result<Vec<ProposalRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM proposal_reader r JOIN proposal p ON p.id = r.proposal_id \
         WHERE r.person_key = $1 AND p.state IN ('open', 'announced') AND ($2 = '' OR p.procedure_code = $2) ORDER BY p.id"
    );
    db.all(&sql, params![person, procedure]).await
}

/// Counts one more.
pub async fn count(tx: &Tx, (rule, procedure): (&str, &str), now: Timestamp, what: &str) -> Result<()> {
    let day = now.legal_date();
    let month = i64::from(day.year()) * 12 + i64::from(day.month()) - 1;
    let sql = "INSERT INTO proposal_count (rule, procedure_code, month, what, n) VALUES ($1, $2, $3, $4, 1) \
               ON CONFLICT (rule, procedure_code, month, what) DO UPDATE SET n = proposal_count.n + 1";
    tx.exec(sql, params![rule, procedure, month, what]).await.map(drop)
}

/// A counter.
#[derive(Debug, Clone, Row)]
pub struct CountRow {
    pub rule: String,
    pub procedure_code: String,
    pub what: String,
    pub n: i64,
}

/// The counters of some months together.
pub async fn counts(db: &impl Read, from: i64, to: i64) -> Result<Vec<CountRow>> {
    let sql = "SELECT rule, procedure_code, what, CAST(SUM(n) AS BIGINT) AS n FROM proposal_count \
               WHERE month >= $1 AND month <= $2 GROUP BY rule, procedure_code, what ORDER BY rule, procedure_code, what";
    db.all(sql, params![from, to]).await
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct RunRow {
    pub id: Uuid,
    pub rule: String,
    pub started_by: String,
    pub started_at: i64,
    pub total: i64,
    pub asked: Option<Uuid>,
    pub round: i64,
    pub ended_at: Option<i64>,
    pub by_events: bool,
}

const RUN: &str = "id, rule, started_by, started_at, total, asked, round, ended_at, by_events";

/// Writes a run down with those whom it looks at.
pub async fn insert_run(tx: &Tx, run: &RunRow, subjects: &[Vec<u8>]) -> Result<()> {
    let sql = "INSERT INTO proposal_run (id, rule, started_by, started_at, total, by_events, round) VALUES ($1, $2, $3, $4, $5, $6, 0)";
    let values = params![
        run.id,
        run.rule,
        run.started_by,
        run.started_at,
        run.total,
        run.by_events
    ];
    tx.exec(sql, values).await?;
    let rows: Vec<_> = (1_i64..)
        .zip(subjects)
        .map(|(n, subject)| params![run.id, n, subject])
        .collect();
    tx.insert("proposal_candidate (run_id, n, subject)", &rows, "").await
}

/// Whether a run of a rule over people of this origin has not ended.
pub async fn is_under_way(db: &impl Read, rule: &str, origin: Origin) -> Result<bool> {
    let sql = "SELECT id FROM proposal_run WHERE rule = $1 AND by_events = $2 AND ended_at IS NULL LIMIT 1";
    let found: Option<Uuid> = db.scalar(sql, params![rule, origin == Origin::Events]).await?;
    Ok(found.is_some())
}

/// Somebody whom an event named.
#[derive(Debug, Clone, Row)]
pub struct AwaitedRow {
    pub person_key: String,
    pub subject: Vec<u8>,
    pub due_at: i64,
}

/// Waits for somebody; a later event moves the day when they are looked at.
pub async fn await_person(tx: &Tx, rule: &str, one: &AwaitedRow) -> Result<()> {
    let sql = "INSERT INTO proposal_awaited (rule, person_key, subject, due_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (rule, person_key) DO UPDATE SET due_at = excluded.due_at";
    tx.exec(sql, params![rule, one.person_key, one.subject, one.due_at])
        .await
        .map(drop)
}

/// Those whom a rule looks at now, the first due first.
pub async fn due(db: &impl Read, rule: &str, now: Timestamp, limit: usize) -> Result<Vec<AwaitedRow>> {
    let sql = format!(
        "SELECT person_key, subject, due_at FROM proposal_awaited WHERE rule = $1 AND due_at <= $2 ORDER BY due_at LIMIT {limit}"
    );
    db.all(&sql, params![rule, now]).await
}

/// Waits no more for those who are looked at; who was named once more meanwhile is waited for on.
pub async fn take_awaited(tx: &Tx, rule: &str, people: &[AwaitedRow]) -> Result<()> {
    for one in people {
        let sql = "DELETE FROM proposal_awaited WHERE rule = $1 AND person_key = $2 AND due_at = $3";
        tx.exec(sql, params![rule, one.person_key, one.due_at]).await?;
    }
    Ok(())
}

/// Waits for nobody any more.
pub async fn forget_awaited(tx: &Tx, rule: &str) -> Result<()> {
    let sql = "DELETE FROM proposal_awaited WHERE rule = $1";
    tx.exec(sql, params![rule]).await.map(drop)
}

/// For how many a rule waits, counted up to `most`.
pub async fn awaited(db: &impl Read, rule: &str, most: i64) -> Result<i64> {
    let sql = "SELECT COUNT(*) FROM (SELECT person_key FROM proposal_awaited WHERE rule = $1 LIMIT $2) AS people";
    let people: Option<i64> = db.scalar(sql, params![rule, most]).await?;
    Ok(people.unwrap_or(0))
}

/// When the first is due for whom a rule waits.
pub async fn first_due(db: &impl Read, rule: &str) -> Result<Option<Timestamp>> {
    let sql = "SELECT due_at FROM proposal_awaited WHERE rule = $1 ORDER BY due_at LIMIT 1";
    let first: Option<i64> = db.scalar(sql, params![rule]).await?;
    Ok(first.map(Timestamp::from_micros))
}

/// Forgets whom former runs of a rule over a list looked at.
pub async fn forget_former(tx: &Tx, rule: &str) -> Result<()> {
    let sql = "DELETE FROM proposal_candidate WHERE run_id IN \
               (SELECT id FROM proposal_run WHERE rule = $1 AND ended_at IS NOT NULL AND NOT by_events)";
    tx.exec(sql, params![rule]).await.map(drop)
}

/// A run by its id.
pub async fn run(db: &impl Read, id: RunId) -> Result<Option<RunRow>> {
    let sql = format!("SELECT {RUN} FROM proposal_run WHERE id = $1");
    db.one(&sql, params![id]).await
}

/// The newest runs of a rule.
pub async fn runs(db: &impl Read, rule: &str, limit: u32) -> Result<Vec<RunRow>> {
    let sql = format!("SELECT {RUN} FROM proposal_run WHERE rule = $1 ORDER BY id DESC LIMIT {limit}");
    db.all(&sql, params![rule]).await
}

/// Notes which question is being asked of those who are left; or that none is.
pub async fn asks(tx: &Tx, id: RunId, asked: Option<Uuid>, round: i64) -> Result<()> {
    let sql = "UPDATE proposal_run SET asked = $2, round = $3 WHERE id = $1";
    tx.exec(sql, params![id, asked, round]).await.map(drop)
}

/// Notes that a run is over.
pub async fn end_run(tx: &Tx, id: RunId, now: Timestamp) -> Result<()> {
    let sql = "UPDATE proposal_run SET ended_at = $2, asked = NULL WHERE id = $1";
    tx.exec(sql, params![id, now]).await.map(drop)
}

/// Whom a run looks at.
#[derive(Debug, Clone, Row)]
pub struct CandidateRow {
    pub n: i64,
    pub subject: Vec<u8>,
    pub line: Option<i64>,
    pub answer_id: Option<Uuid>,
}

const CANDIDATE: &str = "n, subject, line, answer_id";

/// Those of whom nothing came yet, in order after `after`.
pub async fn open_candidates(db: &impl Read, id: RunId, after: i64, limit: usize) -> Result<Vec<CandidateRow>> {
    let sql = format!(
        "SELECT {CANDIDATE} FROM proposal_candidate WHERE run_id = $1 AND outcome IS NULL AND n > $2 ORDER BY n LIMIT {limit}"
    );
    db.all(&sql, params![id, after]).await
}

/// Everybody of a run: for the next one, which looks at the same people.
pub async fn candidates(db: &impl Read, id: RunId, limit: usize) -> Result<Vec<CandidateRow>> {
    let sql = format!("SELECT {CANDIDATE} FROM proposal_candidate WHERE run_id = $1 ORDER BY n LIMIT {limit}");
    db.all(&sql, params![id]).await
}

/// Forgets whom a run looked at; the counts of what came of them stay.
pub async fn forget_candidates(tx: &Tx, id: RunId) -> Result<()> {
    let sql = "DELETE FROM proposal_candidate WHERE run_id = $1";
    tx.exec(sql, params![id]).await.map(drop)
}

/// Notes on which line of the question somebody stands.
pub async fn stands_on(tx: &Tx, id: RunId, n: i64, line: i64) -> Result<()> {
    let sql = "UPDATE proposal_candidate SET line = $3, answer_id = NULL WHERE run_id = $1 AND n = $2";
    tx.exec(sql, params![id, n, line]).await.map(drop)
}

/// Notes the answer that says yes of somebody.
pub async fn answered(tx: &Tx, id: RunId, n: i64, answer: Uuid) -> Result<()> {
    let sql = "UPDATE proposal_candidate SET answer_id = $3 WHERE run_id = $1 AND n = $2";
    tx.exec(sql, params![id, n, answer]).await.map(drop)
}

/// Notes what came of somebody, once.
pub async fn came_of(tx: &Tx, id: RunId, n: i64, outcome: &str) -> Result<()> {
    let sql = "UPDATE proposal_candidate SET outcome = $3 WHERE run_id = $1 AND n = $2 AND outcome IS NULL";
    if tx.exec(sql, params![id, n, outcome]).await? == 1 {
        let sql = "INSERT INTO proposal_run_count (run_id, outcome, n) VALUES ($1, $2, 1) \
                   ON CONFLICT (run_id, outcome) DO UPDATE SET n = proposal_run_count.n + 1";
        tx.exec(sql, params![id, outcome]).await?;
    }
    Ok(())
}

/// What came of a run so far.
pub async fn outcomes(db: &impl Read, id: RunId) -> Result<Vec<(String, i64)>> {
    #[derive(Row)]
    struct OutcomeRow {
        outcome: String,
        n: i64,
    }
    let sql = "SELECT outcome, n FROM proposal_run_count WHERE run_id = $1 ORDER BY outcome";
    let rows: Vec<OutcomeRow> = db.all(sql, params![id]).await?;
    Ok(rows.into_iter().map(|row| (row.outcome, row.n)).collect())
}
