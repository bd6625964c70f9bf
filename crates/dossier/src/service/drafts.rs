//! Drafts: one per person and procedure, saved page by page, continued on any device.

use std::sync::Arc;

use base::{Error, Kind, Problems, Result};
use identity::{Ctx, Permission, PersonActor, Scope};
use procedure::{
    form::{Answers, Facts, Journey, PageInput, Paper},
    package::Package,
};
use store::transact;

use super::{
    Dossiers,
    filing::{Filed, Filing, FilingPaper, owner_of},
    once::Filled,
};
use crate::{
    model::action::{Applicant, Channel},
    store::{
        drafts::{self, Draft, DraftId},
        uploads::{self, Upload},
    },
};

/// How often a page is saved again over a save that came in between (autosave beside a submit).
const TRIES: usize = 5;

/// A draft with its way through the form.
#[derive(Debug, Clone)]
pub struct DraftView {
    /// The draft.
    pub draft: Draft,
    /// The package under which it will be filed.
    pub package: Arc<Package>,
    /// For whom.
    pub applicant: Applicant,
    /// The way through the form with the answers of the moment.
    pub journey: Journey,
    /// The papers that are asked for, with the files that are here.
    pub papers: Vec<PaperView>,
    /// Whether the procedure has changed since the draft was begun.
    pub renewed: bool,
}

/// A paper of a draft.
#[derive(Debug, Clone)]
pub struct PaperView {
    /// Its place in the package's list.
    pub index: usize,
    /// Id in the package.
    pub id: String,
    /// Whether the dossier is incomplete without it.
    pub required: bool,
    /// Files, whole or under way.
    pub files: Vec<Upload>,
}

impl PaperView {
    /// Whether nothing is missing.
    pub fn is_done(&self) -> bool {
        !self.required || self.files.iter().any(|f| f.file.is_some())
    }

    /// Its definition.
    pub fn paper<'a>(&self, package: &'a Package) -> Option<&'a Paper> {
        package.form.papers.get(self.index)
    }
}

impl DraftView {
    /// Whether every page was sent and every paper is here.
    pub fn is_complete(&self) -> bool {
        self.journey.is_complete() && self.papers.iter().all(PaperView::is_done)
    }
}

impl Dossiers {
    /// The code of the refusal that a higher level of the e-ID would lift.
    pub const ASSURANCE_TOO_LOW: &'static str = "assurance-too-low";

    /// Refuses a person whose e-ID is less sure of them than the package asks. Officers at the counter look at the card instead.
    ///
    /// # Errors
    /// `Forbidden` with the code [`Dossiers::ASSURANCE_TOO_LOW`] and what to do.
    pub fn require_assurance(person: &PersonActor, package: &Package) -> Result<()> {
        if person.assurance >= package.meta.assurance {
            return Ok(());
        }
        Err(Error::refused(
            Kind::Forbidden,
            Self::ASSURANCE_TOO_LOW,
            "Nộp trực tuyến thủ tục này cần tài khoản định danh điện tử mức độ 2. Quý vị mang thẻ căn cước gắn chip đến công an \
             cấp xã để nâng tài khoản lên mức độ 2 rồi đăng nhập lại bằng mức độ 2, hoặc nộp hồ sơ trực tiếp tại bộ phận một cửa.",
            "Filing this procedure online needs the national e-ID at level 2. Take your chip card to the commune police to raise \
             the account to level 2 and sign in again at level 2, or file at the counter of the one-stop shop.",
        ))
    }

    /// Begins a draft, or gives the one that is open.
    ///
    /// # Errors
    /// Nobody is signed in, their e-ID is not sure enough, or the procedure cannot be filed here.
    pub async fn start_draft(&self, ctx: &Ctx, procedure: &str) -> Result<DraftId> {
        let person = ctx.person()?;
        ctx.require(Permission::FileDossier, &Scope::Account(person.account))?;
        let package = self.package_on(procedure, ctx.now.legal_date())?;
        Self::require_assurance(person, &package)?;
        let account = person.account.uuid();
        if let Some(open) = drafts::open_of(&self.store().read(), account, procedure).await? {
            return Ok(open.id);
        }
        let draft = Draft {
            id: DraftId::new(ctx.now),
            account,
            procedure: procedure.to_owned(),
            package: package.id.hash.clone(),
            answers: serde_json::Map::new(),
            visited: Vec::new(),
            facts: Facts::default(),
            updated_at: ctx.now,
            version: 1,
            dossier: None,
        };
        let made = transact!(self.store(), |tx| { drafts::insert(&tx, &draft).await })?;
        if made {
            return Ok(draft.id);
        }
        let open = drafts::open_of(&self.store().read(), account, procedure).await?;
        open.map(|d| d.id)
            .ok_or_else(|| Error::internal("a draft came and went"))
    }

