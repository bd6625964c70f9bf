//! One record of operational monitoring for each message on each side, in the words of X-Road (PR-OPMON, Annex B;
//! reference 2.8). Times are milliseconds since 1970, but `monitoringDataTs`, which is in seconds; sizes are bytes of
//! bodies.

use base::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::figures::Part;
use crate::model::{
    error::{ErrorCode, Refusal, Spelling},
    identifier::{ClientId, ServiceId},
};

/// What happened to one message on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpRecord {
    /// When the record was made.
    pub monitoring_data_ts: i64,
    /// `Client` at the consumer's node, `Producer` at the provider's.
    pub security_server_type: &'static str,
    /// The request came.
    pub request_in_ts: i64,
    /// It was passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_out_ts: Option<i64>,
    /// The answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_in_ts: Option<i64>,
    /// It was passed on.
    pub response_out_ts: i64,
    /// Who asked.
    #[serde(rename = "clientXRoadInstance")]
    pub client_instance: String,
    /// Of which class.
    pub client_member_class: String,
    /// Which member.
    pub client_member_code: String,
    /// Which of its subsystems.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_subsystem_code: Option<String>,
    /// Who was asked.
    #[serde(rename = "serviceXRoadInstance")]
    pub service_instance: String,
    /// Of which class.
    pub service_member_class: String,
    /// Which member.
    pub service_member_code: String,
    /// Which of its subsystems.
    pub service_subsystem_code: String,
    /// Which service.
    pub service_code: String,
    /// By which method.
    pub rest_method: &'static str,
    /// On which path; at the provider's node only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest_path: Option<String>,
    /// `X-Road-Id`.
    pub message_id: String,
    /// `X-Road-UserId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_user_id: Option<String>,
    /// `X-Road-Issue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_issue: Option<String>,
    /// `X-Road-Request-Id`.
    pub x_request_id: Uuid,
    /// The version of the message protocol.
    pub message_protocol_version: &'static str,
    /// Of the body of the request.
    pub request_size: u64,
    /// Of the body of the answer, where it is known when the answer begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_size: Option<u64>,
    /// Whether the provider answered, and with no error of HTTP.
    pub succeeded: bool,
    /// The type of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_code: Option<String>,
    /// What it says, at most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_string: Option<String>,
    /// Of the answer.
    pub status_code: u16,
    /// The version of this software.
    pub x_road_version: &'static str,
}

/// The course of one message, as far as it has come.
pub(super) struct Course {
    pub began: std::time::Instant,
    pub request_in: Timestamp,
    pub request_out: Option<Timestamp>,
    pub response_in: Option<Timestamp>,
    pub request_size: u64,
    pub response_size: Option<u64>,
    pub refused: Option<(ErrorCode, String)>,
}

impl Course {
    pub fn begin(now: Timestamp) -> Self {
        Self {
            began: std::time::Instant::now(),
            request_in: now,
            request_out: None,
            response_in: None,
            request_size: 0,
            response_size: None,
            refused: None,
        }
    }

    pub fn refuse(&mut self, refusal: &Refusal) {
        self.refused = Some((refusal.code(), refusal.message()));
    }

    pub fn code(&self) -> Option<ErrorCode> {
        self.refused.as_ref().map(|(code, _)| *code)
    }
}

/// Whose message it was.
pub(super) struct Whose<'a> {
    pub part: Part,
    pub client: &'a ClientId,
    pub service: &'a ServiceId,
    pub method: &'static str,
    pub path: Option<&'a str>,
    pub id: &'a str,
    pub request_id: Uuid,
    pub user: Option<&'a str>,
    pub issue: Option<&'a str>,
}

impl OpRecord {
    pub(super) fn new(whose: &Whose<'_>, course: &Course, status: u16, now: Timestamp) -> Self {
        let millis = |at: Timestamp| at.micros() / 1_000;
        let (client, provider) = (whose.client, &whose.service.provider);
        let text = |part: &crate::model::identifier::Part| part.as_str().to_owned();
        let fault = course.refused.as_ref();
        Self {
            monitoring_data_ts: now.micros() / 1_000_000,
            security_server_type: match whose.part {
                Part::Consumer => "Client",
                Part::Provider => "Producer",
            },
            request_in_ts: millis(course.request_in),
            request_out_ts: course.request_out.map(millis),
            response_in_ts: course.response_in.map(millis),
            response_out_ts: millis(now),
            client_instance: text(&client.member.instance),
            client_member_class: text(&client.member.class),
            client_member_code: text(&client.member.code),
            client_subsystem_code: client.subsystem.as_ref().map(text),
            service_instance: text(&provider.member.instance),
            service_member_class: text(&provider.member.class),
            service_member_code: text(&provider.member.code),
            service_subsystem_code: text(&provider.code),
            service_code: text(&whose.service.code),
            rest_method: whose.method,
            rest_path: whose.path.map(str::to_owned),
            message_id: whose.id.to_owned(),
            message_user_id: whose.user.map(str::to_owned),
            message_issue: whose.issue.map(str::to_owned),
            x_request_id: whose.request_id,
            message_protocol_version: "1",
            request_size: course.request_size,
            response_size: course.response_size,
            succeeded: fault.is_none() && status < 400,
            fault_code: fault.map(|(code, _)| code.name(Spelling::Camel)),
            fault_string: fault.map(|(_, text)| text.chars().take(2048).collect()),
            status_code: status,
            x_road_version: concat!("motcua ", env!("CARGO_PKG_VERSION")),
        }
    }
}
