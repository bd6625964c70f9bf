//! Reading files from mirrors that may hang, lie and never end.

use std::time::Duration;

use reqwest::{Client, StatusCode, redirect};

use super::super::{format::File, refusal::Refusal};

/// Bytes for which a mirror gets its time once more.
const SLICE: u64 = 1024 * 1024;

/// Reads files of the directory, and no more of them than they may be.
#[derive(Debug, Clone)]
pub struct Reader {
    client: Client,
    patience: Duration,
}

impl Reader {
    /// `patience` is the time for a small file; large ones get it once more for each megabyte.
    pub fn new(patience: Duration) -> Result<Self, Refusal> {
        let client = Client::builder()
            .connect_timeout(patience)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| Refusal::Unreachable(reason(&error)))?;
        Ok(Self { client, patience })
    }

    /// A file of at most `most` bytes; none when the mirror says that there is none.
    pub async fn read(&self, mirror: &str, file: File, most: u64) -> Result<Option<Vec<u8>>, Refusal> {
        let url = format!("{}/{}", mirror.trim_end_matches('/'), file.path());
        let slices = u32::try_from(most / SLICE).unwrap_or(u32::MAX).saturating_add(1);
        let time = self.patience.saturating_mul(slices);
        tokio::time::timeout(time, self.bounded(&url, most))
            .await
            .unwrap_or(Err(Refusal::TooSlow))
    }

    /// As [`Reader::read`], of a file that a signed document names.
    pub async fn must_read(&self, mirror: &str, file: File, most: u64) -> Result<Vec<u8>, Refusal> {
        let found = self.read(mirror, file, most).await?;
        found.ok_or_else(|| Refusal::Absent(file.path()))
    }

    async fn bounded(&self, url: &str, most: u64) -> Result<Option<Vec<u8>>, Refusal> {
        let request = self.client.get(url).send().await;
        let mut answer = request.map_err(|error| Refusal::Unreachable(reason(&error)))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(Refusal::Unreachable(format!("HTTP {}", status.as_u16()))),
        }
        // A length that is announced is not believed; it only spares the reading.
        if answer.content_length().is_some_and(|length| length > most) {
            return Err(Refusal::TooLarge(most));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| Refusal::CutShort)? {
            if bytes.len() as u64 + chunk.len() as u64 > most {
                return Err(Refusal::TooLarge(most));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }
}

/// The innermost reason, without the address, which stands beside it anyway.
pub fn reason(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
