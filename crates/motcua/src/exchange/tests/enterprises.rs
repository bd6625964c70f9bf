//! Who represents an enterprise sees at a portal what customs hold of it; customs ask the business register, at a third place or there.

use ::registry::{
    history::Moment,
    model::ValidTime,
    quality::{OWN_VIEW, REPRESENTATION, Whose},
    service::{Change, Provenance, Target},
};
use serde_json::{Value, json};

use super::{
    line::{Line, Passes},
    own::form,
    registries::{KEEPS, NUMBER, let_in},
    tracking::person,
    *,
};

const FIRM: &str = "0100109106";
const STRANGER: &str = "037195000077";
const DECLARATION: &str = "107741007741";

impl Town {
    async fn holds_new(&self, registry: &str, body: Value) {
        let change = Change::Assert {
            target: Target::New,
            from: Moment::parse("2025-07-01", ValidTime::Day).expect("a day"),
            to: None,
            body,
        };
        let provenance = Provenance {
            source: "Tờ khai".to_owned(),
            ..Provenance::default()
        };
        let (clerk, code) = (
            Ctx::system("test", SystemClock.now()),
            registry.parse().expect("a code"),
        );
        let written = self
            .whole
            .registries
            .write(&clerk, &code, change, &provenance, "1")
            .await;
        written.expect("taken in");
    }
}

/// The portal is that of who keeps the business register, so both nodes ask each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_representative_sees_and_contests_what_customs_hold_once_customs_may_ask_who_that_is() {
    let dirs = tempfile::tempdir().expect("a folder");
    let operator = founded(dirs.path()).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../registries");
    let node = |name: &str, keeps: &str, met: &str| {
        let (text, url) = config_text(&dirs.path().join(name), "");
        let mut settings: Config =
            toml::from_str(&format!("{text}[exchange.registries]\n{met}\n")).expect("a configuration");
        settings.registries = vec![root.join(keeps)];
        settings.exchange.as_mut().expect("an exchange").agency = "G12".to_owned();
        (settings, url)
    };
    let portal = node("a", "enterprises", &format!("customs = \"{KEEPS}\""));
    let line = Line::to(portal.0.exchange.as_ref().expect("an exchange").peers).await;
    let portal = &member_by(&operator, portal, "VN/GOV/000.00.00.H42", "Bộ Tài chính", &line).await;
    let customs = node("b", "customs", &format!("enterprises = \"{ASKS}\""));
    let customs = &member(&operator, customs, "VN/GOV/000.00.00.G01", "Cục Hải quan").await;
    portal.system(ASKS).await;
    customs.system(KEEPS).await;
    portal.learn().await;
    customs.learn().await;
    let enterprise = json!({
        "tax_code": FIRM, "name": "Công ty Hải Minh", "legal_form": "llc", "status": "active", "founded_on": "2020-01-02",
        "charter_capital": 1_000_000, "address": { "province": "01", "commune": "00004" }, "activities": ["4610"],
        "representatives": [{ "person_number": NUMBER, "name": "Nguyễn Văn An" }],
    });
    portal.holds_new("enterprises", enterprise).await;
    let declaration = json!({
        "number": DECLARATION, "flow": "import", "registered_on": "2025-07-01", "tax_code": FIRM, "office": "01B1",
        "channel": "green", "status": "cleared", "value": 1000, "duty": 100,
        "lines": [{ "hs_code": "84713020", "goods": "Máy tính xách tay", "origin": "JP", "value": 1000, "duty": 100 }],
    });
    customs.holds_new("customs", declaration).await;
    let representative = person(portal, NUMBER).await;
    let records = async |who: &Ctx| portal.page(who, "/my/records", None).await.1;

    // The portal may ask customs; customs may ask nobody who represents an enterprise, and that is said.
    let_in(portal, customs, "/customs/portal/own/*", "GET", OWN_VIEW, "").await;
    let_in(portal, customs, "/customs/portal/own/*/doubts", "POST", OWN_VIEW, "").await;
    let closed = "Cơ sở dữ liệu tờ khai hải quan: bản ghi về doanh nghiệp do quý vị đại diện";
    let page = until("customs answer", async || {
        Some(records(&representative).await).filter(|page| page.contains(closed))
    })
    .await;
    assert!(!page.contains(DECLARATION), "{page}");

    let listed = terms_by("GET", "/enterprises/represented/records", REPRESENTATION, "");
    grant_to(KEEPS, customs, portal, &format!("{ASKS}/registries"), listed).await;
    let page = until("the declaration is told", async || {
        Some(records(&representative).await).filter(|page| page.contains(DECLARATION))
    })
    .await;
    assert!(
        page.contains(&format!("Công ty Hải Minh (mã số {FIRM})")) && !page.contains(closed),
        "{page}"
    );

    // Whether the business register hangs, trickles or answers late: customs wait for it no longer than the portal waits for them, and
    // say so. What they and others hold of the person is told all the same, and whoever asks again opens no further connections.
    let unknown = "chưa tra cứu được doanh nghiệp do quý vị đại diện";
    for slow in [Passes::There, Passes::Drops, Passes::Late] {
        line.let_pass(slow);
        let opened = line.opened();
        for _ in 0..4 {
            let page = until("customs say that they cannot look it up", async || {
                Some(records(&representative).await).filter(|page| page.contains(unknown))
            })
            .await;
            assert!(
                page.contains("Công ty Hải Minh") && !page.contains(DECLARATION),
                "{slow:?}: {page}"
            );
        }
        assert!(line.opened() <= opened + 1, "{slow:?}");
        line.let_pass(Passes::All);
        until("customs look it up again", async || {
            Some(records(&representative).await).filter(|page| page.contains(DECLARATION) && !page.contains(unknown))
        })
        .await;
    }

    // Contested, it is a doubt at customs; a stranger has no way to either.
    let from = page.find("/my/records/elsewhere/customs/").expect("a way to contest");
    let contest: String = page[from..].chars().take_while(|c| *c != '"').collect();
    let stranger = person(portal, STRANGER).await;
    assert!(!records(&stranger).await.contains(DECLARATION));
    assert_eq!(portal.page(&stranger, &contest, Some(form())).await.0, 404);
    let (status, answer) = portal.page(&representative, &contest, Some(form())).await;
    assert_eq!(status, 303, "{answer}");
    let steward = Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(7)),
            name: "Lê Thị Quản".to_owned(),
            title: String::new(),
            agency: "G12.18".to_owned(),
            roles: Roles::of(&[Role::Steward]),
        }),
        ..representative.clone()
    };
    let code = "customs".parse().expect("a code");
    let doubts = customs
        .whole
        .quality
        .doubts(&steward, &code, true, Whose::All, None, 10)
        .await;
    let [doubt] = doubts.expect("a list").items.try_into().expect("one");
    assert_eq!(
        doubt.reporter,
        (format!("Người có số định danh {NUMBER}"), ASKS.to_owned())
    );
}
