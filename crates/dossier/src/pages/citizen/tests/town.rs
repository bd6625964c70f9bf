//! A commune with the packages of the catalogue, and browsers of people and officers.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use ::store::{Store, jobs::Runner, testkit, transact};
use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use base::{Calendar, Lang, Timestamp, time::FixedClock};
use http_body_util::BodyExt;
use identity::{
    AccountId, Actor, Assurance, Ctx, Entropy, IdentityState, OfficerActor, OfficerId, PersonActor, Role, Roles, Sex,
    Shell,
};
use jiff::civil::datetime;
use procedure::{
    form::{Field, Kind},
    package::CheckOptions,
    reference::Reference,
    shelf::Shelf,
};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

use crate::{
    MIGRATIONS,
    model::{
        action::DossierId,
        command::{Command, Completion},
    },
    service::{CHANGED, Config, DossierView, Dossiers, DraftView},
};

pub const AGENCY: &str = "H57.32.12";
pub const CODES: [&str; 10] = [
    "1.000656", "1.000894", "1.001193", "1.004222", "1.004873", "1.013225", "1.014027", "2.000635", "2.001610",
    "3.000722",
];
/// Text that would break a page that does not escape.
pub const HOSTILE: &str = "\"'><script>alert(1)</script>&";

pub struct Town {
    pub dossiers: Dossiers,
    pub identity: IdentityState,
    pub store: Store,
    app: Router,
}

/// A town on each engine.
pub async fn towns() -> Vec<Town> {
    towns_with(|_| ()).await
}

/// As [`towns`], with other settings.
pub async fn towns_with(change: impl Fn(&mut Config)) -> Vec<Town> {
    let mut towns = Vec::new();
    let sets = [
        identity::MIGRATIONS,
        procedure::shelf::MIGRATIONS,
        registry::MIGRATIONS,
        MIGRATIONS,
    ];
    for store in testkit::stores(&sets).await {
        towns.push(Town::on(store, &change).await);
    }
    assert!(!towns.is_empty());
    towns
}

impl Town {
    async fn on(store: Store, change: &impl Fn(&mut Config)) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let shelf = Shelf::open(store.clone()).await.expect("an empty shelf");
        for code in CODES {
            let dir = root.join("catalogue").join(code);
            shelf
                .put_dir(&dir, &CheckOptions::default(), start())
                .await
                .expect("a good package");
        }
        let calendar = include_str!("../../../../../../data/calendar/viet-nam.toml");
        let calendar = Calendar::new(toml::from_str(calendar).expect("TOML")).expect("sound");
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
        let mut config = Config {
            agencies: ["commune", "province"]
                .map(|level| (level.to_owned(), AGENCY.to_owned()))
                .into(),
            agency_names: BTreeMap::from([(AGENCY.to_owned(), "Ủy ban nhân dân phường Thuận Hóa".to_owned())]),
            secret_key: [3; 32],
            largest_upload: 2 << 20,
            ..Config::default()
        };
        change(&mut config);
        let reference = Arc::new(Reference::embedded().expect("reference data"));
        let dossiers = Dossiers::new(store.clone(), shelf, reference, calendar, identity.clone(), config);
        let (api, _) = crate::api::router(dossiers.clone()).split_for_parts();
        let app = crate::pages::router(dossiers.clone()).merge(api);
        Self {
            dossiers,
            identity,
            store,
            app,
        }
    }

    /// The same town after its node was stopped and started.
    pub async fn restarted(self) -> Self {
        let store = self.store.clone();
        drop(self);
        Self::on(store, &|_| ()).await
    }
}

/// A Friday morning.
pub fn start() -> Timestamp {
    Timestamp::from_legal(datetime(2026, 11, 20, 9, 0, 0, 0))
}

pub fn person(name: &str, lang: Lang) -> Ctx {
    let person = PersonActor {
        account: AccountId::from_uuid(Uuid::from_u128(name.bytes().map(u128::from).sum::<u128>() + 1)),
        name: name.to_owned(),
        person_number: Some("046190001234".to_owned()),
        birth_date: Some(jiff::civil::date(1990, 5, 2)),
        sex: Some(Sex::Female),
        phone: Some("0905123456".to_owned()),
        email: Some("an@example.vn".to_owned()),
        assurance: Assurance::Level2,
        organisation: None,
    };
    Ctx {
        actor: Actor::Person(person),
        now: start(),
        request_id: Uuid::from_u128(7),
        lang,
    }
}

