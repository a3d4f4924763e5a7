//! Tests ledgers that are whole, missing, restored, damaged or of another kind.
#![expect(
    clippy::disallowed_methods,
    reason = "tests make files that no ledger made"
)]

use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, chown};

use super::super::backup::{Overwrite, back_up};
use super::super::open::{OpenStep, open_file};
use super::*;
use crate::ledger::conformance::{begin, version};
use crate::ledger::{RebuildExtent, lock_state_dir};

fn filled(dir: &Path) {
    let mut ledger = SqliteLedger::open(dir).unwrap();
    for number in 0..200 {
        begin(&mut ledger, &version(&format!("{number}.jpg"), 1));
    }
}

fn found(dir: &Path) -> LedgerFound {
    open_whole(dir, &mut |_| ()).unwrap().1
}

/// Opens the ledger and completes a rebuild from empty output folders.
fn learned(dir: &Path) -> (Box<dyn LedgerStore>, LedgerFound) {
    let (mut ledger, found) = open_whole(dir, &mut |_| ()).unwrap();
    ledger.begin_relearning().unwrap();
    ledger.end_relearning(RebuildExtent::Whole).unwrap();
    (ledger, found)
}

/// P2: fails when a ledger counts as whole before the cutouts in the output folders are read, for example after a crash during
/// that, or when they are read again and again.
#[test]
fn a_ledger_is_missing_until_the_cutouts_are_learned() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(found(dir.path()), LedgerFound::Missing);
    assert_eq!(learned(dir.path()).1, LedgerFound::Missing);
    assert_eq!(found(dir.path()), LedgerFound::Whole);
}

/// P2: tests a copy of `ledger.db` without its `-wal`, and what a crash leaves of a file being created. Fails when one of these
/// counts as a ledger, so that the cutouts are not read.
#[test]
fn a_ledger_without_tables_is_a_missing_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    std::fs::write(&path, "").unwrap();
    assert_eq!(found(dir.path()), LedgerFound::Missing);
    std::fs::remove_file(&path).unwrap();
    let empty = rusqlite::Connection::open(&path).unwrap();
    empty.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(empty);
    assert_eq!(path.metadata().unwrap().len(), 4_096);
    assert_eq!(found(dir.path()), LedgerFound::Missing);
}

/// P2: fails when foreign or incomplete tables stop the daemon for ever or are deleted.
#[test]
fn half_a_ledger_is_set_aside() {
    let breaks = [
        "DROP TABLE versions",
        "DROP TABLE identity",
        "DELETE FROM identity",
        "PRAGMA user_version = 0",
    ];
    for broken in breaks {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        let path = dir.path().join("ledger.db");
        let ledger = rusqlite::Connection::open(&path).unwrap();
        ledger.execute_batch(broken).unwrap();
        drop(ledger);
        let LedgerFound::Damaged(aside) = found(dir.path()) else {
            panic!("{broken}: damaged")
        };
        assert!(aside.metadata().unwrap().len() > 4_096, "{broken}");
        assert_eq!(found(dir.path()), LedgerFound::Missing, "{broken}");
    }
}

/// P2: fails when a part of a closed ledger lies outside its file, so that a copy of the file is incomplete.
#[test]
fn a_closed_ledger_is_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, _) = learned(dir.path());
    begin(&mut *ledger, &version("a.jpg", 1));
    ledger.close().unwrap();
    let names: Vec<_> = dir.path().read_dir().unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("ledger.db"), copy.path().join("ledger.db")).unwrap();
    let (mut ledger, found) = open_whole(copy.path(), &mut |_| ()).unwrap();
    assert_eq!(found, LedgerFound::Whole);
    assert_eq!(ledger.counts("products").unwrap().waiting, 1);
}

/// P6: a million rows are half a gigabyte. Fails when a closed ledger is read completely, or when a ledger that was left in use is
/// not.
#[test]
fn only_a_ledger_that_was_not_closed_is_read_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let mut steps = Vec::new();
        let (mut ledger, _) = open_whole(dir.path(), &mut |step| steps.push(step)).unwrap();
        ledger.begin_relearning().unwrap();
        ledger.end_relearning(RebuildExtent::Whole).unwrap();
        let is_checked = steps.iter().any(|step| matches!(step, OpenStep::Check(_)));
        (ledger, is_checked)
    };
    drop(open());
    let (ledger, is_checked) = open();
    assert!(is_checked, "as after SIGKILL");
    ledger.close().unwrap();
    let (_, is_checked) = open();
    assert!(!is_checked, "it was closed");
}

/// P2: fails when a restored ledger is mixed with the `-wal` of the ledger that it replaces, or when that `-wal` is deleted.
#[test]
fn the_wal_of_another_ledger_is_set_aside() {
    for is_backup in [false, true] {
        let (state, store) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, kept) = (state.path().join("ledger.db"), store.path().join("kept.db"));
        let (mut ledger, _) = learned(state.path());
        begin(&mut *ledger, &version("a.jpg", 1));
        let id = ledger.id().to_owned();
        if is_backup {
            back_up(state.path(), &kept, Overwrite::Never).unwrap();
        } else {
            ledger.close().unwrap();
            std::fs::copy(&path, &kept).unwrap();
            (ledger, _) = open_whole(state.path(), &mut |_| ()).unwrap();
        }
        for number in 0..50 {
            begin(&mut *ledger, &version(&format!("later-{number}.jpg"), 1));
        }
        // The state after SIGKILL: dropping a connection would write the `-wal` back.
        let wal = std::fs::read(beside(&path, "-wal")).unwrap();
        drop(ledger);
        std::fs::copy(&kept, &path).unwrap();
        std::fs::write(beside(&path, "-wal"), &wal).unwrap();
        let mut aside = None;
        let (mut ledger, found) = open_whole(state.path(), &mut |step| {
            if let OpenStep::StaleWal(path) = step {
                aside = Some(path);
            }
        })
        .unwrap();
        assert_eq!(std::fs::read(aside.expect("set aside")).unwrap(), wal);
        assert_eq!(ledger.counts("products").unwrap().waiting, 1);
        let expected = if is_backup {
            LedgerFound::Restored
        } else {
            LedgerFound::Whole
        };
        assert_eq!(found, expected);
        assert_eq!(
            ledger.id() == id,
            !is_backup,
            "a new life has new temporary files"
        );
    }
}

