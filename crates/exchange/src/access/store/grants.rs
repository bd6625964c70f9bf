//! Grants, their logs, and what is to be told to other nodes.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Error, Problems, Result, Timestamp};
use uuid::Uuid;

use super::below;
use crate::{
    access::model::{Entry, File, Order, Phase, Side, Standing},
    model::{identifier::SubsystemId, rights::GrantId},
};

/// One grant as a side knows it.
#[derive(Debug, Clone, Row)]
pub struct GrantRow {
    pub id: Uuid,
    side: String,
    pub agency: String,
    file: String,
    pub answer_due: Option<i64>,
    changed_at: i64,
}

/// Most grants between the same two.
const RELATED: u32 = 50;

const COLUMNS: &str = "id, side, agency, file, answer_due, changed_at";

impl GrantRow {
    pub fn file(&self) -> Result<File> {
        Ok(serde_json::from_str(&self.file)?)
    }

    pub fn side(&self) -> Result<Side> {
        Side::from_code(&self.side).ok_or_else(|| Error::internal("a grant without a side"))
    }

    pub fn changed_at(&self) -> Timestamp {
        Timestamp::from_micros(self.changed_at)
    }
}

/// Which grants.
#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    pub agency: Option<String>,
    pub side: Option<Side>,
    pub standing: Option<Standing>,
    /// Exactly this consumer, provider's service, or system that provides.
    pub about: Option<String>,
    /// Only those whose answer is overdue.
    pub overdue: bool,
    /// Only those in force that end before this.
    pub ends_before: Option<Timestamp>,
    /// The last row of the page before.
    pub before: Option<(i64, Uuid)>,
}

/// A grant of one side.
pub async fn grant(db: &impl Read, id: GrantId, side: Side) -> Result<Option<GrantRow>> {
    let sql = format!("SELECT {COLUMNS} FROM exchange_grant WHERE id = $1 AND side = $2");
    db.one(&sql, params![id, side.code()]).await
}

/// Grants from the one that changed last; one more than a page.
pub async fn grants(db: &impl Read, filter: &GrantFilter, most: u32, now: Timestamp) -> Result<Vec<GrantRow>> {
    let (mut sql, mut values) = (
        format!("SELECT {COLUMNS} FROM exchange_grant WHERE changed_at >= $1"),
        params![0_i64],
    );
    let mut also = |text: &str, value: ::store::sea_orm::Value| {
        values.push(value);
        sql.push_str(&text.replace("$n", &format!("${}", values.len())));
    };
    if let Some(agency) = &filter.agency {
        also(" AND (agency = $n", agency.as_str().into());
        also(" OR agency LIKE $n)", below(agency).into());
    }
    if let Some(side) = filter.side {
        also(" AND side = $n", side.code().into());
    }
    if let Some(about) = &filter.about {
        also(
            " AND (consumer = $n OR service = $n OR provider = $n)",
            about.as_str().into(),
        );
    }
    if filter.overdue {
        also(" AND answer_due < $n", now.micros().into());
    }
    if let Some(before) = filter.ends_before {
        also(" AND phase = 'approved' AND ends_at < $n", before.micros().into());
        also(" AND ends_at > $n", now.micros().into());
    }
    match filter.standing {
        None => {}
        Some(Standing::Over) => also(" AND phase = 'approved' AND ends_at <= $n", now.micros().into()),
        Some(Standing::Suspended) => also(
            " AND phase = 'approved' AND ends_at > $n AND suspended_from <= $n",
            now.micros().into(),
        ),
        Some(standing @ (Standing::Active | Standing::NotYet)) => {
            let begun = if standing == Standing::Active { "<=" } else { ">" };
            let text = format!(
                " AND phase = 'approved' AND ends_at > $n AND (suspended_from IS NULL OR suspended_from > $n) \
                 AND holds_from {begun} $n"
            );
            also(&text, now.micros().into());
        }
        Some(standing) => also(" AND phase = $n", standing.code().into()),
    }
    if let Some((at, id)) = filter.before {
        also(" AND (changed_at < $n", at.into());
        also(" OR (changed_at = $n", at.into());
        also(" AND id < $n))", id.into());
    }
    sql.push_str(&format!(
        " ORDER BY changed_at DESC, id DESC LIMIT {}",
        u64::from(most) + 1
    ));
    db.all(&sql, values).await
}

