//! `hotcut rebuild`: restores a lost ledger from the cutouts in the output folders.

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use super::CommandError;
use crate::config::Config;
use crate::delivery::{Patience, rebuild};
use crate::ledger::{LedgerError, LedgerFound, RebuildExtent, lock_state_dir, open_whole};

/// Rebuilds while no daemon runs. Adds only what is missing to an intact ledger.
pub fn run(config_file: &Path) -> Result<ExitCode, CommandError> {
    let config = Config::load(config_file)?;
    let state_dir = &config.daemon.state_dir;
    let _lock = match lock_state_dir(state_dir) {
        Err(LedgerError::InUse(state_dir)) => return Err(CommandError::Running(state_dir)),
        lock => lock?,
    };
    let (mut ledger, found) = open_whole(state_dir, &mut |step| tracing::info!("{step}"))?;
    if let LedgerFound::Damaged(aside) = &found {
        tracing::warn!(
            "the ledger was damaged; hotcut moved it to {}",
            aside.display()
        );
    }
    let rebuilt = rebuild(
        &mut *ledger,
        &config.folders,
        RebuildExtent::Whole,
        Patience::LONG,
        &mut || (),
    )?;
    ledger.close()?;
    for error in &rebuilt.unreadable {
        tracing::error!("{error}; run `hotcut rebuild` again when it can be read");
    }
    if rebuilt.unclear > 0 {
        tracing::warn!(
            "{} cutouts may be of several hot folders that share an output folder; they are left alone",
            rebuilt.unclear
        );
    }
    writeln!(
        stdout(),
        "{} cutouts found, {} of them were not known",
        rebuilt.cutouts,
        rebuilt.names
    )?;
    Ok(ExitCode::from(u8::from(!rebuilt.unreadable.is_empty())))
}
