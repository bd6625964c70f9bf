//! What is held about the signed-in person in each registry, of this node and of those that it knows elsewhere.

use std::{collections::BTreeMap, sync::Arc};

use base::{Result, Timestamp, codes::PersonNumber};
use futures::future::join_all;
use identity::Ctx;
use uuid::Uuid;

use super::{
    PURPOSE, Quality,
    doubts::{Doubt, tables as doubts},
    look::subject_tie,
    tables,
};
use crate::{
    elsewhere::{Heard, Known, sentences},
    model::{Registry, RegistryCode},
    service::{Held, Mask, Purpose, Told},
    wire::OwnBody,
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

/// What a registry of another node says that it holds about the person.
#[derive(Debug)]
pub(super) struct Far {
    /// The registry.
    pub registry: RegistryCode,
    /// What the exchange calls who keeps it.
    pub keeper: Option<Known>,
    /// What it says, or why it says nothing.
    pub said: std::result::Result<OwnBody, Without>,
}

/// Why a registry says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    /// Its agency does not tell people at this node.
    Closed,
    /// It does not answer now.
    Silent,
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
            let held = self.about(&registry, number, ctx.now).await?;
            if held.is_empty() {
                continue;
            }
            let bodies = held.iter().map(|held| &held.body);
            self.registries()
                .log(ctx, &purpose, &registry, bodies, &Mask::ALL, Told::Nobody)
                .await?;
            let mut own: BTreeMap<Uuid, Vec<Doubt>> = BTreeMap::new();
            let records: Vec<Uuid> = held.iter().map(|held| held.id.uuid()).collect();
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
        Ok(all)
    }

    /// The records of a registry of this node that are about a person. Nobody is told: the caller sees to that.
    pub(super) async fn about(&self, registry: &Registry, number: &str, now: Timestamp) -> Result<Vec<Held>> {
        let db = self.registries().store().read();
        let records = tables::tied(&db, &subject_tie(&registry.code, number), Uuid::nil(), MOST).await?;
        let held = self.registries().held(&registry.code, &records, now).await?.into_iter();
        // Whom a record was about once it need not be about any more.
        let is_about = |held: &Held| registry.subjects_of(&held.body).iter().any(|subject| subject == number);
        Ok(held.filter(is_about).collect())
    }

    /// What registries of other nodes hold about the signed-in person. All are asked at once, and none is waited for longer than for
    /// one.
    ///
    /// # Errors
    /// As [`Self::mine`].
    pub(super) async fn mine_elsewhere(&self, ctx: &Ctx) -> Result<Vec<Far>> {
        let number = own_number(ctx)?;
        let (Some(number), Some(elsewhere)) = (number, self.elsewhere()) else {
            return Ok(Vec::new());
        };
        let shelf = self.registries().shelf();
        let asked = elsewhere.registries().filter(|code| shelf.get(code).is_none());
        let asked = asked.map(async |code| self.far(code, &number).await);
        Ok(join_all(asked).await.into_iter().flatten().collect())
    }

    /// What one registry of another node holds about the signed-in person.
    ///
    /// # Errors
    /// As [`Self::mine`]; `NotFound` where nobody is known to keep it.
    pub(super) async fn my_far(&self, ctx: &Ctx, code: &RegistryCode) -> Result<Far> {
        let none = || base::Error::not_found("cơ sở dữ liệu", "registry");
        let number = own_number(ctx)?.ok_or_else(none)?;
        self.far(code, &number).await.ok_or_else(none)
    }

    /// What one registry says; none where nobody is known to keep it.
    async fn far(&self, code: &RegistryCode, number: &PersonNumber) -> Option<Far> {
        let elsewhere = self.elsewhere()?;
        let said = match elsewhere.own(code, number).await? {
            Heard::Yes(body) => Ok(body),
            Heard::No(problems) => {
                tracing::warn!(%code, why = sentences(&problems), "a registry does not tell people of this node what it holds about them");
                Err(Without::Closed)
            }
            Heard::Nothing => Err(Without::Silent),
        };
        Some(Far {
            registry: code.clone(),
            keeper: elsewhere.known(code),
            said,
        })
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

/// The number of the signed-in person, by which other nodes know them: theirs and nobody else's.
///
/// # Errors
/// `Unauthenticated`; `Forbidden` for an officer, or an e-ID of level 1.
pub(super) fn own_number(ctx: &Ctx) -> Result<Option<PersonNumber>> {
    let number = ctx.person_level2()?.person_number.as_deref();
    Ok(number.and_then(|number| number.parse().ok()))
}
