//! Each step of the ladder, from the run to what the person makes of it.

use super::*;

#[tokio::test]
async fn parents_are_reminded_and_see_why() {
    for commune in communes().await {
        commune.add("population", child()).await;
        commune.run("birth-registration", CHILD).await;
        for parent in [MOTHER, FATHER] {
            let ctx = person(parent, after(60));
            let (id, state) = commune.only(&ctx).await;
            assert_eq!(state, State::Open);
            let page = commune.page(&ctx, &format!("/my/proposals/{id}")).await;
            for told in [
                "Chưa có đăng ký khai sinh",
                "Cơ sở dữ liệu hộ tịch điện tử",
                "Điều 15",
                "0014",
                "/services/1.001193",
                "Đừng đề xuất việc này cho tôi nữa",
            ] {
                assert!(page.contains(told), "{told}");
            }
            assert!(!page.contains(CHILD), "never the whole number");
            let my = commune.page(&ctx, "/my").await;
            assert!(my.contains("Cơ quan có đề xuất dành cho quý vị"), "{my}");
            let english = Ctx { lang: Lang::En, ..ctx };
            assert!(
                commune
                    .page(&english, &format!("/my/proposals/{id}"))
                    .await
                    .contains("Why this is proposed")
            );
        }
        // The child is told who looked.
        let reads = commune
            .identity
            .reads_of_me(&person(CHILD, after(60)), None, 50)
            .await
            .expect("reads")
            .0;
        assert!(
            reads
                .iter()
                .any(|read| read.what.contains("Chủ động nhắc người dân về quyền lợi chưa đề nghị")),
            "{reads:?}"
        );
        // Nobody else sees it.
        assert!(commune.none(&person("046190009999", after(60))).await);
        // Twice is once.
        commune.run("birth-registration", CHILD).await;
        let figures = commune.figures("birth-registration").await;
        assert_eq!((figures.proposed, figures.seen), (1, 1));
        let runs = commune
            .dossiers
            .proposal_rule(&leader(), "birth-registration")
            .await
            .expect("a rule")
            .runs;
        // Both began at the same instant.
        let came: BTreeSet<_> = runs.iter().map(|run| (run.proposed, run.known, run.left)).collect();
        assert_eq!(came, BTreeSet::from([(0, 1, 0), (1, 0, 0)]));
        // Every step is a leaf, and no number of a person in it.
        let leaves: Vec<String> = (0..commune.log.size())
            .map(|at| commune.log.entry(at).expect("an entry"))
            .filter(|entry| entry.commitment.kind() == LeafKind::PROPOSAL)
            .map(|entry| String::from_utf8(entry.opening.expect("not erased").record).expect("text"))
            .collect();
        assert_eq!(leaves.len(), 1, "{leaves:?}");
        assert!(leaves[0].contains("birth-registration") && !leaves[0].contains(CHILD) && !leaves[0].contains(MOTHER));
        // Its time passes.
        commune.work(after(91 * DAY)).await;
        assert_eq!(commune.state(MOTHER, after(91 * DAY)).await, State::Expired);
    }
}

