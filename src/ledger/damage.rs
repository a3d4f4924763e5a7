//! A state directory -> a ledger that can be trusted; a damaged one is set aside, never deleted.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::LedgerError;
use super::header::{HeaderMark, beside, set_stale_wal_aside};
use super::open::OpenStep;
use super::sqlite_ledger::{SqliteLedger, now_ms};
use crate::fs::path_error::AtPath as _;

/// How the ledger was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerFound {
    /// It is whole.
    Whole,
    /// There was none, or one that had nothing in it yet. What lies in the output folders is to be learned.
    Missing,
    /// It is a copy that no hotcut has run on: a backup was restored. What was done after that is to be learned.
    Restored,
    /// It was damaged and now lies here; this one knows nothing.
    Damaged(PathBuf),
}

/// Opens or makes the ledger in `state_dir`. One that hotcut has stopped properly is opened at once; any other is read as a
/// whole first.
pub fn open_whole(
    state_dir: &Path,
    tell: &mut dyn FnMut(OpenStep),
) -> Result<(SqliteLedger, LedgerFound), LedgerError> {
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
            Ok((ledger, found))
        }
        Err(error) if is_damage(&error) => {
            let aside = set_aside(&path)?;
            let (ledger, _) = SqliteLedger::open_telling(state_dir, tell)?;
            Ok((ledger, LedgerFound::Damaged(aside)))
        }
        Err(error) => Err(error),
    }
}

fn is_damage(error: &LedgerError) -> bool {
    match error {
        LedgerError::Damaged(_) => true,
        LedgerError::Sql(error) => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
        LedgerError::Io(_)
        | LedgerError::InUse(_)
        | LedgerError::NotLocal { .. }
        | LedgerError::Closed(_)
        | LedgerError::FromTheFuture { .. }
        | LedgerError::FromThePast { .. }
        | LedgerError::NoRoomForCopy { .. }
        | LedgerError::Exists(_)
        | LedgerError::Foreign(_)
        | LedgerError::Gone => false,
    }
}

/// Renames the ledger with what belongs to it, so that `sqlite3` can still be asked what is left in it.
fn set_aside(path: &Path) -> Result<PathBuf, LedgerError> {
    let mark = format!(".damaged-{}", now_ms());
    // The ledger itself last: as long as it has its name, a crash leads back here.
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
