//! Uploads: begun, continued where they stopped, judged when whole.

use std::sync::Arc;

use base::{Error, Kind, Problems, Result};
use identity::Ctx;
use procedure::{form::Format, package::Package};
use store::transact;

use super::{Dossiers, FilingPaper, drafts::upload_owner, handling::no_dossier, inspect};
use crate::{
    model::action::{File, Paper, UploadId},
    store::{
        self as tables,
        drafts::DraftId,
        uploads::{self, Upload},
    },
};

/// The largest piece, bytes.
pub const LARGEST_PIECE: usize = 4 << 20;
/// The most files of one paper.
const MOST_FILES: usize = 20;

/// What an upload is for: whose rules judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadFor<'a> {
    /// A paper of a draft: by the procedure as it is today.
    Draft(DraftId),
    /// A paper that the open request of the dossier with this code asks for: by the version under which it was filed.
    Supplement(&'a str),
    /// A paper of a dossier that will be filed at once for this procedure: by the procedure as it is today.
    Procedure(&'a str),
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadState {
    /// Id.
    pub id: UploadId,
    /// The paper that it is for.
    pub paper: String,
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
            paper: u.paper,
            offset: u.received,
            length: u.declared_size,
            file: u.file,
        }
    }
}

impl Dossiers {
    /// Begins an upload for a paper. The rules that judge it are fixed here and kept with it.
    ///
    /// # Errors
    /// No such paper, nothing asked for, too large, too many files.
    pub async fn begin_upload(
        &self,
        ctx: &Ctx,
        purpose: UploadFor<'_>,
        paper: &str,
        name: &str,
        length: i64,
    ) -> Result<UploadState> {
        let owner = upload_owner(ctx)?;
        let package = self.upload_rules(ctx, purpose).await?;
        let draft = match purpose {
            UploadFor::Draft(id) => Some(id),
            UploadFor::Supplement(_) | UploadFor::Procedure(_) => None,
        };
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
            package: Some(package.id.hash.clone()),
            paper: paper.to_owned(),
            name: inspect::plain_name(name),
            declared_size: length,
            received: 0,
            file: None,
        };
        transact!(self.store(), |tx| { uploads::insert(&tx, &upload, ctx.now).await })?;
        Ok(upload.into())
    }

    /// The package whose rules judge an upload.
    async fn upload_rules(&self, ctx: &Ctx, purpose: UploadFor<'_>) -> Result<Arc<Package>> {
        let today = ctx.now.legal_date();
        match purpose {
            UploadFor::Draft(id) => self.package_on(&self.own_draft(ctx, id).await?.0.procedure, today),
            UploadFor::Procedure(code) => self.package_on(code, today),
            UploadFor::Supplement(code) => {
                let kept = tables::by_code(&self.store().read(), code).await?;
                let kept = kept.ok_or_else(no_dossier)?;
                // Strangers do not learn that there is such a dossier.
                self.permit_reading(ctx, kept.id, &kept.state).await?;
                self.permit_for_applicant(ctx, &kept.state)?;
                if kept.state.open_supplement().is_none() {
                    return Err(Error::refused(
                        Kind::Conflict,
                        "nothing-asked",
                        "Hồ sơ không có yêu cầu bổ sung nào đang chờ.",
                        "No papers are asked for at the moment.",
                    ));
                }
                self.shelf().by_hash(&kept.package).await
            }
        }
    }

    /// The papers with the files of finished uploads of `owner`, each fit for the paper that it is given for.
    pub(super) async fn handed_in(
        &self,
        owner: &str,
        given: &[FilingPaper],
        package: &Package,
        problems: &mut Problems,
    ) -> Result<Vec<Paper>> {
        let ids: Vec<UploadId> = given.iter().flat_map(|p| p.uploads.iter().copied()).collect();
        let found = uploads::by_ids(&self.store().read(), owner, &ids).await?;
        let mut papers = Vec::new();
        for paper in given {
            let Some(rule) = package.form.paper(&paper.paper) else {
                problems.add(
                    "unknown-paper",
                    &paper.paper,
                    "Thủ tục không có thành phần hồ sơ này.",
                    "The procedure has no such paper.",
                );
                continue;
            };
            let mut files = Vec::new();
            for id in &paper.uploads {
                let upload = found.iter().find(|u| u.id == *id && u.paper == paper.paper);
                match upload.and_then(|u| u.file.clone()) {
                    // It may have been judged by the rules of another version or procedure.
                    Some(file) if !fits(&file, rule) => problems.add(
                        "file-does-not-fit",
                        &paper.paper,
                        format!("Tệp “{}” không đúng định dạng hoặc vượt số trang, dung lượng mà giấy tờ này nhận. Tải tệp khác lên.", file.name),
                        format!("The file “{}” is not of a format, size or number of pages that this paper takes. Upload another.", file.name),
                    ),
                    Some(file) => files.push(file),
                    None => problems.add(
                        "unknown-upload",
                        &paper.paper,
                        "Tệp chưa được tải lên đầy đủ hoặc không phải của quý vị.",
                        "The file is not fully uploaded or is not yours.",
                    ),
                }
            }
            papers.push(Paper {
                paper: paper.paper.clone(),
                files,
            });
        }
        Ok(papers)
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
    pub async fn append_upload(&self, ctx: &Ctx, id: UploadId, offset: i64, piece: &[u8]) -> Result<UploadState> {
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
        self.finish_upload(ctx, &upload).await
    }

    /// Stores a whole file at once: for forms without JavaScript.
    ///
    /// # Errors
    /// As [`Dossiers::begin_upload`] and [`Dossiers::append_upload`].
    pub async fn upload_whole(
        &self,
        ctx: &Ctx,
        purpose: UploadFor<'_>,
        paper: &str,
        name: &str,
        content: &[u8],
    ) -> Result<UploadState> {
        let length = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let begun = self.begin_upload(ctx, purpose, paper, name, length).await?;
        let mut state = begun.clone();
        for piece in content.chunks(LARGEST_PIECE) {
            state = self.append_upload(ctx, begun.id, state.offset, piece).await?;
        }
        Ok(state)
    }

    async fn finish_upload(&self, ctx: &Ctx, upload: &Upload) -> Result<UploadState> {
        if upload.file.is_some() {
            return Ok(upload.clone().into());
        }
        if let Some(draft) = upload.draft {
            self.own_draft(ctx, DraftId::from_uuid(draft)).await?;
        }
        // One that was begun before uploads knew their rules is begun again.
        let package = upload.package.as_deref().ok_or_else(no_upload)?;
        let package = self.shelf().by_hash(package).await?;
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
            paper: upload.paper.clone(),
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
        found.ok_or_else(no_upload)
    }
}

/// Whether a judged file is one that the paper takes.
fn fits(file: &File, rule: &procedure::form::Paper) -> bool {
    rule.accept.iter().any(|f| f.media_type() == file.media_type)
        && file.pages.is_none_or(|pages| pages <= u32::from(rule.max_pages))
        && file.size <= u64::from(rule.max_mb) << 20
}

fn no_upload() -> Error {
    Error::not_found("tệp", "file")
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
