//! `hotcut backup`: copies the ledger to one file, whether the daemon runs or not. Must not change the ledger.

use std::io::{ErrorKind, Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use super::CommandError;
use crate::fs::path_error::AtPath as _;
use crate::ledger::{LedgerError, Overwrite, back_up};
use crate::percent;

/// Copies the ledger to `file`. Fails when the file exists, unless `replace` is true.
pub fn run(config_file: &Path, file: &Path, replace: bool) -> Result<ExitCode, CommandError> {
    let config = super::read_leniently(config_file)?;
    let state_dir = &config.daemon.state_dir;
    let file = std::path::absolute(file)?;
    let no_ledger = || CommandError::NoLedger(state_dir.clone());
    let real_state_dir = match state_dir.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_ledger()),
        found => found.at(state_dir)?,
    };
    let folder = file.parent().unwrap_or(Path::new("/"));
    // The file may be the ledger itself.
    if folder.canonicalize().at(folder)? == real_state_dir {
        return Err(CommandError::BackupInState(state_dir.clone()));
    }
    let overwrite = if replace {
        Overwrite::Always
    } else {
        Overwrite::Never
    };
    let bytes = match back_up(state_dir, &file, overwrite) {
        Err(LedgerError::Exists(file)) => return Err(CommandError::BackupExists(file)),
        copied => copied?.ok_or_else(no_ledger)?,
    };
    writeln!(
        stdout(),
        "the ledger is copied to {} ({} MB)",
        percent::display(&file),
        bytes.div_ceil(1_000_000)
    )?;
    Ok(ExitCode::SUCCESS)
}
