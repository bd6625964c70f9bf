//! As much of Thrift's compact protocol as it takes to look at the parts of a Parquet file before anything of it is unpacked. Nothing is
//! allocated, and no length is believed beyond the bytes that are there: what does not fit is `None`.

/// What stands at the end of a structure.
const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// Structures within structures; what is looked at here has five.
const DEEPEST: u8 = 16;

/// Bytes that are read from their beginning.
pub(super) struct Thrift<'a>(&'a [u8]);

impl<'a> Thrift<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// Goes through a structure: `each` hears number and sort of a field, and reads it and says so, or leaves it.
    pub fn fields(&mut self, mut each: impl FnMut(&mut Self, i16, u8) -> Option<bool>) -> Option<()> {
        let mut id = 0_i16;
        loop {
            let head = self.byte()?;
            let sort = head & 0x0f;
            if sort == STOP {
                return Some(());
            }
            id = match head >> 4 {
                0 => i16::try_from(self.int()?).ok()?,
                step => id.checked_add(i16::from(step))?,
            };
            if !each(self, id, sort)? {
                self.pass(sort, DEEPEST)?;
            }
        }
    }

    /// A whole number of up to 64 bits.
    pub fn int(&mut self) -> Option<i64> {
        let zigzag = self.varint()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    pub fn binary(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }

    /// The number of members of a list, and their sort.
    pub fn list(&mut self) -> Option<(usize, u8)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => usize::try_from(self.varint()?).ok()?,
            few => usize::from(few),
        };
        Some((count, head & 0x0f))
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Passes over a field; one that is true or false has said it already.
    fn pass(&mut self, sort: u8, deeper: u8) -> Option<()> {
        match sort {
            TRUE | FALSE => Some(()),
            _ => self.pass_value(sort, deeper),
        }
    }

    fn pass_value(&mut self, sort: u8, deeper: u8) -> Option<()> {
        let deeper = deeper.checked_sub(1)?;
        match sort {
            TRUE | FALSE | BYTE => drop(self.byte()?),
            I16 | I32 | I64 => drop(self.varint()?),
            DOUBLE => drop(self.take(8)?),
            UUID => drop(self.take(16)?),
            BINARY => drop(self.binary()?),
            LIST | SET => {
                let (count, sort) = self.list()?;
                for _ in 0..count {
                    self.pass_value(sort, deeper)?;
                }
            }
            MAP => {
                let count = self.varint()?;
                let sorts = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.pass_value(sorts >> 4, deeper)?;
                    self.pass_value(sorts & 0x0f, deeper)?;
                }
            }
            STRUCT => {
                let mut within = Self(self.0);
                within.pass_fields(deeper)?;
                self.0 = within.0;
            }
            _ => return None,
        }
        Some(())
    }

    fn pass_fields(&mut self, deeper: u8) -> Option<()> {
        loop {
            let head = self.byte()?;
            if head & 0x0f == STOP {
                return Some(());
            }
            if head >> 4 == 0 {
                self.int()?;
            }
            self.pass(head & 0x0f, deeper)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_length_is_believed_and_nothing_is_followed_for_ever() {
        // A number in the second field, a text in the third that says it is longer than what is there.
        let mut cut = Thrift::of(&[0x25, 0x0e, 0x18, 0xff, 0xff, 0xff, 0x7f, b'a']);
        let mut seen = Vec::new();
        let whole = cut.fields(|thrift, id, sort| {
            seen.push((id, sort));
            match id {
                2 => thrift.int().map(|n| n == 7),
                _ => Some(false),
            }
        });
        assert_eq!((whole, seen), (None, vec![(2, I32), (3, BINARY)]));
        // Structures within structures without end, and a list of four thousand million.
        assert_eq!(Thrift::of(&[0x1c; 4096]).fields(|_, _, _| Some(false)), None);
        let long = [0x19, 0xf3, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 0];
        assert_eq!(Thrift::of(&long).fields(|_, _, _| Some(false)), None);
    }
}
