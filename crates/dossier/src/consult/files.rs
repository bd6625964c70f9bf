//! Files that go with an opinion. The officers who answer gather them at their node; from there they go to the asking node in
//! pieces, each a message of its own, and wait beside the question until the opinion names them. No piece is larger than
//! [`LARGEST_PIECE`]; what has arrived stays, so that a file that was cut off goes on where it stopped.

use ::exchange::{Said, model::identifier::SubsystemId};
use base::{Error, Kind, Problems, Result, Text, Timestamp};
use bytes::Bytes;
use identity::Ctx;
use papers::plain_name;
use sha2::{Digest as _, Sha256};
use store::transact;

use super::{
    Exchange, peer,
    store::{Incoming, Outgoing},
    wire::{FileStanding, SentFile, is_digest},
};
use crate::{
    model::action::{ConsultationId, File, UploadId},
    service::{Dossiers, LARGEST_PIECE},
    store::uploads::{self, Upload},
};

/// The most files of an opinion.
pub(crate) const MOST: usize = 10;

/// A piece of a file, as the node that answers sends it.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Where it begins, bytes.
    pub start: i64,
    /// The length of the whole file, bytes.
    pub length: i64,
    /// The bytes; none only asks for a whole file to be judged.
    pub content: Bytes,
}

/// The side that answers.
impl Dossiers {
    /// The files that will go, or have gone, with the opinion on a question, whole or not.
    ///
    /// # Errors
    /// `NotFound` also where the question is not for the reader's agency.
    pub async fn opinion_files(&self, ctx: &Ctx, id: ConsultationId) -> Result<Vec<Upload>> {
        self.own_question(ctx, id).await?;
        uploads::of_opinion(&self.store().read(), id).await
    }

    /// The content of one of them, with its media type.
    ///
    /// # Errors
    /// `NotFound` where no such file of this question is whole.
    pub async fn opinion_file(&self, ctx: &Ctx, id: ConsultationId, sha256: &str) -> Result<(String, Bytes)> {
        let files = self.opinion_files(ctx, id).await?.into_iter().filter_map(|u| u.file);
        let file = files
            .into_iter()
            .find(|file| file.sha256 == sha256)
            .ok_or_else(no_file)?;
        Ok((file.media_type, self.store().blobs().get(&file.sha256).await?))
    }

    /// The finished uploads of a question that an opinion names, each content once.
    pub(super) async fn gathered(&self, id: ConsultationId, named: &[UploadId]) -> Result<Vec<SentFile>> {
        let here = uploads::of_opinion(&self.store().read(), id).await?;
        let mut problems = Problems::new();
        let mut files: Vec<SentFile> = Vec::new();
        for (n, id) in named.iter().enumerate() {
            let upload = here.iter().find(|upload| upload.id == *id);
            match upload.and_then(|upload| upload.file.as_ref()) {
                Some(file) if files.iter().any(|known| known.sha256 == file.sha256) => {}
                Some(file) => files.push(SentFile::of(file)),
                None => {
                    let name = upload.map_or("", |upload| upload.name.as_str());
                    problems.add(
                        "unknown-upload",
                        format!("files.{n}"),
                        format!("Tệp “{name}” chưa được tải lên đầy đủ hoặc không thuộc ý kiến này. Tải tiếp hoặc xóa tệp."),
                        format!("The file “{name}” is not fully uploaded or is not of this opinion. Go on with it or remove it."),
                    );
                }
            }
        }
        problems.into_result()?;
        Ok(files)
    }

    /// Brings the files of an opinion to the asking node, each from where it stands there.
    pub(super) async fn send_files(&self, exchange: &Exchange, row: &Incoming, files: &[SentFile]) -> Result<Said<()>> {
        for file in files {
            match self.send_file(exchange, row, file).await? {
                Said::Yes(()) => {}
                Said::No(status, problems) => return Ok(Said::No(status, about(&file.name, &problems))),
                Said::Later(problems) => return Ok(Said::Later(about(&file.name, &problems))),
            }
        }
        Ok(Said::Yes(()))
    }

