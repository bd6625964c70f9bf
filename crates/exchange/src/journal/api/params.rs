//! What is asked, by the API and by pages alike.

use base::{Problems, Result, Timestamp, codes::CodeError};
use identity::Cursor;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::journal::{
    messages::{Filter, Place},
    operations::OpQuery,
    tracker::ReadFilter,
};

/// What is looked for; blank fields ask nothing. The pages take the same.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(in crate::journal) struct Asked {
    /// Who asked: `VN/GOV/000.00.00.H26/motcua`.
    pub client: String,
    /// What was asked: `VN/GOV/000.00.00.G22/dvcqg/hoso`.
    pub service: String,
    /// `X-Road-Id`.
    pub message_id: String,
    /// `X-Road-Request-Id`.
    pub request_id: String,
    /// From this time on (RFC 3339), or from this date on (`2026-11-21`).
    pub from: String,
    /// Before this time (RFC 3339), or until the end of this date.
    pub to: String,
    /// Where a page of the site begins.
    #[param(ignore)]
    pub cursor: Cursor,
}

impl Asked {
    /// Reads everything.
    ///
    /// # Errors
    /// `Invalid` with each field that is not what it should be.
    pub(in crate::journal) fn filter(&self) -> Result<Filter> {
        let mut problems = Problems::new();
        let filter = Filter {
            client: read(&self.client, "client", str::parse, &mut problems),
            service: read(&self.service, "service", str::parse, &mut problems),
            message_id: Some(self.message_id.trim().to_owned()).filter(|id| !id.is_empty()),
            request_id: read(&self.request_id, "request_id", uuid, &mut problems),
            from: read(&self.from, "from", |text| time(text, false), &mut problems),
            to: read(&self.to, "to", |text| time(text, true), &mut problems),
            before: placed(&self.cursor, Place::parse, &mut problems),
            most: None,
        };
        problems.into_result().map(|()| filter)
    }

    /// The query that asks the same, without a place in the list.
    pub(in crate::journal) fn query(&self) -> String {
        let fields = [
            ("client", &self.client),
            ("service", &self.service),
            ("message_id", &self.message_id),
            ("request_id", &self.request_id),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
        given
            .map(|(name, value)| format!("&{name}={}", encoded(value)))
            .collect()
    }
}

/// A value as it stands in a query.
pub(in crate::journal) fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/' | b':');
    text.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// A field that may be blank; what is wrong with it goes to its place.
pub(in crate::journal) fn read<T, E: Into<CodeError>>(
    text: &str,
    at: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    problems: &mut Problems,
) -> Option<T> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    parse(text).map_err(|error| error.into().add_to(problems, at)).ok()
}

pub(in crate::journal) fn uuid(text: &str) -> Result<Uuid, CodeError> {
    text.parse().map_err(|_| {
        CodeError::new(
            "not-a-uuid",
            "X-Road-Request-Id có dạng UUID, ví dụ 11111111-1111-4111-8111-111111111111.",
            "X-Road-Request-Id is a UUID, such as 11111111-1111-4111-8111-111111111111.",
        )
    })
}

/// An instant, or a date in legal time: its beginning, or its end.
fn time(text: &str, end: bool) -> Result<Timestamp, CodeError> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    let bad = || {
        CodeError::new(
            "not-a-time",
            "Thời điểm theo RFC 3339 (2026-11-21T15:04:05+07:00) hoặc ngày (2026-11-21).",
            "A time in RFC 3339 (2026-11-21T15:04:05+07:00), or a date (2026-11-21).",
        )
    };
    let date = text.parse::<jiff::civil::Date>().map_err(|_| bad())?;
    let date = if end { date.tomorrow().map_err(|_| bad())? } else { date };
    Ok(Timestamp::from_legal(date.to_datetime(jiff::civil::Time::midnight())))
}

/// Where a list goes on; what is wrong with that goes to its place.
fn placed<T>(cursor: &Cursor, parse: impl FnOnce(&str) -> Option<T>, problems: &mut Problems) -> Option<T> {
    cursor.place(parse).unwrap_or_else(|error| {
        problems.extend(error.problems().cloned().unwrap_or_default());
        None
    })
}

/// Which reads of one's data.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(in crate::journal) struct ReadsAsked {
    /// From this time on (RFC 3339), or from this date on.
    pub from: String,
    /// Until this time, or until the end of this date.
    pub to: String,
    /// Where a page of the site begins.
    #[param(ignore)]
    pub cursor: Cursor,
}

impl ReadsAsked {
    /// Reads everything.
    ///
    /// # Errors
    /// `Invalid` with each field that is not what it should be.
    pub(in crate::journal) fn filter(&self) -> Result<ReadFilter> {
        let mut problems = Problems::new();
        let filter = ReadFilter {
            from: read(&self.from, "from", |text| time(text, false), &mut problems),
            to: read(&self.to, "to", |text| time(text, true), &mut problems),
            before: placed(&self.cursor, read_reads_place, &mut problems),
            most: None,
        };
        problems.into_result().map(|()| filter)
    }
}

/// Reads [`reads_place`].
pub(in crate::journal) fn read_reads_place(text: &str) -> Option<(Timestamp, usize)> {
    let (at, shown) = text.split_once('.')?;
    let at = Timestamp::from_micros(at.parse().ok()?);
    Some((at, shown.parse::<u16>().ok()?.into()))
}

/// A place in the list of one's reads, as it stands in an address.
pub(in crate::journal) fn reads_place((at, shown): (Timestamp, usize)) -> String {
    format!("{}.{shown}", at.micros())
}

/// Which records of operational monitoring.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct OpAsked {
    /// From this time on (RFC 3339), or from this date on; a day before the end without it.
    from: String,
    /// Before this time, or until the end of this date; now without it.
    to: String,
    /// Only of this client.
    client: String,
    /// Only of this service.
    service: String,
}

impl OpAsked {
    pub(super) fn query(&self) -> Result<OpQuery> {
        let mut problems = Problems::new();
        let query = OpQuery {
            from: read(&self.from, "from", |text| time(text, false), &mut problems),
            to: read(&self.to, "to", |text| time(text, true), &mut problems),
            client: read(&self.client, "client", str::parse, &mut problems),
            service: read(&self.service, "service", str::parse, &mut problems),
            after: None,
            most: None,
        };
        problems.into_result().map(|()| query)
    }
}
