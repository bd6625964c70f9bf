//! The part `[exchange.journal]` of the configuration: how the journal of the node is kept, and what purposes mean.

use std::collections::BTreeMap;

use base::Text;
use exchange::{
    journal::{self, HiddenReads, Retention},
    model::{
        Meanings, Purpose,
        identifier::{MemberId, ServiceId, SubsystemId},
        tracker::SubjectKey,
    },
};
use jiff::civil::Date;
use serde::Deserialize;

/// How the journal is kept. What is not said is as [`journal::Config::new`] has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// Working days within which a question about a read is answered.
    pub answer_days: Option<u32>,
    /// Days for which operational monitoring is kept.
    pub operation_days: Option<u32>,
    /// What purposes mean, beside those of the program.
    pub purposes: BTreeMap<Purpose, Text>,
    /// After how long records of messages are erased.
    pub retention: Vec<Erased>,
    /// Which reads people do not see, for now.
    pub hidden: Vec<Hidden>,
}

/// After how long the records of messages are erased.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// Of which service; without it, of all that no other rule names.
    pub service: Option<ServiceId>,
    /// Days since the message.
    pub days: u32,
    /// On which ground.
    pub ground: String,
}

/// Reads that people do not see before they end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hidden {
    /// Whose.
    pub member: MemberId,
    /// For which purposes.
    pub purposes: Vec<Purpose>,
    /// On which ground, for everybody to read.
    pub reason: Text,
    /// The first day.
    pub from: Date,
    /// The day on which everything is shown.
    pub until: Date,
}

impl Journal {
    /// What purposes mean at this node.
    pub fn meanings(&self) -> Meanings {
        Meanings::default().with(self.purposes.clone())
    }

    /// As the journal takes it.
    pub fn of_node(&self, agency: &str, subsystem: SubsystemId, subjects: SubjectKey) -> journal::Config {
        let mut config = journal::Config::new(agency, subsystem, subjects);
        config.answer_days = self.answer_days.unwrap_or(config.answer_days);
        config.operation_days = self.operation_days.unwrap_or(config.operation_days);
        config.meanings = self.meanings();
        config.retention = self.retention.iter().cloned().map(Retention::from).collect();
        config.hidden = self.hidden.iter().cloned().map(HiddenReads::from).collect();
        config
    }
}

impl From<Erased> for Retention {
    fn from(Erased { service, days, ground }: Erased) -> Self {
        Self { service, days, ground }
    }
}

impl From<Hidden> for HiddenReads {
    fn from(hidden: Hidden) -> Self {
        let Hidden {
            member,
            purposes,
            reason,
            from,
            until,
        } = hidden;
        Self {
            member,
            purposes,
            reason,
            from,
            until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<journal::Config, toml::de::Error> {
        let journal: Journal = toml::from_str(text)?;
        let subsystem = "VN/GOV/000.00.00.G01/motcua".parse().expect("a system");
        Ok(journal.of_node("G01", subsystem, SubjectKey::new([1; 32])))
    }

    #[test]
    fn what_is_not_said_is_as_usual_and_the_programs_own_purposes_have_words() {
        let config = read("").expect("it is read");
        assert_eq!((config.answer_days, config.operation_days), (10, 7));
        assert!(config.hidden.is_empty() && config.retention.is_empty());
        for own in [
            dossier::consult::PURPOSE,
            registry::contest::PURPOSE,
            registry::keeper::PURPOSE,
            registry::lookup::PURPOSE,
            registry::quality::OWN_VIEW,
            registry::quality::PURPOSE,
            registry::quality::REPRESENTATION,
        ] {
            assert_ne!(config.meanings.of(own).vi, own);
        }
    }

    #[test]
    fn reads_are_hidden_and_records_erased_as_the_file_says() {
        let text = r#"
            answer_days = 15
            [purposes]
            "customs.clearance" = { vi = "Thông quan", en = "Clearance" }
            "statistics" = { vi = "Điều tra dân số", en = "Census" }
            [[retention]]
            service = "VN/GOV/000.00.00.G01/dancu/persons"
            days = 3650
            ground = "Thông tư 01"
            [[hidden]]
            member = "VN/GOV/000.00.00.G01"
            purposes = ["investigation"]
            reason = { vi = "Điều tra theo Bộ luật Tố tụng hình sự", en = "Criminal investigation" }
            from = "2026-11-01"
            until = "2027-05-01"
        "#;
        let config = read(text).expect("it is read");
        config.check().expect("it can hold");
        assert_eq!((config.answer_days, config.operation_days), (15, 7));
        let said = |code: &str| config.meanings.of(code).vi;
        assert_eq!(
            (said("customs.clearance"), said("statistics")),
            ("Thông quan".to_owned(), "Điều tra dân số".to_owned())
        );
        assert_eq!(
            (config.retention[0].days, config.retention[0].ground.as_str()),
            (3650, "Thông tư 01")
        );
        assert_eq!(config.hidden[0].purposes.len(), 1);
        // Longer than two years, and whatever nobody knows of.
        let long = read(&text.replace("2027-05-01", "2029-05-01")).expect("it is read");
        assert!(long.check().is_err());
        assert!(read("hide = true").is_err());
    }
}
