//! Instants of this house in the types of the libraries. Certificates count whole seconds.

use std::time::Duration;

use base::Timestamp;
use rustls::pki_types::UnixTime;
use x509_cert::time::Time;

/// Whole seconds; an instant before the epoch is the epoch.
pub(crate) fn since_epoch(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.micros().div_euclid(1_000_000)).unwrap_or(0))
}

pub(crate) fn to_unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(since_epoch(at))
}

pub(crate) fn from_unix(at: UnixTime) -> Timestamp {
    from_seconds(at.as_secs())
}

pub(crate) fn from_x509(at: Time) -> Timestamp {
    from_seconds(at.to_unix_duration().as_secs())
}

pub(crate) fn from_seconds(seconds: u64) -> Timestamp {
    Timestamp::default().plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}
