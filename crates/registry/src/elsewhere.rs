//! Registries of other nodes, asked and told through the exchange. Who keeps one judges by its grants and its own rules; that it cannot be
//! reached, or does not answer in time, is silence.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use base::{Error, Problems, Result, Text, codes::PersonNumber};
use bytes::Bytes;
use exchange::{
    Caller, REGISTRIES, Said as Answer,
    journal::DirectoryNow,
    model::{
        error::{ErrorCode, Refusal},
        headers::{ID, ISSUE, PURPOSE},
        identifier::SubsystemId,
    },
};
use futures::future::{BoxFuture, join_all};
use http::{Request, header, request};
use identity::Ctx;
use procedure::form::{Attribute, Said};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use crate::{
    contest::{self, Contested},
    keeper::{self, Asked, Keeper, Order, TakeBack},
    lookup::{Lookup, Question},
    model::{Name, RegistryCode, Represented},
    quality::{LISTED, OWN_VIEW, REPRESENTATION, doubts::Judged},
    wire::{
        AskedBody, CarriedBody, ContestBody, EvidenceBody, FactsBody, ListedBody, OrderBody, OwnBody, OwnDoubtBody,
        StandingBody, StandingFileBody, TakeBackBody, TakenBody,
    },
};

/// The service of each registry that answers questions of procedures.
pub const FACTS_SERVICE: &str = "prefill";
/// The service of each registry that carries out their orders.
pub const ORDERS_SERVICE: &str = "keep";
/// What the exchange itself refuses.
const BARRED: &str = "exchange-refused";
/// The service of each registry that tells people of themselves at the node where they sign in.
pub const OWN_SERVICE: &str = "portal";
/// How long a registry is waited for that is asked: less than a person waits for all of them.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// How long one is waited for that another node waits behind: it has time to say so.
const PATIENCE_BEHIND: Duration = Duration::from_millis(1_200);
/// How long one is waited for that is told. It is told again afterwards, with the same effect.
const PATIENCE_OF_ORDERS: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// Asks and tells registries in the name of a system of this node.
pub struct Elsewhere {
    caller: Arc<dyn Caller>,
    system: SubsystemId,
    keepers: BTreeMap<RegistryCode, SubsystemId>,
    /// What the exchange calls the systems, once it is known.
    directory: Option<DirectoryNow>,
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elsewhere")
            .field("system", &self.system)
            .field("keepers", &self.keepers)
            .finish_non_exhaustive()
    }
}

impl Elsewhere {
    /// By this gateway, as this system; each registry is kept by the system beside it.
    pub const fn new(
        caller: Arc<dyn Caller>,
        system: SubsystemId,
        keepers: BTreeMap<RegistryCode, SubsystemId>,
    ) -> Self {
        Self {
            caller,
            system,
            keepers,
            directory: None,
        }
    }

    /// The same, which knows the names of systems.
    #[must_use]
    pub fn named_by(self, directory: Option<DirectoryNow>) -> Self {
        Self { directory, ..self }
    }

    /// The registries that it knows the keepers of.
    pub(crate) fn registries(&self) -> impl Iterator<Item = &RegistryCode> {
        self.keepers.keys()
    }

    /// What the exchange calls who keeps a registry; none where it does not know them.
    pub(crate) fn known(&self, registry: &RegistryCode) -> Option<Known> {
        let (directory, keeper) = (self.directory.as_ref()?, self.keepers.get(registry)?);
        directory().subsystem(keeper).map(|(member, system)| Known {
            member: member.name.clone(),
            system: system.name.clone(),
        })
    }

    fn keeper(&self, registry: &str) -> Option<(RegistryCode, &SubsystemId)> {
        let code: RegistryCode = registry.parse().ok()?;
        let keeper = self.keepers.get(&code)?;
        Some((code, keeper))
    }

