//! Grants.

use std::{collections::BTreeSet, fmt};

use base::{Problems, Timestamp};
use serde::{Deserialize, Serialize};

use super::{FieldMask, Pattern, Rate};
use crate::model::{
    identifier::{ServiceId, SubsystemId},
    method::Method,
    purpose::Purpose,
};

base::typed_id!(
    /// A grant (quyền truy cập).
    GrantKind as GrantId);

/// Which methods.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Methods {
    /// All of them: X-Road's `*`.
    Any,
    /// These.
    Only(BTreeSet<Method>),
}

impl Methods {
    /// Some.
    pub fn of(methods: impl IntoIterator<Item = Method>) -> Self {
        Self::Only(methods.into_iter().collect())
    }

    /// Whether it is one of them.
    pub fn has(&self, method: Method) -> bool {
        match self {
            Self::Any => true,
            Self::Only(methods) => methods.contains(&method),
        }
    }

    /// As X-Road lists them: `*`, or a name for each.
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Any => vec!["*"],
            Self::Only(methods) => methods.iter().map(|m| m.as_str()).collect(),
        }
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantState {
    /// The consumer asked for it; the provider has not answered.
    Requested,
    /// The provider refused it, on a legal ground.
    Refused,
    /// It holds, from its first day to its last.
    Active,
    /// The provider has suspended it.
    Suspended,
    /// One of the two has ended it.
    Ended,
}

/// What a provider lets a consumer do (Decree 194/2025/NĐ-CP; Decree 47/2020/NĐ-CP before).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which.
    pub id: GrantId,
    /// Who may call.
    pub consumer: SubsystemId,
    /// What.
    pub service: ServiceId,
    /// By which methods.
    pub methods: Methods,
    /// On which paths.
    pub path: Pattern,
    /// For which purposes. For none, nothing is granted.
    pub purposes: BTreeSet<Purpose>,
    /// The provision of law that lets the consumer have the data: `Điều 11 Luật Căn cước 26/2023/QH15`.
    pub legal_basis: String,
    /// Holds from this instant on.
    pub from: Timestamp,
    /// Holds before this instant.
    pub to: Timestamp,
    /// How often; without one, as often as the node can.
    pub rate: Option<Rate>,
    /// Which fields of a JSON answer; without one, all.
    pub mask: Option<FieldMask>,
    /// Where it stands.
    pub state: GrantState,
}

impl Grant {
    /// What keeps it from being a grant that somebody could approve, each problem at its field.
    pub fn problems(&self) -> Problems {
        let mut problems = Problems::new();
        if self.purposes.is_empty() {
            problems.add(
                "required",
                "purposes",
                "Nêu ít nhất một mục đích.",
                "Name at least one purpose.",
            );
        }
        if self.legal_basis.trim().is_empty() {
            problems.add(
                "required",
                "legal_basis",
                "Ghi căn cứ pháp lý: điều, khoản, văn bản.",
                "Give the legal basis: article, clause, document.",
            );
        }
        if self.methods == Methods::of([]) {
            problems.add(
                "required",
                "methods",
                "Chọn ít nhất một phương thức.",
                "Choose at least one method.",
            );
        }
        if self.from >= self.to {
            problems.add(
                "ends-before-it-begins",
                "to",
                "Ngày kết thúc phải sau ngày bắt đầu.",
                "The end has to be after the beginning.",
            );
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_says_what_it_lacks() {
        let grant = Grant {
            id: GrantId::new(Timestamp::from_micros(0)),
            consumer: "VN/GOV/H26/motcua".parse().expect("a subsystem"),
            service: "VN/GOV/G22/dvcqg/hoso".parse().expect("a service"),
            methods: Methods::of([]),
            path: "**".parse().expect("a pattern"),
            purposes: BTreeSet::new(),
            legal_basis: " ".to_owned(),
            from: Timestamp::from_micros(1),
            to: Timestamp::from_micros(1),
            rate: None,
            mask: None,
            state: GrantState::Requested,
        };
        let places: Vec<String> = grant.problems().iter().map(|p| p.at.clone()).collect();
        assert_eq!(places, ["purposes", "legal_basis", "methods", "to"]);
    }
}
