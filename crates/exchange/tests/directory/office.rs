//! The operator's node with its pages and addresses, on a socket and on each engine; and nodes that want to join.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use ::store::{Store, testkit};
use axum::{Extension, Router};
use base::{Clock, Text, time::FixedClock};
use exchange::{
    directory::{
        Digest, Membership, Publisher, Settings, api, files,
        join::{Known, NewNode, Node, Operator},
        membership::{Application, ApplicationId, ApplicationStanding, Approve},
        pages,
    },
    model::identifier::MemberId,
};
use identity::{Ctx, Entropy, IdentityState, NewOfficer, NewToken, Role, Roles, Shell, TokenOwner};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::AbortHandle};
use trust::{Algorithm, Authority};

use crate::support::{Keys, key, part, start, validity};

pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Office {
    pub url: String,
    pub membership: Membership,
    pub clock: FixedClock,
    pub fingerprint: Digest,
    /// Tokens of an administrator and of a receptionist.
    pub administrator: String,
    pub receptionist: String,
    pub identity: IdentityState,
    pub store: Store,
    pub publisher: Arc<Publisher>,
    task: AbortHandle,
    _folder: TempDir,
}

impl Office {
    /// One for each engine.
    pub async fn all() -> Vec<Self> {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl Fn(&mut Settings)) -> Vec<Self> {
        let mut offices = Vec::new();
        for store in testkit::stores(&[identity::MIGRATIONS, exchange::MIGRATIONS]).await {
            let mut settings = Settings {
                name: Text::new("Liên thông thử", "Test federation"),
                anchors: vec![],
                witnesses: vec![],
                quorum: 0,
                invitation_only: false,
                certificate_days: 90,
            };
            change(&mut settings);
            offices.push(Self::open(store, settings).await);
        }
        offices
    }

    async fn open(store: Store, settings: Settings) -> Self {
        let folder = TempDir::new().unwrap();
        let (keys, clock) = (Keys::new(), FixedClock::at(start()));
        let two = &keys.root[..2];
        let fingerprint =
            Publisher::found(folder.path(), &part("VN"), &keys.quorums(), two, validity(), start()).unwrap();
        let publisher = Publisher::open(folder.path(), &keys.running, validity(), Arc::new(clock.clone())).unwrap();
        let publisher = Arc::new(publisher);
        let authority = Authority::create("CA", key(), start(), 3_650).unwrap();
        let membership = Membership::open(store.clone(), Arc::clone(&publisher), authority, settings)
            .await
            .unwrap();
        let identity = identity_of(&store, &clock);
        let administrator = token(&identity, &clock, "quantri", Role::Administrator).await;
        let receptionist = token(&identity, &clock, "tiepnhan", Role::Receptionist).await;
        let (programs, _) = api::operator(membership.clone()).split_for_parts();
        let router = Router::new()
            .nest("/exchange/directory", files(folder.path().to_owned()))
            .merge(api::nodes(membership.clone()))
            .merge(pages::operator(membership.clone()))
            .merge(programs);
        let (url, task) = serve(router, &identity).await;
        Self {
            url,
            membership,
            clock,
            fingerprint,
            administrator,
            receptionist,
            identity,
            store,
            publisher,
            task,
            _folder: folder,
        }
    }

    pub fn system(&self) -> Ctx {
        Ctx::system("operator", self.clock.now())
    }

    pub fn forward(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
        self.publisher.renew().unwrap();
    }

    pub fn operator(&self) -> Operator {
        Operator::at(&self.url, PATIENCE).unwrap()
    }

    pub async fn known(&self) -> Known {
        self.operator().meet().await.unwrap().confirm(self.fingerprint).unwrap()
    }

    /// All applications of a standing.
    pub async fn applications(&self, standing: ApplicationStanding) -> Vec<Application> {
        self.membership
            .applications(&self.system(), standing, None, 50)
            .await
            .unwrap()
            .0
    }

    /// Approves the only one that waits.
    pub async fn approve(&self) {
        let waiting = self.applications(ApplicationStanding::Pending).await;
        assert_eq!(waiting.len(), 1);
        let id = ApplicationId::from_uuid(waiting[0].id);
        self.membership
            .approve(&self.system(), id, Approve::default())
            .await
            .unwrap();
    }

