//! A person sees at the portal of the province what a ministry holds about them, and contests it.

use std::sync::Arc;

use ::dossier::model::notice::NoticeKind;
use ::exchange::journal::ReadFilter;
use ::registry::quality::{
    OWN_VIEW, Whose,
    doubts::{Doubt, DoubtFileId, DoubtId},
    pages,
};
use axum::{
    Extension,
    body::{Body, to_bytes},
    http::{Request as Sent, header},
};
use serde_json::Value;

use super::{
    registries::{KEEPS, NUMBER, keeper, let_in},
    tracking::person,
    *,
};

/// What a grant shows of the answer: all that a page needs, and of what records say the name alone.
const MASK: &str = "/registry\n/steward\n/valid_time\n/answer_days\n/fields\n/records/*/id\n/records/*/key\n/records/*/entry\n\
                    /records/*/from\n/records/*/to\n/records/*/holds\n/records/*/source\n/records/*/recorded_at\n\
                    /records/*/says/name";

/// Of the record, and not of the head of the page.
const HELD: &str = "mc-summary__value\">Nguyễn Văn An<";

impl Town {
    /// A page as somebody sees it who is signed in; a form is sent where there is one.
    pub(super) async fn page(&self, who: &Ctx, path: &str, form: Option<String>) -> (u16, String) {
        let kind = "application/x-www-form-urlencoded";
        self.page_of(who, path, form.map(|form| (kind, form.into_bytes())))
            .await
    }

    /// The same, with whatever form.
    async fn page_of(&self, who: &Ctx, path: &str, form: Option<(&str, Vec<u8>)>) -> (u16, String) {
        let now = Ctx {
            now: SystemClock.now(),
            ..who.clone()
        };
        let pages = pages::router(self.whole.quality.clone())
            .layer(Extension(now))
            .layer(Extension(self.whole.identity.clone()))
            .layer(Extension(Arc::new(view::Site::default())));
        let sent = Sent::builder()
            .uri(path)
            .method(if form.is_some() { "POST" } else { "GET" });
        let (kind, form) = form.unwrap_or(("text/plain", Vec::new()));
        let sent = sent.header(header::CONTENT_TYPE, kind);
        let sent = sent.body(Body::from(form)).expect("a request");
        let answer = tower::ServiceExt::oneshot(pages, sent).await.expect("an answer");
        let status = answer.status().as_u16();
        let text = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        (status, String::from_utf8(text.to_vec()).expect("UTF-8"))
    }
}

/// The form in which somebody says what is wrong.
pub(super) fn form() -> String {
    let id = DoubtId::new(SystemClock.now());
    format!("form={id}&wrong=T%C3%AAn+t%C3%B4i+l%C3%A0+%C3%81nh&right=%C3%81nh&evidence=")
}

