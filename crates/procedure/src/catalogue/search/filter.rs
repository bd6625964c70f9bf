//! Narrowing a search, and counting what each narrowing would leave.

use std::collections::BTreeMap;

use super::{
    Facet, Facets, Query,
    index::{Doc, Index, Names},
};
use crate::catalogue::model::{Audience, Level};

/// The bit of an audience in a document.
pub(super) const fn bit(audience: Audience) -> u8 {
    match audience {
        Audience::Citizen => 0,
        Audience::Business => 1,
        Audience::Organisation => 2,
        Audience::Foreigner => 3,
        Audience::Overseas => 4,
        Audience::Official => 5,
        Audience::Party => 6,
    }
}

/// The filters of a question, looked up once.
pub(super) struct Filter {
    life: Option<Option<u16>>,
    audience: Option<u8>,
    field: Option<Option<u16>>,
    agency: Option<Option<u16>>,
    level: Option<Level>,
    online: bool,
}

impl Filter {
    const LIFE: u8 = 1;
    const AUDIENCE: u8 = 2;
    const FIELD: u8 = 4;
    const AGENCY: u8 = 8;
    const LEVEL: u8 = 16;
    const ONLINE: u8 = 32;
    const ALL: u8 = 63;

    pub(super) fn new(index: &Index, query: &Query) -> Self {
        let set = |v: &Option<String>| v.as_deref().filter(|s| !s.is_empty()).map(str::to_owned);
        Self {
            life: set(&query.life_event).map(|id| index.life_events.find(&id)),
            audience: query.audience.map(bit),
            field: set(&query.field).map(|id| index.field(&id)),
            agency: set(&query.agency).map(|id| index.agencies.find(&id)),
            level: query.level,
            online: query.online,
        }
    }

    /// Which filters a document passes, as bits.
    fn passed(&self, doc: &Doc) -> u8 {
        let one = |filter: &Option<Option<u16>>, has: &[u16]| match filter {
            None => true,
            // An unknown value finds nothing, rather than everything.
            Some(wanted) => wanted.is_some_and(|n| has.contains(&n)),
        };
        let mut bits = 0;
        for (bit, ok) in [
            (Self::LIFE, one(&self.life, &doc.life_events)),
            (
                Self::AUDIENCE,
                self.audience.is_none_or(|a| doc.audiences >> a & 1 == 1),
            ),
            (Self::FIELD, one(&self.field, &doc.fields)),
            (Self::AGENCY, one(&self.agency, &doc.agencies)),
            (Self::LEVEL, self.level.is_none_or(|l| doc.level == Some(l))),
            (Self::ONLINE, !self.online || doc.summary.online),
        ] {
            if ok {
                bits |= bit;
            }
        }
        bits
    }

    pub(super) fn all(&self, index: &Index, n: u32) -> bool {
        index.docs.get(n as usize).is_some_and(|d| self.passed(d) == Self::ALL)
    }
}

impl Index {
    /// The facets of what fits the words; the counts of each heed all the other filters.
    pub(super) fn facets(&self, scored: &[(u32, i32)], filter: &Filter) -> Facets {
        let mut audiences = [0_usize; 8];
        let mut levels: BTreeMap<Level, usize> = BTreeMap::new();
        let mut fields = vec![0_usize; self.fields.names.len()];
        let mut agencies = vec![0_usize; self.agencies.names.len()];
        let mut events = vec![0_usize; self.life_events.names.len()];
        let mut online = 0;
        let count = |counts: &mut Vec<usize>, n: u16| {
            if let Some(c) = counts.get_mut(usize::from(n)) {
                *c += 1;
            }
        };
        for (n, _) in scored {
            let Some(doc) = self.docs.get(*n as usize) else {
                continue;
            };
            let passed = filter.passed(doc);
            let but = |one: u8| passed | one == Filter::ALL;
            if but(Filter::AUDIENCE) {
                for a in Audience::ALL {
                    audiences[usize::from(bit(a))] += usize::from(doc.audiences >> bit(a) & 1);
                }
            }
            if but(Filter::LEVEL)
                && let Some(level) = doc.level
            {
                *levels.entry(level).or_default() += 1;
            }
            if but(Filter::FIELD) {
                doc.fields.iter().for_each(|f| count(&mut fields, *f));
            }
            if but(Filter::AGENCY)
                && let Some(issuer) = doc.issuer
            {
                count(&mut agencies, issuer);
            }
            if but(Filter::LIFE) {
                doc.life_events.iter().for_each(|e| count(&mut events, *e));
            }
            if but(Filter::ONLINE) && doc.summary.online {
                online += 1;
            }
        }
        let listed = |names: &Names, counts: Vec<usize>| -> Vec<Facet> {
            let facets = names.names.iter().zip(counts).filter(|(_, n)| *n > 0);
            facets
                .map(|((id, label), count)| Facet {
                    id: id.clone(),
                    label: label.clone(),
                    count,
                })
                .collect()
        };
        let mut fields = listed(&self.fields, fields);
        let mut agencies = listed(&self.agencies, agencies);
        for list in [&mut fields, &mut agencies] {
            list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.id.cmp(&b.id)));
            list.truncate(100);
        }
        Facets {
            audiences: Audience::ALL
                .into_iter()
                .map(|a| Facet {
                    id: a.id().to_owned(),
                    label: a.label(),
                    count: audiences[usize::from(bit(a))],
                })
                .filter(|f| f.count > 0)
                .collect(),
            levels: levels
                .into_iter()
                .map(|(l, count)| Facet {
                    id: l.id().to_owned(),
                    label: l.label(),
                    count,
                })
                .collect(),
            fields,
            agencies,
            life_events: listed(&self.life_events, events),
            online,
        }
    }
}
