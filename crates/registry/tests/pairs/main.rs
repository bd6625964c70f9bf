//! Pairs that may be the same: found behind the changes, decided by stewards, undone.

use std::{fs, sync::Arc};

use axum::{
    Extension,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use base::{Calendar, Error, calendar::CalendarData, time::FixedClock};
use http_body_util::BodyExt as _;
use identity::{Actor, Ctx, IdentityState, OfficerActor, OfficerId, Role, Roles};
use registry::{
    folder,
    history::Moment,
    linking::{Keep, Pair, State, Verdict},
    model::{ChangeKind, RegistryCode, ValidTime},
    quality::{self, Quality},
    service::{self, Change, Mask, Provenance, Purpose, Registries, Seen, Target, When},
};
use serde_json::{Value, json};
use store::{Store, jobs::Runner};
use tower::ServiceExt as _;
use uuid::Uuid;

mod counts;
mod groups;
mod heard;
mod kept;
mod moved;
mod others;

use kept::{REFERENCE, folders, kept, now, population};

fn officer(name: &str, role: Role) -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(name.len() as u128)),
            name: name.to_owned(),
            title: String::new(),
            agency: "G01".to_owned(),
            roles: Roles::of(&[role]),
        }),
        now: now(),
        request_id: Uuid::nil(),
        lang: base::Lang::Vi,
    }
}

fn code(text: &str) -> RegistryCode {
    text.parse().expect("a code")
}

fn steward_of(agency: &str) -> Ctx {
    let mut ctx = officer("Trần Thị Bình", Role::Steward);
    if let Actor::Officer(officer) = &mut ctx.actor {
        agency.clone_into(&mut officer.agency);
    }
    ctx
}

fn calendar() -> Calendar {
    let text = include_str!("../../../../data/calendar/viet-nam.toml");
    let data: CalendarData = toml::from_str(text).expect("the calendar");
    Calendar::new(data).expect("a good calendar")
}

fn person(number: &str, name: &str, commune: &str) -> Value {
    json!({
        "person_number": number, "name": name, "birth_date": "1980-03-05", "sex": "female", "nationality": "VN",
        "status": "alive", "residence": {"province": "01", "commune": commune},
    })
}

struct Office {
    registries: Registries,
    quality: Quality,
    identity: IdentityState,
    store: Store,
}

async fn offices() -> Vec<Office> {
    offices_with(&["population"]).await
}

/// Offices that keep these registries.
async fn offices_with(codes: &[&str]) -> Vec<Office> {
    let mut offices = Vec::new();
    for store in store::testkit::stores(&[identity::MIGRATIONS, registry::MIGRATIONS]).await {
        offices.push(office_over(store, codes).await);
    }
    offices
}

async fn office_over(store: Store, codes: &[&str]) -> Office {
    let (registries, identity) = kept(&store, codes).await;
    Office {
        quality: Quality::new(registries.clone(), calendar()),
        registries,
        identity,
        store,
    }
}

impl Office {
    async fn add(&self, number: &str, name: &str, commune: &str) {
        self.add_body(number, person(number, name, commune)).await;
    }

    async fn add_body(&self, number: &str, body: Value) {
        let change = Change::Assert {
            target: Target::New,
            from: Moment::parse("2026-07-01", ValidTime::Day).expect("a day"),
            to: None,
            body,
        };
        self.write(change, number).await;
    }

    /// Does what is due in the background.
    async fn work(&self) {
        let runner = Runner::new(self.store.clone(), Arc::new(FixedClock::at(now())));
        let runner = quality::handlers(service::handlers(runner, &self.registries), &self.quality);
        while runner.run_due().await.expect("jobs") > 0 {}
    }

    async fn pairs(&self, state: State) -> Vec<Pair> {
        let ctx = officer("Trần Thị Bình", Role::Steward);
        let listed = self.registries.pairs(&ctx, &population(), state, None, 10).await;
        listed.expect("a list").items
    }

    async fn decide(&self, who: &str, pair: &Pair, verdict: Verdict) -> Result<(), Error> {
        let (ctx, code) = (officer(who, Role::Steward), population());
        self.registries
            .decide(&ctx, &code, pair.id, pair.version, verdict, "Đối chiếu giấy tờ gốc")
            .await
    }

    /// The newest version of who has a number.
    async fn seen(&self, number: &str) -> Seen {
        let ctx = officer("Trần Thị Bình", Role::Steward);
        let (record, seq) = self
            .registries
            .newest(&ctx, &population(), number)
            .await
            .expect("there");
        Seen { record, seq }
    }

    async fn write(&self, change: Change, key: &str) {
        let source = Provenance {
            source: "Sổ".to_owned(),
            ..Provenance::default()
        };
        let ctx = officer("Trần Thị Bình", Role::Steward);
        self.registries
            .write(&ctx, &population(), change, &source, key)
            .await
            .expect("written");
    }

