//! Estonia's data tracker protocol (`dumonitor-openapi.yaml` 2.1.0, reference 7.4): served for every provider of the node
//! from one index, and asked of every other.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Error, Result, Timestamp, codes::PersonNumber};
use bytes::Bytes;
use futures::{StreamExt, stream};
use identity::problem_response;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{
    Journal, LeafId,
    evidence::{MEDIA_TYPE, Role},
    store::{self as tables, ReadRow, Window},
};
use crate::Caller;
use crate::model::{
    Purpose, PurposeFlaw,
    error::{ErrorCode, Format, Refusal, Wire},
    federation::View,
    headers::{PURPOSE, USER_ID},
    identifier::{ClientId, ServiceId, SubsystemId},
    tracker::{FindProof, FindUsage, Health, Heartbeat, Usage, UsagePage, UsagePeriod},
};

/// The code of the service under which a provider answers.
pub const PROVIDER_SERVICE: &str = "findUsage";
/// The purpose that a node states when it asks others for a person's reads.
pub(super) const OWN_VIEW: &str = "tracker.own-view";
/// Usages of a person beyond these are neither counted nor given.
const MOST_COUNTED: i64 = 10_000;
/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 1 << 20;
/// Providers that are asked at once.
const AT_ONCE: usize = 32;

/// One of the node's providers.
#[derive(Debug, Clone)]
struct Provider {
    journal: Journal,
    id: Arc<str>,
}

/// `/v2/findUsage`, `/v2/usagePeriod` and `/v2/heartbeat` for one provider, and `/v1/proofs/{read}`: an internal service of the gateway, under
/// [`PROVIDER_SERVICE`]. Whoever calls has been let in by a grant; a statement of purpose is mandatory.
pub fn usage_router(journal: Journal, provider: &SubsystemId) -> Router {
    Router::new()
        .route("/v2/findUsage", get(find_usage))
        .route("/v2/usagePeriod", get(usage_period))
        .route("/v2/heartbeat", get(heartbeat))
        .route("/v1/proofs/{read}", get(proof))
        .with_state(Provider {
            journal,
            id: provider.to_string().into(),
        })
}

async fn find_usage(State(provider): State<Provider>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let asked = stated_purpose(&headers).and_then(|()| {
        let user = headers.get(USER_ID).and_then(|value| value.to_str().ok());
        FindUsage::read(query.as_deref(), user)
    });
    let page = match asked {
        Ok(asked) => provider.find(&asked).await.map_err(failed),
        Err(refusal) => Err(refusal),
    };
    answer(&headers, page)
}

async fn proof(
    State(provider): State<Provider>,
    Path(read): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let asked = stated_purpose(&headers).and_then(|()| {
        let user = headers.get(USER_ID).and_then(|value| value.to_str().ok());
        FindProof::read(query.as_deref(), user)
    });
    let asked = match asked {
        Ok(asked) => asked,
        Err(refusal) => return answer::<()>(&headers, Err(refusal)),
    };
    match provider.proof(&asked.subject, &read).await {
        Ok(container) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], container).into_response(),
        Err(error) => problem_response(&error),
    }
}

async fn usage_period(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    let period = match stated_purpose(&headers) {
        Ok(()) => provider.period().await.map_err(failed),
        Err(refusal) => Err(refusal),
    };
    answer(&headers, period)
}

async fn heartbeat(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    let beat = match provider.journal.catch_up().await {
        Ok(_) => Heartbeat {
            status: Health::Ok,
            message: None,
        },
        Err(error) => {
            tracing::error!(%error, "usages cannot be told");
            Heartbeat {
                status: Health::Fail,
                message: Some(
                    "Nhật ký truy cập tạm thời không đọc được. The tracker cannot be read at the moment.".to_owned(),
                ),
            }
        }
    };
    answer(&headers, Ok(beat))
}

pub(super) fn stated_purpose(headers: &HeaderMap) -> std::result::Result<(), Refusal> {
    let refused = |flaw| Refusal::at(ErrorCode::PurposeMissing, PURPOSE, flaw);
    let purpose = headers.get(PURPOSE).ok_or_else(|| refused(PurposeFlaw::Missing))?;
    let code = purpose.to_str().map_err(|_| refused(PurposeFlaw::Malformed))?;
    code.parse::<Purpose>().map(drop).map_err(refused)
}

