//! Files that show what a doubt says: a photograph of a birth certificate, a scan. Each is judged by its content when it comes, stays with
//! its doubt, and goes when the record is erased. Whoever reports adds them while the doubt is open; who keeps the registry opens them.

use base::{Error, Kind, Problems, Result, Timestamp};
use bytes::Bytes;
use identity::Ctx;
use papers::{Format, inspect, plain_name};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{Job, jobs::Run, transact};
use uuid::Uuid;

use super::{
    DoubtId, Reporter,
    answering::answered,
    tables::{self, DoubtRow},
};
use crate::{
    model::RegistryCode,
    quality::Quality,
    service::Purpose,
    store::doubt_files::{self as files, DoubtFileRow},
};

/// Files of one doubt.
pub const MOST_FILES: usize = 5;
/// The largest file, in bytes.
pub const LARGEST_FILE: usize = 10 << 20;
/// Pages of a file that has any.
pub const MOST_PAGES: u32 = 100;
/// The job that removes the content of a file that no doubt has.
pub const SWEEP: &str = "registry.doubt-file";
/// Seconds after which content belongs to a doubt, or to nobody.
const PATIENCE: i64 = 3_600;
/// The purpose under which a steward opens a file.
const PURPOSE: &str = "registry.steward";

base::typed_id!(
    /// One file of a doubt.
    DoubtFileKey as DoubtFileId
);

/// A file that shows what a doubt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubtFile {
    /// Its id.
    pub id: DoubtFileId,
    /// What its sender calls it.
    pub name: String,
    /// What it is.
    pub format: Format,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// When it came.
    pub put_at: Timestamp,
}

impl DoubtFile {
    fn of(row: DoubtFileRow) -> Result<Self> {
        let format = Format::from_code(&row.format);
        Ok(Self {
            id: DoubtFileId::from_uuid(row.id),
            name: row.name,
            format: format.ok_or_else(|| Error::internal("a file of a doubt is of no known format"))?,
            size: row.size.unsigned_abs(),
            sha256: row.sha256,
            put_at: Timestamp::from_micros(row.put_at),
        })
    }
}

/// A file that was judged good, with its content.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What its sender calls it.
    pub name: String,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// Its bytes.
    pub content: Bytes,
    format: Format,
}

/// Judges a whole file.
///
/// # Errors
/// `TooLarge`; `Invalid` with every reason against it.
pub async fn judge(name: &str, content: Bytes) -> Result<Judged> {
    if content.is_empty() {
        return Err(Error::refused(
            Kind::Invalid,
            "empty-file",
            "Tệp rỗng. Chọn lại tệp.",
            "The file is empty. Choose another.",
        ));
    }
    if content.len() > LARGEST_FILE {
        return Err(too_large());
    }
    let judged = tokio::task::spawn_blocking(move || {
        let verdict = inspect(&content, &Format::ALL, MOST_PAGES);
        let sha256 = hex::encode(Sha256::digest(&content));
        (verdict, sha256, content)
    });
    let (verdict, sha256, content) = judged.await.map_err(Error::internal)?;
    let verdict = verdict.map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
    Ok(Judged {
        name: plain_name(name),
        sha256,
        content,
        format: verdict.format,
    })
}

/// Content of which nobody knows yet whether a doubt has it.
#[derive(Debug, Serialize, Deserialize)]
struct Sweep {
    file: Uuid,
}

impl Quality {
    /// The reporter gives files that show what their doubt says. The same content twice is one file.
    ///
    /// # Errors
    /// `Invalid` where there are too many; `NotFound`, also of others' doubts, and of who may not speak of the record any more; `Conflict`
    /// when it is answered already; `Unavailable`, also of the file store. Those before the one that is refused are kept.
    pub async fn add_files(&self, ctx: &Ctx, id: DoubtId, given: Vec<Judged>) -> Result<Vec<DoubtFile>> {
        let doubt = self.speaking_row(ctx, id).await?;
        let mut kept = Vec::new();
        for file in given {
            kept.push(self.keep(ctx.now, &doubt, file).await?);
        }
        Ok(kept)
    }

