//! Reads of personal data, whom they were about, and how many there were.

use std::collections::BTreeMap;

use ::store::{MOST_VALUES, Param, Read, Row, Tx, among, padded, params, sea_orm, sea_orm::Value};
use base::{Result, Timestamp};
use jiff::civil::Date;
use uuid::Uuid;

use super::{super::fold::Fold, STAYS};
use crate::{
    journal::{ErasureRecord, LeafId},
    model::tracker::{ReadRecord, SubjectIndex},
};

/// A read.
#[derive(Debug, Clone, PartialEq, Row)]
pub struct ReadRow {
    pub leaf: i64,
    pub at: i64,
    pub request_id: Uuid,
    pub client: String,
    pub member: String,
    pub service: String,
    pub action: String,
    pub purpose: String,
    pub issue: Option<String>,
}

const READ: &str = "r.leaf, r.at, r.request_id, r.client, r.member, r.service, r.action, r.purpose, r.issue";

const INTO: &str = "journal_read (leaf, logged_at, at, request_id, client, member, service, provider, action, purpose, issue, \
                    user_id, more)";

pub(super) async fn add(tx: &Tx, folds: &[Fold]) -> Result<()> {
    let (mut reads, mut subjects) = (Vec::new(), Vec::new());
    let mut days: BTreeMap<Counted, i64> = BTreeMap::new();
    for fold in folds {
        let Fold::Read { leaf, logged, read } = fold else {
            continue;
        };
        reads.push(row(*leaf, *logged, read.as_ref()));
        if let Some(read) = read {
            let of = |subject: &SubjectIndex| params![subject.0[..], read.at, leaf.key()];
            subjects.extend(read.subjects.iter().map(of));
            *days
                .entry(counted(
                    leaf.log(),
                    read.at,
                    &read.client.member.to_string(),
                    read.purpose.as_str(),
                ))
                .or_default() += 1;
        }
    }
    tx.insert(INTO, &reads, STAYS).await?;
    tx.insert("journal_subject (subject, at, leaf)", &subjects, STAYS)
        .await?;
    for (counted, n) in days {
        count(tx, counted, n).await?;
    }
    Ok(())
}

fn row(leaf: LeafId, logged: Timestamp, read: Option<&ReadRecord>) -> Vec<Value> {
    let text = |of: fn(&ReadRecord) -> String| read.map(of);
    params![
        leaf.key(),
        logged,
        read.map(|read| read.at),
        read.map(|read| read.request),
        text(|read| read.client.to_string()),
        text(|read| read.client.member.to_string()),
        text(|read| read.service.to_string()),
        text(|read| read.service.provider.to_string()),
        text(|read| read.action.replace('\0', " ")),
        text(|read| read.purpose.to_string()),
        read.and_then(|read| read.issue.as_ref().map(|issue| issue.replace('\0', " "))),
        read.and_then(|read| read.user.as_ref().map(|user| user.replace('\0', " "))),
        read.map(|read| read.more)
    ]
}

/// What is counted together: the reads of a legal date by a member for a purpose, in one log.
type Counted = (String, String, String, u32);

fn counted(log: u32, at: Timestamp, member: &str, purpose: &str) -> Counted {
    (at.legal_date().to_string(), member.to_owned(), purpose.to_owned(), log)
}

async fn count(tx: &Tx, (day, member, purpose, log): Counted, n: i64) -> Result<()> {
    let sql = "INSERT INTO journal_read_day (day, member, purpose, log, n) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (day, member, purpose, log) DO UPDATE SET n = journal_read_day.n + excluded.n";
    tx.exec(sql, params![day, member, purpose, i64::from(log), n])
        .await
        .map(drop)
}

/// Leaves of what is erased nothing but that it was there.
pub(super) async fn erase(tx: &Tx, leaf: LeafId, record: &ErasureRecord, of: u32) -> Result<()> {
    for erased in &record.leaves {
        let erased = LeafId::new(of, *erased).key();
        let sql = format!("SELECT {READ} FROM journal_read r WHERE r.leaf = $1 AND r.at IS NOT NULL");
        if let Some(row) = tx.one::<ReadRow>(&sql, params![erased]).await? {
            let counted = counted(of, Timestamp::from_micros(row.at), &row.member, &row.purpose);
            count(tx, counted, -1).await?;
        }
        let sql = "UPDATE journal_read SET at = NULL, request_id = NULL, client = NULL, member = NULL, service = NULL, \
                   provider = NULL, action = NULL, purpose = NULL, issue = NULL, user_id = NULL, more = NULL, erasure = $2 \
                   WHERE leaf = $1";
        tx.exec(sql, params![erased, leaf.key()]).await?;
        tx.exec("DELETE FROM journal_subject WHERE leaf = $1", params![erased])
            .await?;
    }
    Ok(())
}

/// Reads by one member for some purposes from an instant on, which are left out.
#[derive(Debug, Clone)]
pub struct Hiding {
    pub member: String,
    pub purposes: Vec<String>,
    pub from: Timestamp,
}