    /// What one registry says; none where it says nothing that can be relied on.
    async fn of(
        &self,
        ctx: &Ctx,
        question: &Question,
        registry: &str,
        attributes: &[&Attribute],
    ) -> Option<BTreeMap<Attribute, Said>> {
        let (code, keeper) = self.keeper(registry)?;
        let request = question_request(&code, keeper, question, attributes);
        let request = request
            .inspect_err(|error| tracing::warn!(%error, %code, "a question cannot be put"))
            .ok()?;
        let facts: FactsBody = match self.call(&code, request, PATIENCE).await {
            Heard::Yes(facts) => facts,
            Heard::No(problems) => {
                let why = sentences(&problems);
                tracing::warn!(%code, %keeper, why, procedure = %question.procedure, "a registry does not answer this node's procedures");
                return None;
            }
            Heard::Nothing => return None,
        };
        if !facts.not_offered.is_empty() {
            let names = facts
                .not_offered
                .iter()
                .map(Name::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            tracing::warn!(%code, %keeper, names, procedure = %question.procedure, "a registry does not tell what this node's procedures ask");
        }
        let at = ctx.now;
        let said = attributes.iter().filter_map(|attribute| {
            let name: Name = attribute.name.parse().ok()?;
            // What a mask has taken out was not said.
            let said = match facts.facts.get(&name)? {
                None => Said::Nothing { at },
                Some(fact) => Said::Known {
                    value: fact.value.clone(),
                    entry: fact.entry.clone(),
                    recorded_at: fact.recorded_at()?,
                    at,
                },
            };
            Some(((*attribute).clone(), said))
        });
        Some(said.collect())
    }

    async fn carry_out(
        &self,
        registry: &str,
        request: impl FnOnce(&RegistryCode, &SubsystemId) -> Result<Request<Bytes>>,
    ) -> keeper::Said {
        let Some((code, keeper)) = self.keeper(registry) else {
            return keeper::Said::Silent;
        };
        let request = match request(&code, keeper) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(%error, %code, "an order cannot be put");
                return keeper::Said::Silent;
            }
        };
        match self.call::<CarriedBody>(&code, request, PATIENCE_OF_ORDERS).await {
            Heard::Yes(CarriedBody { entry, record }) => keeper::Said::Done { entry, record },
            Heard::No(problems) if problems.iter().any(|problem| problem.code == BARRED) => {
                keeper::Said::Barred(problems)
            }
            Heard::No(problems) => keeper::Said::Refused(problems),
            Heard::Nothing => keeper::Said::Silent,
        }
    }

    /// Tells a registry what is contested of it; nothing where it is nowhere that this node knows of.
    pub(crate) async fn contest(&self, registry: &str, contested: &Contested) -> Option<Heard<TakenBody>> {
        let (code, keeper) = self.keeper(registry)?;
        let target = format!("/r1/{keeper}/{REGISTRIES}/{code}/{FACTS_SERVICE}/contests");
        let (id, body) = (format!("contest-{}", contested.id), ContestBody::of(contested));
        let request = posted(contest::PURPOSE, &target, &id, &contested.dossier, &body);
        let request = request
            .inspect_err(|error| tracing::error!(%error, %code, "what is contested cannot be put"))
            .ok()?;
        Some(self.call(&code, request, PATIENCE_OF_ORDERS).await)
    }

    /// Asks what a registry holds about the person with this number, who is signed in here; nothing where the registry is nowhere that
    /// this node knows of.
    pub(crate) async fn own(&self, registry: &RegistryCode, number: &PersonNumber) -> Option<Heard<OwnBody>> {
        let keeper = self.keepers.get(registry)?;
        let request = Request::get(format!("{}/{number}", own_target(keeper, registry)))
            .header(PURPOSE, OWN_VIEW)
            .body(Bytes::new())
            .ok()?;
        Some(self.call(registry, request, PATIENCE).await)
    }

    /// Asks which enterprises the person with this number represents; nothing where their registry is nowhere that this node knows of.
    pub(crate) async fn represented(&self, source: &Represented, number: &PersonNumber) -> Option<Heard<ListedBody>> {
        let Represented { registry, service, .. } = source;
        let (keeper, by) = (self.keepers.get(registry)?, source.by.as_str().replace('.', "_"));
        let target = format!("/r1/{keeper}/{REGISTRIES}/{registry}/{service}/records?{by}={number}&limit={LISTED}");
        let request = Request::get(target).header(PURPOSE, REPRESENTATION);
        let request = request.body(Bytes::new()).ok()?;
        Some(self.call(registry, request, PATIENCE_BEHIND).await)
    }

    /// Tells a registry what this person contests of a record about them; nothing where the registry is nowhere that this node knows of.
    pub(crate) async fn contest_own(
        &self,
        registry: &RegistryCode,
        number: &PersonNumber,
        body: &OwnDoubtBody,
    ) -> Option<Heard<TakenBody>> {
        let target = format!("{}/{number}/doubts", own_target(self.keepers.get(registry)?, registry));
        let request = posted(OWN_VIEW, &target, &format!("own-{}", body.id), "", body);
        let request = request
            .inspect_err(|error| tracing::error!(%error, %registry, "what is contested cannot be put"))
            .ok()?;
        // Whoever contests waits for it.
        Some(self.call(registry, request, PATIENCE).await)
    }

    /// Gives a registry the evidence that it asks for of a doubt: of this person's, or of one that came up in a dossier; nothing where the
    /// registry is nowhere that this node knows of.
    pub(crate) async fn evidence(
        &self,
        registry: &str,
        whose: Whose<'_>,
        doubt: Uuid,
        evidence: &str,
    ) -> Option<Heard<StandingBody>> {
        let body = EvidenceBody {
            evidence: evidence.to_owned(),
        };
        // One text, one message, however often it is sent.
        let text = hex::encode(&Sha256::digest(evidence)[..8]);
        let id = format!("evidence-{doubt}-{text}");
        // Whoever gives it waits.
        self.tell_of_doubt(registry, whose, doubt, PATIENCE, |at| {
            posted(at.purpose, &format!("{}/evidence", at.target), &id, at.dossier, &body)
        })
        .await
    }

    /// Gives a registry a file that shows what a doubt says; the same content twice is there once. Nothing where the registry is nowhere
    /// that this node knows of.
    pub(crate) async fn evidence_file(
        &self,
        registry: &str,
        whose: Whose<'_>,
        doubt: Uuid,
        file: &Judged,
    ) -> Option<Heard<StandingFileBody>> {
        let name: String = byte_serialize(file.name.as_bytes()).collect();
        let id = format!("file-{doubt}-{}", file.sha256);
        // It takes longer than a text.
        self.tell_of_doubt(registry, whose, doubt, PATIENCE_OF_ORDERS, |at| {
            let target = format!("{}/evidence/files?name={name}", at.target);
            told(
                at.purpose,
                &target,
                &id,
                at.dossier,
                "application/octet-stream",
                file.content.clone(),
            )
        })
        .await
    }

    /// Tells a registry that a doubt is taken back; nothing where the registry is nowhere that this node knows of.
    pub(crate) async fn withdraw(&self, registry: &str, whose: Whose<'_>, doubt: Uuid) -> Option<Heard<StandingBody>> {
        let id = format!("withdraw-{doubt}");
        self.tell_of_doubt(registry, whose, doubt, PATIENCE, |at| {
            told(
                at.purpose,
                &format!("{}/withdraw", at.target),
                &id,
                at.dossier,
                "application/json",
                Bytes::new(),
            )
        })
        .await
    }

    /// Tells a registry something of a doubt: of this person's, or of one that came up in a dossier.
    async fn tell_of_doubt<T: DeserializeOwned>(
        &self,
        registry: &str,
        whose: Whose<'_>,
        doubt: Uuid,
        patience: Duration,
        request: impl FnOnce(Place<'_>) -> Result<Request<Bytes>>,
    ) -> Option<Heard<T>> {
        let (code, keeper) = self.keeper(registry)?;
        let place = match whose {
            Whose::Person(number) => Place {
                purpose: OWN_VIEW,
                dossier: "",
                target: format!("{}/{number}/doubts/{doubt}", own_target(keeper, &code)),
            },
            Whose::Dossier(dossier) => Place {
                purpose: contest::PURPOSE,
                dossier,
                target: format!("/r1/{keeper}/{REGISTRIES}/{code}/{FACTS_SERVICE}/contests/{doubt}"),
            },
        };
        let request = request(place);
        let request = request
            .inspect_err(|error| tracing::error!(%error, %code, "what belongs to a doubt cannot be put"))
            .ok()?;
        Some(self.call(&code, request, patience).await)
    }

    /// Asks how a doubt stands that came up in a dossier, or in none but in what a person sees of themselves; nothing where the registry
    /// is nowhere that this node knows of.
    pub(crate) async fn standing(
        &self,
        registry: &str,
        dossier: Option<&str>,
        doubt: Uuid,
    ) -> Option<Heard<StandingBody>> {
        let (code, keeper) = self.keeper(registry)?;
        let (service, purpose) = match dossier {
            Some(_) => (FACTS_SERVICE, contest::PURPOSE),
            None => (OWN_SERVICE, OWN_VIEW),
        };
        let target = format!("/r1/{keeper}/{REGISTRIES}/{code}/{service}/contests/{doubt}");
        let request = of_dossier(
            Request::get(target).header(PURPOSE, purpose),
            dossier.unwrap_or_default(),
        );
        let request = request.body(Bytes::new()).ok()?;
        Some(self.call(&code, request, PATIENCE).await)
    }

    /// Whoever is asked about stands in the address, so it is in no line of the program's log.
    async fn call<T: DeserializeOwned>(
        &self,
        code: &RegistryCode,
        request: Request<Bytes>,
        patience: Duration,
    ) -> Heard<T> {
        let Ok(answer) = tokio::time::timeout(patience, self.caller.call(&self.system, request)).await else {
            tracing::warn!(%code, "a registry did not answer in time");
            return Heard::Nothing;
        };
        if let Some(problems) = answer.as_ref().err().and_then(refused) {
            return Heard::No(problems);
        }
        match Answer::of_json(answer, LARGEST) {
            Answer::Yes(body) => Heard::Yes(body),
            Answer::No(_, problems) => Heard::No(problems),
            Answer::Later(problems) => {
                tracing::warn!(%code, why = sentences(&problems), "a registry gave no answer");
                Heard::Nothing
            }
        }
    }
}