    /// The files of one's own doubt, in the order in which they came.
    ///
    /// # Errors
    /// `NotFound`, also of others' doubts.
    pub async fn own_files(&self, ctx: &Ctx, id: DoubtId) -> Result<Vec<DoubtFile>> {
        let doubt = self.own_row(ctx, id).await?;
        self.files_of(doubt.id).await
    }

    /// A file of one's own doubt, with its content.
    ///
    /// # Errors
    /// `NotFound`, also of others' doubts; `Unavailable` when the file store is away.
    pub async fn own_file(&self, ctx: &Ctx, id: DoubtId, file: DoubtFileId) -> Result<(DoubtFile, Bytes)> {
        let doubt = self.own_row(ctx, id).await?;
        let file = self.file_of(&doubt, file).await?;
        self.with_content(file).await
    }

    /// The reporter takes a file back. One that is gone already is as good as gone.
    ///
    /// # Errors
    /// `NotFound`, also of others' doubts; `Conflict` when it is answered already.
    pub async fn remove_file(&self, ctx: &Ctx, id: DoubtId, file: DoubtFileId) -> Result<()> {
        let doubt = self.own_row(ctx, id).await?;
        let sweep = sweep(file.uuid(), ctx.now)?;
        transact!(self.registries().store(), |tx| {
            if !tables::hold_open(&tx, doubt.id).await? {
                return Err(answered(&doubt));
            }
            if files::remove(&tx, doubt.id, file.uuid()).await? {
                tx.enqueue(sweep.clone(), ctx.now).await?;
            }
            Ok(())
        })
    }

    /// A file of a doubt for a steward, with its content. The read is told to those whom the record is about.
    ///
    /// # Errors
    /// `Forbidden` for who is no steward of the registry's agency; `NotFound`; `Unavailable` when the read could not be logged, or the file
    /// store is away.
    pub async fn file_for_steward(
        &self,
        ctx: &Ctx,
        code: &RegistryCode,
        id: DoubtId,
        file: DoubtFileId,
    ) -> Result<(DoubtFile, Bytes)> {
        let doubt = self.kept(ctx, code, id).await?;
        let file = self.file_of(&doubt, file).await?;
        let registry = self.registries().editions(code)?.current();
        let held = self.registries().held(code, &[doubt.record_id], ctx.now).await?;
        let people: Vec<String> = held.iter().flat_map(|held| registry.subjects_of(&held.body)).collect();
        let purpose = Purpose::read(PURPOSE, "", "")?;
        self.registries()
            .tell_of(ctx, &purpose, &registry, &people, "tệp kèm phản ánh sai lệch")
            .await?;
        self.with_content(file).await
    }

    /// The files of a doubt, for who may see it.
    pub(in crate::quality) async fn files_of(&self, doubt: Uuid) -> Result<Vec<DoubtFile>> {
        let rows = files::of_doubt(&self.registries().store().read(), doubt).await?;
        rows.into_iter().map(DoubtFile::of).collect()
    }

    /// Takes in a file from who reported at another node; in a dossier where the doubt came up in one.
    ///
    /// # Errors
    /// As [`judge`] and [`Self::add_files`].
    pub(in crate::quality) async fn file_from_elsewhere(
        &self,
        ctx: &Ctx,
        by: &Reporter,
        dossier: Option<&str>,
        (code, id): (&RegistryCode, Uuid),
        (name, content): (&str, Bytes),
    ) -> Result<DoubtFile> {
        let doubt = self.speaking_elsewhere(ctx, by, dossier, code, id).await?;
        let file = judge(name, content).await?;
        self.keep(ctx.now, &doubt, file).await
    }

    /// Whether a file has come since an instant.
    pub(super) async fn has_files_since(&self, doubt: Uuid, at: i64) -> Result<bool> {
        let rows = files::of_doubt(&self.registries().store().read(), doubt).await?;
        Ok(rows.iter().any(|row| row.put_at >= at))
    }

    async fn file_of(&self, doubt: &DoubtRow, file: DoubtFileId) -> Result<DoubtFile> {
        let row = files::one(&self.registries().store().read(), doubt.id, file.uuid()).await?;
        row.map_or_else(|| Err(Error::not_found("tệp", "file")), DoubtFile::of)
    }

