//! What is held about the signed-in person, and their way to contest it.

use askama::Template;
use axum::{
    extract::{Path, State as Extracted},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base::{Error, Kind, Problems, Result};
use futures::join;
use identity::{Ctx, Web};
use uuid::Uuid;
use view::{
    Link, Page,
    files::{Filled, Posted, Sent},
    ui::{self, Values},
};

use super::{
    attached::{self, FileLine, at_control, judged, some_judged, whole},
    doubts::{Row, Typed, report_of},
    far, posted, problems_of, rows, tone,
};
use crate::{
    contest::Standing,
    model::{FieldPath, Registry, RegistryCode},
    pages::{keeper, span, values_of},
    quality::{
        Enterprise, Mine, MyRecord, Quality, Represents,
        doubts::{Doubt, DoubtId, DoubtState, LONGEST, Reporter},
        mine::{Far, Without},
    },
};

#[derive(Template)]
#[template(path = "registry/mine.html")]
struct MinePage {
    page: Page,
    news: Vec<Row>,
    registries: Vec<Section>,
    /// What says nothing at the moment: registries of other nodes, and of others the records of enterprises.
    silent: Vec<(String, &'static str)>,
    /// Registries elsewhere that tell people nothing at this node, or nothing of enterprises.
    closed: String,
    /// Whether all that answered hold nothing.
    nothing: bool,
    /// What was contested of registries of other nodes.
    elsewhere: Vec<Elsewhere>,
}

/// How something stands that was contested of a registry of another node.
pub(super) struct Elsewhere {
    /// Where evidence is given or it is taken back, while it is open.
    pub href: Option<String>,
    /// Whether evidence is asked for.
    pub asked: bool,
    pub label: String,
    pub dossier: Option<String>,
    pub told: base::Timestamp,
    pub due: Option<base::Timestamp>,
    pub question: String,
    pub answer: Option<(base::Timestamp, String, String)>,
    pub state: String,
    pub tone: ui::Tone,
}

/// What one registry holds.
pub(super) struct Section {
    pub id: String,
    pub name: String,
    pub steward: Values,
    pub records: Vec<Shown>,
    /// Whether there are more records of enterprises.
    pub cut: bool,
}

pub(super) struct Shown {
    /// The enterprise that it is of; empty where it is about the person.
    pub enterprise: String,
    /// Whether it is the first of these.
    pub begins: bool,
    pub held: String,
    pub holds: bool,
    pub source: String,
    pub recorded: String,
    /// Name, value, and the way to contest it.
    pub rows: Vec<(String, Values, String)>,
    pub doubts: Vec<Row>,
}

pub(super) async fn all(Extracted(quality): Extracted<Quality>, web: Web) -> Response {
    match everything(&quality, &web).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn everything(quality: &Quality, web: &Web) -> Result<MinePage> {
    let mut page = web.titled("Dữ liệu về tôi", "Data about me");
    page.breadcrumbs = vec![Link::new("/my", "Hồ sơ của tôi", "My dossiers")];
    // Registries of other nodes are waited for once, all together.
    let (mine, there, looked) = join!(
        quality.mine(&web.ctx),
        quality.mine_elsewhere(&web.ctx),
        quality.look_for_me(&web.ctx)
    );
    let (mine, there) = (mine?, there?);
    looked?;
    let mut news = Vec::new();
    for doubt in quality.own_doubts(&web.ctx).await?.iter().filter(|doubt| !doubt.seen) {
        if let Some(editions) = quality.registries().shelf().get(&doubt.registry) {
            let href = format!("/my/doubts/{}", doubt.id);
            news.push(Row::of(&page, &editions.current(), doubt, href, web.ctx.now));
        }
    }
    let registries = mine.iter().filter(|mine| !mine.records.is_empty()).map(|mine| {
        let steward = keeper(quality.registries(), &mine.registry, web).words();
        section(&page, mine, steward, web.ctx.now)
    });
    let registries = registries.chain(there.iter().filter_map(|far| far::section(&page, far)));
    let registries: Vec<Section> = registries.collect();
    let (silent, closed) = unsaid(&page, &mine, &there);
    // Of who represents an enterprise it may be that much is held, and nobody can say so.
    let enterprises_closed = of_enterprises(&page, &mine, &there, Represents::Closed)
        .next()
        .is_some();
    let elsewhere = quality.doubts_elsewhere(&web.ctx).await?;
    let elsewhere = elsewhere.into_iter().map(|(id, of)| contested(&page, id, of)).collect();
    Ok(MinePage {
        nothing: registries.is_empty() && silent.is_empty() && !enterprises_closed,
        page,
        news,
        registries,
        silent,
        closed: closed.join("; "),
        elsewhere,
    })
}

/// What says nothing now, with a sentence each; and what is not open to people here.
fn unsaid(page: &Page, mine: &[Mine], there: &[Far]) -> (Vec<(String, &'static str)>, Vec<String>) {
    let without = |why: Without| {
        let of = there.iter().filter(move |far| far.said.as_ref().err() == Some(&why));
        of.map(|far| far::name(page, far))
    };
    let unanswered = page.t(
        "chưa trả lời, xin thử lại sau.",
        "has not answered; please try again later.",
    );
    let unknown = page.t(
        "chưa tra cứu được doanh nghiệp do quý vị đại diện nên chưa hiển thị bản ghi về doanh nghiệp, xin thử lại sau.",
        "which enterprises you represent cannot be looked up now, so records of enterprises are not shown; please try again later.",
    );
    let silent = without(Without::Silent).map(|name| (name, unanswered));
    let enterprises = of_enterprises(page, mine, there, Represents::Silent).map(|name| (name, unknown));
    let closed = of_enterprises(page, mine, there, Represents::Closed).map(|name| {
        let what = page.t(
            "bản ghi về doanh nghiệp do quý vị đại diện",
            "records of enterprises that you represent",
        );
        format!("{name}: {what}")
    });
    (
        silent.chain(enterprises).collect(),
        without(Without::Closed).chain(closed).collect(),
    )
}

/// The names of registries of whose records of enterprises nothing is said for this reason.
fn of_enterprises<'a>(
    page: &'a Page,
    mine: &'a [Mine],
    there: &'a [Far],
    why: Represents,
) -> impl Iterator<Item = String> + 'a {
    let here = mine.iter().filter(move |mine| mine.represents == Some(why));
    let here = here.map(|mine| &mine.registry.name);
    let there = there.iter().filter_map(|far| far.said.as_ref().ok());
    let there = there.filter(move |said| said.represents == Some(why));
    let names = here.chain(there.map(|said| &said.registry));
    names.map(|name| page.text(name).to_owned())
}

pub(super) fn contested(page: &Page, id: Uuid, of: Standing) -> Elsewhere {
    let is_open = of.state.is_open();
    Elsewhere {
        href: is_open.then(|| format!("/my/doubts/elsewhere/{}/{id}", of.registry)),
        asked: of.state == DoubtState::Asked,
        label: page.text(&of.label).to_owned(),
        dossier: of.dossier,
        told: of.told_at,
        due: of.state.is_open().then_some(of.due_at),
        question: of.question,
        answer: of.answer,
        state: page.text(&of.state.label()).to_owned(),
        tone: tone(of.state),
    }
}

fn section(page: &Page, mine: &Mine, steward: Values, now: base::Timestamp) -> Section {
    let registry = &mine.registry;
    Section {
        id: registry.code.to_string(),
        name: page.text(&registry.name).to_owned(),
        steward,
        records: under_headings(
            mine.records
                .iter()
                .map(|record| shown_record(page, registry, record, now)),
        ),
        cut: mine.represents == Some(Represents::Newest),
    }
}

/// Records in their order, the first of each enterprise marked: a heading stands above it.
pub(super) fn under_headings(records: impl Iterator<Item = Shown>) -> Vec<Shown> {
    let mut above = String::new();
    let begun = records.map(|record| {
        let begins = record.enterprise != above;
        above.clone_from(&record.enterprise);
        Shown { begins, ..record }
    });
    begun.collect()
}

/// An enterprise, for people.
pub(super) fn enterprise(page: &Page, of: Option<&Enterprise>) -> String {
    of.map_or_else(String::new, |Enterprise { code, name }| {
        format!("{name} ({} {code})", page.t("mã số", "code"))
    })
}

fn shown_record(page: &Page, registry: &Registry, record: &MyRecord, now: base::Timestamp) -> Shown {
    let held = &record.held;
    let at = |field: &FieldPath| format!("/my/records/{}/{}/{field}", registry.code, held.id);
    Shown {
        enterprise: enterprise(page, record.enterprise.as_ref()),
        begins: false,
        held: span(page, registry.valid_time, held.from, held.to),
        holds: held.holds,
        source: held.source.clone(),
        recorded: held.recorded_at.display(),
        rows: rows(page, registry, &held.body)
            .into_iter()
            .map(|(field, name, value)| (name, value.words(), at(&field)))
            .collect(),
        doubts: record
            .doubts
            .iter()
            .map(|doubt| Row::of(page, registry, doubt, format!("/my/doubts/{}", doubt.id), now))
            .collect(),
    }
}

/// The reporter has seen the news.
pub(super) async fn seen(Extracted(quality): Extracted<Quality>, web: Web) -> Response {
    match quality.seen_doubts(&web.ctx).await {
        Ok(()) => Redirect::to("/my/records").into_response(),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "registry/contest.html")]
pub(super) struct ContestPage {
    pub page: Page,
    /// What is contested and what it says; empty while a registry elsewhere is silent.
    pub name: String,
    pub value: Values,
    /// Working days until it is answered, where that is known.
    pub days: Option<u32>,
    /// One form, one doubt, however often it is sent.
    pub form: String,
    pub wrong: String,
    pub right: String,
    pub evidence: String,
}

impl ContestPage {
    /// The empty form.
    pub fn new(web: &Web) -> Self {
        let mut page = web.titled("Thông tin này chưa đúng", "This is wrong");
        page.breadcrumbs = vec![
            Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
            Link::new("/my/records", "Dữ liệu về tôi", "Data about me"),
        ];
        Self {
            page,
            name: String::new(),
            value: ui::values([]),
            days: None,
            form: DoubtId::new(web.ctx.now).to_string(),
            wrong: String::new(),
            right: String::new(),
            evidence: String::new(),
        }
    }

    /// With what was typed, and what is wrong with it.
    pub fn refused(mut self, form: &[(String, String)], problems: Problems) -> Self {
        let text = |name: &str| posted(form, name).to_owned();
        (self.wrong, self.right, self.evidence) = (text("wrong"), text("right"), text("evidence"));
        self.page.problems = problems;
        self
    }
}

/// A registry, a record and a field of it, as the address has them.
pub(super) type At = (String, String, String);

pub(super) async fn ask(Extracted(quality): Extracted<Quality>, web: Web, Path(at): Path<At>) -> Response {
    match contest(&quality, &web, &at).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn contest(quality: &Quality, web: &Web, (code, record, field): &At) -> Result<ContestPage> {
    let none = || Error::not_found("thông tin này", "field");
    let code: RegistryCode = code.parse().map_err(|_| none())?;
    let id: Uuid = record.parse().map_err(|_| none())?;
    let mine = quality.my_record(&web.ctx, &code, id).await?;
    let path: FieldPath = field.parse().map_err(|_| none())?;
    let (registry, record) = (&mine.registry, mine.records.first().ok_or_else(none)?);
    let field = registry.field(&path).ok_or_else(none)?;
    let asked = ContestPage::new(web);
    Ok(ContestPage {
        name: asked.page.text(&field.term.name).to_owned(),
        value: values_of(&asked.page, registry, field, &record.held.body).words(),
        days: Some(registry.doubts.answer_days),
        ..asked
    })
}

pub(super) async fn say(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(at): Path<At>,
    Posted { form, flaw }: Posted,
) -> Response {
    let Filled { mut fields, files } = form;
    fields.push(("field".to_owned(), at.2.clone()));
    let reported = async {
        let code: RegistryCode =
            at.0.parse()
                .map_err(|_| Error::not_found("cơ sở dữ liệu", "registry"))?;
        whole(flaw)?;
        // All files are judged before anything is reported.
        let files = judged(files).await?;
        let (report, key) = (report_of(&fields), posted(&fields, "form"));
        let receipt = quality.doubt(&web.ctx, &Reporter::Caller, &code, &at.1, &report, key);
        Ok((receipt.await?.id, files))
    };
    let error = match reported.await {
        Ok((id, files)) => {
            let kept = quality.add_files(&web.ctx, id, files).await.map(drop);
            return then_show(&quality, &web, &id.to_string(), kept.map_err(at_control), &fields).await;
        }
        Err(error) => error,
    };
    let (status, problems) = match problems_of(error) {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    let asked = match contest(&quality, &web, &at).await {
        // Nobody can say at the moment whose it is: what was typed is kept.
        Err(Error::Refused(Kind::Unavailable, _)) => Ok(ContestPage::new(&web)),
        asked => asked,
    };
    match asked {
        Ok(template) => view::html(status, &template.refused(&fields, problems)),
        Err(error) => web.refuse(&error),
    }
}

#[derive(Template)]
#[template(path = "registry/my_doubt.html")]
struct MyDoubtPage {
    page: Page,
    row: Row,
    registry: String,
    doubt: Doubt,
    files: Vec<FileLine>,
    typed: Typed,
}

pub(super) async fn doubt(Extracted(quality): Extracted<Quality>, web: Web, Path(id): Path<String>) -> Response {
    match my_doubt(&quality, &web, &id).await {
        Ok(template) => view::html(StatusCode::OK, &template),
        Err(error) => web.refuse(&error),
    }
}

async fn my_doubt(quality: &Quality, web: &Web, id: &str) -> Result<MyDoubtPage> {
    web.ctx.person()?;
    let id = read_doubt(id)?;
    let doubt = quality.own_doubt(&web.ctx, id).await?;
    let files = quality.own_files(&web.ctx, id).await?;
    let editions = quality.registries().shelf().get(&doubt.registry);
    let registry = editions.ok_or_else(no_doubt)?.current();
    let mut page = web.titled("Phản ánh của tôi", "My doubt");
    page.path = address(id);
    page.breadcrumbs = vec![
        Link::new("/my", "Hồ sơ của tôi", "My dossiers"),
        Link::new("/my/records", "Dữ liệu về tôi", "Data about me"),
    ];
    Ok(MyDoubtPage {
        row: Row::of(&page, &registry, &doubt, String::new(), web.ctx.now),
        registry: page.text(&registry.name).to_owned(),
        files: files
            .iter()
            .map(|file| FileLine::of(&page, file, &address(id)))
            .collect(),
        typed: Typed::default(),
        doubt,
        page,
    })
}

fn address(doubt: DoubtId) -> String {
    format!("/my/doubts/{doubt}")
}

fn read_doubt(id: &str) -> Result<DoubtId> {
    id.parse().map_err(|_| no_doubt())
}

fn no_doubt() -> Error {
    Error::not_found("phản ánh này", "doubt")
}

/// The person gives evidence or a file, takes a file back, or the doubt.
pub(super) async fn answer(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path(id): Path<String>,
    Posted { form, flaw }: Posted,
) -> Response {
    let Filled { fields, files } = form;
    let done = async {
        whole(flaw)?;
        own_act(&quality, &web.ctx, read_doubt(&id)?, &fields, files).await
    };
    let done = done.await;
    then_show(&quality, &web, &id, done, &fields).await
}

/// What a reporter does to a doubt of theirs: `then` says what.
pub(super) async fn own_act(
    quality: &Quality,
    ctx: &Ctx,
    doubt: DoubtId,
    fields: &[(String, String)],
    files: Vec<Sent>,
) -> Result<()> {
    match posted(fields, "then") {
        "reply" => {
            let files = judged(files).await?;
            // What has arrived stays, though there may be something against the text.
            quality.add_files(ctx, doubt, files).await.map_err(at_control)?;
            quality.reply(ctx, doubt, posted(fields, "evidence")).await
        }
        "add" => {
            let files = some_judged(files).await?;
            quality.add_files(ctx, doubt, files).await.map(drop).map_err(at_control)
        }
        "remove" => {
            let file = attached::read_id(posted(fields, "file_id"))?;
            quality.remove_file(ctx, doubt, file).await
        }
        _ => quality.withdraw_doubt(ctx, doubt).await,
    }
}

/// The doubt after something was done to it: anew, or with what is against that and with what was typed.
async fn then_show(quality: &Quality, web: &Web, id: &str, done: Result<()>, fields: &[(String, String)]) -> Response {
    let error = match done {
        Ok(()) => return Redirect::to(&format!("/my/doubts/{id}")).into_response(),
        Err(error) => error,
    };
    let (status, problems) = match problems_of(error) {
        Ok(found) => found,
        Err(error) => return web.refuse(&error),
    };
    match my_doubt(quality, web, id).await {
        Ok(mut template) => {
            template.typed = Typed::of(fields);
            template.page.problems = problems;
            view::html(status, &template)
        }
        Err(error) => web.refuse(&error),
    }
}

/// One's own file, given out.
pub(super) async fn file(
    Extracted(quality): Extracted<Quality>,
    web: Web,
    Path((id, file)): Path<(String, String)>,
) -> Response {
    let found = async {
        let (id, file) = (read_doubt(&id)?, attached::read_id(&file)?);
        quality.own_file(&web.ctx, id, file).await
    };
    match found.await {
        Ok(found) => attached::given(found),
        Err(error) => web.refuse(&error),
    }
}
