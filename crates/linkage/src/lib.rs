//! Which records speak of the same person, found without a shared key and explained.