/// Which reads of a person are looked at.
#[derive(Debug, Clone)]
pub struct Window<'a> {
    pub subject: SubjectIndex,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only of this request.
    pub request: Option<Uuid>,
    pub from: Option<Timestamp>,
    /// The last instant.
    pub to: Option<Timestamp>,
    pub hidden: &'a [Hiding],
}

impl Window<'_> {
    fn conditions(&self) -> (String, Vec<Value>) {
        let mut values = params![self.subject.0[..]];
        let mut sql = "s.subject = $1".to_owned();
        let mut also = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                values.push(value);
                sql.push_str(&format!(" AND {condition} ${}", values.len()));
            }
        };
        also("s.at >=", self.from.as_ref().map(Param::value));
        also("s.at <=", self.to.as_ref().map(Param::value));
        also("r.provider =", self.provider.as_ref().map(Param::value));
        also("r.request_id =", self.request.as_ref().map(Param::value));
        for hiding in self.hidden {
            values.extend(params![hiding.member, hiding.from]);
            let n = values.len();
            values.extend(hiding.purposes.iter().map(Param::value));
            sql.push_str(&format!(
                " AND NOT (r.member = ${} AND r.at >= ${n} AND r.purpose IN ({}))",
                n - 1,
                ::store::placeholders(n + 1, hiding.purposes.len())
            ));
        }
        (sql, values)
    }
}

/// Reads about a person, newest first.
pub async fn reads_about(db: &impl Read, window: &Window<'_>, limit: i64) -> Result<Vec<ReadRow>> {
    let (conditions, mut values) = window.conditions();
    values.extend(params![limit]);
    let sql = format!(
        "SELECT {READ} FROM journal_subject s JOIN journal_read r ON r.leaf = s.leaf WHERE {conditions} \
         ORDER BY s.at DESC, s.leaf DESC LIMIT ${}",
        values.len()
    );
    db.all(&sql, values).await
}

/// The leaves of the reads about a person, newest first.
pub async fn keys_about(db: &impl Read, window: &Window<'_>, limit: i64) -> Result<Vec<i64>> {
    #[derive(Row)]
    struct Leaf {
        leaf: i64,
    }
    let (conditions, mut values) = window.conditions();
    values.extend(params![limit]);
    let sql = format!(
        "SELECT s.leaf FROM journal_subject s JOIN journal_read r ON r.leaf = s.leaf WHERE {conditions} \
         ORDER BY s.at DESC, s.leaf DESC LIMIT ${}",
        values.len()
    );
    let rows: Vec<Leaf> = db.all(&sql, values).await?;
    Ok(rows.into_iter().map(|row| row.leaf).collect())
}

/// Reads by the keys of their leaves, in no order.
pub async fn reads_by_leaf(db: &impl Read, leaves: &[i64]) -> Result<Vec<ReadRow>> {
    let mut rows = Vec::with_capacity(leaves.len());
    for some in padded(leaves, MOST_VALUES) {
        let list = among(1, some.len());
        let sql = format!("SELECT {READ} FROM journal_read r WHERE r.leaf IN ({list}) AND r.at IS NOT NULL");
        rows.extend(db.all::<ReadRow>(&sql, some.iter().map(Param::value).collect()).await?);
    }
    Ok(rows)
}

/// The read that belongs to a request.
pub async fn read_of_request(db: &impl Read, request: Uuid) -> Result<Option<i64>> {
    let sql = "SELECT leaf FROM journal_read WHERE request_id = $1 ORDER BY leaf LIMIT 1";
    db.scalar(sql, params![request]).await
}

/// Whom a read was about.
pub async fn subjects_of(db: &impl Read, leaf: LeafId) -> Result<Vec<SubjectIndex>> {
    #[derive(Row)]
    struct Subject {
        subject: Vec<u8>,
    }
    let sql = "SELECT subject FROM journal_subject WHERE leaf = $1 ORDER BY subject";
    let rows: Vec<Subject> = db.all(sql, params![leaf.key()]).await?;
    let read = |row: Subject| row.subject.try_into().ok().map(SubjectIndex);
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The instant of the first read of a provider that is known.
pub async fn first_read(db: &impl Read, provider: &str) -> Result<Option<i64>> {
    let sql = "SELECT at FROM journal_read WHERE provider = $1 AND at IS NOT NULL ORDER BY at LIMIT 1";
    db.scalar(sql, params![provider]).await
}

/// Reads of one date.
#[derive(Debug, Clone, PartialEq, Eq, Row)]
pub struct DayRow {
    pub day: String,
    pub n: i64,
}

/// How many reads a member made for some purposes, by legal date, from one date on until before another; oldest first.
pub async fn days_of(
    db: &impl Read,
    member: &str,
    purposes: &[String],
    from: Date,
    until: Date,
) -> Result<Vec<DayRow>> {
    let mut values = params![member, from.to_string(), until.to_string()];
    values.extend(purposes.iter().map(Param::value));
    let sql = format!(
        "SELECT day, CAST(SUM(n) AS BIGINT) AS n FROM journal_read_day WHERE member = $1 AND day >= $2 AND day < $3 AND \
         purpose IN ({}) GROUP BY day ORDER BY day",
        ::store::placeholders(4, purposes.len())
    );
    db.all(&sql, values).await
}
