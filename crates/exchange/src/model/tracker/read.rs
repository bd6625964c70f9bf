//! A read of personal data, as a leaf of the provider's log has it.

use base::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SubjectIndex;
use crate::model::{
    identifier::{ClientId, ServiceId},
    purpose::Purpose,
};

/// Who read what about whom, when and why. Not the data, and of the person only the keyed hash of the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadRecord {
    /// `X-Road-Request-Id` of the message, whose own leaves prove it.
    pub request: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub client: ClientId,
    /// What.
    pub service: ServiceId,
    /// In words: [`crate::model::hosting::LocalService::action`].
    pub action: String,
    /// Why.
    pub purpose: Purpose,
    /// `X-Road-UserId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `X-Road-Issue`: the dossier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
    /// The persons, at most [`super::MOST_SUBJECTS`].
    pub subjects: Vec<SubjectIndex>,
    /// There were more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}
