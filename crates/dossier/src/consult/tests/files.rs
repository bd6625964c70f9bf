//! Files that go with an opinion: gathered, carried in pieces, judged again, kept with the dossier.

use axum::http::StatusCode;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::{
    consult::{AskedState as Standing, GivenOpinion},
    model::action::{File, UploadId},
    pages::citizen::tests::town::{PNG, an},
    service::UploadFor,
};

/// A picture of about that many bytes.
fn picture(bytes: usize) -> Vec<u8> {
    let (head, tail) = PNG.split_at(33);
    let mut content = head.to_vec();
    content.extend((0..bytes).map(|n| u8::try_from(n % 251).expect("small")));
    content.extend_from_slice(tail);
    content
}

fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

fn code(said: &Value) -> &str {
    said["problems"][0]["code"].as_str().unwrap_or_default()
}

impl Pair {
    async fn attach(&self, item: &super::super::AskedItem, name: &str, content: &[u8]) -> UploadId {
        let hung = self.hung();
        let sent = self
            .answers
            .dossiers
            .upload_whole(&hung, UploadFor::Opinion(item.id), "", name, content);
        sent.await.expect("attached").id
    }

    async fn answer_with(&self, item: &super::super::AskedItem, files: Vec<UploadId>) {
        let given = GivenOpinion {
            agrees: true,
            opinion: "Thống nhất, có bản vẽ đã đóng dấu.".to_owned(),
            files,
            ..GivenOpinion::default()
        };
        let hung = self.hung();
        let done = self.answers.dossiers.answer_question(&hung, item.id, &given);
        done.await.expect("answered");
    }

    /// The files of the opinion as the dossier has them.
    async fn kept(&self, path: &str) -> Vec<File> {
        self.consultation(path).await.files().to_vec()
    }

    /// The id of the dossier's one question.
    async fn outgoing(&self, path: &str) -> String {
        let dossier = self.dossier(path).await.id;
        let rows = super::super::store::outgoing_of(&self.asks.store.read(), dossier).await;
        rows.expect("rows")[0].id.to_string()
    }

    /// A piece as the answering node sends it, or as it should not.
    async fn piece(&self, client: &str, address: &str, start: usize, length: usize, content: &[u8]) -> (u16, Value) {
        let request = http::Request::put(format!("/r1/{ASKS}/{CONSULTATIONS}{address}"))
            .header("x-motcua-purpose", PURPOSE)
            .header("upload-offset", start)
            .header("upload-length", length)
            .body(Bytes::copy_from_slice(content))
            .expect("a request");
        let client = client.parse().expect("a system");
        let answer = self.wire.deliver(&client, request).await.expect("a node");
        let said = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        (answer.status().as_u16(), said)
    }

    async fn opinion(&self, id: &str, files: &Value) -> (u16, Value) {
        let body = json!({
            "version": 1, "agrees": true, "opinion": "Thống nhất", "officer": { "name": "Lê Văn Hùng" }, "files": files
        });
        let (address, body) = (format!("/opinions/{id}"), body.to_string());
        self.wire.say(ANSWERS, ASKS, "PUT", &address, body.as_bytes()).await
    }
}

