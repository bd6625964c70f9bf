//! Uploads: pieces are rows until the file is whole, so that an upload resumes on another connection, device or node.

use base::{Id, Result, Timestamp};
use store::{Read, Row, Tx, params, sea_orm};
use uuid::Uuid;

use crate::model::action::{ConsultationId, File, UploadId};

/// A file under way or whole.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Id.
    pub id: UploadId,
    /// Who sends it: the account or officer.
    pub owner: String,
    /// The draft that it belongs to.
    pub draft: Option<Uuid>,
    /// The consultation with whose opinion it goes.
    pub consultation: Option<ConsultationId>,
    /// The SHA-256 that the node says it has from which it comes.
    pub announced: Option<String>,
    /// The package whose rules judge it; none where it was begun before that was kept.
    pub package: Option<String>,
    /// The paper that it belongs to.
    pub paper: String,
    /// The sender's name for it.
    pub name: String,
    /// The size that the sender announced.
    pub declared_size: i64,
    /// Bytes that are here.
    pub received: i64,
    /// The checked file, when it is whole and good.
    pub file: Option<File>,
}

#[derive(Debug, Row)]
struct UploadRow {
    id: Uuid,
    owner: String,
    draft_id: Option<Uuid>,
    consultation_id: Option<Uuid>,
    announced: Option<String>,
    package: Option<String>,
    paper: String,
    name: String,
    declared_size: i64,
    received: i64,
    media_type: Option<String>,
    size: Option<i64>,
    pages: Option<i64>,
    sha256: Option<String>,
}

impl From<UploadRow> for Upload {
    fn from(r: UploadRow) -> Self {
        let file = match (r.media_type, r.size, r.sha256) {
            (Some(media_type), Some(size), Some(sha256)) => Some(File {
                name: r.name.clone(),
                media_type,
                size: size.unsigned_abs(),
                pages: r.pages.and_then(|p| u32::try_from(p).ok()),
                sha256,
            }),
            _ => None,
        };
        Self {
            id: Id::from_uuid(r.id),
            owner: r.owner,
            draft: r.draft_id,
            consultation: r.consultation_id.map(ConsultationId::from_uuid),
            announced: r.announced,
            package: r.package,
            paper: r.paper,
            name: r.name,
            declared_size: r.declared_size,
            received: r.received,
            file,
        }
    }
}

const COLUMNS: &str = "id, owner, draft_id, consultation_id, announced, package, paper, name, declared_size, received, media_type, size, pages, sha256";

/// Begins an upload. One that another node announces again is begun already.
///
/// # Errors
/// The database failed.
pub async fn insert(tx: &Tx, upload: &Upload, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO dossier_upload (id, owner, draft_id, consultation_id, announced, package, paper, name, declared_size, \
               received, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10) ON CONFLICT DO NOTHING";
    let values = params![
        upload.id,
        upload.owner,
        upload.draft,
        upload.consultation,
        upload.announced,
        upload.package,
        upload.paper,
        upload.name,
        upload.declared_size,
        now
    ];
    tx.exec(sql, values).await.map(drop)
}

/// Reads an upload.
///
/// # Errors
/// The database failed.
pub async fn by_id(db: &impl Read, id: UploadId) -> Result<Option<Upload>> {
    let row = db
        .one::<UploadRow>(
            &format!("SELECT {COLUMNS} FROM dossier_upload WHERE id = $1"),
            params![id],
        )
        .await?;
    Ok(row.map(Upload::from))
}

/// Reads several uploads of one owner.
///
/// # Errors
/// The database failed.
pub async fn by_ids(db: &impl Read, owner: &str, ids: &[UploadId]) -> Result<Vec<Upload>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = params![owner];
    values.extend(ids.iter().map(store::Param::value));
    let sql = format!(
        "SELECT {COLUMNS} FROM dossier_upload WHERE owner = $1 AND id IN ({})",
        store::placeholders(2, ids.len())
    );
    Ok(db
        .all::<UploadRow>(&sql, values)
        .await?
        .into_iter()
        .map(Upload::from)
        .collect())
}

/// The files of a draft, in the order in which they were added.
///
/// # Errors
/// The database failed.
pub async fn of_draft(db: &impl Read, draft: Uuid) -> Result<Vec<Upload>> {
    let sql = format!("SELECT {COLUMNS} FROM dossier_upload WHERE draft_id = $1 ORDER BY created_at, id");
    Ok(db
        .all::<UploadRow>(&sql, params![draft])
        .await?
        .into_iter()
        .map(Upload::from)
        .collect())
}

