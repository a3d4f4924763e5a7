//! `hotcut backup`: copies the ledger to one file, whether the daemon runs or not. Must not change the ledger.

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use super::CommandError;
use crate::fs::path_error::AtPath as _;
use crate::ledger::{LedgerError, Overwrite, SqliteLedger};
use crate::percent;

/// Copies the ledger to `file`. Fails when the file exists, unless `replace` is true.
pub fn run(config_file: &Path, file: &Path, replace: bool) -> Result<ExitCode, CommandError> {
    let config = super::read_leniently(config_file)?;
    let state_dir = &config.daemon.state_dir;
    let file = std::path::absolute(file)?;
    let Some(mut ledger) = SqliteLedger::open_existing(state_dir)? else {
        return Err(CommandError::NoLedger(state_dir.clone()));
    };
    let folder = file.parent().unwrap_or(Path::new("/"));
    // The file may be the ledger itself.
    if folder.canonicalize().at(folder)? == state_dir.canonicalize().at(state_dir)? {
        return Err(CommandError::BackupInState(state_dir.clone()));
    }
    let overwrite = if replace {
        Overwrite::Always
    } else {
        Overwrite::Never
    };
    let bytes = match ledger.back_up(&file, overwrite) {
        Err(LedgerError::Exists(file)) => return Err(CommandError::BackupExists(file)),
        copied => copied?,
    };
    writeln!(
        stdout(),
        "the ledger is copied to {} ({} MB)",
        percent::display(&file),
        bytes.div_ceil(1_000_000)
    )?;
    Ok(ExitCode::SUCCESS)
}
