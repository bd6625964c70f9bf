//! Event types and their schemas.

use ::store::{Read, Row, Tx, params, sea_orm, sea_orm::Value};
use base::{Result, Timestamp};
use uuid::Uuid;

use crate::{
    access::{below, owned},
    events::model::TypeId,
};

#[derive(Debug, Clone, Row)]
pub struct TypeRow {
    pub id: Uuid,
    pub provider: String,
    pub name: String,
    pub title_vi: String,
    pub title_en: String,
    pub sensitivity: String,
    pub key_field: Option<String>,
    pub retention_days: i64,
    pub version: i64,
    pub created_at: i64,
    pub closed_at: Option<i64>,
    pub first_position: i64,
    pub last_position: i64,
    pub last_at: i64,
}

const COLUMNS: &str = "t.id, t.provider, t.name, t.title_vi, t.title_en, t.sensitivity, t.key_field, t.retention_days, t.version, t.created_at, \
                       t.closed_at, h.first_position, h.last_position, h.last_at \
                       FROM event_type t JOIN event_head h ON h.type_id = t.id";

/// Adds a type with its log; false when the provider has one of that name.
pub async fn insert(tx: &Tx, row: &TypeRow) -> Result<bool> {
    let sql = "INSERT INTO event_type (id, provider, name, title_vi, title_en, sensitivity, retention_days, version, created_at, \
               key_field) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (provider, name) DO NOTHING";
    let values = params![
        row.id,
        row.provider,
        row.name,
        row.title_vi,
        row.title_en,
        row.sensitivity,
        row.retention_days,
        row.version,
        row.created_at,
        row.key_field
    ];
    if tx.exec(sql, values).await? == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO event_head (type_id, first_position, last_position, last_at) VALUES ($1, 1, 0, $2)";
    tx.exec(sql, params![row.id, row.created_at]).await?;
    Ok(true)
}

pub async fn find(db: &impl Read, provider: &str, name: &str) -> Result<Option<TypeRow>> {
    let sql = format!("SELECT {COLUMNS} WHERE t.provider = $1 AND t.name = $2");
    db.one(&sql, params![provider, name]).await
}

pub async fn by_id(db: &impl Read, id: TypeId) -> Result<Option<TypeRow>> {
    db.one(&format!("SELECT {COLUMNS} WHERE t.id = $1"), params![id]).await
}

/// The open types of one provider, by name.
pub async fn of_provider(db: &impl Read, provider: &str, most: i64) -> Result<Vec<TypeRow>> {
    let sql = format!("SELECT {COLUMNS} WHERE t.provider = $1 AND t.closed_at IS NULL ORDER BY t.name LIMIT $2");
    db.all(&sql, params![provider, most]).await
}

/// A page of the types of an agency's systems and of those below it, or of all, by provider and name.
pub async fn page(db: &impl Read, agency: Option<&str>, after: (&str, &str), most: i64) -> Result<Vec<TypeRow>> {
    let mut values = params![after.0, after.1, most];
    let whose = of_agency(agency, &mut values);
    let sql =
        format!("SELECT {COLUMNS} WHERE (t.provider, t.name) > ($1, $2){whose} ORDER BY t.provider, t.name LIMIT $3");
    db.all(&sql, values).await
}

/// The condition that the type `t` is of a system of an agency, or of one below it; with its values behind the others.
pub fn of_agency(agency: Option<&str>, values: &mut Vec<Value>) -> String {
    let Some(agency) = agency else { return String::new() };
    values.extend(params![agency, below(agency)]);
    format!(" AND {}", owned("t.provider", values.len() - 1))
}

pub async fn ids(db: &impl Read, after: Uuid, most: i64) -> Result<Vec<TypeRow>> {
    let sql = format!("SELECT {COLUMNS} WHERE t.id > $1 ORDER BY t.id LIMIT $2");
    db.all(&sql, params![after, most]).await
}

pub async fn close(tx: &Tx, id: TypeId, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE event_type SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL";
    Ok(tx.exec(sql, params![id, now]).await? == 1)
}

/// Moves a type on to its next version; false when somebody else did.
pub async fn next_version(tx: &Tx, row: &TypeRow, title: (&str, &str), retention_days: i64) -> Result<bool> {
    let sql = "UPDATE event_type SET version = version + 1, title_vi = $3, title_en = $4, retention_days = $5 \
               WHERE id = $1 AND version = $2";
    let values = params![row.id, row.version, title.0, title.1, retention_days];
    Ok(tx.exec(sql, values).await? == 1)
}

pub async fn insert_schema(tx: &Tx, of: TypeId, version: i64, document: &str, by: &str, now: Timestamp) -> Result<()> {
    let sql =
        "INSERT INTO event_schema (type_id, version, document, created_at, created_by) VALUES ($1, $2, $3, $4, $5)";
    tx.exec(sql, params![of, version, document, now, by]).await.map(drop)
}

/// The schema of a version, as text.
pub async fn schema(db: &impl Read, of: TypeId, version: i64) -> Result<Option<String>> {
    let sql = "SELECT document FROM event_schema WHERE type_id = $1 AND version = $2";
    db.scalar(sql, params![of, version]).await
}