pub(super) fn failed(error: base::Error) -> Refusal {
    tracing::error!(%error, "usages could not be told");
    Refusal::new(ErrorCode::DatabaseError)
}

pub(super) fn answer<T: Serialize>(headers: &HeaderMap, outcome: std::result::Result<T, Refusal>) -> Response {
    let refusal = match outcome {
        Ok(body) => return axum::Json(body).into_response(),
        Err(refusal) => refusal,
    };
    let accept = headers.get_all(header::ACCEPT).iter().map(HeaderValue::as_bytes);
    let answer = refusal.answer(Uuid::new_v4(), Format::accepted(accept), Wire::default());
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let head = [
        ("x-road-error", answer.error),
        ("content-type", answer.content_type.to_owned()),
    ];
    (status, head, answer.body).into_response()
}

impl Provider {
    async fn find(&self, asked: &FindUsage) -> Result<UsagePage> {
        let inner = &self.journal.0;
        self.journal.catch_up().await?;
        let hidden = self.journal.hiding(inner.clock.now());
        let window = Window {
            subject: inner.config.subject_key.index(&asked.subject),
            provider: Some(self.id.to_string()),
            request: None,
            from: asked.from,
            to: asked.to,
            hidden: &hidden,
        };
        let db = inner.store.read();
        let leaves = tables::keys_about(&db, &window, MOST_COUNTED).await?;
        let page = leaves.iter().skip(asked.offset as usize).take(asked.limit as usize);
        let page: Vec<i64> = page.copied().collect();
        let mut rows = tables::reads_by_leaf(&db, &page).await?;
        rows.sort_by_key(|row| std::cmp::Reverse((row.at, row.leaf)));
        let view = (inner.directory)();
        Ok(UsagePage {
            total_usages: leaves.len() as u64,
            usages: rows.into_iter().map(|row| self.usage(&view, row)).collect(),
        })
    }

    fn usage(&self, view: &View, row: ReadRow) -> Usage {
        let client = row.client.parse::<ClientId>().ok();
        let member = client.as_ref().map(|client| &client.member);
        let why = self.journal.0.config.meanings.of(&row.purpose).vi;
        Usage {
            logtime: Timestamp::from_micros(row.at),
            action: match row.issue {
                Some(issue) => format!("{} – {why} ({issue})", row.action),
                None => format!("{} – {why}", row.action),
            },
            receiver_code: member.map_or_else(|| row.member.clone(), |member| member.code.as_str().to_owned()),
            receiver_name: member
                .and_then(|member| view.member(member))
                .map(|member| member.name.vi.clone()),
            receiver_system: client
                .and_then(|client| client.subsystem.map(|part| part.as_str().to_owned()))
                .unwrap_or_default(),
            read_id: Some(row.request_id),
        }
    }

    /// The evidence of a read about this person. One about somebody else is as one that never was.
    async fn proof(&self, subject: &PersonNumber, read: &str) -> Result<Vec<u8>> {
        let none = || Error::not_found("lượt xem này", "read");
        let request: Uuid = read.parse().map_err(|_| none())?;
        let inner = &self.journal.0;
        self.journal.catch_up().await?;
        let hidden = self.journal.hiding(inner.clock.now());
        let window = Window {
            subject: inner.config.subject_key.index(subject),
            provider: Some(self.id.to_string()),
            request: Some(request),
            from: None,
            to: None,
            hidden: &hidden,
        };
        let found = tables::keys_about(&inner.store.read(), &window, 1).await?;
        let leaf = found.first().copied().map(LeafId::of_key).ok_or_else(none)?;
        self.journal.contain(vec![(Role::Read, leaf)]).await
    }

    async fn period(&self) -> Result<UsagePeriod> {
        self.journal.catch_up().await?;
        let first = tables::first_read(&self.journal.0.store.read(), &self.id).await?;
        Ok(UsagePeriod {
            // Of a provider whom nobody has asked for a person yet, everything is known from now on.
            period_start: first.map_or_else(|| self.journal.0.clock.now(), Timestamp::from_micros),
            period_end: None,
        })
    }
}

