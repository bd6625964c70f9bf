//! Who stands behind the symbolic agency of a package.

use std::fmt;

use ::exchange::model::identifier::SubsystemId;
use base::codes::AgencyCode;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// An agency that can be consulted. In the configuration a code, or `{ system = "VN/GOV/…/motcua", agency = "G01.42.7" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Consulted {
    /// Its officers work at this node.
    Here(String),
    /// It has a node of its own.
    Elsewhere(Remote),
}

/// An agency at another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// The system of the exchange that serves it.
    pub system: SubsystemId,
    /// Its code (Decision 20/2020/QĐ-TTg).
    #[serde(deserialize_with = "agency_code")]
    pub agency: String,
}

impl Consulted {
    /// The code of the agency.
    pub fn code(&self) -> &str {
        match self {
            Self::Here(code) => code,
            Self::Elsewhere(remote) => &remote.agency,
        }
    }

    /// Where it is, if not here.
    pub const fn remote(&self) -> Option<&Remote> {
        match self {
            Self::Here(_) => None,
            Self::Elsewhere(remote) => Some(remote),
        }
    }
}

fn agency_code<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    match text.parse::<AgencyCode>() {
        Ok(code) => Ok(code.to_string()),
        Err(_) => Err(D::Error::custom(format!("not an agency code: {text}"))),
    }
}

impl<'de> Deserialize<'de> for Consulted {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Consulted;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the code of an agency, or { system = …, agency = … } for one with a node of its own")
            }

            fn visit_str<E: serde::de::Error>(self, code: &str) -> Result<Consulted, E> {
                Ok(Consulted::Here(code.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Consulted, A::Error> {
                Remote::deserialize(MapAccessDeserializer::new(map)).map(Consulted::Elsewhere)
            }
        }
        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, Consulted>, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn an_agency_is_here_or_elsewhere() {
        let read_well = read(
            "culture = \"H29.12.9\"\nfire-police = { system = \"VN/GOV/000.00.00.G01/motcua\", agency = \"G01.42.7\" }",
        )
        .expect("both ways");
        assert_eq!(read_well["culture"], Consulted::Here("H29.12.9".to_owned()));
        let remote = read_well["fire-police"].remote().expect("elsewhere");
        assert_eq!(remote.system.to_string(), "VN/GOV/000.00.00.G01/motcua");
        assert_eq!(read_well["fire-police"].code(), "G01.42.7");
    }

    #[test]
    fn what_is_neither_is_refused_with_its_reason() {
        for (text, why) in [
            ("a = 1", "the code of an agency, or"),
            ("a = { system = \"VN/GOV/X/motcua\" }", "missing field `agency`"),
            (
                "a = { system = \"motcua\", agency = \"G01\" }",
                "INSTANCE/CLASS/MEMBER/SUBSYSTEM",
            ),
            (
                "a = { system = \"VN/GOV/X/motcua\", agency = \"công an\" }",
                "not an agency code: công an",
            ),
            (
                "a = { system = \"VN/GOV/X/motcua\", agency = \"G01\", url = \"\" }",
                "unknown field `url`",
            ),
        ] {
            let said = read(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
