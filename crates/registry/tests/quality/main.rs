//! Rules that run, doubts that are answered, on real databases: what is found, what mends it, what crashes and time do to it.

mod attached;
mod contested;
mod doubted;
mod enterprises;
mod found;
mod kept;
mod own;
mod published;
mod roads;
mod sampled;
mod seen;
mod town;
