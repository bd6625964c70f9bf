//! The personal number, where a file has it. Within a registry it tells no pairs: each record has its own. A row that has one is looked
//! up by it, and by the model it counts like the number of a parent. Alone it decides nothing: numbers are mistyped, and lent.

use base::Text;
use linkage::{Comparison, Condition, Level, When, explain::Agreement, policy::Policy};

use crate::{
    import::number_of,
    linking::score::Found,
    model::{Duplicates, FieldPath, Operator, Registry},
};

/// How often a row of a person has the person's number: set, not learned, as the registry has it of the numbers of parents.
const OF_SAME: f64 = 0.9;
/// How often a row of another has it: two people of a country of a hundred million share one by mistake only.
const OF_OTHERS: f64 = 1e-8;

/// How rows are compared: as the registry compares its records, and by the personal number where the registry knows persons by it. Rows
/// without one are compared as before.
pub(super) fn with_number(registry: &Registry, duplicates: &Duplicates) -> Duplicates {
    let mut all = duplicates.clone();
    let is_compared = |path: &FieldPath| duplicates.columns.iter().any(|(_, column)| column == path);
    let Some(number) = number_of(registry).filter(|number| !is_compared(&number.path)) else {
        return all;
    };
    let is_asked = |path: &FieldPath| {
        let filter = registry.filter(path);
        filter.is_some_and(|filter| filter.operators.contains(&Operator::Eq))
    };
    let name = name_in(duplicates);
    if let Some(comparison) = comparison(&name).filter(|_| is_asked(&number.path)) {
        all.model.comparisons.push(comparison);
        all.columns.push((name, number.path.clone()));
        all.blocking.push(vec![number.path.clone()]);
    }
    all
}

/// Where the number stands among the columns that are compared.
pub(super) fn column_of(registry: &Registry, duplicates: &Duplicates) -> Option<usize> {
    let number = number_of(registry)?;
    duplicates.columns.iter().position(|(_, path)| *path == number.path)
}

/// A name of a column that the model does not have.
fn name_in(duplicates: &Duplicates) -> String {
    let model = &duplicates.model;
    let columns = duplicates.columns.iter().map(|(column, _)| column.as_str());
    let names = model.comparisons.iter().map(|comparison| comparison.name.as_str());
    let taken: Vec<&str> = columns.chain(names).chain([model.id_column.as_str()]).collect();
    let mut name = "number".to_owned();
    while taken.iter().any(|taken| taken.eq_ignore_ascii_case(&name)) {
        name.push('_');
    }
    name
}

fn comparison(name: &str) -> Option<Comparison> {
    let condition = |sql: String| Condition::parse(&sql).ok();
    let missing = condition(format!("\"{name}_l\" IS NULL OR \"{name}_r\" IS NULL"))?;
    let equal = condition(format!("\"{name}_l\" = \"{name}_r\""))?;
    let level = |when, label: &str, m_u: Option<(f64, f64)>| Level {
        when,
        label: label.to_owned(),
        m: m_u.map(|(m, _)| m),
        u: m_u.map(|(_, u)| u),
        fix_m: true,
        fix_u: true,
        term_frequency: None,
    };
    Some(Comparison {
        name: name.to_owned(),
        description: None,
        levels: vec![
            level(When::Missing(missing), "number is missing", None),
            level(When::Holds(equal), "number is equal", Some((OF_SAME, OF_OTHERS))),
            level(When::Otherwise, "otherwise", Some((1.0 - OF_SAME, 1.0 - OF_OTHERS))),
        ],
    })
}

/// What an officer has to know before anything else about a record whose number agrees with that of the row, or contradicts it.
pub(super) fn told(
    registry: &Registry,
    duplicates: &Duplicates,
    policy: Option<&Policy>,
    found: &Found,
) -> Option<Text> {
    let (name, _) = duplicates.columns.get(column_of(registry, duplicates)?)?;
    let stands = |comparison: &str| found.stands(comparison);
    let basic = || policy.into_iter().flat_map(|policy| &policy.basic);
    let labels = |wanted: &dyn Fn(Agreement) -> bool| {
        let named = basic().filter(|name| stands(name).is_some_and(wanted));
        let fields = named.filter_map(|name| {
            let (_, path) = duplicates.columns.iter().find(|(column, _)| column == name)?;
            Some(registry.label(registry.field(path)?))
        });
        let (vi, en): (Vec<String>, Vec<String>) = fields.map(|label| (label.vi, label.en)).unzip();
        Text::new(vi.join(", "), en.join(", "))
    };
    let is_against = |agreement| agreement == Agreement::Different;
    let (against, agreeing) = (
        labels(&is_against),
        labels(&|agreement| matches!(agreement, Agreement::Equal | Agreement::Alike)),
    );
    match (stands(name)?, against.vi.is_empty(), agreeing.vi.is_empty()) {
        (Agreement::Equal, true, _) => Some(Text::new(
            "Số định danh cá nhân trùng.",
            "The personal number is equal.",
        )),
        (Agreement::Equal, false, _) => Some(Text::new(
            format!(
                "Mâu thuẫn: số định danh cá nhân trùng nhưng khác {}. Đối chiếu giấy tờ trước khi quyết định.",
                against.vi
            ),
            format!(
                "Contradiction: the personal number is equal, but not {}. Look at the papers before you decide.",
                against.en
            ),
        )),
        (Agreement::Different, true, false) => Some(Text::new(
            format!("Mâu thuẫn: trùng {} nhưng số định danh cá nhân khác.", agreeing.vi),
            format!(
                "Contradiction: {} agree, but the personal number is another.",
                agreeing.en
            ),
        )),
        _ => None,
    }
}
