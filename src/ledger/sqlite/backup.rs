//! Copies a ledger, in use or not, to one file that is complete or absent. Must not change the ledger.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::check::check;
use super::header::{HeaderMark, RETRY_INTERVAL, pause};
use super::leftovers;
use super::open::open_file;
use crate::fs::path_error::AtPath as _;
use crate::ledger::error::LedgerError;

/// The number of pages copied in one step.
const STEP_PAGES: i32 = 2_048;

/// A copy that was not written to for this long has been abandoned. With one backup a night, each removes what the previous one
/// left.
pub(crate) const LEFT_AFTER: Duration = Duration::from_hours(12);

/// What to do with an existing file of the copy's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// Keep it and make no copy.
    Never,
    /// Replace it once the copy is complete.
    Always,
}

/// Copies the ledger in `state_dir` to `file` and returns the copy's size in bytes; `None` if there is no ledger. Does not block
/// writers of the ledger.
pub fn back_up(
    state_dir: &Path,
    file: &Path,
    overwrite: Overwrite,
) -> Result<Option<u64>, LedgerError> {
    let ledger = open_file(state_dir)?;
    ledger
        .map(|ledger| copy(&ledger.connection, file, overwrite))
        .transpose()
}

/// Copies the current state of the ledger.
pub(crate) fn copy(
    ledger: &Connection,
    file: &Path,
    overwrite: Overwrite,
) -> Result<u64, LedgerError> {
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    if overwrite == Overwrite::Never && file.symlink_metadata().is_ok() {
        return Err(LedgerError::Exists(file.to_owned()));
    }
    let (prefix, suffix) = leftovers::NAME;
    let temp = tempfile::Builder::new()
        .prefix(prefix)
        .suffix(suffix)
        .rand_bytes(leftovers::RANDOM_LEN)
        .tempfile_in(folder)
        .at(folder)?;
    // By the clock of that disk, which may be a file server's clock.
    let now = temp.as_file().metadata().and_then(|temp| temp.modified());
    let until = now.at(temp.path())?.checked_sub(LEFT_AFTER);
    // A failed removal is no error of this copy.
    drop(until.map(|until| leftovers::sweep(folder, Some(until))));
    fill(ledger, temp.path())?;
    let copied = temp.as_file();
    copied.sync_all().at(temp.path())?;
    let bytes = copied.metadata().at(temp.path())?.len();
    let placed = match overwrite {
        Overwrite::Never => temp.persist_noclobber(file),
        Overwrite::Always => temp.persist(file),
    };
    match placed {
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(LedgerError::Exists(file.to_owned()));
        }
        placed => drop(placed.map_err(|error| error.error).at(file)?),
    }
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .at(folder)?;
    Ok(bytes)
}

/// Fills the empty file at `path`. The caller must sync it.
fn fill(ledger: &Connection, path: &Path) -> Result<(), LedgerError> {
    let mut copy = Connection::open(path)?;
    copy.pragma_update(None, "synchronous", "OFF")?;
    // One read transaction for all pages; otherwise each change by another process would restart the copy.
    let view = ledger.unchecked_transaction()?;
    view.query_row("SELECT count(*) FROM identity", [], |_| Ok(()))?;
    let backup = Backup::new(&view, &mut copy)?;
    loop {
        match backup.step(STEP_PAGES)? {
            StepResult::Done => break,
            StepResult::More => {}
            StepResult::Busy | StepResult::Locked | _ => pause(RETRY_INTERVAL),
        }
    }
    drop(backup);
    drop(view);
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    HeaderMark::Copy.write(&copy)?;
    check(&mut copy, &mut |_| ())?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::damage::open_whole;
    use super::super::sqlite_ledger::SqliteLedger;
    use super::*;
    use crate::config::OnSameName;
    use crate::ledger::conformance::{begin, version};
    use crate::ledger::{AttemptResult, AttemptStore as _};

    /// P2: fails when a copy lacks a change that was confirmed before it, when it is not a complete ledger by itself, or when an
    /// existing file of that name is lost.
    #[test]
    fn a_copy_of_a_ledger_in_use_is_a_whole_ledger() {
        let (state, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut ledger = SqliteLedger::open(state.path()).unwrap();
        let photo = version("a.jpg", 1);
        let begun = begin(&mut ledger, &photo);
        ledger.end(begun.hold, &AttemptResult::Done).unwrap();
        let file = other.path().join("ledger.db");
        let bytes = back_up(state.path(), &file, Overwrite::Never).unwrap();
        let bytes = bytes.expect("there is a ledger");
        assert_eq!(file.metadata().unwrap().len(), bytes);
        let again = back_up(state.path(), &file, Overwrite::Never);
        assert!(matches!(again, Err(LedgerError::Exists(_))), "{again:?}");
        begin(&mut ledger, &version("b.jpg", 1));
        back_up(state.path(), &file, Overwrite::Always).unwrap();
        assert_eq!(other.path().read_dir().unwrap().count(), 1);
        let (mut copy, _) = open_whole(other.path(), &mut |_| ()).unwrap();
        assert_eq!(
            copy.unfinished(&[photo], OnSameName::Replace).unwrap(),
            [false]
        );
        let counts = copy.counts("products").unwrap();
        assert_eq!((counts.done, counts.waiting), (1, 1));
    }
}
