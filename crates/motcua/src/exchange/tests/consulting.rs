//! The consultation of another agency through the exchange.

use dossier::{
    model::{
        action::DossierId,
        command::{Command, Completion},
    },
    service::{DossierView, UploadFor},
};
use serde_json::{Value, json};

use super::*;

/// The fire police, with a node of their own.
const POLICE: &str = "G01.42.7";
const POLICE_SYSTEM: &str = "VN/GOV/000.00.00.G01/motcua";

/// A picture of one point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\x0dIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

/// One of about that many bytes.
fn drawing(bytes: usize) -> Vec<u8> {
    let (head, tail) = PNG.split_at(33);
    let middle = (0..bytes).map(|n| u8::try_from(n % 251).expect("small"));
    head.iter().copied().chain(middle).chain(tail.iter().copied()).collect()
}

pub(super) fn officer(agency: &str, name: &str, roles: &[Role]) -> Ctx {
    let now = SystemClock.now();
    Ctx {
        actor: Actor::Officer(OfficerActor {
            officer: OfficerId::from_uuid(Uuid::from_u128(8)),
            name: name.to_owned(),
            title: "Chuyên viên".to_owned(),
            agency: agency.to_owned(),
            roles: Roles::of(roles),
        }),
        now,
        request_id: Uuid::from_u128(2),
        lang: base::Lang::Vi,
    }
}

/// Files a building permit at the counter and lets the reviewer ask the fire police.
async fn permit(town: &Town) -> DossierId {
    let clerk = officer(
        AGENCY,
        "Trần Văn Bình",
        &[Role::Receptionist, Role::Specialist, Role::Leader],
    );
    let id = filed(town, &clerk, "1.013225", json!({})).await;
    for (outcome, fields) in [("accept", json!({})), ("ok", json!({ "ask_fire": true }))] {
        completed(town, &clerk, id, outcome, fields).await;
    }
    id
}

/// Files a dossier of a procedure at the counter, with these answers and others that its form accepts, and takes the fee.
pub(super) async fn filed(town: &Town, clerk: &Ctx, code: &str, given: Value) -> DossierId {
    use dossier::{model::action::PaymentMethod, service::Filing};
    use procedure::form::{Answers, Applicant, Channel, Context};
    use rand::SeedableRng as _;

    use crate::demo::answers::fill_up;

    let dossiers = &town.whole.dossiers;
    let package = dossiers.shelf().on(code, clerk.now.legal_date()).expect("the package");
    let applicant = Applicant {
        name: Some("Nguyễn Thị Hương".to_owned()),
        person_number: Some("037190001234".to_owned()),
        birth_date: Some(jiff::civil::date(1990, 5, 2)),
        ..Applicant::default()
    };
    let facts = procedure::form::Facts::default();
    let context = Context {
        applicant: &applicant,
        channel: Channel::Counter,
        today: clerk.now.legal_date(),
        facts: &facts,
        units: &dossiers.reference().units,
    };
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    let mut known = Answers::new();
    for (field, value) in given.as_object().into_iter().flatten() {
        known.set(field, value.clone());
    }
    let answers = std::iter::repeat_with(|| fill_up(known.clone(), &package.form, &context, &mut rng));
    let answers = answers
        .take(200)
        .find(|a| package.form.journey(a, &context).problems.is_empty());
    let answers = answers.expect("answers that the form accepts");
    let mut papers = Vec::new();
    for need in package
        .form
        .journey(&answers, &context)
        .papers
        .iter()
        .filter(|p| p.required)
    {
        let paper = &package.form.papers[need.paper].id;
        let upload = dossiers.upload_whole(clerk, UploadFor::Procedure(code), paper, "ban-ve.png", PNG);
        papers.push(dossier::service::FilingPaper {
            paper: paper.clone(),
            uploads: vec![upload.await.expect("an upload").id],
        });
    }
    let filing = Filing {
        procedure: code.to_owned(),
        answers,
        papers,
        applicant: Some(applicant),
        channel: Some(Channel::Counter),
    };
    let id = dossiers
        .file(clerk, &filing, &Uuid::new_v4().to_string())
        .await
        .expect("filed")
        .id;
    let view = seen(town, clerk, id).await;
    if view.state.owed() > 0 {
        let pay = Command::RecordPayment {
            amount: view.state.owed(),
            method: PaymentMethod::Cash,
            reference: "BL-1".to_owned(),
        };
        dossiers.command(clerk, id, &pay, None).await.expect("paid");
    }
    id
}

/// A dossier as who receives it sees it.
pub(super) async fn seen(town: &Town, clerk: &Ctx, id: DossierId) -> DossierView {
    let view = town.whole.dossiers.get(clerk, id, identity::Purpose::Reception).await;
    view.expect("the dossier")
}

