//! A node: the crates put together over one database.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::exchange::{CONSULTATIONS, QUESTIONS_ROUTER, REGISTRIES};
use anyhow::Context as _;
use axum::{Extension, Router};
use base::{Calendar, Clock, Text, calendar::CalendarData, time::SystemClock};
use dossier::{
    consult,
    proposal::{self, Proposing},
    service::Dossiers,
};
use identity::{Audience, Entropy, IdentityState, NavEntry, Permission, Shell};
use insight::Insight;
use procedure::{catalogue::Catalogue, reference::Reference, shelf::Shelf};
use registry::{
    announce::{self, Announcer},
    quality::Quality,
    question::{self, service::Questions},
    service::Registries,
};
use store::{Store, jobs::Runner};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    csrf::CsrfLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

use crate::{
    backup,
    config::Config,
    exchange::{Exchange, Ground},
    front,
    ledger::Guarded,
    metrics::Metrics,
    packages, proposals, questions,
    registrar::Registrar,
    tls::PageCertificate,
    traces::{self, Traces},
};

/// All tables, in the order of the levels of the house.
pub const MIGRATIONS: &[store::Migrations] = &[
    store::MIGRATIONS,
    identity::MIGRATIONS,
    ::exchange::MIGRATIONS,
    procedure::catalogue::MIGRATIONS,
    procedure::shelf::MIGRATIONS,
    registry::MIGRATIONS,
    dossier::MIGRATIONS,
    insight::MIGRATIONS,
];

/// The working-day calendar of this build.
const CALENDAR: &str = include_str!("../../../data/calendar/viet-nam.toml");

/// Everything that serves.
#[derive(Clone)]
pub struct Node {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub identity: IdentityState,
    pub catalogue: Catalogue,
    pub registries: Registries,
    pub questions: Questions,
    pub quality: Quality,
    pub dossiers: Dossiers,
    pub insight: Insight,
    pub site: Arc<view::Site>,
    pub metrics: Arc<Metrics>,
    traces: Option<Arc<Traces>>,
    page_certificate: Arc<OnceLock<Arc<PageCertificate>>>,
    registrar: Registrar,
    announcer: Arc<OnceLock<Announcer>>,
    exchange: Arc<OnceLock<Exchange>>,
    guarded: Arc<OnceLock<Guarded>>,
    config: Arc<Config>,
}

/// Opens the database of a configuration, without looking at its tables.
///
/// # Errors
/// The address is wrong or does not answer; a restore into the data folder was interrupted.
pub async fn open_store(config: &Config) -> anyhow::Result<Store> {
    backup::check_whole(&config.data)?;
    std::fs::create_dir_all(&config.data).with_context(|| format!("making {}", config.data.display()))?;
    let secret = config.secret()?;
    Store::open(&store::Config {
        url: config.database_url(),
        connections: config.database.connections,
        blobs: config.data.join("blobs"),
        blob_key: secret.key("blobs"),
        faults: store::Faults::default(),
    })
    .await
}

/// The reference data of a configuration.
///
/// # Errors
/// They contradict each other, or cannot be read.
pub fn reference(config: &Config) -> base::Result<Reference> {
    match &config.reference {
        Some(folder) => Reference::load(folder),
        None => Reference::embedded(),
    }
}

/// The shelf of registries, with those of the configuration published.
async fn registries(
    config: &Config,
    store: &Store,
    reference: &Arc<Reference>,
    now: base::Timestamp,
) -> anyhow::Result<registry::shelf::Shelf> {
    let shelf = registry::shelf::Shelf::open(store.clone(), Arc::clone(reference)).await?;
    for folder in &config.registries {
        let (registry, report) = registry::folder::check(folder, reference);
        let registry = registry.with_context(|| format!("{}: {}", folder.display(), report.human(base::Lang::En)))?;
        shelf
            .publish(registry.files(), "motcua.toml", now)
            .await
            .with_context(|| folder.display().to_string())?;
    }
    Ok(shelf)
}