    async fn send_file(&self, exchange: &Exchange, row: &Incoming, file: &SentFile) -> Result<Said<()>> {
        let mut said: Said<FileStanding> = exchange.tell(&row.system, peer::standing_request(row, file)?).await;
        let mut content = None;
        let mut before = None;
        loop {
            let standing = match said {
                Said::Yes(standing) if standing.whole => return Ok(Said::Yes(())),
                Said::Yes(standing) => standing,
                Said::No(status, problems) => return Ok(Said::No(status, problems)),
                Said::Later(problems) => return Ok(Said::Later(problems)),
            };
            if before.replace(standing) == Some(standing) {
                return Ok(Said::later(
                    "no-progress",
                    "Nút của cơ quan hỏi không nhận thêm phần tiếp theo của tệp.",
                    "The asking node takes no more of the file.",
                ));
            }
            let content = match &content {
                Some(content) => content,
                None => content.insert(self.store().blobs().get(&file.sha256).await?),
            };
            let start = usize::try_from(standing.received).unwrap_or(usize::MAX);
            let rest = content.get(start..).unwrap_or_default();
            let piece = rest.chunks(LARGEST_PIECE).next().unwrap_or_default();
            let request = peer::piece_request(row, file, standing.received, content.slice_ref(piece))?;
            said = exchange.tell(&row.system, request).await;
        }
    }
}

/// The side that asked.
impl Dossiers {
    /// How much of a file is here, for the system that was asked.
    pub(super) async fn file_standing(
        &self,
        client: &SubsystemId,
        id: ConsultationId,
        sha256: &str,
    ) -> Result<FileStanding> {
        let row = self.asked_of(client, id).await?;
        let here = uploads::announced(&self.store().read(), row.id, sha256).await?;
        Ok(here.as_ref().map_or(FileStanding::NOTHING, standing))
    }

    /// Takes a piece of a file that will go with the opinion; the last one has the file judged. A piece that does not begin where
    /// the file stands changes nothing, and the answer says where that is.
    pub(super) async fn take_piece(
        &self,
        client: &SubsystemId,
        id: ConsultationId,
        sha256: &str,
        piece: &Piece,
        now: Timestamp,
    ) -> Result<FileStanding> {
        let row = self.asked_of(client, id).await?;
        let here = uploads::announced(&self.store().read(), row.id, sha256).await?;
        if let Some(whole) = here.as_ref().filter(|here| here.file.is_some()) {
            return Ok(standing(whole));
        }
        row.require_open()?;
        let here = match here {
            Some(here) => here,
            None => self.begin_file(&row, sha256, piece.length, now).await?,
        };
        if here.declared_size != piece.length {
            return Err(Error::refused(
                Kind::Conflict,
                "length-changed",
                "Tệp này đã được gửi với độ dài khác.",
                "This file was announced with another length.",
            ));
        }
        if !piece.content.is_empty() {
            transact!(self.store(), |tx| {
                uploads::append(&tx, here.id, piece.start, &piece.content).await
            })?;
        }
        let here = uploads::announced(&self.store().read(), row.id, sha256).await?;
        match here {
            Some(here) if here.file.is_none() && here.received == here.declared_size => {
                self.judge_file(&here, now).await
            }
            Some(here) => Ok(standing(&here)),
            None => Ok(FileStanding::NOTHING),
        }
    }

    async fn begin_file(&self, row: &Outgoing, sha256: &str, length: i64, now: Timestamp) -> Result<Upload> {
        if !is_digest(sha256) {
            return Err(Error::refused(
                Kind::Invalid,
                "digest",
                "Phải là SHA-256 viết bằng 64 chữ số thập lục phân thường.",
                "Must be SHA-256 in 64 lower-case hexadecimal digits.",
            ));
        }
        self.opinion_rule().check_length(length)?;
        let new = Upload {
            id: UploadId::new(now),
            owner: row.system.to_string(),
            draft: None,
            consultation: Some(row.id),
            announced: Some(sha256.to_owned()),
            package: None,
            paper: "opinion".to_owned(),
            // The opinion will say what it is called.
            name: sha256.to_owned(),
            declared_size: length,
            received: 0,
            file: None,
        };
        transact!(self.store(), |tx| {
            // An opinion that was mended has other files: the oldest make room.
            let here = uploads::of_opinion(&tx, row.id).await?;
            let room = MOST.saturating_sub(1);
            for old in here.iter().take(here.len().saturating_sub(room)) {
                uploads::delete(&tx, old.id).await?;
            }
            uploads::insert(&tx, &new, now).await
        })?;
        let begun = uploads::announced(&self.store().read(), row.id, sha256).await?;
        begun.ok_or_else(|| Error::internal("a file was begun and is not there"))
    }