pub(crate) fn sentences(problems: &Problems) -> String {
    let sentences: Vec<&str> = problems.iter().map(|problem| problem.text.en.as_str()).collect();
    sentences.join(" ")
}

/// Who keeps a registry, as the exchange calls them.
#[derive(Debug)]
pub(crate) struct Known {
    /// The agency.
    pub member: Text,
    /// Its system.
    pub system: Text,
}

/// Whose doubt it is, for who keeps the registry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'a> {
    /// A person's, by their number.
    Person(&'a PersonNumber),
    /// Of whose dossier this is.
    Dossier(&'a str),
}

/// Where a doubt is, and under which purpose and for which dossier it is spoken of there.
struct Place<'a> {
    purpose: &'static str,
    dossier: &'a str,
    target: String,
}

/// What came of a call.
pub(crate) enum Heard<T> {
    /// What was asked for.
    Yes(T),
    /// No, for good, and why.
    No(Problems),
    /// Nothing that can be relied on; to be asked again.
    Nothing,
}

/// Why the exchange itself says no for good: by want of a grant, or because there is no such service. Everything else may be otherwise
/// in a while.
fn refused(refusal: &Refusal) -> Option<Problems> {
    let for_good = matches!(
        refusal.code(),
        ErrorCode::AccessDenied
            | ErrorCode::UnknownService
            | ErrorCode::BadRequest
            | ErrorCode::InvalidClientIdentifier
            | ErrorCode::PurposeMissing
            | ErrorCode::MessageTooLarge
    );
    for_good.then(|| {
        let mut problems = Problems::new();
        let text = refusal.code().text();
        problems.add(BARRED, "", text.vi, text.en);
        problems.extend(refusal.problems().clone());
        problems
    })
}

