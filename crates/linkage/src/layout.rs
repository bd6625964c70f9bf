//! What is judged of each record, one record after the other: a pair touches two places of memory for its numbers and two for
//! its texts, however many columns are compared.

use std::hint::black_box;

use crate::dictionary::{Dictionary, NULL};
use crate::program::Column;

/// The records as pairs are judged by them.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// So many numbers a record: those of its texts, lists and counts, in the order of the columns.
    numbers: Vec<u32>,
    stride: usize,
    /// For each column, its place among those whose texts are measured.
    measured: Vec<Option<usize>>,
    /// How many are measured.
    places: usize,
    /// Where the texts of each record begin: first where each of them ends, in two bytes, then themselves.
    begins: Vec<usize>,
    texts: Vec<u8>,
}

/// Numbers in a line of the cache.
const LINE: usize = 16;
/// Bytes in a line of the cache.
const LINE_BYTES: usize = 64;
/// Bytes of an end.
const END: usize = 2;

impl Layout {
    /// Lays out columns; `measured` are those whose texts are asked for.
    pub(crate) fn new(columns: &[Column], measured: &[usize], dictionary: &Dictionary) -> Self {
        let width = columns.len().max(1);
        let stride = match width {
            0..LINE => width.next_power_of_two(),
            _ => width.next_multiple_of(LINE),
        };
        let records = columns.iter().map(Column::len).max().unwrap_or(0);
        let mut layout = Self {
            numbers: vec![NULL; records * stride],
            stride,
            measured: vec![None; columns.len()],
            places: measured.len(),
            begins: Vec::new(),
            texts: Vec::new(),
        };
        for (row, numbers) in layout.numbers.chunks_exact_mut(stride).enumerate() {
            for (number, column) in numbers.iter_mut().zip(columns) {
                if let Some(column) = column.numbers() {
                    *number = column.get(row).copied().unwrap_or(NULL);
                }
            }
        }
        for (place, column) in measured.iter().enumerate() {
            if let Some(slot) = layout.measured.get_mut(*column) {
                *slot = Some(place);
            }
        }
        layout.lay_texts(measured, dictionary);
        layout
    }

    fn lay_texts(&mut self, measured: &[usize], dictionary: &Dictionary) {
        if measured.is_empty() {
            return;
        }
        self.begins.reserve_exact(self.numbers.len() / self.stride);
        for numbers in self.numbers.chunks_exact(self.stride) {
            let begin = self.texts.len();
            self.begins.push(begin);
            self.texts.resize(begin + measured.len() * END, 0);
            let mut end = 0;
            for (place, column) in measured.iter().enumerate() {
                let text = dictionary.bytes(numbers.get(*column).copied().unwrap_or(NULL));
                // What does not fit is left out, as if it were empty.
                if let Ok(new) = u16::try_from(usize::from(end) + text.len()) {
                    self.texts.extend_from_slice(text);
                    end = new;
                }
                let at = begin + place * END;
                if let Some(slot) = self.texts.get_mut(at..at + END) {
                    slot.copy_from_slice(&end.to_le_bytes());
                }
            }
        }
    }

    /// The numbers of a record, by column.
    #[inline]
    pub(crate) fn numbers(&self, row: u32) -> &[u32] {
        let begin = row as usize * self.stride;
        self.numbers.get(begin..begin + self.stride).unwrap_or_default()
    }

    /// The text of a record in a measured column; empty where it is too long to lie here, too.
    #[inline]
    pub(crate) fn text(&self, row: u32, column: usize) -> &[u8] {
        self.text_of(row, column).unwrap_or_default()
    }

    #[inline]
    fn text_of(&self, row: u32, column: usize) -> Option<&[u8]> {
        let place = (*self.measured.get(column)?)?;
        let record = self.texts.get(*self.begins.get(row as usize)?..)?;
        let end = |place: usize| {
            Some(usize::from(u16::from_le_bytes(
                *record.get(place * END..)?.first_chunk()?,
            )))
        };
        let begin = match place.checked_sub(1) {
            Some(before) => end(before)?,
            None => 0,
        };
        let texts = self.places * END;
        record.get(texts + begin..texts + end(place)?)
    }

    /// Has the records of some pairs brought near: as nothing here waits for what it reads, all of them are on their way at
    /// the same time, and are there when the pairs are judged one after the other.
    #[inline]
    pub(crate) fn bring(&self, pairs: &[(u32, u32)]) {
        let mut read = 0;
        for row in pairs.iter().flat_map(|(left, right)| [*left, *right]) {
            read ^= self.numbers.get(row as usize * self.stride).copied().unwrap_or(0);
            if let Some(begin) = self.begins.get(row as usize) {
                for line in [0, LINE_BYTES] {
                    read ^= u32::from(self.texts.get(begin + line).copied().unwrap_or(0));
                }
            }
        }
        black_box(read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lie_by_record_and_too_long_ones_are_left_to_the_dictionary() {
        let mut dictionary = Dictionary::default();
        let long = "x".repeat(70_000);
        let [an, binh, x] = ["An", "Bình", long.as_str()].map(|t| dictionary.intern(t));
        let columns = [
            Column::Text(vec![an, x, NULL]),
            Column::Number(vec![1.0; 3]),
            Column::Text(vec![binh, an, binh]),
        ];
        let layout = Layout::new(&columns, &[2, 0], &dictionary);
        assert_eq!(layout.numbers(1), [x, NULL, an, NULL]);
        let texts = |row| (layout.text(row, 0), layout.text(row, 2));
        assert_eq!(texts(0), ("An".as_bytes(), "Bình".as_bytes()));
        assert_eq!(texts(1), (&b""[..], "An".as_bytes()));
        assert_eq!(texts(2), (&b""[..], "Bình".as_bytes()));
        assert_eq!(layout.text(0, 1), b"", "not measured");
        layout.bring(&[(0, 2), (7, 8)]);
    }
}
