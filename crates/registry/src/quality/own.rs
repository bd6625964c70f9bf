//! What a registry that is kept here holds about a person who is signed in at another node, told so that it needs no folder to be read.

use std::collections::BTreeMap;

use base::{Lang, Result, Text, codes::PersonNumber};
use identity::Ctx;

use super::{Quality, Represents, mine::About};
use crate::{
    model::{DataType, Field, FieldPath, Registry, values_at},
    service::{Held, Mask, Purpose, Told},
    wire::{OwnBody, OwnFieldBody, OwnRecordBody},
};

/// What the records of one answer take at most, in bytes: less than a node reads that asks.
const ROOM: usize = 768 << 10;

impl Quality {
    /// The records about this person, and of the enterprises that they represent, as far as the mask shows them; none where nothing is
    /// held. Whom the address of the call names learns of it from the gateway; who else stands in the records, from here.
    ///
    /// # Errors
    /// `Unavailable` when the read could not be logged; the database failed.
    pub(super) async fn own(
        &self,
        ctx: &Ctx,
        purpose: &Purpose,
        registry: &Registry,
        number: &PersonNumber,
        mask: &Mask,
    ) -> Result<OwnBody> {
        let About { records, represents } = self.about(ctx, registry, number.as_str(), None).await?;
        let bodies = records.iter().map(|(held, _)| &held.body);
        let told = Told::One(number.as_str());
        self.registries()
            .log(ctx, purpose, registry, bodies, mask, told)
            .await?;
        let fields = registry.fields.iter();
        let shown: Vec<&Field> = fields
            .filter(|field| field.term.ty != DataType::Group && mask.shows(&field.path))
            .collect();
        let records = records.into_iter().map(|(held, enterprise)| OwnRecordBody {
            enterprise,
            ..record(registry, &shown, &held)
        });
        let (records, cut) = within(ROOM, records)?;
        let said = shown
            .iter()
            .filter(|field| records.iter().any(|record| record.says.contains_key(&field.path)));
        Ok(OwnBody {
            registry: registry.name.clone(),
            steward: self.steward(ctx, registry),
            valid_time: registry.valid_time,
            answer_days: registry.doubts.answer_days,
            fields: said
                .map(|field| OwnFieldBody {
                    field: field.path.clone(),
                    name: field.term.name.clone(),
                })
                .collect(),
            records,
            represents: represents.map(|represents| match represents {
                Represents::All if cut => Represents::Newest,
                represents => represents,
            }),
        })
    }

    fn steward(&self, ctx: &Ctx, registry: &Registry) -> Text {
        let (shelf, today) = (self.registries().shelf(), ctx.now.legal_date());
        let name = |lang| shelf.agency(&registry.steward, today, lang).0;
        Text::new(name(Lang::Vi), name(Lang::En))
    }
}

/// The first records, as many as there is room for, and whether there are more.
fn within(mut room: usize, records: impl Iterator<Item = OwnRecordBody>) -> Result<(Vec<OwnRecordBody>, bool)> {
    let mut kept = Vec::new();
    for record in records {
        let size = serde_json::to_vec(&record)?.len();
        if size > room {
            return Ok((kept, true));
        }
        room -= size;
        kept.push(record);
    }
    Ok((kept, false))
}

fn record(registry: &Registry, shown: &[&Field], held: &Held) -> OwnRecordBody {
    // Whatever is held was keyed when it was written.
    let key = registry.key_of(&held.body).unwrap_or_else(|_| held.id.to_string());
    OwnRecordBody {
        id: held.id.uuid(),
        entry: format!("{}/{key}#{}", registry.code, held.seq),
        key,
        from: held.from.show(registry.valid_time),
        to: held.to.map(|to| to.show(registry.valid_time)),
        holds: held.holds,
        source: held.source.clone(),
        recorded_at: held.recorded_at.rfc3339(),
        says: says(registry, shown, held),
        enterprise: None,
    }
}

/// What a record says, in the words for people.
fn says(registry: &Registry, shown: &[&Field], held: &Held) -> BTreeMap<FieldPath, Vec<Text>> {
    let of = |field: &Field| {
        let words = |value, lang| registry.say(field, value, lang).map(|(words, _)| words);
        let values = values_at(&held.body, &field.path).into_iter();
        values
            .filter_map(|value| Some(Text::new(words(value, Lang::Vi)?, words(value, Lang::En)?)))
            .collect::<Vec<_>>()
    };
    let all = shown.iter().map(|field| (field.path.clone(), of(field)));
    all.filter(|(_, values)| !values.is_empty()).collect()
}

/// What is contested, for people whose node has no names for it.
pub(super) fn label(registry: &Registry, field: &FieldPath) -> Option<Text> {
    let name = registry.label(registry.field(field)?);
    Some(Text::new(
        format!("{}: {}", registry.name.vi, name.vi),
        format!("{}: {}", registry.name.en, name.en),
    ))
}
