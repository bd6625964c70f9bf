//! Every step of the ladder over real registries, questions and a real log, on each engine; what must never happen; and what registries are told
//! once it is signed.

mod awaited;
mod declared;
mod ladder;
mod never;
mod pension;
mod told;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use axum::{
    Extension,
    body::Body,
    http::{Request, StatusCode, header},
};
use base::{Calendar, Error, Lang, Problems, Timestamp, time::FixedClock};
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use identity::{
    AccountId, Actor, Assurance, Ctx, Entropy, IdentityState, NewAccount, OfficerActor, OfficerId, PersonActor, Role,
    Roles, Sex, Shell,
};
use jiff::civil::datetime;
use ledger::{Algorithm, FileKey, Kind as LeafKind, Ledger, Log, Options};
use procedure::{
    form::{Attribute, Field, Kind as FieldKind, Said},
    package::CheckOptions,
    reference::{Published, Reference, Source as Catalogue},
    shelf::Shelf,
};
use registry::{
    folder,
    here::Here,
    history::Moment,
    keeper::{self, Keeper, Order, TakeBack},
    lookup::{Lookup, Question},
    model::ValidTime,
    question::{self, runs, service::Questions},
    service::{Change, Provenance, Registries, Target},
};
use serde_json::{Value, json};
use store::{Store, jobs::Runner, testkit};
use tower::ServiceExt as _;
use uuid::Uuid;

use dossier::{
    MIGRATIONS,
    proposal::{
        self, Around, Figures, Level, Proposing, Rule, Wish, check,
        model::{ProposalId, State},
    },
    service::{Config, Dossiers, DraftId},
};

const AGENCY: &str = "H57.32.12";
const MOTHER: &str = "046190001234";
const FATHER: &str = "046088004321";
const CHILD: &str = "046326000014";
const RULES: [&str; 5] = [
    "birth-registration",
    "child-health-card",
    "permanent-residence",
    "residence-behind",
    "social-pension",
];
const CODES: [&str; 5] = ["1.000656", "1.001193", "1.004222", "1.014027", "3.000722"];
const DAY: i64 = 86_400;

static REFERENCE: LazyLock<Arc<Reference>> = LazyLock::new(|| Arc::new(Reference::embedded().expect("reference data")));

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Friday morning.
fn start() -> Timestamp {
    Timestamp::from_legal(datetime(2026, 11, 20, 9, 0, 0, 0))
}

fn after(seconds: i64) -> Timestamp {
    start().plus_seconds(seconds)
}

/// The registries of the node, of which some may be down.
#[derive(Debug)]
struct Moody {
    here: Here,
    down: Mutex<BTreeSet<String>>,
    refuses: AtomicBool,
    /// Whether what was told stays.
    keeps: AtomicBool,
    /// How often it does as it is told and its answer is lost; how often the exchange bars the way.
    unheard: AtomicU32,
    barred: AtomicU32,
}

/// Whether any are left; one less afterwards.
fn left(of: &AtomicU32) -> bool {
    of.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
        .is_ok()
}

impl Moody {
    fn is_down(&self, registry: &str) -> bool {
        self.down.lock().expect("one at a time").contains(registry)
    }
}

impl Lookup for Moody {
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: &'a Question) -> BoxFuture<'a, BTreeMap<Attribute, Said>> {
        Box::pin(async move {
            let mut said = self.here.ask(ctx, question).await;
            said.retain(|attribute, _| !self.is_down(&attribute.registry));
            said
        })
    }
}

