//! Texts by number: each distinct text is kept once, so that equality is one comparison of numbers.

use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher;
use std::ops::Range;

/// The number of "no value".
pub(crate) const NULL: u32 = 0;

/// Texts whose places are looked up together.
pub(crate) const BATCH: usize = 16;

/// Every distinct text of all records, numbered from 1.
///
/// Where millions of texts are known, each look into the table waits for memory. A batch of texts is therefore looked up step
/// by step, each step for all of them, so that memory answers many questions at the same time.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    text: String,
    ends: Vec<usize>,
    /// Open addressing: the number of a text, and above it 32 bits of its hash; 0 where there is none.
    slots: Vec<u64>,
    hasher: DefaultHashBuilder,
}

impl Dictionary {
    fn place(&self, number: u32) -> Range<usize> {
        let end = |n: u32| (n as usize).checked_sub(1).and_then(|n| self.ends.get(n)).copied();
        end(number.saturating_sub(1)).unwrap_or(0)..end(number).unwrap_or(0)
    }

    /// How many distinct texts there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a number; of [`NULL`] the empty one.
    pub(crate) fn get(&self, number: u32) -> &str {
        self.text.get(self.place(number)).unwrap_or_default()
    }

    /// The same as bytes.
    pub(crate) fn bytes(&self, number: u32) -> &[u8] {
        self.text.as_bytes().get(self.place(number)).unwrap_or_default()
    }

    /// The number of a text, which is new if nobody had it.
    pub(crate) fn intern(&mut self, value: &str) -> u32 {
        self.known_or_new(value, self.hash(value))
    }

    /// The numbers of up to [`BATCH`] texts; an empty one is [`NULL`].
    pub(crate) fn intern_all(&mut self, values: &[&str], numbers: &mut [u32]) {
        let mut hashes = [0; BATCH];
        let mut slots = [0; BATCH];
        for ((hash, slot), value) in hashes.iter_mut().zip(&mut slots).zip(values) {
            *hash = self.hash(value);
            *slot = self.slots.get(self.home(*hash)).copied().unwrap_or(0);
        }
        let mut places: [Range<usize>; BATCH] = Default::default();
        for ((place, slot), hash) in places.iter_mut().zip(slots).zip(hashes) {
            if hash_in(slot) == hash {
                *place = self.place(slot as u32);
            }
        }
        let looked_up = slots.into_iter().zip(places).zip(hashes);
        for ((number, value), ((slot, place), hash)) in numbers.iter_mut().zip(values).zip(looked_up) {
            *number = match value {
                _ if value.is_empty() => NULL,
                _ if self.text.as_bytes().get(place) == Some(value.as_bytes()) => slot as u32,
                _ => self.known_or_new(value, hash),
            };
        }
    }

    /// Makes room where no text is looked up any more.
    pub(crate) fn close(&mut self) {
        self.slots = Vec::new();
    }

    fn hash(&self, value: &str) -> u32 {
        (self.hasher.hash_one(value) >> 32) as u32
    }

    /// Where the text of a hash stands, if none was there before it. The table has a power of two of slots.
    fn home(&self, hash: u32) -> usize {
        hash as usize & self.slots.len().wrapping_sub(1)
    }

    fn known_or_new(&mut self, value: &str, hash: u32) -> u32 {
        // At most three quarters are taken: what is looked for ends at a free slot soon.
        if (self.ends.len() + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let mut at = self.home(hash);
        loop {
            match self.slots.get(at).copied().unwrap_or(0) {
                0 => break,
                slot if hash_in(slot) == hash && self.bytes(slot as u32) == value.as_bytes() => return slot as u32,
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
        self.text.push_str(value);
        self.ends.push(self.text.len());
        let number = self.ends.len() as u32;
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = u64::from(hash) << 32 | u64::from(number);
        }
        number
    }

    fn grow(&mut self) {
        let doubled = vec![0; (self.slots.len() * 2).max(1 << 6)];
        for slot in std::mem::replace(&mut self.slots, doubled) {
            if slot == 0 {
                continue;
            }
            let mut at = self.home(hash_in(slot));
            while self.slots.get(at).is_some_and(|taken| *taken != 0) {
                at = (at + 1) & (self.slots.len() - 1);
            }
            if let Some(free) = self.slots.get_mut(at) {
                *free = slot;
            }
        }
    }
}

const fn hash_in(slot: u64) -> u32 {
    (slot >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_kept_once() {
        let mut dictionary = Dictionary::default();
        let a = dictionary.intern("Nguyễn");
        let b = dictionary.intern("Trần");
        assert_eq!((a, b, dictionary.intern("Nguyễn")), (1, 2, 1));
        assert_eq!(
            (dictionary.get(a), dictionary.get(b), dictionary.get(NULL)),
            ("Nguyễn", "Trần", "")
        );
    }

    #[test]
    fn an_empty_text_is_a_text_and_no_value_is_none() {
        let mut dictionary = Dictionary::default();
        assert_eq!(
            (dictionary.intern("a"), dictionary.intern(""), dictionary.intern("")),
            (1, 2, 2)
        );
        let mut numbers = [9; 2];
        dictionary.intern_all(&["", "a"], &mut numbers);
        assert_eq!(numbers, [NULL, 1]);
    }

    proptest! {
        #[test]
        fn a_batch_gives_what_one_after_the_other_gives(
            batches in prop::collection::vec(prop::collection::vec("[a-cđ]{0,4}", 0..BATCH), 0..200)
        ) {
            let (mut one, mut all) = (Dictionary::default(), Dictionary::default());
            for batch in &batches {
                let texts: Vec<&str> = batch.iter().map(String::as_str).collect();
                let mut numbers = vec![0; texts.len()];
                all.intern_all(&texts, &mut numbers);
                for (text, number) in texts.into_iter().zip(numbers) {
                    prop_assert_eq!(number, if text.is_empty() { NULL } else { one.intern(text) });
                    prop_assert_eq!(all.get(number), text);
                }
            }
            prop_assert_eq!(one.len(), all.len());
        }
    }

    #[test]
    fn many_texts_are_all_found_again() {
        let mut dictionary = Dictionary::default();
        let texts: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
        let numbers: Vec<u32> = texts.iter().map(|t| dictionary.intern(t)).collect();
        assert!(numbers.iter().copied().eq(1..=50_000));
        assert!(
            texts
                .iter()
                .zip(numbers)
                .all(|(text, number)| dictionary.intern(text) == number)
        );
    }
}
