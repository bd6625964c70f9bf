//! Closed lists that forms share: ethnicities and countries.

use std::sync::LazyLock;

use base::{Text, text::fold};

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The code that is stored.
    pub code: String,
    /// The name.
    pub name: Text,
}

static ETHNICITIES: LazyLock<Vec<Entry>> = LazyLock::new(|| read(include_str!("ethnicities.csv")));
static COUNTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut list = read(include_str!("countries.csv"));
    // Viet Nam first, the others as a Vietnamese reader looks them up.
    list.sort_by_cached_key(|e| (e.code != "VN", fold(&e.name.vi)));
    list
});

/// The ethnicities (dân tộc) of Decision 121-TCTK/PPCĐ of 1979, and `00` for any other.
pub fn ethnicities() -> &'static [Entry] {
    &ETHNICITIES
}

/// The countries of ISO 3166-1, alpha-2 codes, Viet Nam first.
pub fn countries() -> &'static [Entry] {
    &COUNTRIES
}

fn read(text: &str) -> Vec<Entry> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter_map(|line| {
            let mut parts = line.splitn(3, ',');
            let (code, vi) = (parts.next()?, parts.next()?);
            let en = parts.next().filter(|en| !en.is_empty()).unwrap_or(vi);
            Some(Entry {
                code: code.to_owned(),
                name: Text::new(vi, en),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole_and_their_codes_are_unique() {
        for (list, least) in [(ethnicities(), 55), (countries(), 190)] {
            assert!(list.len() >= least, "{}", list.len());
            let codes: std::collections::BTreeSet<_> = list.iter().map(|e| &e.code).collect();
            assert_eq!(codes.len(), list.len());
            assert!(list.iter().all(|e| e.code.len() == 2 && !e.name.vi.is_empty()));
        }
        assert_eq!(countries()[0].code, "VN");
    }
}
