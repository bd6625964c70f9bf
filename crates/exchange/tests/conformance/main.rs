//! `conformance::check` against services on real sockets: one that keeps every rule, the same with one fault each, and hostile ones.

mod described;
mod hostile;
mod reach;
mod service;

use std::{sync::Arc, time::Duration};

use base::{Lang, Timestamp, time::FixedClock};
use exchange::conformance::{self, Options, Outcome, Report, Rule, Severity};
use service::{Fault, Service};

/// Options for a test: short waits, a fixed clock.
pub fn options(url: &str) -> Options {
    let clock = FixedClock::at(Timestamp::from_micros(1_795_000_000_000_000));
    Options {
        timeout: Duration::from_secs(2),
        longest: Duration::from_secs(60),
        ..Options::new(url, Arc::new(clock))
    }
}

/// Checks on a task of its own: the future may be sent to another thread.
pub async fn check(options: Options) -> Report {
    let task = tokio::spawn(async move { conformance::check(&options, &mut |_| {}).await });
    task.await.expect("no panic").expect("the options are good")
}

async fn whole(fault: Fault) -> Report {
    let service = Service::with_fault(fault).await;
    let with_all = Options {
        headers: vec![("Authorization".into(), "Bearer thu-nghiem".into())],
        write: true,
        ..options(&service.url())
    };
    check(with_all).await
}

/// The codes of the rules that were broken.
pub fn broken(report: &Report) -> Vec<&'static str> {
    let broken = report.results.iter().filter(|result| result.outcome == Outcome::Broken);
    broken.map(|result| result.rule.code()).collect()
}

#[tokio::test]
async fn a_service_that_keeps_every_rule_conforms() {
    let report = whole(Fault::None).await;
    assert!(report.conforms, "{}", report.to_text(Lang::En));
    assert_eq!(broken(&report), Vec::<&str>::new(), "{}", report.to_text(Lang::En));
    let coverage = &report.coverage;
    assert_eq!((coverage.operations, coverage.called, coverage.succeeded), (4, 4, 4));
    assert!(coverage.requests > 40, "{coverage:?}");
    // Nothing passes because nothing was looked at.
    let idle: Vec<_> = report
        .results
        .iter()
        .filter(|result| result.outcome == Outcome::NotApplicable)
        .map(|result| result.rule.code())
        .collect();
    assert_eq!(idle, Vec::<&str>::new());
    let badge = report.badge();
    let musts = Rule::ALL
        .iter()
        .filter(|rule| rule.severity() == Severity::Must)
        .count();
    assert_eq!(
        (badge.passed as usize, badge.failed, badge.rules.as_str()),
        (musts, 0, "1")
    );
    assert_eq!(
        (report.title.as_str(), report.version.as_str()),
        ("Giấy phép xây dựng", "1.2.0")
    );
    assert!(report.base.ends_with("/api/"), "{}", report.base);
}

#[tokio::test]
async fn each_fault_is_found_by_its_rule() {
    for (fault, rule) in [
        (Fault::SwapsTwoIds, "answer-of-that-thing"),
        (Fault::SwapsTwoContents, "list-agrees"),
        (Fault::WrongShape, "answer-valid"),
        (Fault::MissingField, "answer-valid"),
        (Fault::NoOffset, "answer-valid"),
        (Fault::ServerError, "no-server-error"),
        (Fault::PlainErrors, "error-is-problem"),
        (Fault::LyingProblem, "error-is-problem"),
        (Fault::TakesAnything, "bad-refused"),
        (Fault::PagesRepeat, "paging-walks"),
        (Fault::PagesMiss, "paging-walks"),
        (Fault::PagesTooLong, "paging-walks"),
        (Fault::NoNotModified, "etag-works"),
        (Fault::ForgetsKeys, "idempotency-works"),
        (Fault::NoAuth, "auth-required"),
        (Fault::PathsAllFound, "unknown-path"),
        (Fault::MethodsAllFound, "wrong-method"),
        (Fault::Leaks, "nothing-leaks"),
        (Fault::Latin1, "utf-8"),
    ] {
        let report = whole(fault).await;
        assert!(!report.conforms, "{fault:?}");
        assert!(
            broken(&report).contains(&rule),
            "{fault:?}: {}",
            report.to_text(Lang::En)
        );
        let result = report
            .results
            .iter()
            .find(|result| result.rule.code() == rule)
            .expect("a result");
        let finding = result.findings.first().expect("a finding");
        assert!(
            finding.request.is_some() && finding.answer.is_some(),
            "{fault:?}: {finding:?}"
        );
        assert!(!finding.text.vi.is_empty() && !finding.text.en.is_empty());
    }
}

#[tokio::test]
async fn a_recommendation_that_is_not_followed_is_said_but_does_not_fail() {
    let report = whole(Fault::Boasts).await;
    assert_eq!(broken(&report), ["version-hidden"]);
    assert!(report.conforms);
    assert_eq!(report.badge().failed, 0);
}

