//! What passed in the last minutes, between members and without persons: what a node tells every member that asks, so that
//! each can draw the map of all ([`crate::map`]).

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Error, Kind, Result, Timestamp};
use identity::{ApiQuery, problem_response};
use serde::{Deserialize, Serialize};

use super::{Journal, store as tables};
use crate::model::{
    identifier::{MemberId, ServiceId},
    monitor::{OpRecord, Side},
};

/// The code of the service by which members ask each other.
pub const TRAFFIC_SERVICE: &str = "motcuaTraffic";
/// The furthest that one can look back, in seconds.
pub(super) const LONGEST_LOOK: i64 = 3_600;
/// Minutes, when the question does not say.
const USUAL: u32 = 5;
/// Most lines of the table that are added up for one answer.
const MOST_LINES: i64 = 20_000;

/// What one member asked of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Where it was counted: at the node of who asks, or of who provides.
    pub side: Side,
    /// Who asks.
    pub client: MemberId,
    /// What.
    pub service: ServiceId,
    /// Messages.
    pub messages: u64,
    /// Those to which the provider said no: no grant, too often, switched off.
    pub refused: u64,
    /// Those that did not get there, or whose answer did not get back.
    pub failed: u64,
    /// Milliseconds within which half of them were done: the upper end of a class, each twice as wide as the one before.
    pub half_within_ms: u64,
}

/// What a node tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Over how many minutes, the present one with them.
    pub minutes: u32,
    /// What passed, by side, client and service.
    pub flows: Vec<Flow>,
}

/// Whether a message only asks for this: what the map itself asks is no traffic.
pub(super) fn is_of_map(record: &OpRecord) -> bool {
    record
        .service_code
        .as_ref()
        .is_some_and(|code| code.as_str() == TRAFFIC_SERVICE)
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Asked {
    minutes: u32,
}

impl Default for Asked {
    fn default() -> Self {
        Self { minutes: USUAL }
    }
}

/// `GET /traffic?minutes=5`, 1 to 60: an internal service of the gateway, under [`TRAFFIC_SERVICE`], open to every member.
pub fn traffic_router(journal: Journal) -> Router {
    Router::new()
        .route("/traffic", get(tell))
        .fallback(|| async { problem_response(&Error::not_found("địa chỉ này", "address")) })
        .with_state(journal)
}

async fn tell(State(journal): State<Journal>, ApiQuery(Asked { minutes }): ApiQuery<Asked>) -> Response {
    match journal.traffic(minutes, journal.0.clock.now()).await {
        Ok(traffic) => Json(traffic).into_response(),
        Err(error) => problem_response(&error),
    }
}

impl Journal {
    /// What passed at this node in the minutes before an instant, 1 to 60, the present one with them. Nothing in it is about
    /// a person.
    ///
    /// # Errors
    /// `Invalid` for another number of minutes; the database failed.
    pub async fn traffic(&self, minutes: u32, now: Timestamp) -> Result<Traffic> {
        if !(1..=LONGEST_LOOK / 60).contains(&i64::from(minutes)) {
            return Err(Error::refused(
                Kind::Invalid,
                "minutes",
                "Số phút phải từ 1 đến 60.",
                "The number of minutes is from 1 to 60.",
            ));
        }
        let from = now.plus_seconds(-60 * (i64::from(minutes) - 1));
        let rows = tables::traffic(&self.0.store.read(), from, MOST_LINES).await?;
        let mut lines: BTreeMap<(Side, MemberId, ServiceId), Line> = BTreeMap::new();
        for row in rows {
            let side = if row.side == Side::Client.as_str() {
                Side::Client
            } else {
                Side::Producer
            };
            let client = row.client.parse().map_err(Error::internal)?;
            let service = row.service.parse().map_err(Error::internal)?;
            let line = lines.entry((side, client, service)).or_default();
            line.n += row.n.unsigned_abs();
            line.refused += row.refused.unsigned_abs();
            line.failed += row.failed.unsigned_abs();
            line.classes.push((row.bucket, row.n.unsigned_abs()));
        }
        let flows = lines.into_iter().map(|((side, client, service), line)| Flow {
            side,
            client,
            service,
            messages: line.n,
            refused: line.refused,
            failed: line.failed,
            half_within_ms: line.half(),
        });
        Ok(Traffic {
            minutes,
            flows: flows.collect(),
        })
    }
}

#[derive(Default)]
struct Line {
    n: u64,
    refused: u64,
    failed: u64,
    /// In their order.
    classes: Vec<(i64, u64)>,
}

impl Line {
    fn half(&self) -> u64 {
        let mut seen = 0;
        let class = self.classes.iter().find(|(_, n)| {
            seen += n;
            2 * seen >= self.n
        });
        class.map_or(0, |(class, _)| 1 << (*class).clamp(0, 62))
    }
}
