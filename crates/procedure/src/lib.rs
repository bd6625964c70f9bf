//! The catalogue: procedure packages, forms, processes, fees, search, import.

pub mod catalogue;
pub mod check;
pub mod decision;
pub mod feel;
pub mod form;
pub mod package;
pub mod process;
pub mod reference;
pub mod shelf;
pub mod writes;
