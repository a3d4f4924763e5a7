//! An open ledger -> whether it is one, and whether its pages are what was written. Mends nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};

use super::LedgerError;

/// Operations of `SQLite` between two counts of how far a check is.
const OPERATIONS: i32 = 1_000;

/// Counts that the check of one page takes, about: measured with a million photos.
const COUNTS_PER_PAGE: f64 = 0.5;

/// How often it is told how far a check is.
const TELL_INTERVAL: Duration = Duration::from_secs(5);

/// Fails if the ledger's structure is damaged. Reads all of it; calls `tell` with the part that is done, in percent, every few
/// seconds.
pub(super) fn check(
    connection: &mut Connection,
    tell: &mut dyn FnMut(u8),
) -> Result<(), LedgerError> {
    check_telling(connection, TELL_INTERVAL, tell)
}

fn check_telling(
    connection: &mut Connection,
    interval: Duration,
    tell: &mut dyn FnMut(u8),
) -> Result<(), LedgerError> {
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let counted = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&counted);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        // Go on.
        false
    };
    connection.progress_handler(OPERATIONS, Some(count))?;
    let (ended, end) = channel::<()>();
    let verdict = std::thread::scope(|scope| {
        let connection = &mut *connection;
        let check = scope.spawn(move || {
            // Dropped at the end, which is what the other side waits for.
            let _ended = ended;
            let query = "PRAGMA quick_check(1)";
            connection.query_row(query, [], |row| row.get::<_, String>(0))
        });
        while end.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            tell(percent(counted.load(Ordering::Relaxed), pages));
        }
        check.join()
    });
    connection.progress_handler(OPERATIONS, None::<fn() -> bool>)?;
    match verdict {
        Ok(Ok(verdict)) if verdict == "ok" => Ok(()),
        Ok(Ok(verdict)) => Err(LedgerError::Damaged(verdict)),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn percent(counted: u64, pages: u32) -> u8 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate between 0 and 99"
    )]
    let percent = (100.0 * counted as f64 / (f64::from(pages) * COUNTS_PER_PAGE)).min(99.0) as u8;
    percent
}

/// Fails if what has `steps` steps of the schema lacks a table, as another program's file does, or half a copy.
pub(super) fn check_tables(connection: &Connection, steps: usize) -> Result<(), LedgerError> {
    let mut query =
        connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?;
    let tables = [
        ("identity", 1),
        ("names", 1),
        ("versions", 1),
        ("mounts", 1),
        ("failures", 3),
    ];
    for (table, since) in tables {
        if steps >= since && !query.exists([table])? {
            return Err(LedgerError::Damaged(format!("it has no table `{table}`")));
        }
    }
    let id: Option<String> = connection
        .query_row("SELECT id FROM identity", [], |row| row.get(0))
        .optional()?;
    match id {
        Some(_) => Ok(()),
        None => Err(LedgerError::Damaged("its table `identity` is empty".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Book;
    use super::super::tests::{begin, version};
    use super::*;

    /// P10: fails when a long check says nothing while it lasts, or more than is done.
    #[test]
    fn a_check_tells_how_far_it_is() {
        let mut book = Book::in_memory().unwrap();
        for number in 0..3_000 {
            begin(&mut book, &version(&format!("{number}.jpg"), 1));
        }
        let mut told = Vec::new();
        let interval = Duration::from_micros(200);
        check_telling(&mut book.connection, interval, &mut |percent| {
            told.push(percent)
        })
        .unwrap();
        assert!(!told.is_empty());
        assert!(told.is_sorted(), "{told:?}");
        assert!(told.iter().all(|percent| *percent <= 99), "{told:?}");
    }
}
