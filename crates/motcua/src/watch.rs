//! What the operator's tools see of a node: figures for Prometheus, and whether it is ready, with what will go wrong soon.

use std::fmt::Write as _;

use ::exchange::{
    gateway::{BOUNDS, Figures, Side},
    model::federation::Freshness,
};
use base::{Text, Timestamp};
use http::StatusCode;

use crate::{exchange::Watched, node::Node};

/// A certificate that ends within this time is to be renewed.
const CERTIFICATE_SECONDS: i64 = 14 * 86_400;
/// Shares of the disk that are free: below the first it is nearly full, below the second the node is not ready.
const DISK_LOW: f64 = 0.2;
const DISK_FULL: f64 = 0.03;
/// A job that waits longer than this has nobody who does it.
const JOB_SECONDS: i64 = 600;

/// All figures in the text format of OpenMetrics.
///
/// # Errors
/// Formatting failed, which writing to a string does not.
pub async fn figures(node: &Node) -> Result<String, std::fmt::Error> {
    let mut out = node.metrics.text()?;
    let now = node.clock.now();
    if let Some(ledger) = node.dossiers.ledger() {
        let (size, work) = (ledger.log.size(), ledger.log.work());
        gauge(
            &mut out,
            "motcua_ledger_entries",
            "Entries of the transparency log",
            &[("", size as f64)],
        )?;
        counter(
            &mut out,
            "motcua_ledger_written",
            "Entries written since the start",
            &[("", work.entries)],
        )?;
        counter(
            &mut out,
            "motcua_ledger_batches",
            "Batches, each with one sync and one signature",
            &[("", work.batches)],
        )?;
    }
    if let Ok(lag) = node.store.job_lag(now).await {
        let seconds = lag.waiting_since.map_or(0.0, |since| seconds(now) - seconds(since));
        gauge(
            &mut out,
            "motcua_jobs_lag_seconds",
            "How long the oldest job that could be done waits",
            &[("", seconds)],
        )?;
        gauge(
            &mut out,
            "motcua_jobs_failed",
            "Jobs that wait for a person, at most 100",
            &[("", lag.failed as f64)],
        )?;
    }
    if let Some(free) = disk_free(node) {
        gauge(
            &mut out,
            "motcua_disk_free_ratio",
            "Free share of the disk of the data folder",
            &[("", free)],
        )?;
    }
    if let Some(exchange) = node.exchange()
        && let Some(watched) = exchange.watch().await
    {
        of_exchange(&mut out, &watched)?;
    }
    out.push_str("# EOF\n");
    Ok(out)
}

fn of_exchange(out: &mut String, watched: &Watched) -> std::fmt::Result {
    let gateway = &watched.gateway;
    of_messages(out, gateway)?;
    let connections = [
        ("kind=\"accepted\"", gateway.connections),
        ("kind=\"opened\"", gateway.links_opened),
    ];
    counter(
        out,
        "motcua_exchange_connections",
        "Connections of the gateway",
        &connections,
    )?;
    let bodies = [
        ("place=\"memory\"", gateway.memory as f64),
        ("place=\"disk\"", gateway.spilled as f64),
    ];
    gauge(out, "motcua_exchange_body_bytes", "Bytes of bodies in hand", &bodies)?;
    for (name, help, value) in [
        (
            "motcua_exchange_answers_not_logged",
            "Answers delivered that could not be logged here",
            gateway.answers_not_logged,
        ),
        (
            "motcua_exchange_subjects_unreadable",
            "Messages whose subject rule found no number of a person",
            gateway.subjects_unreadable,
        ),
        (
            "motcua_exchange_operations_dropped",
            "Records of operational monitoring that were dropped",
            gateway.operations_dropped,
        ),
    ] {
        counter(out, name, help, &[("", value)])?;
    }
    let state = match watched.freshness {
        Freshness::Fresh => 0.0,
        Freshness::Stale { .. } => 1.0,
        Freshness::Expired { .. } => 2.0,
    };
    gauge(
        out,
        "motcua_directory_state",
        "0 fresh, 1 stale, 2 too old to talk to anybody",
        &[("", state)],
    )?;
    gauge(
        out,
        "motcua_directory_version",
        "Edition of the directory",
        &[("", watched.version as f64)],
    )?;
    let issued = [("", seconds(watched.issued))];
    gauge(
        out,
        "motcua_directory_issued_timestamp_seconds",
        "When the edition was issued",
        &issued,
    )?;
    if let Some(until) = watched.certificate_until {
        let until = [("", seconds(until))];
        gauge(
            out,
            "motcua_certificate_expiry_timestamp_seconds",
            "When the certificate of the gateway ends",
            &until,
        )?;
    }
    if let Some(lag) = watched.journal_lag {
        gauge(
            out,
            "motcua_journal_lag_entries",
            "Leaves that the journal has not folded",
            &[("", lag as f64)],
        )?;
    }
    Ok(())
}