/// The answer of `findUsage`, as far as it is read.
#[derive(Deserialize)]
struct Told {
    usages: Vec<ToldUsage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldUsage {
    logtime: String,
    action: String,
    receiver_code: String,
    #[serde(default)]
    receiver_name: Option<String>,
    receiver_system: String,
    #[serde(default)]
    read_id: Option<Uuid>,
}

impl Journal {
    /// What all other providers of the federation tell of a person, and the names of those that did not answer in time.
    pub(super) async fn ask_everywhere(
        &self,
        number: &PersonNumber,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        most: usize,
    ) -> (Vec<(ServiceId, Usage)>, Vec<String>) {
        let Some(caller) = &self.0.caller else {
            return (Vec::new(), Vec::new());
        };
        let view = (self.0.directory)();
        // Legal time in answers is to the second: what lies within the last one is asked for, and left out by who merges.
        let to = to.map(|to| to.plus_seconds(1));
        let asked = self.others(&view).into_iter().map(|(service, name)| async move {
            let asking = self.ask_one(caller.as_ref(), &service, number, (from, to), most);
            match tokio::time::timeout(self.0.config.patience, asking).await {
                Ok(Some(usages)) => Ok(usages
                    .into_iter()
                    .map(|usage| (service.clone(), usage))
                    .collect::<Vec<_>>()),
                Ok(None) | Err(_) => Err(name),
            }
        });
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
        let (mut usages, mut silent) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Ok(some) => usages.extend(some),
                Err(name) => silent.push(name),
            }
        }
        silent.sort();
        (usages, silent)
    }

    /// The services of the directory that answer, but for those of this node, with the names of their members.
    pub(super) fn others(&self, view: &View) -> Vec<(ServiceId, String)> {
        let members = view.directory().members.iter();
        let others =
            members.filter(|member| member.suspended.is_none() && !self.0.config.agencies.contains_key(&member.id));
        others
            .flat_map(|member| {
                member.subsystems.iter().flat_map(move |subsystem| {
                    let answers = subsystem
                        .services
                        .iter()
                        .filter(|service| service.code.as_str() == PROVIDER_SERVICE);
                    answers.map(move |service| {
                        let provider = SubsystemId {
                            member: member.id.clone(),
                            code: subsystem.code.clone(),
                        };
                        let code = service.code.clone();
                        (ServiceId { provider, code }, member.name.vi.clone())
                    })
                })
            })
            .collect()
    }

    async fn ask_one(
        &self,
        caller: &dyn Caller,
        service: &ServiceId,
        number: &PersonNumber,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        most: usize,
    ) -> Option<Vec<Usage>> {
        let mut target = format!("/r1/{service}/v2/findUsage?userCode=VN{}&limit={most}", number.as_str());
        for (name, at) in [("periodStart", from), ("periodEnd", to)] {
            if let Some(at) = at {
                target.push_str(&format!("&{name}={}", at.rfc3339()));
            }
        }
        let request = http::Request::get(target)
            .header(USER_ID, format!("VN{}", number.as_str()))
            .header(PURPOSE, OWN_VIEW)
            .header(header::ACCEPT, "application/json")
            .body(Bytes::new())
            .ok()?;
        let response = match caller.call(&self.0.config.subsystem, request).await {
            Ok(response) => response,
            Err(refusal) => {
                tracing::warn!(%service, %refusal, "a provider does not tell of reads");
                return None;
            }
        };
        if response.status() != StatusCode::OK || response.body().len() > LARGEST_ANSWER {
            tracing::warn!(%service, status = %response.status(), "a provider does not tell of reads");
            return None;
        }
        let told: Told = serde_json::from_slice(response.body()).ok()?;
        let usages = told.usages.into_iter().take(most).map(|usage| {
            Some(Usage {
                logtime: Timestamp::parse_rfc3339(&usage.logtime)?,
                action: usage.action,
                receiver_code: usage.receiver_code,
                receiver_name: usage.receiver_name,
                receiver_system: usage.receiver_system,
                read_id: usage.read_id,
            })
        });
        usages.collect()
    }
}