    async fn with_content(&self, file: DoubtFile) -> Result<(DoubtFile, Bytes)> {
        let content = self.registries().store().blobs().get_own(file.id.uuid()).await?;
        Ok((file, content))
    }

    /// Keeps a file with a doubt that is open. It is noted that there may be content before there is, so that nothing that a crash leaves
    /// stays for ever.
    async fn keep(&self, now: Timestamp, doubt: &DoubtRow, file: Judged) -> Result<DoubtFile> {
        let store = self.registries().store();
        let here = files::of_doubt(&store.read(), doubt.id).await?;
        if let Some(same) = standing(doubt.open, &here, &file, doubt)? {
            return DoubtFile::of(same);
        }
        let row = DoubtFileRow {
            id: DoubtFileId::new(now).uuid(),
            doubt_id: doubt.id,
            name: file.name.clone(),
            format: file.format.code().to_owned(),
            size: i64::try_from(file.content.len()).unwrap_or(i64::MAX),
            sha256: file.sha256.clone(),
            put_at: now.micros(),
        };
        let sweep = sweep(row.id, now.plus_seconds(PATIENCE))?;
        transact!(store, |tx| { tx.enqueue(sweep.clone(), now).await })?;
        store.blobs().put_own(row.id, &file.content).await?;
        let kept = transact!(store, |tx| {
            let open = tables::hold_open(&tx, doubt.id).await?;
            let here = files::of_doubt(&tx, doubt.id).await?;
            if let Some(same) = standing(open, &here, &file, doubt)? {
                return Ok(same);
            }
            files::add(&tx, &row).await?;
            Ok(row.clone())
        })?;
        DoubtFile::of(kept)
    }

    /// The job: removes content that no doubt has, because its file was taken back or erased, or never came to be kept.
    pub(in crate::quality) async fn sweep(&self, run: &Run) -> Result<()> {
        let (store, Sweep { file }) = (self.registries().store(), run.payload()?);
        if !files::is_kept(&store.read(), file).await? {
            store.blobs().remove_own(file).await?;
        }
        transact!(store, |tx| { run.done(&tx).await })
    }
}

/// Takes away the files of all doubts about a record that is erased; their content follows within moments.
pub(in crate::quality) async fn forget(tx: &store::Tx, record: Uuid, now: Timestamp) -> Result<()> {
    let gone = files::forget(tx, record).await?;
    let sweeps: Vec<Job> = gone.into_iter().map(|file| sweep(file, now)).collect::<Result<_>>()?;
    tx.enqueue_all(&sweeps, now).await
}

/// The file that is the same as this one; none where it may be added.
fn standing(open: bool, here: &[DoubtFileRow], file: &Judged, doubt: &DoubtRow) -> Result<Option<DoubtFileRow>> {
    if !open {
        return Err(answered(doubt));
    }
    let same = here.iter().find(|row| row.sha256 == file.sha256);
    match same {
        None if here.len() >= MOST_FILES => Err(too_many()),
        same => Ok(same.cloned()),
    }
}

fn sweep(file: Uuid, at: Timestamp) -> Result<Job> {
    Ok(Job::new(SWEEP, &Sweep { file })?.at(at).key(format!("{SWEEP}/{file}")))
}

/// The refusal of a file that is too large, also for who reads it no further.
pub(in crate::quality) fn too_large() -> Error {
    let megabytes = LARGEST_FILE >> 20;
    Error::refused(
        Kind::TooLarge,
        "too-large",
        format!("Tệp lớn hơn {megabytes} MB. Chụp hoặc quét lại với dung lượng nhỏ hơn."),
        format!("The file is larger than {megabytes} MB. Take or scan it again, smaller."),
    )
}

fn too_many() -> Error {
    let mut problems = Problems::new();
    problems.add(
        "too-many-files",
        "",
        format!("Mỗi phản ánh nhận tối đa {MOST_FILES} tệp. Bỏ bớt tệp hoặc ghép các trang vào một tệp."),
        format!("A doubt takes at most {MOST_FILES} files. Take some out, or put the pages into one file."),
    );
    Error::Refused(Kind::Invalid, problems)
}
