//! Files that show what a doubt says: taken, judged, listed, opened, taken back, and gone with the record; here and through the exchange.

use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use base::Kind;
use bytes::Bytes;
use identity::{Ctx, Role};
use lopdf::{Document, Object, dictionary};
use registry::{
    quality::{
        Whose,
        doubts::{DoubtFile, DoubtFileId, DoubtId, DoubtState, LARGEST_FILE, judge_file},
    },
    service::{Provenance, Written},
};

use crate::{
    own::{offered_call, portals},
    seen::Answer,
    town::{AN, BINH, Town, code, member, refusal, seen, towns},
};

/// A picture of one colour, as far as anybody looks; `n` makes it another.
pub fn picture(n: u8, size: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10".to_vec();
    png.push(n);
    png.resize(size.max(64), 0);
    png.extend(b"\0\0\0\0IEND\xaeB`\x82");
    png
}

/// A PDF of one page that runs a script when it is opened.
fn with_script() -> Vec<u8> {
    let mut document = Document::with_version("1.5");
    let tree = document.new_object_id();
    let page = document.add_object(dictionary! { "Type" => "Page", "Parent" => tree });
    let pages = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(tree, Object::Dictionary(pages));
    let script = dictionary! { "S" => "JavaScript", "JS" => Object::string_literal("app.alert(1)") };
    let catalogue = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree, "OpenAction" => script });
    document.trailer.set("Root", catalogue);
    let mut out = Vec::new();
    document.save_to(&mut out).expect("written");
    out
}

impl Town {
    /// A form with files, as a browser without JavaScript sends it.
    pub async fn post_files(
        &self,
        ctx: &Ctx,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, Vec<u8>)],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        for (name, content) in files {
            let head = format!(
                "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend(content);
            body.extend(b"\r\n");
        }
        body.extend(b"--B--\r\n");
        // It comes in pieces, as over a network.
        let pieces: Vec<_> = body
            .chunks(64 << 10)
            .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
            .collect();
        let body = Body::from_stream(futures::stream::iter(pieces));
        self.call(ctx, Method::POST, path, "multipart/form-data; boundary=B", body)
            .await
    }

    /// Reports that a name is wrong, with files; where the doubt stands.
    async fn reports(&self, who: &Ctx, at: &Written, files: &[(&str, Vec<u8>)]) -> (String, DoubtId) {
        let contest = format!("/my/records/members/{}/name", at.record);
        let sent = self.post_files(who, &contest, &said("f1", "Sai họ"), files).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let id = sent.location.rsplit('/').next().expect("an id").parse().expect("an id");
        (sent.location, id)
    }

    async fn files(&self, who: &Ctx, id: DoubtId) -> Vec<DoubtFile> {
        self.quality.own_files(who, id).await.expect("files")
    }

    /// Whether the content of a file lies at this node.
    async fn has_content(&self, file: DoubtFileId) -> bool {
        match self.store.blobs().get_own(file.uuid()).await {
            Ok(_) => true,
            Err(error) if error.kind() == Some(Kind::NotFound) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

fn said<'a>(form: &'a str, wrong: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("form", form),
        ("wrong", wrong),
        ("right", "Nguyễn Thị Ánh"),
        ("evidence", ""),
    ]
}

fn is_shut(answer: &Answer) -> bool {
    let csp = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    let disposition = answer.headers[header::CONTENT_DISPOSITION].to_str().expect("text");
    disposition.starts_with("attachment;")
        && csp.starts_with("sandbox")
        && answer.headers[header::X_CONTENT_TYPE_OPTIONS] == "nosniff"
}

