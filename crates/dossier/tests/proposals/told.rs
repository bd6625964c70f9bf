//! What is signed is told to the real registries: a birth alone, one of a child that has a number, one that the book refuses, and a death.

use dossier::{
    model::{
        command::{Command, Completion},
        writes::Wrote,
    },
    service::DossierView,
};
use registry::{
    model::Operator,
    service::{Asked, Mask, Purpose, Query, When},
};

use super::*;

const BIRTH: &str = "1.001193";

impl Commune {
    /// Parents who live in the commune of this test.
    async fn settle(&self, number: &str, name: &str) {
        let mut person = citizen(number, "1990-05-02");
        person["name"] = name.into();
        person["residence"] = json!({ "province": "46", "commune": "19774", "detail": "12 Lê Lợi" });
        self.add("population", person).await;
    }

    /// What the mother files, signed by the leader, once the registries were told.
    async fn signed(&self, procedure: &str, review: Value) -> DossierView {
        let mother = person(MOTHER, start());
        let draft = self.dossiers.start_draft(&mother, procedure).await.expect("a draft");
        let code = self.file(&mother, draft).await;
        self.decided(&code, review).await
    }

    /// A dossier that was filed, signed by the leader, once the registries were told.
    pub(super) async fn decided(&self, code: &str, review: Value) -> DossierView {
        let seen = async || {
            let reads = officer(AGENCY, Role::Receptionist);
            let view = self.dossiers.get_by_code(&reads, code, identity::Purpose::Reception);
            view.await.expect("the dossier")
        };
        let steps = [
            (Role::Receptionist, "accept", json!({})),
            (Role::Specialist, "ok", review),
            (Role::Leader, "approve", json!({})),
        ];
        for (role, outcome, fields) in steps {
            let view = seen().await;
            let completion = Completion {
                token: view.tasks[0].open.token,
                outcome: outcome.to_owned(),
                fields: fields.as_object().cloned().unwrap_or_default(),
                ..Completion::default()
            };
            let (ctx, command) = (officer(AGENCY, role), Command::Complete(completion));
            let done = self.dossiers.command(&ctx, view.id, &command, None).await;
            done.expect("the step is done");
        }
        self.work(after(60)).await;
        seen().await
    }

    /// What a registry holds under a key.
    pub(super) async fn holds(&self, registry: &str, key: &str) -> Option<Value> {
        let ctx = Ctx::system("test", after(3600));
        let purpose = Purpose::read("registry.steward", "", "").expect("a purpose");
        let code = registry.parse().expect("a code");
        let read = self
            .registries
            .read(&ctx, &purpose, &code, key, When::default(), &Mask::ALL);
        read.await.ok().map(|view| view.body)
    }

    /// The numbers of the mother's children in the population database.
    async fn children(&self) -> Vec<String> {
        let ctx = Ctx::system("test", after(3600));
        let purpose = Purpose::read("registry.steward", "", "").expect("a purpose");
        let code = "population".parse().expect("a code");
        let of_mother = Asked {
            field: "mother_person_number".parse().expect("a field"),
            operator: Operator::Eq,
            value: Some(MOTHER.to_owned()),
            upto: None,
        };
        let query = Query {
            asked: vec![of_mother],
            limit: 10,
            ..Query::default()
        };
        let listed = self.registries.list(&ctx, &purpose, &code, &query).await;
        let items = listed.expect("a list").items;
        items.into_iter().map(|view| view.key).collect()
    }
}

/// What came of each write, by its registry.
pub(super) fn came(view: &DossierView) -> Vec<(&str, &'static str)> {
    let writes = view.writes.iter().map(|write| {
        let came = match &write.wrote {
            None => "waits",
            Some(Wrote::Done { .. }) => "done",
            Some(Wrote::Refused { .. }) => "refused",
            Some(Wrote::TakenBack { .. }) => "taken back",
            Some(Wrote::Unknown { .. }) => "unknown",
            Some(Wrote::Left { .. }) => "left",
        };
        (write.registry.as_str(), came)
    });
    writes.collect()
}

