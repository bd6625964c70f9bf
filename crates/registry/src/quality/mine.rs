//! What is held about the signed-in person in each registry of this node.

use std::{collections::BTreeMap, sync::Arc};

use base::Result;
use identity::Ctx;
use uuid::Uuid;

use super::{
    PURPOSE, Quality,
    doubts::{Doubt, tables as doubts},
    look::subject_tie,
    tables,
};
use crate::{
    model::Registry,
    service::{Held, Mask, Purpose, Told},
};

/// Records about one person in one registry that are shown.
const MOST: i64 = 50;

/// The records of one registry about one person.
#[derive(Debug)]
pub struct Mine {
    /// The registry.
    pub registry: Arc<Registry>,
    /// The records: what holds of each, or held last.
    pub records: Vec<MyRecord>,
}

/// One record about the person.
#[derive(Debug)]
pub struct MyRecord {
    /// What it says.
    pub held: Held,
    /// The person's doubts about it, the newest first.
    pub doubts: Vec<Doubt>,
}

impl Quality {
    /// Everything that the registries of this node hold about the signed-in person. Records that are about others too are told to them.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for an officer, or an e-ID of level 1; `Unavailable` when a read could not be logged.
    pub async fn mine(&self, ctx: &Ctx) -> Result<Vec<Mine>> {
        let person = ctx.person_level2()?;
        let (Some(number), account) = (&person.person_number, person.account.uuid()) else {
            return Ok(Vec::new());
        };
        let db = self.registries().store().read();
        let purpose = Purpose::read(PURPOSE, "", "")?;
        let mut all = Vec::new();
        for editions in self.registries().shelf().all() {
            let registry = editions.current();
            let records = tables::tied(&db, &subject_tie(&registry.code, number), Uuid::nil(), MOST).await?;
            if records.is_empty() {
                continue;
            }
            // Whom a record was about once it need not be about any more.
            let held = self
                .registries()
                .held(&registry.code, &records, ctx.now)
                .await?
                .into_iter();
            let held: Vec<Held> = held
                .filter(|held| registry.subjects_of(&held.body).contains(number))
                .collect();
            let bodies = held.iter().map(|held| &held.body);
            self.registries()
                .log(ctx, &purpose, &registry, bodies, &Mask::ALL, Told::Nobody)
                .await?;
            let mut own: BTreeMap<Uuid, Vec<Doubt>> = BTreeMap::new();
            for row in doubts::of_records(&db, &records).await? {
                if row.reporter_id == Some(account) {
                    own.entry(row.record_id).or_default().push(Doubt::of(row)?);
                }
            }
            let records = held.into_iter().map(|held| MyRecord {
                doubts: own.remove(&held.id.uuid()).unwrap_or_default(),
                held,
            });
            all.push(Mine {
                records: records.collect(),
                registry,
            });
        }
        all.retain(|mine| !mine.records.is_empty());
        Ok(all)
    }

    /// One record about the signed-in person.
    ///
    /// # Errors
    /// As [`Self::mine`]; `NotFound` also for a record about somebody else.
    pub async fn my_record(&self, ctx: &Ctx, code: &crate::model::RegistryCode, record: Uuid) -> Result<Mine> {
        self.is_about(ctx, code, record).await?;
        let mine = self.mine(ctx).await?.into_iter();
        let mut mine = mine.filter(|mine| mine.registry.code == *code);
        let none = || base::Error::not_found("bản ghi", "record");
        let mut found = mine.next().ok_or_else(none)?;
        found.records.retain(|of| of.held.id.uuid() == record);
        if found.records.is_empty() {
            Err(none())
        } else {
            Ok(found)
        }
    }
}