impl Keeper for Moody {
    fn tell<'a>(&'a self, ctx: &'a Ctx, order: &'a Order) -> BoxFuture<'a, keeper::Said> {
        if self.is_down(&order.plan.registry) {
            return Box::pin(async { keeper::Said::Silent });
        }
        if self.refuses.load(Ordering::Relaxed) {
            let mut problems = Problems::new();
            problems.add("no", "plan", "Cơ quan từ chối.", "The agency refuses.");
            return Box::pin(async { keeper::Said::Refused(problems) });
        }
        if left(&self.barred) {
            let mut problems = Problems::new();
            problems.add("exchange-refused", "", "Chưa được cấp quyền.", "No grant.");
            return Box::pin(async { keeper::Said::Barred(problems) });
        }
        Box::pin(async move {
            let said = self.here.tell(ctx, order).await;
            if left(&self.unheard) {
                keeper::Said::Silent
            } else {
                said
            }
        })
    }

    fn became<'a>(&'a self, ctx: &'a Ctx, asked: &'a keeper::Asked) -> BoxFuture<'a, keeper::Said> {
        self.here.became(ctx, asked)
    }

    fn take_back<'a>(&'a self, ctx: &'a Ctx, back: &'a TakeBack) -> BoxFuture<'a, keeper::Said> {
        if self.is_down(&back.registry) {
            return Box::pin(async { keeper::Said::Silent });
        }
        if self.keeps.load(Ordering::Relaxed) {
            let mut problems = Problems::new();
            problems.add(
                "later-entry",
                "",
                "Bản ghi đã có nội dung mới hơn.",
                "The record has a later entry.",
            );
            return Box::pin(async { keeper::Said::Refused(problems) });
        }
        self.here.take_back(ctx, back)
    }
}

struct Commune {
    store: Store,
    identity: IdentityState,
    registries: Registries,
    moody: Arc<Moody>,
    questions: Questions,
    dossiers: Dossiers,
    log: Arc<Log>,
    _folder: tempfile::TempDir,
}

fn questions() -> Vec<question::Question> {
    let folders = std::fs::read_dir(root().join("questions"))
        .expect("the folder")
        .flatten();
    let good = |folder: PathBuf| {
        let (question, report) = question::check(&folder);
        question.unwrap_or_else(|| panic!("{}", report.human(Lang::En)))
    };
    folders.map(|entry| good(entry.path())).collect()
}

fn rules(shelf: &Shelf) -> Vec<Rule> {
    let questions = questions();
    let packages = shelf.all_on(start().legal_date());
    let published = Published::from_source(&Catalogue::embedded())
        .expect("a catalogue")
        .procedures;
    let around = Around {
        questions: &questions,
        packages: &packages,
        published: &published,
    };
    let good = |code: &str| {
        let (rule, report) = check(&root().join("proposals").join(code), &around);
        rule.unwrap_or_else(|| panic!("{code}: {}", report.human(Lang::En)))
    };
    RULES.map(good).into()
}

