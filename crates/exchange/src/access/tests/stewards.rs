//! Who may what, and hostile input in every field.

use base::{Error, Kind};

use super::*;
use crate::access::{GrantsQuery, model::CommandDraft};

fn places(error: &Error) -> Vec<&str> {
    error
        .problems()
        .into_iter()
        .flatten()
        .map(|problem| problem.at.as_str())
        .collect()
}

#[tokio::test]
async fn an_agency_sees_and_moves_its_own_and_those_below() {
    for (ours, theirs, wire) in pairs().await {
        let id = filed(&ours, &wire).await;
        let all = GrantsQuery::default();
        for (agency, sees) in [
            ("H57", true),
            ("H5", false),
            ("H57.12", false),
            ("H571", false),
            ("G01", false),
        ] {
            let ctx = ours.ctx(actor(agency, &[Role::Administrator]));
            let list = ours.access.grants(&ctx, &all, 50).await.expect("a list").0;
            assert_eq!(list.len(), usize::from(sees), "{agency}");
            let one = ours.access.grant(&ctx, Side::Outgoing, id).await;
            assert_eq!(one.is_ok(), sees, "{agency}");
            let command = Command::Withdraw { reason: "x".into() };
            let moved = ours
                .access
                .command(&ctx, Side::Outgoing, id, &command, -1, new_id())
                .await
                .expect_err("stale or not theirs");
            assert_eq!(
                moved.kind(),
                Some(if sees { Kind::Conflict } else { Kind::NotFound }),
                "{agency}"
            );
        }
        let auditor = theirs.ctx(actor("G01", &[Role::Auditor]));
        let shown = theirs
            .access
            .grant(&auditor, Side::Incoming, id)
            .await
            .expect("an auditor reads");
        assert_eq!(shown.commands().count(), 0);
        let refuse = Command::Refuse {
            ground: "x".into(),
            reason: "x".into(),
        };
        let error = theirs
            .access
            .command(&auditor, Side::Incoming, id, &refuse, 1, new_id())
            .await
            .expect_err("and changes nothing");
        assert_eq!(error.kind(), Some(Kind::Forbidden));
        for role in Role::ALL {
            let ctx = theirs.ctx(actor("G01", &[role]));
            let reads = matches!(role, Role::Administrator | Role::Auditor);
            assert_eq!(theirs.access.grants(&ctx, &all, 50).await.is_ok(), reads, "{role:?}");
            assert_eq!(
                theirs.access.catalogue(&ctx, "", "", 50).await.is_ok(),
                reads,
                "{role:?}"
            );
            assert_eq!(theirs.access.may_explain(&ctx).is_ok(), reads, "{role:?}");
            let manages = role == Role::Administrator;
            assert_eq!(theirs.access.own_systems(&ctx).await.is_ok(), manages, "{role:?}");
        }
        let nobody = theirs.ctx(Actor::Anonymous);
        assert_eq!(
            theirs
                .access
                .grants(&nobody, &all, 50)
                .await
                .expect_err("nobody")
                .kind(),
            Some(Kind::Unauthenticated)
        );
    }
}

#[tokio::test]
async fn nobody_speaks_in_another_members_name() {
    for (ours, _theirs, _wire) in pairs().await {
        let draft = |subsystem: &str| SystemDraft {
            subsystem: subsystem.into(),
            agency: "H57.12".into(),
            name_vi: "Hệ thống".into(),
            sign_in: SignInDraft::Open,
            ..SystemDraft::default()
        };
        let below = ours.ctx(actor("H57.12", &[Role::Administrator]));
        let error = ours
            .access
            .add_system(&below, &draft("VN/GOV/H57/moi"))
            .await
            .expect_err("the member is H57's");
        assert_eq!(error.kind(), Some(Kind::Forbidden));
        let error = ours
            .access
            .add_system(&ours.steward(), &draft("VN/GOV/G01/moi"))
            .await
            .expect_err("no member here");
        assert_eq!(places(&error), ["subsystem"]);
        ours.access
            .add_system(&ours.steward(), &draft("VN/GOV/H57/moi"))
            .await
            .expect("by the member's steward");
        let error = ours
            .access
            .add_system(&ours.steward(), &draft("VN/GOV/H57/moi"))
            .await
            .expect_err("taken");
        assert_eq!(places(&error), ["subsystem"]);
        // A system of one's own, or none, asks.
        let other = ours.ctx(actor("H57.13", &[Role::Administrator]));
        let id = GrantId::new(ours.clock.now());
        let error = ours
            .access
            .request(&other, id, &consumer(), &service(), &request())
            .await
            .expect_err("not theirs");
        assert_eq!(places(&error), ["consumer"]);
    }
}