/// Of a registry that has one record about the person, at another node, by the real exchange.
pub(super) async fn seen_and_contested_by_its_person(asks: &Town, keeps: &Town) {
    let at_home = person(asks, NUMBER).await;
    let records = async || asks.page(&at_home, "/my/records", None).await.1;

    // Without a grant, nothing is told and nothing taken; the page says so calmly, and what was typed is kept.
    let page = records().await;
    let closed = |page: &str| {
        let said = page
            .split_once("Chưa mở cho người dân xem tại đây:")
            .map(|(_, rest)| rest);
        said.and_then(|rest| Some(rest.split_once('<')?.0.to_owned()))
            .unwrap_or_default()
    };
    for part in ["(population)", "(tax)"] {
        assert!(closed(&page).contains(part), "{part}: {page}");
    }
    assert!(!page.contains(HELD), "{page}");
    let contest = format!("/my/records/elsewhere/population/{}/name", Uuid::from_u128(3));
    let (status, refused) = asks.page(&at_home, &contest, Some(form())).await;
    assert_eq!(status, 422, "{refused}");
    let denied = ::exchange::model::error::ErrorCode::AccessDenied.text().vi;
    for part in [&*denied, "Tên tôi là Ánh"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }

    let_in(asks, keeps, "/population/portal/own/*", "GET", OWN_VIEW, MASK).await;
    let_in(asks, keeps, "/population/portal/own/*/doubts", "POST", OWN_VIEW, "").await;
    let_in(asks, keeps, "/population/portal/contests/*", "GET", OWN_VIEW, "").await;
    let page = until("what is held is told", async || {
        Some(records().await).filter(|page| page.contains(HELD))
    })
    .await;
    assert!(
        page.contains("Cơ sở dữ liệu quốc gia về dân cư") && page.contains("Bộ Công an"),
        "{page}"
    );
    assert!(
        closed(&page).contains("(tax)") && !closed(&page).contains("(population)"),
        "the closed one hides nothing: {page}"
    );
    // What the mask has taken out is not there.
    assert!(
        !page.contains("/residence.commune") && !page.contains("/birth_date"),
        "{page}"
    );
    // Without a purpose, or for another, nothing is told.
    let target = format!("/r1/{KEEPS}/registries/population/portal/own/{NUMBER}");
    for (purpose, error) in [
        (None, "Client.PurposeMissing"),
        (Some("procedure.prefill"), "Server.ServerProxy.AccessDenied"),
    ] {
        let request = reqwest::Client::new().get(format!("http://{}{target}", asks.edge()));
        let request = request.header("X-Road-Client", ASKS);
        let request = match purpose {
            Some(purpose) => request.header("X-Motcua-Purpose", purpose),
            None => request,
        };
        let said: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!(said["type"], error, "{said}");
    }

    // The person sees at the keeper that it was read for them, through the exchange.
    let there = person(keeps, NUMBER).await;
    keeps.joined().gateway.settled().await;
    until("the read is in the log", async || {
        let mine = keeps.joined().journal.my_reads(&there, &ReadFilter::default()).await;
        let mut reads = mine.expect("reads").reads.into_iter();
        reads.find(|read| {
            read.why.vi.starts_with("Cho người dân xem dữ liệu về mình") && read.system.as_deref() == Some("motcua")
        })
    })
    .await;

    // It is contested: a doubt there, by the person and in no dossier; its answer comes back, with a notice.
    let from = page
        .find("/my/records/elsewhere/population/")
        .expect("a way to contest");
    let contest: String = page[from..].chars().take_while(|c| *c != '"').collect();
    let sent = form();
    for _ in 0..2 {
        let (status, answer) = asks.page(&at_home, &contest, Some(sent.clone())).await;
        assert_eq!(status, 303, "{answer}");
    }
    let (quality, code) = (&keeps.whole.quality, "population".parse().expect("a code"));
    let doubts = quality.doubts(&keeper(), &code, true, Whose::All, None, 10).await;
    let [doubt] = doubts.expect("a list").items.try_into().expect("one");
    assert_eq!(
        doubt.reporter,
        (format!("Người có số định danh {NUMBER}"), ASKS.to_owned())
    );
    // Evidence is asked for, and comes from there: by a grant for it, and once.
    quality
        .ask(&keeper(), &code, doubt.id, "Giấy khai sinh số mấy?")
        .await
        .expect("asked");
    let reply = format!("/my/doubts/elsewhere/population/{}", doubt.id);
    assert!(records().await.contains(&reply), "the page leads there");
    let give = async || {
        asks.page(&at_home, &reply, Some("evidence=S%E1%BB%91+37".to_owned()))
            .await
    };
    let (status, refused) = give().await;
    assert!(status == 422 && refused.contains(&*denied), "{refused}");
    let evidence = "/population/portal/own/*/doubts/*/evidence";
    let_in(asks, keeps, evidence, "POST", OWN_VIEW, "").await;
    until("the evidence is taken", async || (give().await.0 == 303).then_some(())).await;
    let view = quality.doubt_view(&keeper(), &code, doubt.id).await.expect("a doubt");
    assert!(view.doubt.evidence.ends_with("Số 37"), "{}", view.doubt.evidence);
    photographed(asks, keeps, &at_home, &reply, doubt.id).await;
    let (status, refused) = give().await;
    assert!(status == 422 && refused.contains("không chờ bổ sung"), "{refused}");
    let_in(
        asks,
        keeps,
        "/population/portal/own/*/doubts/*/withdraw",
        "POST",
        OWN_VIEW,
        "",
    )
    .await;
    let doubt = taken_back(asks, keeps, &at_home, &page).await;
    quality
        .refuse_doubt(&keeper(), &code, doubt.id, "Sổ hộ tịch ghi là An")
        .await
        .expect("answered");
    let page = records().await;
    assert!(page.contains("Sổ hộ tịch ghi là An"), "{page}");
    until("the person is told", async || {
        let notices = asks.whole.dossiers.notices(&at_home, None).await.expect("notices");
        notices.into_iter().find(|one| one.kind == NoticeKind::DoubtAnswered)
    })
    .await;
}