/// A commune on each engine.
async fn communes() -> Vec<Commune> {
    let sets = [
        identity::MIGRATIONS,
        procedure::shelf::MIGRATIONS,
        registry::MIGRATIONS,
        MIGRATIONS,
    ];
    let mut communes = Vec::new();
    for store in testkit::stores(&sets).await {
        let shelf = Shelf::open(store.clone()).await.expect("an empty shelf");
        for code in CODES {
            let dir = root().join("catalogue").join(code);
            shelf
                .put_dir(&dir, &CheckOptions::default(), start())
                .await
                .expect("a good package");
        }
        let held = registry::shelf::Shelf::open(store.clone(), Arc::clone(&REFERENCE))
            .await
            .expect("a shelf");
        for code in ["population", "residence", "civil-status", "social-insurance", "tax"] {
            let files = folder::read(&root().join("registries").join(code)).expect("files");
            held.publish(&files, "test", start()).await.expect("published");
        }
        let clock = Arc::new(FixedClock::at(start()));
        let identity = IdentityState::new(
            store.clone(),
            identity::Config::default(),
            &[9; 32],
            clock,
            Entropy::system(),
            Shell::default(),
        );
        let identity = identity.expect("good settings");
        let registries = Registries::new(store.clone(), held, identity.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let signer = FileKey::generate("h57.gov.vn/ledger", Algorithm::Ed25519).expect("a key");
        let log = Log::open(folder.path(), Options::new("h57.gov.vn/ledger", Arc::new(signer))).expect("a log");
        let log = Arc::new(log);
        let moody = Arc::new(Moody {
            here: Here::new(registries.clone()),
            down: Mutex::default(),
            refuses: AtomicBool::new(false),
            keeps: AtomicBool::new(false),
            unheard: AtomicU32::new(0),
            barred: AtomicU32::new(0),
        });
        let questions = Questions::new(registries.clone(), Arc::clone(&moody) as Arc<dyn Lookup>, questions());
        let dossiers = dossiers(&store, &shelf, &identity, &moody, &questions);
        let ledger = Ledger {
            log: Arc::clone(&log),
            keys: Vec::new(),
        };
        dossiers.keep_in(ledger).await.expect("kept");
        communes.push(Commune {
            store,
            identity,
            registries,
            moody,
            questions,
            dossiers,
            log,
            _folder: folder,
        });
    }
    assert!(!communes.is_empty());
    communes
}

fn dossiers(
    store: &Store,
    shelf: &Shelf,
    identity: &IdentityState,
    moody: &Arc<Moody>,
    questions: &Questions,
) -> Dossiers {
    let calendar = include_str!("../../../../data/calendar/viet-nam.toml");
    let calendar = Calendar::new(toml::from_str(calendar).expect("TOML")).expect("sound");
    let config = Config {
        agencies: ["commune", "province"]
            .map(|level| (level.to_owned(), AGENCY.to_owned()))
            .into(),
        agency_names: BTreeMap::from([(AGENCY.to_owned(), "Ủy ban nhân dân phường Thuận Hóa".to_owned())]),
        secret_key: [3; 32],
        ..Config::default()
    };
    let dossiers = Dossiers::new(
        store.clone(),
        shelf.clone(),
        Arc::clone(&REFERENCE),
        calendar,
        identity.clone(),
        config,
    );
    dossiers.ask_registries_by(Arc::clone(moody) as Arc<dyn Lookup>);
    dossiers.tell_registries_by(Arc::clone(moody) as Arc<dyn Keeper>);
    dossiers.propose_by(Proposing::new(rules(shelf), questions.clone(), &[5; 32]));
    dossiers
}

fn person(number: &str, at: Timestamp) -> Ctx {
    let account = AccountId::from_uuid(Uuid::from_u128(number.parse().expect("digits")));
    Ctx {
        actor: Actor::Person(PersonActor {
            account,
            name: "Nguyễn Thị Ngọc Ánh".to_owned(),
            person_number: Some(number.to_owned()),
            birth_date: Some(jiff::civil::date(1990, 5, 2)),
            sex: Some(Sex::Female),
            phone: Some("0905123456".to_owned()),
            email: None,
            assurance: Assurance::Level2,
            organisation: None,
        }),
        now: at,
        request_id: Uuid::from_u128(7),
        lang: Lang::Vi,
    }
}

fn officer(agency: &str, role: Role) -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(77)),
            name: "Trần Văn Bình".to_owned(),
            title: "Chủ tịch".to_owned(),
            agency: agency.to_owned(),
            roles: Roles::of(&[role]),
        }),
        ..person(MOTHER, start())
    }
}

fn leader() -> Ctx {
    officer(AGENCY, Role::Leader)
}

fn citizen(number: &str, birth: &str) -> Value {
    json!({
        "person_number": number, "name": "Nguyễn Bé Bí Mật", "birth_date": birth, "sex": "female", "ethnicity": "01",
        "nationality": "VN", "status": "alive",
    })
}

fn child() -> Value {
    let mut child = citizen(CHILD, "2026-01-05");
    child["mother_person_number"] = MOTHER.into();
    child["father_person_number"] = FATHER.into();
    child
}

fn residence(number: &str, commune: &str) -> Value {
    json!({ "person_number": number, "kind": "permanent", "address": { "province": "46", "commune": commune, "detail": "Số 1" }, "since": "2026-03-01" })
}