/// Grants on services of this node that the gateway has to know: all but those that were over before an instant.
pub async fn hosted_grants(db: &impl Read, since: Timestamp) -> Result<Vec<GrantRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM exchange_grant WHERE side = 'incoming' AND (ends_at > $1 OR (ends_at IS NULL AND changed_at > $1) \
         OR phase IN ('requested', 'more-asked'))"
    );
    db.all(&sql, params![since]).await
}

/// The requests of this side that go on from a grant, newest first.
pub async fn renewals(db: &impl Read, of: &File, side: Side) -> Result<Vec<GrantId>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM exchange_grant WHERE side = $1 AND consumer = $2 AND service = $3 ORDER BY changed_at DESC, id DESC LIMIT {RELATED}"
    );
    let values = params![side.code(), of.consumer.to_string(), of.service.to_string()];
    let rows: Vec<GrantRow> = db.all(&sql, values).await?;
    let files = rows.iter().map(GrantRow::file).collect::<Result<Vec<_>>>()?;
    Ok(files
        .into_iter()
        .filter(|file| file.renews == Some(of.id))
        .map(|file| file.id)
        .collect())
}

#[derive(Debug, Row)]
struct OpenRow {
    #[expect(dead_code, reason = "only counted")]
    seq: i64,
}

/// Whether a system has so many requests at this node that wait for their answer.
pub async fn has_open(db: &impl Read, consumer: &SubsystemId, most: u32) -> Result<bool> {
    let sql = "SELECT seq FROM exchange_grant WHERE consumer = $1 AND side = 'incoming' AND phase IN ('requested', 'more-asked') \
               ORDER BY seq LIMIT $2";
    let open: Vec<OpenRow> = db.all(sql, params![consumer.to_string(), i64::from(most)]).await?;
    Ok(open.len() >= most as usize)
}

/// Makes whoever wants to change the same grant wait; whether there is such a grant.
pub async fn lock(tx: &Tx, id: GrantId, side: Side) -> Result<bool> {
    let sql = "UPDATE exchange_grant SET seq = seq WHERE id = $1 AND side = $2";
    Ok(tx.exec(sql, params![id, side.code()]).await? == 1)
}

/// Writes the row of a grant: the fold, and what lists ask for.
pub async fn put_grant(
    tx: &Tx,
    side: Side,
    agency: &str,
    file: &File,
    answer_due: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO exchange_grant (id, side, agency, consumer, provider, service, file, seq, phase, answer_due, \
               holds_from, suspended_from, ends_at, changed_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
               ON CONFLICT (id, side) DO UPDATE SET file = excluded.file, seq = excluded.seq, phase = excluded.phase, \
               answer_due = excluded.answer_due, holds_from = excluded.holds_from, suspended_from = excluded.suspended_from, \
               ends_at = excluded.ends_at, changed_at = excluded.changed_at";
    let values = params![
        file.id,
        side.code(),
        agency,
        file.consumer.to_string(),
        file.service.provider.to_string(),
        file.service.to_string(),
        serde_json::to_string(file)?,
        file.seq,
        file.phase.code(),
        answer_due.filter(|_| file.phase == Phase::Requested),
        file.agreed.as_ref().map(|terms| terms.from),
        file.suspension.as_ref().map(|suspension| suspension.from),
        file.ends_at(),
        now
    ];
    tx.exec(sql, values).await.map(drop)
}

#[derive(Debug, Row)]
struct EntryRow {
    entry: String,
}

/// The log of a grant behind an entry, oldest first.
pub async fn log(db: &impl Read, id: GrantId, side: Side, after: i64) -> Result<Vec<Entry>> {
    let sql = "SELECT entry FROM exchange_grant_entry WHERE grant_id = $1 AND side = $2 AND seq > $3 ORDER BY seq";
    let rows: Vec<EntryRow> = db.all(sql, params![id, side.code(), after]).await?;
    rows.iter()
        .map(|row| serde_json::from_str(&row.entry).map_err(Error::from))
        .collect()
}

/// Adds entries to a log.
pub async fn add_entries(tx: &Tx, id: GrantId, side: Side, entries: &[Entry]) -> Result<()> {
    for entry in entries {
        let sql = "INSERT INTO exchange_grant_entry (grant_id, side, seq, at, entry) VALUES ($1, $2, $3, $4, $5)";
        let values = params![id, side.code(), entry.seq, entry.at, serde_json::to_string(entry)?];
        tx.exec(sql, values).await?;
    }
    Ok(())
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// The provider's node has not answered.
    Waiting,
    /// It took it.
    Taken,
    /// It refused it.
    Refused,
}

impl OrderState {
    const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::Refused => "refused",
        }
    }
}

