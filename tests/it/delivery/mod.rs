//! Photos that are done -> names of outputs, originals, sidecars and records.

mod half_retired;
mod ledger_file;
mod names;
mod outputs;
mod renames;
pub(crate) mod same_name;
mod shares;
mod sidecars;
mod sources;
