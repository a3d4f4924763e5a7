//! One file per command: converts arguments to output and an exit code. Must not depend on the inside of a stage.

pub mod backup;
pub mod check;
mod config_file;
pub mod cut;
pub mod demo;
mod error;
mod folder_preview;
pub mod init;
mod not_taken;
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
use std::time::Duration;

use crate::config::Config;
use crate::fs::disk;

/// Reads a configuration although a daemon may run with earlier settings. Logs faults as warnings.
fn read_leniently(file: &Path) -> Result<Config, CommandError> {
    let (config, faults) = Config::read(file)?;
    for fault in &faults {
        tracing::warn!(
            "{}; a running hotcut keeps the settings it has",
            fault.in_file(file)
        );
    }
    let state_dir = config.daemon.state_dir.clone();
    let look = disk::ask(&config.daemon.state_dir, move |_| {
        drop(state_dir.metadata());
    });
    look.answer()?;
    Ok(config)
}

/// How long to wait at the end for threads that close or remove files.
const CLOSING_MAX: Duration = Duration::from_secs(1);

/// Runs `work` on a single-threaded runtime on this thread. Abandons threads that still wait for a disk.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(CLOSING_MAX);
    Ok(result)
}
