//! Questions of other times than now: every registry is asked of the same moment, and of what was known then.

use axum::{
    Extension,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use exchange::gateway::Caller;
use http_body_util::BodyExt as _;
use registry::{
    history::{AsOf, exact},
    service::{Change, With, Written},
};
use tower::ServiceExt as _;

use super::*;

const QUESTION: &str = "importer-owes-tax";

impl Node {
    async fn tell(&self, change: Change) -> Written {
        let provenance = Provenance {
            source: "Quyết định".to_owned(),
            ..Provenance::default()
        };
        let key = Uuid::new_v4().to_string();
        let tax = "tax".parse().expect("a code");
        let written = self.registries.write(&system(), &tax, change, &provenance, &key).await;
        written.expect("written")
    }

    /// A firm that imports, and was told to owe by a mistake until it was corrected; then, truly, from June on.
    async fn firm(&self) -> [Written; 3] {
        self.add("customs", declaration()).await;
        let day = |text| Moment::parse(text, ValidTime::Day).expect("a day");
        let first = self
            .tell(Change::Assert {
                target: Target::New,
                from: day("2026-01-01"),
                to: None,
                body: taxpayer(5_000_000),
            })
            .await;
        let seen = |written: &Written| Seen {
            record: written.record,
            seq: written.seq,
        };
        let second = self
            .tell(Change::Correct {
                record: seen(&first),
                corrects: first.seq,
                with: With::Holds {
                    from: day("2026-01-01"),
                    to: None,
                    body: taxpayer(0),
                },
            })
            .await;
        let third = self
            .tell(Change::Assert {
                target: Target::Known(seen(&second)),
                from: day("2026-06-01"),
                to: None,
                body: taxpayer(7_000_000),
            })
            .await;
        [first, second, third]
    }

    /// Behind the gateway.
    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let caller = Caller {
            client: CLIENT.parse().expect("a client"),
            service: "VN/GOV/000.00.00.G12/motcua/questions".parse().expect("a service"),
            purpose: "customs.compliance".parse().expect("a purpose"),
            request_id: Uuid::nil(),
        };
        let router = question::offered::router(self.questions.clone(), Arc::new(clock()));
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-road-issue", DOSSIER)
            .body(Body::from(body.to_string()))
            .expect("a request");
        let answer = router
            .layer(Extension(caller))
            .oneshot(request)
            .await
            .expect("an answer");
        let status = answer.status();
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}

fn auditor() -> Ctx {
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(7)),
            name: "Trần Thị Bình".to_owned(),
            title: String::new(),
            agency: "G12".to_owned(),
            roles: Roles::of(&[Role::Auditor]),
        }),
        ..system()
    }
}