#[tokio::test]
async fn files_go_with_the_opinion_into_the_dossier() {
    for pair in pairs().await {
        let path = pair.asked().await;
        let dossier = path.trim_start_matches("/dossiers/").to_owned();
        pair.run().await;
        let (hung, item) = (pair.hung(), pair.waiting().await);
        let address = format!("/desk/consultations/{}", item.id);
        let typed = [("agrees", "no"), ("opinion", "Thiếu lối thoát nạn"), ("then", "files")];

        // What is no picture and no PDF is refused by its name; what is good stays, and so does what was typed.
        let stamped = picture(100);
        let refused = pair
            .answers
            .post_files(
                &hung,
                &address,
                &typed,
                &[("file", "ban-ve.png", &stamped), ("file", "a.exe", b"MZ a program")],
            )
            .await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        for shown in ["“a.exe”: Không nhận ra định dạng", "ban-ve.png", "Thiếu lối thoát nạn"] {
            assert!(refused.body.contains(shown), "{shown}");
        }

        pair.later(1);
        let hung = pair.hung();
        // A browser with JavaScript sends pieces that go on where they stopped.
        let large = picture(3000);
        let (first, rest) = large.split_at(1000);
        let (begun, location) = begin(&pair, &hung, &address, large.len()).await;
        assert_eq!(begun, StatusCode::CREATED);
        assert_eq!(append(&pair, &hung, &location, 0, first).await, StatusCode::NO_CONTENT);
        let unfinished = [("agrees", "no"), ("opinion", "Thiếu lối thoát nạn")];
        let early = pair.answers.post_files(&hung, &address, &unfinished, &[]).await;
        assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            early.body.contains("chưa được tải lên đầy đủ"),
            "an unfinished file is not forgotten"
        );
        assert_eq!(append(&pair, &hung, &location, 0, first).await, StatusCode::CONFLICT);
        assert_eq!(
            append(&pair, &hung, &location, 1000, rest).await,
            StatusCode::NO_CONTENT
        );

        // One that is taken out again.
        let spare = pair.attach(&item, "thua.png", PNG).await.to_string();
        let without = [("remove", spare.as_str()), ("then", "files")];
        let page = pair.answers.post_files(&hung, &address, &without, &[]).await;
        assert!(
            !page.body.contains("thua.png") && page.body.contains("so-do.png"),
            "{}",
            page.status
        );
        let own = pair
            .answers
            .get(&hung, &format!("{address}/files/{}", digest(&large)))
            .await;
        assert_eq!(
            (own.status, own.body.len()),
            (StatusCode::OK, String::from_utf8_lossy(&large).len())
        );
        pair.answers.page(&hung, &address).await;

        for _ in 0..2 {
            let sent = pair
                .answers
                .post_files(&hung, &address, &unfinished, &[("file", "ban-ve.png", &stamped)])
                .await;
            assert_eq!(
                sent.location(),
                address,
                "the same form twice is the same opinion: {}",
                sent.body
            );
        }
        pair.run().await;

        // They are in the dossier, for those who handle it.
        let kept = pair.kept(&path).await;
        let said: Vec<_> = kept
            .iter()
            .map(|file| (file.name.as_str(), file.sha256.clone()))
            .collect();
        assert_eq!(said, [("ban-ve.png", digest(&stamped)), ("so-do.png", digest(&large))]);
        let clerk = pair.clerk(&[Role::Specialist]);
        let desk = format!("/desk/dossiers/{dossier}");
        let page = pair.asks.page(&clerk, &desk).await;
        assert!(page.body.contains("so-do.png") && page.body.contains("Tệp kèm theo: ban-ve.png, so-do.png"));
        let opened = pair.asks.get(&clerk, &format!("{desk}/files/{}", digest(&large))).await;
        assert_eq!(
            (opened.status, opened.body),
            (StatusCode::OK, String::from_utf8_lossy(&large).into_owned())
        );
        assert_eq!(opened.headers["content-type"], "image/png");
        let applicant = pair.asks.get(&an(), &format!("{path}/files/{}", digest(&large))).await;
        assert_eq!(
            applicant.status,
            StatusCode::NOT_FOUND,
            "what agencies write to each other"
        );
        let shown = pair.answers.page(&hung, &address).await;
        assert!(shown.body.contains("so-do.png") && shown.body.contains("Cơ quan hỏi đã nhận ý kiến"));
        let late = pair
            .answers
            .dossiers
            .remove_upload(&hung, UploadId::from_uuid(spare.parse().expect("an id")))
            .await;
        assert!(late.is_err());
        let (late, _) = begin(&pair, &hung, &address, 10).await;
        assert_eq!(late, StatusCode::CONFLICT, "nothing is added to what was said");
    }
}

async fn begin(pair: &Pair, ctx: &Ctx, address: &str, length: usize) -> (StatusCode, String) {
    let request = http::Request::post(format!("{address}/uploads"))
        .header("upload-length", length)
        .header("upload-name", "so-do.png")
        .body(Body::empty());
    let answer = pair.answers.send(ctx, request.expect("a request")).await;
    (answer.status, answer.location())
}

async fn append(pair: &Pair, ctx: &Ctx, location: &str, start: usize, content: &[u8]) -> StatusCode {
    let request = http::Request::patch(location)
        .header("upload-offset", start)
        .body(Body::from(content.to_vec()));
    pair.answers.send(ctx, request.expect("a request")).await.status
}

