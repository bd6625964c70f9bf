//! One call of a webhook.

use base::{Error, Result, Text};
use http::HeaderMap;
use reqwest::{Client, Url, redirect::Policy};
use traces::{Context, Kind, Tracer};

use super::{
    Signed,
    guard::{Forbidden, Guard, Webhooks, check_url},
};

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answered with 2xx.
    Delivered(u16),
    /// Answered with another status. Redirects are not followed.
    Status(u16),
    /// Answered with 410: the receiver wants no more.
    Unwanted,
    /// No answer in time.
    Late,
    /// No connection, no TLS, or no HTTP.
    Unreachable,
    /// The name leads to an address that webhooks may not have.
    AddressRefused,
}

impl Outcome {
    /// The names for programs, as they are stored and searched.
    pub const CODES: [&'static str; 6] = [
        "delivered",
        "status",
        "unwanted",
        "late",
        "unreachable",
        "address-refused",
    ];

    /// The name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Status(_) => "status",
            Self::Unwanted => "unwanted",
            Self::Late => "late",
            Self::Unreachable => "unreachable",
            Self::AddressRefused => "address-refused",
        }
    }

    /// The status that was answered.
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Delivered(status) | Self::Status(status) => Some(status),
            Self::Unwanted => Some(410),
            Self::Late | Self::Unreachable | Self::AddressRefused => None,
        }
    }

    /// What a code means, for people.
    pub fn label(code: &str) -> Text {
        match code {
            "delivered" => Text::new("Đã nhận", "Delivered"),
            "status" => Text::new("Bên nhận trả lời lỗi", "Answered with an error"),
            "unwanted" => Text::new("Bên nhận không muốn nhận nữa (410)", "No longer wanted (410)"),
            "late" => Text::new("Không trả lời kịp", "No answer in time"),
            "unreachable" => Text::new("Không kết nối được", "Unreachable"),
            _ => Text::new("Địa chỉ không được phép", "Address not allowed"),
        }
    }
}

/// Calls webhooks.
#[derive(Debug, Clone)]
pub(in crate::events) struct Caller {
    client: Client,
    rules: Webhooks,
    tracer: Tracer,
}

impl Caller {
    pub fn new(rules: Webhooks, tracer: Tracer) -> Result<Self> {
        let client = Client::builder()
            .dns_resolver(std::sync::Arc::new(Guard(rules)))
            .redirect(Policy::none())
            // A proxy would resolve names by itself.
            .no_proxy()
            .timeout(rules.patience)
            .user_agent("motcua-events")
            .pool_max_idle_per_host(1)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { client, rules, tracer })
    }

    pub const fn rules(&self) -> &Webhooks {
        &self.rules
    }

    /// Makes a call. The address is judged again: rules may be stricter than when it was registered.
    pub async fn call(&self, address: &str, message: &Signed) -> Outcome {
        match check_url(address, &self.rules) {
            Ok(url) => self.post(url, message).await,
            Err(_) => Outcome::AddressRefused,
        }
    }

    /// The call as a part of the job that makes it.
    async fn post(&self, url: Url, message: &Signed) -> Outcome {
        let mut span = self.tracer.begin(Kind::Client, "webhook", Context::current().as_ref());
        span.method("POST");
        let mut headers = HeaderMap::new();
        if let Some(context) = span.context() {
            context.write(&mut headers);
        }
        let outcome = self.send(url, headers, message).await;
        match outcome.status() {
            Some(status) => span.status(status),
            None => span.fail(|| outcome.code()),
        }
        outcome
    }

    async fn send(&self, url: Url, headers: HeaderMap, message: &Signed) -> Outcome {
        let request = self
            .client
            .post(url)
            .headers(headers)
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", message.seconds)
            .header("webhook-signature", &message.signature)
            .body(message.body.clone());
        match request.send().await {
            Ok(answer) => match answer.status().as_u16() {
                status @ 200..=299 => Outcome::Delivered(status),
                410 => Outcome::Unwanted,
                status => Outcome::Status(status),
            },
            Err(error) if is_forbidden(&error) => Outcome::AddressRefused,
            Err(error) if error.is_timeout() => Outcome::Late,
            Err(_) => Outcome::Unreachable,
        }
    }
}

fn is_forbidden(error: &reqwest::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<Forbidden>() {
            return true;
        }
        source = error.source();
    }
    false
}
