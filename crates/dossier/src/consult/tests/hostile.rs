//! Members who say what they should not.

use super::*;
use crate::{consult::Ending, model::state::Answer};

fn code(said: &Value) -> &str {
    said["problems"][0]["code"].as_str().unwrap_or_default()
}

fn opinion(text: &str) -> Value {
    json!({
        "version": 1, "agrees": true, "opinion": text, "document": "1/CV", "dated": "2026-11-20",
        "officer": { "name": "Lê Văn Hùng", "title": "Thiếu tá" },
        "later": "a member that nobody knows yet"
    })
}

async fn id_of(pair: &Pair, path: &str) -> String {
    let dossier = pair.dossier(path).await.id;
    let rows = super::super::store::outgoing_of(&pair.asks.store.read(), dossier).await;
    rows.expect("rows")[0].id.to_string()
}

#[tokio::test]
async fn an_opinion_is_taken_from_the_system_that_was_asked_and_once() {
    for pair in pairs().await {
        let path = pair.asked().await;
        pair.run().await;
        let address = format!("/opinions/{}", id_of(&pair, &path).await);
        let body = opinion("Thống nhất").to_string();
        let say = async |client: &str, path: &str, body: &str| {
            let (status, said) = pair.wire.say(client, ASKS, "PUT", path, body.as_bytes()).await;
            (status, code(&said).to_owned())
        };
        let missing = (404, "not-found".to_owned());
        assert_eq!(say(STRANGER, &address, &body).await, missing, "another member");
        assert_eq!(
            say("VN/GOV/G01/khac", &address, &body).await,
            missing,
            "another system of the member"
        );
        assert_eq!(say(ASKS, &address, &body).await, missing, "the asking node itself");
        let nobody = format!("/opinions/{}", Uuid::from_u128(77));
        assert_eq!(say(ANSWERS, &nobody, &body).await, missing, "another id");
        assert_eq!(say(ANSWERS, "/opinions/x", &body).await.0, 404);
        for (bad, wrong) in [
            ("{", "message-form"),
            ("{}", "message-form"),
            (&opinion("").to_string(), "required"),
            (&opinion(&"a".repeat(10_001)).to_string(), "too-long"),
            (&opinion("a\u{0}b").to_string(), "control-character"),
            (&body.replace("\"version\":1", "\"version\":2"), "version-unsupported"),
            (&body.replace("1/CV", ""), "required"),
        ] {
            assert_eq!(say(ANSWERS, &address, bad).await, (422, wrong.to_owned()), "{bad:.80}");
        }
        let huge = opinion(&"a".repeat(2 << 20)).to_string();
        assert_eq!(say(ANSWERS, &address, &huge).await, (413, "too-large".to_owned()));
        let (status, said) = pair
            .wire
            .say_for("dossier.verify", ANSWERS, ASKS, "PUT", &address, body.as_bytes())
            .await;
        assert_eq!((status, code(&said)), (403, "purpose"));
        assert!(
            pair.consultation(&path).await.answer.is_none(),
            "nothing of that counted"
        );

        for _ in 0..2 {
            assert_eq!(
                say(ANSWERS, &address, &body).await,
                (200, String::new()),
                "the same again is the same"
            );
        }
        let other = opinion("Không thống nhất").to_string();
        assert_eq!(
            say(ANSWERS, &address, &other).await,
            (409, "answered-otherwise".to_owned())
        );
        assert_eq!(say(STRANGER, &address, &body).await, missing);
        let answer = pair.consultation(&path).await.answer;
        assert!(
            matches!(&answer, Some(Answer::Given { opinion, .. }) if opinion == "Thống nhất"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn ten_opinions_at_once_are_one() {
    for pair in pairs().await {
        let path = pair.asked().await;
        pair.run().await;
        let address = format!("/opinions/{}", id_of(&pair, &path).await);
        let (pair, address) = (Arc::new(pair), Arc::new(address));
        let tries = (0..10).map(|n| {
            let (wire, address) = (Arc::clone(&pair.wire), Arc::clone(&address));
            tokio::spawn(async move {
                let body = opinion(&format!("Ý kiến {}", n % 2)).to_string();
                wire.say(ANSWERS, ASKS, "PUT", &address, body.as_bytes()).await.0
            })
        });
        let mut said = Vec::new();
        for handle in tries.collect::<Vec<_>>() {
            said.push(handle.await.expect("no panic"));
        }
        said.sort_unstable();
        assert_eq!(said, [200, 200, 200, 200, 200, 409, 409, 409, 409, 409]);
    }
}

#[tokio::test]
async fn papers_are_for_whoever_was_asked_while_it_is_open() {
    for pair in pairs().await {
        let path = pair.asked().await;
        pair.run().await;
        let id = id_of(&pair, &path).await;
        let paper = pair.waiting().await.question.papers[0].sha256.clone();
        let get = async |client: &str, path: String| pair.wire.say(client, ASKS, "GET", &path, b"").await.0;
        assert_eq!(get(ANSWERS, format!("/papers/{id}/{paper}")).await, 200);
        assert_eq!(get(STRANGER, format!("/papers/{id}/{paper}")).await, 404);
        assert_eq!(get(ASKS, format!("/papers/{id}/{paper}")).await, 404);
        assert_eq!(
            get(ANSWERS, format!("/papers/{}/{paper}", Uuid::from_u128(3))).await,
            404
        );

        // A paper of the dossier that the question does not name, a document of it, a paper of another dossier.
        pair.asks.work().await;
        let view = pair.dossier(&path).await;
        let named = |sha: &str| sha == paper;
        let receipt = view.state.documents.first().expect("the receipt").sha256.clone();
        let mut others = vec![receipt, "0".repeat(64), "../../etc/passwd".to_owned()];
        others.extend(
            view.state
                .papers
                .iter()
                .flat_map(|p| &p.files)
                .map(|f| f.sha256.clone()),
        );
        for other in others.iter().filter(|sha| !named(sha)) {
            assert_eq!(
                get(ANSWERS, format!("/papers/{id}/{}", other.replace('/', "%2F"))).await,
                404,
                "{other}"
            );
        }
        assert_eq!(get(ANSWERS, format!("/papers/{id}")).await, 404);

        // Who looks must be said.
        let bare = http::Request::get(format!("/r1/{ASKS}/{CONSULTATIONS}/papers/{id}/{paper}"))
            .header("x-motcua-purpose", PURPOSE)
            .body(Bytes::new())
            .expect("a request");
        let answer = pair
            .wire
            .deliver(&ANSWERS.parse().expect("a system"), bare)
            .await
            .expect("a node");
        assert_eq!(answer.status().as_u16(), 422);

        pair.clock.set(day(13));
        pair.run().await;
        let ended = pair.consultation(&path).await.answer;
        assert_eq!(ended.as_ref().map(Ending::of), Some(Ending::Deemed));
        let (status, said) = pair
            .wire
            .say(ANSWERS, ASKS, "GET", &format!("/papers/{id}/{paper}"), b"")
            .await;
        assert_eq!((status, code(&said)), (409, "consultation-ended"));
        let late = opinion("Muộn").to_string();
        let (status, said) = pair
            .wire
            .say(ANSWERS, ASKS, "PUT", &format!("/opinions/{id}"), late.as_bytes())
            .await;
        assert_eq!((status, code(&said)), (409, "consultation-ended"));
    }
}

#[tokio::test]
async fn questions_of_strangers_are_their_own() {
    for pair in pairs().await {
        let path = pair.asked().await;
        pair.run().await;
        let id = id_of(&pair, &path).await;
        let item = pair.waiting().await;
        let address = format!("/questions/{id}");
        let mut question = serde_json::to_value(&item.question).expect("JSON");
        let say = async |client: &str, body: &Value| {
            let body = body.to_string();
            let (status, said) = pair.wire.say(client, ANSWERS, "PUT", &address, body.as_bytes()).await;
            (status, code(&said).to_owned())
        };
        // The same question of its own asker changes nothing; another under its id is refused.
        assert_eq!(say(ASKS, &question).await.0, 200);
        question["dossier"] = "H57.32.12-000000-9999".into();
        assert_eq!(say(ASKS, &question).await, (409, "question-changed".to_owned()));
        // Another member with the same id neither reads nor ends it: that is a question of its own.
        let mut end = question.clone();
        end["ended"] = json!({ "at": "2026-11-20T10:00:00+07:00", "how": "in-a-way-of-tomorrow" });
        assert_eq!(say(STRANGER, &end).await.0, 200);
        assert_eq!(pair.waiting().await.id, item.id, "it is still open");
        let past = pair.queue(Shown::Past).await;
        assert_eq!((past.len(), past[0].asker.to_string()), (1, STRANGER.to_owned()));

        for (at, value, wrong) in [
            ("agency", json!("công an"), "agency-code"),
            ("agency", json!("G01.57.8"), "unknown-agency"),
            ("dossier", json!("x\r\nX-Road-Client: y"), "code"),
            ("question", json!({ "vi": "", "en": "" }), "required"),
            ("task", json!({ "vi": "a".repeat(501) }), "too-long"),
            ("due", json!("tomorrow"), "message-form"),
            ("silence", json!("perhaps"), "message-form"),
            ("version", json!(7), "version-unsupported"),
            (
                "papers",
                json!([{ "title": { "vi": "a" }, "name": "a", "media_type": "a", "size": 1, "sha256": "A" }]),
                "digest",
            ),
            (
                "facts",
                json!(vec![json!({ "label": { "vi": "a" }, "value": { "vi": "b" } }); 201]),
                "too-many",
            ),
        ] {
            let mut bad = question.clone();
            bad[at] = value;
            let body = bad.to_string();
            let fresh = format!("/questions/{}", Uuid::from_u128(99));
            let (status, said) = pair.wire.say(STRANGER, ANSWERS, "PUT", &fresh, body.as_bytes()).await;
            assert!((400..500).contains(&status), "{at}: {status}");
            assert_eq!(code(&said), wrong, "{at}");
        }
        assert_eq!(pair.queue(Shown::Open).await.len(), 1, "nothing of that was kept");
    }
}

#[tokio::test]
async fn a_paper_that_is_another_than_was_named_is_not_shown() {
    for pair in pairs().await {
        pair.asked().await;
        pair.run().await;
        let item = pair.waiting().await;
        let paper = item.question.papers[0].sha256.clone();
        let other = Router::new().fallback(async || "another content");
        pair.wire.homes.lock().expect("homes").insert(ASKS.to_owned(), other);
        let fetched = pair.answers.dossiers.asked_paper(&pair.hung(), item.id, &paper).await;
        let refused = fetched.expect_err("another content");
        assert_eq!(codes(refused.problems().expect("why")), ["other-content"]);
        pair.wire.cut.store(true, Ordering::SeqCst);
        let fetched = pair.answers.dossiers.asked_paper(&pair.hung(), item.id, &paper).await;
        assert_eq!(fetched.expect_err("down").kind(), Some(base::Kind::Unavailable));
    }
}
