//! What can be asked for: the services of the directory, and those of this node that it does not list yet.

use std::collections::BTreeMap;

use base::{Result, Text, text::fold};
use identity::{Ctx, Permission};

use super::{Access, reach};
use crate::{
    access::store as tables,
    model::{
        federation::{Badge, Description, Directory},
        identifier::{ServiceId, SubsystemId},
        meta::ServiceKind,
    },
};

/// A service that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub id: ServiceId,
    /// Its name.
    pub name: Text,
    /// The name of its member; of a service that no directory lists yet, the member's id.
    pub member: Text,
    /// How it is described.
    pub kind: ServiceKind,
    /// Its OpenAPI document, as the directory has it.
    pub description: Option<Description>,
    /// What the last conformance check found.
    pub badge: Option<Badge>,
    /// Whether this node hosts it.
    pub here: bool,
}

impl Access {
    /// Services by identifier, those whose identifier or names have all the words of `query`; where the next page starts.
    ///
    /// # Errors
    /// Without [`Permission::ReadExchange`].
    pub async fn catalogue(
        &self,
        ctx: &Ctx,
        query: &str,
        after: &str,
        most: u32,
    ) -> Result<(Vec<Offer>, Option<String>)> {
        let most = most as usize;
        reach(ctx, Permission::ReadExchange)?;
        let query = fold(query);
        let words: Vec<&str> = query.split_whitespace().collect();
        let after = after.parse::<ServiceId>().ok();
        let mut found: Vec<Offer> = self
            .offers()
            .await?
            .into_values()
            .filter(|offer| after.as_ref().is_none_or(|after| offer.id > *after))
            .filter(|offer| {
                let (name, member) = (&offer.name, &offer.member);
                let text = fold(&format!(
                    "{} {} {} {} {}",
                    offer.id, name.vi, name.en, member.vi, member.en
                ));
                words.iter().all(|word| text.contains(word))
            })
            .take(most + 1)
            .collect();
        let more = found.len() > most;
        found.truncate(most);
        let next = found.last().filter(|_| more).map(|last| last.id.to_string());
        Ok((found, next))
    }

    /// One service that can be asked for.
    ///
    /// # Errors
    /// The database failed.
    pub async fn offer(&self, id: &ServiceId) -> Result<Option<Offer>> {
        Ok(self.offers().await?.remove(id))
    }

    async fn offers(&self) -> Result<BTreeMap<ServiceId, Offer>> {
        let mut offers = BTreeMap::new();
        if let Some(standing) = self.directory() {
            listed(standing.view.directory(), &mut offers);
        }
        for row in tables::services_of(&self.store().read(), None).await? {
            let id = row.service()?;
            let offer = offers.entry(id.clone()).or_insert_with(|| Offer {
                name: row.name(),
                member: Text::new(id.provider.member.to_string(), ""),
                kind: row.kind(),
                description: None,
                badge: None,
                here: true,
                id,
            });
            offer.here = true;
        }
        Ok(offers)
    }
}

/// The services of members that take part.
fn listed(directory: &Directory, offers: &mut BTreeMap<ServiceId, Offer>) {
    for member in directory.members.iter().filter(|member| member.suspended.is_none()) {
        for subsystem in &member.subsystems {
            for service in &subsystem.services {
                let id = ServiceId {
                    provider: SubsystemId {
                        member: member.id.clone(),
                        code: subsystem.code.clone(),
                    },
                    code: service.code.clone(),
                };
                if crate::builtin::BuiltIn::of(&id.code).is_some_and(|built_in| built_in.open) {
                    continue;
                }
                let offer = Offer {
                    id: id.clone(),
                    name: service.name.clone(),
                    member: member.name.clone(),
                    kind: service.kind,
                    description: service.description.clone(),
                    badge: service.badge.clone(),
                    here: false,
                };
                offers.insert(id, offer);
            }
        }
    }
}