impl Node {
    /// Opens a node whose tables are up to date.
    ///
    /// # Errors
    /// A migration that has not run, a package that does not compile, reference data that contradict each other.
    pub async fn open(config: Config, store: Store) -> anyhow::Result<Self> {
        let pending = store.pending(MIGRATIONS).await?;
        if !pending.is_empty() {
            anyhow::bail!("the database lacks {}; run `motcua migrate` first", pending.join(", "));
        }
        reachable(&config)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let secret = config.secret()?;
        let reference = Arc::new(reference(&config)?);
        let identity = IdentityState::new(
            store.clone(),
            config.identity.clone(),
            &secret.key("identity"),
            Arc::clone(&clock),
            Entropy::system(),
            shell(&config),
        )?;
        let shelf = Shelf::open(store.clone()).await?;
        let today = clock.now().legal_date();
        for folder in &config.packages {
            shelf
                .put_dir(folder, &packages::options(), clock.now())
                .await
                .with_context(|| folder.display().to_string())?;
        }
        let catalogue = Catalogue::open(store.clone(), shelf.clone(), Arc::clone(&reference), today).await?;
        let registries = registries(&config, &store, &reference, clock.now()).await?;
        let registries = Registries::new(store.clone(), registries, identity.clone());
        if let Some(exchange) = &config.exchange {
            registries.say_purposes_by(exchange.journal.meanings());
        }
        registries.give_pseudonyms_by(config.pseudonyms.key(&secret)?);
        let mut dossiers = config.dossiers.clone();
        dossiers.secret_key = secret.key("tracking");
        dossiers.public_url = config.identity.public_url.trim_end_matches('/').to_owned();
        let calendar = calendar(&config)?;
        let quality = Quality::new(registries.clone(), calendar.clone());
        let dossiers = Dossiers::new(store.clone(), shelf, reference, calendar, identity.clone(), dossiers);
        let keepers = config
            .exchange
            .as_ref()
            .map(|exchange| exchange.registries.clone())
            .unwrap_or_default();
        // Where there are none, nothing waits for their answers, and officers write by hand.
        let has_registries = !registries.shelf().all().is_empty() || !keepers.is_empty();
        let registrar = Registrar::new(quality.clone(), keepers);
        let approved = questions::load(&config)?;
        let in_force = dossiers.shelf().all_on(today);
        let rules = proposals::load(&config, &approved, &in_force)?;
        let questions = Questions::new(registries.clone(), Arc::new(registrar.clone()), approved);
        dossiers.propose_by(Proposing::new(rules, questions.clone(), &secret.key("proposals")));
        if has_registries {
            dossiers.ask_registries_by(Arc::new(registrar.clone()));
            dossiers.tell_registries_by(Arc::new(registrar.clone()));
            dossiers.contest_by(Arc::new(registrar.clone()));
        }
        let insight = Insight::new(store.clone(), dossiers.clone());
        let site = Arc::new(site(&config));
        let traces = Traces::open(&config.traces, &config.identity.public_url)?.map(Arc::new);
        Ok(Self {
            store,
            clock,
            identity,
            catalogue,
            registries,
            questions,
            quality,
            dossiers,
            insight,
            site,
            metrics: Arc::default(),
            traces,
            registrar,
            announcer: Arc::default(),
            page_certificate: Arc::default(),
            exchange: Arc::default(),
            guarded: Arc::default(),
            config: Arc::new(config),
        })
    }

    /// Puts the packages of this build into force.
    ///
    /// # Errors
    /// One of them does not pass its check.
    pub async fn put_built_in_packages(&self) -> anyhow::Result<()> {
        for files in packages::built_in()? {
            self.dossiers
                .shelf()
                .put(&files, &packages::options(), self.clock.now())
                .await?;
        }
        Ok(())
    }