    /// A page as a steward of an agency sees it.
    async fn page(&self, agency: &str, path: &str, form: Option<&[(&str, &str)]>) -> (StatusCode, String) {
        let mut ctx = officer("Trần Thị Bình", Role::Steward);
        if let Actor::Officer(officer) = &mut ctx.actor {
            agency.clone_into(&mut officer.agency);
        }
        let app = registry::linking::pages::router(self.registries.clone())
            .merge(quality::pages::router(self.quality.clone()))
            .layer(Extension(ctx))
            .layer(Extension(self.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let (method, body) = form.map_or((Method::GET, String::new()), |form| {
            let mut typed = url::form_urlencoded::Serializer::new(String::new());
            (Method::POST, typed.extend_pairs(form).finish())
        });
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body));
        let answer = app.oneshot(request.expect("a request")).await.expect("an answer");
        let status = answer.status();
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn person(&self, number: &str) -> Option<Value> {
        let purpose = Purpose::read("registry.linkage", "", "").expect("a purpose");
        let (ctx, when) = (officer("Trần Thị Bình", Role::Steward), When::default());
        let read = self
            .registries
            .read(&ctx, &purpose, &population(), number, when, &Mask::ALL)
            .await;
        read.ok().map(|view| view.body)
    }
}

fn codes(error: &Error) -> Vec<&str> {
    error
        .problems()
        .into_iter()
        .flatten()
        .map(|problem| problem.code.as_str())
        .collect()
}

#[tokio::test]
async fn likely_pairs_wait_for_a_steward_and_name_and_birthday_alone_are_none() {
    for office in offices().await {
        office.add("001180000011", "Nguyễn Thị Hường", "00004").await;
        office.add("001180000012", "NGUYỄN THỊ HƯỜNG", "00004").await;
        office.add("001180000013", "Nguyễn Thị Hường", "00008").await;
        office.add("001180000014", "Nguyễn Thị Hường", "00004").await;
        office.work().await;
        let pairs = office.pairs(State::Open).await;
        // Of the third only name and birthday are those of the others.
        assert_eq!(pairs.len(), 1, "{pairs:?}");
        let reason = &pairs[0].reason;
        assert!(
            reason.vi.contains("trùng khớp") && reason.vi.contains("Ngày, tháng, năm sinh"),
            "{reason:?}"
        );
        assert!(
            !reason.vi.contains("Hường") && !reason.vi.contains("1980"),
            "no values: {reason:?}"
        );
        // What was looked at is not proposed again.
        office.add("001180000099", "Lê Văn An", "00004").await;
        office.work().await;
        assert_eq!(office.pairs(State::Open).await, pairs);
        // A page at a time.
        office.add("001180000015", "Nguyễn Thị Hường", "00004").await;
        office.work().await;
        let (ctx, code) = (officer("Trần Thị Bình", Role::Steward), population());
        let first = office
            .registries
            .pairs(&ctx, &code, State::Open, None, 2)
            .await
            .expect("a list");
        let rest = office
            .registries
            .pairs(&ctx, &code, State::Open, first.next.as_deref(), 2)
            .await
            .expect("a list");
        assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 1, None));
        assert!(first.items.iter().all(|pair| !rest.items.contains(pair)));
        let refused = office
            .registries
            .pairs(&ctx, &code, State::Open, Some("nowhere"), 2)
            .await;
        assert_eq!(codes(&refused.expect_err("refused")), ["bad-cursor"]);
        for role in [Role::Reader, Role::Specialist] {
            let refused = office
                .registries
                .pairs(&officer("Lê An", role), &code, State::Open, None, 2)
                .await;
            assert_eq!(codes(&refused.expect_err("refused")), ["forbidden"]);
            let refused = office
                .registries
                .pair(&officer("Lê An", role), &code, pairs[0].id)
                .await;
            assert_eq!(codes(&refused.expect_err("refused")), ["forbidden"]);
        }
    }
}

