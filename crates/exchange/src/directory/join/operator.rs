//! Talking to the operator of a federation: once to learn its root, then to apply and to change one's entry.

use std::time::Duration;

use base::{Error, Kind, Problems, Result};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde::{Deserialize, de::DeserializeOwned};

use super::super::{
    follower::{Reader, reason},
    format::{Digest, File, LONGEST_SEALED, Root, Stamp},
    membership::service::{Answer, Changed, EntryRequest},
    refusal::Refusal,
    seal::Sealed,
};
use crate::model::identifier::{MemberId, Part};

/// Longest answer of an operator, in bytes.
const LONGEST_ANSWER: usize = 256 * 1024;

/// The operator of a federation whose root has not been compared yet: it says who it is, and nothing is believed.
#[derive(Debug, Clone)]
pub struct Meeting {
    operator: Operator,
    root: Vec<u8>,
    instance: Part,
}

/// The operator of a federation, by a root whose fingerprint somebody compared.
#[derive(Debug, Clone)]
pub struct Known {
    /// Where it is.
    pub operator: Operator,
    pub(super) root: Vec<u8>,
    pub(super) instance: Part,
    pub(super) fingerprint: Digest,
}

/// The address of an operator's node, such as `https://exchange.example.gov.vn`.
#[derive(Debug, Clone)]
pub struct Operator {
    url: String,
    client: Client,
    patience: Duration,
}

impl Operator {
    /// At an address, which may take so long for each answer.
    ///
    /// # Errors
    /// [`Refusal::Unreachable`] when it is no http or https URL.
    pub fn at(url: &str, patience: Duration) -> Result<Self, Refusal> {
        let url = url.trim_end_matches('/');
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(Refusal::Unreachable(format!("{url}: http(s)://…")));
        }
        let client = Client::builder()
            .connect_timeout(patience)
            .timeout(patience)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| Refusal::Unreachable(reason(&error)))?;
        Ok(Self {
            url: url.to_owned(),
            client,
            patience,
        })
    }

    /// Where its directory is.
    pub fn mirror(&self) -> String {
        format!("{}/exchange/directory", self.url)
    }

    /// Asks for the root in force. Whoever answers may be anybody: compare [`Meeting::fingerprint`] with the operator by
    /// another way.
    ///
    /// # Errors
    /// [`Refusal`] of what came.
    pub async fn meet(&self) -> Result<Meeting, Refusal> {
        let (reader, mirror) = (Reader::new(self.patience)?, self.mirror());
        let stamp = reader.must_read(&mirror, File::Timestamp, LONGEST_SEALED).await?;
        let number = Sealed::<Stamp>::read(&stamp)?.body().root;
        let root = reader.must_read(&mirror, File::Root(number), LONGEST_SEALED).await?;
        let sealed = Sealed::<Root>::read(&root)?;
        Root::verify_first(&sealed)?;
        Ok(Meeting {
            operator: self.clone(),
            instance: sealed.body().instance.clone(),
            root,
        })
    }

    pub(super) async fn apply(&self, document: String) -> Result<Answer> {
        let request = self.client.post(format!("{}/exchange/join", self.url));
        answer(request.body(document)).await
    }

    pub(super) async fn question(&self, document: String) -> Result<Answer> {
        let request = self.client.post(format!("{}/exchange/join/state", self.url));
        answer(request.body(document)).await
    }

    /// The version of a member's entry, from which its next change goes on.
    ///
    /// # Errors
    /// What the operator says.
    pub async fn entry_version(&self, member: &MemberId) -> Result<u64> {
        let request = self.client.get(format!("{}/exchange/entry/{member}", self.url));
        Ok(answer::<Changed>(request).await?.version)
    }

    pub(super) async fn change(&self, request: &EntryRequest) -> Result<Changed> {
        let body = serde_json::to_string(request)?;
        let request = self.client.post(format!("{}/exchange/entry", self.url));
        answer(request.header("content-type", "application/json").body(body)).await
    }
}

impl Meeting {
    /// What is to be compared: SHA-256 of the file of the root.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.root)
    }

    /// The federation that it says to be.
    pub const fn instance(&self) -> &Part {
        &self.instance
    }

    /// Goes on when the fingerprint is the one that was compared.
    ///
    /// # Errors
    /// [`Refusal::OtherRoot`].
    pub fn confirm(self, compared: Digest) -> Result<Known, Refusal> {
        let found = self.fingerprint();
        if found != compared {
            return Err(Refusal::OtherRoot {
                expected: compared,
                found,
            });
        }
        Ok(Known {
            operator: self.operator,
            root: self.root,
            instance: self.instance,
            fingerprint: found,
        })
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let unreachable = |error: &reqwest::Error| Error::from(Refusal::Unreachable(reason(error)));
    let mut answer = request.send().await.map_err(|error| unreachable(&error))?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Refusal::TooLarge(LONGEST_ANSWER as u64).into());
        }
        body.extend_from_slice(&chunk);
    }
    if answer.status().is_success() {
        return serde_json::from_slice(&body).map_err(|_| Refusal::Malformed("JSON").into());
    }
    Err(refused(&answer, &body))
}

/// What the operator says no with: problem details, as every node of this platform answers.
fn refused(answer: &Response, body: &[u8]) -> Error {
    #[derive(Deserialize)]
    struct Details {
        kind: Kind,
        problems: Problems,
    }
    match serde_json::from_slice::<Details>(body) {
        Ok(details) => Error::Refused(details.kind, details.problems),
        Err(_) => Refusal::Unreachable(format!("HTTP {}", answer.status().as_u16())).into(),
    }
}
