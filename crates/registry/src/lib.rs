//! Base registries: one truth per fact, asked once, clean and traceable.

pub mod keeper;
pub mod lookup;
