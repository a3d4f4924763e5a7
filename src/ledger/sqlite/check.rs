//! Checks that an open file is a ledger and that its pages are intact. Repairs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};

use crate::ledger::error::LedgerError;

/// The number of `SQLite` operations between two progress counts.
const OPERATIONS: i32 = 1_000;

/// The approximate number of progress counts per version, including its related rows: measured with a million photos.
const COUNTS_PER_VERSION: f64 = 0.08;

/// How often the progress of a check is reported.
const TELL_INTERVAL: Duration = Duration::from_secs(5);

/// Fails if the ledger's structure is damaged. Reads the whole ledger; calls `tell` with the progress in percent every few seconds.
pub(crate) fn check(
    connection: &mut Connection,
    tell: &mut dyn FnMut(u8),
) -> Result<(), LedgerError> {
    let versions = version_count(connection)?;
    let counted = Arc::new(AtomicU64::new(0));
    count_into(connection, &counted)?;
    let (ended, end) = channel::<()>();
    let answer = std::thread::scope(|scope| {
        let connection = &mut *connection;
        let check = scope.spawn(move || {
            // The receiver waits until this is dropped, at the end.
            let _ended = ended;
            quick_check(connection)
        });
        while end.recv_timeout(TELL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            tell(percent(counted.load(Ordering::Relaxed), versions));
        }
        check.join()
    });
    connection.progress_handler(OPERATIONS, None::<fn() -> bool>)?;
    match answer {
        Ok(answer) => answer,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn quick_check(connection: &Connection) -> Result<(), LedgerError> {
    let query = "PRAGMA quick_check(1)";
    let answer: String = connection.query_row(query, [], |row| row.get(0))?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(LedgerError::Damaged(answer))
    }
}

/// The approximate number of versions, without counting them.
fn version_count(connection: &Connection) -> Result<i64, LedgerError> {
    let query =
        "SELECT coalesce((SELECT max(id) FROM versions) - (SELECT min(id) FROM versions), 0)";
    Ok(connection.query_row(query, [], |row| row.get(0))?)
}

fn count_into(connection: &mut Connection, counted: &Arc<AtomicU64>) -> Result<(), LedgerError> {
    let total = Arc::clone(counted);
    let count = move || {
        total.fetch_add(1, Ordering::Relaxed);
        // Continue.
        false
    };
    Ok(connection.progress_handler(OPERATIONS, Some(count))?)
}

fn percent(counted: u64, versions: i64) -> u8 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate between 0 and 99"
    )]
    let percent = (100.0 * counted as f64 / (versions as f64 * COUNTS_PER_VERSION)).min(99.0) as u8;
    percent
}

/// Fails if a database with `steps` steps of the schema lacks a table, as the file of another program or half a copy does.
pub(crate) fn check_tables(connection: &Connection, steps: usize) -> Result<(), LedgerError> {
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
    use super::super::costs::long_ledger;
    use super::*;

    /// P10: fails when the reported progress of a long check is far from the truth.
    #[test]
    fn a_check_knows_about_how_far_it_is() {
        let mut ledger = long_ledger().connection;
        let counted = Arc::new(AtomicU64::new(0));
        count_into(&mut ledger, &counted).unwrap();
        quick_check(&ledger).unwrap();
        let counted = counted.load(Ordering::Relaxed);
        let versions = version_count(&ledger).unwrap();
        let half = percent(counted / 2, versions);
        assert!(
            (30..=70).contains(&half),
            "{half} % when half is done, with {counted} counts"
        );
        assert_eq!(percent(100 * counted, versions), 99);
    }
}