/// P2: fails when the `-wal` of a ledger that was killed is not used.
#[test]
fn the_wal_of_a_killed_ledger_is_used() {
    let (state, dead) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut ledger, _) = learned(state.path());
    begin(&mut *ledger, &version("a.jpg", 1));
    for ending in ["", "-wal"] {
        let name = format!("ledger.db{ending}");
        std::fs::copy(state.path().join(&name), dead.path().join(&name)).unwrap();
    }
    let (mut ledger, found) = open_whole(dead.path(), &mut |_| ()).unwrap();
    assert_eq!(found, LedgerFound::Whole);
    assert_eq!(ledger.counts("products").unwrap().waiting, 1);
}

/// P2: fails when a `-wal` whose ledger is gone is deleted, as `SQLite` would do.
#[test]
fn a_wal_without_its_ledger_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ledger.db-wal"), "what was done").unwrap();
    let mut steps = Vec::new();
    let (_, found) = open_whole(dir.path(), &mut |step| steps.push(step)).unwrap();
    assert_eq!(found, LedgerFound::Missing);
    let [OpenStep::StaleWal(aside)] = &steps[..] else {
        panic!("one step, not {steps:?}")
    };
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "what was done");
}

/// P6: fails when a long read makes the `-wal` grow for ever, or blocks writers.
#[test]
fn a_reader_only_delays_the_end_of_the_wal() {
    let dir = tempfile::tempdir().unwrap();
    let (mut ledger, _) = learned(dir.path());
    let wal_bytes = || {
        beside(&dir.path().join("ledger.db"), "-wal")
            .metadata()
            .unwrap()
            .len()
    };
    let reader = open_file(dir.path()).unwrap().unwrap();
    let view = reader.connection.unchecked_transaction().unwrap();
    view.query_row("SELECT count(*) FROM versions", [], |_| Ok(()))
        .unwrap();
    for number in 0..100 {
        begin(&mut *ledger, &version(&format!("{number}.jpg"), 1));
    }
    ledger.checkpoint().unwrap();
    assert!(wal_bytes() > 100_000, "{}", wal_bytes());
    drop(view);
    ledger.checkpoint().unwrap();
    assert_eq!(wal_bytes(), 0);
}

/// P2: fails when a ledger with a damaged page is used as if it were intact, or when it is deleted.
#[test]
fn a_damaged_ledger_is_set_aside_with_every_byte() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let path = dir.path().join("ledger.db");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    for page in 1..length / 4_096 {
        file.write_all_at(&[0xA5; 512], page * 4_096).unwrap();
    }
    let damaged = std::fs::read(&path).unwrap();
    let (mut ledger, how) = open_whole(dir.path(), &mut |_| ()).unwrap();
    let LedgerFound::Damaged(aside) = how else {
        panic!("damaged, not {how:?}")
    };
    assert_eq!(std::fs::read(aside).unwrap(), damaged);
    assert_eq!(ledger.counts("products").unwrap().waiting, 0);
    drop(ledger);
    assert_eq!(
        found(dir.path()),
        LedgerFound::Missing,
        "nothing is learned yet"
    );
}

/// P2: fails when a file of another kind under the ledger's name stops the daemon for ever.
#[test]
fn a_file_that_is_no_ledger_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let text = "this is a letter, not a ledger; ".repeat(40);
    let mut options = std::fs::OpenOptions::new();
    let path = dir.path().join("ledger.db");
    let file = options.write(true).create_new(true).open(path).unwrap();
    file.write_all_at(text.as_bytes(), 0).unwrap();
    let (_, how) = open_whole(dir.path(), &mut |_| ()).unwrap();
    let LedgerFound::Damaged(aside) = how else {
        panic!("damaged, not {how:?}")
    };
    assert_eq!(std::fs::read_to_string(aside).unwrap(), text);
}

/// P2: fails when a command run by root, such as `sudo hotcut rebuild`, leaves files that the service cannot open.
#[test]
fn what_root_makes_belongs_to_whom_the_directory_belongs() {
    if !rustix::process::geteuid().is_root() {
        let line = b"\nSKIPPED what_root_makes_belongs_to_whom_the_directory_belongs: only root can give files away\n";
        std::io::stderr().write_all(line).unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    chown(dir.path(), Some(4_242), Some(4_243)).unwrap();
    let lock = lock_state_dir(dir.path()).unwrap();
    let (mut ledger, _) = open_whole(dir.path(), &mut |_| ()).unwrap();
    begin(&mut *ledger, &version("a.jpg", 1));
    let mut names = Vec::new();
    for entry in dir.path().read_dir().unwrap() {
        let entry = entry.unwrap();
        let file = entry.metadata().unwrap();
        assert_eq!((file.uid(), file.gid()), (4_242, 4_243), "{entry:?}");
        names.push(entry.file_name());
    }
    names.sort();
    assert_eq!(
        names,
        ["ledger.db", "ledger.db-shm", "ledger.db-wal", "lock"]
    );
    drop((ledger, lock));
}
