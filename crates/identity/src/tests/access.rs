//! The log of reads of personal data.

use super::{
    harness::{Node, nodes},
    sign_in::futures_join,
};
use crate::{Actor, Config, Ctx, DataRead, NewAccount, OfficerActor, OfficerId, PersonActor, Purpose, Role, Roles};

const NUMBER: &str = "001099012345";

fn officer(node: &Node, agency: &str, roles: &[Role]) -> Ctx {
    let actor = OfficerActor {
        officer: OfficerId::new(node.state.now()),
        name: "Trần Thị Bình".into(),
        title: "Chuyên viên".into(),
        agency: agency.into(),
        roles: Roles::of(roles),
    };
    Ctx {
        actor: Actor::Officer(actor),
        ..node.system()
    }
}

async fn person(node: &Node) -> Ctx {
    let mut new = NewAccount::named("e-id", "an", "Nguyễn Văn An");
    new.person_number = Some(NUMBER.into());
    let account = node
        .state
        .create_account(&node.system(), &new)
        .await
        .expect("an account");
    let actor = PersonActor {
        account,
        name: new.name,
        person_number: new.person_number,
        birth_date: None,
        sex: None,
        phone: None,
        email: None,
        assurance: crate::Assurance::Level1,
        organisation: None,
    };
    Ctx {
        actor: Actor::Person(actor),
        ..node.system()
    }
}

fn read<'a>(subject: &'a str, dossier: &'a str) -> DataRead<'a> {
    DataRead {
        subject,
        dossier: Some(dossier),
        purpose: Purpose::CaseHandling,
        what: "Tờ khai",
    }
}

#[tokio::test]
async fn a_person_sees_who_read_their_data_and_nobody_elses() {
    for node in nodes(&Config::default()).await {
        let me = person(&node).await;
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        let log = node.state.access_log();
        log.record(&bình, read(NUMBER, "H29.1-261121-0001"))
            .await
            .expect("recorded");
        log.record(&bình, read("001099099999", "H29.1-261121-0002"))
            .await
            .expect("recorded");
        log.record(&me, read(NUMBER, "H29.1-261121-0001"))
            .await
            .expect("one's own read");
        let (entries, next) = node.state.reads_of_me(&me, None, 50).await.expect("a list");
        assert!(next.is_none());
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!(entries[0].actor, "Trần Thị Bình");
        assert_eq!(entries[0].dossier.as_deref(), Some("H29.1-261121-0001"));
        assert_eq!(entries[0].purpose, Purpose::CaseHandling.label());
        assert!(
            node.state.reads_of_me(&bình, None, 50).await.is_err(),
            "an officer has no such list"
        );
    }
}

#[tokio::test]
async fn reads_side_by_side_are_all_kept_and_paged_without_loss() {
    for node in nodes(&Config::default()).await {
        let me = person(&node).await;
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        let codes: Vec<String> = (0..130).map(|n| format!("H29.1-261121-{n:04}")).collect();
        let written = futures_join(
            codes
                .iter()
                .map(|code| node.state.access_log().record(&bình, read(NUMBER, code))),
        )
        .await;
        assert!(written.iter().all(Result::is_ok));
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let (entries, next) = node.state.reads_of_me(&me, before, 50).await.expect("a page");
            assert!(entries.len() <= 50);
            seen.extend(entries.into_iter().filter_map(|entry| entry.dossier));
            match next {
                Some(place) => before = Some(place),
                None => break,
            }
        }
        seen.sort();
        assert_eq!(seen, codes);
    }
}

#[tokio::test]
async fn only_an_auditor_reads_the_log_of_an_agency() {
    for node in nodes(&Config::default()).await {
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        node.state
            .access_log()
            .record(&bình, read(NUMBER, "H29.1-261121-0001"))
            .await
            .expect("recorded");
        let auditor = officer(&node, "H29", &[Role::Auditor]);
        let list = |dossier| node.state.agency_reads(&auditor, "H29.1", dossier, None);
        assert_eq!(list(None).await.expect("a list").0.len(), 1);
        assert_eq!(list(Some("H29.1-261121-0001")).await.expect("a list").0.len(), 1);
        assert_eq!(list(Some("H29.1-261121-0002")).await.expect("a list").0.len(), 0);
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Auditor) {
            let other = officer(&node, "H29.1", &[role]);
            assert!(
                node.state.agency_reads(&other, "H29.1", None, None).await.is_err(),
                "{role:?}"
            );
        }
        let elsewhere = officer(&node, "H30", &[Role::Auditor]);
        assert!(node.state.agency_reads(&elsewhere, "H29.1", None, None).await.is_err());
    }
}

#[tokio::test]
async fn the_number_itself_is_not_in_the_log() {
    for node in nodes(&Config::default()).await {
        let bình = officer(&node, "H29.1", &[Role::Specialist]);
        node.state
            .access_log()
            .record(&bình, read(NUMBER, "H29.1-261121-0001"))
            .await
            .expect("recorded");
        let rows = crate::store::agency_reads(&node.state.store().read(), "H29.1", None, None, 10)
            .await
            .expect("rows");
        assert_eq!(rows.len(), 1);
        assert!(!format!("{rows:?}").contains(NUMBER));
    }
}
