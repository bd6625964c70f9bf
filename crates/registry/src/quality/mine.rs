//! What is held about the signed-in person in each registry, of this node and of those that it knows elsewhere.

use std::{collections::BTreeMap, sync::Arc};

use base::{Result, codes::PersonNumber};
use futures::future::{join_all, try_join_all};
use identity::Ctx;
use uuid::Uuid;

use super::{
    Enterprise, PURPOSE, Quality, Represents,
    doubts::{Doubt, tables as doubts},
    representing::{Right, Speaker},
    tables,
};
use crate::{
    elsewhere::{Heard, Known, sentences},
    model::{Registry, RegistryCode},
    service::{Held, Mask, Purpose, Told},
    wire::OwnBody,
};

/// Records about one person in one registry that are shown; of the enterprises that they represent, as many again.
const MOST: i64 = 50;

/// The records of one registry about one person, and of the enterprises that they represent today.
#[derive(Debug)]
pub struct Mine {
    /// The registry.
    pub registry: Arc<Registry>,
    /// The records: what holds of each, or held last. The person's own come first, the newest of them before the others.
    pub records: Vec<MyRecord>,
    /// How far records of enterprises are among them; none where the registry has no such records.
    pub represents: Option<Represents>,
}

/// One record that the person is told of.
#[derive(Debug)]
pub struct MyRecord {
    /// What it says.
    pub held: Held,
    /// The enterprise that it is of, where the person is told as who represents that; none where the record is about them.
    pub enterprise: Option<Enterprise>,
    /// The person's doubts about it, the newest first.
    pub doubts: Vec<Doubt>,
}

/// What somebody is told of in one registry.
#[derive(Debug)]
pub(super) struct About {
    /// The records, with the enterprise that each is of unless it is about them.
    pub records: Vec<(Held, Option<Enterprise>)>,
    /// As [`Mine::represents`].
    pub represents: Option<Represents>,
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
    /// Everything that the registries of this node hold about the signed-in person, and of the enterprises that they represent; a registry
    /// that cannot say which these are is there without records. Records that are about others too are told to them.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for an officer, or an e-ID of level 1; `Unavailable` when a read could not be logged.
    pub async fn mine(&self, ctx: &Ctx) -> Result<Vec<Mine>> {
        let person = ctx.person_level2()?;
        let Some(number) = &person.person_number else {
            return Ok(Vec::new());
        };
        let all = self.registries().shelf().all();
        let all = all
            .iter()
            .map(async |editions| self.mine_in(ctx, editions.current(), number, None).await);
        let mut all = try_join_all(all).await?;
        let cannot_say = |of: &Mine| matches!(of.represents, Some(Represents::Silent | Represents::Closed));
        all.retain(|of| !of.records.is_empty() || cannot_say(of));
        Ok(all)
    }

    /// The same of one registry; of one record of it where that is named.
    async fn mine_in(&self, ctx: &Ctx, registry: Arc<Registry>, number: &str, only: Option<Uuid>) -> Result<Mine> {
        let account = ctx.person_level2()?.account.uuid();
        let About { records, represents } = self.about(ctx, &registry, number, only).await?;
        // Whoever else is a person of these records sees the read; who represents an enterprise beside the reader sees that it was asked.
        let purpose = Purpose::read(PURPOSE, "", "")?;
        let bodies = records.iter().map(|(held, _)| &held.body);
        self.registries()
            .log(ctx, &purpose, &registry, bodies, &Mask::ALL, Told::Nobody)
            .await?;
        let mut own: BTreeMap<Uuid, Vec<Doubt>> = BTreeMap::new();
        let ids: Vec<Uuid> = records.iter().map(|(held, _)| held.id.uuid()).collect();
        for row in doubts::of_records(&self.registries().store().read(), &ids).await? {
            if row.reporter_id == Some(account) {
                own.entry(row.record_id).or_default().push(Doubt::of(row)?);
            }
        }
        let records = records.into_iter().map(|(held, enterprise)| MyRecord {
            doubts: own.remove(&held.id.uuid()).unwrap_or_default(),
            enterprise,
            held,
        });
        Ok(Mine {
            records: records.collect(),
            registry,
            represents,
        })
    }

    /// The records of a registry of this node that a person is told of, or the one that is named if they are. Nobody is told: the caller sees
    /// to that.
    pub(super) async fn about(
        &self,
        ctx: &Ctx,
        registry: &Registry,
        number: &str,
        only: Option<Uuid>,
    ) -> Result<About> {
        let speaker = self.speaker(ctx, registry, number).await;
        let (records, cut) = match only {
            Some(record) => (vec![record], false),
            None => self.tied_to(&speaker, &registry.code).await?,
        };
        let held = self.registries().held(&registry.code, &records, ctx.now).await?;
        // Whom a record was about once it need not be about any more.
        let told = held.into_iter().filter_map(|held| {
            let enterprise = match speaker.right(registry, &held.body)? {
                Right::Own => None,
                Right::Of(enterprise) => Some(enterprise.clone()),
            };
            Some((held, enterprise))
        });
        let mut records: Vec<_> = told.collect();
        records.sort_by_key(|(_, enterprise)| speaker.place(enterprise.as_ref()));
        Ok(About {
            records,
            represents: match speaker.represents {
                Some(Represents::All) if cut => Some(Represents::Newest),
                represents => represents,
            },
        })
    }

    /// The newest records that may be told to somebody, and whether there are more of enterprises.
    async fn tied_to(&self, speaker: &Speaker<'_>, code: &RegistryCode) -> Result<(Vec<Uuid>, bool)> {
        let db = self.registries().store().read();
        let mut records = tables::newest_tied(&db, &[speaker.own_tie(code)], MOST).await?;
        let mut of = tables::newest_tied(&db, &speaker.ties(code), MOST + 1).await?;
        let most = usize::try_from(MOST).unwrap_or_default();
        let cut = of.len() > most;
        of.truncate(most);
        of.retain(|record| !records.contains(record));
        records.extend(of);
        Ok((records, cut))
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

    /// One record about the signed-in person, or of an enterprise that they represent.
    ///
    /// # Errors
    /// As [`Self::mine`]; `NotFound` also for a record about somebody else; `Unavailable` or `Forbidden` where it may be of an enterprise
    /// and nobody can say who represents that.
    pub async fn my_record(&self, ctx: &Ctx, code: &RegistryCode, record: Uuid) -> Result<Mine> {
        let none = || base::Error::not_found("bản ghi", "record");
        let number = ctx.person_level2()?.person_number.as_deref().ok_or_else(none)?;
        let registry = self.registries().editions(code)?.current();
        let found = self.mine_in(ctx, registry, number, Some(record)).await?;
        match found.represents {
            _ if !found.records.is_empty() => Ok(found),
            Some(represents) => Err(represents.refusal()),
            None => Err(none()),
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
