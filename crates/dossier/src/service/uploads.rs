//! Uploads: begun, continued where they stopped, judged when whole.

use base::{Error, Kind, Result};
use identity::Ctx;
use procedure::form::Format;
use store::transact;

use super::{Dossiers, drafts::upload_owner, inspect};
use crate::{
    model::action::{File, UploadId},
    store::{
        drafts::DraftId,
        uploads::{self, Upload},
    },
};

/// The largest piece, bytes.
pub const LARGEST_PIECE: usize = 4 << 20;
/// The most files of one paper.
const MOST_FILES: usize = 20;

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadState {
    /// Id.
    pub id: UploadId,
    /// Bytes that are here.
    pub offset: i64,
    /// Bytes announced.
    pub length: i64,
    /// The checked file, when it is whole.
    pub file: Option<File>,
}

impl From<Upload> for UploadState {
    fn from(u: Upload) -> Self {
        Self {
            id: u.id,
            offset: u.received,
            length: u.declared_size,
            file: u.file,
        }
    }
}

impl Dossiers {
    /// Begins an upload for a paper: of a draft, or of a dossier that an officer will file for `procedure`.
    ///
    /// # Errors
    /// No such paper, too large, too many files.
    pub async fn begin_upload(
        &self,
        ctx: &Ctx,
        draft: Option<DraftId>,
        procedure: &str,
        paper: &str,
        name: &str,
        length: i64,
    ) -> Result<UploadState> {
        let owner = upload_owner(ctx)?;
        let procedure = match draft {
            Some(id) => self.own_draft(ctx, id).await?.0.procedure,
            None => procedure.to_owned(),
        };
        let package = self.package_on(&procedure, ctx.now.legal_date())?;
        let rule = package
            .form
            .paper(paper)
            .ok_or_else(|| Error::not_found("thành phần hồ sơ này", "paper"))?;
        let most = self.config().largest_upload.min(u64::from(rule.max_mb) << 20);
        if length <= 0 {
            return Err(empty());
        }
        if length.unsigned_abs() > most {
            return Err(too_large(most));
        }
        if let Some(id) = draft {
            let here = uploads::of_draft(&self.store().read(), id.uuid()).await?;
            if here.iter().filter(|u| u.paper == paper).count() >= MOST_FILES {
                return Err(Error::refused(
                    Kind::Invalid,
                    "too-many-files",
                    format!("Mỗi loại giấy tờ có tối đa {MOST_FILES} tệp."),
                    format!("A paper has at most {MOST_FILES} files."),
                ));
            }
        }
        let upload = Upload {
            id: UploadId::new(ctx.now),
            owner,
            draft: draft.map(|d| d.uuid()),
            paper: paper.to_owned(),
            name: inspect::plain_name(name),
            declared_size: length,
            received: 0,
            file: None,
        };
        transact!(self.store(), |tx| { uploads::insert(&tx, &upload, ctx.now).await })?;
        Ok(upload.into())
    }

    /// How far an upload is.
    ///
    /// # Errors
    /// `NotFound` where it is not the reader's.
    pub async fn upload(&self, ctx: &Ctx, id: UploadId) -> Result<UploadState> {
        Ok(self.own_upload(ctx, id).await?.into())
    }

    /// Adds the piece that begins at `offset`. With the last piece the file is judged; a file that is refused is gone.
    ///
    /// # Errors
    /// [`Kind::Conflict`] where the upload stands elsewhere (ask again where); every reason why the file is refused.
    pub async fn append_upload(
        &self,
        ctx: &Ctx,
        id: UploadId,
        procedure: &str,
        offset: i64,
        piece: &[u8],
    ) -> Result<UploadState> {
        let upload = self.own_upload(ctx, id).await?;
        if piece.len() > LARGEST_PIECE {
            return Err(too_large(LARGEST_PIECE as u64));
        }
        if !piece.is_empty() {
            let added = transact!(self.store(), |tx| { uploads::append(&tx, id, offset, piece).await })?;
            if !added {
                return Err(Error::refused(
                    Kind::Conflict,
                    "wrong-offset",
                    "Phần tệp gửi lên không nối tiếp phần đã có. Hệ thống sẽ gửi tiếp từ chỗ đã nhận.",
                    "This piece does not follow what is here. Continue from what was received.",
                ));
            }
        }
        let length = i64::try_from(piece.len()).unwrap_or(i64::MAX);
        if offset.saturating_add(length) < upload.declared_size {
            return self.upload(ctx, id).await;
        }
        self.finish_upload(ctx, &upload, procedure).await
    }

