//! What a gateway has done: counters that only grow, and how long it took.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
};

use super::operations::Course;
use crate::model::error::{ErrorCode, Spelling};

/// Upper bounds of the classes of [`Histogram`], in microseconds. The last class has no bound.
pub const BOUNDS: [u64; 15] = [
    250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 125_000, 250_000, 500_000, 1_000_000, 4_000_000,
    16_000_000,
];

/// How many messages took how long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    /// Messages by class; see [`BOUNDS`].
    pub classes: [u64; BOUNDS.len() + 1],
    /// All times together, in microseconds.
    pub sum: u64,
}

impl Histogram {
    /// All messages.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }
}

/// One side of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Side {
    /// Messages in hand.
    pub in_flight: u64,
    /// Messages that ended with an answer of the provider, whatever its status.
    pub answered: u64,
    /// Messages that were refused, by type in X-Road's newer spelling, where no two are called the same.
    pub refused: BTreeMap<String, u64>,
    /// From the head of the request to the head of the answer.
    pub duration: Histogram,
    /// Bytes of the bodies of requests.
    pub request_bytes: u64,
    /// Bytes of the bodies of answers.
    pub response_bytes: u64,
}

/// Counters of a gateway since it began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// As the node of consumers.
    pub consumer: Side,
    /// As the node of providers.
    pub provider: Side,
    /// Connections opened to other nodes.
    pub links_opened: u64,
    /// Connections accepted, from information systems and other nodes.
    pub connections: u64,
    /// Answers that came, could not be logged here and were not passed on. Anything but 0 is an incident.
    pub answers_not_logged: u64,
    /// Messages in which a subject rule found nobody and something that is no number of a person.
    pub subjects_unreadable: u64,
    /// Records of operational monitoring that were dropped because nobody took them.
    pub operations_dropped: u64,
    /// Bytes of bodies in memory now.
    pub memory: u64,
    /// Bytes of bodies on disk now, because they are large.
    pub spilled: u64,
}

/// Which side of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Consumer,
    Provider,
}

struct Count {
    in_flight: AtomicI64,
    answered: AtomicU64,
    refused: [AtomicU64; ErrorCode::ALL.len()],
    classes: [AtomicU64; BOUNDS.len() + 1],
    sum: AtomicU64,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
}

impl Default for Count {
    fn default() -> Self {
        Self {
            in_flight: AtomicI64::new(0),
            answered: AtomicU64::new(0),
            refused: std::array::from_fn(|_| AtomicU64::new(0)),
            classes: std::array::from_fn(|_| AtomicU64::new(0)),
            sum: AtomicU64::new(0),
            request_bytes: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
        }
    }
}

/// The counters at work.
#[derive(Default)]
pub(super) struct Meter {
    consumer: Count,
    provider: Count,
    pub links_opened: AtomicU64,
    pub connections: AtomicU64,
    pub answers_not_logged: AtomicU64,
    pub subjects_unreadable: AtomicU64,
    pub operations_dropped: AtomicU64,
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// A message in hand; it counts until it goes.
pub(super) struct InFlight<'a>(&'a Count);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Meter {
    const fn part(&self, part: Part) -> &Count {
        match part {
            Part::Consumer => &self.consumer,
            Part::Provider => &self.provider,
        }
    }

    pub fn begin(&self, part: Part) -> InFlight<'_> {
        let count = self.part(part);
        count.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(count)
    }

    pub fn end(&self, part: Part, course: &Course) {
        let side = self.part(part);
        let counter = match course.code() {
            None => Some(&side.answered),
            Some(code) => ErrorCode::ALL.iter().position(|c| *c == code).map(|n| &side.refused[n]),
        };
        counter.into_iter().for_each(count);
        let micros = u64::try_from(course.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        count(&side.classes[BOUNDS.partition_point(|bound| *bound < micros)]);
        side.sum.fetch_add(micros, Ordering::Relaxed);
        side.request_bytes.fetch_add(course.request_size, Ordering::Relaxed);
        side.response_bytes
            .fetch_add(course.response_size.unwrap_or(0), Ordering::Relaxed);
    }

    pub fn read(&self, (memory, spilled): (u64, u64)) -> Figures {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let side = |count: &Count| Side {
            in_flight: u64::try_from(count.in_flight.load(Ordering::Relaxed)).unwrap_or(0),
            answered: get(&count.answered),
            refused: ErrorCode::ALL
                .iter()
                .zip(&count.refused)
                .map(|(code, refused)| (code.name(Spelling::Snake), get(refused)))
                .filter(|(_, refused)| *refused > 0)
                .collect(),
            duration: Histogram {
                classes: count.classes.each_ref().map(get),
                sum: get(&count.sum),
            },
            request_bytes: get(&count.request_bytes),
            response_bytes: get(&count.response_bytes),
        };
        Figures {
            consumer: side(&self.consumer),
            provider: side(&self.provider),
            links_opened: get(&self.links_opened),
            connections: get(&self.connections),
            answers_not_logged: get(&self.answers_not_logged),
            subjects_unreadable: get(&self.subjects_unreadable),
            operations_dropped: get(&self.operations_dropped),
            memory,
            spilled,
        }
    }
}
