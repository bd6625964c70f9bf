//! Figures for Prometheus that are read when they are asked for; those that are counted as things happen are in
//! [`crate::metrics`]. Both are written by `prometheus-client`.

use std::fmt;

use ::exchange::{
    gateway::{BOUNDS, Histogram, Side},
    model::federation::Freshness,
};
use base::Timestamp;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder},
    metrics::{MetricType, exemplar::Exemplar},
};

use super::disk_free;
use crate::{exchange::Watched, ledger::Guarded, node::Node, traces::Exported};

/// All figures in the text format of OpenMetrics.
///
/// # Errors
/// Formatting failed, which writing to a string does not.
pub async fn figures(node: &Node) -> Result<String, fmt::Error> {
    node.metrics.text(Standing::of(node).await)
}

/// How a node stands.
#[derive(Debug, Default)]
pub struct Standing(Vec<Family>);

/// Figures of one name. `help` is a sentence without its end.
#[derive(Debug)]
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Samples,
}

type Labels = Vec<(&'static str, String)>;

#[derive(Debug)]
enum Samples {
    /// What only grows since the start; its samples end in `_total`.
    Counter(Vec<(Labels, u64)>),
    Gauge(Vec<(Labels, f64)>),
    Seconds(Vec<(Labels, Histogram)>),
}

impl Collector for Standing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Family { name, help, samples } in &self.0 {
            let kind = match samples {
                Samples::Counter(_) => MetricType::Counter,
                Samples::Gauge(_) => MetricType::Gauge,
                Samples::Seconds(_) => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(name, &format!("{help}."), None, kind)?;
            match samples {
                Samples::Counter(all) => each(&mut metric, all, |metric, value| {
                    metric.encode_counter(value, None::<&Exemplar<Labels, u64>>)
                }),
                Samples::Gauge(all) => each(&mut metric, all, |metric, value| metric.encode_gauge(value)),
                Samples::Seconds(all) => each(&mut metric, all, durations),
            }?;
        }
        Ok(())
    }
}