/// Completes the first open step of a dossier.
pub(super) async fn completed(town: &Town, clerk: &Ctx, id: DossierId, outcome: &str, fields: Value) {
    let step = Completion {
        token: seen(town, clerk, id).await.state.tasks[0].token,
        outcome: outcome.to_owned(),
        fields: fields.as_object().cloned().unwrap_or_default(),
        ..Completion::default()
    };
    let done = town
        .whole
        .dossiers
        .command(clerk, id, &Command::Complete(step), None)
        .await;
    done.expect(outcome);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consultation_crosses_two_nodes_and_comes_back() {
    use dossier::{
        consult::{GivenOpinion, Shown},
        model::state::Answer,
    };

    let dirs = tempfile::tempdir().expect("a folder");
    let operator = founded(dirs.path()).await;
    let consulted =
        format!("consulted = {{ fire-police = {{ system = \"{POLICE_SYSTEM}\", agency = \"{POLICE}\" }} }}");
    let settings = config_with(&dirs.path().join("a"), &consulted);
    let mut alone = settings.0.clone();
    alone.exchange = None;
    let asks = member(&operator, settings, "VN/GOV/000.00.00.H42", "Tỉnh Ninh Bình").await;
    let answers = member(
        &operator,
        config(&dirs.path().join("b")),
        "VN/GOV/000.00.00.G01",
        "Bộ Công an",
    )
    .await;
    asks.system(ASKS).await;
    answers.system(POLICE_SYSTEM).await;
    asks.learn().await;
    answers.learn().await;
    let new = identity::NewOfficer {
        login: "hung.pccc".to_owned(),
        name: "Lê Văn Hùng".to_owned(),
        title: "Thiếu tá".to_owned(),
        agency: POLICE.to_owned(),
        roles: Roles::of(&[Role::Consulted]),
        password: None,
        demo: None,
    };
    let ctx = Ctx::system("thử", SystemClock.now());
    answers
        .whole
        .identity
        .create_officer(&ctx, &new)
        .await
        .expect("an officer");

    asks.whole.put_built_in_packages().await.expect("packages");
    let id = permit(&asks).await;
    let hung = || officer(POLICE, "Lê Văn Hùng", &[Role::Consulted]);
    let theirs = &answers.whole.dossiers;
    let item = until("the question is on the desk of the fire police", async || {
        theirs
            .asked(&hung(), Shown::Open, None, 20)
            .await
            .expect("a list")
            .items
            .pop()
    })
    .await;
    assert_eq!(item.asker.to_string(), ASKS);
    let paper = item.question.papers.first().expect("the drawings");
    let fetched = theirs
        .asked_paper(&hung(), item.id, &paper.sha256)
        .await
        .expect("the paper");
    assert_eq!(fetched.content.len() as u64, paper.size);
    // A stamped drawing of three pieces goes with the opinion.
    let drawing = drawing(9 << 20);
    let attached = theirs
        .upload_whole(&hung(), UploadFor::Opinion(item.id), "", "ban-ve.png", &drawing)
        .await
        .expect("attached");
    let opinion = GivenOpinion {
        agrees: true,
        opinion: "Thống nhất với bản vẽ.".to_owned(),
        document: "123/PCCC-CV".to_owned(),
        dated: Some(SystemClock.now().legal_date()),
        files: vec![attached.id],
    };
    theirs
        .answer_question(&hung(), item.id, &opinion)
        .await
        .expect("answered");
    let clerk = officer(AGENCY, "Trần Văn Bình", &[Role::Specialist]);
    let answer = until("the opinion is in the dossier", async || {
        let view = asks
            .whole
            .dossiers
            .get(&clerk, id, identity::Purpose::CaseHandling)
            .await
            .expect("it");
        let asked = view
            .state
            .consultations
            .iter()
            .find(|c| c.sent_by == "ask_fire")
            .expect("asked")
            .clone();
        asked.answer
    })
    .await;
    let Answer::Given {
        respondent: Some(by),
        files,
        ..
    } = answer
    else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (by.system.to_string(), by.name.as_str()),
        (POLICE_SYSTEM.to_owned(), "Lê Văn Hùng")
    );
    assert_eq!(files.len(), 1);
    let opened = asks
        .whole
        .dossiers
        .get(&clerk, id, identity::Purpose::CaseHandling)
        .await
        .expect("it");
    let opened = asks
        .whole
        .dossiers
        .file_content(
            &clerk,
            &opened.state.code,
            &files[0].sha256,
            identity::Purpose::CaseHandling,
        )
        .await
        .expect("the drawing");
    assert_eq!(
        (opened.name.as_str(), opened.media_type.as_str()),
        ("ban-ve.png", "image/png")
    );
    assert!(opened.content == drawing, "byte for byte");
    until("the fire police know", async || {
        let view = theirs.asked_one(&hung(), item.id).await.expect("it");
        (view.item.state == dossier::consult::AskedState::Received).then_some(())
    })
    .await;

    // Every message of it is in both journals, with its purpose and the code of the dossier.
    for (town, provided) in [(&asks, POLICE_SYSTEM), (&answers, ASKS)] {
        let joined = town.joined();
        joined.gateway.settled().await;
        joined.journal.catch_up().await.expect("folded");
        let filter = Filter {
            service: Some(format!("{provided}/consultations").parse().expect("a service")),
            ..Filter::default()
        };
        let (rows, _) = joined.journal.messages(&steward(), &filter).await.expect("a list");
        assert!(!rows.is_empty(), "{}", town.url);
    }

    // Without the exchange nobody could be asked: such a node does not start.
    let store = open_store(&alone).await.expect("a database");
    let refused = Whole::open(alone, store).await.err().expect("refused");
    assert!(refused.to_string().contains("takes no part in it"), "{refused}");
}
