//! How much speaks for a record being another: the model of a registry over a few records.

use base::{Result, Text};
use linkage::{
    Effort, Frequencies, Linker, Records,
    explain::{Agreement, Explainer, Of},
    policy::{Decision, Fact, FactKind, Policy},
};

use crate::{
    import::sort_of,
    model::{About, BLOCK, Duplicates, Registry},
};
use cleansing::layout::Sort;

/// One that a record is like.
pub(super) struct Found {
    /// Which of the others.
    pub other: usize,
    /// How much speaks for it, in bits.
    pub weight: f64,
    /// Why, in words that say nothing of the values.
    pub reason: Text,
    /// Whether by the policy it needs no closer look; no without one.
    pub clear: bool,
    /// How the values of each comparison stand to each other.
    stands: Vec<(String, Agreement)>,
}

impl Found {
    /// How the values of a comparison stand to each other.
    pub fn stands(&self, comparison: &str) -> Option<Agreement> {
        let stands = self.stands.iter().find(|(name, _)| name == comparison);
        stands.map(|(_, agreement)| *agreement)
    }
}

/// By what records are compared.
pub(super) struct Scoring<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// Its model.
    pub duplicates: &'a Duplicates,
    /// How often the values are met that are compared.
    pub frequencies: &'a Frequencies,
    /// What needs no closer look; without it, nothing.
    pub policy: Option<&'a Policy>,
}

/// Compares the first with the others; of each the values of the model's columns, in their order. Those less probable than `least` are
/// not among what is found.
pub(super) fn compare(
    by: &Scoring<'_>,
    first: &[Option<String>],
    others: &[Vec<Option<String>>],
    least: f64,
) -> Result<Vec<Found>> {
    compare_and(by, first, others, least, |_| false)
}

/// The same; those of the others that `wanted` says are found however improbable they are.
pub(super) fn compare_and(
    by: &Scoring<'_>,
    first: &[Option<String>],
    others: &[Vec<Option<String>>],
    least: f64,
    wanted: impl Fn(usize) -> bool,
) -> Result<Vec<Found>> {
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let Scoring {
        registry,
        duplicates,
        frequencies,
        policy,
    } = *by;
    let model = &duplicates.model;
    let columns = duplicates.columns.iter().map(|(column, _)| column.as_str());
    let columns: Vec<&str> = [model.id_column.as_str(), BLOCK].into_iter().chain(columns).collect();
    let mut records = Records::new();
    records.begin_source(registry.code.as_str(), &columns, &model.id_column)?;
    for (n, values) in [first].into_iter().chain(others.iter().map(Vec::as_slice)).enumerate() {
        let id = n.to_string();
        let values = values.iter().map(Option::as_deref);
        let values: Vec<Option<&str>> = [Some(id.as_str()), Some("1")].into_iter().chain(values).collect();
        records.push(values.into_iter())?;
    }
    let linker = Linker::with_frequencies(model.clone(), records, frequencies)?;
    let policed = policy.map(|policy| policy.over(&linker)).transpose()?;
    let of = match registry.about {
        About::Person => Of::Persons,
        _ => Of::Things,
    };
    let explainer = Explainer::new(&linker).of(of);
    let title = |comparison: &str| {
        let column = duplicates.columns.iter().find(|(column, _)| column == comparison);
        let field = column.and_then(|(_, path)| registry.field(path))?;
        Some(registry.label(field))
    };
    let effort = Effort {
        threads: 1,
        ..Effort::default()
    };
    let least = linkage::weight_of(least);
    let is_any_wanted = (0..others.len()).any(&wanted);
    let floor = if is_any_wanted { f64::NEG_INFINITY } else { least };
    let mut found = Vec::new();
    linker.predict(effort, floor, |pairs, _| {
        // The others were not asked about each other.
        for pair in pairs.iter().filter(|pair| pair.left == 0 || pair.right == 0) {
            let other = (pair.left.max(pair.right) - 1) as usize;
            if pair.weight < least && !wanted(other) {
                continue;
            }
            let decision = policed.as_ref().map(|policed| policed.decide(&linker, pair));
            let told = explainer.explain(pair, title);
            let mut one = Found {
                other,
                weight: pair.weight,
                reason: told.sentence,
                clear: false,
                stands: told
                    .steps
                    .into_iter()
                    .map(|step| (step.comparison, step.agreement))
                    .collect(),
            };
            one.clear =
                decision == Some(Decision::Automatic) && policy.is_some_and(|policy| is_borne_out(policy, &one));
            found.push(one);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Whether name or birthday speaks for it, and neither against: a number alone, which may be mistyped or another's, never suffices.
fn is_borne_out(policy: &Policy, found: &Found) -> bool {
    let basic: Vec<Agreement> = policy.basic.iter().filter_map(|name| found.stands(name)).collect();
    let speaks = |agreement: &Agreement| matches!(agreement, Agreement::Equal | Agreement::Alike);
    basic.iter().any(speaks) && !basic.contains(&Agreement::Different)
}

/// By which a pair needs no closer look: probable enough, by a comparison that agrees beyond names and dates, without two numbers of
/// which a person has one. None where the model compares nothing else: then everything is looked at.
pub(super) fn policy(registry: &Registry, duplicates: &Duplicates, clear: f64, least: f64) -> Option<Policy> {
    let field_of = |column: &str| {
        let named = duplicates.columns.iter().find(|(name, _)| name == column);
        named.and_then(|(_, path)| registry.field(path))
    };
    let of_many = |sort: Sort| matches!(sort, Sort::Name | Sort::Date | Sort::Birthday);
    let is_basic = |column: &&str| field_of(column).is_none_or(|field| of_many(sort_of(&field.term)));
    let comparisons = duplicates.model.comparisons.iter();
    let (basic, evidence): (Vec<_>, Vec<_>) =
        comparisons.partition(|comparison| comparison.columns().iter().any(&is_basic));
    let facts = duplicates.columns.iter().filter(|(_, path)| {
        let field = registry.field(path);
        field.is_some_and(|field| !field.many && sort_of(&field.term) == Sort::IdNumber)
    });
    if basic.is_empty() || evidence.is_empty() {
        return None;
    }
    Some(Policy {
        basic: basic.iter().map(|comparison| comparison.name.clone()).collect(),
        evidence: evidence
            .iter()
            .map(|comparison| (comparison.name.clone(), vec![comparison.name.clone()]))
            .collect(),
        need: 1,
        agrees_from: 3.0,
        automatic: clear,
        review: least,
        facts: facts
            .map(|(column, _)| Fact {
                column: column.clone(),
                kind: FactKind::PersonNumber,
            })
            .collect(),
    })
}
