//! Numbers that the owner of a registry gives itself (`[[allocate]]` in registry.toml): of a new record that is ordered without one.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{DataType, Field, FieldPath, Filter, Identifier, Operator, rule::known};
use crate::check::Sink;

const FILE: &str = super::folder::FILE;
/// Levels of benefit on health insurance cards.
const LEVELS: std::ops::RangeInclusive<u8> = 1..=5;

/// A field whose value the registry gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// The field.
    pub field: FieldPath,
    /// By which rule.
    pub rule: AllocationRule,
}

/// How a number is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllocationRule {
    /// A personal number (số định danh cá nhân): province, century and sex, year of birth, six random digits (Law on Identity
    /// 26/2023/QH15; Decree 70/2024/NĐ-CP).
    PersonNumber {
        /// The field with the code of the province in which the birth is registered.
        province: FieldPath,
        /// The field with the date of birth, of which the year is enough.
        birth_date: FieldPath,
        /// The field with the sex.
        sex: FieldPath,
    },
    /// A social insurance number (mã số bảo hiểm xã hội): ten random digits, since no structure of it is published (Decision
    /// 595/QĐ-BHXH).
    InsuranceNumber,
    /// The code of an enterprise, which is its tax code (mã số doanh nghiệp, mã số thuế): nine random digits and the check of them (Law on
    /// Enterprises 59/2020/QH14, Article 29). The ranges of the tax authority's offices are not published.
    TaxCode,
    /// The number of a health insurance card (Decision 1351/QĐ-BHXH): group, level of benefit, province, insurance number.
    HealthCard {
        /// The field with the letters of the group.
        group: FieldPath,
        /// The level of benefit of each group.
        benefit: BTreeMap<String, u8>,
        /// A field that begins with the code of the province.
        province: FieldPath,
        /// The field with the social insurance number.
        insurance_number: FieldPath,
    },
    /// The next number among the records that have the rest of the key in common: in one book.
    Serial,
}

/// `[[allocate]]` as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum RawAllocation {
    PersonNumber {
        field: FieldPath,
        province: FieldPath,
        birth_date: FieldPath,
        sex: FieldPath,
    },
    InsuranceNumber {
        field: FieldPath,
    },
    TaxCode {
        field: FieldPath,
    },
    HealthCard {
        field: FieldPath,
        group: FieldPath,
        benefit: BTreeMap<String, u8>,
        province: FieldPath,
        insurance_number: FieldPath,
    },
    Serial {
        field: FieldPath,
    },
}

impl RawAllocation {
    fn read(self) -> Allocation {
        let (field, rule) = match self {
            Self::PersonNumber {
                field,
                province,
                birth_date,
                sex,
            } => {
                let rule = AllocationRule::PersonNumber {
                    province,
                    birth_date,
                    sex,
                };
                (field, rule)
            }
            Self::InsuranceNumber { field } => (field, AllocationRule::InsuranceNumber),
            Self::TaxCode { field } => (field, AllocationRule::TaxCode),
            Self::HealthCard {
                field,
                group,
                benefit,
                province,
                insurance_number,
            } => {
                let rule = AllocationRule::HealthCard {
                    group,
                    benefit,
                    province,
                    insurance_number,
                };
                (field, rule)
            }
            Self::Serial { field } => (field, AllocationRule::Serial),
        };
        Allocation { field, rule }
    }
}

impl AllocationRule {
    /// The fields that it reads, of which each has to have a value.
    pub fn needs(&self) -> Vec<&FieldPath> {
        match self {
            Self::PersonNumber {
                province,
                birth_date,
                sex,
            } => vec![province, birth_date, sex],
            Self::HealthCard {
                group,
                province,
                insurance_number,
                ..
            } => vec![group, province, insurance_number],
            Self::InsuranceNumber | Self::TaxCode | Self::Serial => Vec::new(),
        }
    }

    /// Whether the number is drawn, so that it has to be looked up whether somebody has it.
    pub const fn is_drawn(&self) -> bool {
        matches!(self, Self::PersonNumber { .. } | Self::InsuranceNumber | Self::TaxCode)
    }