#[tokio::test]
async fn a_dossier_is_prepared_and_becomes_theirs_to_file() {
    for commune in communes().await {
        commune.add("population", child()).await;
        let mut mother = citizen(MOTHER, "1990-05-02");
        mother["residence"] = json!({ "province": "46", "commune": "19774", "detail": "12 Lê Lợi" });
        commune.add("population", mother).await;
        commune.run("child-health-card", CHILD).await;
        let ctx = person(MOTHER, after(60));
        let (id, _) = commune.only(&ctx).await;
        let (status, to, _) = commune.post(&ctx, &format!("/my/proposals/{id}/open"), "").await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let draft = to.trim_start_matches("/drafts/").parse().expect("a draft");
        let view = commune.dossiers.draft(&ctx, draft).await.expect("the draft");
        let answers = view.journey.answers;
        assert_eq!(answers.text("child.name"), Some("Nguyễn Bé Bí Mật"));
        assert_eq!(answers.text("child.birth_date"), Some("2026-01-05"));
        assert!(
            answers.get("request.promise").is_none(),
            "the declaration is the person's"
        );
        // Nothing is filed, and opening it again is the same draft.
        assert_eq!(commune.only(&ctx).await.1, State::Open);
        assert_eq!(
            commune.dossiers.open_proposal(&ctx, id, None).await.expect("again"),
            draft
        );
        // It is theirs to send: then it is known what became of the proposal.
        let code = commune.file(&ctx, draft).await;
        assert_eq!(commune.only(&ctx).await.1, State::TakenUp);
        let page = commune.page(&ctx, &format!("/my/proposals/{id}")).await;
        assert!(page.contains(&format!("/dossiers/{code}")));
        assert_eq!(commune.figures("child-health-card").await.taken_up, 1);
    }
}

#[tokio::test]
async fn what_a_person_has_begun_for_another_child_is_not_mixed_with_it() {
    for commune in communes().await {
        commune.add("population", child()).await;
        commune.run("child-health-card", CHILD).await;
        let ctx = person(MOTHER, after(60));
        let (id, _) = commune.only(&ctx).await;
        let draft = commune.dossiers.start_draft(&ctx, "3.000722").await.expect("begun");
        let posted = [("child.name".to_owned(), "Trần Văn Nam".to_owned())];
        commune
            .dossiers
            .save_page(&ctx, draft, "child", &posted)
            .await
            .expect("kept");
        let refused = commune
            .dossiers
            .open_proposal(&ctx, id, None)
            .await
            .expect_err("another");
        assert_eq!(code(&refused), "another-draft");
        let (status, _, body) = commune.post(&ctx, &format!("/my/proposals/{id}/open"), "").await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(body.contains("một bản nháp khác"));
    }
}

#[tokio::test]
async fn the_way_that_fits_is_recommended_with_its_reason() {
    for commune in communes().await {
        let mut son = citizen(FATHER, "1988-02-03");
        son["mother_person_number"] = "046060000011".into();
        commune.add("population", son).await;
        commune.run("permanent-residence", FATHER).await;
        let ctx = person(FATHER, after(60));
        let (id, _) = commune.only(&ctx).await;
        let view = commune.dossiers.own_proposal(&ctx, id).await.expect("it");
        let ways: Vec<_> = view
            .ways
            .iter()
            .map(|way| (way.way.id.as_str(), way.best, way.fits))
            .collect();
        assert_eq!(
            ways,
            [
                ("mother", true, true),
                ("rented", false, true),
                ("spouse", false, false),
                ("father", false, false)
            ]
        );
        let page = commune.page(&ctx, &format!("/my/proposals/{id}")).await;
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
        assert!(at("Về ở với mẹ") < at("Nên chọn") && at("Nên chọn") < at("Chỗ ở thuê"));
        let path = format!("/my/proposals/{id}/open");
        for wrong in ["", "way=castle"] {
            let (status, _, body) = commune.post(&ctx, &path, wrong).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(body.contains("Chọn một phương án"));
        }
        let (_, to, _) = commune.post(&ctx, &path, "way=mother").await;
        let draft = to.trim_start_matches("/drafts/").parse().expect("a draft");
        let answers = commune
            .dossiers
            .draft(&ctx, draft)
            .await
            .expect("the draft")
            .draft
            .answers;
        assert_eq!(answers["home"]["kind"], "mother");
    }
}