    /// Opens the transparency log and writes into it from now on. One process at a time has it open, so commands that only
    /// read do not.
    ///
    /// # Errors
    /// See [`crate::ledger::open`].
    pub async fn open_ledger(&self) -> anyhow::Result<()> {
        if self.dossiers.ledger().is_some() {
            return Ok(());
        }
        let config = Arc::clone(&self.config);
        let (clock, tracer) = (Arc::clone(&self.clock), self.tracer());
        let open = move || {
            let ledger = crate::ledger::open(&config)?;
            Guarded::open(&config, ledger, &clock, tracer)
        };
        let guarded = tokio::task::spawn_blocking(open).await??;
        self.dossiers.keep_in(guarded.ledgers()).await?;
        self.identity.keep_reads_in(guarded.ledgers()).await?;
        let now = self.clock.now();
        self.registries.keep_in(guarded.ledgers(), now).await?;
        self.quality.begin(now).await?;
        // Opened once, by whoever serves.
        let _ = self.guarded.set(guarded);
        Ok(())
    }

    /// Opens the exchange, if the configuration says that the node takes part.
    ///
    /// # Errors
    /// See [`Exchange::open`].
    pub async fn open_exchange(&self) -> anyhow::Result<()> {
        let (Some(exchange), Some(guarded)) = (&self.config.exchange, self.guarded()) else {
            return Ok(());
        };
        let secret = self.config.secret()?;
        let opened = Exchange::open(Ground {
            config: &self.config,
            secret: &secret,
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            calendar: self.dossiers.calendar().as_ref().clone(),
            identity: self.identity.clone(),
            log: Arc::clone(&guarded.ledger.log),
            tracer: self.tracer(),
            former: guarded.former.clone(),
            services: [
                (
                    CONSULTATIONS.to_owned(),
                    consult::router(self.dossiers.clone(), Arc::clone(&self.clock)),
                ),
                (
                    REGISTRIES.to_owned(),
                    registry::offered::router(self.registries.clone(), Arc::clone(&self.clock), &exchange.agency)
                        .merge(registry::quality::offered::router(
                            self.quality.clone(),
                            Arc::clone(&self.clock),
                            &exchange.agency,
                        )),
                ),
                (
                    QUESTIONS_ROUTER.to_owned(),
                    question::offered::router(self.questions.clone(), Arc::clone(&self.clock)),
                ),
            ]
            .into(),
        })
        .await?;
        if let (Some((_, system)), Some(events)) = (opened.calling(), opened.events()) {
            let (registries, named) = (self.registries.clone(), exchange.registries.clone());
            let announcer = Announcer::new(registries, events.clone(), system, named, &exchange.agency);
            announcer.begin(self.clock.now()).await?;
            // Opened once, by whoever serves.
            let _ = self.announcer.set(announcer);
        }
        if let Some((caller, system)) = opened.calling() {
            let directory = opened.directory();
            self.registrar.join(Arc::clone(&caller), system.clone(), directory);
            self.dossiers.join(consult::Exchange { caller, system });
        }
        if let Some(directory) = opened.directory() {
            guarded.follow(&directory);
        }
        // Opened once, by whoever serves.
        let _ = self.exchange.set(opened);
        Ok(())
    }

    /// By what its procedures ask and tell registries.
    pub const fn registrar(&self) -> &Registrar {
        &self.registrar
    }

    /// The exchange, once it is open.
    pub fn exchange(&self) -> Option<&Exchange> {
        self.exchange.get()
    }

    /// The log with its witnesses, once it is open.
    pub fn guarded(&self) -> Option<&Guarded> {
        self.guarded.get()
    }

    /// Its traces, if they are exported.
    pub fn traces(&self) -> Option<&Arc<Traces>> {
        self.traces.as_ref()
    }

    /// What makes spans; off unless they are exported.
    pub fn tracer(&self) -> ::traces::Tracer {
        self.traces().map(|traces| traces.tracer()).unwrap_or_default()
    }

    /// From now on this is the certificate of the pages that is watched.
    pub fn watch_page_certificate(&self, certificate: &Arc<PageCertificate>) {
        // Opened once, by whoever serves.
        let _ = self.page_certificate.set(Arc::clone(certificate));
    }

