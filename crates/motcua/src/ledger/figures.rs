//! Figures of the log for Prometheus.

use std::sync::atomic::AtomicU64;

use base::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use super::cosigning::Cosigned;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Witness {
    witness: String,
}

type Whole = Gauge<u64, AtomicU64>;

/// The figures of the log of this process. Clones are the same ones.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    size: Whole,
    cosigned_size: Whole,
    cosigned_at: Whole,
    misses: Family<Witness, Whole>,
    accuses: Family<Witness, Whole>,
}

impl Figures {
    /// Names them in a registry.
    pub fn register(&self, registry: &mut Registry) {
        let all = [
            ("ledger_entries", "Entries of the log", &self.size),
            (
                "ledger_cosigned_entries",
                "Entries of the newest cosigned checkpoint",
                &self.cosigned_size,
            ),
            (
                "ledger_cosigned_timestamp_seconds",
                "When the newest cosigned checkpoint was cosigned",
                &self.cosigned_at,
            ),
        ];
        for (name, help, gauge) in all {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            "ledger_witness_misses",
            "1 while a witness does not cosign",
            self.misses.clone(),
        );
        registry.register(
            "ledger_witness_accuses",
            "1 while a witness says that this log was rolled back or forked",
            self.accuses.clone(),
        );
    }

    /// Shows how it stands.
    pub(super) fn show(&self, size: u64, cosigned: &Cosigned) {
        self.size.set(size);
        if let Some((size, _)) = &cosigned.newest {
            self.cosigned_size.set(*size);
            let seconds = cosigned.at().map(Timestamp::micros).unwrap_or_default() / 1_000_000;
            self.cosigned_at.set(u64::try_from(seconds).unwrap_or(0));
        }
        self.misses.clear();
        self.accuses.clear();
        for standing in &cosigned.witnesses {
            let label = Witness {
                witness: standing.key.name().to_owned(),
            };
            let accuses = standing.miss.as_ref().is_some_and(|miss| miss.accuses_the_log());
            self.misses
                .get_or_create(&label)
                .set(u64::from(standing.miss.is_some()));
            self.accuses.get_or_create(&label).set(u64::from(accuses));
        }
    }
}
