//! What the state holds already (`once-only.toml`): which attribute of which registry answers a question, by the type and the common name of
//! its field. The check of a package refuses a form that asks it all the same.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Attribute;

/// Whose answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// A person's, found by the personal number.
    Person,
    /// An enterprise's, found by its code.
    Organisation,
}

/// Something that the state holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Who answers, `population.full-name`; none for what the e-ID alone tells.
    pub attribute: Option<Attribute>,
    /// The claim of the e-ID that tells the same of the person who files.
    pub eid: Option<String>,
    /// Whose.
    pub about: Whose,
    /// The types of fields that ask for it.
    pub types: Vec<String>,
    /// The common names under which they do; none: any field of these types.
    #[serde(default)]
    pub names: Vec<String>,
    /// Whether anybody may know it (Law on Enterprises 59/2020/QH14, Articles 32 and 33).
    #[serde(default)]
    pub public: bool,
}

impl Held {
    /// Whether a field of this id and type asks for it.
    pub(super) fn answers(&self, id: &str, r#type: &str) -> bool {
        let name = id.replace('.', "_");
        let named = |wanted: &String| {
            name.strip_suffix(wanted.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
        };
        self.types.iter().any(|t| t == r#type) && (self.names.is_empty() || self.names.iter().any(named))
    }
}

#[derive(Deserialize)]
struct Table {
    held: Vec<Held>,
}

static HELD: LazyLock<Vec<Held>> = LazyLock::new(|| {
    toml::from_str::<Table>(include_str!("once-only.toml")).map_or_else(|_| Vec::new(), |table| table.held)
});

/// All that the state holds, one entry for each attribute that registries answer.
pub fn held() -> &'static [Held] {
    &HELD
}

/// Whether anybody may ask this about an enterprise whose code they only typed.
pub fn is_public(attribute: &Attribute) -> bool {
    HELD.iter().any(|held| {
        let same = |known: &Attribute| (&known.registry, &known.name) == (&attribute.registry, &attribute.name);
        held.public && held.attribute.as_ref().is_some_and(same)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        assert!(held().len() > 20, "it was read");
        for held in held() {
            assert!(held.attribute.is_some() || held.eid.is_some(), "{held:?}");
            assert!(
                held.types
                    .iter()
                    .all(|t| super::super::Kind::NAMES.contains(&t.as_str())),
                "{held:?}"
            );
            assert!(
                !held.public || held.about == Whose::Organisation,
                "no person is public: {held:?}"
            );
        }
    }

    #[test]
    fn a_name_is_the_end_of_an_id() {
        let seat = held()
            .iter()
            .find(|h| h.attribute.as_ref().is_some_and(|a| a.name == "seat"))
            .expect("the seat");
        for (id, asks) in [
            ("organisation.address", true),
            ("organisation.head.seat", true),
            ("seat", true),
            ("organisation.readdress", false),
        ] {
            assert_eq!(seat.answers(id, "address"), asks, "{id}");
        }
        assert!(
            !seat.answers("organisation.address", "text"),
            "another type asks something else"
        );
    }
}
