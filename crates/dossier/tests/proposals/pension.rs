//! The social pension: who reaches 75 is told of it, with the dossier prepared, until they have it or want none of it.

use super::{
    awaited::{event, of},
    told::came,
    *,
};

const RULE: &str = "social-pension";
const AGE: &str = "population.age-75";
/// 75 on the day before [`start`].
const OLD: &str = "046151000013";

fn old() -> Value {
    let mut old = citizen(OLD, "1951-11-19");
    old["residence"] = json!({ "province": "46", "commune": "19774", "detail": "12 Lê Lợi" });
    old
}

fn insured(group: &str) -> Value {
    json!({
        "person_number": OLD, "insurance_number": "0123456789", "name": "Nguyễn Bé Bí Mật", "birth_date": "1951-11-19", "group": group,
        "status": "card-only",
    })
}

#[tokio::test]
async fn who_reaches_75_is_told_once_and_has_the_dossier_prepared_until_it_is_granted() {
    for commune in communes().await {
        commune.add("population", old()).await;
        commune.add("social-insurance", insured("GD")).await;
        commune.hears(AGE, &[event(1, start(), of(OLD))]).await;
        commune.work(start()).await;
        let ctx = person(OLD, after(60));
        let (id, state) = commune.only(&ctx).await;
        assert_eq!(state, State::Open);
        // Those of a list are not proposed the same again, nor is whom the calendar names once more.
        commune.run(RULE, OLD).await;
        commune.hears(AGE, &[event(2, start(), of(OLD))]).await;
        commune.work(after(60)).await;
        assert_eq!(commune.figures(RULE).await.proposed, 1);

        let page = commune.page(&ctx, &format!("/my/proposals/{id}")).await;
        for told in [
            "Chưa hưởng lương hưu",
            "Cơ sở dữ liệu bảo hiểm",
            "Điều 21",
            "500.000 đồng",
        ] {
            assert!(page.contains(told), "{told}");
        }
        let (status, to, _) = commune.post(&ctx, &format!("/my/proposals/{id}/open"), "").await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let draft = to.trim_start_matches("/drafts/").parse().expect("a draft");
        let answers = commune.dossiers.draft(&ctx, draft).await.expect("it").journey.answers;
        assert_eq!(answers.text("payment.method"), Some("home"));
        assert_eq!(
            answers.text("requester.birth_date"),
            Some("1951-11-19"),
            "not the e-ID's"
        );
        assert_eq!(answers.get("requester.receives_pension"), Some(&json!(false)));
        assert!(answers.get("request.promise").is_none(), "the declaration is theirs");

        let code = commune.file(&ctx, draft).await;
        assert_eq!(commune.only(&ctx).await.1, State::TakenUp);
        let amount = json!({ "verified": "same", "other_benefits": "none", "monthly_amount": 500_000 });
        let view = commune.decided(&code, amount).await;
        assert_eq!(came(&view), [("social-insurance", "done")], "{:?}", view.writes);
        let held = commune.holds("social-insurance", OLD).await.expect("a record");
        assert_eq!((&held["group"], &held["status"]), (&json!("BT"), &json!("card-only")));

        // Who has it is not found any more.
        commune.run(RULE, OLD).await;
        let figures = commune.figures(RULE).await;
        assert_eq!((figures.proposed, figures.taken_up), (1, 1));
        let view = commune.dossiers.proposal_rule(&leader(), RULE).await.expect("a rule");
        let no = |run: &proposal::RunView| (run.total, run.proposed, run.known, run.left) == (1, 0, 0, 0);
        assert!(view.runs.iter().any(no), "{:?}", view.runs);
    }
}

#[tokio::test]
async fn who_does_not_want_it_is_not_asked_again() {
    for commune in communes().await {
        commune.add("population", old()).await;
        commune.run(RULE, OLD).await;
        let ctx = person(OLD, after(60));
        let (id, _) = commune.only(&ctx).await;
        commune.dossiers.decline_proposal(&ctx, id).await.expect("declined");
        commune.hears(AGE, &[event(1, after(DAY), of(OLD))]).await;
        commune.work(after(DAY)).await;
        commune.work(after(200 * DAY)).await;
        assert_eq!(commune.only(&ctx).await.1, State::Declined);
        assert_eq!(commune.figures(RULE).await.proposed, 1);
    }
}

#[tokio::test]
async fn nothing_is_proposed_to_who_has_a_pension_or_an_allowance_or_is_too_young() {
    for commune in communes().await {
        let mut young = citizen(OLD, "1951-11-21");
        young["residence"] = old()["residence"].clone();
        commune.add("population", young).await;
        commune.run(RULE, OLD).await;
        assert!(commune.none(&person(OLD, after(60))).await);
    }
    for group in ["HT", "BT"] {
        for commune in communes().await {
            commune.add("population", old()).await;
            commune.add("social-insurance", insured(group)).await;
            commune.run(RULE, OLD).await;
            assert!(commune.none(&person(OLD, after(60))).await, "{group}");
        }
    }
}
