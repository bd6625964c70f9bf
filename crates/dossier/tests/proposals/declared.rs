//! Who may look and start, and which declarations are refused.

use super::*;

#[tokio::test]
async fn only_those_who_may_look_and_start() {
    for commune in communes().await {
        let dossiers = &commune.dossiers;
        for (ctx, refusal) in [
            (officer(AGENCY, Role::Specialist), "forbidden"),
            (officer("H42.28", Role::Leader), "forbidden"),
            (person(MOTHER, start()), "officer-only"),
        ] {
            assert_eq!(
                code(
                    &dossiers
                        .proposal_rule(&ctx, "residence-behind")
                        .await
                        .expect_err("closed")
                ),
                refusal
            );
            let started = dossiers
                .start_run(&ctx, "residence-behind", MOTHER)
                .await
                .expect_err("closed");
            assert_eq!(code(&started), "forbidden");
        }
        let auditor = officer(AGENCY, Role::Auditor);
        assert!(
            !dossiers
                .proposal_rule(&auditor, "residence-behind")
                .await
                .expect("open")
                .may_start
        );
        let page = commune.page(&leader(), "/desk/proposals").await;
        for level in Level::ALL {
            assert!(page.contains(&level.label().vi), "{level:?}");
        }
        let path = "/desk/proposals/residence-behind";
        assert!(commune.page(&leader(), path).await.contains("Chưa rà soát lần nào"));
        let (status, _, body) = commune.post(&leader(), path, "people=123%0A046190001234").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(body.contains("Số thứ 1 không phải"), "{body}");
        let (status, _, body) = commune.post(&leader(), path, "people=").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(body.contains("Nhập từ 1 đến"));
        // Small numbers are not told to the public.
        commune.moved().await;
        commune.run("residence-behind", MOTHER).await;
        let public = commune.page(&person(MOTHER, start()), "/publication/proposals").await;
        assert!(public.contains("1.010039") && public.contains("dưới 5"));
        let figures = commune
            .page(&person(MOTHER, start()), "/api/v1/publication/proposals?year=2026")
            .await;
        let figures: Value = serde_json::from_str(&figures).expect("JSON");
        assert_eq!(figures["procedures"][0]["procedure"], "1.010039");
        assert_eq!(figures["procedures"][0]["proposed"], Value::Null);
        assert_eq!(figures["procedures"][0]["acted"], 0);
    }
}

