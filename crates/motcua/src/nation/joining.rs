//! From keys to membership, as `motcua node found`, `init` and `join` do, with the operator's officer on the other side.

use std::sync::Arc;

use anyhow::Context as _;
use base::{Clock as _, Text, time::SystemClock};
use exchange::{
    directory::join::{Meeting, NewNode, Node, Operator, Progress},
    model::identifier::Part,
};
use http::Method;
use serde_json::json;
use trust::Algorithm;

use super::{folder::NodeFolder, office::Office};
use crate::exchange::{
    PATIENCE,
    commands::{FOLDER, OPERATOR},
    operator,
};

/// The instance of the federation.
const INSTANCE: &str = "VN";

/// Founds the federation at its operator, if that was not done before.
///
/// # Errors
/// The folder cannot be written.
pub fn found(node: &NodeFolder) -> anyhow::Result<()> {
    if !operator::is_founded(&node.config.data) {
        operator::found(&node.config.data, &Part::new(INSTANCE)?, SystemClock.now())?;
    }
    Ok(())
}

/// Makes the keys of a node, if it has none.
///
/// # Errors
/// The folder cannot be written.
pub fn keys(node: &NodeFolder) -> anyhow::Result<Node> {
    let folder = node.config.data.join(FOLDER);
    if let Ok(made) = Node::open(&folder) {
        return Ok(made);
    }
    let new = NewNode {
        member: node.agency.member.parse()?,
        name: Text::new(node.agency.name.0, node.agency.name.1),
        gateway: Part::new("ss1")?,
        address: node.exchange().peers.to_string(),
        hosts: Vec::new(),
        algorithm: Algorithm::Ed25519,
        tls_key: None,
        log_key: None,
        log_url: Some(format!("{}/ledger", node.url())),
    };
    Ok(Node::init(&folder, &new)?)
}

/// Meets the operator, for the nodes that join. The one who compares the fingerprint sits on both sides here.
///
/// # Errors
/// It does not answer.
pub async fn meet(operator: &NodeFolder) -> anyhow::Result<Meeting> {
    Ok(Operator::at(&operator.url(), PATIENCE)?.meet().await?)
}

/// Applies, is approved by the operator's officer, and takes the certificate; does nothing for a member.
///
/// # Errors
/// The operator does not answer, or says no.
pub async fn join(node: &NodeFolder, meeting: Meeting, operator: &NodeFolder, office: &Office) -> anyhow::Result<()> {
    let mut own = keys(node)?;
    if own.credential().is_ok() {
        return Ok(());
    }
    let fingerprint = meeting.fingerprint();
    let known = meeting.confirm(fingerprint)?;
    let path = node.config.data.join(FOLDER).join(OPERATOR);
    std::fs::write(&path, operator.url()).with_context(|| format!("writing {}", path.display()))?;
    own.apply(&known, None, None, SystemClock.now()).await?;
    approve(node, office).await?;
    match own.poll(&known.operator, Arc::new(SystemClock)).await? {
        Progress::Joined { .. } => Ok(()),
        Progress::Pending | Progress::Refused(_) => anyhow::bail!("{} was not let in", node.agency.name.0),
    }
}

async fn approve(node: &NodeFolder, office: &Office) -> anyhow::Result<()> {
    let waiting = office.get("/api/v1/exchange/applications").await?;
    let ours = waiting["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|application| application["member"] == node.agency.member);
    // Approved before: this start goes on where the last one ended.
    let Some(id) = ours.and_then(|application| application["id"].as_str()) else {
        return Ok(());
    };
    let path = format!("/api/v1/exchange/applications/{id}/approve");
    office.send(Method::POST, &path, Some(&json!({}))).await?;
    Ok(())
}