fn each<T>(
    metric: &mut MetricEncoder<'_>,
    all: &[(Labels, T)],
    write: impl Fn(&mut MetricEncoder<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    all.iter().try_for_each(|(labels, value)| match labels.is_empty() {
        true => write(metric, value),
        false => write(&mut metric.encode_family(labels)?, value),
    })
}

fn durations(metric: &mut MetricEncoder<'_>, histogram: &Histogram) -> fmt::Result {
    let bounds = BOUNDS.iter().map(|micros| *micros as f64 / 1e6);
    let classes: Vec<_> = bounds.chain([f64::INFINITY]).zip(histogram.classes).collect();
    let exemplars: Option<&std::collections::HashMap<usize, Exemplar<Labels, f64>>> = None;
    metric.encode_histogram(histogram.sum as f64 / 1e6, histogram.count(), &classes, exemplars)
}

fn seconds(at: Timestamp) -> f64 {
    at.micros() as f64 / 1e6
}

impl Standing {
    async fn of(node: &Node) -> Self {
        let mut standing = Self::default();
        if let Some(guarded) = node.guarded() {
            standing.ledger(guarded);
        }
        standing.jobs(node).await;
        if let Some(free) = disk_free(node) {
            standing.gauge("disk_free_ratio", "Free share of the disk of the data folder", free);
        }
        if let Some(until) = node.page_certificate().and_then(|page| page.until()) {
            let help = "When the certificate of the pages ends";
            standing.gauge("page_certificate_expiry_timestamp_seconds", help, seconds(until));
        }
        if let Some(traces) = node.traces() {
            standing.traces(traces.exported());
        }
        if let Some(exchange) = node.exchange()
            && let Some(watched) = exchange.watch().await
        {
            standing.exchange(&watched);
        }
        standing
    }

    fn counters(&mut self, name: &'static str, help: &'static str, values: Vec<(Labels, u64)>) {
        let samples = Samples::Counter(values);
        self.0.push(Family { name, help, samples });
    }

    fn counter(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.counters(name, help, vec![(Vec::new(), value)]);
    }

    fn gauges(&mut self, name: &'static str, help: &'static str, values: Vec<(Labels, f64)>) {
        if values.is_empty() {
            return;
        }
        let samples = Samples::Gauge(values);
        self.0.push(Family { name, help, samples });
    }

    fn gauge(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.gauges(name, help, vec![(Vec::new(), value)]);
    }

    fn ledger(&mut self, guarded: &Guarded) {
        let (log, cosigned) = (&guarded.ledger.log, guarded.cosigning.standing());
        let work = log.work();
        self.gauge("ledger_entries", "Entries of the transparency log", log.size() as f64);
        self.counter("ledger_written", "Entries written since the start", work.entries);
        let help = "Batches, each with one sync and one signature";
        self.counter("ledger_batches", help, work.batches);
        if let Some((size, _)) = &cosigned.newest {
            let help = "Entries of the newest cosigned checkpoint";
            self.gauge("ledger_cosigned_entries", help, *size as f64);
        }
        if let Some(at) = cosigned.at() {
            let help = "When the newest cosigned checkpoint was cosigned";
            self.gauge("ledger_cosigned_timestamp_seconds", help, seconds(at));
        }
        let witnesses = |is: fn(&::ledger::witness::Standing) -> bool| {
            let one = |witness| (vec![("witness", named(witness))], f64::from(u8::from(is(witness))));
            cosigned.witnesses.iter().map(one).collect()
        };
        let misses = witnesses(|witness| witness.miss.is_some());
        let accuses = witnesses(|witness| witness.miss.as_ref().is_some_and(|miss| miss.accuses_the_log()));
        self.gauges("ledger_witness_misses", "1 while a witness does not cosign", misses);
        let help = "1 while a witness says that this log was rolled back or forked";
        self.gauges("ledger_witness_accuses", help, accuses);
    }

    async fn jobs(&mut self, node: &Node) {
        let now = node.clock.now();
        let Ok(lag) = node.store.job_lag(now).await else { return };
        let waits = lag.waiting_since.map_or(0.0, |since| seconds(now) - seconds(since));
        self.gauge(
            "jobs_lag_seconds",
            "How long the oldest job that could be done waits",
            waits,
        );
        self.gauge(
            "jobs_failed",
            "Jobs that wait for a person, at most 100",
            lag.failed as f64,
        );
    }

    fn traces(&mut self, exported: Exported) {
        let outcomes = [
            ("exported", exported.exported),
            ("queue_full", exported.queue_full),
            ("not_delivered", exported.not_delivered),
            ("rejected", exported.rejected),
        ];
        let samples = outcomes.map(|(outcome, many)| (vec![("outcome", outcome.to_owned())], many));
        self.counters("traces_spans", "Spans by what became of them", samples.into());
    }

    fn exchange(&mut self, watched: &Watched) {
        let gateway = &watched.gateway;
        self.messages([("consumer", &gateway.consumer), ("provider", &gateway.provider)]);
        let connections = [("accepted", gateway.connections), ("opened", gateway.links_opened)];
        let connections = connections.map(|(kind, many)| (vec![("kind", kind.to_owned())], many));
        self.counters("exchange_connections", "Connections of the gateway", connections.into());
        let bodies = [("memory", gateway.memory), ("disk", gateway.spilled)];
        let bodies = bodies.map(|(place, bytes)| (vec![("place", place.to_owned())], bytes as f64));
        self.gauges("exchange_body_bytes", "Bytes of bodies in hand", bodies.into());
        let help = "Answers delivered that could not be logged here";
        self.counter("exchange_answers_not_logged", help, gateway.answers_not_logged);
        let help = "Messages whose subject rule found no number of a person";
        self.counter("exchange_subjects_unreadable", help, gateway.subjects_unreadable);
        let help = "Records of operational monitoring that were dropped";
        self.counter("exchange_operations_dropped", help, gateway.operations_dropped);

        let state = match watched.freshness {
            Freshness::Fresh => 0.0,
            Freshness::Stale { .. } => 1.0,
            Freshness::Expired { .. } => 2.0,
        };
        self.gauge(
            "directory_state",
            "0 fresh, 1 stale, 2 too old to talk to anybody",
            state,
        );
        self.gauge("directory_version", "Edition of the directory", watched.version as f64);
        let help = "When the edition was issued";
        self.gauge("directory_issued_timestamp_seconds", help, seconds(watched.issued));
        if let Some(until) = watched.certificate_until {
            let help = "When the certificate of the gateway ends";
            self.gauge("certificate_expiry_timestamp_seconds", help, seconds(until));
        }
        if let Some(lag) = watched.journal_lag {
            let help = "Leaves that the journal has not folded";
            self.gauge("journal_lag_entries", help, lag as f64);
        }
    }

    fn messages(&mut self, sides: [(&'static str, &Side); 2]) {
        let side = |side: &str| ("side", side.to_owned());
        let outcomes = |(name, figures): (&'static str, &Side)| {
            let refused = figures.refused.iter().map(|(code, many)| (code.clone(), *many));
            let all = std::iter::once(("answered".to_owned(), figures.answered)).chain(refused);
            all.map(|(outcome, many)| (vec![side(name), ("outcome", outcome)], many))
                .collect::<Vec<_>>()
        };
        let help = "Messages by side and outcome";
        self.counters(
            "exchange_messages",
            help,
            sides.into_iter().flat_map(outcomes).collect(),
        );
        let in_flight = sides.map(|(name, figures)| (vec![side(name)], figures.in_flight as f64));
        self.gauges("exchange_in_flight", "Messages in hand", in_flight.into());
        let bytes = sides.into_iter().flat_map(|(name, figures)| {
            let both = [("request", figures.request_bytes), ("response", figures.response_bytes)];
            both.map(|(direction, bytes)| (vec![side(name), ("direction", direction.to_owned())], bytes))
        });
        self.counters(
            "exchange_bytes",
            "Bytes of bodies by side and direction",
            bytes.collect(),
        );
        let durations = sides.map(|(name, figures)| (vec![side(name)], figures.duration.clone()));
        self.0.push(Family {
            name: "exchange_message_seconds",
            help: "From the head of a request to the head of its answer",
            samples: Samples::Seconds(durations.into()),
        });
    }
}

fn named(witness: &::ledger::witness::Standing) -> String {
    witness.key.name().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn a_histogram_counts_upwards_to_all() {
        let mut side = Side::default();
        side.duration.classes[0] = 3;
        side.duration.classes[BOUNDS.len()] = 2;
        side.duration.sum = 1_500_000;
        let mut standing = Standing::default();
        standing.messages([("consumer", &side), ("provider", &Side::default())]);
        let text = Metrics::default().text(standing).expect("a string");
        crate::watch::strict::read(&text);
        for line in [
            "motcua_exchange_message_seconds_bucket{le=\"0.00025\",side=\"consumer\"} 3",
            "motcua_exchange_message_seconds_bucket{le=\"16.0\",side=\"consumer\"} 3",
            "motcua_exchange_message_seconds_bucket{le=\"+Inf\",side=\"consumer\"} 5",
            "motcua_exchange_message_seconds_sum{side=\"consumer\"} 1.5",
            "motcua_exchange_message_seconds_count{side=\"consumer\"} 5",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
}