    /// The certificate of the pages, while they are served over TLS.
    pub fn page_certificate(&self) -> Option<&Arc<PageCertificate>> {
        self.page_certificate.get()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What does the deferred work.
    pub fn runner(&self) -> Runner {
        let runner = Runner::new(self.store.clone(), Arc::clone(&self.clock)).traced(self.tracer());
        let runner = identity::jobs(runner);
        let runner = registry::service::handlers(runner, &self.registries);
        let runner = question::runs::handlers(runner, &self.questions);
        let runner = registry::quality::handlers(runner, &self.quality);
        let runner = self.registrar.handlers(runner);
        let runner = match self.announcer.get() {
            Some(announcer) => announce::handlers(runner, announcer),
            None => runner,
        };
        let runner = dossier::service::handlers(runner, &self.dossiers);
        let runner = proposal::handlers(runner, &self.dossiers);
        let runner = match self.exchange() {
            Some(exchange) => exchange.handlers(runner),
            None => runner,
        };
        let (dossiers, insight) = (self.dossiers.clone(), self.insight.clone());
        runner.on_many(dossier::service::CHANGED, move |batch| {
            let (dossiers, insight) = (dossiers.clone(), insight.clone());
            async move {
                dossiers.follow_changes(&batch).await?;
                insight.follow_changes(&batch).await
            }
        })
    }

    /// What tells other nodes about consultations.
    pub fn messenger(&self) -> Runner {
        let runner = Runner::new(self.store.clone(), Arc::clone(&self.clock)).traced(self.tracer());
        consult::handlers(runner, &self.dossiers)
    }

    /// Who has seen my data: the tracker of the exchange has the reads of this node and those at other agencies.
    fn reads(&self) -> Router {
        match self.exchange().and_then(Exchange::directory) {
            Some(_) => Router::new(),
            None => identity::reads(),
        }
    }

    /// All routes with all layers.
    pub fn router(&self) -> Router {
        let (api_routes, api) = front::api(self);
        let routes = Router::new()
            .merge(front::pages(self, api))
            .merge(identity::pages())
            .merge(self.reads())
            .merge(procedure::catalogue::router(self.catalogue.clone()))
            .merge(dossier::pages::router(self.dossiers.clone()))
            .merge(insight::pages::router(self.insight.clone()))
            .merge(registry::pages::router(self.registries.clone()))
            .merge(registry::question::pages::router(self.questions.clone()))
            .merge(registry::quality::pages::router(self.quality.clone()))
            .merge(registry::api::govstack::router(
                self.registries.clone(),
                self.identity.clone(),
            ))
            .merge(api_routes)
            .merge(self.exchange().map_or_else(Router::new, Exchange::pages))
            .merge(self.guarded().map_or_else(Router::new, crate::ledger::pages::router))
            .merge(view::assets::router(&self.site))
            .fallback(front::not_found)
            .method_not_allowed_fallback(front::not_allowed);
        let tls = self.config.http.has_tls() || self.config.identity.public_url.starts_with("https://");
        let form_action = self.config.identity.oidc.iter().map(|o| o.issuer.clone()).collect();
        let headers = Arc::new(view::SecurityHeaders { form_action, tls });
        let timeout = Duration::from_secs(self.config.http.timeout_seconds.clamp(1, 600));
        let routes = identity::layer(routes, self.identity.clone()).layer(
            ServiceBuilder::new()
                .layer(Extension(Arc::clone(&self.site)))
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                .layer(TraceLayer::new_for_http().make_span_with(crate::logging::request))
                .layer(PropagateRequestIdLayer::x_request_id())
                .layer(axum::middleware::from_fn_with_state(
                    Arc::clone(&self.metrics),
                    crate::metrics::measure,
                ))
                .layer(axum::middleware::from_fn_with_state(headers, view::security_headers))
                .layer(CompressionLayer::new())
                .layer(TimeoutLayer::with_status_code(
                    http::StatusCode::SERVICE_UNAVAILABLE,
                    timeout,
                ))
                .layer(CatchPanicLayer::new())
                .layer(CsrfLayer::new()),
        );
        traces::around(routes, self.tracer())
    }
}

/// An agency with a node of its own can be asked only through the exchange.
fn reachable(config: &Config) -> anyhow::Result<()> {
    let elsewhere = config.dossiers.consulted.iter().find(|(_, c)| c.remote().is_some());
    match (elsewhere, &config.exchange) {
        (Some((symbol, _)), None) => anyhow::bail!(
            "[dossiers.consulted] {symbol} names an agency with a node of its own, which is asked through the exchange, and this node \
             takes no part in it: add [exchange], or name an agency of this node"
        ),
        _ => Ok(()),
    }
}

fn calendar(config: &Config) -> anyhow::Result<Calendar> {
    let text = match &config.calendar {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?,
        None => CALENDAR.to_owned(),
    };
    let data: CalendarData = toml::from_str(&text).context("the working-day calendar")?;
    Calendar::new(data).map_err(|problems| {
        let lines: Vec<&str> = problems.iter().map(|p| p.text.en.as_str()).collect();
        anyhow::anyhow!("the working-day calendar: {}", lines.join("; "))
    })
}

fn shell(config: &Config) -> Shell {
    let of_exchange = [
        NavEntry::new(
            "/exchange/access",
            "Trao đổi dữ liệu",
            "Data exchange",
            Audience::Holding(Permission::ReadExchange),
        ),
        NavEntry::new(
            "/exchange/applications",
            "Thành viên liên thông",
            "Federation",
            Audience::Holding(Permission::ManageDirectory),
        ),
    ];
    let mut shell = Shell {
        nav: vec![
            NavEntry::new("/services", "Dịch vụ công", "Services", Audience::Public),
            NavEntry::new("/track", "Tra cứu hồ sơ", "Track a dossier", Audience::Public),
            NavEntry::new("/my", "Hồ sơ của tôi", "My dossiers", Audience::People),
            NavEntry::new("/my/records", "Dữ liệu về tôi", "Data about me", Audience::People),
            NavEntry::new("/desk", "Bàn làm việc", "Desk", Audience::Officers),
            NavEntry::new("/services", "Thủ tục", "Procedures", Audience::Officers),
            NavEntry::new("/publication", "Công khai tiến độ", "Publication", Audience::Everybody),
            NavEntry::new(
                "/registries",
                "Cơ sở dữ liệu",
                "Registries",
                Audience::Holding(Permission::ReadRegistry),
            ),
            NavEntry::new(
                "/admin/officers",
                "Quản trị",
                "Administration",
                Audience::Holding(Permission::ManageOfficers),
            ),
        ],
        menu: vec![
            NavEntry::new("/my", "Hồ sơ của tôi", "My dossiers", Audience::People),
            NavEntry::new("/desk", "Bàn làm việc", "Desk", Audience::Officers),
        ],
        person_home: "/my".to_owned(),
        officer_home: "/desk".to_owned(),
    };
    if !config.proposals.is_empty() {
        shell.nav.push(NavEntry::new(
            "/desk/proposals",
            "Dịch vụ chủ động",
            "Proactive services",
            Audience::Holding(Permission::ReadStatistics),
        ));
    }
    if config.exchange.is_some() {
        shell.nav.extend(of_exchange);
    }
    shell
}

fn site(config: &Config) -> view::Site {
    view::Site {
        agency: if config.site.agency.vi.is_empty() {
            Text::new("Cổng dịch vụ công", "Public services")
        } else {
            config.site.agency.clone()
        },
        hotline: config.site.hotline.clone(),
        email: config.site.email.clone(),
        theme: config.site.theme.clone(),
        demo: config.identity.demo,
        footer: front::footer(),
        ..view::Site::default()
    }
}
