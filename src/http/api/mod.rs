//! The API for programs: cutouts, batches, status, metrics.

pub(super) mod batch;
pub(super) mod cut;
pub(super) mod events;
pub(super) mod form;
pub(super) mod health;
pub(super) mod incoming;
pub(super) mod metrics;
pub(super) mod spool;
pub(super) mod status;
