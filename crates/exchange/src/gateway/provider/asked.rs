//! What the head of a request says, at the provider's node.

use uuid::Uuid;

use crate::model::{
    Field, Purpose,
    error::{ErrorCode, Refusal},
    headers::{AnswerContext, CLIENT, ID, ISSUE, LONGEST_TEXT, PURPOSE, REQUEST_ID, USER_ID},
    identifier::{ClientId, ServiceId},
    message::RequestRecord,
};

use super::super::flaw::{GatewayFlaw, refusal};

/// Who asks what, why, and under which ids.
#[derive(Debug, Clone)]
pub(in super::super) struct Asked {
    pub client: ClientId,
    pub service: ServiceId,
    pub id: String,
    pub request_id: Uuid,
    pub purpose: Purpose,
    pub user: Option<String>,
    pub issue: Option<String>,
}

impl Asked {
    /// Reads the record of a request: it has client, ids and purpose once each.
    pub fn read(record: &RequestRecord) -> Result<Self, Refusal> {
        let bad = |name: &str| refusal(ErrorCode::InvalidMessage, name, GatewayFlaw::Head);
        let find = |name: &str| record.fields().iter().find(|field| field.is(name));
        let text = |name: &str| {
            let text = find(name).and_then(Field::text);
            text.filter(|text| (1..=LONGEST_TEXT).contains(&text.len()))
        };
        let client = find(CLIENT).and_then(|field| ClientId::parse(field.value()).ok());
        // In its one form: else one request could be played again under several names.
        let request_id =
            text(REQUEST_ID).and_then(|text| Uuid::try_parse(text).ok().filter(|id| id.to_string() == text));
        Ok(Self {
            client: client.ok_or_else(|| bad(CLIENT))?,
            service: record.target().service().clone(),
            id: text(ID).ok_or_else(|| bad(ID))?.to_owned(),
            request_id: request_id.ok_or_else(|| bad(REQUEST_ID))?,
            purpose: text(PURPOSE).and_then(|t| t.parse().ok()).ok_or_else(|| bad(PURPOSE))?,
            user: text(USER_ID).map(str::to_owned),
            issue: text(ISSUE).map(str::to_owned),
        })
    }

    /// What an answer to it must say.
    pub fn context<'a>(&'a self, request_hash: &'a str) -> AnswerContext<'a> {
        AnswerContext {
            client: &self.client,
            service: &self.service,
            id: &self.id,
            request_id: self.request_id,
            request_hash,
        }
    }
}