    /// The open drafts of the signed-in person, with their packages.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn drafts(&self, ctx: &Ctx) -> Result<Vec<(Draft, Arc<Package>)>> {
        let account = ctx.person()?.account.uuid();
        let mut all = Vec::new();
        for draft in drafts::open_of_account(&self.store().read(), account).await? {
            let package = self.shelf().by_hash(&draft.package).await?;
            all.push((draft, package));
        }
        Ok(all)
    }

    /// A draft with its way through the form.
    ///
    /// # Errors
    /// `NotFound` where it is not the reader's, `Conflict` where it was filed already.
    pub async fn draft(&self, ctx: &Ctx, id: DraftId) -> Result<DraftView> {
        let (mut draft, person) = self.own_draft(ctx, id).await?;
        let today = ctx.now.legal_date();
        // A draft is filed under the version in force on the day of filing; the law may have changed since it was begun.
        let package = self.package_on(&draft.procedure, today)?;
        let applicant = applicant_of(person);
        let calendar = self.calendar();
        let rules = self.rules(&package, &calendar);
        let answers = Answers::from_value(draft.answers.clone().into()).unwrap_or_default();
        let form = Filled {
            package: &package,
            rules,
            applicant: &applicant,
            channel: Channel::Online,
            answers: &answers,
            dossier: None,
        };
        let (mut journey, news) = self.inform(ctx, form, &mut draft.facts).await;
        if news {
            self.keep_said(&draft).await?;
        }
        // A page counts as answered when it was sent, also when everything on it is optional.
        for page in &mut journey.pages {
            let sent = package
                .form
                .pages
                .get(page.page)
                .is_some_and(|p| draft.visited.contains(&p.id));
            if !sent && page.status == procedure::form::Status::Complete {
                page.status = procedure::form::Status::Incomplete;
            }
        }
        let files = uploads::of_draft(&self.store().read(), id.uuid()).await?;
        let papers = journey
            .papers
            .iter()
            .filter_map(|need| {
                let paper = package.form.papers.get(need.paper)?;
                let files = files.iter().filter(|f| f.paper == paper.id).cloned().collect();
                Some(PaperView {
                    index: need.paper,
                    id: paper.id.clone(),
                    required: need.required,
                    files,
                })
            })
            .collect();
        let renewed = draft.package != package.id.hash;
        Ok(DraftView {
            draft,
            package,
            applicant,
            journey,
            papers,
            renewed,
        })
    }

    /// Saves what a page posted. Good answers are kept even where others on the page are wrong; autosave never refuses.
    ///
    /// # Errors
    /// As [`Dossiers::draft`]; `NotFound` where the form has no such page.
    pub async fn save_page(
        &self,
        ctx: &Ctx,
        id: DraftId,
        page: &str,
        posted: &[(String, String)],
    ) -> Result<(DraftView, PageInput)> {
        for _ in 0..TRIES {
            let view = self.draft(ctx, id).await?;
            let (index, found) = view
                .package
                .form
                .page(page)
                .ok_or_else(|| Error::not_found("trang này của tờ khai", "page"))?;
            let calendar = self.calendar();
            let rules = self.rules(&view.package, &calendar);
            let today = ctx.now.legal_date();
            let context = rules.informed(&view.applicant, Channel::Online, today, &view.draft.facts);
            let before = Answers::from_value(view.draft.answers.clone().into()).unwrap_or_default();
            let input = view.package.form.parse_page(index, posted, &before, &context, ctx.lang);
            let mut answers = before;
            answers.apply(&input.changes);
            let mut draft = view.draft.clone();
            draft.answers = answers.as_map().clone();
            if input.is_done() && !draft.visited.contains(&found.id) {
                draft.visited.push(found.id.clone());
            }
            draft.updated_at = ctx.now;
            if transact!(self.store(), |tx| { drafts::save(&tx, &draft).await })? {
                return Ok((self.draft(ctx, id).await?, input));
            }
        }
        Err(Error::refused(
            Kind::Conflict,
            "busy",
            "Bản nháp đang được lưu từ một thiết bị khác. Vui lòng thử lại.",
            "The draft is being saved from another device. Please try again.",
        ))
    }

    /// Files a draft. `key` is the idempotency key that the page carried.
    ///
    /// # Errors
    /// Everything that is incomplete, each at its place; an e-ID that is not sure enough.
    pub async fn submit(&self, ctx: &Ctx, id: DraftId, key: &str) -> Result<Filed> {
        match self.submit_open(ctx, id, key).await {
            // The other of two clicks was faster: its dossier is this one's answer.
            Err(Error::Refused(Kind::Conflict, problems)) => {
                let filed = self.filed_draft(ctx, id).await?;
                filed.ok_or(Error::Refused(Kind::Conflict, problems))
            }
            other => other,
        }
    }

    async fn submit_open(&self, ctx: &Ctx, id: DraftId, key: &str) -> Result<Filed> {
        if let Some(filed) = self.filed_draft(ctx, id).await? {
            return Ok(filed);
        }
        let view = self.draft(ctx, id).await?;
        // The draft may have been begun at a higher level than the person has signed in with today.
        Self::require_assurance(ctx.person()?, &view.package)?;
        let mut problems = Problems::new();
        for upload in view.papers.iter().flat_map(|p| &p.files).filter(|f| f.file.is_none()) {
            problems.add(
                "upload-unfinished",
                &upload.paper,
                format!("Tệp “{}” chưa tải lên xong. Tải tiếp hoặc xóa tệp.", upload.name),
                format!(
                    "The file “{}” is not fully uploaded. Continue or remove it.",
                    upload.name
                ),
            );
        }
        problems.into_result()?;
        let papers = view
            .papers
            .iter()
            .filter(|p| !p.files.is_empty())
            .map(|p| FilingPaper {
                paper: p.id.clone(),
                uploads: p.files.iter().map(|f| f.id).collect(),
            })
            .collect();
        let answers = Answers::from_value(view.draft.answers.clone().into()).unwrap_or_default();
        let filing = Filing {
            procedure: view.draft.procedure.clone(),
            answers,
            papers,
            applicant: None,
            channel: None,
        };
        self.file_draft(ctx, &filing, key, Some((id, view.draft.facts))).await
    }

    /// The dossier that a draft of the signed-in person became; none while it is open. For a second click, a lost answer, an
    /// old address.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub async fn filed_draft(&self, ctx: &Ctx, id: DraftId) -> Result<Option<Filed>> {
        let person = ctx.person()?;
        let found = drafts::by_id(&self.store().read(), id)
            .await?
            .filter(|d| d.account == person.account.uuid());
        let Some(dossier) = found.and_then(|d| d.dossier) else {
            return Ok(None);
        };
        let id = crate::model::action::DossierId::from_uuid(dossier);
        let kept = crate::store::by_id(&self.store().read(), id).await?;
        Ok(kept.map(|k| Filed {
            id,
            code: k.state.code,
            secret: self.tracking_secret(id),
        }))
    }

    /// Throws a draft away, with its files.
    ///
    /// # Errors
    /// As [`Dossiers::draft`].
    pub async fn discard_draft(&self, ctx: &Ctx, id: DraftId) -> Result<()> {
        self.own_draft(ctx, id).await?;
        transact!(self.store(), |tx| { drafts::delete(&tx, id).await })
    }

    pub(super) async fn own_draft<'a>(&self, ctx: &'a Ctx, id: DraftId) -> Result<(Draft, &'a PersonActor)> {
        let person = ctx.person()?;
        let draft = drafts::by_id(&self.store().read(), id)
            .await?
            .filter(|d| d.account == person.account.uuid());
        let draft = draft.ok_or_else(|| Error::not_found("bản nháp hồ sơ", "draft"))?;
        if draft.dossier.is_some() {
            return Err(Error::refused(
                Kind::Conflict,
                "already-filed",
                "Hồ sơ này đã được nộp. Xem trong mục “Hồ sơ của tôi”.",
                "This dossier was filed already. See “My dossiers”.",
            ));
        }
        Ok((draft, person))
    }
}

/// The owner of a person's uploads.
pub(super) fn upload_owner(ctx: &Ctx) -> Result<String> {
    match &ctx.actor {
        identity::Actor::Officer(officer) => Ok(format!("officer/{}", officer.officer)),
        _ => Ok(owner_of(ctx.person()?.account)),
    }
}

fn applicant_of(person: &PersonActor) -> Applicant {
    let claims = procedure::form::Applicant::from(person);
    let name = claims.organisation.clone().unwrap_or_else(|| person.name.clone());
    Applicant {
        account: Some(person.account.uuid()),
        name,
        claims,
    }
}
