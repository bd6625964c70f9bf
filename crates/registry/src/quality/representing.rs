//! Who speaks for whom: people for themselves, and for the enterprises that they represent today. Who keeps records of enterprises asks
//! the registry of enterprises ([`Represented`]), on the same shelf or through the exchange, by the number of who is signed in. Nobody is
//! believed who names an enterprise.

use base::{Error, Kind, Result, codes::PersonNumber};
use identity::{Actor, Ctx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Quality,
    look::{enterprise_tie, subject_tie},
};
use crate::{
    elsewhere::{Heard, sentences},
    model::{FieldPath, Operator, Registry, RegistryCode, Represented, text_of, values_at},
    service::{Asked, Mask, Purpose, Query},
    store::quality::Tie,
    wire::{ListedBody, ListedRecordBody},
};

/// The purpose under which it is asked which enterprises a person represents, as grants name it.
pub const REPRESENTATION: &str = "registry.representation";
/// The name under which this node asks a registry of its own.
const READER: &str = "Xác định người đại diện doanh nghiệp";
/// Enterprises of one person that count.
const MOST: usize = 20;
/// Enterprises of one answer, those that do not exist any more among them.
pub(crate) const LISTED: u32 = 100;

/// An enterprise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enterprise {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// How far records of the enterprises that a person represents are among what they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Represents {
    /// All are.
    All,
    /// The newest are: there are more, or more enterprises.
    Newest,
    /// None: the registry of enterprises does not answer now.
    Silent,
    /// None: the registry of enterprises does not tell the keeper of the records who represents one.
    Closed,
}

/// A person with what they may speak for.
#[derive(Debug)]
pub(super) struct Speaker<'a> {
    number: &'a str,
    enterprises: Vec<Enterprise>,
    /// None where the registry has no records of enterprises.
    pub represents: Option<Represents>,
}

/// By what right somebody is told of a record, and contests it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right<'a> {
    /// It is about them.
    Own,
    /// It is of an enterprise that they represent.
    Of(&'a Enterprise),
}

impl<'a> Speaker<'a> {
    /// Who speaks for themselves and nobody else.
    pub const fn alone(number: &'a str) -> Self {
        Self {
            number,
            enterprises: Vec::new(),
            represents: None,
        }
    }

    /// The right by which they are told of a record that says this; none where there is none.
    pub fn right(&self, registry: &Registry, body: &Value) -> Option<Right<'_>> {
        if registry.subjects_of(body).iter().any(|subject| subject == self.number) {
            return Some(Right::Own);
        }
        let codes = registry.enterprises_of(body);
        let mut represented = self.enterprises.iter().filter(|of| codes.contains(&of.code));
        represented.next().map(Right::Of)
    }

    /// By what records that are about them are found.
    pub fn own_tie(&self, code: &RegistryCode) -> Tie {
        subject_tie(code, self.number)
    }

    /// By what records of the enterprises are found that they represent.
    pub fn ties(&self, code: &RegistryCode) -> Vec<Tie> {
        let ties = self.enterprises.iter().map(|of| enterprise_tie(code, &of.code));
        ties.collect()
    }

    /// The place of an enterprise among theirs; none for what is their own.
    pub fn place(&self, enterprise: Option<&Enterprise>) -> Option<usize> {
        self.enterprises.iter().position(|of| Some(of) == enterprise)
    }
}

impl Represents {
    /// Why somebody is not told of a record to which they have no right, as far as that is known.
    pub(super) fn refusal(self) -> Error {
        match self {
            Self::All | Self::Newest => Error::not_found("bản ghi", "record"),
            Self::Silent => Error::refused(
                Kind::Unavailable,
                "enterprises-silent",
                "Chưa tra cứu được doanh nghiệp do quý vị đại diện, xin thử lại sau.",
                "Which enterprises you represent cannot be looked up now; please try again later.",
            ),
            Self::Closed => Error::refused(
                Kind::Forbidden,
                "enterprises-closed",
                "Bản ghi về doanh nghiệp chưa mở tại đây: cơ quan giữ dữ liệu chưa được phép tra cứu người đại diện.",
                "Records of enterprises are not open here: the agency that keeps them may not look up who represents them.",
            ),
        }
    }
}

