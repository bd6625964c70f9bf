//! Where a reader stands.

use std::{fmt, str::FromStr};

use base::codes::CodeError;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::TypeId;

/// The place of an event in the log of its type: 1, 2, 3 … without gaps, in the order of publishing.
pub type Position = i64;

/// All events of a type up to a position; opaque to readers. It names its type, so that a cursor of another type is refused
/// and not misread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    /// The last eight bytes of the type's id, which are random.
    of: [u8; 8],
    position: Position,
}

impl Cursor {
    /// Everything of `of` up to and with `position`; 0 is the beginning.
    pub fn new(of: TypeId, position: Position) -> Self {
        Self {
            of: tail(of),
            position: position.max(0),
        }
    }

    /// The position, if this is a cursor of that type.
    ///
    /// # Errors
    /// `cursor-of-another-type`.
    pub fn position_in(self, of: TypeId) -> Result<Position, CodeError> {
        if self.of == tail(of) {
            return Ok(self.position);
        }
        Err(CodeError::new(
            "cursor-of-another-type",
            "Con trỏ này thuộc một loại sự kiện khác. Dùng con trỏ mà chính loại sự kiện này đã trả về.",
            "This cursor belongs to another event type. Use one that this very type gave.",
        ))
    }
}

fn tail(of: TypeId) -> [u8; 8] {
    let (_, random) = of.uuid().as_u64_pair();
    random.to_be_bytes()
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.of, self.position.to_be_bytes()].concat();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let read = || {
            let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
            let (of, position) = bytes.split_first_chunk::<8>()?;
            let position = i64::from_be_bytes(position.try_into().ok()?);
            (position >= 0).then_some(Self { of: *of, position })
        };
        read().ok_or_else(|| {
            CodeError::new(
                "cursor-malformed",
                "Con trỏ không đúng dạng. Dùng nguyên văn con trỏ mà lần đọc trước đã trả về, hoặc bỏ trống.",
                "The cursor is malformed. Use the one that the last read gave, as it was, or none.",
            )
        })
    }
}

impl TryFrom<String> for Cursor {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        text.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use base::Timestamp;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_text(position in 0_i64..) {
            let of = TypeId::new(Timestamp::from_micros(1));
            let cursor: Cursor = Cursor::new(of, position).to_string().parse().expect("as printed");
            prop_assert_eq!(cursor.position_in(of), Ok(position));
        }

        #[test]
        fn anything_else_is_refused_and_never_panics(text in "\\PC{0,40}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }

    #[test]
    fn a_cursor_of_another_type_is_refused() {
        let (one, other) = (
            TypeId::new(Timestamp::from_micros(1)),
            TypeId::new(Timestamp::from_micros(1)),
        );
        let error = Cursor::new(one, 7).position_in(other).expect_err("another type");
        assert_eq!(error.code(), "cursor-of-another-type");
        let negative = URL_SAFE_NO_PAD.encode([[0; 8], (-1_i64).to_be_bytes()].concat());
        assert_eq!(
            negative.parse::<Cursor>().expect_err("negative").code(),
            "cursor-malformed"
        );
    }
}
