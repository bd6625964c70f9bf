//! The officers who look after the nodes, made in the database of a node before it starts, as `motcua officer` and
//! `motcua token` do.

use std::sync::Arc;

use base::{Clock, time::SystemClock};
use identity::{Ctx, DemoRole, Entropy, IdentityState, NewOfficer, NewToken, Role, Roles, Shell, TokenOwner};

use super::{
    folder::NodeFolder,
    plan::{Agency, PROVINCE, PUBLIC_SECURITY},
};
use crate::{
    demo::FIRE_POLICE,
    node::{MIGRATIONS, open_store},
};

/// The login of a node's administrator.
const ADMINISTRATOR: &str = "quantri";

/// What a node has to be told by, before it starts.
pub struct Prepared {
    /// One-click sign-in, by role.
    pub links: Vec<(DemoRole, String)>,
    /// The key of a program that acts as the administrator, where one was asked for.
    pub key: Option<String>,
}

/// Makes the officers of a node if there are none, and a key for one day if asked. The node must not be running.
///
/// # Errors
/// Its database cannot be used.
pub async fn prepare(node: &NodeFolder, with_key: bool) -> anyhow::Result<Prepared> {
    let store = open_store(&node.config).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    store.migrate(MIGRATIONS, clock.now()).await?;
    let identity = IdentityState::new(
        store.clone(),
        node.config.identity.clone(),
        &node.config.secret()?.key("identity"),
        Arc::clone(&clock),
        Entropy::system(),
        Shell::default(),
    )?;
    let ctx = Ctx::system("motcua demo --nation", clock.now());
    let (town, police) = (node.agency.folder == PROVINCE, node.agency.folder == PUBLIC_SECURITY);
    if !town && identity.officer_by_login(&ctx, ADMINISTRATOR).await.is_err() {
        for officer in officers(node.agency) {
            identity.create_officer(&ctx, &officer).await?;
        }
        if police {
            identity.create_officer(&ctx, &consulted()).await?;
        }
    }
    let key = if with_key {
        let officer = identity.officer_by_login(&ctx, ADMINISTRATOR).await?;
        let new = NewToken {
            owner: TokenOwner::Officer(officer.id),
            label: "Dựng bản minh họa".to_owned(),
            roles: Roles::of(&[Role::Administrator]),
            read_only: false,
            days: 1,
        };
        Some(identity.create_token(&ctx, &new).await?)
    } else {
        None
    };
    let roles: &[DemoRole] = if town {
        &DemoRole::ALL
    } else if police {
        &[DemoRole::Consulted, DemoRole::Administrator, DemoRole::Auditor]
    } else {
        &[DemoRole::Administrator, DemoRole::Auditor]
    };
    let links = roles.iter().map(|role| (*role, identity.demo_link(*role))).collect();
    store.close().await;
    Ok(Prepared { links, key })
}

/// Whom the fire police have for what they are asked.
fn consulted() -> NewOfficer {
    NewOfficer {
        login: "pccc".to_owned(),
        name: "Lê Văn Hùng".to_owned(),
        title: "Thiếu tá, cán bộ thẩm duyệt".to_owned(),
        agency: FIRE_POLICE.to_owned(),
        roles: Roles::of(&[Role::Consulted]),
        password: None,
        demo: Some(DemoRole::Consulted),
    }
}

/// Who keeps registries looks after them as well: the demonstration has few officers.
fn officers(agency: &Agency) -> [NewOfficer; 2] {
    let keeps_registries = agency.registries().next().is_some();
    let administrator: &[Role] = if keeps_registries {
        &[Role::Administrator, Role::Steward]
    } else {
        &[Role::Administrator]
    };
    let officer = |login: &str, name: &str, title: &str, roles: &[Role], demo: DemoRole| NewOfficer {
        login: login.to_owned(),
        name: name.to_owned(),
        title: title.to_owned(),
        agency: agency.agency.to_owned(),
        roles: Roles::of(roles),
        password: None,
        demo: Some(demo),
    };
    [
        officer(
            ADMINISTRATOR,
            "Phạm Quang Huy",
            "Quản trị chia sẻ dữ liệu",
            administrator,
            DemoRole::Administrator,
        ),
        officer(
            "kiemtra",
            "Đặng Thu Trang",
            "Thanh tra viên",
            &[Role::Auditor],
            DemoRole::Auditor,
        ),
    ]
}
