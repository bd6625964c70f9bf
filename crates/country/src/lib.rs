//! An invented country that holds together, from one seed.
