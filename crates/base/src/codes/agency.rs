//! Codes of agencies, in the two notations that circulate side by side.

use std::{collections::HashMap, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{CodeError, TaxCode, is_shaped, text_code};
use crate::refusal::{Problems, Result as Refusable};

/// The code of an agency (mã định danh cơ quan), in capitals, in either notation of [`Notation`]. A code is never re-used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgencyCode(String);

text_code!(AgencyCode);

/// How an agency code is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notation {
    /// QCVN 102:2016/BTTTT: 13 characters in four groups, level 1 rightmost: `000.00.12.H41`.
    Qcvn102,
    /// Decision 20/2020/QĐ-TTg: groups from left to right, level 1 first, up to 35 characters: `H29.1.2`.
    Decision20,
    /// Decision 20/2020/QĐ-TTg: an organisation of another scheme: `Z` and two digits, then up to 32 characters.
    Scheme,
    /// Decision 20/2020/QĐ-TTg: an enterprise or co-operative, by its registration code.
    Enterprise,
}

impl AgencyCode {
    /// Which notation it is written in.
    pub fn notation(&self) -> Notation {
        if is_shaped(&self.0, QCVN102) {
            Notation::Qcvn102
        } else if self.0.starts_with('Z') {
            Notation::Scheme
        } else if self.0.starts_with(|c: char| c.is_ascii_digit()) {
            Notation::Enterprise
        } else {
            Notation::Decision20
        }
    }

    /// The ministry, province or other body of level 1 that it belongs to: `H41`. None outside the state's own notations.
    pub fn root(&self) -> Option<&str> {
        match self.notation() {
            Notation::Qcvn102 => self.0.get(10..),
            Notation::Decision20 => self.0.split('.').next(),
            Notation::Scheme | Notation::Enterprise => None,
        }
    }

    /// The level of the agency, 1 at the top. None outside the state's own notations.
    pub fn level(&self) -> Option<usize> {
        match self.notation() {
            Notation::Qcvn102 => {
                let unused = self
                    .0
                    .split('.')
                    .take_while(|group| group.bytes().all(|c| c == b'0'))
                    .count();
                Some(4 - unused)
            }
            Notation::Decision20 => Some(self.0.split('.').count()),
            Notation::Scheme | Notation::Enterprise => None,
        }
    }
}

const QCVN102: &str = "***.**.**.A99";

impl FromStr for AgencyCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let code = text.trim().to_ascii_uppercase();
        if is_shaped(&code, QCVN102) && code.get(10..).is_some_and(is_root) {
            return Ok(Self(code));
        }
        let mut groups = code.split('.');
        let first = groups.next().unwrap_or_default();
        let well_formed =
            |group: &str| !group.is_empty() && group.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
        if code.len() <= 35 && is_root(first) && groups.clone().all(well_formed) {
            return Ok(Self(code));
        }
        let scheme = first
            .get(..3)
            .is_some_and(|z| is_shaped(z, "A99") && z.starts_with('Z') && z != "Z00");
        if scheme
            && code.len() > 3
            && code.len() <= 35
            && code
                .trim_start_matches(|c| c != '.')
                .split('.')
                .skip(1)
                .all(well_formed)
            && well_formed(first)
        {
            return Ok(Self(code));
        }
        if let Ok(enterprise) = code.parse::<TaxCode>() {
            return Ok(Self(enterprise.into()));
        }
        Err(CodeError::new(
            "not-an-agency-code",
            "Mã định danh cơ quan có dạng H29.1.2 (Quyết định 20/2020/QĐ-TTg) hoặc 000.00.12.H41 (QCVN 102:2016/BTTTT).",
            "An agency code looks like H29.1.2 (Decision 20/2020/QĐ-TTg) or 000.00.12.H41 (QCVN 102:2016/BTTTT).",
        ))
    }
}

/// `MX1X2` of level 1, M from A to Y.
fn is_root(group: &str) -> bool {
    is_shaped(group, "A99") && !group.starts_with('Z')
}

/// Which code in one notation is which in the other. The two were given out independently, so only a table knows; turning
/// the groups round would give codes of other agencies.
#[derive(Debug, Clone, Default)]
pub struct AgencyCodeTable {
    other: HashMap<AgencyCode, AgencyCode>,
}

