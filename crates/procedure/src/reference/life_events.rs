//! Life events (sự kiện đời sống): how people look for procedures.

use base::{Problems, Result, Text};
use serde::{Deserialize, Serialize};

use super::files::{Source, toml_file};

/// Something that happens in a life or a business, and the procedures that go with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifeEvent {
    /// Part of the page's address: `co-con-nho`.
    pub id: String,
    /// The title.
    pub title: Text,
    /// One sentence.
    pub intro: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    life_event: Vec<LifeEvent>,
}

pub(super) fn read(source: &Source, problems: &mut Problems) -> Result<Vec<LifeEvent>> {
    let path = "procedures/life-events.toml";
    let text = source.text(path)?;
    let events = toml_file::<File>(path, &text, problems)
        .map(|f| f.life_event)
        .unwrap_or_default();
    for (n, event) in events.iter().enumerate() {
        if events[..n].iter().any(|e| e.id == event.id) {
            problems.add(
                "duplicate",
                format!("{path}:{}", event.id),
                format!("Mã “{}” bị trùng.", event.id),
                format!("The id \"{}\" appears twice.", event.id),
            );
        }
    }
    Ok(events)
}
