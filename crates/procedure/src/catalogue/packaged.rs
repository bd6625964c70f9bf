//! A procedure as its package says it, where no source tells more than its name: people find there what they can file.

use base::{Text, deadline};
use jiff::civil::Date;

use super::model::{
    Case, Channel, Code, Entry, Fee, Field, Layer, Legal, Method, Qualifier, Record, Said, Sheet, Source, TimeLimit,
    Unit,
};
use crate::{
    form,
    package::{Audience, DeadlineCase, ExecutingLevel, Package},
    reference::Agencies,
};

/// What is shown of a procedure on a day: what the sources tell; where they tell its name at most, what the package tells that is
/// in force on that day.
pub fn shown(published: Option<Entry>, package: Option<&Package>, agencies: &Agencies) -> Option<Entry> {
    match package {
        Some(package) if published.as_ref().is_none_or(Entry::is_named_only) => {
            entry(package, published.as_ref(), agencies).or(published)
        }
        _ => published,
    }
}

/// None where the package's code is not one of the catalogue's.
fn entry(package: &Package, named: Option<&Entry>, agencies: &Agencies) -> Option<Entry> {
    let meta = &package.meta;
    let code: Code = meta.code.parse().ok()?;
    let mut record = Record::default();
    record.put(Layer::Package, sheet(package, named, agencies));
    Some(record.entry(&code, meta.valid_from, meta.valid_to))
}

fn sheet(package: &Package, named: Option<&Entry>, agencies: &Agencies) -> Sheet {
    let meta = &package.meta;
    let authority = agency(agencies, &meta.authority, meta.valid_from);
    let executing = match meta.executing_level {
        ExecutingLevel::Commune => vec![Text::new("Cơ quan cấp xã", "Agency of the commune")],
        ExecutingLevel::Province => vec![Text::new("Cơ quan cấp tỉnh", "Agency of the province")],
        ExecutingLevel::Ministry => vec![authority.clone()],
        ExecutingLevel::Agency => Vec::new(),
    };
    let mut predecessors = named.map(|entry| entry.predecessors.clone()).unwrap_or_default();
    predecessors.extend(meta.predecessor.iter().filter_map(|code| code.parse().ok()));
    predecessors.sort();
    predecessors.dedup();
    let field_name = meta.field_name.clone().unwrap_or_default();
    let said = Said {
        name: Some(meta.name.clone()),
        summary: Some(meta.summary.clone()),
        fields: (!field_name.vi.is_empty()).then(|| {
            vec![Field {
                code: meta.field.clone(),
                name: field_name,
            }]
        }),
        promulgating: Some(authority),
        executing: Some(executing),
        audiences: Some(meta.audiences.iter().map(|a| audience(*a).to_owned()).collect()),
        channels: Some(channels(package)),
        cases: Some(meta.deadlines.iter().map(case).collect()),
        results: meta.result.as_ref().map(|result| vec![result.name.clone()]),
        legal_basis: Some(
            meta.legal_basis
                .iter()
                .map(|law| Legal {
                    number: law.number.clone(),
                    title: law.title.clone(),
                })
                .collect(),
        ),
        life_events: Some(meta.life_events.clone()),
        keywords: Some(meta.keywords.clone()),
        predecessors: Some(predecessors),
        successors: meta
            .successor
            .as_ref()
            .and_then(|code| code.parse().ok())
            .map(|code| vec![code]),
        ..Said::default()
    };
    let source = Source {
        name: meta
            .source
            .as_ref()
            .map_or_else(|| package.id.to_string(), |source| source.text.clone()),
        retrieved: meta
            .source
            .as_ref()
            .map(|source| source.retrieved.to_string())
            .unwrap_or_default(),
    };
    Sheet { source, said }
}

/// The name of an agency; its code where the list does not know it.
fn agency(agencies: &Agencies, code: &str, on: Date) -> Text {
    agencies
        .get(code, on)
        .map_or_else(|| Text::new(code, code), |agency| agency.name.clone())
}

/// The words of the national list.
const fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Citizen => "Công dân Việt Nam",
        Audience::Business => "Doanh nghiệp",
        Audience::Organisation => "Tổ chức (không bao gồm doanh nghiệp, HTX)",
        Audience::Foreigner => "Người nước ngoài",
    }
}

/// Each way with the ordinary time limit, which is the last one.
fn channels(package: &Package) -> Vec<Channel> {
    let meta = &package.meta;
    let time = meta.deadlines.last().map(limit).unwrap_or_default();
    let fee = match meta.payment {
        None => Fee {
            amount: Some(0),
            qualifier: Qualifier::Free,
            ..Fee::default()
        },
        Some(_) => Fee {
            qualifier: Qualifier::Unknown,
            text: Text::new(
                "Được tính khi quý vị khai và ghi rõ căn cứ trước khi nộp.",
                "Worked out from your answers and shown with its ground before you pay.",
            ),
            ..Fee::default()
        },
    };
    let way = |channel: &form::Channel| Channel {
        method: match channel {
            form::Channel::Online => Method::Online,
            form::Channel::Counter => Method::Counter,
            form::Channel::Post => Method::Post,
        },
        time: time.clone(),
        fees: vec![fee.clone()],
        note: Text::default(),
    };
    meta.channels.iter().map(way).collect()
}

fn case(case: &DeadlineCase) -> Case {
    Case {
        code: case.case.clone(),
        name: case.name.clone(),
        time: limit(case),
    }
}

fn limit(case: &DeadlineCase) -> TimeLimit {
    let unit = match case.budget.unit {
        deadline::Unit::WorkingDay => Unit::WorkingDay,
        deadline::Unit::WorkingHour => Unit::WorkingHour,
        deadline::Unit::Day => Unit::Day,
        deadline::Unit::Hour => Unit::Hour,
        deadline::Unit::Week => Unit::Week,
        deadline::Unit::Month => Unit::Month,
        deadline::Unit::Year => Unit::Year,
    };
    if case.budget.qty == 0 {
        // The same working day is a limit in words.
        TimeLimit {
            text: case.time(),
            ..TimeLimit::default()
        }
    } else {
        TimeLimit {
            qty: Some(f64::from(case.budget.qty)),
            unit,
            text: Text::default(),
        }
    }
}