    fn fits(&self, field: &Field) -> bool {
        let identifier = match self {
            Self::PersonNumber { .. } => Identifier::PersonNumber,
            Self::InsuranceNumber => Identifier::InsuranceNumber,
            Self::TaxCode => Identifier::TaxCode,
            Self::HealthCard { .. } => Identifier::HealthCard,
            Self::Serial => return !field.many && field.term.ty == DataType::Integer,
        };
        !field.many && field.term.identifier == Some(identifier)
    }
}

/// Judges the allocations against the fields.
pub(super) fn compile(
    raw: Vec<RawAllocation>,
    fields: &[Field],
    key: &[FieldPath],
    filters: &[Filter],
    sink: &mut Sink,
) -> Vec<Allocation> {
    let all: Vec<Allocation> = raw.into_iter().map(RawAllocation::read).collect();
    for (n, allocation) in all.iter().enumerate() {
        let at = |key: &str| format!("allocate[{n}].{key}");
        let (before, later) = (all.get(..n).unwrap_or_default(), all.get(n..).unwrap_or_default());
        if before.iter().any(|other| other.field == allocation.field) {
            sink.error(
                FILE,
                at("field"),
                "duplicate-id",
                format!("Trường “{}” đã có quy tắc cấp số.", allocation.field),
                format!("The field “{}” has a rule already.", allocation.field),
            );
        }
        if let Some(field) = known(&allocation.field, fields, FILE, at("field"), sink)
            && !allocation.rule.fits(field)
        {
            sink.error(
                FILE,
                at("rule"),
                "allocate-kind",
                "Quy tắc cấp số không hợp với loại của trường: trường phải có một giá trị, đúng loại định danh của quy tắc (serial: số nguyên).",
                "The rule does not fit the field, which has one value of the rule's kind of identifier (serial: an integer).",
            );
        }
        for need in allocation.rule.needs() {
            if known(need, fields, FILE, at("rule"), sink).is_some_and(|field| field.many) {
                sink.error(
                    FILE,
                    at("rule"),
                    "allocate-many",
                    format!("Trường “{need}” có nhiều giá trị nên không dùng để cấp số được."),
                    format!("The field “{need}” has several values, so no number can be made of it."),
                );
            }
            if later.iter().any(|other| other.field == *need) {
                sink.error(
                    FILE,
                    at("rule"),
                    "allocate-order",
                    format!("“{need}” cũng được cấp, nên mục [[allocate]] của nó phải đứng trước."),
                    format!("“{need}” is given, too: its [[allocate]] has to stand before."),
                );
            }
        }
        let found_by = |filter: &&Filter| filter.field == allocation.field && filter.operators.contains(&Operator::Eq);
        let is_key = key == std::slice::from_ref(&allocation.field);
        if allocation.rule.is_drawn() && !is_key && !filters.iter().any(|f| found_by(&f) && !f.folded) {
            sink.error(
                FILE,
                at("field"),
                "no-filter",
                format!(
                    "“{}” phải là khóa hoặc có bộ lọc eq, để biết số nào đã cấp.",
                    allocation.field
                ),
                format!(
                    "“{}” is the key or has a filter eq, or nobody knows which numbers are taken.",
                    allocation.field
                ),
            );
        }
        if allocation.rule == AllocationRule::Serial && (key.len() < 2 || key.last() != Some(&allocation.field)) {
            sink.error(
                FILE,
                at("field"),
                "allocate-key",
                "Số thứ tự phải là phần cuối của khóa gồm nhiều trường; các trường trước cho biết số thuộc sổ nào.",
                "A serial number is the last part of a key of several fields; those before it say in which book.",
            );
        }
        if let AllocationRule::HealthCard { benefit, .. } = &allocation.rule
            && !benefit.values().all(|level| LEVELS.contains(level))
        {
            sink.error(
                FILE,
                at("benefit"),
                "bad-benefit",
                "Mức hưởng bảo hiểm y tế là một chữ số từ 1 đến 5.",
                "A level of benefit is a digit from 1 to 5.",
            );
        }
    }
    all
}
