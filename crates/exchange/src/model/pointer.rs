//! Places in a JSON body: RFC 6901 pointers in which `*` stands for every member of an object or item of an array.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    json::{JsonFlaw, Opened, open},
    reason::reasons,
};

/// Most steps of a pointer.
const DEEPEST: usize = 32;

reasons! {
    /// Why a text is no pointer.
    pub enum PointerFlaw {
        NotAbsolute = "pointer-not-absolute",
            "Đường dẫn JSON phải rỗng hoặc bắt đầu bằng “/”, ví dụ /items/*/name.",
            "A JSON pointer is empty or begins with “/”, like /items/*/name.";
        BadEscape = "pointer-bad-escape",
            "Trong đường dẫn JSON, sau dấu “~” chỉ có 0 hoặc 1 (RFC 6901).",
            "In a JSON pointer only 0 or 1 follows “~” (RFC 6901).";
        TooDeep = "pointer-too-deep",
            "Đường dẫn JSON có tối đa 32 bước.",
            "A JSON pointer has at most 32 steps.";
    }
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// Into every member or item.
    Each,
    /// Into the member of this name, or the item of this number.
    Named(String),
}

impl Step {
    pub(crate) fn takes(&self, name: &str) -> bool {
        match self {
            Self::Each => true,
            Self::Named(own) => own == name,
        }
    }
}

/// A pointer, such as `/items/*/person`. A member whose name is `*` cannot be named alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(Vec<Step>);

impl Pointer {
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The values at this place, in their order; none where the body has no such place.
    pub(crate) fn find<'a>(&self, body: &'a RawValue) -> Result<Vec<&'a RawValue>, JsonFlaw> {
        let mut found = vec![body];
        for step in &self.0 {
            let mut below = Vec::new();
            for value in found {
                match open(value)? {
                    Opened::Object(members) => {
                        below.extend(members.into_iter().filter(|(name, _)| step.takes(name)).map(|(_, v)| v));
                    }
                    Opened::Array(items) => match step {
                        Step::Each => below.extend(items),
                        Step::Named(name) => below.extend(index(name).and_then(|n| items.get(n))),
                    },
                    Opened::Scalar => {}
                }
            }
            found = below;
        }
        Ok(found)
    }
}

/// An array index as RFC 6901 writes it: no sign, no leading zero.
fn index(name: &str) -> Option<usize> {
    name.parse::<usize>().ok().filter(|n| n.to_string() == name)
}

impl FromStr for Pointer {
    type Err = PointerFlaw;

    fn from_str(text: &str) -> Result<Self, PointerFlaw> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let steps = text.strip_prefix('/').ok_or(PointerFlaw::NotAbsolute)?;
        let steps = steps.split('/').map(step).collect::<Result<Vec<_>, _>>()?;
        if steps.len() > DEEPEST {
            return Err(PointerFlaw::TooDeep);
        }
        Ok(Self(steps))
    }
}

fn step(text: &str) -> Result<Step, PointerFlaw> {
    if text == "*" {
        return Ok(Step::Each);
    }
    let mut pieces = text.split('~');
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (escaped, rest) = match (piece.strip_prefix('0'), piece.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (_, Some(rest)) => ('/', rest),
            _ => return Err(PointerFlaw::BadEscape),
        };
        name.push(escaped);
        name.push_str(rest);
    }
    Ok(Step::Named(name))
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Each => f.write_str("/*"),
            Step::Named(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
        })
    }
}

impl TryFrom<String> for Pointer {
    type Error = PointerFlaw;
    fn try_from(text: String) -> Result<Self, PointerFlaw> {
        text.parse()
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json::read;

    fn found(pointer: &str, body: &str) -> Vec<String> {
        let pointer: Pointer = pointer.parse().expect(pointer);
        let found = pointer.find(read(body.as_bytes()).expect(body)).expect(body);
        found.into_iter().map(|v| v.get().to_owned()).collect()
    }

    #[test]
    fn pointers_are_those_of_rfc_6901() {
        // RFC 6901, section 5.
        let body = r#"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8}"#;
        assert_eq!(found("", body), [body]);
        assert_eq!(found("/foo", body), [r#"["bar", "baz"]"#]);
        assert_eq!(found("/foo/0", body), [r#""bar""#]);
        assert_eq!(found("/", body), ["0"]);
        assert_eq!(found("/a~1b", body), ["1"]);
        assert_eq!(found("/m~0n", body), ["8"]);
        assert_eq!(found("/foo/00", body), Vec::<String>::new());
        assert_eq!(found("/foo/2", body), Vec::<String>::new());
    }

    #[test]
    fn a_star_goes_everywhere_on_its_level() {
        let body = r#"{"items":[{"id":1},{"id":2},3],"more":{"x":{"id":4}}}"#;
        assert_eq!(found("/items/*/id", body), ["1", "2"]);
        assert_eq!(found("/*/*/id", body), ["1", "2", "4"]);
    }

    #[test]
    fn other_texts_are_refused_and_pointers_print_themselves() {
        assert_eq!("a".parse::<Pointer>(), Err(PointerFlaw::NotAbsolute));
        assert_eq!("/a~".parse::<Pointer>(), Err(PointerFlaw::BadEscape));
        assert_eq!("/a~2".parse::<Pointer>(), Err(PointerFlaw::BadEscape));
        assert_eq!("/a".repeat(33).parse::<Pointer>(), Err(PointerFlaw::TooDeep));
        for text in ["", "/", "/a~1b/~0/*/0"] {
            assert_eq!(text.parse::<Pointer>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn a_member_that_stands_twice_is_refused() {
        let pointer: Pointer = "/a/b".parse().expect("a pointer");
        let body = read(br#"{"a":{"b":1,"\u0062":2}}"#).expect("JSON");
        assert_eq!(pointer.find(body).err(), Some(JsonFlaw::DuplicateMember));
    }
}
