//! A node with figures, and a reader of its pages.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use ::store::{Store, jobs::Runner, testkit};
use axum::{
    Extension, Router,
    body::Body,
    http::{Request, StatusCode},
};
use base::{Calendar, Lang, Timestamp, time::FixedClock};
use dossier::service::{Config, Dossiers};
use http_body_util::BodyExt;
use identity::{Actor, Ctx, Entropy, IdentityState, Shell};
use procedure::{package::CheckOptions, reference::Reference, shelf::Shelf};
use tower::ServiceExt;
use uuid::Uuid;

use crate::{Insight, model::Month};

pub const AGENCY: &str = "H57.32.12";

pub struct Site {
    app: Router,
    identity: IdentityState,
    pub insight: Insight,
    pub store: Store,
    pub now: Timestamp,
    /// The first of its packages.
    pub package: &'static str,
}

/// A node on each engine, at which [`AGENCY`] decides what communes decide.
pub async fn sites(packages: &[&'static str]) -> Vec<Site> {
    let sets = [
        identity::MIGRATIONS,
        procedure::shelf::MIGRATIONS,
        dossier::MIGRATIONS,
        crate::MIGRATIONS,
    ];
    let now = Month::new(2026, 4).map_or(Timestamp::default(), |m| m.start().plus_seconds(86_400 * 9));
    let mut sites = Vec::new();
    for store in testkit::stores(&sets).await {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let shelf = Shelf::open(store.clone()).await.expect("an empty shelf");
        for package in packages {
            shelf
                .put_dir(&root.join(package), &CheckOptions::default(), now)
                .await
                .expect("a good package");
        }
        let calendar = include_str!("../../../../data/calendar/viet-nam.toml");
        let calendar = Calendar::new(toml::from_str(calendar).expect("TOML")).expect("sound");
        let clock = Arc::new(FixedClock::at(now));
        let settings = identity::Config::default();
        let identity = IdentityState::new(
            store.clone(),
            settings,
            &[9; 32],
            clock,
            Entropy::system(),
            Shell::default(),
        );
        let identity = identity.expect("good settings");
        let reference = Arc::new(Reference::embedded().expect("reference data"));
        let config = Config {
            agencies: BTreeMap::from([("commune".to_owned(), AGENCY.to_owned())]),
            agency_names: BTreeMap::from([(AGENCY.to_owned(), "Ủy ban nhân dân phường Thuận Hóa".to_owned())]),
            secret_key: [3; 32],
            ..Config::default()
        };
        let dossiers = Dossiers::new(store.clone(), shelf, reference, calendar, identity.clone(), config);
        let insight = Insight::new(store.clone(), dossiers);
        let (api, _) = crate::api::router(insight.clone()).split_for_parts();
        let app = crate::pages::router(insight.clone()).merge(api);
        sites.push(Site {
            app,
            identity,
            insight,
            store,
            now,
            package: packages[0],
        });
    }
    sites
}

impl Site {
    /// What keeps the figures.
    pub fn runner(&self, clock: Arc<FixedClock>) -> Runner {
        let insight = self.insight.clone();
        Runner::new(self.store.clone(), clock).on_many(dossier::service::CHANGED, move |batch| {
            let insight = insight.clone();
            async move { insight.follow_changes(&batch).await }
        })
    }

    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        let ctx = Ctx {
            actor: Actor::Anonymous,
            now: self.now,
            request_id: Uuid::from_u128(1),
            lang: Lang::Vi,
        };
        let app = self
            .app
            .clone()
            .layer(Extension(ctx))
            .layer(Extension(self.identity.clone()));
        let app = app.layer(Extension(Arc::new(view::Site::default())));
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = app.oneshot(request).await.expect("infallible");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}