    /// Stores a whole file at once: for forms without JavaScript.
    ///
    /// # Errors
    /// As [`Dossiers::begin_upload`] and [`Dossiers::append_upload`].
    pub async fn upload_whole(
        &self,
        ctx: &Ctx,
        draft: Option<DraftId>,
        procedure: &str,
        paper: &str,
        name: &str,
        content: &[u8],
    ) -> Result<UploadState> {
        let length = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let begun = self.begin_upload(ctx, draft, procedure, paper, name, length).await?;
        let mut state = begun.clone();
        for piece in content.chunks(LARGEST_PIECE) {
            state = self
                .append_upload(ctx, begun.id, procedure, state.offset, piece)
                .await?;
        }
        Ok(state)
    }

    async fn finish_upload(&self, ctx: &Ctx, upload: &Upload, procedure: &str) -> Result<UploadState> {
        if upload.file.is_some() {
            return Ok(upload.clone().into());
        }
        let procedure = match upload.draft {
            Some(draft) => self.own_draft(ctx, DraftId::from_uuid(draft)).await?.0.procedure,
            None => procedure.to_owned(),
        };
        let package = self.package_on(&procedure, ctx.now.legal_date())?;
        let rule = package
            .form
            .paper(&upload.paper)
            .ok_or_else(|| Error::not_found("thành phần hồ sơ này", "paper"))?;
        let accept: Vec<Format> = rule.accept.clone();
        let most_pages = u32::from(rule.max_pages);
        let content = uploads::content(&self.store().read(), upload.id).await?;
        let size = content.len() as u64;
        let (content, verdict) = tokio::task::spawn_blocking(move || {
            let verdict = inspect::inspect(&content, &accept, most_pages);
            (content, verdict)
        })
        .await
        .map_err(Error::internal)?;
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(problems) => {
                transact!(self.store(), |tx| { uploads::delete(&tx, upload.id).await })?;
                return Err(Error::Refused(Kind::Invalid, problems));
            }
        };
        let blob = self.store().blobs().put(&content).await?;
        let file = File {
            name: upload.name.clone(),
            media_type: verdict.format.media_type().to_owned(),
            size,
            pages: verdict.pages,
            sha256: blob.sha256,
        };
        transact!(self.store(), |tx| {
            uploads::finish(&tx, upload.id, &file, ctx.now).await
        })?;
        Ok(UploadState {
            id: upload.id,
            offset: upload.declared_size,
            length: upload.declared_size,
            file: Some(file),
        })
    }

    /// Takes a file out of a draft.
    ///
    /// # Errors
    /// `NotFound` where it is not the reader's.
    pub async fn remove_upload(&self, ctx: &Ctx, id: UploadId) -> Result<()> {
        let upload = self.own_upload(ctx, id).await?;
        if let Some(draft) = upload.draft {
            self.own_draft(ctx, DraftId::from_uuid(draft)).await?;
        }
        transact!(self.store(), |tx| { uploads::delete(&tx, id).await })
    }

    async fn own_upload(&self, ctx: &Ctx, id: UploadId) -> Result<Upload> {
        let owner = upload_owner(ctx)?;
        let found = uploads::by_id(&self.store().read(), id)
            .await?
            .filter(|u| u.owner == owner);
        found.ok_or_else(|| Error::not_found("tệp", "file"))
    }
}

fn empty() -> Error {
    Error::refused(
        Kind::Invalid,
        "empty-file",
        "Tệp rỗng. Chọn lại tệp.",
        "The file is empty. Choose another.",
    )
}

fn too_large(most: u64) -> Error {
    let megabytes = most >> 20;
    Error::refused(
        Kind::TooLarge,
        "too-large",
        format!("Tệp lớn hơn {megabytes} MB. Chụp hoặc quét lại với dung lượng nhỏ hơn."),
        format!("The file is larger than {megabytes} MB. Take or scan it again, smaller."),
    )
}
