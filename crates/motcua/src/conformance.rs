//! The node's own API is a service like any other: what the house rules ask of everybody, it keeps itself.

use std::sync::Arc;

use ::exchange::conformance::{Options, Outcome, Report, RuleResult, check};
use base::{Clock as _, time::SystemClock};
use identity::{Ctx, NewOfficer, NewToken, Role, Roles, TokenOwner};

use crate::node::Node;

/// A key of an officer with these roles.
pub async fn key(node: &Node, agency: &str, roles: &[Role]) -> String {
    let ctx = Ctx::system("test", SystemClock.now());
    let roles: Roles = roles.iter().copied().collect();
    let officer = NewOfficer {
        login: format!("program-{}", uuid::Uuid::new_v4().simple()),
        name: "Phần mềm liên thông".to_owned(),
        title: String::new(),
        agency: agency.to_owned(),
        roles,
        password: None,
        demo: None,
    };
    let officer = node.identity.create_officer(&ctx, &officer).await.expect("an officer");
    let token = NewToken {
        owner: TokenOwner::Officer(officer),
        label: "check".to_owned(),
        roles,
        read_only: true,
        days: 1,
    };
    node.identity.create_token(&ctx, &token).await.expect("a key")
}

/// Checks the API of a node that listens, with a key or without; it has to conform.
pub async fn keeps_the_rules(url: &str, key: Option<&str>) -> Report {
    let headers = key.map(|key| ("Authorization".to_owned(), format!("Bearer {key}")));
    let options = Options {
        headers: headers.into_iter().collect(),
        max_requests: 1_200,
        ..Options::new(format!("{url}/api/openapi.json"), Arc::new(SystemClock))
    };
    let report = check(&options, &mut |_| {}).await.expect("checked");
    let broken: Vec<String> = report.results.iter().filter(|rule| rule.fails()).map(told).collect();
    assert!(report.conforms, "{url}:\n{}", broken.join("\n"));
    report
}

fn told(rule: &RuleResult) -> String {
    let places = rule.findings.iter().map(|found| {
        let (request, answer) = (found.request.as_deref(), found.answer.as_deref());
        format!(
            "  {} {}\n    {}\n    {}",
            found.at,
            found.text.en,
            request.unwrap_or_default(),
            answer.unwrap_or_default()
        )
    });
    format!("{}\n{}", rule.rule.code(), places.collect::<Vec<_>>().join("\n"))
}

/// The rules that should be kept and are not.
pub fn advice(report: &Report) -> Vec<&'static str> {
    let broken = report.results.iter().filter(|rule| rule.outcome == Outcome::Broken);
    broken.map(|rule| rule.rule.code()).collect()
}
