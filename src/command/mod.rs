//! One file a command: arguments -> what it prints and its exit code; knows no stage from inside.

mod account;
pub mod backup;
pub mod check;
mod config_file;
pub mod cut;
pub mod demo;
mod error;
pub mod init;
mod outlook;
pub mod pages;
pub mod rebuild;
pub mod redo;
pub mod retry;
pub mod run;
pub mod setup;
pub mod status;
pub mod unit;
mod unit_limits;
pub mod version;
pub mod why;
pub mod worker;

pub use error::CommandError;

use std::future::Future;
use std::path::Path;

use crate::config::Config;

/// Reads a configuration to look at a daemon that may run on with earlier settings; faults are told, not fatal.
fn read_leniently(file: &Path) -> Result<Config, CommandError> {
    let (config, faults) = Config::read(file)?;
    for fault in &faults {
        tracing::warn!(
            "{}: {fault}; a running hotcut keeps the settings it has",
            file.display()
        );
    }
    Ok(config)
}

/// Runs `work` on a single-threaded runtime, on this thread. What still hangs in a disk when it ends is left behind.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(result)
}