#[tokio::test]
async fn a_person_attaches_files_and_the_steward_opens_them_and_nobody_else() {
    for town in towns().await {
        let written = town.add(member(AN, "Nguyễn Thị An")).await;
        town.settle().await;
        let (an, binh) = (town.person(AN, "Nguyễn Thị An"), town.person(BINH, "Trần Văn Bình"));
        let form = town
            .get(&an, &format!("/my/records/members/{}/name", written.record))
            .await;
        for part in ["multipart/form-data", "type=\"file\"", ".heic", "10 MB", "tối đa 5 tệp"] {
            assert!(form.text.contains(part), "{part}: {}", form.text);
        }
        let photograph = picture(1, 2_000);
        let (mine, id) = town
            .reports(&an, &written, &[("../giấy khai sinh.png", photograph.clone())])
            .await;
        let [file] = town.files(&an, id).await.try_into().expect("one");
        assert_eq!(
            (&*file.name, file.size),
            ("giấy khai sinh.png", photograph.len() as u64)
        );
        let page = town.get(&an, &mine).await;
        let at = format!("{mine}/files/{}", file.id);
        for part in [
            "giấy khai sinh.png",
            "2 KB",
            &format!("href=\"{at}\""),
            "value=\"remove\"",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        let opened = town.get(&an, &at).await;
        assert_eq!((opened.status, &opened.bytes[..]), (StatusCode::OK, &photograph[..]));
        assert!(is_shut(&opened) && opened.headers[header::CONTENT_TYPE] == "image/png");

        // The steward, with a line in the log of her reads; nobody else, by whichever address.
        let theirs = format!("/registries/members/doubts/{id}");
        let page = town.get(&town.steward(), &theirs).await;
        let at_steward = format!("{theirs}/files/{}", file.id);
        assert!(page.text.contains(&format!("href=\"{at_steward}\"")), "{}", page.text);
        assert!(!page.text.contains("value=\"remove\""), "{}", page.text);
        let auditor = town.officer("Kiểm Tra", "G01", Role::Auditor);
        let told = async || {
            let (reads, _) = town
                .identity
                .agency_reads(&auditor, "G01", None, None)
                .await
                .expect("reads");
            reads
                .iter()
                .filter(|read| read.what.contains("tệp kèm phản ánh"))
                .count()
        };
        assert_eq!(told().await, 0);
        let opened = town.get(&town.steward(), &at_steward).await;
        assert_eq!((opened.status, &opened.bytes[..]), (StatusCode::OK, &photograph[..]));
        assert!(is_shut(&opened));
        assert_eq!(told().await, 1);
        let reader = town.officer("Lê Thị Đọc", "G01", Role::Reader);
        let stranger = town.officer("Lê Thị Xa", "G15", Role::Steward);
        for (who, at) in [
            (&binh, &at),
            (&reader, &at),
            (&binh, &at_steward),
            (&reader, &at_steward),
            (&stranger, &at_steward),
        ] {
            let refused = town.get(who, at).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{at}");
        }
        assert_eq!(told().await, 1);
        let nowhere = format!("{mine}/files/{}", DoubtFileId::new(town.now()));
        assert_eq!(town.get(&an, &nowhere).await.status, StatusCode::NOT_FOUND);

        // Somebody else adds nothing and takes nothing away.
        let theirs = [("then", "add")];
        let sent = town
            .post_files(&binh, &mine, &theirs, &[("a.png", picture(9, 99))])
            .await;
        assert_eq!(sent.status, StatusCode::NOT_FOUND);
        let file_id = file.id.to_string();
        let remove = [("then", "remove"), ("file_id", &*file_id)];
        assert_eq!(town.post(&binh, &mine, &remove).await.status, StatusCode::NOT_FOUND);
        assert_eq!(town.files(&an, id).await.len(), 1);

        // She takes it back; its content goes, though the same lies with another doubt.
        let sent = town.post(&an, &mine, &remove).await;
        assert_eq!((sent.status, &*sent.location), (StatusCode::SEE_OTHER, &*mine));
        assert_eq!(
            town.post(&an, &mine, &remove).await.status,
            StatusCode::SEE_OTHER,
            "gone is gone"
        );
        town.settle().await;
        assert!(town.files(&an, id).await.is_empty() && !town.has_content(file.id).await);
    }
}

#[tokio::test]
async fn what_may_not_stay_is_refused_beside_the_field_and_nothing_typed_is_lost() {
    for town in towns().await {
        let written = town.add(member(AN, "Nguyễn Thị An")).await;
        town.settle().await;
        let an = town.person(AN, "Nguyễn Thị An");
        let contest = format!("/my/records/members/{}/name", written.record);
        let large = picture(1, LARGEST_FILE);
        assert!(large.len() > LARGEST_FILE);
        for (name, content, says, status) in [
            ("lớn.png", large, "Tệp lớn hơn 10 MB", StatusCode::PAYLOAD_TOO_LARGE),
            (
                "nén.pdf",
                b"PK\x03\x04 a zip".to_vec(),
                "Không nhận ra định dạng",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            (
                "chạy.pdf",
                with_script(),
                "Tệp PDF chứa nội dung tự chạy (JavaScript)",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            ("rỗng.png", Vec::new(), "Tệp rỗng", StatusCode::UNPROCESSABLE_ENTITY),
        ] {
            let files = [("tốt.png", picture(2, 99)), (name, content)];
            let refused = town
                .post_files(&an, &contest, &said("f0", "Chép nhầm họ"), &files)
                .await;
            assert_eq!(refused.status, status, "{name}");
            for part in [
                "Chép nhầm họ",
                "Nguyễn Thị Ánh",
                &format!("“{name}”: {says}"),
                "href=\"#file\"",
            ] {
                assert!(refused.text.contains(part), "{part}: {}", refused.text);
            }
            assert!(!refused.text.contains("“tốt.png”"), "{}", refused.text);
        }
        assert!(
            town.doubts(true, Whose::All).await.is_empty(),
            "nothing is reported by halves"
        );

        // The same content twice is one file; a sixth is refused, and the five stay.
        let twice = [("a.png", picture(1, 99)), ("b.png", picture(1, 99))];
        let (mine, id) = town.reports(&an, &written, &twice).await;
        let [file] = town.files(&an, id).await.try_into().expect("one");
        assert_eq!(file.name, "a.png");
        let add = [("then", "add")];
        let nothing = town.post_files(&an, &mine, &add, &[]).await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(nothing.text.contains("Chọn tệp cần gửi"), "{}", nothing.text);
        let five: Vec<_> = (1..=5).map(|n| ("n.png", picture(n, 99))).collect();
        assert_eq!(
            town.post_files(&an, &mine, &add, &five).await.status,
            StatusCode::SEE_OTHER
        );
        let sixth = town.post_files(&an, &mine, &add, &[("sáu.png", picture(6, 99))]).await;
        assert_eq!(sixth.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(sixth.text.contains("tối đa 5 tệp"), "{}", sixth.text);
        assert_eq!(
            town.post_files(&an, &mine, &add, &five).await.status,
            StatusCode::SEE_OTHER,
            "the same again"
        );
        assert_eq!(town.files(&an, id).await.len(), 5);
        // Nothing is kept of what was refused.
        town.pass(1);
        town.settle().await;
        assert_eq!(town.files(&an, id).await.len(), 5);
        for file in town.files(&an, id).await {
            assert!(town.has_content(file.id).await);
        }

        // A form that is larger than all files together says so.
        let huge = vec![("x.png", picture(1, 6 * LARGEST_FILE))];
        let refused = town
            .post_files(&an, &mine, &[("then", "reply"), ("evidence", "Số 7")], &huge)
            .await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused.text.contains("vượt quá dung lượng"), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_file_is_evidence_without_a_text_and_after_the_answer_nothing_changes() {
    for town in towns().await {
        let written = town.add(member(AN, "Nguyễn Thị An")).await;
        town.settle().await;
        let (an, steward) = (town.person(AN, "Nguyễn Thị An"), town.steward());
        let (mine, id) = town.reports(&an, &written, &[("trước.png", picture(1, 99))]).await;
        town.pass(1);
        town.quality
            .ask(&town.steward(), &code(), id, "Giấy nào?")
            .await
            .expect("asked");

        // What was there before the question is no answer to it.
        let an_now = town.person(AN, "Nguyễn Thị An");
        let reply = [("then", "reply"), ("evidence", " ")];
        let refused = town.post_files(&an_now, &mine, &reply, &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("Nhập nội dung này"), "{}", refused.text);
        // What is wrong with the text keeps the files.
        let long = "x".repeat(1_001);
        let tried = [("then", "reply"), ("evidence", &*long)];
        let refused = town
            .post_files(&an_now, &mine, &tried, &[("sau.png", picture(2, 99))])
            .await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.text.contains("sau.png") && refused.text.contains(&long),
            "{}",
            refused.text
        );
        let sent = town
            .post_files(&an_now, &mine, &reply, &[("sau.png", picture(2, 99))])
            .await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let doubt = town.quality.own_doubt(&an, id).await.expect("a doubt");
        assert_eq!((doubt.state, &*doubt.evidence), (DoubtState::Acknowledged, ""));
        assert_eq!(town.files(&an, id).await.len(), 2);

        town.quality
            .refuse_doubt(&steward, &code(), id, "Sổ gốc ghi vậy")
            .await
            .expect("answered");
        let late = judge_file("muộn.png", Bytes::from(picture(3, 99))).await.expect("good");
        let refused = town.quality.add_files(&an, id, vec![late]).await.expect_err("too late");
        assert_eq!(refusal(&refused), ["doubt-moved-on"]);
        let [first, _] = town.files(&an, id).await.try_into().expect("two");
        let refused = town.quality.remove_file(&an, id, first.id).await.expect_err("too late");
        assert_eq!(refusal(&refused), ["doubt-moved-on"]);
        let page = town.get(&an, &mine).await;
        assert!(
            !page.text.contains("type=\"file\"") && !page.text.contains("value=\"remove\""),
            "{}",
            page.text
        );
        assert_eq!(
            town.get(&an, &format!("{mine}/files/{}", first.id)).await.status,
            StatusCode::OK
        );

        // With the record they are gone, content and all.
        let provenance = Provenance {
            source: "Quyết định".to_owned(),
            basis: "Luật số 91/2025/QH15".to_owned(),
            dossier: None,
        };
        let code = code();
        let erased = town.registries.erase(&steward, &code, seen(&written), &provenance);
        erased.await.expect("erased");
        assert!(town.files(&an, id).await.is_empty());
        town.settle().await;
        assert!(!town.has_content(first.id).await);
        let at = format!("/registries/members/doubts/{id}/files/{}", first.id);
        assert_eq!(town.get(&steward, &at).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn programs_of_a_person_do_the_same() {
    for town in towns().await {
        let written = town.add(member(AN, "Nguyễn Thị An")).await;
        town.settle().await;
        let (an, binh) = (town.person(AN, "Nguyễn Thị An"), town.person(BINH, "Trần Văn Bình"));
        let (_, id) = town.reports(&an, &written, &[]).await;
        let files = format!("/api/v1/registry-doubts/{id}/files?name=%E1%BA%A3nh.png");
        let send = async |who: &Ctx, content: Vec<u8>| {
            town.call(who, Method::POST, &files, "application/octet-stream", content)
                .await
        };
        assert_eq!(send(&binh, picture(1, 99)).await.status, StatusCode::NOT_FOUND);
        let refused = send(&an, b"<svg onload=alert(1)>".to_vec()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("unknown-format"), "{}", refused.text);
        for size in [LARGEST_FILE, 2 * LARGEST_FILE] {
            let refused = send(&an, picture(1, size)).await;
            assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
            assert!(refused.text.contains("too-large"), "{}", refused.text);
        }
        let kept = send(&an, picture(1, 99)).await;
        assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.text);
        assert_eq!(send(&an, picture(1, 99)).await.location, kept.location);
        let standing = town.get(&an, &format!("/api/v1/registry-doubts/{id}")).await;
        assert!(standing.text.contains("\"name\":\"ảnh.png\""), "{}", standing.text);
        let opened = town.get(&an, &kept.location).await;
        assert!(opened.status == StatusCode::OK && is_shut(&opened));
        assert_eq!(town.get(&binh, &kept.location).await.status, StatusCode::NOT_FOUND);
        let remove = async |who: &Ctx| {
            town.call(who, Method::DELETE, &kept.location, "text/plain", "")
                .await
                .status
        };
        assert_eq!(remove(&binh).await, StatusCode::NOT_FOUND);
        assert_eq!(remove(&an).await, StatusCode::NO_CONTENT);
        assert!(town.files(&an, id).await.is_empty());
    }
}

#[tokio::test]
async fn from_another_portal_files_go_on_as_they_come_and_a_second_try_doubles_nothing() {
    for (portal, keeper, road) in portals().await {
        let far = keeper.add(member(AN, "Nguyễn Thị An Nhiên")).await;
        keeper.settle().await;
        let (an, binh) = (portal.person(AN, "Nguyễn Thị An"), portal.person(BINH, "Trần Văn Bình"));
        let contest = format!("/my/records/elsewhere/members/{}/name", far.record);
        let form = DoubtId::new(portal.now()).to_string();
        let one = || ("một.png", picture(1, 99));
        let sent = portal.post_files(&an, &contest, &said(&form, "Sai họ"), &[one()]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
        let sent = portal.post_files(&an, &contest, &said(&form, "Sai họ"), &[one()]).await;
        assert_eq!(
            sent.status,
            StatusCode::SEE_OTHER,
            "sent twice, it is there once: {}",
            sent.text
        );
        let [doubt] = keeper.doubts(true, Whose::All).await.try_into().expect("one");
        let page = format!("/my/doubts/elsewhere/members/{}", doubt.id);
        let theirs = format!("/registries/members/doubts/{}", doubt.id);
        let names = async || {
            let text = keeper.get(&keeper.steward(), &theirs).await.text;
            let names = ["một.png", "hai.png", "ba.png"].into_iter();
            let times = names.map(|name| text.matches(&format!("\">{name}</a>")).count());
            times.collect::<Vec<_>>()
        };
        assert_eq!(names().await, [1, 0, 0]);
        let shown = portal.get(&an, &page).await;
        assert!(
            shown.text.contains("một.png") && !shown.text.contains("/files/"),
            "{}",
            shown.text
        );
        assert_eq!(portal.get(&binh, &page).await.status, StatusCode::NOT_FOUND);

        // The road is cut after the first of two: what arrived is there, the rest is sent again, and so is all of it.
        keeper.pass(1);
        let asked = keeper
            .quality
            .ask(&keeper.steward(), &code(), doubt.id, "Giấy nào?")
            .await;
        asked.expect("asked");
        keeper.pass(1);
        let reply = [("then", "reply"), ("evidence", "")];
        let two = || [("hai.png", picture(2, 99)), ("ba.png", picture(3, 99))];
        road.cut_after(1);
        let silent = portal
            .post_files(&an, &page, &[("then", "reply"), ("evidence", "Số 8")], &two())
            .await;
        assert_eq!(silent.status, StatusCode::SERVICE_UNAVAILABLE, "{}", silent.text);
        for part in ["chưa trả lời, xin thử lại sau", "Số 8"] {
            assert!(silent.text.contains(part), "{part}: {}", silent.text);
        }
        assert_eq!(names().await, [1, 1, 0]);
        road.is_cut(false);
        // What the keeper has against a file stands beside the field, by its name.
        let bad = [("xấu.png", b"\x89PNG\r\n\x1a\n and nothing".to_vec())];
        let refused = portal.post_files(&an, &page, &reply, &bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("“xấu.png”"), "{}", refused.text);
        let given = portal.post_files(&an, &page, &reply, &two()).await;
        assert_eq!(
            (given.status, &*given.location),
            (StatusCode::SEE_OTHER, &*page),
            "{}",
            given.text
        );
        assert_eq!(names().await, [1, 1, 1]);
        let view = keeper.quality.doubt_view(&keeper.steward(), &code(), doubt.id).await;
        assert_eq!(view.expect("a doubt").doubt.state, DoubtState::Acknowledged);
        let text = keeper.get(&keeper.steward(), &theirs).await.text;
        let ids: Vec<DoubtFileId> = text
            .split(&format!("{theirs}/files/"))
            .skip(1)
            .map(|rest| rest[..36].parse().expect("an id"))
            .collect();
        assert_eq!(ids.len(), 3);
        for id in ids {
            assert!(
                keeper.has_content(id).await && !portal.has_content(id).await,
                "the portal keeps none"
            );
        }

        // Nobody else's, and no more than there may be.
        let file = |number: &str| {
            format!(
                "/members/portal/own/{number}/doubts/{}/evidence/files?name=a.png",
                doubt.id
            )
        };
        let back = |number: &str| format!("/members/portal/own/{number}/doubts/{}/withdraw", doubt.id);
        let in_dossier = |what: &str| format!("/members/prefill/contests/{}/{what}", doubt.id);
        for path in [
            file(BINH),
            back(BINH),
            in_dossier("evidence/files"),
            in_dossier("withdraw"),
        ] {
            let (status, _) = offered_call(&keeper, &path, picture(7, 99)).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
        for n in 4..=5 {
            assert_eq!(offered_call(&keeper, &file(AN), picture(n, 99)).await.0, StatusCode::OK);
        }
        for (content, status, says) in [
            (picture(6, 99), StatusCode::UNPROCESSABLE_ENTITY, "too-many-files"),
            (picture(6, 2 * LARGEST_FILE), StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            (with_script(), StatusCode::UNPROCESSABLE_ENTITY, "active-content"),
        ] {
            let (refused, text) = offered_call(&keeper, &file(AN), content).await;
            assert!(refused == status && text.contains(says), "{refused}: {text}");
        }

        // Taken back from there, once, however often it is said; then it is closed to both.
        let withdraw = [("then", "withdraw")];
        assert!(portal.get(&an, &page).await.text.contains("value=\"withdraw\""));
        assert_eq!(portal.post(&binh, &page, &withdraw).await.status, StatusCode::NOT_FOUND);
        let sent = portal.post(&an, &page, &withdraw).await;
        assert_eq!(
            (sent.status, &*sent.location),
            (StatusCode::SEE_OTHER, &*page),
            "{}",
            sent.text
        );
        assert_eq!(portal.post(&an, &page, &withdraw).await.status, StatusCode::SEE_OTHER);
        assert_eq!(keeper.doubts(false, Whose::All).await[0].state, DoubtState::Withdrawn);
        let shown = portal.get(&an, &page).await;
        assert!(
            shown.text.contains("Đã rút") && !shown.text.contains("value=\"withdraw\""),
            "{}",
            shown.text
        );
        let late = portal
            .post_files(&an, &page, &[("then", "add")], &[("muộn.png", picture(8, 99))])
            .await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", late.text);
        let (status, text) = offered_call(&keeper, &file(AN), picture(8, 99)).await;
        assert!(
            status == StatusCode::CONFLICT && text.contains("doubt-moved-on"),
            "{status}: {text}"
        );
    }
}
