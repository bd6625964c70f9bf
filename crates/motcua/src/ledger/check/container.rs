//! Evidence containers of messages.

use ::exchange::{
    journal::evidence::{LeafReport, Role, claimed_keys, verify_container},
    model::{
        headers::CLIENT,
        message::{AnswerRecord, RequestRecord},
        tracker::ReadRecord,
    },
};
use base::{Text, Timestamp};

use super::{Checked, Entry, Says, Trusted};

/// Verifies a container, message by message.
pub(super) fn check(bytes: &[u8], trusted: &Trusted) -> Result<Checked, Text> {
    let claimed = claimed_keys(bytes).unwrap_or_default();
    let policy = trusted.policy(&claimed)?;
    let report = verify_container(bytes, &policy, trusted.stampers.as_ref());
    let (keys_from_file, keys) = trusted.used(&claimed);
    Ok(Checked {
        log: report
            .leaves
            .first()
            .map(|leaf| leaf.origin.clone())
            .unwrap_or_default(),
        dossier: None,
        keys_from_file,
        keys,
        faults: report.faults.into_iter().map(|fault| (fault.at, fault.text)).collect(),
        entries: report.leaves.into_iter().map(entry).collect(),
    })
}

fn entry(leaf: LeafReport) -> Entry {
    Entry {
        log: None,
        leaf: leaf.index,
        says: says(leaf.role, &leaf.record),
        size: leaf.size,
        cosigners: leaf.cosigners,
        strangers: Vec::new(),
        stamped: leaf.stamped,
        refusal: None,
    }
}

fn says(role: Role, record: &[u8]) -> Option<Says> {
    let (at, text) = match role {
        Role::Request => {
            let record = RequestRecord::parse(record).ok()?;
            let client = record.fields().iter().find(|field| field.is(CLIENT))?.text()?;
            let (method, service) = (record.method(), record.target().service());
            let text = Text::new(
                format!("Yêu cầu {method} của {client} tới {service}"),
                format!("Request {method} of {client} to {service}"),
            );
            (seconds(record.created()), text)
        }
        Role::Answer => {
            let record = AnswerRecord::parse(record).ok()?;
            let (status, sender) = (record.status(), record.sender().as_str());
            let text = Text::new(
                format!("Câu trả lời {status} của {sender}"),
                format!("Answer {status} of {sender}"),
            );
            (seconds(record.created()), text)
        }
        Role::Read => {
            let record: ReadRecord = serde_json::from_slice(record).ok()?;
            let text = Text::new(
                format!("Lượt đọc dữ liệu cá nhân của {}: {}", record.client, record.action),
                format!("Read of personal data by {}: {}", record.client, record.action),
            );
            (record.at, text)
        }
    };
    Some(Says { at, step: None, text })
}

fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_micros(0).plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}