/// The files of an opinion, in the order in which they were added.
///
/// # Errors
/// The database failed.
pub async fn of_opinion(db: &impl Read, consultation: ConsultationId) -> Result<Vec<Upload>> {
    let sql = format!("SELECT {COLUMNS} FROM dossier_upload WHERE consultation_id = $1 ORDER BY created_at, id");
    let rows = db.all::<UploadRow>(&sql, params![consultation]).await?;
    Ok(rows.into_iter().map(Upload::from).collect())
}

/// A file of an opinion, by the digest that the node from which it comes says it has.
///
/// # Errors
/// The database failed.
pub async fn announced(db: &impl Read, consultation: ConsultationId, sha256: &str) -> Result<Option<Upload>> {
    let sql = format!("SELECT {COLUMNS} FROM dossier_upload WHERE consultation_id = $1 AND announced = $2");
    let row = db.one::<UploadRow>(&sql, params![consultation, sha256]).await?;
    Ok(row.map(Upload::from))
}

/// Adds a piece that begins at `start`; `false` when the upload does not stand there.
///
/// # Errors
/// The database failed.
pub async fn append(tx: &Tx, id: UploadId, start: i64, content: &[u8]) -> Result<bool> {
    let end = start + i64::try_from(content.len()).unwrap_or(i64::MAX);
    let sql = "UPDATE dossier_upload SET received = $3 WHERE id = $1 AND received = $2 AND finished_at IS NULL AND $3 <= declared_size";
    if tx.exec(sql, params![id, start, end]).await? == 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO dossier_upload_part (upload_id, start, content) VALUES ($1, $2, $3)";
    tx.exec(sql, params![id, start, content]).await.map(|_| true)
}

#[derive(Debug, Row)]
struct PartRow {
    content: Vec<u8>,
}

/// All pieces, joined.
///
/// # Errors
/// The database failed.
pub async fn content(db: &impl Read, id: UploadId) -> Result<Vec<u8>> {
    let sql = "SELECT content FROM dossier_upload_part WHERE upload_id = $1 ORDER BY start";
    let parts = db.all::<PartRow>(sql, params![id]).await?;
    Ok(parts.into_iter().flat_map(|p| p.content).collect())
}

/// Notes that a file is whole and good, and lets its pieces go.
///
/// # Errors
/// The database failed.
pub async fn finish(tx: &Tx, id: UploadId, file: &File, now: Timestamp) -> Result<()> {
    let sql =
        "UPDATE dossier_upload SET media_type = $2, size = $3, pages = $4, sha256 = $5, finished_at = $6 WHERE id = $1";
    let size = i64::try_from(file.size).unwrap_or(i64::MAX);
    tx.exec(
        sql,
        params![id, file.media_type, size, file.pages.map(i64::from), file.sha256, now],
    )
    .await?;
    tx.exec("DELETE FROM dossier_upload_part WHERE upload_id = $1", params![id])
        .await
        .map(drop)
}

/// Lets go of an upload that was not finished.
///
/// # Errors
/// The database failed.
pub async fn discard(tx: &Tx, id: UploadId) -> Result<()> {
    let sql = "DELETE FROM dossier_upload WHERE id = $1 AND finished_at IS NULL";
    if tx.exec(sql, params![id]).await? == 0 {
        return Ok(());
    }
    tx.exec("DELETE FROM dossier_upload_part WHERE upload_id = $1", params![id])
        .await
        .map(drop)
}

/// Lets go of what an opinion that is not waited for any more has not finished.
///
/// # Errors
/// The database failed.
pub async fn discard_of_opinion(tx: &Tx, consultation: ConsultationId) -> Result<()> {
    let unfinished = "FROM dossier_upload WHERE consultation_id = $1 AND finished_at IS NULL";
    let parts = format!("DELETE FROM dossier_upload_part WHERE upload_id IN (SELECT id {unfinished})");
    tx.exec(&parts, params![consultation]).await?;
    tx.exec(&format!("DELETE {unfinished}"), params![consultation])
        .await
        .map(drop)
}

/// Takes a file out.
///
/// # Errors
/// The database failed.
pub async fn delete(tx: &Tx, id: UploadId) -> Result<()> {
    tx.exec("DELETE FROM dossier_upload_part WHERE upload_id = $1", params![id])
        .await?;
    tx.exec("DELETE FROM dossier_upload WHERE id = $1", params![id])
        .await
        .map(drop)
}