pub fn an() -> Ctx {
    person("Nguyễn Thị Ngọc Ánh", Lang::Vi)
}

pub fn officer(roles: &[Role]) -> Ctx {
    officer_of(AGENCY, 77, "Trần Văn Bình", roles)
}

/// Another officer of the same agency.
pub fn colleague(roles: &[Role]) -> Ctx {
    officer_of(AGENCY, 78, "Phạm Thị Hoa", roles)
}

pub fn officer_of(agency: &str, id: u128, name: &str, roles: &[Role]) -> Ctx {
    let officer = OfficerActor {
        officer: OfficerId::from_uuid(Uuid::from_u128(id)),
        name: name.to_owned(),
        title: "Công chức".to_owned(),
        agency: agency.to_owned(),
        roles: Roles::of(roles),
    };
    Ctx {
        actor: Actor::Officer(officer),
        now: start().plus_seconds(1800),
        request_id: Uuid::from_u128(8),
        lang: Lang::Vi,
    }
}

pub fn nobody() -> Ctx {
    Ctx {
        actor: Actor::Anonymous,
        now: start(),
        request_id: Uuid::from_u128(9),
        lang: Lang::Vi,
    }
}

/// An answer of the site.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> String {
        self.headers
            .get(header::LOCATION)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let from = format!("name=\"{name}\" value=\"");
        let rest = self.body.split(&from).nth(1).unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

impl Town {
    /// Does the deferred work of the first hours: documents, services.
    pub async fn work(&self) {
        self.work_until(start().plus_seconds(6 * 3600)).await;
    }

    /// Does everything that is due by `at`.
    pub async fn work_until(&self, at: Timestamp) {
        let runner = Runner::new(self.store.clone(), Arc::new(FixedClock::at(at)));
        let runner = crate::service::handlers(runner, &self.dossiers);
        let dossiers = self.dossiers.clone();
        let runner = runner.on_many(CHANGED, move |batch| {
            let dossiers = dossiers.clone();
            async move {
                dossiers.follow_changes(&batch).await?;
                transact!(batch.store, |tx| { batch.done(&tx).await })
            }
        });
        while runner.run_due().await.expect("the table of jobs") > 0 {}
    }

