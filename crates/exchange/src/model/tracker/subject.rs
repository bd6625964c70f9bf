//! Where in a message the number of a person stands.

use std::collections::BTreeSet;

use base::codes::PersonNumber;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{
    address::{ServicePath, parameters},
    json::{JsonFlaw, read},
    pointer::Pointer,
};

/// Most persons that one message is noted for, as in Estonia: a bulk transfer beyond that is published as such.
pub const MOST_SUBJECTS: usize = 100;

/// One place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The n-th segment of the path behind the service code, from 1.
    PathSegment(usize),
    /// A parameter of the query, each time that it stands there.
    QueryParameter(String),
    /// In a JSON request.
    Request(Pointer),
    /// In a JSON answer.
    Answer(Pointer),
}

/// Where a service has the numbers of persons. A number is twelve digits, perhaps after `VN`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectRule(pub Vec<Place>);

/// A message with its answer, as far as a node has seen it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The path behind the service code.
    pub path: &'a ServicePath,
    /// The query.
    pub query: Option<&'a str>,
    /// The body of the request, if it is JSON.
    pub request: Option<&'a [u8]>,
    /// The body of the answer, if it is JSON.
    pub answer: Option<&'a [u8]>,
}

/// The persons that a message was about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subjects {
    /// Their numbers, at most [`MOST_SUBJECTS`].
    pub persons: BTreeSet<PersonNumber>,
    /// There were more.
    pub more: bool,
    /// Values at a place of the rule that are no numbers of persons, and bodies that could not be looked into. When
    /// this is not 0 and nobody was found, the rule is wrong and its owner is to be told.
    pub unreadable: usize,
}

impl SubjectRule {
    /// Looks at every place.
    pub fn find(&self, seen: &Seen<'_>) -> Subjects {
        let mut subjects = Subjects::default();
        for place in &self.0 {
            match place {
                Place::PathSegment(n) => {
                    if let Some(text) = seen.path.segment(*n) {
                        subjects.note(&text);
                    }
                }
                Place::QueryParameter(name) => parameters(seen.query.unwrap_or_default())
                    .filter(|parameter| parameter.name == *name)
                    .for_each(|parameter| subjects.note(&parameter.value)),
                Place::Request(pointer) => subjects.look(seen.request, pointer),
                Place::Answer(pointer) => subjects.look(seen.answer, pointer),
            }
        }
        subjects
    }
}

impl Subjects {
    fn look(&mut self, body: Option<&[u8]>, pointer: &Pointer) {
        let Some(body) = body else { return };
        match values(body, pointer) {
            Ok(values) => values.into_iter().for_each(|value| self.note_json(value)),
            Err(_) => self.unreadable += 1,
        }
    }

    /// A string, or a number of twelve digits; null says that there is nobody.
    fn note_json(&mut self, value: &RawValue) {
        match serde_json::from_str::<String>(value.get()) {
            Ok(text) => self.note(&text),
            Err(_) if value.get() == "null" => {}
            Err(_) => self.note(value.get()),
        }
    }

    fn note(&mut self, text: &str) {
        let digits = text.strip_prefix("VN").unwrap_or(text);
        match digits.parse::<PersonNumber>() {
            Err(_) => self.unreadable += 1,
            Ok(person) if self.persons.len() < MOST_SUBJECTS => {
                self.persons.insert(person);
            }
            Ok(person) => self.more |= !self.persons.contains(&person),
        }
    }
}

fn values<'a>(body: &'a [u8], pointer: &Pointer) -> Result<Vec<&'a RawValue>, JsonFlaw> {
    pointer.find(read(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(
        places: Vec<Place>,
        path: &str,
        query: Option<&str>,
        request: Option<&str>,
        answer: Option<&str>,
    ) -> Subjects {
        let path = ServicePath::parse(path.as_bytes()).expect(path);
        SubjectRule(places).find(&Seen {
            path: &path,
            query,
            request: request.map(str::as_bytes),
            answer: answer.map(str::as_bytes),
        })
    }

    fn numbers(subjects: &Subjects) -> Vec<&str> {
        subjects.persons.iter().map(PersonNumber::as_str).collect()
    }

    #[test]
    fn persons_are_found_where_the_rule_says() {
        let pointer = |text: &str| text.parse().expect(text);
        let places = vec![
            Place::PathSegment(2),
            Place::QueryParameter("userCode".to_owned()),
            Place::Request(pointer("/person/number")),
            Place::Answer(pointer("/members/*/number")),
        ];
        let subjects = find(
            places,
            "/persons/037190001234",
            Some("x=1&userCode=VN001205000001"),
            Some(r#"{"person":{"number":"037 190 001 235"}}"#),
            Some(r#"{"members":[{"number":234999000001},{"number":null},{"number":"037190001234"},{}]}"#),
        );
        assert_eq!(
            numbers(&subjects),
            ["001205000001", "037190001234", "037190001235", "234999000001"]
        );
        assert_eq!((subjects.more, subjects.unreadable), (false, 0));
    }

    #[test]
    fn what_is_no_number_of_a_person_is_counted() {
        let places = vec![Place::PathSegment(1), Place::Answer("/n".parse().expect("a pointer"))];
        let subjects = find(places, "/12", None, None, Some("<xml/>"));
        assert_eq!((subjects.persons.len(), subjects.unreadable), (0, 2));
    }

    #[test]
    fn a_bulk_transfer_is_noted_for_a_hundred() {
        let answer: Vec<String> = (0..150).map(|n| format!("\"037190{n:06}\"")).collect();
        let answer = format!("[{}]", answer.join(","));
        let places = vec![Place::Answer("/*".parse().expect("a pointer"))];
        let subjects = find(places, "", None, None, Some(&answer));
        assert_eq!((subjects.persons.len(), subjects.more), (MOST_SUBJECTS, true));
    }
}
