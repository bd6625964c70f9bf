//! Where the communities are: known for the whole country before any of them is lived.

use std::collections::HashMap;

use crate::{
    dice::Dice,
    people::MAX_COMMUNITIES,
    places::{PROVINCES, Units},
};

/// Living persons in a community, about.
const SIZE: u32 = 500;
/// Neighbouring communes that a community comes from, at most.
const HOMES: usize = 4;

/// The ground on which a community grows.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Its place among all.
    pub index: u32,
    /// How many should live at the end.
    pub size: usize,
    /// The place of its province in [`PROVINCES`].
    pub province: usize,
    /// Old communes of one district.
    pub homes: Vec<u16>,
    /// The first digits of old cards there, its place among the communities with the same ones, and their count.
    pub cards: (u8, u64, u64),
    /// The old commune where births, marriages and deaths are registered, and the one that it became.
    pub registrar: (u16, u16),
    /// Its place among the communities whose books the same commune keeps, and their count.
    pub books: (u32, u32),
}

/// Divides so many persons over the provinces by their shares of the population.
pub fn plan(units: &Units, seed: u64, persons: u32, provinces: &[u8]) -> Vec<Plot> {
    let count = persons.div_ceil(SIZE).clamp(1, MAX_COMMUNITIES);
    let weights: Vec<f64> = PROVINCES
        .iter()
        .map(|p| {
            if provinces.is_empty() || provinces.contains(&p.code) {
                p.thousands.into()
            } else {
                0.0
            }
        })
        .collect();
    let total: f64 = weights.iter().sum();
    let mut dice = Dice::of(&[seed, 0]);
    // Evenly spread steps over the heaped shares give each province its share to the nearest community.
    let offset = dice.share();
    let (mut province, mut heap) = (0, weights[0]);
    let mut plots: Vec<Plot> = (0..count)
        .map(|index| {
            let at = (f64::from(index) + offset) / f64::from(count) * total;
            while at >= heap && province + 1 < weights.len() {
                province += 1;
                heap += weights[province];
            }
            let communes = loop {
                let district = dice.pick(units.districts_of(province));
                let communes = units.communes_of(district);
                // Large districts are drawn more often.
                if dice.chance(communes.len() as f64 / 30.0) {
                    break communes;
                }
            };
            let homes: Vec<u16> = (0..HOMES).map(|_| dice.pick(communes)).collect();
            let size = (u64::from(persons) * u64::from(index + 1) / u64::from(count)
                - u64::from(persons) * u64::from(index) / u64::from(count)) as usize;
            let home = homes[0];
            let became = units.successors(home).first().copied().unwrap_or_default();
            Plot {
                index,
                size,
                province,
                homes,
                cards: (PROVINCES[province].card, 0, 0),
                registrar: (home, became),
                books: (0, 0),
            }
        })
        .collect();
    let mut counts = [0; 100];
    for plot in &mut plots {
        let count = &mut counts[usize::from(plot.cards.0)];
        plot.cards.1 = *count;
        *count += 1;
    }
    let mut keep: HashMap<u16, u32> = HashMap::new();
    for plot in &mut plots {
        plot.cards.2 = counts[usize::from(plot.cards.0)];
        let books = keep.entry(plot.registrar.1).or_default();
        plot.books.0 = *books;
        *books += 1;
    }
    for plot in &mut plots {
        plot.books.1 = keep.get(&plot.registrar.1).copied().unwrap_or(1);
    }
    plots
}
