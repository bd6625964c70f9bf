//! Accounts of people and the organisations they act for.

use ::store::{Read, Row, Tx, params, sea_orm};
use base::{Result, Timestamp};
use uuid::Uuid;

use crate::model::{AccountId, NewAccount, Organisation};

/// One account.
#[derive(Debug, Clone, Row)]
pub(crate) struct AccountRow {
    pub id: Uuid,
    pub assurance: i64,
    pub active: bool,
}

const COLUMNS: &str = "id, assurance, active";

/// Makes the account of issuer and subject, or refreshes it with what the e-ID says now; what the e-ID no longer says stays.
/// Memberships are replaced when the e-ID names any.
pub(crate) async fn upsert_account(tx: &Tx, new: &NewAccount, now: Timestamp) -> Result<AccountRow> {
    let birth_date = new.birth_date.map(|date| date.to_string());
    let sex = new.sex.map(|sex| sex.code().to_owned());
    let demo = new.demo.map(|role| role.code().to_owned());
    tx.exec(
        "INSERT INTO account (id, issuer, subject, name, person_number, birth_date, sex, phone, email, assurance, active, \
         demo, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) \
         ON CONFLICT (issuer, subject) DO UPDATE SET name = excluded.name, \
         person_number = COALESCE(excluded.person_number, account.person_number), \
         birth_date = COALESCE(excluded.birth_date, account.birth_date), sex = COALESCE(excluded.sex, account.sex), \
         phone = COALESCE(excluded.phone, account.phone), email = COALESCE(excluded.email, account.email), \
         assurance = excluded.assurance, updated_at = excluded.updated_at",
        params![
            AccountId::new(now),
            new.issuer,
            new.subject,
            new.name,
            new.person_number,
            birth_date,
            sex,
            new.phone,
            new.email,
            new.assurance.level(),
            true,
            demo,
            now
        ],
    )
    .await?;
    let sql = format!("SELECT {COLUMNS} FROM account WHERE issuer = $1 AND subject = $2");
    let row = tx.one::<AccountRow>(&sql, params![new.issuer, new.subject]).await?;
    let row = row.ok_or_else(|| base::Error::internal("an account vanished while it was made"))?;
    if !new.organisations.is_empty() {
        tx.exec("DELETE FROM membership WHERE account_id = $1", params![row.id])
            .await?;
        for organisation in &new.organisations {
            tx.exec(
                "INSERT INTO membership (account_id, tax_code, name, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                params![row.id, organisation.tax_code, organisation.name, now],
            )
            .await?;
        }
    }
    Ok(row)
}

/// An account by its id.
pub(crate) async fn account(db: &impl Read, id: AccountId) -> Result<Option<AccountRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM account WHERE id = $1"), params![id])
        .await
}

/// The accounts that sign in with a personal number: one for each e-ID that vouches for the person.
pub(crate) async fn accounts_of(db: &impl Read, number: &str) -> Result<Vec<AccountRow>> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE person_number = $1 AND active ORDER BY id LIMIT 20");
    db.all(&sql, params![number]).await
}

/// The account that plays a role in the demonstration; the oldest if there are several.
pub(crate) async fn demo_account(db: &impl Read, role: &str) -> Result<Option<AccountRow>> {
    db.one(
        &format!("SELECT {COLUMNS} FROM account WHERE demo = $1 ORDER BY created_at, id LIMIT 1"),
        params![role],
    )
    .await
}

/// Organisations for which the account may act, by name.
pub(crate) async fn memberships(db: &impl Read, account: AccountId) -> Result<Vec<Organisation>> {
    #[derive(Row)]
    struct MembershipRow {
        tax_code: String,
        name: String,
    }
    let sql = "SELECT tax_code, name FROM membership WHERE account_id = $1 ORDER BY name, tax_code LIMIT 200";
    let rows = db.all::<MembershipRow>(sql, params![account]).await?;
    Ok(rows
        .into_iter()
        .map(|row| Organisation {
            tax_code: row.tax_code,
            name: row.name,
        })
        .collect())
}
