//! Answering a request for papers: what it brings up, by whose rules, and what is kept out.

use axum::http::StatusCode;
use base::Lang;
use identity::Role;
use procedure::package::CheckOptions;
use serde_json::json;

use super::{
    following::{completion, filed, token},
    handling::call,
    town::{PNG, Town, an, at, errors, officer, person, start, towns},
};
use crate::{
    model::{
        action::{Detail, DossierId, MissingItem},
        status::Decision,
    },
    service::UploadFor,
};

/// A dossier from which these places are asked: its address and its id.
async fn asked(town: &Town, code: &str, reason: &str, places: &[&str]) -> (String, DossierId) {
    let path = filed(town, code).await;
    let id = town.seen(&path).await.id;
    let item = |at: &&str| MissingItem {
        at: (*at).to_owned(),
        reason: reason.to_owned(),
        text: "Khai lại cho đúng.".to_owned(),
        basis: "Luật Hộ tịch 2014".to_owned(),
    };
    let detail = Detail::Supplement {
        items: places.iter().map(item).collect(),
        second_ground: String::new(),
    };
    let token = token(town, &path).await;
    town.step(id, completion(token, "supplement", detail)).await;
    (path, id)
}

#[tokio::test]
async fn a_question_that_an_answer_brings_up_is_shown_and_taken() {
    for town in towns().await {
        let (path, _) = asked(&town, "1.004873", "status-not-found", &["marital.status"]).await;
        let address = format!("{path}/supplement");
        let version = town.page(&an(), &address).await.hidden("version");
        let first = [
            ("version", version.as_str()),
            ("then", "send"),
            ("_shown", "marital.status"),
            ("marital.status", "divorced"),
        ];
        let more = town.post_files(&an(), &address, &first, &[]).await;
        assert_eq!(more.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", more.location());
        super::town::keep(&an(), "supplement_brought_up", &more.body);
        for name in ["divorce.number", "divorce.court", "divorce.decided_on.day"] {
            assert!(more.body.contains(&format!("name=\"{name}\"")), "{name} is asked");
        }
        assert!(
            more.body.contains("Câu trả lời mới dẫn đến câu hỏi này"),
            "{}",
            errors(&more.body)
        );
        assert!(more.body.contains("name=\"status-proof\""), "the paper can be added");
        assert!(!more.body.contains("name=\"spouse.name\"") && !more.body.contains("name=\"purpose.kind\""));

        let mut whole = first.to_vec();
        whole.extend([
            ("_shown", "divorce.number"),
            ("_shown", "divorce.court"),
            ("_shown", "divorce.decided_on"),
            ("divorce.number", "15/2020/QĐST-HNGĐ"),
            ("divorce.court", "Tòa án nhân dân thành phố Huế"),
            ("divorce.decided_on.day", "2"),
            ("divorce.decided_on.month", "3"),
            ("divorce.decided_on.year", "2020"),
        ]);
        let sent = town.post_files(&an(), &address, &whole, &[]).await;
        assert_eq!(
            sent.location(),
            format!("{path}?done=supplemented"),
            "{}",
            errors(&sent.body)
        );
        let view = town.seen(&path).await;
        assert_eq!(view.state.decision, Decision::Submitted);
        let answers = view.state.answers.to_value();
        assert_eq!(at(&answers, "marital.status"), "divorced");
        assert_eq!(at(&answers, "divorce.decided_on"), "2020-03-02");
    }
}

#[tokio::test]
async fn a_paper_that_an_answer_brings_up_is_asked_for_at_once() {
    for town in towns().await {
        let (path, _) = asked(&town, "1.001193", "birth-proof-missing", &["birth.proof"]).await;
        let address = format!("{path}/supplement");
        let version = town.page(&an(), &address).await.hidden("version");
        let fields = [
            ("version", version.as_str()),
            ("then", "send"),
            ("_shown", "birth.proof"),
            ("birth.proof", "witness"),
        ];
        let more = town.post_files(&an(), &address, &fields, &[]).await;
        assert_eq!(more.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", more.location());
        assert!(
            more.body.contains("name=\"witness-statement\""),
            "{}",
            errors(&more.body)
        );
        let files = [("witness-statement", "người làm chứng.png", PNG)];
        let sent = town.post_files(&an(), &address, &fields, &files).await;
        assert_eq!(
            sent.location(),
            format!("{path}?done=supplemented"),
            "{}",
            errors(&sent.body)
        );
        let papers = town.seen(&path).await.state.papers;
        assert!(
            papers
                .iter()
                .any(|p| p.paper == "witness-statement" && p.files.len() == 1)
        );
    }
}

/// The hash of a file is known to whoever has the file, and to whoever has seen it on a page. It opens nothing.
#[tokio::test]
async fn nobody_gets_a_file_by_naming_its_hash() {
    for town in towns().await {
        let (path, id) = asked(&town, "1.001193", "birth-proof-missing", &["birth-notification"]).await;
        let other = person("Lê Văn Khác", Lang::Vi);
        let purpose = UploadFor::Procedure("1.001193");
        let upload = |ctx, paper| {
            town.dossiers
                .upload_whole(ctx, purpose, paper, "của người khác.png", PNG)
        };
        let owner = an();
        let theirs = upload(&other, "birth-notification").await.expect("judged");
        let elsewhere = upload(&owner, "witness-statement").await.expect("judged");
        let hash = theirs.file.expect("whole").sha256;
        let file = json!({ "name": "a.png", "media_type": "image/png", "size": 1, "sha256": hash });
        let address = format!("/api/v1/dossiers/{id}/supplements");
        for (body, code) in [
            (
                json!({ "papers": [{ "paper": "birth-notification", "files": [file] }] }),
                "files",
            ),
            (
                json!({ "papers": [{ "paper": "birth-notification", "uploads": [], "files": [file] }] }),
                "files",
            ),
            (
                json!({ "papers": [{ "paper": "birth-notification", "uploads": [theirs.id.uuid()] }] }),
                "unknown-upload",
            ),
            (
                json!({ "papers": [{ "paper": "birth-notification", "uploads": [elsewhere.id.uuid()] }] }),
                "unknown-upload",
            ),
            (
                json!({ "papers": [{ "paper": "birth-notification", "uploads": [hash] }] }),
                "",
            ),
        ] {
            let refused = call(&town, &owner, &address, None, &body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
            assert!(refused.body.contains(code), "{}", refused.body);
        }
        assert!(
            town.seen(&path).await.state.open_supplement().is_some(),
            "nothing was taken"
        );
        let stranger = call(&town, &other, &address, None, &json!({ "papers": [] })).await;
        assert!(
            matches!(stranger.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND),
            "{}",
            stranger.body
        );
    }
}

#[tokio::test]
async fn an_upload_is_judged_by_the_version_of_its_dossier() {
    for town in towns().await {
        let (path, id) = asked(&town, "1.001193", "birth-proof-missing", &["birth-notification"]).await;
        let code = town.seen(&path).await.state.code;

        // From today on the paper is taken as PDF alone.
        let newer = std::env::temp_dir().join(format!("motcua-{}", uuid::Uuid::from_u128(rand::random())));
        std::fs::create_dir_all(&newer).expect("a folder");
        let catalogue = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/1.001193");
        for file in [
            "procedure.toml",
            "form.toml",
            "process.bpmn",
            "decisions.dmn",
            "writes.toml",
            "result.typ",
        ] {
            let text = std::fs::read_to_string(catalogue.join(file)).expect("a file of the package");
            let text = match file {
                "procedure.toml" => text
                    .lines()
                    .map(|line| match line.split(" = ").next() {
                        Some("version") => "version = \"2026-11-20\"",
                        Some("valid_from") => "valid_from = 2026-11-20",
                        _ => line,
                    })
                    .collect::<Vec<_>>()
                    .join("\n"),
                "form.toml" => text.replace(
                    "id = \"birth-notification\"\n",
                    "id = \"birth-notification\"\naccept = [\"pdf\"]\n",
                ),
                _ => text,
            };
            std::fs::write(newer.join(file), text).expect("written");
        }
        let put = town
            .dossiers
            .shelf()
            .put_dir(&newer, &CheckOptions::default(), start())
            .await;
        std::fs::remove_dir_all(&newer).expect("removed");
        put.expect("a good package");

        let (owner, paper) = (an(), "birth-notification");
        let today = UploadFor::Procedure("1.001193");
        let refused = town.dossiers.upload_whole(&owner, today, paper, "a.png", PNG).await;
        assert!(refused.is_err(), "the procedure of today takes PDF alone");
        let own = UploadFor::Supplement(&code);
        let taken = town.dossiers.upload_whole(&owner, own, paper, "a.png", PNG).await;
        let taken = taken.expect("the version of the dossier takes pictures");
        assert_eq!(taken.paper, paper);
        let body = json!({ "papers": [{ "paper": paper, "uploads": [taken.id.uuid()] }] });
        let sent = call(
            &town,
            &owner,
            &format!("/api/v1/dossiers/{id}/supplements"),
            None,
            &body,
        )
        .await;
        assert_eq!(sent.status, StatusCode::OK, "{}", sent.body);

        // Nothing is open any more; strangers do not learn that there is such a dossier.
        let late = town.dossiers.begin_upload(&owner, own, paper, "b.png", 10).await;
        assert_eq!(late.expect_err("nothing is asked").kind(), Some(base::Kind::Conflict));
        let stranger = person("Lê Văn Khác", Lang::Vi);
        let hidden = town.dossiers.begin_upload(&stranger, own, paper, "b.png", 10).await;
        assert_eq!(hidden.expect_err("not theirs").kind(), Some(base::Kind::NotFound));
        let clerk = officer(&[Role::Receptionist]);
        assert!(
            town.dossiers
                .begin_upload(&clerk, own, paper, "b.png", 10)
                .await
                .is_err()
        );
    }
}