fn of_messages(out: &mut String, gateway: &Figures) -> std::fmt::Result {
    let sides = [("consumer", &gateway.consumer), ("provider", &gateway.provider)];
    family(
        out,
        "motcua_exchange_messages",
        "counter",
        "Messages by side and outcome",
    )?;
    for (side, figures) in sides {
        let answered = ("answered", figures.answered);
        let refused = figures.refused.iter().map(|(code, many)| (code.as_str(), *many));
        for (outcome, many) in std::iter::once(answered).chain(refused) {
            writeln!(
                out,
                "motcua_exchange_messages_total{{side=\"{side}\",outcome=\"{outcome}\"}} {many}"
            )?;
        }
    }
    family(out, "motcua_exchange_in_flight", "gauge", "Messages in hand")?;
    for (side, figures) in sides {
        writeln!(
            out,
            "motcua_exchange_in_flight{{side=\"{side}\"}} {}",
            figures.in_flight
        )?;
    }
    family(
        out,
        "motcua_exchange_bytes",
        "counter",
        "Bytes of bodies by side and direction",
    )?;
    for (side, figures) in sides {
        for (direction, bytes) in [("request", figures.request_bytes), ("response", figures.response_bytes)] {
            writeln!(
                out,
                "motcua_exchange_bytes_total{{side=\"{side}\",direction=\"{direction}\"}} {bytes}"
            )?;
        }
    }
    family(
        out,
        "motcua_exchange_message_seconds",
        "histogram",
        "From the head of a request to the head of its answer",
    )?;
    sides
        .into_iter()
        .try_for_each(|(side, figures)| durations(out, side, figures))
}

fn durations(out: &mut String, side: &str, figures: &Side) -> std::fmt::Result {
    let name = "motcua_exchange_message_seconds";
    let mut below = 0;
    let bounds = BOUNDS.iter().map(|micros| (*micros as f64 / 1e6).to_string());
    for (bound, many) in bounds.chain(["+Inf".to_owned()]).zip(figures.duration.classes) {
        below += many;
        writeln!(out, "{name}_bucket{{side=\"{side}\",le=\"{bound}\"}} {below}")?;
    }
    writeln!(
        out,
        "{name}_sum{{side=\"{side}\"}} {}",
        figures.duration.sum as f64 / 1e6
    )?;
    writeln!(out, "{name}_count{{side=\"{side}\"}} {below}")
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}.\n# TYPE {name} {kind}")
}

fn gauge(out: &mut String, name: &str, help: &str, values: &[(&str, f64)]) -> std::fmt::Result {
    family(out, name, "gauge", help)?;
    values
        .iter()
        .try_for_each(|(labels, value)| writeln!(out, "{name}{} {value}", braced(labels)))
}

fn counter(out: &mut String, name: &str, help: &str, values: &[(&str, u64)]) -> std::fmt::Result {
    family(out, name, "counter", help)?;
    values
        .iter()
        .try_for_each(|(labels, value)| writeln!(out, "{name}_total{} {value}", braced(labels)))
}

fn braced(labels: &str) -> String {
    if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.micros() as f64 / 1e6
}

/// The free share of the disk of the data folder, 0 to 1.
fn disk_free(node: &Node) -> Option<f64> {
    let disk = rustix::fs::statvfs(&node.config().data).ok()?;
    (disk.f_blocks > 0).then(|| disk.f_bavail as f64 / disk.f_blocks as f64)
}

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
    use super::*;

    #[test]
    fn a_histogram_counts_upwards_to_all() {
        let mut figures = Side::default();
        figures.duration.classes[0] = 3;
        figures.duration.classes[BOUNDS.len()] = 2;
        figures.duration.sum = 1_500_000;
        let mut out = String::new();
        durations(&mut out, "consumer", &figures).expect("a string");
        assert!(out.contains("_bucket{side=\"consumer\",le=\"0.00025\"} 3\n"), "{out}");
        assert!(out.contains("_bucket{side=\"consumer\",le=\"16\"} 3\n"), "{out}");
        assert!(out.contains("_bucket{side=\"consumer\",le=\"+Inf\"} 5\n"), "{out}");
        assert!(
            out.ends_with("_sum{side=\"consumer\"} 1.5\nmotcua_exchange_message_seconds_count{side=\"consumer\"} 5\n")
        );
    }

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
