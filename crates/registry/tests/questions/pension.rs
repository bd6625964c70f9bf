//! Who is entitled to the social pension and has not asked.

use super::*;

const QUESTION: &str = "social-pension-not-asked";

/// A woman born in 19yy.
fn number(birth: &str, n: u32) -> String {
    format!("0011{}{n:06}", &birth[2..4])
}

impl Node {
    async fn entitled(&self, number: &str) -> Outcome {
        self.answer(QUESTION, json!({ "person_number": number }), "proactive.remind")
            .await
    }
}

fn insured(number: &str, birth: &str, group: &str, status: &str) -> Value {
    json!({
        "person_number": number, "insurance_number": &number[2..], "name": "Nguyễn Thị Bí Mật", "birth_date": birth, "group": group,
        "status": status,
    })
}

/// Today is 25 November 2026.
#[tokio::test]
async fn who_is_75_is_entitled_and_a_day_that_is_not_whole_decides_only_where_it_can() {
    let (yes, no) = (Outcome::Answered(json!(true)), Outcome::Answered(json!(false)));
    let cases = [
        ("1952-11-25", &no),
        ("1951-11-26", &no),
        ("1951-11-25", &yes),
        ("1951-11-24", &yes),
        ("1931-02-03", &yes),
        ("1952", &no),
        ("1951", &Outcome::Undecided),
        ("1950", &yes),
        ("1951-12", &no),
        ("1951-11", &Outcome::Undecided),
        ("1951-10", &yes),
        ("1948-02", &yes),
        ("1948-02-29", &yes),
    ];
    for node in nodes().await {
        for (n, (birth, expected)) in (1..).zip(cases) {
            let number = number(birth, n);
            assert_eq!(node.entitled(&number).await, Outcome::Undecided, "nobody knows them");
            node.add("population", citizen(&number, birth)).await;
            assert_eq!(node.entitled(&number).await, *expected, "{birth}");
        }
    }
}

#[tokio::test]
async fn who_has_a_pension_or_an_allowance_or_is_dead_is_not() {
    let birth = "1950-03-04";
    let cases = [
        (Some(("HT", "receiving")), "alive", false),
        (Some(("HT", "card-only")), "alive", false),
        // A monthly benefit with a card of another group.
        (Some(("GD", "receiving")), "alive", false),
        (Some(("BT", "card-only")), "alive", false),
        (Some(("GD", "card-only")), "alive", true),
        (Some(("DN", "paused")), "alive", true),
        (None, "missing", false),
        (None, "dead", false),
    ];
    for node in nodes().await {
        for (n, (has, status, entitled)) in (1..).zip(cases) {
            let number = number(birth, n);
            let mut person = citizen(&number, birth);
            person["status"] = status.into();
            if status == "dead" {
                person["death_date"] = "2026-05-06".into();
            }
            node.add("population", person).await;
            if let Some((group, status)) = has {
                node.add("social-insurance", insured(&number, birth, group, status))
                    .await;
            }
            let answer = node.entitled(&number).await;
            assert_eq!(answer, Outcome::Answered(json!(entitled)), "{has:?} {status}");
        }
    }
}

#[tokio::test]
async fn where_social_insurance_is_silent_nobody_is_entitled_yet() {
    for node in nodes().await {
        let number = number("1950", 1);
        node.add("population", citizen(&number, "1950-03-04")).await;
        let down = Down {
            rest: Here::new(node.registries.clone()),
            registry: "social-insurance",
        };
        let questions = Questions::new(node.registries.clone(), Arc::new(down), all());
        let asked = ask(
            &questions,
            QUESTION,
            json!({ "person_number": number }),
            "proactive.remind",
        )
        .await;
        assert_eq!(
            asked.expect("asked").outcome,
            Outcome::Silent(["social-insurance".to_owned()].into())
        );
    }
}