impl Commune {
    async fn add(&self, registry: &str, body: Value) {
        let change = Change::Assert {
            target: Target::New,
            from: Moment::parse("2026-03-01", ValidTime::Day).expect("a day"),
            to: None,
            body,
        };
        let provenance = Provenance {
            source: "Tờ khai".to_owned(),
            ..Provenance::default()
        };
        let code = registry.parse().expect("a code");
        let key = Uuid::new_v4().to_string();
        let written = self
            .registries
            .write(&Ctx::system("test", start()), &code, change, &provenance, &key)
            .await;
        written.expect("written");
    }

    /// A mother who moved, and whom the population registry has at the former place.
    async fn moved(&self) {
        let mut mother = citizen(MOTHER, "1990-05-02");
        mother["residence"] = json!({ "province": "46", "commune": "19774" });
        self.add("population", mother).await;
        self.add("residence", residence(MOTHER, "19777")).await;
    }

    async fn commune_of(&self, number: &str, at: Timestamp) -> Value {
        let asked = Question {
            about: registry::lookup::About::Person(number.to_owned()),
            attributes: vec!["population.residence".parse().expect("an attribute")],
            procedure: "1.004222".to_owned(),
            basis: "Luật Cư trú".to_owned(),
            dossier: None,
            times: registry::service::Times::default(),
        };
        let said = self.moody.here.ask(&Ctx::system("test", at), &asked).await;
        match said.into_values().next() {
            Some(Said::Known { value, .. }) => value["commune"].clone(),
            _ => Value::Null,
        }
    }

    fn down(&self, registry: &str, is_down: bool) {
        let mut down = self.moody.down.lock().expect("one at a time");
        match is_down {
            true => down.insert(registry.to_owned()),
            false => down.remove(registry),
        };
    }

    fn runner(&self, at: Timestamp) -> Runner {
        let runner = Runner::new(self.store.clone(), Arc::new(FixedClock::at(at)));
        let runner = runs::handlers(runner, &self.questions);
        let runner = dossier::service::handlers(runner, &self.dossiers);
        proposal::handlers(runner, &self.dossiers)
    }

    /// Does what is due at an instant and in the minute after it.
    async fn work(&self, at: Timestamp) {
        for n in 0..10 {
            let runner = self.runner(at.plus_seconds(6 * n));
            while runner.run_due().await.expect("the table of jobs") > 0 {}
        }
    }

    async fn run(&self, rule: &str, people: &str) {
        self.dossiers.start_run(&leader(), rule, people).await.expect("started");
        self.work(start()).await;
    }

    /// The only proposal to a person.
    async fn only(&self, ctx: &Ctx) -> (ProposalId, State) {
        let (views, _) = self.dossiers.own_proposals(ctx, None).await.expect("a list");
        assert_eq!(views.len(), 1, "{views:?}");
        (views[0].proposal.id, views[0].proposal.state)
    }

    async fn none(&self, ctx: &Ctx) -> bool {
        self.dossiers
            .own_proposals(ctx, None)
            .await
            .expect("a list")
            .0
            .is_empty()
    }

    async fn state(&self, number: &str, at: Timestamp) -> State {
        self.only(&person(number, at)).await.1
    }

    /// Until when a proposal stands, or may be refused.
    async fn until(&self, number: &str) -> Timestamp {
        let (views, _) = self
            .dossiers
            .own_proposals(&person(number, after(60)), None)
            .await
            .expect("a list");
        views[0].proposal.made.until
    }

    async fn figures(&self, rule: &str) -> Figures {
        self.dossiers
            .proposal_rule(&leader(), rule)
            .await
            .expect("a rule")
            .figures
    }

