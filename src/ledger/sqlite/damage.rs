//! Opens a trustworthy ledger in a state directory. A damaged ledger is set aside, never deleted.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::header::{HeaderMark, beside, set_stale_wal_aside};
use super::open::OpenStep;
use super::sql_error::code;
use super::sqlite_ledger::SqliteLedger;
use crate::fs::path_error::AtPath as _;
use crate::ledger::attempts::now_ms;
use crate::ledger::error::LedgerError;
use crate::ledger::store::LedgerStore;

/// How the ledger was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerFound {
    /// It is whole.
    Whole,
    /// There was none, or an empty one. The cutouts in the output folders must be read into it.
    Missing,
    /// It is a restored backup that hotcut has not run on yet. Later results must be read from the output folders.
    Restored,
    /// It was damaged and is now at this path; the new ledger is empty.
    Damaged(PathBuf),
}

/// Opens or makes the ledger in `state_dir`. A properly closed ledger is opened at once; any other is read completely first.
pub fn open_whole(
    state_dir: &Path,
    tell: &mut dyn FnMut(OpenStep),
) -> Result<(Box<dyn LedgerStore>, LedgerFound), LedgerError> {
    let path = state_dir.join("ledger.db");
    if let Some(aside) = set_stale_wal_aside(&path)? {
        tell(OpenStep::StaleWal(aside));
    }
    match SqliteLedger::open_telling(state_dir, tell) {
        Ok((ledger, mark)) => {
            let found = match mark {
                HeaderMark::New => LedgerFound::Missing,
                HeaderMark::Copy => LedgerFound::Restored,
                HeaderMark::Unmarked | HeaderMark::InUse | HeaderMark::Closed => LedgerFound::Whole,
            };
            Ok((Box::new(ledger), found))
        }
        Err(error) if is_damage(&error) => {
            let aside = set_aside(&path)?;
            let (ledger, _) = SqliteLedger::open_telling(state_dir, tell)?;
            Ok((Box::new(ledger), LedgerFound::Damaged(aside)))
        }
        Err(error) => Err(error),
    }
}

fn is_damage(error: &LedgerError) -> bool {
    let codes = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase];
    matches!(error, LedgerError::Damaged(_))
        || code(error).is_some_and(|code| codes.contains(&code))
}

/// Renames the ledger and its `SQLite` files, so that `sqlite3` can still read the rest of its content.
fn set_aside(path: &Path) -> Result<PathBuf, LedgerError> {
    let mark = format!(".damaged-{}", now_ms());
    // The ledger itself comes last: while it has its name, the next start after a crash comes here again.
    for ending in ["-wal", "-shm", ""] {
        let (from, to) = (
            beside(path, ending),
            beside(path, &format!("{mark}{ending}")),
        );
        if from.exists() {
            rustix::fs::rename(&from, &to).at(&from)?;
        }
    }
    Ok(beside(path, &mark))
}

#[cfg(test)]
mod tests;