    /// Judges a file of which all is here. One that is refused is gone.
    async fn judge_file(&self, here: &Upload, now: Timestamp) -> Result<FileStanding> {
        let Some(content) = self.whole_content(here).await? else {
            return Ok(standing(here));
        };
        let judged = match here.announced.as_ref() {
            Some(announced) if *announced == hex::encode(Sha256::digest(&content)) => {
                self.judge_and_keep(&here.name, content, &self.opinion_rule()).await
            }
            _ => Err(Error::refused(
                Kind::Invalid,
                "other-content",
                "Nội dung nhận được không đúng mã SHA-256 đã báo.",
                "What came does not have the SHA-256 that was announced.",
            )),
        };
        let file = match judged {
            Err(error @ Error::Refused(Kind::Invalid | Kind::TooLarge, _)) => {
                transact!(self.store(), |tx| { uploads::discard(&tx, here.id).await })?;
                return Err(error);
            }
            judged => judged?,
        };
        transact!(self.store(), |tx| { uploads::finish(&tx, here.id, &file, now).await })?;
        Ok(FileStanding::whole(file.size))
    }

    /// The files that an opinion names, as they were judged here.
    pub(super) async fn files_named(&self, id: ConsultationId, named: &[SentFile]) -> Result<Vec<File>> {
        let here = uploads::of_opinion(&self.store().read(), id).await?;
        let mut problems = Problems::new();
        let mut files = Vec::new();
        for (n, sent) in named.iter().enumerate() {
            let known = here
                .iter()
                .find(|u| u.announced.as_deref() == Some(sent.sha256.as_str()));
            match known.and_then(|known| known.file.clone()) {
                Some(file) if file.media_type == sent.media_type && file.size == sent.size => files.push(File {
                    name: plain_name(&sent.name),
                    ..file
                }),
                Some(file) => problems.add(
                    "file-differs",
                    format!("files.{n}"),
                    format!(
                        "Tệp “{}” là {}, {} byte, khác với mô tả.",
                        sent.name, file.media_type, file.size
                    ),
                    format!(
                        "The file “{}” is {} of {} bytes, not what is said of it.",
                        sent.name, file.media_type, file.size
                    ),
                ),
                None => problems.add(
                    "file-missing",
                    format!("files.{n}"),
                    format!(
                        "Chưa nhận đủ tệp “{}” của ý kiến này. Gửi tệp trước, rồi gửi ý kiến.",
                        sent.name
                    ),
                    format!(
                        "The file “{}” of this opinion is not here. Send the file first, then the opinion.",
                        sent.name
                    ),
                ),
            }
        }
        problems.into_result()?;
        Ok(files)
    }
}

fn standing(upload: &Upload) -> FileStanding {
    match &upload.file {
        Some(file) => FileStanding::whole(file.size),
        None => FileStanding {
            received: upload.received.unsigned_abs(),
            ..FileStanding::NOTHING
        },
    }
}

/// Problems of a file, by its name.
fn about(name: &str, problems: &Problems) -> Problems {
    let mut named = Problems::new();
    for problem in problems {
        let Text { vi, en } = &problem.text;
        named.add(
            &problem.code,
            "files",
            format!("Tệp “{name}”: {vi}"),
            format!("The file “{name}”: {en}"),
        );
    }
    named
}

fn no_file() -> Error {
    Error::not_found("tệp", "file")
}