#[tokio::test]
async fn wrong_declarations_are_refused_each_with_its_code() {
    let commune = communes().await.into_iter().next().expect("one");
    let questions = questions();
    let packages = commune.dossiers.shelf().all_on(start().legal_date());
    let published = Published::from_source(&Catalogue::embedded())
        .expect("a catalogue")
        .procedures;
    let around = Around {
        questions: &questions,
        packages: &packages,
        published: &published,
    };
    let act = "residence-behind";
    let cases: &[(&str, &str, &str, &str)] = &[
        (act, "refuse_days = 15", "refuse_days = 1", "act-without-way-back"),
        (act, "restore_days = 30", "", "act-without-way-back"),
        (
            act,
            "[act]\nrefuse_days = 15\nrestore_days = 30",
            "",
            "act-without-way-back",
        ),
        (
            act,
            "[[basis]]\ntext = \"Luật Cư trú số 68/2020/QH14\"\narticle = \"Điều 26\"",
            "[[basis]]\ntext = \"Luật Cư trú\"\narticle = \"\"",
            "act-without-basis",
        ),
        (act, "1.010039", "1.004222", "act-fee"),
        (act, "1.010039", "1.004222", "act-choice"),
        (act, "1.010039", "3.000722", "act-signature"),
        (act, "1.010039", "7.999999", "unknown-procedure"),
        (act, "1.010039", "xyz", "not-a-procedure-code"),
        (act, "level = \"act\"", "level = \"remind\"", "not-of-level"),
        (
            act,
            "question = \"residence-behind\"",
            "question = \"nobody-asks\"",
            "unknown-question",
        ),
        (
            act,
            "question = \"residence-behind\"",
            "question = \"importer-owes-tax\"",
            "question-unfit",
        ),
        (
            act,
            "question = \"residence-behind\"",
            "question = \"importer-owes-tax\"",
            "purpose-not-proactive",
        ),
        (act, "fact = \"held\"", "fact = \"salary\"", "unknown-fact"),
        (act, "fact = \"held\"", "fact = \"salary\"", "fact-unexplained"),
        (act, "valid_days = 90", "valid_days = 0", "days"),
        (act, "version = 2", "version = 0", "version-zero"),
        (act, "after_days = 3", "after_days = 366", "days"),
        (
            act,
            "\"residence.registered\"",
            "\"registered\"",
            "event-without-registry",
        ),
        (act, "residence.registered", "residence.changed", "event-twice"),
        (
            act,
            "code = \"residence-behind\"",
            "code = \"another\"",
            "folder-name-differs",
        ),
        (
            act,
            "ask = \"residence.address\"",
            "ask = \"residence.address of x\"",
            "fact-of-another",
        ),
        (act, "valid_days = 90", "valid_days = 90\nsurprise = 1", "unknown-key"),
        (
            "child-health-card",
            "field = \"child.name\"",
            "field = \"child.nickname\"",
            "unknown-field",
        ),
        (
            "child-health-card",
            "field = \"child.name\"",
            "field = \"request.promise\"",
            "field-not-to-fill",
        ),
        (
            "child-health-card",
            "field = \"child.name\"",
            "field = \"requester.residence\"",
            "field-not-to-fill",
        ),
        (
            "child-health-card",
            "ask = \"population.sex\"",
            "ask = \"population.sex\"\nvalue = \"female\"",
            "prefill-source",
        ),
        ("child-health-card", "3.000722", "1.010039", "no-package"),
        (
            "permanent-residence",
            "when = \"mother != null\"",
            "",
            "way-hides-others",
        ),
        (
            "permanent-residence",
            "when = \"mother != null\"",
            "when = \"castle != null\"",
            "unknown-name",
        ),
        (
            "permanent-residence",
            "set = { \"home.kind\" = \"rented\" }",
            "when = \"mother = null\"\nset = { \"home.kind\" = \"rented\" }",
            "no-way-left",
        ),
        (
            "permanent-residence",
            "set = { \"home.kind\" = \"mother\" }",
            "set = { \"home.castle\" = \"mother\" }",
            "unknown-field",
        ),
    ];
    for (rule, from, to, finding) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().join(rule);
        std::fs::create_dir(&at).expect("made");
        let source = root().join("proposals").join(rule);
        let text = std::fs::read_to_string(source.join("proposal.toml")).expect("a rule");
        assert!(text.contains(from), "{rule}: {from}");
        std::fs::write(at.join("proposal.toml"), text.replace(from, to)).expect("written");
        if source.join("writes.toml").exists() {
            std::fs::copy(source.join("writes.toml"), at.join("writes.toml")).expect("copied");
        }
        let (good, report) = check(&at, &around);
        assert!(
            good.is_none() && report.has(finding),
            "{rule} {to}: {finding}\n{}",
            report.human(Lang::En)
        );
    }
    // An act without what it does, and one that cannot be taken back.
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join(act);
    std::fs::create_dir(&at).expect("made");
    let source = root().join("proposals").join(act);
    std::fs::copy(source.join("proposal.toml"), at.join("proposal.toml")).expect("copied");
    assert!(check(&at, &around).1.has("act-without-writes"));
    let writes = std::fs::read_to_string(source.join("writes.toml")).expect("writes");
    std::fs::write(
        at.join("writes.toml"),
        writes.replace("act = \"change\"", "act = \"change\"\nundo = \"keep\""),
    )
    .expect("written");
    assert!(check(&at, &around).1.has("act-without-way-back"));
    std::fs::write(
        at.join("writes.toml"),
        writes.replace("registered, \"province\"", "castle, \"province\""),
    )
    .expect("written");
    assert!(check(&at, &around).1.has("unknown-name"));
}
