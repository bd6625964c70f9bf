//! Uploads: begun, continued where they stopped, judged when whole.

use std::sync::Arc;

use base::{Error, Kind, Problems, Result};
use identity::Ctx;
use papers::Format;
use procedure::{form, package::Package};
use store::transact;

use super::{Dossiers, FilingPaper, drafts::upload_owner, handling::no_dossier};
use crate::{
    consult::MOST_FILES as MOST_FILES_OF_OPINION,
    model::action::{ConsultationId, File, Paper, UploadId},
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
/// The most pages of a file that goes with an opinion.
const MOST_PAGES_OF_OPINION: u32 = 1000;
/// What stands for the paper of an upload that goes with an opinion.
const OPINION: &str = "opinion";

/// What an upload is for: whose rules judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadFor<'a> {
    /// A paper of a draft: by the procedure as it is today.
    Draft(DraftId),
    /// A paper that the open request of the dossier with this code asks for: by the version under which it was filed.
    Supplement(&'a str),
    /// A paper of a dossier that will be filed at once for this procedure: by the procedure as it is today.
    Procedure(&'a str),
    /// The opinion on a question of another node: by the one rule for opinions. The paper's name says nothing then.
    Opinion(ConsultationId),
}

/// What a file must be to stay.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub accept: Vec<Format>,
    /// Bytes.
    pub largest: u64,
    pub most_pages: u32,
}

impl Rule {
    pub(crate) fn of_paper(paper: &form::Paper, largest: u64) -> Self {
        Self {
            accept: paper.accept.clone(),
            largest: largest.min(u64::from(paper.max_mb) << 20),
            most_pages: u32::from(paper.max_pages),
        }
    }

    /// Of files that go with opinions: whatever papers can be.
    pub(crate) fn of_opinion(largest: u64) -> Self {
        Self {
            accept: Format::ALL.to_vec(),
            largest,
            most_pages: MOST_PAGES_OF_OPINION,
        }
    }

    /// Judges a length that somebody announces.
    ///
    /// # Errors
    /// Nothing, or too much.
    pub(crate) fn check_length(&self, length: i64) -> Result<()> {
        if length <= 0 {
            return Err(Error::refused(
                Kind::Invalid,
                "empty-file",
                "Tệp rỗng. Chọn lại tệp.",
                "The file is empty. Choose another.",
            ));
        }
        if length.unsigned_abs() > self.largest {
            return Err(too_large(self.largest));
        }
        Ok(())
    }

    /// Whether a file that was judged, perhaps by another rule, would stay.
    fn fits(&self, file: &File) -> bool {
        self.accept.iter().any(|f| f.media_type() == file.media_type)
            && file.pages.is_none_or(|pages| pages <= self.most_pages)
            && file.size <= self.largest
    }
}

/// Where an upload goes.
struct Place {
    draft: Option<DraftId>,
    consultation: Option<ConsultationId>,
    package: Option<String>,
    paper: String,
    rule: Rule,
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
        let place = self.upload_place(ctx, purpose, paper).await?;
        place.rule.check_length(length)?;
        self.require_room(&place).await?;
        let upload = Upload {
            id: UploadId::new(ctx.now),
            owner,
            draft: place.draft.map(|d| d.uuid()),
            consultation: place.consultation,
            announced: None,
            package: place.package,
            paper: place.paper,
            name: papers::plain_name(name),
            declared_size: length,
            received: 0,
            file: None,
        };
        transact!(self.store(), |tx| { uploads::insert(&tx, &upload, ctx.now).await })?;
        Ok(upload.into())
    }

    /// Where an upload goes, if the actor may send it there.
    async fn upload_place(&self, ctx: &Ctx, purpose: UploadFor<'_>, paper: &str) -> Result<Place> {
        let today = ctx.now.legal_date();
        let (draft, package) = match purpose {
            UploadFor::Opinion(id) => {
                self.open_question(ctx, id).await?;
                return Ok(Place {
                    draft: None,
                    consultation: Some(id),
                    package: None,
                    paper: OPINION.to_owned(),
                    rule: self.opinion_rule(),
                });
            }
            UploadFor::Draft(id) => {
                let (draft, _) = self.own_draft(ctx, id).await?;
                (Some(id), self.package_on(&draft.procedure, today)?)
            }
            UploadFor::Procedure(code) => (None, self.package_on(code, today)?),
            UploadFor::Supplement(code) => (None, self.package_asking(ctx, code).await?),
        };
        let rule = package.form.paper(paper).ok_or_else(no_paper)?;
        Ok(Place {
            draft,
            consultation: None,
            package: Some(package.id.hash.clone()),
            paper: paper.to_owned(),
            rule: Rule::of_paper(rule, self.config().largest_upload),
        })
    }

    /// What files of opinions must be at this node.
    pub(crate) fn opinion_rule(&self) -> Rule {
        Rule::of_opinion(self.config().largest_upload)
    }

    async fn require_room(&self, place: &Place) -> Result<()> {
        let db = self.store().read();
        let (here, most) = match (place.draft, place.consultation) {
            (Some(draft), _) => (uploads::of_draft(&db, draft.uuid()).await?, MOST_FILES),
            (None, Some(consultation)) => (uploads::of_opinion(&db, consultation).await?, MOST_FILES_OF_OPINION),
            (None, None) => return Ok(()),
        };
        if here.iter().filter(|u| u.paper == place.paper).count() < most {
            return Ok(());
        }
        Err(Error::refused(
            Kind::Invalid,
            "too-many-files",
            format!("Tối đa {most} tệp. Bỏ bớt tệp hoặc ghép các trang vào một tệp."),
            format!("At most {most} files. Take some out, or put the pages into one file."),
        ))
    }

    /// The package under which a dossier lives whose applicant is asked for papers.
    async fn package_asking(&self, ctx: &Ctx, code: &str) -> Result<Arc<Package>> {
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
            let rule = Rule::of_paper(rule, self.config().largest_upload);
            let mut files = Vec::new();
            for id in &paper.uploads {
                let upload = found.iter().find(|u| u.id == *id && u.paper == paper.paper);
                match upload.and_then(|u| u.file.clone()) {
                    // It may have been judged by the rules of another version or procedure.
                    Some(file) if !rule.fits(&file) => problems.add(
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
        let rule = match upload.consultation {
            Some(_) => self.opinion_rule(),
            None => {
                // One that was begun before uploads knew their rules is begun again.
                let package = upload.package.as_deref().ok_or_else(no_upload)?;
                let package = self.shelf().by_hash(package).await?;
                let paper = package.form.paper(&upload.paper).ok_or_else(no_paper)?;
                Rule::of_paper(paper, self.config().largest_upload)
            }
        };
        let Some(content) = self.whole_content(upload).await? else {
            return self.upload(ctx, upload.id).await;
        };
        let file = match self.judge_and_keep(&upload.name, content, &rule).await {
            Err(error @ Error::Refused(Kind::Invalid, _)) => {
                transact!(self.store(), |tx| { uploads::discard(&tx, upload.id).await })?;
                return Err(error);
            }
            judged => judged?,
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

    /// All bytes of an upload; none where somebody else has finished it, or given it up, meanwhile.
    pub(crate) async fn whole_content(&self, upload: &Upload) -> Result<Option<Vec<u8>>> {
        let content = uploads::content(&self.store().read(), upload.id).await?;
        let whole = content.len() as u64 == upload.declared_size.unsigned_abs();
        Ok(Some(content).filter(|_| whole))
    }

    /// Judges a whole file and stores it.
    ///
    /// # Errors
    /// Every reason against it; or the file store failed.
    pub(crate) async fn judge_and_keep(&self, name: &str, content: Vec<u8>, rule: &Rule) -> Result<File> {
        let size = content.len() as u64;
        rule.check_length(i64::try_from(size).unwrap_or(i64::MAX))?;
        let (accept, most_pages) = (rule.accept.clone(), rule.most_pages);
        let (content, verdict) = tokio::task::spawn_blocking(move || {
            let verdict = papers::inspect(&content, &accept, most_pages);
            (content, verdict)
        })
        .await
        .map_err(Error::internal)?;
        let verdict = verdict.map_err(|problems| Error::Refused(Kind::Invalid, problems))?;
        let blob = self.store().blobs().put(&content).await?;
        Ok(File {
            name: papers::plain_name(name),
            media_type: verdict.format.media_type().to_owned(),
            size,
            pages: verdict.pages,
            sha256: blob.sha256,
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

    /// An upload of the actor; one that goes with an opinion is of whoever may give it, while it is not given.
    async fn own_upload(&self, ctx: &Ctx, id: UploadId) -> Result<Upload> {
        let owner = upload_owner(ctx)?;
        let found = uploads::by_id(&self.store().read(), id).await?.ok_or_else(no_upload)?;
        match found.consultation {
            Some(consultation) => self.open_question(ctx, consultation).await.map(drop)?,
            None if found.owner != owner => return Err(no_upload()),
            None => {}
        }
        Ok(found)
    }
}

fn no_upload() -> Error {
    Error::not_found("tệp", "file")
}

fn no_paper() -> Error {
    Error::not_found("thành phần hồ sơ này", "paper")
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
