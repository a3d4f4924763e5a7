//! Runs the conformance suite on a real `SQLite` file, and tests what only such a ledger has.

use tempfile::TempDir;

use super::open::open_existing;
use super::sqlite_ledger::SqliteLedger;
use crate::ledger::conformance::{ARRIVAL, Subject, plain, run_on, version};
use crate::ledger::{Ledger, LedgerError, LedgerStore};

/// A ledger in a folder of its own.
struct SqliteFile(TempDir);

impl SqliteFile {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Subject for SqliteFile {
    fn open(&mut self) -> Box<dyn LedgerStore> {
        Box::new(SqliteLedger::open(self.0.path()).unwrap())
    }
}

run_on!(SqliteFile::new());

#[test]
fn a_ledger_of_a_later_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(dir.path()).unwrap();
    ledger
        .connection
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(ledger);
    let refused = SqliteLedger::open(dir.path());
    assert!(matches!(
        refused,
        Err(LedgerError::FromTheFuture { found: 99 })
    ));
}

#[test]
fn a_file_that_is_no_ledger_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(&path).unwrap();
    let text = "this is a letter, not a ledger; ".repeat(40);
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    assert!(matches!(
        SqliteLedger::open(dir.path()),
        Err(LedgerError::Store { .. })
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

/// P8: fails when a confirmed change is lost after a crash.
#[tokio::test]
async fn what_a_call_has_answered_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::start(Box::new(SqliteLedger::open(dir.path()).unwrap())).unwrap();
    let photo = version("a.jpg", 1);
    let begun = ledger
        .call(move |ledger| ledger.begin(&photo, ARRIVAL, "u2net", &plain("/out/a.png")))
        .await
        .unwrap()
        .expect("nobody is at work on it");
    // A second connection, like that of a daemon that starts after a crash.
    let mut other = open_existing(dir.path()).unwrap().unwrap();
    let interrupted = other.recover().unwrap();
    assert_eq!(
        interrupted.first().map(|attempt| attempt.id),
        Some(begun.hold.id)
    );
}
