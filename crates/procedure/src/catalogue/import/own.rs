//! The project's own reference data ([`reference::Published`]) as a layer of the catalogue.

use std::collections::BTreeMap;

use base::Text;
use jiff::civil::Date;

use super::{
    super::{
        model::{Case, Channel, Code, Fee, FeeKind, Field, Layer, Legal, Method, Qualifier, Said, TimeLimit, Unit},
        oddity::{Kind, Oddity},
    },
    row::{Bad, Row},
};
use crate::reference;

/// The rows of the reference data, in the version of `on`; and what could not be taken.
pub fn rows(published: &reference::Published, on: Date) -> (Vec<Row>, Vec<Bad>) {
    let titles: BTreeMap<&str, &Text> = published
        .legal_texts
        .iter()
        .filter_map(|t| t.title.as_ref().map(|title| (t.number.as_str(), title)))
        .collect();
    let audience = |id: &str| -> String {
        published
            .audiences
            .iter()
            .find(|a| a.id == id)
            .map_or(id, |a| a.name.vi.as_str())
            .to_owned()
    };
    let replaced = |code: &str| -> Vec<Code> {
        let by_successor = published
            .successors
            .iter()
            .filter(|s| s.code == code)
            .flat_map(|s| &s.replaces);
        let by_name = published
            .procedures
            .iter()
            .filter(|p| p.successor.as_deref() == Some(code))
            .map(|p| &p.code);
        let mut codes: Vec<Code> = by_successor.chain(by_name).filter_map(|c| c.parse().ok()).collect();
        codes.sort();
        codes.dedup();
        codes
    };
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for successor in &published.successors {
        let Ok(code) = successor.code.parse::<Code>() else {
            bad.push(Bad::new(Kind::CodeUnusable, "code", &successor.code));
            continue;
        };
        let said = Said {
            name: Some(successor.title.clone()),
            predecessors: Some(replaced(&successor.code)),
            oddities: vec![Oddity::new(Kind::NamedOnly, "", "")],
            ..Said::default()
        };
        rows.push(Row {
            code,
            tidy: true,
            layer: Layer::Own,
            said,
            retrieved: None,
            line: 0,
        });
    }
    let current = published.procedures.iter().filter(|p| {
        p.valid_from <= on
            && published
                .get(&p.code, on)
                .is_none_or(|now| now.valid_from == p.valid_from)
    });
    for p in current {
        let Ok(code) = p.code.parse::<Code>() else {
            bad.push(Bad::new(Kind::CodeUnusable, "code", &p.code));
            continue;
        };
        let lines = |get: fn(&Text) -> &str| p.requirements.iter().map(get).collect::<Vec<_>>().join("\n");
        let successors: Vec<Code> = p
            .successor
            .iter()
            .chain(
                published
                    .successors
                    .iter()
                    .filter(|s| s.replaces.contains(&p.code))
                    .map(|s| &s.code),
            )
            .filter_map(|c| c.parse().ok())
            .collect();
        let predecessors = replaced(&p.code);
        let executing = &p.executing.name;
        let said = Said {
            name: Some(p.name.clone()),
            fields: Some(vec![Field {
                code: p.field.clone(),
                name: p.field_name.clone(),
            }]),
            promulgating: Some(p.promulgating.name.clone()),
            executing: Some(if executing.vi.is_empty() {
                Vec::new()
            } else {
                vec![executing.clone()]
            }),
            audiences: Some(p.audiences.iter().map(|a| audience(a)).collect()),
            channels: Some(p.channel.iter().flat_map(channels).collect()),
            cases: Some(
                p.case
                    .iter()
                    .map(|c| Case {
                        code: c.code.clone(),
                        name: Text::default(),
                        time: limit(&c.time),
                    })
                    .collect(),
            ),
            results: Some(p.results.clone()),
            requirements: Some(Text::new(lines(|t| &t.vi), lines(|t| &t.en))).filter(|r| !r.vi.is_empty()),
            legal_basis: Some(
                p.legal_basis
                    .iter()
                    .map(|number| Legal {
                        number: number.clone(),
                        title: titles.get(number.as_str()).copied().cloned().unwrap_or_default(),
                    })
                    .collect(),
            ),
            life_events: Some(p.life_events.clone()),
            keywords: Some(p.keywords.clone()),
            valid_from: Some(p.valid_from),
            valid_to: p.valid_to,
            predecessors: Some(predecessors).filter(|p| !p.is_empty()),
            successors: Some(dedup(successors)).filter(|s| !s.is_empty()),
            oddities: p
                .oddities
                .iter()
                .map(|id| match Kind::from_id(id) {
                    Some(kind) => Oddity::new(kind, "", ""),
                    None => Oddity::new(Kind::ColumnUnknown, "oddities", id),
                })
                .collect(),
            ..Said::default()
        };
        rows.push(Row {
            code,
            tidy: true,
            layer: Layer::Own,
            said,
            retrieved: Some(p.origin.date),
            line: 0,
        });
    }
    (rows, bad)
}

fn dedup(mut codes: Vec<Code>) -> Vec<Code> {
    codes.sort();
    codes.dedup();
    codes
}

/// Ways that share a time limit and fees, one by one.
fn channels(shared: &reference::Channel) -> Vec<Channel> {
    let one = |method: &reference::Method| Channel {
        method: match method {
            reference::Method::Direct => Method::Counter,
            reference::Method::Online => Method::Online,
            reference::Method::Postal => Method::Post,
        },
        time: limit(&shared.time),
        fees: shared.fees.iter().map(fee).collect(),
        note: Text::default(),
    };
    shared.methods.iter().map(one).collect()
}

fn limit(time: &reference::TimeLimit) -> TimeLimit {
    TimeLimit {
        qty: Some(f64::from(time.qty)),
        unit: match time.unit {
            reference::TimeUnit::Hour => Unit::Hour,
            reference::TimeUnit::Day => Unit::Day,
            reference::TimeUnit::WorkingDay => Unit::WorkingDay,
            reference::TimeUnit::Month => Unit::Month,
            reference::TimeUnit::Other => Unit::Other,
        },
        text: time.text.clone().unwrap_or_default(),
    }
}

fn fee(fee: &reference::Fee) -> Fee {
    Fee {
        kind: match fee.kind {
            reference::FeeKind::Fee => FeeKind::Fee,
            reference::FeeKind::ServiceFee => FeeKind::Charge,
        },
        amount: i64::try_from(fee.amount).ok(),
        text: fee.text.clone().unwrap_or_default(),
        qualifier: match fee.qualifier {
            reference::Qualifier::Fixed => Qualifier::Fixed,
            reference::Qualifier::Free => Qualifier::Free,
            reference::Qualifier::SetByProvince => Qualifier::SetByProvince,
            reference::Qualifier::SuspiciousScale => Qualifier::SuspiciousScale,
            reference::Qualifier::Unknown => Qualifier::Unknown,
        },
    }
}