#[tokio::test]
async fn programs_attach_files_too_and_strangers_do_not() {
    for pair in pairs().await {
        let path = pair.asked().await;
        pair.run().await;
        let item = pair.waiting().await;
        let begin = json!({ "consultation": item.id.uuid(), "name": "ban-ve.png", "length": PNG.len() });
        let post = |body: &Value| {
            http::Request::post("/api/v1/uploads")
                .header("content-type", "application/json")
                .body(Body::from(body.to_string()))
                .expect("a request")
        };
        let stranger = officer_of("G01.57.70", 94, "Cơ quan khác", &[Role::Consulted]);
        let refused = pair.answers.send(&stranger, post(&begin)).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.body);
        let begun = pair.answers.send(&pair.hung(), post(&begin)).await;
        assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body);
        let location = begun.location();
        assert_eq!(append(&pair, &stranger, &location, 0, PNG).await, StatusCode::NOT_FOUND);
        assert_eq!(append(&pair, &pair.hung(), &location, 0, PNG).await, StatusCode::OK);

        let opinion = |file: &str| {
            let body = json!({ "agrees": true, "opinion": "Thống nhất", "files": [file] });
            http::Request::put(format!("/api/v1/consultations/{}/opinion", item.id))
                .header("content-type", "application/json")
                .body(Body::from(body.to_string()))
                .expect("a request")
        };
        let other = pair
            .answers
            .send(&pair.hung(), opinion(&Uuid::from_u128(9).to_string()))
            .await;
        assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            other.body.contains("unknown-upload") && other.body.contains("files.0"),
            "{}",
            other.body
        );
        let id = location.rsplit('/').next().expect("an id");
        let sent = pair.answers.send(&pair.hung(), opinion(id)).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{}", sent.body);
        pair.run().await;
        assert_eq!(pair.kept(&path).await.len(), 1);
        let file = format!("/api/v1/consultations/{}/files/{}", item.id, digest(PNG));
        assert_eq!(pair.answers.get(&pair.hung(), &file).await.status, StatusCode::OK);
        assert_eq!(pair.answers.get(&stranger, &file).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_file_that_is_cut_off_goes_on_where_it_stopped() {
    // Two pieces.
    let large = picture((4 << 20) + 1000);
    for pair in pairs().await {
        for fault in ["requests", "answers", "twice", "held"] {
            let set = |n| match fault {
                "requests" => pair.wire.lose_requests.store(n, Ordering::SeqCst),
                "answers" => pair.wire.lose_answers.store(n, Ordering::SeqCst),
                "held" => pair.wire.hold.store(n, Ordering::SeqCst),
                _ => pair.wire.twice.store(n > 0, Ordering::SeqCst),
            };
            let path = pair.asked().await;
            pair.run().await;
            let item = pair.waiting().await;
            let file = pair.attach(&item, "ban-ve.png", &large).await;
            set(3);
            pair.answer_with(&item, vec![file]).await;
            pair.hours(1).await;
            set(0);
            pair.wire.let_go().await;
            pair.run().await;
            let kept = pair.kept(&path).await;
            assert_eq!(kept.len(), 1, "{fault}");
            assert_eq!(
                (kept[0].size, kept[0].sha256.clone()),
                (large.len() as u64, digest(&large)),
                "{fault}"
            );
            let content = pair.asks.store.blobs().get(&kept[0].sha256).await.expect("the file");
            assert!(content == large, "{fault}: byte for byte");
        }

        // The first piece is there: only the rest is sent.
        let path = pair.asked().await;
        pair.run().await;
        let item = pair.waiting().await;
        let file = pair.attach(&item, "ban-ve.png", &large).await;
        let address = format!("/opinions/{}/files/{}", pair.outgoing(&path).await, digest(&large));
        let (status, said) = pair.piece(ANSWERS, &address, 0, large.len(), &large[..4 << 20]).await;
        assert_eq!((status, said["received"].as_u64()), (200, Some(4 << 20)));
        pair.answer_with(&item, vec![file]).await;
        let calls = pair.wire.calls.load(Ordering::SeqCst);
        pair.run().await;
        assert_eq!(pair.kept(&path).await.len(), 1);
        let calls = pair.wire.calls.load(Ordering::SeqCst) - calls;
        assert_eq!(calls, 3, "where it stands, the second piece, the opinion");
    }
}

#[tokio::test]
async fn what_is_not_as_it_says_is_refused_and_gone() {
    for pair in bare_pairs_with(|config| config.largest_upload = 5 << 20).await {
        pair.appoint(Role::Consulted).await;
        let (path, other) = (pair.asked().await, pair.asked().await);
        pair.run().await;
        let (id, other) = (pair.outgoing(&path).await, pair.outgoing(&other).await);
        let good = digest(PNG);
        let at = |sha256: &str| format!("/opinions/{id}/files/{sha256}");
        let whole = PNG.len();

        for client in [STRANGER, ASKS, "VN/GOV/G01/khac"] {
            assert_eq!(pair.piece(client, &at(&good), 0, whole, PNG).await.0, 404, "{client}");
        }
        assert_eq!(pair.wire.say(STRANGER, ASKS, "GET", &at(&good), b"").await.0, 404);
        let html = b"<html>not a picture</html>";
        let broken = picture(10)[..40].to_vec();
        for (sha256, length, content, status, wrong) in [
            (digest(b"another"), whole, PNG, 422, "other-content"),
            (digest(html), html.len(), &html[..], 422, "unknown-format"),
            (digest(&broken), broken.len(), &broken[..], 422, "broken-picture"),
            ("A".repeat(64), whole, PNG, 422, "digest"),
            (good.clone(), 0, &PNG[..0], 422, "empty-file"),
            (good.clone(), (5 << 20) + 1, PNG, 413, "too-large"),
        ] {
            let (said, problem) = pair.piece(ANSWERS, &at(&sha256), 0, length, content).await;
            assert_eq!((said, code(&problem)), (status, wrong));
            let (_, standing) = pair.wire.say(ANSWERS, ASKS, "GET", &at(&sha256), b"").await;
            assert_eq!(
                standing,
                json!({ "version": 1, "received": 0, "whole": false }),
                "{wrong}: nothing of it stays"
            );
        }
        let huge = vec![0; (4 << 20) + 1];
        assert_eq!(pair.piece(ANSWERS, &at(&good), 0, whole, &huge).await.0, 413, "a piece");
        let (status, said) = pair.wire.say(ANSWERS, ASKS, "PUT", &at(&good), PNG).await;
        assert_eq!((status, code(&said)), (422, "upload-header"));

        // Pieces in another order, a piece twice, more than was announced, another length.
        let (first, rest) = PNG.split_at(20);
        let standing = |said: &Value| (said["received"].as_u64(), said["whole"].as_bool());
        let (_, said) = pair.piece(ANSWERS, &at(&good), 20, whole, rest).await;
        assert_eq!(standing(&said), (Some(0), Some(false)), "not from the middle");
        for _ in 0..2 {
            let (_, said) = pair.piece(ANSWERS, &at(&good), 0, whole, first).await;
            assert_eq!(standing(&said), (Some(20), Some(false)));
        }
        let (_, said) = pair.piece(ANSWERS, &at(&good), 20, whole, PNG).await;
        assert_eq!(standing(&said), (Some(20), Some(false)), "not beyond its end");
        let (status, said) = pair.piece(ANSWERS, &at(&good), 20, whole + 1, rest).await;
        assert_eq!((status, code(&said)), (409, "length-changed"));

        // Half a file is no file.
        let named = json!([{ "name": "ban-ve.png", "media_type": "image/png", "size": whole, "sha256": good }]);
        let (status, said) = pair.opinion(&id, &named).await;
        assert_eq!((status, code(&said)), (422, "file-missing"));
        let (_, said) = pair.piece(ANSWERS, &at(&good), 20, whole, rest).await;
        assert_eq!(standing(&said), (Some(whole as u64), Some(true)));

        // A file of another opinion, one that is said to be another, one twice, too many.
        let (status, said) = pair.opinion(&other, &named).await;
        assert_eq!(
            (status, code(&said)),
            (422, "file-missing"),
            "it is of another question"
        );
        for (name, value) in [("media_type", json!("application/pdf")), ("size", json!(1))] {
            let mut lying = named.clone();
            lying[0][name] = value;
            let (status, said) = pair.opinion(&id, &lying).await;
            assert_eq!((status, code(&said)), (422, "file-differs"), "{name}");
        }
        let file = &named[0];
        let (status, said) = pair.opinion(&id, &json!([file, file])).await;
        assert_eq!((status, code(&said)), (422, "twice"));
        let (status, said) = pair.opinion(&id, &json!(vec![file; 11])).await;
        assert_eq!((status, code(&said)), (422, "too-many-files"));
        assert!(
            pair.consultation(&path).await.answer.is_none(),
            "nothing of that counted"
        );

        // Files of an opinion that was mended make room for those of the new one.
        for n in 0..12 {
            pair.later(1);
            let content = picture(n);
            let (status, said) = pair
                .piece(ANSWERS, &at(&digest(&content)), 0, content.len(), &content)
                .await;
            assert_eq!((status, standing(&said).1), (200, Some(true)));
        }
        let (_, said) = pair.wire.say(ANSWERS, ASKS, "GET", &at(&good), b"").await;
        assert_eq!(standing(&said), (Some(0), Some(false)));

        pair.clock.set(day(13));
        pair.run().await;
        let (status, said) = pair.piece(ANSWERS, &at(&good), 0, whole, PNG).await;
        assert_eq!((status, code(&said)), (409, "consultation-ended"));
    }
}

#[tokio::test]
async fn a_file_that_the_other_node_does_not_take_comes_back_to_be_mended() {
    for pair in bare_pairs_with(|config| config.largest_upload = 1 << 20).await {
        pair.appoint(Role::Consulted).await;
        let path = pair.asked().await;
        pair.run().await;
        let item = pair.waiting().await;
        let large = pair.attach(&item, "ban-ve.png", &picture(2 << 20)).await;
        pair.answer_with(&item, vec![large]).await;
        pair.run().await;
        let seen = pair
            .answers
            .dossiers
            .asked_one(&pair.hung(), item.id)
            .await
            .expect("it");
        assert_eq!(
            (seen.item.state, codes(&seen.problems)),
            (Standing::Open, vec!["too-large"])
        );
        let page = pair
            .answers
            .page(&pair.hung(), &format!("/desk/consultations/{}", item.id))
            .await;
        assert!(
            page.body.contains("Tệp “ban-ve.png”: Tệp lớn hơn 1 MB"),
            "named, with the reason"
        );

        pair.answers
            .dossiers
            .remove_upload(&pair.hung(), large)
            .await
            .expect("removed");
        let small = pair.attach(&item, "ban-ve-nho.png", PNG).await;
        pair.answer_with(&item, vec![small]).await;
        pair.run().await;
        let names: Vec<_> = pair.kept(&path).await.into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["ban-ve-nho.png"]);
    }
}