#[tokio::test]
async fn the_state_acts_after_its_notice_and_everything_can_be_had_back() {
    for commune in communes().await {
        commune.moved().await;
        let new = NewAccount {
            person_number: Some(MOTHER.to_owned()),
            ..NewAccount::named("https://e-id.example", "mother", "Nguyễn Thị Ngọc Ánh")
        };
        let account = commune
            .identity
            .create_account(&Ctx::system("test", start()), &new)
            .await
            .expect("an account");
        commune.run("residence-behind", MOTHER).await;
        let (id, state) = commune.only(&person(MOTHER, after(60))).await;
        assert_eq!(state, State::Announced);
        let notices = async || {
            let mut ctx = person(MOTHER, after(60));
            if let Actor::Person(person) = &mut ctx.actor {
                person.account = account;
            }
            commune.dossiers.notices(&ctx, None).await.expect("notices")
        };
        let told = notices().await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].href, format!("/my/proposals/{id}"));
        assert!(told[0].text.vi.contains("quyền không đồng ý") && !told[0].text.vi.contains("thường trú"));
        let page = commune
            .page(&person(MOTHER, after(60)), &format!("/my/proposals/{id}"))
            .await;
        assert!(page.contains("Cơ quan sẽ tự động thực hiện lúc") && page.contains("Không đồng ý"));
        assert!(
            commune
                .page(&person(MOTHER, after(60)), "/my")
                .await
                .contains("sắp tự động thực hiện")
        );

        let due = commune.until(MOTHER).await;
        commune.work(due.plus_seconds(-120)).await;
        assert_eq!(
            commune.state(MOTHER, due.plus_seconds(-1)).await,
            State::Announced,
            "not a second before"
        );
        // A registry that is down holds the act up, not for ever.
        commune.down("population", true);
        commune.work(due).await;
        assert_eq!(commune.state(MOTHER, due).await, State::Announced);
        let late = commune
            .dossiers
            .decline_proposal(&person(MOTHER, due), id)
            .await
            .expect_err("late");
        assert_eq!(code(&late), "too-late");
        commune.down("population", false);
        let acted = due.plus_seconds(DAY);
        commune.work(acted).await;
        assert_eq!(commune.state(MOTHER, acted).await, State::Acted);
        assert_eq!(commune.commune_of(MOTHER, acted.plus_seconds(DAY)).await, "19777");

        assert_eq!(notices().await.len(), 2);

        // What is not done cannot be undone; what is, until its day, by its person.
        let stranger = person(FATHER, acted);
        assert_eq!(
            code(
                &commune
                    .dossiers
                    .restore_proposal(&stranger, id)
                    .await
                    .expect_err("not theirs")
            ),
            "not-found"
        );
        let done = commune
            .dossiers
            .own_proposal(&person(MOTHER, acted), id)
            .await
            .expect("it");
        let (_, until) = done.proposal.acted.expect("acted");
        let late = commune
            .dossiers
            .restore_proposal(&person(MOTHER, until), id)
            .await
            .expect_err("late");
        assert_eq!(code(&late), "too-late");
        let back = until.plus_seconds(-1);
        commune.down("population", true);
        let (status, to, _) = commune
            .post(&person(MOTHER, back), &format!("/my/proposals/{id}/restore"), "")
            .await;
        assert_eq!((status, to.ends_with("done=restoring")), (StatusCode::SEE_OTHER, true));
        commune.work(back).await;
        assert_eq!(commune.state(MOTHER, back).await, State::Restoring);
        commune.down("population", false);
        let restored = back.plus_seconds(DAY);
        commune.work(restored).await;
        assert_eq!(commune.state(MOTHER, restored).await, State::Restored);
        assert_eq!(commune.commune_of(MOTHER, restored).await, "19774", "as before");
        let twice = commune
            .dossiers
            .restore_proposal(&person(MOTHER, restored), id)
            .await
            .expect_err("twice");
        assert_eq!(code(&twice), "restored-before");
        let figures = commune.figures("residence-behind").await;
        assert_eq!(
            (figures.proposed, figures.acted, figures.restored, figures.failed),
            (1, 1, 1, 0)
        );
        let page = commune
            .page(&person(MOTHER, restored), &format!("/my/proposals/{id}"))
            .await;
        assert!(page.contains("Đã khôi phục như trước") && !page.contains("Khôi phục như trước</button>"));
        assert!(!page.contains(MOTHER));
    }
}
