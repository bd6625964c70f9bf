//! Calendar and deadlines against a slow, obvious reference, and against dates that people can check.

mod calendar;
mod deadline;
mod reference;
mod vectors;