impl Quality {
    /// The person with this number, with the enterprises that they represent now if the registry has records of such.
    pub(super) async fn speaker<'a>(&self, ctx: &Ctx, registry: &Registry, number: &'a str) -> Speaker<'a> {
        let Some(source) = &registry.represented else {
            return Speaker::alone(number);
        };
        let (enterprises, represents) = match self.represented(ctx, source, number).await {
            Ok((enterprises, true)) => (enterprises, Represents::Newest),
            Ok((enterprises, false)) => (enterprises, Represents::All),
            Err(why) => (Vec::new(), why),
        };
        Speaker {
            number,
            enterprises,
            represents: Some(represents),
        }
    }

    /// The enterprises that somebody represents, and whether there are more; or why nobody can say.
    async fn represented(
        &self,
        ctx: &Ctx,
        source: &Represented,
        number: &str,
    ) -> std::result::Result<(Vec<Enterprise>, bool), Represents> {
        let listed = if self.registries().shelf().get(&source.registry).is_some() {
            self.listed_here(ctx, source, number).await.map_err(|error| {
                tracing::warn!(%error, registry = %source.registry, "who represents enterprises could not be looked up");
                Represents::Silent
            })?
        } else {
            self.listed_elsewhere(source, number).await?
        };
        existing(source, listed)
    }

    /// As the registry of this node has them. Whoever else represents one of them sees the read.
    async fn listed_here(&self, ctx: &Ctx, source: &Represented, number: &str) -> Result<ListedBody> {
        let asks = Ctx {
            actor: Actor::System(READER),
            ..ctx.clone()
        };
        let query = Query {
            asked: vec![Asked {
                field: source.by.clone(),
                operator: Operator::Eq,
                value: Some(number.to_owned()),
                upto: None,
            }],
            mask: Mask::of(vec![source.named.clone(), source.exists.field.clone()]),
            limit: LISTED,
            ..Query::default()
        };
        let purpose = Purpose::read(REPRESENTATION, "", "")?;
        let listed = self
            .registries()
            .list(&asks, &purpose, &source.registry, &query)
            .await?;
        let items = listed.items.into_iter().map(|view| ListedRecordBody {
            key: Some(view.key),
            body: view.body,
        });
        Ok(ListedBody {
            items: items.collect(),
            next: listed.next,
        })
    }

    /// As another node has them.
    async fn listed_elsewhere(
        &self,
        source: &Represented,
        number: &str,
    ) -> std::result::Result<ListedBody, Represents> {
        let (Some(elsewhere), Ok(number)) = (self.elsewhere(), number.parse::<PersonNumber>()) else {
            return Err(Represents::Closed);
        };
        match elsewhere.represented(source, &number).await {
            Some(Heard::Yes(listed)) => Ok(listed),
            Some(Heard::Nothing) => Err(Represents::Silent),
            Some(Heard::No(problems)) => {
                tracing::warn!(registry = %source.registry, why = sentences(&problems), "a registry does not tell this node who represents enterprises");
                Err(Represents::Closed)
            }
            None => Err(Represents::Closed),
        }
    }
}

/// Those that exist, as many as count, and whether there are more. What a mask has taken out cannot be judged, and opens nothing.
fn existing(source: &Represented, listed: ListedBody) -> std::result::Result<(Vec<Enterprise>, bool), Represents> {
    let text = |body: &Value, path: &FieldPath| values_at(body, path).into_iter().find_map(text_of);
    let mut enterprises = Vec::new();
    for ListedRecordBody { key, body } in listed.items {
        let (Some(code), Some(says)) = (key, text(&body, &source.exists.field)) else {
            return Err(Represents::Closed);
        };
        if source.exists.values.contains(&says) {
            let name = text(&body, &source.named).unwrap_or_default();
            enterprises.push(Enterprise { code, name });
        }
    }
    let more = listed.next.is_some() || enterprises.len() > MOST;
    enterprises.truncate(MOST);
    Ok((enterprises, more))
}
