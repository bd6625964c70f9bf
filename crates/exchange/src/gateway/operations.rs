//! What is told of each message to whoever monitors: one record on each side.

use base::Timestamp;
use traces::Span;
use uuid::Uuid;

use super::figures::Part;
use crate::model::{
    Method,
    error::{ErrorCode, Refusal, Spelling},
    identifier::{ClientId, ServiceId},
    monitor::{OpRecord, Side},
};

/// The course of one message, as far as it has come.
pub(super) struct Course {
    pub began: std::time::Instant,
    pub request_in: Timestamp,
    pub request_out: Option<Timestamp>,
    pub response_in: Option<Timestamp>,
    pub request_size: u64,
    pub response_size: Option<u64>,
    pub refused: Option<(ErrorCode, String)>,
    /// Ends with it.
    pub span: Span,
}

impl Course {
    pub fn begin(now: Timestamp, span: Span) -> Self {
        Self {
            began: std::time::Instant::now(),
            request_in: now,
            request_out: None,
            response_in: None,
            request_size: 0,
            response_size: None,
            refused: None,
            span,
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
    pub method: Method,
    pub id: &'a str,
    pub request_id: Uuid,
    pub user: Option<&'a str>,
    pub issue: Option<&'a str>,
}

impl Whose<'_> {
    /// The record of one message.
    pub fn record(&self, course: &Course, status: u16, now: Timestamp) -> OpRecord {
        let millis = |at: Timestamp| at.micros() / 1_000;
        let side = match self.part {
            Part::Consumer => Side::Client,
            Part::Provider => Side::Producer,
        };
        let fault = course.refused.as_ref();
        let succeeded = fault.is_none() && status < 400;
        let record = OpRecord {
            request_out_ts: course.request_out.map(millis),
            response_in_ts: course.response_in.map(millis),
            message_id: Some(self.id.to_owned()),
            request_id: Some(self.request_id.to_string()),
            message_user_id: self.user.map(str::to_owned),
            message_issue: self.issue.map(str::to_owned),
            message_protocol_version: Some("1".into()),
            request_size: Some(course.request_size),
            response_size: course.response_size,
            status_code: Some(status),
            x_road_version: Some(concat!("motcua ", env!("CARGO_PKG_VERSION")).into()),
            ..OpRecord::new(side, millis(course.request_in), millis(now), succeeded)
        };
        let record = record.client(self.client).service(self.service, self.method);
        match fault {
            Some((code, text)) => record.fault(&code.name(Spelling::Camel), text),
            None => record,
        }
    }
}
