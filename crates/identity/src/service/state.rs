//! What the use cases share.

use std::{fmt, sync::Arc};

use base::{Clock, Error, Lang, Result, Text, Timestamp};
use store::Store;
use tokio::sync::{RwLock, Semaphore};
use uuid::Uuid;
use webauthn_rs::prelude::{Url, Webauthn, WebauthnBuilder};

use super::{AccessLog, oidc::Provider};
use crate::{
    Actor, Ctx,
    config::Config,
    model::Permission,
    secret::{Entropy, Keys},
};

/// Passwords hashed at the same time: each takes 19 MB, and the machine has other work.
const HASHES_AT_ONCE: usize = 4;

/// The use cases of this crate and all they need. Cheap to clone.
#[derive(Clone)]
pub struct IdentityState(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub store: Store,
    pub config: Config,
    pub clock: Arc<dyn Clock>,
    pub entropy: Entropy,
    pub keys: Keys,
    pub webauthn: Option<Webauthn>,
    pub provider: RwLock<Option<Provider>>,
    pub hashing: Semaphore,
    pub access_log: AccessLog,
    pub shell: Shell,
}

impl fmt::Debug for IdentityState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityState")
            .field("public_url", &self.0.config.public_url)
            .finish_non_exhaustive()
    }
}

/// Who sees an entry of the main navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Everybody,
    /// Everybody but officers.
    Public,
    /// Signed-in people.
    People,
    /// Officers of any role.
    Officers,
    /// Whoever holds the permission ([`Ctx::holds`]).
    Holding(Permission),
}

/// An entry of the main navigation; the composition of the node gives the list.
#[derive(Debug, Clone)]
pub struct NavEntry {
    /// Where it leads; pages below this path count as belonging to it.
    pub href: String,
    /// Its name.
    pub label: Text,
    /// Who sees it.
    pub audience: Audience,
}

impl NavEntry {
    /// An entry.
    pub fn new(href: &str, vi: &str, en: &str, audience: Audience) -> Self {
        Self {
            href: href.to_owned(),
            label: Text::new(vi, en),
            audience,
        }
    }

    fn shown_to(&self, ctx: &Ctx) -> bool {
        match self.audience {
            Audience::Everybody => true,
            Audience::Public => !matches!(ctx.actor, Actor::Officer(_)),
            Audience::People => matches!(ctx.actor, Actor::Person(_)),
            Audience::Officers => matches!(ctx.actor, Actor::Officer(_)),
            Audience::Holding(permission) => ctx.holds(permission),
        }
    }
}

/// What the composition of the node puts around the pages of all crates.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Main navigation.
    pub nav: Vec<NavEntry>,
    /// Entries of the user's menu, above "my account" and "sign out".
    pub menu: Vec<NavEntry>,
    /// Where a person lands after signing in.
    pub person_home: String,
    /// Where an officer lands after signing in.
    pub officer_home: String,
}

impl Default for Shell {
    fn default() -> Self {
        let home = "/account".to_owned();
        Self {
            nav: Vec::new(),
            menu: Vec::new(),
            person_home: home.clone(),
            officer_home: home,
        }
    }
}

impl IdentityState {
    /// The state of a node. `secret` is the node's own secret; with another one, sessions live on but second factors,
    /// sign-ins under way and the access log's pseudonyms do not.
    ///
    /// Starts the task that writes the access log, so it is called inside a tokio runtime.
    ///
    /// # Errors
    /// `Invalid` for settings that cannot work.
    pub fn new(
        store: Store,
        config: Config,
        secret: &[u8; 32],
        clock: Arc<dyn Clock>,
        entropy: Entropy,
        shell: Shell,
    ) -> Result<Self> {
        config.check()?;
        let keys = Keys::new(secret);
        let webauthn = webauthn(&config)?;
        let access_log = AccessLog::new(store.clone(), keys.clone());
        Ok(Self(Arc::new(Inner {
            store,
            config,
            clock,
            entropy,
            keys,
            webauthn,
            provider: RwLock::new(None),
            hashing: Semaphore::new(HASHES_AT_ONCE),
            access_log,
            shell,
        })))
    }

    /// The log of reads of personal data.
    pub fn access_log(&self) -> &AccessLog {
        &self.0.access_log
    }

