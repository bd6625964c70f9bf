//! Rules that run, on real databases: what is found, what mends it, what crashes and time do to it.

mod found;
mod kept;
mod town;
