//! An order of a dossier whose answer never came: its grant is withdrawn, an officer waits no longer, and once it is given again the node
//! learns by itself what became of it.

use ::dossier::{
    model::{action::DossierId, writes::Wrote},
    service::DossierView,
};
use ::registry::keeper::{Keeper as _, Order, Said, UNKNOWN};
use procedure::writes::{Act, Plan};
use serde_json::{Value, json};
use store::{Read as _, params, transact};

use super::{
    consulting::{completed, filed, officer, seen},
    line::{Line, Passes},
    registries::{KEEPS, clerk, let_in},
    *,
};

/// Three writes: the population database gives a number, civil status enters the birth under it, tax notes it.
const PROCEDURE: &str = "1.001193";

/// Whoever receives, handles and signs.
pub(super) fn handler() -> Ctx {
    let roles = [Role::Receptionist, Role::Specialist, Role::Leader];
    officer(AGENCY, "Trần Văn Bình", &roles)
}

impl Town {
    /// How many records hold in a registry of this node.
    pub(super) async fn holding(&self, registry: &str) -> i64 {
        let sql = "SELECT COUNT(*) FROM registry_segment WHERE registry = $1 AND known_to = $2";
        let count = self.whole.store.read().scalar(sql, params![registry, i64::MAX]).await;
        count.expect("a count").unwrap_or_default()
    }

    /// Waits for a job of a kind for a dossier that says so.
    async fn waits(&self, kind: &str, id: DossierId, says: &str) {
        until(&format!("a job {kind} that says {says}"), async || {
            let sql = "SELECT payload FROM job WHERE kind = $1 AND payload LIKE $2 AND payload LIKE $3";
            let like = params![kind, format!("%{id}%"), format!("%{says}%")];
            self.whole.store.read().scalar::<String>(sql, like).await.expect("jobs")
        })
        .await;
    }

    /// What of a kind waits for a later time for a dossier is due now.
    async fn hurry(&self, kind: &str, id: DossierId) {
        let due = transact!(self.whole.store, |tx| {
            let sql = "UPDATE job SET run_at = 0 WHERE kind = $1 AND payload LIKE $2 AND run_at > $3";
            tx.exec(sql, params![kind, format!("%{id}%"), SystemClock.now()]).await
        });
        assert_eq!(due.expect("made due"), 1, "{kind}");
    }
}

/// How the writes of a dossier stand, once they stand so.
pub(super) async fn stand(asks: &Town, id: DossierId, says: &[&str]) -> DossierView {
    let status = |wrote: &Option<Wrote>| match wrote {
        None => "waits",
        Some(Wrote::Done { .. }) => "done",
        Some(Wrote::Refused { .. }) => "refused",
        Some(Wrote::Unknown { .. }) => "unknown",
        Some(Wrote::TakenBack { .. }) => "taken back",
        Some(Wrote::Left { .. }) => "left",
    };
    until(&format!("the writes stand {says:?}"), async || {
        let view = seen(asks, &handler(), id).await;
        let stands: Vec<&str> = view.writes.iter().map(|write| status(&write.wrote)).collect();
        (stands == says).then_some(view)
    })
    .await
}

/// The order of the second write, as it may still be under way somewhere.
async fn sent_late(asks: &Town, view: &DossierView, token: u32) -> Said {
    let today = SystemClock.now().legal_date();
    let order = Order {
        id: format!("{}/{token}/entry", view.state.code),
        plan: Plan {
            registry: "civil-status".to_owned(),
            act: Act::Assert,
            key: None,
            valid_from: today,
            concerns: Vec::new(),
            body: json!({
                "kind": "birth", "commune": "14329", "year": 2026, "number": 77, "registered_on": today.to_string(),
                "child": {"person_number": "037226000017", "name": "Bé Đến Muộn", "birth_date": "2026-11-20", "sex": "female"},
            }),
        },
        procedure: PROCEDURE.to_owned(),
        basis: "Luật Hộ tịch 2014, Điều 16".to_owned(),
        dossier: view.state.code.clone(),
        source: "Ghi Sổ đăng ký khai sinh".to_owned(),
    };
    asks.registrar().tell(&clerk(), &order).await
}

fn codes(problems: &base::Problems) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

/// Of a child whose mother files.
fn birth() -> Value {
    let born = SystemClock.now().legal_date().checked_sub(jiff::Span::new().days(9));
    json!({
        "requester.relation": "mother", "requester.nationality": "VN", "child.situation": "ordinary",
        "child.birth_date": born.expect("a day").to_string(), "child.nationality": "VN", "parents.known": "mother-only",
    })
}

/// Who keeps the registries decides about the grant.
async fn decided(keeps: &Town, grant: GrantId, command: Command) {
    let (access, steward) = (keeps.joined(), keeps.steward());
    let seen = access.access.grant(&steward, Side::Incoming, grant).await;
    let seq = seen.expect("a grant").file.seq;
    let done = access
        .access
        .command(&steward, Side::Incoming, grant, &command, seq, Uuid::new_v4());
    done.await.expect("decided");
    access.access.hosted().refresh().await.expect("refreshed");
}

