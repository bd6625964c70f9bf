//! What a registry that is kept here holds about a person who is signed in at another node, told so that it needs no folder to be read.

use std::collections::BTreeMap;

use base::{Lang, Result, Text, codes::PersonNumber};
use identity::Ctx;

use super::Quality;
use crate::{
    model::{DataType, Field, FieldPath, Registry, values_at},
    service::{Held, Mask, Purpose, Told},
    wire::{OwnBody, OwnFieldBody, OwnRecordBody},
};

impl Quality {
    /// The records about this person, as far as the mask shows them; none where nothing is held. Whom the address of the call names learns
    /// of it from the gateway; who else stands in the records, from here.
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
        let held = self.about(registry, number.as_str(), ctx.now).await?;
        let bodies = held.iter().map(|held| &held.body);
        let told = Told::One(number.as_str());
        self.registries()
            .log(ctx, purpose, registry, bodies, mask, told)
            .await?;
        let fields = registry.fields.iter();
        let shown: Vec<&Field> = fields
            .filter(|field| field.term.ty != DataType::Group && mask.shows(&field.path))
            .collect();
        let records: Vec<OwnRecordBody> = held.iter().map(|held| record(registry, &shown, held)).collect();
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
        })
    }

    fn steward(&self, ctx: &Ctx, registry: &Registry) -> Text {
        let (shelf, today) = (self.registries().shelf(), ctx.now.legal_date());
        let name = |lang| shelf.agency(&registry.steward, today, lang).0;
        Text::new(name(Lang::Vi), name(Lang::En))
    }
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
