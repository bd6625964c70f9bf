//! `motcua service check`: tests a live service against its own OpenAPI description and the house rules.
//!
//! What the rules ask, why, and how to keep them: `docs/service-rules.md`. The rules of the first part look at the
//! description alone; then requests are made from it, good ones and bad ones, and every answer is judged. The same seed gives the
//! same requests.
//!
//! The service is a stranger. Nothing is fetched but from the address that the caller gave; no redirect to another host is
//! followed; every answer is bounded in bytes and in time, every schema in size, every judgement in time, and the whole check in
//! requests and in time.

mod described;
mod description;
mod dictionary;
mod live;
mod report;
mod rules;
mod sheet;

use std::{sync::Arc, time::Duration};

use base::{Clock, Problems, Text};
use sha2::{Digest, Sha256};

pub use report::{Coverage, Finding, Outcome, Report, RuleResult, Skipped};
pub use rules::{Looks, Rule, Severity, VERSION};

use self::{
    description::{Description, Judge},
    live::{Address, Client},
    sheet::Sheet,
};

/// What to check and how.
#[derive(Clone)]
pub struct Options {
    /// The address of the service or of its description, http or https.
    pub url: String,
    /// The description, where the caller has it; else it is fetched from `url`.
    pub document: Option<Vec<u8>>,
    /// Under which address operations are called; else the path of the first of `servers` on the host of `url`.
    pub base: Option<String>,
    /// Headers for every request, such as `Authorization`. They are never sent to another host and never reported.
    pub headers: Vec<(String, String)>,
    /// The certificates of CAs to believe beside the system's, PEM.
    pub roots: Option<String>,
    /// Whether the certificate of the service is verified.
    pub verify_certificate: bool,
    /// Whether names that lead to addresses which no service may have ([`crate::access::is_forbidden_address`]) are refused.
    pub services_only: bool,
    /// Whether to call methods that change something. Do so only with a service made for testing.
    pub write: bool,
    /// Most requests.
    pub max_requests: u32,
    /// Longest time for one answer.
    pub timeout: Duration,
    /// Longest time for the whole check.
    pub longest: Duration,
    /// What requests are made from; the same seed gives the same requests.
    pub seed: u64,
    /// Where the time of the report comes from.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// The usual: safe methods only, at most 400 requests of 10 seconds, 10 minutes in all, seed 1.
    pub fn new(url: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            url: url.into(),
            document: None,
            base: None,
            headers: Vec::new(),
            roots: None,
            verify_certificate: true,
            services_only: false,
            write: false,
            max_requests: 400,
            timeout: Duration::from_secs(10),
            longest: Duration::from_secs(600),
            seed: 1,
            clock,
        }
    }
}

/// How a check goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Operations dealt with.
    pub done: usize,
    /// Operations in all.
    pub of: usize,
    /// What is looked at now.
    pub now: Text,
}

/// Checks a service. A service that does not answer, or whose description cannot be read, gives a report that says so.
///
/// # Errors
/// Options that cannot be used: an address that is not http or https, a header that is none, a certificate that cannot be read.
pub async fn check(options: &Options, progress: &mut (dyn FnMut(Progress) + Send)) -> base::Result<Report> {
    let mut problems = Problems::new();
    let (url, base) = (address(&options.url, "url", &mut problems), options.base.as_deref());
    let base = base.and_then(|base| address(base, "base", &mut problems));
    let client = Client::new(options, &mut problems);
    let (Some(url), Some(client)) = (url, client) else {
        return Err(refused(problems));
    };
    if !problems.is_empty() {
        return Err(refused(problems));
    }

    let mut report = Report {
        description: options.url.clone(),
        base: options.base.clone().unwrap_or_default(),
        title: String::new(),
        version: String::new(),
        sha256: String::new(),
        rules: VERSION,
        checked: options.clock.now(),
        seed: options.seed,
        wrote: options.write,
        conforms: false,
        results: Vec::new(),
        coverage: Coverage::default(),
    };
    progress(Progress {
        done: 0,
        of: 0,
        now: Text::new("Tải bản mô tả", "Fetching the description"),
    });
    let mut sheet = Sheet::default();
    let found = match &options.document {
        Some(document) => Ok((base.clone().unwrap_or(url), document.clone())),
        None => live::fetch_description(&client, &url, base.as_ref(), &mut sheet).await,
    };
    match found {
        Ok((found_at, bytes)) => {
            found_at.as_str().clone_into(&mut report.description);
            report.sha256 = hex::encode(Sha256::digest(&bytes));
            match Description::read(&bytes, &mut sheet) {
                Ok(description) => {
                    let base = base.unwrap_or_else(|| live::base_of(&description, &found_at));
                    description.info("title").clone_into(&mut report.title);
                    description.info("version").clone_into(&mut report.version);
                    base.as_str().clone_into(&mut report.base);
                    let mut judge = Judge::new(&description).await;
                    described::check(&description, &mut judge, &mut sheet).await;
                    report.coverage =
                        live::run(&description, &mut judge, &mut sheet, client, base, options, progress).await;
                }
                Err(finding) => sheet.broken(Rule::DescriptionRead, finding),
            }
        }
        Err(finding) => sheet.broken(Rule::DescriptionRead, finding),
    }
    let tested = report.coverage.succeeded > 0;
    sheet.judge(Rule::ValidAccepted, tested, "", || {
        Text::new(
            "Không yêu cầu nào thành công. Kiểm tra địa chỉ, chứng thực (tiêu đề gửi kèm) và thêm ví dụ vào bản mô tả.",
            "No request succeeded. Check the address and the credentials (headers to send), and add examples to the description.",
        )
    });
    report.results = sheet.into_results();
    report.conforms = !report.results.iter().any(RuleResult::fails);
    Ok(report)
}

fn refused(problems: Problems) -> base::Error {
    base::Error::Refused(base::Kind::Invalid, problems)
}

fn address(text: &str, at: &str, problems: &mut Problems) -> Option<Address> {
    let address = Address::parse(text);
    if address.is_none() {
        problems.add(
            "not-an-address",
            at,
            format!("“{text}” không phải là địa chỉ http hoặc https, không kèm tên và mật khẩu."),
            format!("“{text}” is no http or https address without user information."),
        );
    }
    address
}