#[tokio::test]
async fn what_was_known_before_a_correction_and_held_before_a_change_is_answered() {
    for node in nodes().await {
        let [first, second, _] = node.firm().await;
        let path = format!("/{QUESTION}");
        let asked = async |as_of: Option<&str>, known_at: Option<Timestamp>| {
            let mut body = json!({ "tax_code": FIRM });
            if let Some(as_of) = as_of {
                body["as_of"] = json!(as_of);
            }
            if let Some(known_at) = known_at {
                body["known_at"] = json!(exact(known_at));
            }
            let (status, told) = node.post(&path, &body).await;
            assert_eq!(status, StatusCode::OK, "{told}");
            told
        };
        for (as_of, known_at, answer) in [
            (None, None, json!(true)),
            (Some("2026-03-01"), None, json!(false)),
            (Some("2026-03-01"), Some(first.recorded_at), json!(true)),
            (Some("2026-03-01"), Some(second.recorded_at), json!(false)),
            (None, Some(second.recorded_at), json!(false)),
        ] {
            let told = asked(as_of, known_at).await;
            assert_eq!(told["answer"], answer, "{as_of:?} {known_at:?}");
            assert_eq!(told.get("as_of").and_then(Value::as_str), as_of);
            assert_eq!(told.get("known_at"), known_at.map(|at| json!(exact(at))).as_ref());
        }
        // Nobody imported before the declaration: of no importer nothing is owed, whatever the tax registry says.
        assert_eq!(asked(Some("2025-12-31"), None).await["answer"], json!(false));

        // Who accounts for the answer sees of when it was, and the log does too.
        let told = asked(Some("2026-03-01"), Some(first.recorded_at)).await;
        let id = told["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let evidence = node.questions.evidence(&auditor(), id).await.expect("evidence");
        assert_eq!(evidence.times.as_of, AsOf::parse("2026-03-01"));
        assert_eq!(evidence.times.known_at, Some(first.recorded_at));
        assert_eq!(evidence.rests_on, ["customs/107741007741#1", &format!("tax/{FIRM}#1")]);
        let (_, at) = evidence.leaf.expect("a leaf");
        let entry = node.log.entry(at.unsigned_abs()).expect("an entry");
        let leaf: Value = serde_json::from_slice(&entry.opening.expect("not erased").record).expect("JSON");
        assert_eq!(
            (&leaf["as_of"], &leaf["known_at"]),
            (&json!("2026-03-01"), &json!(first.recorded_at.micros()))
        );
    }
}

#[tokio::test]
async fn today_is_the_day_of_which_it_is_asked() {
    for node in nodes().await {
        node.add("population", citizen(CHILD, "2020-12-01")).await;
        let inputs = json!({ "person_number": CHILD })
            .as_object()
            .cloned()
            .expect("an object");
        let asker = Asker {
            client: CLIENT.to_owned(),
            purpose: "proactive.remind".to_owned(),
            dossier: None,
        };
        for (as_of, answer) in [("", true), ("2026-11-30", true), ("2026-12-01", false)] {
            let times = Times {
                as_of: AsOf::parse(as_of),
                known_at: None,
            };
            let answered = node
                .questions
                .ask(&system(), "entitled-not-asked", &inputs, times, &asker)
                .await;
            assert_eq!(
                answered.expect("asked").outcome,
                Outcome::Answered(json!(answer)),
                "six years old, as of {as_of}"
            );
        }
    }
}

#[tokio::test]
async fn many_are_asked_of_one_time() {
    for node in nodes().await {
        let [first, ..] = node.firm().await;
        let body =
            json!({ "lines": [{ "tax_code": FIRM }], "as_of": "2026-03-01", "known_at": exact(first.recorded_at) });
        let (status, taken) = node.post(&format!("/{QUESTION}/runs"), &body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{taken}");
        let runner = runs::handlers(Runner::new(node.store.clone(), Arc::new(clock())), &node.questions);
        runner.run_due().await.expect("done");
        let asker = Asker {
            client: CLIENT.to_owned(),
            purpose: "customs.compliance".to_owned(),
            dossier: Some(DOSSIER.to_owned()),
        };
        let id = taken["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let lines = node.questions.result(QUESTION, id, &asker).await.expect("a result");
        assert_eq!(lines[0].answer, Some(json!(true)), "as was believed then");
    }
}

#[tokio::test]
async fn times_that_cannot_be_read_are_refused_by_their_names_and_so_is_what_is_not_understood() {
    for node in nodes().await {
        let one = format!("/{QUESTION}");
        let many = format!("/{QUESTION}/runs");
        let lines = json!([{ "tax_code": FIRM }]);
        for (path, body, codes) in [
            (
                &one,
                json!({ "tax_code": FIRM, "as_of": "hôm qua", "known_at": "2026-01-01" }),
                vec!["as_of not-a-moment", "known_at not-an-instant"],
            ),
            (
                &one,
                json!({ "tax_code": FIRM, "as_of": 20_260_101 }),
                vec!["as_of not-a-moment"],
            ),
            (
                &many,
                json!({ "lines": lines, "known_at": "2026" }),
                vec!["known_at not-an-instant"],
            ),
            (
                &format!("{one}?as_of=2026-01-01"),
                json!({ "tax_code": FIRM }),
                vec!["as_of unknown-parameter"],
            ),
            (
                &format!("{many}?known_at=2026-01-01T00:00:00Z"),
                json!({ "lines": lines }),
                vec!["known_at unknown-parameter"],
            ),
        ] {
            let (status, said) = node.post(path, &body).await;
            let problems = said["problems"].as_array().cloned().unwrap_or_default();
            let found: Vec<String> = problems
                .iter()
                .map(|problem| format!("{} {}", problem["at"], problem["code"]).replace('"', ""))
                .collect();
            assert_eq!(
                (status, found),
                (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    codes.iter().map(|code| (*code).to_owned()).collect()
                ),
                "{path} {body}"
            );
        }
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join(QUESTION);
        std::fs::create_dir(&folder).expect("a folder");
        let good =
            std::fs::read_to_string(root().join("questions").join(QUESTION).join("question.toml")).expect("a file");
        let clash = good
            .replace("id = \"tax_code\"", "id = \"as_of\"")
            .replace("of = \"tax_code\"", "of = \"as_of\"");
        std::fs::write(folder.join("question.toml"), clash).expect("written");
        assert!(question::check(&folder).1.has("duplicate-id"), "the name is taken");
    }
}