#[tokio::test]
async fn what_came_on_paper_is_recorded_with_its_scan() {
    for pair in pairs().await {
        let path = pair.asked().await;
        let dossier = path.trim_start_matches("/dossiers/").to_owned();
        pair.run().await;
        let clerk = pair.clerk(&[Role::Specialist]);
        let form = format!("/desk/dossiers/{dossier}/consultations/ask_fire");
        let fields = [("agrees", "yes"), ("opinion", "Thống nhất"), ("document", "9/CV")];
        let refused = pair
            .asks
            .post_files(&clerk, &form, &fields, &[("file", "a.html", b"<html>")])
            .await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("“a.html”: Không nhận ra định dạng") && refused.body.contains("9/CV"));
        assert!(pair.consultation(&path).await.answer.is_none());
        let scan = [("file", "cong-van.png", PNG), ("file", "cong-van-2.png", PNG)];
        let done = pair.asks.post_files(&clerk, &form, &fields, &scan).await;
        assert_eq!(done.location(), format!("/desk/dossiers/{dossier}"), "{}", done.body);
        let kept = pair.kept(&path).await;
        assert_eq!(
            (kept.len(), kept[0].name.as_str()),
            (1, "cong-van.png"),
            "one content once"
        );
        let opened = pair
            .asks
            .get(&clerk, &format!("/desk/dossiers/{dossier}/files/{}", digest(PNG)))
            .await;
        assert_eq!(opened.status, StatusCode::OK);
    }
}
