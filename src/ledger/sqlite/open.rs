//! Opens and closes a ledger. Does not check it for damage.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::Access;
use rustix::io::Errno;

use super::check::{check, check_tables};
use super::header::{HeaderMark, begin_use};
use super::schema;
use super::sqlite_ledger::SqliteLedger;
use crate::ledger::error::LedgerError;
use crate::ledger::state_dir::give;
use crate::ledger::store::LedgerStore;
use crate::percent;

/// How long to wait for another process: `status` and `retry` hold a lock only for moments.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How long other processes that have the ledger open may delay its closing.
pub(super) const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// A step of opening a ledger, for the log. Each may take long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenStep {
    /// A `-wal` of another ledger was renamed to this path.
    StaleWal(PathBuf),
    /// The whole ledger, of this many bytes, is read, because it was not closed.
    Check(u64),
    /// About this much of it is read, in percent.
    Checked(u8),
    /// A copy is made before the schema changes.
    Copy {
        /// The path of the copy.
        file: PathBuf,
        /// The current schema.
        schema: usize,
    },
    /// The schema is changed.
    Migrate {
        /// The current schema.
        from: usize,
        /// The new schema.
        to: usize,
    },
}

impl fmt::Display for OpenStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleWal(aside) => write!(
                f,
                "ledger.db-wal belongs to an earlier ledger.db; it is not used and lies at {} now",
                percent::display(aside)
            ),
            Self::Check(bytes) => write!(
                f,
                "the ledger was not closed when hotcut ended: it is checked ({} MB)",
                bytes.div_ceil(1_000_000)
            ),
            Self::Checked(percent) => write!(f, "the ledger is checked: about {percent} % done"),
            Self::Copy { file, schema } => write!(
                f,
                "the ledger has schema {schema}; before it is changed it is copied to {}",
                percent::display(file)
            ),
            Self::Migrate { from, to } => {
                write!(f, "the schema of the ledger is changed from {from} to {to}")
            }
        }
    }
}

impl SqliteLedger {
    /// Opens or makes the ledger in `state_dir`, and returns the mark that its header had.
    pub(crate) fn open_telling(
        state_dir: &Path,
        tell: &mut dyn FnMut(OpenStep),
    ) -> Result<(Self, HeaderMark), LedgerError> {
        let path = state_dir.join("ledger.db");
        // An empty file is an empty database. Files that `SQLite` puts beside it get the same owner.
        give(&path, state_dir);
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(LOCK_WAIT)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let steps = schema::version(&connection)?;
        if steps == 0 {
            schema::create(&mut connection)?;
        } else {
            check_tables(&connection, steps)?;
            if HeaderMark::of(&connection)?.is_unclean() {
                let bytes = path.metadata().map_or(0, |file| file.len());
                tell(OpenStep::Check(bytes));
                check(&mut connection, &mut |percent| {
                    tell(OpenStep::Checked(percent));
                })?;
            }
            schema::migrate(&mut connection, state_dir, tell)?;
        }
        let mark = HeaderMark::of(&connection)?;
        begin_use(&mut connection, LOCK_WAIT)?;
        Ok((Self::identified(connection)?, mark))
    }

    /// Makes a ledger in memory.
    pub(super) fn in_memory() -> Result<Self, LedgerError> {
        let mut connection = Connection::open_in_memory()?;
        schema::create(&mut connection)?;
        Self::identified(connection)
    }

    /// Opens or makes the ledger in `state_dir`.
    #[cfg(test)]
    pub(crate) fn open(state_dir: &Path) -> Result<Self, LedgerError> {
        Ok(Self::open_telling(state_dir, &mut |_| ())?.0)
    }
}

/// Makes a ledger in memory, for a single run.
pub fn in_memory() -> Result<Box<dyn LedgerStore>, LedgerError> {
    Ok(Box::new(SqliteLedger::in_memory()?))
}

/// Opens the ledger in `state_dir` beside a running daemon, to read it or to retry photos. `None` if there is none yet. Leaves its
/// schema unchanged.
pub fn open_existing(state_dir: &Path) -> Result<Option<Box<dyn LedgerStore>>, LedgerError> {
    let ledger = open_file(state_dir)?;
    Ok(ledger.map(|ledger| Box::new(ledger) as Box<dyn LedgerStore>))
}

/// As [`open_existing`], for what only `SQLite` has.
pub(super) fn open_file(state_dir: &Path) -> Result<Option<SqliteLedger>, LedgerError> {
    let path = state_dir.join("ledger.db");
    match rustix::fs::access(&path, Access::READ_OK | Access::WRITE_OK) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::ACCESS) => return Err(LedgerError::Closed(path)),
        // Any other error is reported by `SQLite`.
        Ok(()) | Err(_) => {}
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(LOCK_WAIT)?;
    match schema::version(&connection)? {
        0 => Ok(None),
        steps if steps < schema::NEWEST => Err(LedgerError::FromThePast { found: steps }),
        _ => SqliteLedger::identified(connection).map(Some),
    }
}