#[tokio::test]
async fn unless_told_to_write_nothing_is_written() {
    let service = Service::with_fault(Fault::None).await;
    let report = check(options(&service.url())).await;
    assert!(report.conforms, "{}", report.to_text(Lang::Vi));
    let skipped: Vec<_> = report
        .coverage
        .skipped
        .iter()
        .map(|skipped| skipped.operation.as_str())
        .collect();
    // And what needs credentials is called without them, to see that it is refused.
    assert_eq!(skipped, ["GET /v1/me", "POST /v1/permits"]);
    let auth = report.result(Rule::AuthRequired).expect("a result");
    assert_eq!((auth.outcome, auth.checked), (Outcome::Kept, 1));
    assert!(report.to_text(Lang::Vi).contains("ĐẠT"), "{}", report.to_text(Lang::Vi));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_report() {
    let requests = |report: &Report| {
        let findings = report.results.iter().flat_map(|result| &result.findings);
        findings
            .filter_map(|finding| finding.request.clone())
            .collect::<Vec<_>>()
    };
    let mut seen = Vec::new();
    for seed in [5, 5, 6] {
        let service = Service::with_fault(Fault::PlainErrors).await;
        let with_seed = Options {
            seed,
            write: true,
            ..options(&service.url())
        };
        let report = check(with_seed).await;
        let port = service.address.port().to_string();
        seen.push(
            requests(&report)
                .iter()
                .map(|request| request.replace(&port, ""))
                .collect::<Vec<_>>(),
        );
    }
    assert!(!seen[0].is_empty());
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test]
async fn the_number_of_requests_is_bounded() {
    let service = Service::with_fault(Fault::None).await;
    let few = Options {
        max_requests: 7,
        write: true,
        ..options(&service.url())
    };
    let report = check(few).await;
    assert!(report.coverage.requests <= 7, "{:?}", report.coverage);
    assert!(
        report
            .coverage
            .skipped
            .iter()
            .any(|skipped| skipped.why.en.contains("used up"))
    );
}

#[tokio::test]
async fn a_report_is_json_with_stable_names() {
    let report = whole(Fault::SwapsTwoIds).await;
    let json = report.to_json().expect("JSON");
    assert_eq!(json["conforms"], false);
    assert_eq!(json["badge"]["rules"], "1");
    let rule = json["results"]
        .as_array()
        .expect("results")
        .iter()
        .find(|result| result["code"] == "answer-of-that-thing")
        .expect("the rule");
    assert_eq!(
        (&rule["severity"], &rule["outcome"]),
        (&"must".into(), &"broken".into())
    );
    let finding = &rule["findings"][0];
    assert_eq!(finding["at"], "/paths/~1v1~1permits~1{id}/get");
    assert!(
        finding["vi"].as_str().is_some_and(|text| text.contains("P-0001")),
        "{finding}"
    );
}

#[tokio::test]
async fn headers_of_the_caller_are_never_reported() {
    let service = Service::with_fault(Fault::PlainErrors).await;
    let secret = Options {
        headers: vec![("Authorization".into(), "Bearer rat-bi-mat".into())],
        write: true,
        ..options(&service.url())
    };
    let report = check(secret).await;
    assert!(!report.conforms);
    assert!(!report.to_json().expect("JSON").to_string().contains("rat-bi-mat"));
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused() {
    for (change, code) in [
        (
            &(|o: &mut Options| o.url = "ftp://example.vn/".into()) as &dyn Fn(&mut Options),
            "not-an-address",
        ),
        (
            &|o: &mut Options| o.url = "http://a:b@example.vn/".into(),
            "not-an-address",
        ),
        (&|o: &mut Options| o.base = Some("khong".into()), "not-an-address"),
        (
            &|o: &mut Options| o.headers = vec![("a b".into(), "c".into())],
            "not-a-header",
        ),
        (
            &|o: &mut Options| o.headers = vec![("a".into(), "b\r\nc: d".into())],
            "not-a-header",
        ),
        (&|o: &mut Options| o.roots = Some("khong".into()), "not-a-certificate"),
    ] {
        let mut options = options("http://127.0.0.1:9/");
        change(&mut options);
        let error = conformance::check(&options, &mut |_| {}).await.expect_err(code);
        let problems = error.problems().expect("problems");
        assert!(problems.iter().any(|problem| problem.code == code), "{problems:?}");
    }
}

#[test]
fn the_document_has_every_rule_with_its_weight() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/service-rules.md"))
        .expect("the document");
    assert!(text.starts_with(&format!(
        "# House rules for services, version {}\n",
        conformance::VERSION
    )));
    let rows = text
        .lines()
        .filter(|line| line.contains("| must |") || line.contains("| should |"))
        .count();
    for rule in Rule::ALL {
        let weight = if rule.severity() == Severity::Must {
            "must"
        } else {
            "should"
        };
        assert!(
            text.contains(&format!("\n| `{}` | {weight} | ", rule.code())),
            "{}",
            rule.code()
        );
    }
    assert_eq!(rows, Rule::ALL.len());
}
