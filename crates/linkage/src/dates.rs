//! Dates and times out of text, as `strptime` (DuckDB) and `to_timestamp` (Spark) read them.

use jiff::{civil::DateTime, fmt::strtime::BrokenDownTime};

/// Seconds since 1970 of a text in a format: `%d/%m/%Y`, or the pattern letters of Java (`dd/MM/yyyy`) where there is no
/// per cent sign. `None` where the text is no such date: 30/02 has none.
pub(crate) fn parse(text: &str, format: &str) -> Option<f64> {
    if format.contains('%') {
        parse_strptime(text, format)
    } else {
        parse_strptime(text, &from_java(format))
    }
}

/// Seconds since 1970 of an ISO 8601 date or time: `1990-02-03`, `1990-02-03 04:05:06`.
pub(crate) fn parse_iso(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches('Z');
    text.parse::<DateTime>().ok().map(seconds)
}

/// The date of so many seconds since 1970.
pub(crate) fn date_of(seconds: f64) -> Option<jiff::civil::Date> {
    let whole = seconds.floor();
    if whole.abs() > 4e11 {
        return None;
    }
    let at = jiff::Timestamp::from_second(whole as i64).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(at).date())
}

fn parse_strptime(text: &str, format: &str) -> Option<f64> {
    // A literal Z at the end says UTC, which is what a time without an offset means here.
    let (text, format) = match (format.strip_suffix('Z'), text.strip_suffix('Z')) {
        (Some(format), Some(text)) => (text, format),
        (Some(_), None) => return None,
        (None, _) => (text, format),
    };
    let broken = BrokenDownTime::parse(format, text.trim()).ok()?;
    let shift = broken.offset().map_or(0.0, |offset| f64::from(offset.seconds()));
    let at = match broken.to_datetime() {
        Ok(at) => at,
        Err(_) => broken.to_date().ok()?.at(0, 0, 0, 0),
    };
    Some(seconds(at) - shift)
}

fn seconds(at: DateTime) -> f64 {
    let offset = jiff::tz::Offset::UTC;
    offset.to_timestamp(at).map_or(f64::NAN, |t| t.as_second() as f64)
}

/// The pattern letters of Java as those of C.
fn from_java(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    const LETTERS: [(&str, &str); 8] = [
        ("yyyy", "%Y"),
        ("MM", "%m"),
        ("dd", "%d"),
        ("HH", "%H"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("XXX", "%:z"),
        ("'", ""),
    ];
    while let Some(c) = rest.chars().next() {
        match LETTERS.iter().find(|(java, _)| rest.starts_with(java)) {
            Some((java, c)) => {
                out.push_str(c);
                rest = &rest[java.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_duckdb_reads_them() {
        assert_eq!(parse("1990-02-03", "%Y-%m-%d"), Some(634_003_200.0));
        assert_eq!(parse("1990-2-3", "%Y-%m-%d"), Some(634_003_200.0));
        assert_eq!(parse("19900203", "%Y%m%d"), Some(634_003_200.0));
        assert_eq!(parse("03/02/1990", "dd/MM/yyyy"), Some(634_003_200.0));
        assert_eq!(parse("1990-02-03T00:00:01Z", "%Y-%m-%dT%H:%M:%SZ"), Some(634_003_201.0));
        assert_eq!(
            parse("1990-02-03T07:00:00+07:00", "yyyy-MM-dd'T'HH:mm:ssXXX"),
            Some(634_003_200.0)
        );
        assert_eq!(parse("1990-02-30", "%Y-%m-%d"), None);
        assert_eq!(parse("1990-02-03x", "%Y-%m-%d"), None);
        assert_eq!(parse_iso("1990-02-03"), Some(634_003_200.0));
        assert_eq!(date_of(634_003_200.0), Some(jiff::civil::date(1990, 2, 3)));
    }
}
