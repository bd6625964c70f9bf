//! Information systems.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Error, Id, Result, Text, Timestamp};
use uuid::Uuid;

use super::below;
use crate::{
    access::model::SystemSpec,
    model::{
        Purpose,
        hosting::{ClientSignIn, LocalClient},
        identifier::{Part, SubsystemId},
    },
};

/// One system.
#[derive(Debug, Clone, Row)]
pub struct SystemRow {
    pub id: Uuid,
    subsystem: String,
    pub agency: String,
    name_vi: String,
    name_en: String,
    sign_in: String,
    purpose: Option<String>,
    whole_service: Option<String>,
    pub version: i64,
    pub updated_by: String,
    updated_at: i64,
}

const COLUMNS: &str =
    "id, subsystem, agency, name_vi, name_en, sign_in, purpose, whole_service, version, updated_by, updated_at";

impl SystemRow {
    pub fn subsystem(&self) -> Result<SubsystemId> {
        self.subsystem.parse().map_err(Error::internal)
    }

    pub fn name(&self) -> Text {
        Text::new(&self.name_vi, &self.name_en)
    }

    pub fn updated_at(&self) -> Timestamp {
        Timestamp::from_micros(self.updated_at)
    }

    pub fn client(&self) -> Result<LocalClient> {
        Ok(LocalClient {
            sign_in: serde_json::from_str(&self.sign_in)?,
            purpose: self
                .purpose
                .as_deref()
                .map(str::parse::<Purpose>)
                .transpose()
                .map_err(Error::internal)?,
        })
    }

    pub fn whole_service(&self) -> Result<Option<Part>> {
        self.whole_service
            .as_deref()
            .map(Part::new)
            .transpose()
            .map_err(Error::internal)
    }
}

/// A system by its id.
pub async fn system(db: &impl Read, id: Uuid) -> Result<Option<SystemRow>> {
    db.one(
        &format!("SELECT {COLUMNS} FROM exchange_system WHERE id = $1"),
        params![id],
    )
    .await
}

/// A system by its identifier.
pub async fn system_named(db: &impl Read, subsystem: &SubsystemId) -> Result<Option<SystemRow>> {
    let sql = format!("SELECT {COLUMNS} FROM exchange_system WHERE subsystem = $1");
    db.one(&sql, params![subsystem.to_string()]).await
}

/// The agency that answers for a system of this node.
pub async fn agency_of(db: &impl Read, subsystem: &SubsystemId) -> Result<Option<String>> {
    let sql = "SELECT agency FROM exchange_system WHERE subsystem = $1";
    db.scalar(sql, params![subsystem.to_string()]).await
}

/// A condition: what stands in `column` is a system of the agency that is value `$at`, or of one below it, by the pattern that is the
/// value after it.
pub fn owned(column: &str, at: usize) -> String {
    format!(
        "{column} IN (SELECT subsystem FROM exchange_system WHERE agency = ${at} OR agency LIKE ${})",
        at + 1
    )
}

/// Systems of an agency and those below it, or of all, by identifier; one more than a page, to see whether there are more.
pub async fn systems(db: &impl Read, agency: Option<&str>, after: &str, most: u32) -> Result<Vec<SystemRow>> {
    let (mut sql, mut values) = (
        format!("SELECT {COLUMNS} FROM exchange_system WHERE subsystem > $1"),
        params![after],
    );
    if let Some(agency) = agency {
        values.extend(params![agency, below(agency)]);
        sql.push_str(" AND (agency = $2 OR agency LIKE $3)");
    }
    sql.push_str(&format!(" ORDER BY subsystem LIMIT {}", u64::from(most) + 1));
    db.all(&sql, values).await
}

/// All systems of an agency and those below it, or of all.
pub async fn systems_of(db: &impl Read, agency: Option<&str>) -> Result<Vec<SystemRow>> {
    match agency {
        None => {
            let sql = format!("SELECT {COLUMNS} FROM exchange_system ORDER BY subsystem");
            db.all(&sql, params![]).await
        }
        Some(agency) => {
            let sql =
                format!("SELECT {COLUMNS} FROM exchange_system WHERE agency = $1 OR agency LIKE $2 ORDER BY subsystem");
            db.all(&sql, params![agency, below(agency)]).await
        }
    }
}

/// Adds a system; none when its identifier is taken.
pub async fn insert_system(
    tx: &Tx,
    spec: &SystemSpec,
    sign_in: &ClientSignIn,
    by: &str,
    now: Timestamp,
) -> Result<Option<Uuid>> {
    let id = Id::<SystemRow>::new(now).uuid();
    let sql = "INSERT INTO exchange_system (id, subsystem, agency, name_vi, name_en, sign_in, purpose, whole_service, \
               version, updated_by, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10) ON CONFLICT DO NOTHING";
    let values = params![
        id,
        spec.subsystem.to_string(),
        spec.agency,
        spec.name.vi,
        spec.name.en,
        serde_json::to_string(sign_in)?,
        spec.purpose.as_ref().map(Purpose::as_str),
        spec.whole_service.as_ref().map(Part::as_str),
        by,
        now
    ];
    Ok((tx.exec(sql, values).await? == 1).then_some(id))
}

/// Changes a system that is still as it was seen; whether it was.
pub async fn update_system(
    tx: &Tx,
    seen: &SystemRow,
    spec: &SystemSpec,
    sign_in: &ClientSignIn,
    by: &str,
    now: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE exchange_system SET agency = $3, name_vi = $4, name_en = $5, sign_in = $6, purpose = $7, \
               whole_service = $8, version = version + 1, updated_by = $9, updated_at = $10 WHERE id = $1 AND version = $2";
    let values = params![
        seen.id,
        seen.version,
        spec.agency,
        spec.name.vi,
        spec.name.en,
        serde_json::to_string(sign_in)?,
        spec.purpose.as_ref().map(Purpose::as_str),
        spec.whole_service.as_ref().map(Part::as_str),
        by,
        now
    ];
    let done = tx.exec(sql, values).await? == 1;
    // Its services are the same agency's.
    let sql = "UPDATE exchange_service SET agency = $2 WHERE provider = $1 AND agency <> $2";
    tx.exec(sql, params![seen.subsystem, spec.agency]).await?;
    Ok(done)
}

/// Gives a system that signs in by token another token.
pub async fn set_token(tx: &Tx, id: Uuid, sign_in: &ClientSignIn, by: &str, now: Timestamp) -> Result<()> {
    let sql = "UPDATE exchange_system SET sign_in = $2, version = version + 1, updated_by = $3, updated_at = $4 WHERE id = $1";
    tx.exec(sql, params![id, serde_json::to_string(sign_in)?, by, now])
        .await
        .map(drop)
}