/// A node that keeps some registries, and the node of an agency that keeps others, which is reached by a line.
pub(super) async fn two(dirs: &Path, here: &[&str], (agency, there): (&str, &[&str])) -> (Town, Town, Line) {
    let operator = founded(dirs).await;
    let folder = |code: &&str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../registries")
            .join(code)
    };
    let (mut text, url) = config_text(&dirs.join("a"), "");
    text += "[exchange.registries]\n";
    for code in there {
        text += &format!("{code} = \"{KEEPS}\"\n");
    }
    let mut settings: Config = toml::from_str(&text).expect("a configuration");
    settings.registries = here.iter().map(folder).collect();
    let asks = member(&operator, (settings, url), "VN/GOV/000.00.00.H42", "Tỉnh Ninh Bình").await;
    let (mut settings, url) = config(&dirs.join("b"));
    settings.registries = there.iter().map(folder).collect();
    let exchange = settings.exchange.as_mut().expect("an exchange");
    exchange.agency = agency.to_owned();
    let line = Line::to(exchange.peers).await;
    let keeps = member_by(
        &operator,
        (settings, url),
        "VN/GOV/000.00.00.G01",
        "Cơ quan giữ cơ sở dữ liệu",
        &line,
    )
    .await;
    asks.system(ASKS).await;
    keeps.system(KEEPS).await;
    asks.learn().await;
    keeps.learn().await;
    asks.whole.put_built_in_packages().await.expect("packages");
    (asks, keeps, line)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_an_order_is_found_out_once_its_grant_is_given_again() {
    let dirs = tempfile::tempdir().expect("a folder");
    // This one keeps population and tax, and that one civil status.
    let (asks, keeps, line) = two(dirs.path(), &["population", "tax"], ("G15", &["civil-status"])).await;
    let grant = let_in(&asks, &keeps, "/civil-status/keep/**", "POST", "procedure.write", "").await;
    for (has_it, number) in [(true, 15), (false, 16)] {
        let before = keeps.holding("civil-status").await;
        let id = filed(&asks, &handler(), PROCEDURE, birth()).await;
        completed(&asks, &handler(), id, "accept", json!({})).await;
        completed(&asks, &handler(), id, "ok", json!({ "register_number": number })).await;

        // The order comes and its answer is lost; or it never comes.
        line.let_pass(if has_it { Passes::There } else { Passes::Nothing });
        completed(&asks, &handler(), id, "approve", json!({})).await;
        let held = before + i64::from(has_it);
        until("it is written, or not", async || {
            (keeps.holding("civil-status").await == held).then_some(())
        })
        .await;
        line.let_pass(Passes::Nothing);
        asks.waits("dossier.service", id, r#""unheard":"entry""#).await;

        // The grant is withdrawn before it is told again, which says nothing of what is there: it goes on waiting.
        let withdrawn = Command::Suspend {
            from: None,
            reason: "Rà soát lại việc chia sẻ dữ liệu".to_owned(),
            incident: Some("Nghi lộ khóa của hệ thống bên gửi".to_owned()),
        };
        decided(&keeps, grant, withdrawn).await;
        line.let_pass(Passes::All);
        asks.hurry("dossier.service", id).await;
        asks.waits("dossier.service", id, r#""tries":2"#).await;
        let view = stand(&asks, id, &["done", "waits", "waits"]).await;
        let token = view.waiting.expect("it waits");

        // An officer ends it: the number is taken back, and of the entry nobody knows while nobody may ask.
        let end = ::dossier::model::command::Command::EndWait {
            token,
            reason: "Cơ quan giữ sổ hộ tịch đã thu hồi quyền".to_owned(),
        };
        let ended = asks.whole.dossiers.command(&handler(), id, &end, None).await;
        ended.expect("the waiting is ended");
        let view = stand(&asks, id, &["taken back", "unknown", "waits"]).await;
        assert_eq!(view.tasks[0].open.node, "mend");
        assert_eq!(
            asks.holding("population").await,
            i64::from(!has_it),
            "of the dossier before"
        );
        asks.waits("dossier.find-out", id, r#""tries":1"#).await;
        asks.hurry("dossier.find-out", id).await;
        asks.waits("dossier.find-out", id, r#""tries":2"#).await;
        stand(&asks, id, &["taken back", "unknown", "waits"]).await;
        assert_eq!(keeps.holding("civil-status").await, held);

        // Given again, it is known: what is there is taken back, what never came is not taken any more.
        let again = Command::Resume {
            reason: "Đã thay khóa".to_owned(),
        };
        decided(&keeps, grant, again).await;
        asks.hurry("dossier.find-out", id).await;
        let known = if has_it { "taken back" } else { "refused" };
        let view = stand(&asks, id, &["taken back", known, "waits"]).await;
        if let Some(Wrote::Refused { problems }) = &view.writes[1].wrote {
            assert_eq!(codes(problems), [UNKNOWN]);
            for _ in 0..2 {
                let late = sent_late(&asks, &view, token).await;
                let Said::Refused(problems) = late else {
                    panic!("{late:?}")
                };
                assert_eq!(codes(&problems), ["order-void"]);
            }
        }
        assert_eq!(keeps.holding("civil-status").await, before, "nothing stands");

        // Told again, all have it, once.
        completed(&asks, &handler(), id, "again", json!({})).await;
        stand(&asks, id, &["done", "done", "done"]).await;
        assert_eq!(keeps.holding("civil-status").await, before + 1);
        for registry in ["population", "tax"] {
            assert_eq!(asks.holding(registry).await, before + 1, "{registry}");
        }
    }
}