    pub async fn send(&self, ctx: &Ctx, request: Request<Body>) -> Answer {
        let app = self
            .app
            .clone()
            .layer(Extension(ctx.clone()))
            .layer(Extension(self.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let path = request.uri().to_string();
        let response = app.oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        assert_ne!(parts.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {body}");
        if body.starts_with("<!DOCTYPE") {
            sound(&path, &body);
        }
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub async fn get(&self, ctx: &Ctx, path: &str) -> Answer {
        self.send(ctx, Request::get(path).body(Body::empty()).expect("a request"))
            .await
    }

    /// A GET that must show a page.
    pub async fn page(&self, ctx: &Ctx, path: &str) -> Answer {
        let answer = self.get(ctx, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} → {}", answer.location());
        keep(ctx, path, &answer.body);
        answer
    }

    pub async fn post(&self, ctx: &Ctx, path: &str, fields: &[(String, String)]) -> Answer {
        let encode = view::files::encoded;
        let body: Vec<String> = fields
            .iter()
            .map(|(n, v)| format!("{}={}", encode(n), encode(v)))
            .collect();
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.join("&")));
        self.send(ctx, request.expect("a request")).await
    }

    /// A form with files, as a browser without JavaScript sends it.
    pub async fn post_files(
        &self,
        ctx: &Ctx,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        for (field, name, content) in files {
            let head = format!(
                "--XX\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend_from_slice(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--XX--\r\n");
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX")
            .body(Body::from(body));
        self.send(ctx, request.expect("a request")).await
    }

    /// The draft behind `/drafts/{id}`.
    pub async fn draft(&self, ctx: &Ctx, path: &str) -> DraftView {
        let id = path.trim_start_matches("/drafts/").parse().expect("an id");
        self.dossiers.draft(ctx, id).await.expect("the draft")
    }

    /// Begins a draft and answers every question that must be answered; gives the address of the draft.
    pub async fn fill(&self, ctx: &Ctx, code: &str) -> String {
        let path = self.post(ctx, &format!("/apply/{code}/start"), &[]).await.location();
        assert!(path.starts_with("/drafts/"), "{path}");
        // What a page asks may depend on what is answered on it: then every question of it is answered.
        let mut all = false;
        for _ in 0..60 {
            let view = self.draft(ctx, &path).await;
            let Some(index) = view.journey.first_open() else { break };
            let form_page = &view.package.form.pages[index];
            let state = view.journey.page(index).expect("shown");
            let address = format!("{path}/pages/{}", form_page.id);
            self.page(ctx, &address).await;
            let mut fields = vec![("then".to_owned(), "next".to_owned())];
            for asked in &state.fields {
                let field = &form_page.fields[asked.field];
                fields.push(("_shown".to_owned(), field.id.clone()));
                if (asked.required || all) && !asked.origin.fixed() {
                    fields.extend(self.typed(field));
                }
            }
            let answer = self.post(ctx, &address, &fields).await;
            let refused = answer.status == StatusCode::UNPROCESSABLE_ENTITY;
            let again = refused && !all;
            all = refused;
            assert!(
                again || answer.status == StatusCode::SEE_OTHER || answer.status == StatusCode::OK,
                "{code} {}: {} {}",
                form_page.id,
                answer.status,
                errors(&answer.body)
            );
        }
        path
    }

    /// Hands in every paper that must be there.
    pub async fn hand_in(&self, ctx: &Ctx, path: &str) {
        for paper in self.draft(ctx, path).await.papers {
            let address = format!("{path}/papers/{}", paper.id);
            self.page(ctx, &address).await;
            if paper.required {
                let answer = self
                    .post_files(ctx, &address, &[("then", "next")], &[("file", "ảnh chụp.png", PNG)])
                    .await;
                assert_eq!(
                    answer.status,
                    StatusCode::SEE_OTHER,
                    "{address}: {}",
                    errors(&answer.body)
                );
            }
        }
    }

    /// Files a draft; gives the address of the dossier.
    pub async fn file(&self, ctx: &Ctx, path: &str) -> String {
        let check = self.page(ctx, &format!("{path}/check")).await;
        let fields = [
            ("idempotency_key".to_owned(), check.hidden("idempotency_key")),
            ("declaration".to_owned(), "true".to_owned()),
        ];
        let filed = self.post(ctx, &format!("{path}/check"), &fields).await;
        assert_eq!(filed.status, StatusCode::SEE_OTHER, "{}", errors(&filed.body));
        filed.location()
    }

    /// What an officer sees of a dossier.
    pub async fn seen(&self, path: &str) -> DossierView {
        let code = path
            .trim_start_matches("/dossiers/")
            .split('?')
            .next()
            .unwrap_or_default();
        let ctx = officer(&[Role::Receptionist]);
        self.dossiers
            .get_by_code(&ctx, code, identity::Purpose::Reception)
            .await
            .expect("the dossier")
    }

    /// The first open step, with this outcome.
    pub async fn step(&self, id: DossierId, completion: Completion) {
        let ctx = officer(&[Role::Receptionist, Role::Specialist, Role::Leader]);
        self.dossiers
            .command(&ctx, id, &Command::Complete(completion), None)
            .await
            .expect("the step is done");
    }

    /// What somebody types into a question.
    pub fn typed(&self, field: &Field) -> Vec<(String, String)> {
        let units = &self.dossiers.reference().units;
        let today = start().legal_date();
        let one = |value: &str| vec![(field.id.clone(), value.to_owned())];
        let part = |name: &str, value: &str| (format!("{}.{name}", field.id), value.to_owned());
        let place = || {
            let province = units.provinces(today)[0];
            let commune = units.communes(province.code, today)[0];
            vec![
                part("province", &province.code.to_string()),
                part("commune", &commune.title(Lang::Vi)),
                part("detail", "12 Lê Lợi"),
            ]
        };
        // What a form would not take of anybody else's answers.
        match field.id.as_str() {
            "partner.person_number" | "spouse.person_number" => return one("046088004321"),
            "partner.birth_date" => return vec![part("day", "3"), part("month", "2"), part("year", "1988")],
            "home.address" => {
                let new = |(name, value): (String, String)| match name.ends_with("detail") {
                    true => (name, "34 Trần Phú".to_owned()),
                    false => (name, value),
                };
                return place().into_iter().map(new).collect();
            }
            "business.name" => return one("Doanh nghiệp tư nhân Ngọc Ánh"),
            "business.main_activity" => return one("4711"),
            // Old enough for the social pension.
            "requester.birth_date" if matches!(field.kind, Kind::PartialDate) => return vec![part("year", "1949")],
            _ => {}
        }
        match &field.kind {
            Kind::Text { pattern: Some(_), .. } => one("15/2020"),
            Kind::PersonName => one("Trần Thị Bình An"),
            Kind::PersonNumber => one("046190001234"),
            Kind::TaxCode => one("0100109106"),
            Kind::Phone => one("0905 123 456"),
            Kind::Email => one("an@example.vn"),
            Kind::Date {
                min: Some(procedure::form::DateBound::Today { .. }),
                max: None,
            } => {
                vec![part("day", "20"), part("month", "12"), part("year", "2026")]
            }
            Kind::Date { .. } => vec![part("day", "16"), part("month", "11"), part("year", "2026")],
            Kind::PartialDate => vec![part("year", "1988")],
            Kind::Sex => one("male"),
            Kind::YesNo => one("false"),
            Kind::Declaration => one("true"),
            Kind::Ethnicity => one(&procedure::form::ethnicities()[0].code),
            Kind::Nationality => one("VN"),
            Kind::Choice(options) => one(&options[0].value),
            Kind::Choices { options, .. } => one(&options[0].value),
            Kind::Integer(_) | Kind::Decimal(_) | Kind::Money(_) | Kind::Area(_) => one("2"),
            Kind::Address | Kind::Commune => place(),
            Kind::LandParcel => vec![part("sheet", "12"), part("parcel", "345")],
            Kind::IdDocument => vec![
                part("kind", "passport"),
                part("number", "C1234567"),
                part("date.day", "1"),
                part("date.month", "2"),
                part("date.year", "2020"),
                part("place", "Cục Quản lý xuất nhập cảnh"),
            ],
            _ => one("Nội dung khai"),
        }
    }
}

/// The answer of a leaf, for comparing.
pub fn at(value: &Value, id: &str) -> Value {
    id.split('.')
        .fold(value.clone(), |v, key| v.get(key).cloned().unwrap_or(Value::Null))
}

/// The texts of the error summary.
pub fn errors(body: &str) -> String {
    let summary = body.split("mc-error-summary\"").nth(1).unwrap_or(body);
    let text = summary.split("</div>").next().unwrap_or_default();
    text.chars().take(1500).collect()
}

/// What every page must be: nothing of a script got through, no inline style, every link within the page leads somewhere.
fn sound(path: &str, body: &str) {
    assert!(!body.contains("<script>alert"), "{path}: a script got through");
    assert!(
        !body.contains(" style=\"") && !body.contains(" onclick"),
        "{path}: the policy forbids inline style and script"
    );
    assert!(
        !body.contains("{{") && !body.contains("{%"),
        "{path}: a template shows through"
    );
    for href in body.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(
            body.contains(&format!("id=\"{href}\"")),
            "{path}: nothing has the id {href}"
        );
    }
    let mut ids: Vec<&str> = body
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{path}: an id stands twice");
}

/// With `MOTCUA_KEEP_PAGES` the pages are kept in that folder, to be looked at.
pub fn keep(ctx: &Ctx, path: &str, body: &str) {
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

/// A picture of one point.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\x0dIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";