/// What may stand in any field without anything failing on our side.
const HOSTILE: [&str; 9] = [
    "",
    "\u{0}",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "../../etc/passwd",
    "%00%2F",
    "\u{202e}\u{ffff}",
    "-1",
    "99999999999999999999999999",
];

#[tokio::test]
async fn hostile_input_is_refused_with_words_or_kept_as_it_is() {
    for (ours, theirs, _wire) in pairs().await {
        let long = "x".repeat(100_000);
        let steward = theirs.steward();
        for text in HOSTILE.into_iter().chain([long.as_str()]) {
            let fine = |result: Result<(), Error>| match result {
                Ok(()) => {}
                Err(Error::Refused(_, problems)) => assert!(!problems.is_empty(), "{text:?}"),
                Err(error) => panic!("{text:?}: {error}"),
            };
            let set = |of: &mut String| text.clone_into(of);
            for n in 0..6 {
                let mut draft = service_draft();
                let field = [
                    &mut draft.provider,
                    &mut draft.code,
                    &mut draft.name_vi,
                    &mut draft.url,
                    &mut draft.timeout_seconds,
                    &mut draft.subjects,
                ];
                field.into_iter().nth(n).into_iter().for_each(set);
                fine(theirs.access.add_service(&steward, &draft).await.map(drop));
            }
            for n in 0..6 {
                let mut draft = SystemDraft {
                    subsystem: PROVIDER.into(),
                    agency: "G01".into(),
                    name_vi: "x".into(),
                    networks: "::1".into(),
                    ..SystemDraft::default()
                };
                let field = [
                    &mut draft.subsystem,
                    &mut draft.agency,
                    &mut draft.name_vi,
                    &mut draft.networks,
                    &mut draft.purpose,
                    &mut draft.whole_service,
                ];
                field.into_iter().nth(n).into_iter().for_each(set);
                fine(theirs.access.add_system(&steward, &draft).await.map(drop));
            }
            for n in 0..9 {
                let mut terms = draft();
                terms.methods = vec![if n == 8 { text.to_owned() } else { "GET".to_owned() }];
                let field = [
                    &mut terms.path,
                    &mut terms.purposes,
                    &mut terms.legal_basis,
                    &mut terms.from,
                    &mut terms.to,
                    &mut terms.rate_calls,
                    &mut terms.rate_burst,
                    &mut terms.fields,
                ];
                field.into_iter().nth(n).into_iter().for_each(set);
                match terms.read() {
                    Err(problems) => assert!(!problems.is_empty(), "{text:?}"),
                    Ok(terms) => {
                        let asked = Request { terms, ..request() };
                        let id = GrantId::new(ours.clock.now());
                        fine(
                            ours.access
                                .request(&ours.steward(), id, &consumer(), &service(), &asked)
                                .await,
                        );
                    }
                }
            }
            fine(
                theirs
                    .access
                    .describe(&steward, Uuid::nil(), Some(text.as_bytes()))
                    .await,
            );
            fine(theirs.access.catalogue(&steward, text, text, 50).await.map(drop));
            fine(theirs.access.systems(&steward, text, 50).await.map(drop));
            let query = GrantsQuery {
                about: Some(text.to_owned()),
                ..GrantsQuery::default()
            };
            fine(theirs.access.grants(&steward, &query, 50).await.map(drop));
        }
        for json in [
            r#"{"command":"approve"}"#,
            r#"{"command":"suspend","from":"31/02/2027"}"#,
        ] {
            let draft: CommandDraft = serde_json::from_str(json).expect("a draft");
            assert_eq!(draft.read().expect_err("not whole").iter().count(), 1, "{json}");
        }
        assert!(serde_json::from_str::<CommandDraft>(r#"{"command":"crown"}"#).is_err());
    }
}