#[tokio::test]
async fn a_merge_ends_one_record_and_its_undoing_brings_it_back() {
    for office in offices().await {
        office.add("001180000011", "Nguyễn Thị Hường", "00004").await;
        office.add("001180000012", "Nguyễn Thị Hường", "00004").await;
        office.work().await;
        let before = [office.person("001180000011").await, office.person("001180000012").await];
        let pair = office.pairs(State::Open).await.remove(0);
        let (ctx, code) = (officer("Trần Thị Bình", Role::Steward), population());
        let bare = office
            .registries
            .decide(&ctx, &code, pair.id, 1, Verdict::Later, "  ")
            .await;
        assert_eq!(codes(&bare.expect_err("refused")), ["reason-wanted"]);
        let early = office.decide("Trần Thị Bình", &pair, Verdict::Undo).await;
        assert_eq!(codes(&early.expect_err("refused")), ["pair-stands-otherwise"]);
        // Two officers decide: one wins, the other is told who.
        let (one, other) = futures::join!(
            office.decide("Trần Thị Bình", &pair, Verdict::Same(Keep::First)),
            office.decide("Lê Văn Cường", &pair, Verdict::Same(Keep::Second))
        );
        let (winner, loser) = if one.is_ok() { (0, other) } else { (1, one) };
        let told = loser.expect_err("one of them was slower");
        assert_eq!(codes(&told), ["pair-decided"]);
        let who = ["Trần Thị Bình", "Lê Văn Cường"][winner];
        assert!(
            told.problems()
                .is_some_and(|p| p.iter().all(|p| p.text.vi.starts_with(who))),
            "{told:?}"
        );
        let merged = office.pairs(State::Merged).await.remove(0);
        let after = [office.person("001180000011").await, office.person("001180000012").await];
        assert_eq!(after.iter().flatten().count(), 1, "one stays");
        // The ended one points at the other, and says who did it and why.
        let (_, acts) = office.registries.pair(&ctx, &code, merged.id).await.expect("there");
        assert_eq!(
            (acts.len(), acts[0].what.as_str(), acts[0].actor.as_str()),
            (1, "same", who)
        );
        let ended = merged.ended.expect("a record");
        let kept = merged
            .records
            .iter()
            .find(|record| **record != ended)
            .expect("the other");
        let purpose = Purpose::read("registry.linkage", "", "").expect("a purpose");
        let history = |record: String| {
            let (ctx, code, purpose) = (&ctx, &code, &purpose);
            let registries = &office.registries;
            async move {
                registries
                    .history(ctx, purpose, code, &record, When::default(), &Mask::ALL)
                    .await
                    .expect("a history")
                    .1
            }
        };
        let versions = history(ended.to_string()).await;
        assert_eq!(versions[1].kind, ChangeKind::End);
        let source = versions[1].source.as_deref().unwrap_or_default();
        assert!(source.contains(&kept.to_string()) && source.contains("giấy tờ"));

        let stale = office.decide("Trần Thị Bình", &pair, Verdict::Undo).await;
        assert_eq!(codes(&stale.expect_err("refused")), ["pair-decided"]);
        office
            .decide("Phạm Dung", &merged, Verdict::Undo)
            .await
            .expect("undone");
        let again = [office.person("001180000011").await, office.person("001180000012").await];
        assert_eq!(again, before);
        let versions = history(ended.to_string()).await;
        let kinds: Vec<ChangeKind> = versions.iter().map(|version| version.kind).collect();
        assert_eq!(kinds, [ChangeKind::Assert, ChangeKind::End, ChangeKind::Correct]);
        assert_eq!(history(kept.to_string()).await.len(), 1);
        let open = office.pairs(State::Open).await.remove(0);
        assert_eq!((open.version, open.ended), (3, None));
        // Found different, it is not proposed again, whatever changes.
        office
            .decide("Phạm Dung", &open, Verdict::Different)
            .await
            .expect("decided");
        office.work().await;
        assert!(office.pairs(State::Open).await.is_empty());
        assert_eq!(office.pairs(State::Different).await.len(), 1);
    }
}

#[test]
fn a_folder_says_what_is_wrong_with_its_linkage() {
    let copy = tempfile::tempdir().expect("a folder");
    let mut copying = vec![(folders().join("population"), copy.path().join("population"))];
    copying.push((folders().join("dictionary"), copy.path().join("dictionary")));
    while let Some((from, to)) = copying.pop() {
        fs::create_dir_all(&to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                copying.push((entry.path(), to));
            } else {
                fs::copy(entry.path(), to).expect("copied");
            }
        }
    }
    let file = |name: &str| copy.path().join("population").join(name);
    let toml = fs::read_to_string(file("linkage.toml")).expect("a file");
    let model = fs::read_to_string(file("linkage.json")).expect("a file");
    let check = || folder::check(&copy.path().join("population"), &REFERENCE).1;
    assert!(check().ok(), "{:?}", check());
    for (wrong, code) in [
        (toml.replace("review = 0.5", "review = 1.5"), "bad-bounds"),
        (toml.replace("\"former_id_cards\"],", "\"ethnicity\"],"), "not-a-filter"),
        (
            toml.replace("card = \"former_id_cards\"", "card = \"shoe\""),
            "unknown-field",
        ),
        (toml.replace("commune = \"residence.commune\"\n", ""), "unknown-column"),
        (toml.replace("review = 0.5", "blocks = 1\nreview = 0.5"), "toml"),
    ] {
        fs::write(file("linkage.toml"), wrong).expect("written");
        let report = check();
        assert!(
            !report.ok() && (report.has(code) || code == "toml"),
            "{code}: {report:?}"
        );
    }
    fs::write(file("linkage.toml"), &toml).expect("written");
    let counted = model.replacen(
        "\"tf_adjustment_column\": \"name\"",
        "\"tf_adjustment_column\": \"shoe\"",
        1,
    );
    assert_ne!(counted, model, "the name is counted");
    fs::write(file("linkage.json"), counted).expect("written");
    assert!(check().has("tf-without-exact-level"), "{:?}", check());
    fs::write(file("linkage.json"), "{}").expect("written");
    assert!(!check().ok());
    fs::remove_file(file("linkage.json")).expect("removed");
    assert!(check().has("missing-file"));
}