    /// A node that is in.
    pub async fn member(&self, code: &str) -> Applicant {
        let mut applicant = Applicant::new(code, "g1");
        let known = self.known().await;
        applicant
            .node
            .apply(&known, None, None, self.clock.now())
            .await
            .unwrap();
        self.approve().await;
        applicant.poll(self).await.unwrap();
        applicant
    }

    /// A GET by a browser or program with a token.
    pub async fn get(&self, path: &str, token: &str) -> (u16, String) {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url));
        read(request.header("authorization", format!("Bearer {token}"))).await
    }

    /// A GET by a reader of English.
    pub async fn get_english(&self, path: &str, token: &str) -> (u16, String) {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {token}"));
        read(request.header("accept-language", "en-GB")).await
    }

    /// A POST of a form.
    pub async fn post(&self, path: &str, token: &str, form: &str) -> (u16, String) {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let request = client.build().unwrap().post(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {token}"));
        read(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned()),
        )
        .await
    }

    /// A POST of JSON.
    pub async fn post_json(&self, path: &str, token: &str, json: &serde_json::Value) -> (u16, String) {
        let request = reqwest::Client::new().post(format!("{}{path}", self.url));
        let request = request.header("authorization", format!("Bearer {token}"));
        read(
            request
                .header("content-type", "application/json")
                .body(json.to_string()),
        )
        .await
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let location = answer
        .headers()
        .get("location")
        .map(|to| to.to_str().unwrap().to_owned());
    (status, location.unwrap_or(answer.text().await.unwrap()))
}

pub fn identity_of(store: &Store, clock: &FixedClock) -> IdentityState {
    IdentityState::new(
        store.clone(),
        identity::Config::default(),
        &[9; 32],
        Arc::new(clock.clone()),
        Entropy::system(),
        Shell::default(),
    )
    .unwrap()
}

async fn token(identity: &IdentityState, clock: &FixedClock, login: &str, role: Role) -> String {
    let ctx = Ctx::system("test", clock.now());
    let new = NewOfficer {
        login: login.to_owned(),
        name: format!("Cán bộ {login}"),
        title: "Chuyên viên".to_owned(),
        agency: "G22".to_owned(),
        roles: Roles::of(&[role]),
        password: None,
        demo: None,
    };
    let officer = identity.create_officer(&ctx, &new).await.unwrap();
    let new = NewToken {
        owner: TokenOwner::Officer(officer),
        label: "thử".to_owned(),
        roles: Roles::of(&[role]),
        read_only: false,
        days: 300,
    };
    identity.create_token(&ctx, &new).await.unwrap()
}

pub async fn serve(router: Router, identity: &IdentityState) -> (String, AbortHandle) {
    let app = identity::layer(router, identity.clone()).layer(Extension(Arc::new(view::Site::default())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, task.abort_handle())
}

/// A node that wants in, with its folder.
pub struct Applicant {
    pub node: Node,
    pub folder: TempDir,
}

impl Applicant {
    pub fn new(code: &str, gateway: &str) -> Self {
        Self::named(code, gateway, &format!("Ủy ban nhân dân {code}"))
    }

    pub fn named(code: &str, gateway: &str, name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let node = Node::init(folder.path(), &new_node(code, gateway, name)).unwrap();
        Self { node, folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub async fn apply(&mut self, office: &Office) -> base::Result<()> {
        let known = office.known().await;
        self.node.apply(&known, None, None, office.clock.now()).await.map(drop)
    }

    pub async fn poll(&self, office: &Office) -> base::Result<exchange::directory::join::Progress> {
        self.node.poll(&office.operator(), Arc::new(office.clock.clone())).await
    }
}

pub fn member_id(code: &str) -> MemberId {
    format!("VN/GOV/{code}").parse().unwrap()
}

pub fn new_node(code: &str, gateway: &str, name: &str) -> NewNode {
    NewNode {
        member: member_id(code),
        name: Text::new(name, ""),
        gateway: part(gateway),
        address: format!("{gateway}.{}.example.vn:5500", code.to_lowercase()),
        hosts: vec!["127.0.0.1".to_owned()],
        algorithm: Algorithm::Ed25519,
        tls_key: None,
        log_key: None,
        log_url: None,
    }
}