impl Lookup for Elsewhere {
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: &'a Question) -> BoxFuture<'a, BTreeMap<Attribute, Said>> {
        Box::pin(async move {
            let asked = question.by_registry().into_iter();
            let asked = asked.map(async |(code, attributes)| self.of(ctx, question, code, &attributes).await);
            join_all(asked).await.into_iter().flatten().flatten().collect()
        })
    }
}

impl Keeper for Elsewhere {
    fn tell<'a>(&'a self, _: &'a Ctx, order: &'a Order) -> BoxFuture<'a, keeper::Said> {
        let request = |code: &RegistryCode, keeper: &SubsystemId| {
            let target = format!("/r1/{keeper}/{REGISTRIES}/{code}/{ORDERS_SERVICE}/orders");
            order_request(
                &target,
                &format!("order-{}", order.id),
                &order.dossier,
                &OrderBody::of(order),
            )
        };
        Box::pin(self.carry_out(&order.plan.registry, request))
    }

    fn became<'a>(&'a self, _: &'a Ctx, asked: &'a Asked) -> BoxFuture<'a, keeper::Said> {
        let request = |code: &RegistryCode, keeper: &SubsystemId| {
            let target = format!(
                "/r1/{keeper}/{REGISTRIES}/{code}/{ORDERS_SERVICE}/became/{}",
                asked.order
            );
            order_request(
                &target,
                &format!("became-{}", asked.order),
                &asked.dossier,
                &AskedBody::of(asked),
            )
        };
        Box::pin(self.carry_out(&asked.registry, request))
    }

    fn take_back<'a>(&'a self, _: &'a Ctx, back: &'a TakeBack) -> BoxFuture<'a, keeper::Said> {
        let request = |code: &RegistryCode, keeper: &SubsystemId| {
            let target = format!(
                "/r1/{keeper}/{REGISTRIES}/{code}/{ORDERS_SERVICE}/orders/{}/back",
                back.order
            );
            order_request(
                &target,
                &format!("back-{}", back.order),
                &back.dossier,
                &TakeBackBody::of(back),
            )
        };
        Box::pin(self.carry_out(&back.registry, request))
    }
}

