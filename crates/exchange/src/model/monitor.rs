//! The operational monitoring record, with the names of X-Road (PR-OPMON, Annex B; reference 2.8).
//!
//! `restPath` is not among them: paths have numbers of persons in them, for which X-Road itself locked it down in 7.6.2.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    identifier::{ClientId, MemberId, Part, ServiceId, SubsystemId},
    method::Method,
};

/// The longest `faultString`, in characters (PR-OPMON).
const LONGEST_FAULT: usize = 2048;

/// On which side of the exchange a record was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// At the node of who asks.
    Client,
    /// At the node of who provides.
    Producer,
}

impl Side {
    /// The name of X-Road.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "Client",
            Self::Producer => "Producer",
        }
    }
}

/// How one message fared. Times are milliseconds since 1970 but for `monitoringDataTs`, sizes are bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpRecord {
    /// When the record was made, in seconds since 1970.
    pub monitoring_data_ts: i64,
    /// The address of the node within its network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_server_internal_ip: Option<String>,
    /// Where it was made.
    pub security_server_type: Side,
    /// When the request came.
    pub request_in_ts: i64,
    /// When it went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_out_ts: Option<i64>,
    /// When the answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_in_ts: Option<i64>,
    /// When it went on, or the refusal.
    pub response_out_ts: i64,
    /// Who asks, if it could be read: the X-Road instance.
    #[serde(rename = "clientXRoadInstance", default, skip_serializing_if = "Option::is_none")]
    pub client_instance: Option<Part>,
    /// The class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_member_class: Option<Part>,
    /// The member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_member_code: Option<Part>,
    /// The subsystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_subsystem_code: Option<Part>,
    /// What is asked, if it could be read: the X-Road instance.
    #[serde(rename = "serviceXRoadInstance", default, skip_serializing_if = "Option::is_none")]
    pub service_instance: Option<Part>,
    /// The class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_member_class: Option<Part>,
    /// The member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_member_code: Option<Part>,
    /// The subsystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_subsystem_code: Option<Part>,
    /// The service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_code: Option<Part>,
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_method: Option<Cow<'static, str>>,
    /// `X-Road-Id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// `X-Road-Request-Id`.
    #[serde(rename = "xRequestId", default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// `X-Road-UserId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_user_id: Option<String>,
    /// `X-Road-Issue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_issue: Option<String>,
    /// The version of the message protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_protocol_version: Option<Cow<'static, str>>,
    /// The address of the consumer's node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_security_server_address: Option<String>,
    /// The address of the provider's node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_security_server_address: Option<String>,
    /// Bytes of the body of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_size: Option<u64>,
    /// Bytes of the body of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_size: Option<u64>,
    /// Whether an answer of the provider went back.
    pub succeeded: bool,
    /// The type of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault_code: Option<String>,
    /// Its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault_string: Option<String>,
    /// The status code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// `REST` or `OPENAPI3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    /// The version of this software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_road_version: Option<Cow<'static, str>>,
}

impl OpRecord {
    /// A record of a message that came in and went out at these instants, milliseconds since 1970; the rest is to be
    /// filled in by whoever knows.
    pub fn new(side: Side, request_in: i64, response_out: i64, succeeded: bool) -> Self {
        Self {
            monitoring_data_ts: response_out / 1000,
            security_server_internal_ip: None,
            security_server_type: side,
            request_in_ts: request_in,
            request_out_ts: None,
            response_in_ts: None,
            response_out_ts: response_out,
            client_instance: None,
            client_member_class: None,
            client_member_code: None,
            client_subsystem_code: None,
            service_instance: None,
            service_member_class: None,
            service_member_code: None,
            service_subsystem_code: None,
            service_code: None,
            rest_method: None,
            message_id: None,
            request_id: None,
            message_user_id: None,
            message_issue: None,
            message_protocol_version: None,
            client_security_server_address: None,
            service_security_server_address: None,
            request_size: None,
            response_size: None,
            succeeded,
            fault_code: None,
            fault_string: None,
            status_code: None,
            service_type: None,
            x_road_version: None,
        }
    }

    /// Says who asked.
    #[must_use]
    pub fn client(mut self, client: &ClientId) -> Self {
        self.client_instance = Some(client.member.instance.clone());
        self.client_member_class = Some(client.member.class.clone());
        self.client_member_code = Some(client.member.code.clone());
        self.client_subsystem_code = client.subsystem.clone();
        self
    }

    /// Says what was asked.
    #[must_use]
    pub fn service(mut self, service: &ServiceId, method: Method) -> Self {
        let member = &service.provider.member;
        self.service_instance = Some(member.instance.clone());
        self.service_member_class = Some(member.class.clone());
        self.service_member_code = Some(member.code.clone());
        self.service_subsystem_code = Some(service.provider.code.clone());
        self.service_code = Some(service.code.clone());
        self.rest_method = Some(method.as_str().into());
        self
    }

    /// Says why it failed.
    #[must_use]
    pub fn fault(mut self, code: &str, message: &str) -> Self {
        self.fault_code = Some(code.to_owned());
        self.fault_string = Some(message.chars().take(LONGEST_FAULT).collect());
        self
    }

    /// Who asked, if it could be read.
    pub fn client_id(&self) -> Option<ClientId> {
        Some(ClientId {
            member: MemberId {
                instance: self.client_instance.clone()?,
                class: self.client_member_class.clone()?,
                code: self.client_member_code.clone()?,
            },
            subsystem: self.client_subsystem_code.clone(),
        })
    }

    /// What was asked, if it could be read.
    pub fn service_id(&self) -> Option<ServiceId> {
        let member = [
            self.service_instance.clone()?,
            self.service_member_class.clone()?,
            self.service_member_code.clone()?,
        ];
        Some(ServiceId {
            provider: SubsystemId::of(member, self.service_subsystem_code.clone()?),
            code: self.service_code.clone()?,
        })
    }

    /// How long the whole took, in milliseconds; 0 when the clock went back.
    pub fn millis(&self) -> i64 {
        self.response_out_ts.saturating_sub(self.request_in_ts).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_x_road() {
        let client = "VN/GOV/000.00.00.H26/motcua".parse().expect("a client");
        let service: ServiceId = "VN/GOV/000.00.00.G22/dvcqg/hoso".parse().expect("a service");
        let record = OpRecord::new(Side::Producer, 1_795_000_000_123, 1_795_000_000_150, false)
            .client(&client)
            .service(&service, Method::Get)
            .fault("Server.ServerProxy.AccessDenied", "No.");
        let json = serde_json::to_string(&record).expect("JSON");
        assert_eq!(
            json,
            r#"{"monitoringDataTs":1795000000,"securityServerType":"Producer","requestInTs":1795000000123,"responseOutTs":1795000000150,"clientXRoadInstance":"VN","clientMemberClass":"GOV","clientMemberCode":"000.00.00.H26","clientSubsystemCode":"motcua","serviceXRoadInstance":"VN","serviceMemberClass":"GOV","serviceMemberCode":"000.00.00.G22","serviceSubsystemCode":"dvcqg","serviceCode":"hoso","restMethod":"GET","succeeded":false,"faultCode":"Server.ServerProxy.AccessDenied","faultString":"No."}"#
        );
        assert_eq!(serde_json::from_str::<OpRecord>(&json).expect("as written"), record);
        assert_eq!((record.client_id(), record.service_id()), (Some(client), Some(service)));
        assert_eq!(record.millis(), 27);
    }
}