    /// The randomness of this node.
    pub fn entropy(&self) -> &Entropy {
        &self.0.entropy
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Whether passkeys work under this node's address: browsers refuse them for bare IP addresses.
    pub fn passkeys_work(&self) -> bool {
        self.0.webauthn.is_some()
    }

    /// The address of the page that signs in as a role of the demonstration, for the command line to print.
    pub fn demo_link(&self, role: crate::DemoRole) -> String {
        let base = self.0.config.public_url.trim_end_matches('/');
        format!(
            "{base}/sign-in/demo/{}?k={}",
            role.code(),
            self.0.keys.demo(role.code())
        )
    }

    pub(crate) fn demo_key_fits(&self, role: crate::DemoRole, key: &str) -> bool {
        crate::secret::same(&self.0.keys.demo(role.code()), key)
    }

    #[cfg(test)]
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn anonymous(&self, request_id: Uuid, lang: Lang) -> Ctx {
        Ctx {
            actor: Actor::Anonymous,
            now: self.now(),
            request_id,
            lang,
        }
    }

    /// Where to go after signing in when no page was asked for.
    pub(crate) fn home(&self, actor: &Actor) -> &str {
        match actor {
            Actor::Officer(_) => &self.0.shell.officer_home,
            _ => &self.0.shell.person_home,
        }
    }

    /// Who is signed in, as the header shows it.
    pub(crate) fn badge(&self, ctx: &Ctx) -> Option<view::UserBadge> {
        let (name, role) = match &ctx.actor {
            Actor::Person(person) => {
                let role = match &person.organisation {
                    Some(o) => Text::new(format!("Đại diện {}", o.name), format!("For {}", o.name)),
                    None => Text::new("Người dân", "Citizen"),
                };
                (person.name.clone(), role)
            }
            Actor::Officer(officer) => (officer.name.clone(), officer.roles.label()),
            Actor::Anonymous | Actor::System(_) => return None,
        };
        let own = [
            NavEntry::new(
                "/admin/officers",
                "Quản lý cán bộ",
                "Officers",
                Audience::Holding(Permission::ManageOfficers),
            ),
            NavEntry::new(
                "/admin/tokens",
                "Mã truy cập phần mềm",
                "API tokens",
                Audience::Holding(Permission::ManageTokens),
            ),
            NavEntry::new(
                "/admin/access-log",
                "Nhật ký truy cập",
                "Access log",
                Audience::Holding(Permission::ReadAccessLog),
            ),
            NavEntry::new("/account", "Tài khoản của tôi", "My account", Audience::Everybody),
            NavEntry::new(
                "/my/reads",
                "Ai đã xem dữ liệu của tôi",
                "Who has seen my data",
                Audience::People,
            ),
            NavEntry::new("/sign-out", "Đăng xuất", "Sign out", Audience::Everybody),
        ];
        let entries = self
            .0
            .shell
            .menu
            .iter()
            .chain(own.iter())
            .filter(|entry| entry.shown_to(ctx));
        let menu = entries
            .map(|e| view::Link {
                href: e.href.clone(),
                label: e.label.clone(),
            })
            .collect();
        Some(view::UserBadge { name, role, menu })
    }

    /// The main navigation as this actor sees it on the page `path`.
    pub(crate) fn nav(&self, ctx: &Ctx, path: &str) -> Vec<view::NavItem> {
        let path = path.split('?').next().unwrap_or_default();
        let below = |href: &str| {
            path == href || (href != "/" && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
        };
        let shown: Vec<&NavEntry> = self.0.shell.nav.iter().filter(|entry| entry.shown_to(ctx)).collect();
        // Of entries that lie below each other the longest is the current one.
        let current = shown
            .iter()
            .map(|e| e.href.as_str())
            .filter(|h| below(h))
            .max_by_key(|h| h.len());
        shown
            .iter()
            .map(|entry| view::NavItem {
                href: entry.href.clone(),
                label: entry.label.clone(),
                current: current == Some(entry.href.as_str()),
            })
            .collect()
    }
}

/// Passkeys for the host of the public address; none when that is a bare IP address, which WebAuthn does not allow.
fn webauthn(config: &Config) -> Result<Option<Webauthn>> {
    let origin = Url::parse(&config.public_url).map_err(Error::internal)?;
    let Some(host) = origin.domain().map(str::to_owned) else {
        return Ok(None);
    };
    let built = WebauthnBuilder::new(&host, &origin).and_then(|builder| builder.rp_name("Một Cửa").build());
    built.map(Some).map_err(Error::internal)
}
