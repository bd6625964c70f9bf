//! Systems, services and grants, through the API of each node: asked for by the officer of one, approved by that of another.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context as _;
use base::{Clock as _, time::SystemClock};
use http::Method;
use serde_json::{Value, json};

use super::{
    folder::{NodeFolder, Systems},
    links::Link,
    office::Office,
    plan,
};

/// How long one node may take to learn of another's.
const LEARNING: Duration = Duration::from_secs(300);
/// How long nodes may take to ask for the events that they follow, and how often it is looked.
const ASKING: Duration = Duration::from_secs(900);
const LOOK: Duration = Duration::from_secs(5);
/// For how long grants are asked for, in days.
const GRANTED: i64 = 365;

/// The officers of all nodes, by the folder of the node.
pub type Offices = BTreeMap<&'static str, Office>;

/// Registers the systems and services of a node that are not registered yet. `describe` gives the OpenAPI document of a
/// service.
///
/// # Errors
/// The node says no.
pub async fn register(
    node: &NodeFolder,
    office: &Office,
    systems: &Systems,
    describe: &impl Fn(&str) -> Option<Value>,
) -> anyhow::Result<()> {
    let known = office.all("/api/v1/exchange/systems").await?;
    let offered = office.all("/api/v1/exchange/services").await?;
    for system in node.agency.systems {
        let id = node.agency.subsystem(system);
        if !known.iter().any(|known| known["subsystem"] == *id) {
            let draft = json!({
                "subsystem": id, "agency": node.agency.agency, "name_vi": system.name.0, "name_en": system.name.1,
                "sign_in": "networks", "networks": "127.0.0.1",
            });
            office
                .send(Method::POST, "/api/v1/exchange/systems", Some(&draft))
                .await?;
        }
        for service in system.services {
            if offered
                .iter()
                .any(|known| known["service"] == format!("{id}/{}", service.code))
            {
                continue;
            }
            let listen = systems.listen.get(system.code).context("a system without an address")?;
            let draft = json!({
                "provider": id, "code": service.code, "name_vi": service.name.0, "name_en": service.name.1,
                "url": format!("http://{listen}"), "timeout_seconds": "10", "subjects": service.subjects,
                "action": service.action,
            });
            let saved = office
                .send(Method::POST, "/api/v1/exchange/services", Some(&draft))
                .await?;
            let document = describe(service.code).context("a service without a description")?;
            let path = format!(
                "/api/v1/exchange/services/{}/openapi",
                saved["id"].as_str().unwrap_or_default()
            );
            office.send(Method::PUT, &path, Some(&document)).await?;
        }
    }
    Ok(())
}

/// Asks for a grant, unless it was asked for before, and has it approved.
///
/// # Errors
/// A node says no, or does not learn of the other in time.
pub async fn grant(link: &Link, basis: &str, offices: &Offices) -> anyhow::Result<()> {
    let service = &link.service;
    let office = |subsystem: &str| {
        let node = plan::node_of(subsystem)?;
        offices.get(node.folder)
    };
    let asks = office(link.consumer).context("nobody asks")?;
    let provider = service.rsplit_once('/').map_or("", |(provider, _)| provider);
    let answers = office(provider).context("nobody answers")?;
    if ours(asks, "outgoing", link).await?.is_none() {
        until(&format!("{service} is in the directory"), async || {
            let found = asks.get(&format!("/api/v1/exchange/catalogue?q={service}")).await?;
            let found = found["items"]
                .as_array()
                .is_some_and(|items| items.iter().any(|offer| offer["service"] == *service));
            Ok(found.then_some(()))
        })
        .await?;
        let body = request(link, basis)?;
        asks.send(Method::POST, "/api/v1/exchange/grants", Some(&body)).await?;
    }
    let grant = until(&format!("the request for {service} arrives"), async || {
        ours(answers, "incoming", link).await
    })
    .await?;
    let can_be_approved = grant["commands"]
        .as_array()
        .is_some_and(|all| all.iter().any(|kind| kind == "approve"));
    if can_be_approved {
        let id = grant["id"].as_str().unwrap_or_default();
        let path = format!("/api/v1/exchange/grants/incoming/{id}/commands?seen={}", grant["seen"]);
        let yes = json!({ "command": "approve", "terms": grant["asked"] });
        answers.send(Method::POST, &path, Some(&yes)).await?;
    }
    Ok(())
}

/// Approves what systems of the nation ask to be told of, for some minutes: a node asks by itself, once it knows the other.
pub async fn approve_subscriptions(offices: Offices) {
    let until = tokio::time::Instant::now() + ASKING;
    while tokio::time::Instant::now() < until {
        for (folder, office) in &offices {
            if let Err(error) = approve_asked(office).await {
                tracing::warn!(%error, folder, "approving subscriptions to events");
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn approve_asked(office: &Office) -> anyhow::Result<()> {
    const SUBSCRIPTIONS: &str = "/api/v1/exchange/events/subscriptions";
    for asked in office.all(&format!("{SUBSCRIPTIONS}?state=requested")).await? {
        if asked["subscriber"].as_str().and_then(plan::node_of).is_some() {
            let path = format!("{SUBSCRIPTIONS}/{}/decision", asked["id"].as_str().unwrap_or_default());
            let yes = json!({ "state": "approved" });
            office.send(Method::POST, &path, Some(&yes)).await?;
        }
    }
    Ok(())
}

/// The grant of a link, as an office has it. Who asks one service for several things has a grant for each.
async fn ours(office: &Office, side: &str, link: &Link) -> anyhow::Result<Option<Value>> {
    let all = office
        .all(&format!("/api/v1/exchange/grants?side={side}&about={}", link.service))
        .await?;
    for grant in all
        .iter()
        .filter(|grant| grant["consumer"] == link.consumer && grant["service"] == link.service)
    {
        let id = grant["id"].as_str().unwrap_or_default();
        let whole = office.get(&format!("/api/v1/exchange/grants/{side}/{id}")).await?;
        let asked = &whole["asked"];
        if asked["path"] == link.path && asked["purposes"] == link.purpose {
            return Ok(Some(whole));
        }
    }
    Ok(None)
}

fn request(link: &Link, basis: &str) -> anyhow::Result<Value> {
    let today = SystemClock.now().legal_date();
    let last = today.checked_add(jiff::Span::new().days(GRANTED))?;
    Ok(json!({
        "consumer": link.consumer, "service": link.service, "reason": link.reason,
        "terms": {
            "methods": link.methods, "path": link.path, "purposes": link.purpose, "legal_basis": basis,
            "from": today.to_string(), "to": last.to_string(),
        },
    }))
}

/// Looks again and again until something is there.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    let begun = tokio::time::Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        anyhow::ensure!(begun.elapsed() < LEARNING, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
