//! Legacy files and Vietnamese values, read as they are and written one way.
