//! Copies of dossiers, for measuring large databases: the rows of one, with ids and codes of their own.

use base::Result;
use store::{Param, Tx};

use crate::model::action::DossierId;

/// Writes as many copies of a dossier as there are ids and codes: its row, its log and its open steps, in three statements.
///
/// # Errors
/// The database failed.
pub async fn insert(tx: &Tx, original: DossierId, code: &str, copies: &[(DossierId, String)]) -> Result<()> {
    let rows = (0..copies.len()).map(|n| format!("(${}, ${})", 2 * n + 3, 2 * n + 4));
    let list = rows.collect::<Vec<_>>().join(", ");
    let mut values = store::params![original, code];
    for (id, code) in copies {
        values.extend([id.value(), code.value()]);
    }
    for sql in [
        "INSERT INTO dossier (id, code, agency, procedure_code, procedure_name, field, package, account, applicant_name, \
         applicant_key, channel, status, decision, money, delivery, submitted_at, received_at, due_at, ended_at, version, state) \
         SELECT c.column1, c.column2, d.agency, d.procedure_code, d.procedure_name, d.field, d.package, d.account, \
         d.applicant_name, d.applicant_key, d.channel, d.status, d.decision, d.money, d.delivery, d.submitted_at, d.received_at, \
         d.due_at, d.ended_at, d.version, replace(d.state, $2, c.column2) FROM dossier d CROSS JOIN (VALUES {list}) AS c \
         WHERE d.id = $1",
        "INSERT INTO dossier_entry (dossier_id, seq, at, entry) \
         SELECT c.column1, e.seq, e.at, replace(e.entry, $2, c.column2) FROM dossier_entry e CROSS JOIN (VALUES {list}) AS c \
         WHERE e.dossier_id = $1",
        "INSERT INTO dossier_task (dossier_id, token, node, role, agency, opened_at, step_due_at, urgent_at, deciding, due_at, \
         finish_by) SELECT c.column1, t.token, t.node, t.role, t.agency, t.opened_at, t.step_due_at, t.urgent_at, t.deciding, \
         t.due_at, t.finish_by FROM dossier_task t CROSS JOIN (VALUES {list}) AS c WHERE t.dossier_id = $1 AND $2 <> ''",
    ] {
        tx.exec(&sql.replace("{list}", &list), values.clone()).await?;
    }
    Ok(())
}