impl AgencyCodeTable {
    /// A table from pairs (QCVN 102, Decision 20).
    ///
    /// # Errors
    /// Every pair whose sides are not in these notations, or that has a side which another pair has.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (AgencyCode, AgencyCode)>) -> Refusable<Self> {
        let (mut table, mut problems) = (Self::default(), Problems::new());
        for (old, new) in pairs {
            if old.notation() != Notation::Qcvn102 || new.notation() == Notation::Qcvn102 {
                problems.add(
                    "wrong-notation",
                    old.as_str(),
                    format!("Cặp mã {old} và {new} không đúng thứ tự QCVN 102, Quyết định 20."),
                    format!("The pair {old} and {new} is not in the order QCVN 102, Decision 20."),
                );
                continue;
            }
            if let Some(twice) = [&old, &new].into_iter().find(|code| table.other.contains_key(*code)) {
                problems.add(
                    "duplicate",
                    twice.as_str(),
                    format!("Mã {twice} xuất hiện hai lần trong bảng chuyển đổi."),
                    format!("The code {twice} appears twice in the conversion table."),
                );
                continue;
            }
            table.other.insert(old.clone(), new.clone());
            table.other.insert(new, old);
        }
        problems.into_result().map(|()| table)
    }

    /// The same agency in QCVN 102, where the table knows it.
    pub fn to_qcvn102<'a>(&'a self, code: &'a AgencyCode) -> Option<&'a AgencyCode> {
        if code.notation() == Notation::Qcvn102 {
            Some(code)
        } else {
            self.other.get(code)
        }
    }

    /// The same agency in the notation of Decision 20, where the table knows it.
    pub fn to_decision20<'a>(&'a self, code: &'a AgencyCode) -> Option<&'a AgencyCode> {
        if code.notation() == Notation::Qcvn102 {
            self.other.get(code)
        } else {
            Some(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> AgencyCode {
        text.parse().expect(text)
    }

    #[test]
    fn both_notations_are_read() {
        for (text, notation, root, level) in [
            ("000.00.00.H12", Notation::Qcvn102, Some("H12"), Some(1)),
            ("000.00.12.H41", Notation::Qcvn102, Some("H41"), Some(2)),
            ("002.00.20.H13", Notation::Qcvn102, Some("H13"), Some(4)),
            ("000.W0.20.H13", Notation::Qcvn102, Some("H13"), Some(3)),
            ("H29", Notation::Decision20, Some("H29"), Some(1)),
            ("H29.1.2", Notation::Decision20, Some("H29"), Some(3)),
            ("g12.18", Notation::Decision20, Some("G12"), Some(2)),
            ("Z01.ABC.9", Notation::Scheme, None, None),
            ("Z99X", Notation::Scheme, None, None),
            ("0314409058-002", Notation::Enterprise, None, None),
        ] {
            let code = code(text);
            assert_eq!(
                (code.notation(), code.root(), code.level()),
                (notation, root, level),
                "{text}"
            );
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "H2",
            "H291",
            "Z00.1",
            "Z01",
            "H29.",
            "H29..1",
            "H29.1-2",
            ".H29",
            "H29.á",
            "000.00.00.Z12",
            "0.0.0.H12",
            &format!("H29.{}", "1".repeat(32)),
        ] {
            assert!(text.parse::<AgencyCode>().is_err(), "{text}");
        }
        assert!(
            format!("H29.{}", "1".repeat(31)).parse::<AgencyCode>().is_ok(),
            "35 characters"
        );
    }

    #[test]
    fn only_the_table_converts() {
        let table = AgencyCodeTable::from_pairs([
            (code("000.00.12.H41"), code("H41.7")),
            (code("000.00.00.H41"), code("H41")),
        ])
        .expect("a sound table");
        assert_eq!(table.to_decision20(&code("000.00.12.H41")), Some(&code("H41.7")));
        assert_eq!(table.to_qcvn102(&code("H41.7")), Some(&code("000.00.12.H41")));
        assert_eq!(
            table.to_qcvn102(&code("H41.12")),
            None,
            "never by turning the text round"
        );
        assert_eq!(table.to_decision20(&code("H99")), Some(&code("H99")));
        let refused = AgencyCodeTable::from_pairs([
            (code("H41"), code("000.00.00.H41")),
            (code("000.00.00.H41"), code("H41")),
            (code("000.00.00.H41"), code("H42")),
        ]);
        let refused = refused.expect_err("two problems");
        let codes: Vec<&str> = refused
            .problems()
            .into_iter()
            .flatten()
            .map(|p| p.code.as_str())
            .collect();
        assert_eq!(codes, ["wrong-notation", "duplicate"]);
    }
}