    /// Answers what the form still asks, and files it; the code of the dossier.
    async fn file(&self, ctx: &Ctx, draft: DraftId) -> String {
        for _ in 0..20 {
            let view = self.dossiers.draft(ctx, draft).await.expect("the draft");
            let Some(open) = view.journey.first_open() else { break };
            let page = &view.package.form.pages[open];
            // What a page asks may depend on what is answered on it: then every question of it is answered.
            for all in [false, true] {
                let asks = view.journey.page(open).expect("shown").fields.iter();
                let asks = asks.filter(|asked| asked.required && !asked.origin.fixed());
                let posted: Vec<_> = match all {
                    true => page.fields.iter().flat_map(|field| self.typed(field)).collect(),
                    false => asks.flat_map(|asked| self.typed(&page.fields[asked.field])).collect(),
                };
                let saved = self.dossiers.save_page(ctx, draft, &page.id, &posted).await;
                let (_, input) = saved.expect("kept");
                if input.is_done() {
                    break;
                }
                assert!(!all, "{}: {:?}", page.id, input);
            }
        }
        let once = draft.to_string();
        self.dossiers.submit(ctx, draft, &once).await.expect("filed").code
    }

    /// What a mother types who files for the child alone.
    fn typed(&self, field: &Field) -> Vec<(String, String)> {
        let one = |value: &str| vec![(field.id.clone(), value.to_owned())];
        let part = |name: &str, value: &str| (format!("{}.{name}", field.id), value.to_owned());
        let place = || {
            let units = &self.dossiers.reference().units;
            let province = units.provinces(start().legal_date())[0];
            let commune = units.communes(province.code, start().legal_date())[0];
            vec![
                part("province", &province.code.to_string()),
                part("commune", &commune.title(Lang::Vi)),
                part("detail", "Số 2"),
            ]
        };
        match &field.kind {
            // Whom the registries knew alive since March.
            FieldKind::Date { .. } if field.id == "death.death_date" => {
                vec![part("day", "16"), part("month", "11"), part("year", "2026")]
            }
            FieldKind::PersonName => one("Nguyễn Bé Bí Mật"),
            FieldKind::Date { .. } => vec![part("day", "5"), part("month", "1"), part("year", "2026")],
            FieldKind::Sex => one("female"),
            FieldKind::Ethnicity => one("01"),
            FieldKind::YesNo => one("false"),
            FieldKind::Declaration => one("true"),
            FieldKind::Choice(options) => one(&options[0].value),
            FieldKind::PartialDate => vec![part("year", "1988")],
            FieldKind::Nationality => one("VN"),
            FieldKind::Address | FieldKind::Commune => place(),
            _ => one("Nội dung khai"),
        }
    }

    async fn send(&self, ctx: &Ctx, request: Request<Body>) -> (StatusCode, String, String) {
        let (api, _) = dossier::api::router(self.dossiers.clone()).split_for_parts();
        let app = dossier::pages::router(self.dossiers.clone())
            .merge(api)
            .layer(Extension(ctx.clone()))
            .layer(Extension(self.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let response = app.oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let location = parts
            .headers
            .get(header::LOCATION)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        (
            parts.status,
            location.to_owned(),
            String::from_utf8_lossy(&body).into_owned(),
        )
    }

    async fn page(&self, ctx: &Ctx, path: &str) -> String {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let (status, to, body) = self.send(ctx, request).await;
        assert_eq!(status, StatusCode::OK, "{path} → {to} {body}");
        keep(ctx, path, &body);
        body
    }

    async fn post(&self, ctx: &Ctx, path: &str, body: &str) -> (StatusCode, String, String) {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()));
        self.send(ctx, request.expect("a request")).await
    }
}

fn code(error: &Error) -> &str {
    let problem = error.problems().and_then(|problems| problems.iter().next());
    problem.map_or("internal", |problem| problem.code.as_str())
}

/// With `MOTCUA_KEEP_PAGES` the pages are kept in that folder, to be looked at.
fn keep(ctx: &Ctx, path: &str, body: &str) {
    let Ok(folder) = std::env::var("MOTCUA_KEEP_PAGES") else {
        return;
    };
    let name: String = path
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let _ = std::fs::create_dir_all(&folder);
    let _ = std::fs::write(Path::new(&folder).join(format!("{name}.{}.html", ctx.lang.tag())), body);
}