#[tokio::test]
async fn a_birth_alone_stands_in_population_civil_status_and_tax() {
    for commune in communes().await {
        commune.settle(MOTHER, "Nguyễn Thị Ngọc Ánh").await;
        let view = commune.signed(BIRTH, json!({})).await;
        let done = [("population", "done"), ("civil-status", "done"), ("tax", "done")];
        assert_eq!(came(&view), done, "{:?}", view.writes);
        assert_eq!(view.tasks[0].open.node, "deliver");

        let [number] = &commune.children().await[..] else {
            panic!("one child")
        };
        let child = commune.holds("population", number).await.expect("a person");
        assert_eq!(
            (&child["name"], &child["birth_date"], &child["status"]),
            (&json!("Nguyễn Bé Bí Mật"), &json!("2026-01-05"), &json!("alive"))
        );
        assert_eq!(child["residence"]["commune"], "19774", "where the mother lives");
        assert_eq!(child["father_person_number"], Value::Null, "nobody knows his number");
        // The clerk left the number of the book to the registry, and the certificate has it.
        let entry = commune.holds("civil-status", "birth~19774~2026~1").await;
        let entry = entry.expect("an entry");
        assert_eq!(
            (&entry["child"]["person_number"], &entry["mother"]["person_number"]),
            (&json!(number), &json!(MOTHER))
        );
        assert_eq!(
            entry["father"],
            json!({ "name": "Nguyễn Bé Bí Mật", "birth_date": "1988" })
        );
        let taxpayer = commune.holds("tax", number).await.expect("a taxpayer");
        assert_eq!(
            (&taxpayer["status"], &taxpayer["person_number"], &taxpayer["debt_total"]),
            (&json!("active"), &json!(number), &json!(0))
        );
    }
}

#[tokio::test]
async fn a_birth_that_the_book_refuses_leaves_no_person() {
    for commune in communes().await {
        commune.settle(MOTHER, "Nguyễn Thị Ngọc Ánh").await;
        commune.signed(BIRTH, json!({ "register_number": 7 })).await;
        let first = commune.children().await;
        assert_eq!(first.len(), 1);

        // Two children under one number of the book.
        let view = commune.signed(BIRTH, json!({ "register_number": 7 })).await;
        let taken_back = [
            ("population", "taken back"),
            ("civil-status", "refused"),
            ("tax", "waits"),
        ];
        assert_eq!(came(&view), taken_back);
        assert_eq!(view.tasks[0].open.node, "mend");
        assert_eq!(commune.children().await, first, "the second is in no registry");
    }
}

#[tokio::test]
async fn a_child_that_has_a_number_is_entered_under_it_and_parents_are_reminded_no_more() {
    for commune in communes().await {
        commune.settle(MOTHER, "Nguyễn Thị Ngọc Ánh").await;
        commune.add("population", child()).await;
        let view = commune.signed(BIRTH, json!({ "person_number": CHILD })).await;
        assert_eq!(came(&view), [("civil-status", "done")]);
        let entry = commune.holds("civil-status", "birth~19774~2026~1").await;
        assert_eq!(entry.expect("an entry")["child"]["person_number"], CHILD);
        assert_eq!(commune.children().await, [CHILD], "no second number");
        commune.run("birth-registration", CHILD).await;
        assert!(commune.none(&person(MOTHER, after(60))).await);
    }
}

#[tokio::test]
async fn a_death_closes_the_tax_code_and_leaves_the_debts() {
    for commune in communes().await {
        commune.settle(MOTHER, "Nguyễn Thị Ngọc Ánh").await;
        commune.settle(FATHER, "Trần Văn Nam").await;
        let spouse =
            |number: &str| json!({ "person_number": number, "name": "Trần Văn Nam", "birth_date": "1990-05-02" });
        commune
            .add(
                "civil-status",
                json!({
                    "kind": "marriage", "commune": "19774", "year": 2020, "number": 12, "registered_on": "2020-05-01",
                    "husband": spouse(FATHER), "wife": spouse(MOTHER),
                }),
            )
            .await;
        let debts = json!([{ "tax": "personal-income", "amount": 350_000, "due_on": "2026-03-31" }]);
        commune
            .add(
                "tax",
                json!({
                    "taxpayer_number": FATHER, "kind": "person", "person_number": FATHER, "name": "Trần Văn Nam", "status": "active",
                    "debts": debts, "debt_total": 350_000,
                }),
            )
            .await;
        let view = commune.signed("1.000656", json!({ "register_number": 3 })).await;
        let told = ["civil-status", "population", "tax", "population"].map(|registry| (registry, "done"));
        assert_eq!(came(&view), told, "{:?}", view.writes);
        let taxpayer = commune.holds("tax", FATHER).await.expect("it is kept");
        assert_eq!((&taxpayer["status"], &taxpayer["debts"]), (&json!("closed"), &debts));
        let widow = commune.holds("population", MOTHER).await.expect("she lives");
        assert_eq!(widow["marital_status"], "widowed");
    }
}
