//! Texts compared by where their letters stand, a bit a place.

use rapidfuzz::HashableChar;
use std::ops::{BitAnd, BitOr, Not, Shl, Shr};

/// So many places as bits.
pub(super) trait Word:
    Copy
    + PartialEq
    + From<bool>
    + Not<Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + Shl<usize, Output = Self>
    + Shr<usize, Output = Self>
{
    const NOWHERE: Self;
    const BITS: usize;

    /// How many places.
    fn count(self) -> u32;
    /// The first of them.
    fn first(self) -> usize;
}

macro_rules! word {
    ($word:ty) => {
        impl Word for $word {
            const NOWHERE: Self = 0;
            const BITS: usize = Self::BITS as usize;

            fn count(self) -> u32 {
                self.count_ones()
            }

            fn first(self) -> usize {
                self.trailing_zeros() as usize
            }
        }
    };
}

word!(u64);
word!(u128);

/// Where each letter of ASCII stands in a text; nowhere between two measurements.
#[derive(Debug)]
pub(super) struct Places<W>([W; 128]);

impl<W: Word> Default for Places<W> {
    fn default() -> Self {
        Self([W::NOWHERE; 128])
    }
}

#[cfg(test)]
impl<W: Word> Places<W> {
    pub(super) fn is_clear(&self) -> bool {
        self.0.iter().all(|places| *places == W::NOWHERE)
    }
}

/// A letter that is found fast in a text.
pub(super) trait Letter: Copy + Eq + std::hash::Hash + HashableChar {
    /// Notes where each letter of a text stands, and forgets it.
    fn mark<W: Word>(text: &[Self], places: &mut Places<W>);
    fn unmark<W: Word>(text: &[Self], places: &mut Places<W>);

    /// Where this letter stands in the text that was marked.
    fn among<W: Word>(self, text: &[Self], places: &Places<W>) -> W;
}

/// Of ASCII: what is above it is nowhere.
impl Letter for u8 {
    #[inline]
    fn mark<W: Word>(text: &[Self], places: &mut Places<W>) {
        for (n, letter) in text.iter().enumerate() {
            if let Some(places) = places.0.get_mut(usize::from(*letter)) {
                *places = *places | W::from(true) << n;
            }
        }
    }

    #[inline]
    fn unmark<W: Word>(text: &[Self], places: &mut Places<W>) {
        for letter in text {
            if let Some(places) = places.0.get_mut(usize::from(*letter)) {
                *places = W::NOWHERE;
            }
        }
    }

    #[inline]
    fn among<W: Word>(self, _: &[Self], places: &Places<W>) -> W {
        places.0.get(usize::from(self)).copied().unwrap_or(W::NOWHERE)
    }
}

impl Letter for char {
    fn mark<W: Word>(_: &[Self], _: &mut Places<W>) {}

    fn unmark<W: Word>(_: &[Self], _: &mut Places<W>) {}

    fn among<W: Word>(self, text: &[Self], _: &Places<W>) -> W {
        let bit = |places: W, letter: &Self| places << 1 | W::from(*letter == self);
        text.iter().rev().fold(W::NOWHERE, bit)
    }
}

/// How many edits make one text out of the other, a column of the table at a time in the bits of a word (Myers 1999, Hyyrö
/// 2003); with `SWAPS`, neighbours may change places. `None` once they are certain to be above the limit.
///
/// Neither text is empty, and both have a place for each letter.
pub(super) fn edits<const SWAPS: bool, T: Letter>(
    a: &[T],
    b: &[T],
    limit: u32,
    places: &mut Places<u64>,
) -> Option<u32> {
    T::mark(a, places);
    let edits = edits_of_marked::<SWAPS, T>(a, b, limit, places);
    T::unmark(a, places);
    edits
}

#[inline]
fn edits_of_marked<const SWAPS: bool, T: Letter>(a: &[T], b: &[T], limit: u32, places: &Places<u64>) -> Option<u32> {
    let last = 1u64 << (a.len() - 1);
    let (mut up, mut down, mut diagonal, mut before) = (u64::MAX, 0u64, 0u64, 0u64);
    let mut edits = a.len() as u32;
    // Each letter to come takes away one edit at most.
    let mut bearable = limit.saturating_add(b.len() as u32);
    for y in b {
        let equal = y.among(a, places);
        let swapped = if SWAPS { ((!diagonal & equal) << 1) & before } else { 0 };
        diagonal = ((equal & up).wrapping_add(up) ^ up) | equal | down | swapped;
        let (more, less) = (down | !(diagonal | up), diagonal & up);
        edits += u32::from(more & last != 0);
        edits -= u32::from(less & last != 0);
        bearable -= 1;
        if edits > bearable {
            return None;
        }
        let (more, less) = (more << 1 | 1, less << 1);
        up = less | !(diagonal | more);
        down = more & diagonal;
        before = equal;
    }
    Some(edits)
}

/// The similarity of Jaro: characters that both have at about the same place, and how many of them changed places. 0 where
/// more than `strangers` of the second text have no partner in the first.
///
/// Neither text is empty, and both have a place for each letter.
pub(super) fn jaro<W: Word, T: Letter>(a: &[T], b: &[T], strangers: usize, places: &mut Places<W>) -> f64 {
    T::mark(a, places);
    let common = common(a, b, strangers, places);
    T::unmark(a, places);
    let Some((in_a, in_b)) = common else { return 0.0 };
    let moved = at_places(a, in_a)
        .zip(at_places(b, in_b))
        .filter(|(x, y)| x != y)
        .count()
        / 2;
    let common = f64::from(in_a.count());
    (common / a.len() as f64 + common / b.len() as f64 + (common - moved as f64) / common) / 3.0
}

/// The characters that both have at about the same place, as places in each; `None` where there are none, or too many of the
/// second text have no partner.
#[inline]
fn common<W: Word, T: Letter>(a: &[T], b: &[T], mut strangers: usize, places: &Places<W>) -> Option<(W, W)> {
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    // What is near the first letter of `b`; it moves on with each.
    let mut near = !W::NOWHERE >> (W::BITS - 1 - reach);
    let (mut in_a, mut in_b) = (W::NOWHERE, W::NOWHERE);
    for (j, y) in b.iter().enumerate() {
        let free = y.among(a, places) & near & !in_a;
        if free == W::NOWHERE {
            strangers = strangers.checked_sub(1)?;
        } else {
            in_a = in_a | W::from(true) << free.first();
            in_b = in_b | W::from(true) << j;
        }
        near = near << 1 | W::from(j < reach);
    }
    (in_a != W::NOWHERE).then_some((in_a, in_b))
}

fn at_places<T, W: Word>(letters: &[T], mut places: W) -> impl Iterator<Item = &T> {
    std::iter::from_fn(move || {
        let place = (places != W::NOWHERE).then(|| places.first())?;
        places = places & !(W::from(true) << place);
        letters.get(place)
    })
}
