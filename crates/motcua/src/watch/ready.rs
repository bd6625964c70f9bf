//! Whether the node is ready, and what will go wrong soon.

use ::exchange::model::federation::Freshness;
use base::{Text, Timestamp};
use http::StatusCode;

use super::disk_free;
use crate::{exchange::Watched, node::Node, tls::PageCertificate};

/// A certificate that ends within this time is to be renewed.
const CERTIFICATE_SECONDS: i64 = 14 * 86_400;
/// Shares of the disk that are free: below the first it is nearly full, below the second the node is not ready.
const DISK_LOW: f64 = 0.2;
const DISK_FULL: f64 = 0.03;
/// A job that waits longer than this has nobody who does it.
const JOB_SECONDS: i64 = 600;

/// Something that is wrong, or will be soon.
struct Remark {
    code: &'static str,
    /// The node does not serve as it should.
    fails: bool,
    text: Text,
}

fn remark(code: &'static str, fails: bool, vi: &str, en: &str) -> Remark {
    Remark {
        code,
        fails,
        text: Text::new(vi, en),
    }
}

/// Whether the node is ready, and what will go wrong soon: one line each, `fails|warns code: sentence`.
pub async fn ready(node: &Node) -> (StatusCode, String) {
    let now = node.clock.now();
    let mut remarks = Vec::new();
    match node.store.job_lag(now).await {
        Err(_) => remarks.push(remark(
            "database-away",
            true,
            "Cơ sở dữ liệu không trả lời.",
            "The database does not answer.",
        )),
        Ok(lag) if lag.waiting_since.is_some_and(|at| at.plus_seconds(JOB_SECONDS) < now) => remarks.push(remark(
            "jobs-behind",
            false,
            "Có việc nền đã chờ hơn mười phút.",
            "A job has waited for more than ten minutes.",
        )),
        Ok(lag) if lag.failed > 0 => remarks.push(remark(
            "jobs-failed",
            false,
            "Có việc nền thất bại, cần người xem.",
            "Jobs have failed and wait for a person.",
        )),
        Ok(_) => {}
    }
    if let Some(free) = disk_free(node).filter(|free| *free < DISK_LOW) {
        remarks.push(remark(
            "disk-nearly-full",
            free < DISK_FULL,
            &format!("Đĩa của thư mục dữ liệu chỉ còn trống {:.0} %.", free * 100.0),
            &format!("{:.0} % of the disk of the data folder are free.", free * 100.0),
        ));
    }
    if let Some(page) = node.page_certificate() {
        of_page(page, now, &mut remarks);
    }
    if let Some(exchange) = node.exchange()
        && let Some(watched) = exchange.watch().await
    {
        of_federation(&watched, now, &mut remarks);
    }
    let fails = remarks.iter().any(|remark| remark.fails);
    let mut out = String::from(if fails { "not ready\n" } else { "ready\n" });
    for Remark { code, fails, text } in remarks {
        let how = if fails { "fails" } else { "warns" };
        out += &format!("{how} {code}: {} / {}\n", text.vi, text.en);
    }
    let status = if fails {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    (status, out)
}

fn of_page(page: &PageCertificate, now: Timestamp, remarks: &mut Vec<Remark>) {
    match page.until() {
        None => remarks.push(remark(
            "page-certificate-missing",
            true,
            "Trang chưa có chứng thư nên chưa mở được qua HTTPS.",
            "The pages have no certificate yet, so they cannot be opened over HTTPS.",
        )),
        Some(until) if until <= now => remarks.push(remark(
            "page-certificate-expired",
            true,
            &format!("Chứng thư của trang đã hết hạn lúc {until}."),
            &format!("The certificate of the pages ended at {until}."),
        )),
        Some(until) if page.ends_soon(now) => remarks.push(remark(
            "page-certificate-ends",
            false,
            &format!("Chứng thư của trang hết hạn lúc {until} mà chưa được gia hạn."),
            &format!("The certificate of the pages ends at {until} and has not been renewed."),
        )),
        Some(_) => {}
    }
    if let Some(trouble) = page.trouble() {
        remarks.push(Remark {
            code: trouble.code,
            fails: false,
            text: trouble.text,
        });
    }
}

fn of_federation(watched: &Watched, now: Timestamp, remarks: &mut Vec<Remark>) {
    match watched.freshness {
        Freshness::Fresh => {}
        Freshness::Stale { since, until } => remarks.push(remark(
            "directory-stale",
            false,
            &format!("Danh bạ hết hiệu lực từ {since}; đến {until} chỉ còn liên lạc với nơi đã quen."),
            &format!("The directory ran out at {since}; until {until} only known members are talked to."),
        )),
        Freshness::Expired { since } => remarks.push(remark(
            "directory-expired",
            true,
            &format!("Danh bạ hết hiệu lực từ {since}; không trao đổi được với ai."),
            &format!("The directory ran out at {since}; nobody is talked to."),
        )),
    }
    match watched.certificate_until {
        Some(until) if until <= now => remarks.push(remark(
            "certificate-expired",
            true,
            &format!("Chứng thư của nút đã hết hạn lúc {until}."),
            &format!("The certificate of the gateway ended at {until}."),
        )),
        Some(until) if until <= now.plus_seconds(CERTIFICATE_SECONDS) => remarks.push(remark(
            "certificate-ends",
            false,
            &format!("Chứng thư của nút hết hạn lúc {until}."),
            &format!("The certificate of the gateway ends at {until}."),
        )),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use ::exchange::gateway::Figures;

    use super::*;

    #[test]
    fn what_ends_soon_warns_and_what_has_ended_fails() {
        let now = Timestamp::from_micros(1_795_539_600_000_000);
        let watched = |freshness, until| Watched {
            gateway: Figures::default(),
            freshness,
            version: 1,
            issued: now,
            certificate_until: Some(until),
            journal_lag: None,
        };
        let codes = |watched: &Watched| {
            let mut remarks = Vec::new();
            of_federation(watched, now, &mut remarks);
            remarks.iter().map(|r| (r.code, r.fails)).collect::<Vec<_>>()
        };
        let year = now.plus_seconds(365 * 86_400);
        assert_eq!(codes(&watched(Freshness::Fresh, year)), []);
        assert_eq!(
            codes(&watched(Freshness::Fresh, now.plus_seconds(86_400))),
            [("certificate-ends", false)]
        );
        let expired = Freshness::Expired { since: now };
        assert_eq!(
            codes(&watched(expired, now)),
            [("directory-expired", true), ("certificate-expired", true)]
        );
        let stale = Freshness::Stale {
            since: now,
            until: year,
        };
        assert_eq!(codes(&watched(stale, year)), [("directory-stale", false)]);
    }
}
