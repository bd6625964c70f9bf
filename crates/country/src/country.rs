//! The country as a whole.

use std::{collections::BTreeMap, thread};

use base::{Error, Kind, Result};

use crate::{
    cast::Part,
    community::Community,
    day::Day,
    people::MAX_COMMUNITIES,
    places::{Province, Units},
    plan::{Plot, plan},
};

/// What country it shall be. Equal options give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Chance begins here.
    pub seed: u64,
    /// About so many persons live on the last day; 100 to 10 million.
    pub persons: u32,
    /// The last day that is told; from 1 January 2020 to 31 December 2099.
    pub until: Day,
    /// Codes of the provinces (of the 63) that communities come from; empty for all. People move everywhere all the same.
    pub provinces: Vec<u8>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            persons: 10_000,
            until: Day::of(2026, 10, 31),
            provinces: Vec::new(),
        }
    }
}

/// An invented country. It holds nothing but a plan, and the communities in which somebody was given a part: the others are told when they are
/// asked for, each alone.
#[derive(Debug, Clone)]
pub struct Country {
    options: Options,
    units: Units,
    plots: Vec<Plot>,
    cast: BTreeMap<u32, Community>,
}

impl Country {
    /// Plans a country.
    ///
    /// # Errors
    /// `country-size`, `country-day`, `unknown-province` where an option is out of its range.
    pub fn new(options: Options, units: Units) -> Result<Self> {
        if !(100..=10_000_000).contains(&options.persons) {
            return Err(Error::refused(
                Kind::Invalid,
                "country-size",
                "Số người phải từ 100 đến 10.000.000.",
                "The number of persons must be from 100 to 10,000,000.",
            ));
        }
        if !(2020..2100).contains(&options.until.year()) {
            return Err(Error::refused(
                Kind::Invalid,
                "country-day",
                "Ngày cuối phải trong khoảng từ năm 2020 đến năm 2099.",
                "The last day must be from 2020 to 2099.",
            ));
        }
        if let Some(code) = options.provinces.iter().find(|code| Province::of(**code).is_none()) {
            return Err(Error::refused(
                Kind::Invalid,
                "unknown-province",
                format!("Mã tỉnh {code:02} không có trong danh sách 63 tỉnh, thành phố."),
                format!("The province code {code:02} is not in the list of 63."),
            ));
        }
        let plots = plan(&units, options.seed, options.persons, &options.provinces);
        Ok(Self {
            options,
            units,
            plots,
            cast: BTreeMap::new(),
        })
    }

    /// Gives a part to whoever fits it in the first community where somebody does; whether anybody did ([`Community::cast`]).
    pub fn cast(&mut self, part: &Part) -> bool {
        let given = (0..self.len()).find_map(|index| {
            let mut community = self.community(index)?;
            community.cast(&self.units, part)?;
            Some((index, community))
        });
        let found = given.is_some();
        self.cast.extend(given);
        found
    }

    /// What country it is.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Its administrative units.
    pub const fn units(&self) -> &Units {
        &self.units
    }

    /// How many communities it has.
    pub fn len(&self) -> u32 {
        self.plots.len() as u32
    }

    /// A country has at least one community.
    pub fn is_empty(&self) -> bool {
        self.plots.is_empty()
    }

    /// Tells one community; none beyond the last.
    pub fn community(&self, index: u32) -> Option<Community> {
        if let Some(community) = self.cast.get(&index) {
            return Some(community.clone());
        }
        let plot = self.plots.get(index as usize)?;
        Some(Community::grow(
            &self.units,
            plot,
            self.options.seed,
            self.options.until,
        ))
    }

    /// Tells all, one after the other.
    pub fn communities(&self) -> impl Iterator<Item = Community> {
        (0..self.len()).filter_map(|index| self.community(index))
    }

    /// Tells all on several threads. `work` runs on any of them, `sink` on this one in the order of communities, so what it sees
    /// is the same for every number of threads. A few communities a thread are in memory at once.
    ///
    /// # Errors
    /// The first of `sink`; nothing is told after it.
    pub fn walk<T: Send, E>(
        &self,
        threads: usize,
        work: impl Fn(Community) -> T + Sync,
        mut sink: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        /// Communities that a thread tells between two meetings.
        const SHARE: u32 = 8;
        let threads = threads.clamp(1, 256) as u32;
        for first in (0..self.len()).step_by((threads * SHARE) as usize) {
            let told: Vec<Vec<T>> = thread::scope(|scope| {
                let tell = |from: u32| {
                    (from..from + SHARE)
                        .filter_map(|at| self.community(at))
                        .map(&work)
                        .collect()
                };
                let shares: Vec<_> = (1..threads)
                    .map(|thread| scope.spawn(move || tell(first + thread * SHARE)))
                    .collect();
                let own = tell(first);
                let others = shares.into_iter().map(|share| match share.join() {
                    Ok(told) => told,
                    Err(panic) => std::panic::resume_unwind(panic),
                });
                std::iter::once(own).chain(others).collect()
            });
            for told in told.into_iter().flatten() {
                sink(told)?;
            }
        }
        Ok(())
    }
}

const _: () = assert!(MAX_COMMUNITIES as u64 * 500 >= 10_000_000);
