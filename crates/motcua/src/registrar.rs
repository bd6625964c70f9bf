//! Where each registry is: at this node, at another by the exchange, or nowhere that this node knows of. It asks, tells and contests there.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use ::exchange::{Caller, journal::DirectoryNow, model::identifier::SubsystemId};
use base::{Problems, Result};
use futures::future::{BoxFuture, join};
use identity::Ctx;
use procedure::form::{Attribute, Said};
use registry::{
    contest::{Contest, Contested, Standing, Told},
    elsewhere::Elsewhere,
    here::Here,
    keeper::{self, Asked, Keeper, Order, TakeBack},
    lookup::{Lookup, Question},
    model::RegistryCode,
    quality::{Quality, doubts::LOOK},
};
use store::jobs::Runner;
use tokio::time::timeout;

/// How long somebody who opens a dossier waits for registries of other nodes to say how things stand.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks and tells registries wherever they are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Registrar(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    here: Here,
    quality: Quality,
    /// Which system keeps what this node does not.
    keepers: BTreeMap<RegistryCode, SubsystemId>,
    /// By the exchange, once it is open.
    elsewhere: OnceLock<Arc<Elsewhere>>,
}

/// Who is to be told.
enum Place<'a> {
    At(&'a dyn Keeper),
    /// At another node, and this one has not joined the exchange yet.
    NotYet,
    Nowhere,
}

impl Registrar {
    /// Of the node's own registries first; what it does not keep itself is where `keepers` says.
    pub fn new(quality: Quality, keepers: BTreeMap<RegistryCode, SubsystemId>) -> Self {
        Self(Arc::new(Inner {
            here: Here::new(quality.registries().clone()),
            quality,
            keepers,
            elsewhere: OnceLock::new(),
        }))
    }

    /// From now on calls go out by this gateway, in the name of this system; others are called as the directory names them.
    pub fn join(&self, caller: Arc<dyn Caller>, system: SubsystemId, directory: Option<DirectoryNow>) {
        let elsewhere = Elsewhere::new(caller, system, self.0.keepers.clone()).named_by(directory);
        let elsewhere = Arc::new(elsewhere);
        self.0.quality.join(Arc::clone(&elsewhere));
        // Said once, by whoever serves.
        let _ = self.0.elsewhere.set(elsewhere);
    }

    /// Teaches a runner to look after what is contested of registries of other nodes.
    pub fn handlers(&self, runner: Runner) -> Runner {
        let registrar = self.clone();
        runner.on(LOOK, move |run| {
            let registrar = registrar.clone();
            async move {
                match registrar.0.elsewhere.get() {
                    Some(elsewhere) => registrar.0.quality.look_and_order(&run, elsewhere).await,
                    // Before the node has joined again nobody can be asked.
                    None => Ok(()),
                }
            }
        })
    }

    /// As which system the events of a registry are published, if it is known who keeps it: as `ours` what is kept here.
    pub fn publisher(&self, registry: &RegistryCode, ours: &SubsystemId) -> Option<SubsystemId> {
        let named = self.0.keepers.get(registry).cloned();
        named.or_else(|| self.0.here.keeps(registry.as_str()).then(|| ours.clone()))
    }

    fn place(&self, registry: &str) -> Place<'_> {
        let is_elsewhere = |code: RegistryCode| self.0.keepers.contains_key(&code);
        if self.0.here.keeps(registry) {
            Place::At(&self.0.here)
        } else if !registry.parse().is_ok_and(is_elsewhere) {
            Place::Nowhere
        } else if let Some(elsewhere) = self.0.elsewhere.get() {
            Place::At(elsewhere.as_ref())
        } else {
            Place::NotYet
        }
    }
}

impl Lookup for Registrar {
    fn ask<'a>(&'a self, ctx: &'a Ctx, question: &'a Question) -> BoxFuture<'a, BTreeMap<Attribute, Said>> {
        Box::pin(async move {
            let (here, there) = (question.attributes.iter().cloned())
                .partition(|attribute: &Attribute| self.0.here.keeps(&attribute.registry));
            let of = |attributes| Question {
                attributes,
                ..question.clone()
            };
            let (here, there) = (of(here), of(there));
            let elsewhere = async {
                match self.0.elsewhere.get() {
                    Some(elsewhere) => elsewhere.ask(ctx, &there).await,
                    None => BTreeMap::new(),
                }
            };
            let (mut said, others) = join(self.0.here.ask(ctx, &here), elsewhere).await;
            said.extend(others);
            said
        })
    }
}

impl Keeper for Registrar {
    fn tell<'a>(&'a self, ctx: &'a Ctx, order: &'a Order) -> BoxFuture<'a, keeper::Said> {
        match self.place(&order.plan.registry) {
            Place::At(keeper) => keeper.tell(ctx, order),
            Place::NotYet => Box::pin(async { keeper::Said::Silent }),
            Place::Nowhere => Box::pin(async { nowhere(&order.plan.registry) }),
        }
    }

    fn became<'a>(&'a self, ctx: &'a Ctx, asked: &'a Asked) -> BoxFuture<'a, keeper::Said> {
        match self.place(&asked.registry) {
            Place::At(keeper) => keeper.became(ctx, asked),
            Place::NotYet => Box::pin(async { keeper::Said::Silent }),
            Place::Nowhere => Box::pin(async { nowhere(&asked.registry) }),
        }
    }

    fn take_back<'a>(&'a self, ctx: &'a Ctx, back: &'a TakeBack) -> BoxFuture<'a, keeper::Said> {
        match self.place(&back.registry) {
            Place::At(keeper) => keeper.take_back(ctx, back),
            Place::NotYet => Box::pin(async { keeper::Said::Silent }),
            Place::Nowhere => Box::pin(async { nowhere(&back.registry) }),
        }
    }
}

impl Contest for Registrar {
    fn contest<'a>(&'a self, ctx: &'a Ctx, contested: &'a Contested) -> BoxFuture<'a, Told> {
        let registry = contested.registry();
        if self.0.here.keeps(registry) {
            return self.0.quality.contest(ctx, contested);
        }
        Box::pin(async move {
            let is_elsewhere = |code: RegistryCode| self.0.keepers.contains_key(&code);
            match self.0.elsewhere.get() {
                Some(elsewhere) => self.0.quality.contest_elsewhere(ctx, elsewhere, contested).await,
                None if registry.parse().is_ok_and(is_elsewhere) => Told::Silent,
                None => Told::NotHere,
            }
        })
    }

    fn standing<'a>(&'a self, ctx: &'a Ctx, dossier: &'a str) -> BoxFuture<'a, Result<Vec<Standing>>> {
        Box::pin(async move {
            if let Some(elsewhere) = self.0.elsewhere.get() {
                let looked = self.0.quality.look_for(elsewhere, dossier, ctx.now);
                // The next look of the node hears what comes too late. What another node says amiss keeps nobody from the dossier.
                if let Ok(Err(error)) = timeout(PATIENCE, looked).await {
                    tracing::warn!(%error, dossier, "how something stands that was contested could not be learned");
                }
            }
            self.0.quality.standing(ctx, dossier).await
        })
    }
}

/// For the officer who goes on by hand, and for whoever configures the node.
fn nowhere(registry: &str) -> keeper::Said {
    let mut problems = Problems::new();
    problems.add(
        "registry-nowhere",
        registry,
        "Nút này không giữ cơ sở dữ liệu đó và chưa được cấu hình để gửi tới nơi giữ ([exchange.registries]).",
        "This node does not keep that registry, and is not configured to reach whoever does ([exchange.registries]).",
    );
    keeper::Said::Refused(problems)
}
