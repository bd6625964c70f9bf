//! An officer's program: calls the JSON API of a node with a key, as any agency's own software would.

use anyhow::{Context as _, bail};
use base::{Clock as _, time::SystemClock};
use http::{Method, header};
use serde_json::Value;

/// The API of one node, as one of its officers.
#[derive(Clone)]
pub struct Office {
    url: String,
    key: String,
    http: reqwest::Client,
}

impl Office {
    /// With the key of an officer there.
    pub fn new(url: String, key: String, http: reqwest::Client) -> Self {
        Self { url, key, http }
    }

    /// Reads.
    ///
    /// # Errors
    /// The node says no, or does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None).await
    }

    /// Sends a body.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header("Idempotency-Key", base::Id::<Self>::new(SystemClock.now()).to_string());
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(serde_json::to_vec(body)?);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("asking {}{path}", self.url))?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{}{path} answered {status}: {text}", self.url);
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("reading the answer of {}{path}", self.url))
    }

    /// Every item of a list, page by page.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let (mut items, mut next) = (Vec::new(), None::<String>);
        loop {
            let between = if path.contains('?') { '&' } else { '?' };
            let mut answer = match &next {
                Some(next) => self.get(&format!("{path}{between}cursor={next}")).await?,
                None => self.get(path).await?,
            };
            if let Value::Array(found) = answer["items"].take() {
                items.extend(found);
            }
            match answer["next"].as_str() {
                Some(place) => next = Some(place.to_owned()),
                None => return Ok(items),
            }
        }
    }
}
