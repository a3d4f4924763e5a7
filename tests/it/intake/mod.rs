//! Files in a hot folder -> which of them are processed, when, and in which order.

mod backlog;
mod delivers;
mod disguises;
mod edges;
mod emptied;
mod fairness;
mod litter;
mod rejects;
mod settles;
mod slow_writers;
mod visible;