/// An order to another node.
#[derive(Debug, Clone, Row)]
pub struct OrderRow {
    pub id: Uuid,
    body: String,
    state: String,
    pub tries: i64,
    tried_at: Option<i64>,
    problems: Option<String>,
}

const ORDER: &str = "id, body, state, tries, tried_at, problems";

impl OrderRow {
    pub fn order(&self) -> Result<Order> {
        Ok(serde_json::from_str(&self.body)?)
    }

    pub fn state(&self) -> Result<OrderState> {
        [OrderState::Waiting, OrderState::Taken, OrderState::Refused]
            .into_iter()
            .find(|state| state.code() == self.state)
            .ok_or_else(|| Error::internal("an order without a state"))
    }

    pub fn tried_at(&self) -> Option<Timestamp> {
        self.tried_at.map(Timestamp::from_micros)
    }

    pub fn problems(&self) -> Result<Problems> {
        let read = self
            .problems
            .as_deref()
            .map(serde_json::from_str::<Problems>)
            .transpose()?;
        Ok(read.unwrap_or_default())
    }
}

/// Adds an order, behind those that were given before. Under the lock of its grant.
pub async fn add_order(tx: &Tx, order: &Order) -> Result<()> {
    let last = "SELECT n FROM exchange_order WHERE grant_id = $1 ORDER BY n DESC LIMIT 1";
    let last = tx.scalar::<i64>(last, params![order.grant]).await?;
    let sql = "INSERT INTO exchange_order (id, grant_id, n, at, body, state, tries) VALUES ($1, $2, $3, $4, $5, 'waiting', 0)";
    let body = serde_json::to_string(order)?;
    let values = params![order.id, order.grant, last.unwrap_or(0) + 1, order.at, body];
    tx.exec(sql, values).await.map(drop)
}

/// Notes what became of an order that was sent.
pub async fn put_order(
    tx: &Tx,
    grant: GrantId,
    id: Uuid,
    state: OrderState,
    problems: &Problems,
    now: Timestamp,
) -> Result<()> {
    let problems = (!problems.is_empty())
        .then(|| serde_json::to_string(problems))
        .transpose()?;
    let sql = "UPDATE exchange_order SET state = $2, tries = tries + 1, tried_at = $3, problems = $4 WHERE id = $1 AND grant_id = $5";
    tx.exec(sql, params![id, state.code(), now, problems, grant])
        .await
        .map(drop)
}

/// The orders about a grant, oldest first.
pub async fn orders(db: &impl Read, grant: GrantId) -> Result<Vec<OrderRow>> {
    let sql = format!("SELECT {ORDER} FROM exchange_order WHERE grant_id = $1 ORDER BY n");
    db.all(&sql, params![grant]).await
}

/// Those that still have to be sent, oldest first.
pub async fn waiting_orders(db: &impl Read, grant: GrantId) -> Result<Vec<OrderRow>> {
    let sql = format!("SELECT {ORDER} FROM exchange_order WHERE grant_id = $1 AND state = 'waiting' ORDER BY n");
    db.all(&sql, params![grant]).await
}