fn question_request(
    code: &RegistryCode,
    keeper: &SubsystemId,
    question: &Question,
    attributes: &[&Attribute],
) -> Result<Request<Bytes>> {
    let names: Vec<&str> = attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    let number = question.about.number();
    let mut target = format!(
        "/r1/{keeper}/{REGISTRIES}/{code}/{FACTS_SERVICE}/facts/{number}?attributes={}",
        names.join(",")
    );
    // A node that does not know of these refuses them, and is silent: it never answers of now in their stead.
    let times = [
        ("as_of", question.times.as_of()),
        ("known_at", question.times.known_at()),
    ];
    for (name, value) in times {
        let value = value.iter().flat_map(|text| byte_serialize(text.as_bytes()));
        let value: String = value.collect();
        if !value.is_empty() {
            target.push_str(&format!("&{name}={value}"));
        }
    }
    let mut request = Request::get(target).header(PURPOSE, question.purpose());
    if let Some(dossier) = &question.dossier {
        request = request.header(ISSUE, dossier);
    }
    request.body(Bytes::new()).map_err(Error::internal)
}

fn order_request(target: &str, id: &str, dossier: &str, body: &impl Serialize) -> Result<Request<Bytes>> {
    posted(keeper::PURPOSE, target, id, dossier, body)
}

fn own_target(keeper: &SubsystemId, registry: &RegistryCode) -> String {
    format!("/r1/{keeper}/{REGISTRIES}/{registry}/{OWN_SERVICE}/own")
}

/// Names the dossier that is the cause; empty where there is none.
fn of_dossier(request: request::Builder, dossier: &str) -> request::Builder {
    if dossier.is_empty() {
        request
    } else {
        request.header(ISSUE, dossier)
    }
}

fn posted(purpose: &str, target: &str, id: &str, dossier: &str, body: &impl Serialize) -> Result<Request<Bytes>> {
    let body = serde_json::to_vec(body)?.into();
    told(purpose, target, id, dossier, "application/json", body)
}

/// What is sent again is the same message.
fn told(purpose: &str, target: &str, id: &str, dossier: &str, kind: &str, body: Bytes) -> Result<Request<Bytes>> {
    let request = Request::post(target)
        .header(header::CONTENT_TYPE, kind)
        .header(PURPOSE, purpose)
        .header(ID, id);
    of_dossier(request, dossier).body(body).map_err(Error::internal)
}