/// A form with the photograph of a paper that is larger than what a gateway keeps in memory.
fn photograph() -> Vec<u8> {
    let mut form = b"--B\r\nContent-Disposition: form-data; name=\"then\"\r\n\r\nreply\r\n\
        --B\r\nContent-Disposition: form-data; name=\"evidence\"\r\n\r\n\r\n\
        --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"khai sinh.png\"\r\n\r\n"
        .to_vec();
    form.extend(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10");
    form.resize(form.len() + (3 << 20), 7);
    form.extend(b"IEND\xaeB`\x82\r\n--B--\r\n");
    form
}

/// Evidence that is a photograph: by a grant for it, once, and nothing of it stays at the portal.
async fn photographed(asks: &Town, keeps: &Town, at_home: &Ctx, reply: &str, doubt: DoubtId) {
    let (quality, code) = (&keeps.whole.quality, "population".parse().expect("a code"));
    let asked = quality.ask(&keeper(), &code, doubt, "Ảnh chụp giấy khai sinh?").await;
    asked.expect("asked");
    let send = async || {
        let form = ("multipart/form-data; boundary=B", photograph());
        asks.page_of(at_home, reply, Some(form)).await
    };
    let (status, refused) = send().await;
    let denied = ::exchange::model::error::ErrorCode::AccessDenied.text().vi;
    assert!(
        status == 422 && refused.contains(&*denied) && refused.contains("“khai sinh.png”"),
        "{refused}"
    );
    let files = "/population/portal/own/*/doubts/*/evidence/files";
    let_in(asks, keeps, files, "POST", OWN_VIEW, "").await;
    until("the photograph is taken", async || {
        (send().await.0 == 303).then_some(())
    })
    .await;
    let page = quality_page(keeps, doubt).await;
    assert_eq!(page.matches(">khai sinh.png</a>").count(), 1, "{page}");
    let at = page
        .split("/files/")
        .nth(1)
        .and_then(|rest| rest.get(..36))
        .expect("an id");
    let id: DoubtFileId = at.parse().expect("an id");
    let kept = quality.file_for_steward(&keeper(), &code, doubt, id).await;
    let (file, content) = kept.expect("a file");
    assert_eq!((file.size, content.len()), (3 * (1 << 20) + 32, 3 * (1 << 20) + 32));
    let here = asks.whole.store.blobs().get_own(id.uuid()).await;
    assert!(here.is_err(), "the portal keeps none");
    // The person sees what has come.
    let (_, page) = asks.page(at_home, reply, None).await;
    assert!(
        page.contains("khai sinh.png") && page.contains("Đang xem xét"),
        "{page}"
    );
}

async fn quality_page(keeps: &Town, doubt: DoubtId) -> String {
    let path = format!("/registries/population/doubts/{doubt}");
    keeps.page(&keeper(), &path, None).await.1
}

/// The doubt is taken back from the portal; what is contested then is another.
async fn taken_back(asks: &Town, keeps: &Town, at_home: &Ctx, page: &str) -> Doubt {
    let from = page
        .find("/my/records/elsewhere/population/")
        .expect("a way to contest");
    let contest: String = page[from..].chars().take_while(|c| *c != '"').collect();
    let (status, refused) = asks.page(at_home, &contest, Some(form())).await;
    assert!(status == 422 && refused.contains("đang chờ trả lời"), "{refused}");
    let (quality, code) = (&keeps.whole.quality, "population".parse().expect("a code"));
    let open = async || {
        let doubts = quality.doubts(&keeper(), &code, true, Whose::All, None, 10).await;
        doubts.expect("a list").items
    };
    let [doubt] = open().await.try_into().expect("one");
    let at = format!("/my/doubts/elsewhere/population/{}", doubt.id);
    let back = async || asks.page(at_home, &at, Some("then=withdraw".to_owned())).await;
    until("it is taken back", async || (back().await.0 == 303).then_some(())).await;
    let (_, shown) = asks.page(at_home, &at, None).await;
    assert!(
        shown.contains("Đã rút") && !shown.contains("value=\"withdraw\""),
        "{shown}"
    );
    assert!(open().await.is_empty());
    let (status, answer) = asks.page(at_home, &contest, Some(form())).await;
    assert_eq!(status, 303, "{answer}");
    let [doubt] = open().await.try_into().expect("another");
    doubt
}
