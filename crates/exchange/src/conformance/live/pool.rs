//! Things that the service was seen to have, so that requests can name things that exist.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Exchange, client::Address};
use crate::conformance::{
    described::List,
    description::{Description, Operation},
};

/// The values of the templates of a path.
pub(super) type Bound = BTreeMap<String, String>;

/// Most things kept of one path.
const MOST: usize = 20;

/// Something seen in a list or just made.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    /// The templates of the path where it was seen.
    pub bound: Bound,
    /// What was said of it.
    pub fields: Map<String, Value>,
    /// The list it was seen in; none when it was made.
    pub list: Option<Address>,
}

impl Thing {
    /// What it is called by in a path: the field of the template's name, or its `id` or `code`. With the field's name.
    pub fn key(&self, template: &str) -> Option<(&str, String)> {
        let last = template.rsplit('_').next().unwrap_or(template);
        [template, last, "id", "code"].iter().find_map(|wanted| {
            let (name, value) = self.fields.get_key_value(*wanted)?;
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            Some((name.as_str(), text))
        })
    }
}

/// What was seen, by path.
#[derive(Debug, Default)]
pub(super) struct Pool {
    things: BTreeMap<String, Vec<Thing>>,
    etags: BTreeMap<String, String>,
}

impl Pool {
    /// Keeps what a successful answer shows.
    pub fn keep(&mut self, description: &Description, operation: &Operation, bound: &Bound, exchange: &Exchange) {
        if let Some(etag) = exchange.answer.header("etag") {
            self.etags
                .insert(exchange.request.address.as_str().to_owned(), etag.to_owned());
        }
        let Ok(answer) = serde_json::from_slice::<Value>(&exchange.answer.body) else {
            return;
        };
        let (items, list) = match (List::of(description, operation), operation.method) {
            (Some(List { field: Some(field), .. }), _) => (answer.get(&field).cloned(), true),
            (Some(_), _) => (Some(answer), true),
            (None, "POST") => (Some(Value::Array(vec![answer])), false),
            (None, _) => return,
        };
        let Some(Value::Array(items)) = items else { return };
        let things = self.things.entry(operation.path.clone()).or_default();
        for fields in items.into_iter().filter_map(|item| {
            if let Value::Object(fields) = item {
                Some(fields)
            } else {
                None
            }
        }) {
            if things.len() < MOST {
                things.push(Thing {
                    bound: bound.clone(),
                    fields,
                    list: list.then(|| exchange.request.address.clone()),
                });
            }
        }
    }

    /// What was seen at a path.
    pub fn things(&self, path: &str) -> &[Thing] {
        self.things.get(path).map_or(&[], Vec::as_slice)
    }

    /// The last ETag of an address, or of the thing above it that a command such as `/v1/things/7/approval` is about.
    pub fn etag(&self, address: &Address) -> Option<&str> {
        let mut text = address.as_str().split('?').next()?;
        loop {
            if let Some(etag) = self.etags.get(text) {
                return Some(etag);
            }
            text = text.rsplit_once('/')?.0;
        }
    }
}

/// The path of the list that the last template of a path is of, and that template: `/v1/things` and `id` of `/v1/things/{id}/parts`.
pub(super) fn list_of(path: &str) -> Option<(&str, &str)> {
    let open = path.rfind("/{")?;
    let close = path.get(open..)?.find('}')? + open;
    Some((path.get(..open)?, path.get(open + 2..close)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_its_last_template_is_of() {
        assert_eq!(list_of("/v1/things/{id}"), Some(("/v1/things", "id")));
        assert_eq!(
            list_of("/v1/things/{id}/parts/{part}/x"),
            Some(("/v1/things/{id}/parts", "part"))
        );
        assert_eq!(list_of("/v1/things"), None);
    }
}
