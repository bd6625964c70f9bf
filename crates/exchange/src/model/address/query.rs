//! Looking into a query without changing it.

use crate::model::escape;

/// One parameter of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// As it stands between the `&`.
    pub raw: &'a str,
    /// The name, decoded where it can be.
    pub name: String,
    /// The value, decoded where it can be. A `+` is a plus: identifiers and times have it.
    pub value: String,
}

/// The parameters in their order; empty ones too.
pub fn parameters(query: &str) -> impl Iterator<Item = Parameter<'_>> {
    query.split('&').map(|raw| {
        let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
        Parameter {
            raw,
            name: decoded(name),
            value: decoded(value),
        }
    })
}

fn decoded(raw: &str) -> String {
    if !raw.contains('%') {
        return raw.to_owned();
    }
    escape::decode_lenient(raw).unwrap_or_else(|| raw.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let found: Vec<_> = parameters("a=1&dst%63ode=VN%3AGOV&b&=c&&d=x%zz&e=1+2&f=[%C3%A1]")
            .map(|p| (p.name, p.value))
            .collect();
        let expected = [
            ("a", "1"),
            ("dstcode", "VN:GOV"),
            ("b", ""),
            ("", "c"),
            ("", ""),
            ("d", "x%zz"),
            ("e", "1+2"),
            ("f", "[á]"),
        ];
        assert_eq!(found, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }
}
