//! A state directory -> a ledger that can be trusted; a damaged one is set aside, never deleted.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::LedgerError;
use super::book::{Book, now_ms};
use crate::path_error::AtPath as _;

/// How the ledger was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is whole.
    Whole,
    /// There was none, so this one knows nothing.
    Missing,
    /// It was damaged and now lies here; this one knows nothing.
    Damaged(PathBuf),
}

/// Opens the ledger in `state_dir` after looking it over. Takes a time that grows with its size.
pub fn open_whole(state_dir: &Path) -> Result<(Book, Found), LedgerError> {
    let path = state_dir.join("ledger.db");
    let is_missing = path.metadata().map_or(true, |file| file.len() == 0);
    match Book::open(state_dir).and_then(looked_over) {
        Ok(book) if is_missing => Ok((book, Found::Missing)),
        Ok(book) => Ok((book, Found::Whole)),
        Err(error) if is_damage(&error) => {
            let aside = set_aside(&path)?;
            Ok((Book::open(state_dir)?, Found::Damaged(aside)))
        }
        Err(error) => Err(error),
    }
}

fn looked_over(book: Book) -> Result<Book, LedgerError> {
    let verdict: String = book
        .connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        Ok(book)
    } else {
        Err(LedgerError::Damaged(verdict))
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
        | LedgerError::Gone => false,
    }
}

/// Renames the ledger with what belongs to it, so that `sqlite3` can still be asked what is left in it.
fn set_aside(path: &Path) -> Result<PathBuf, LedgerError> {
    let named = |ending: &str, extra: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        name.push(extra);
        PathBuf::from(name)
    };
    let mark = format!(".damaged-{}", now_ms());
    // The ledger itself last: as long as it has its name, a crash leads back here.
    for extra in ["-wal", "-shm", ""] {
        let (from, to) = (named("", extra), named(&mark, extra));
        if from.exists() {
            rustix::fs::rename(&from, &to).at(&from)?;
        }
    }
    Ok(named(&mark, ""))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _, chown};

    use super::super::lock_state_dir;
    use super::super::tests::{begin, version};
    use super::*;

    fn filled(dir: &Path) {
        let mut book = Book::open(dir).unwrap();
        for number in 0..200 {
            begin(&mut book, &version(&format!("{number}.jpg"), 1));
        }
    }

    #[test]
    fn a_new_ledger_and_a_whole_one_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(open_whole(dir.path()).unwrap().1, Found::Missing);
        assert_eq!(open_whole(dir.path()).unwrap().1, Found::Whole);
    }

    /// P2: fails when a ledger with a page of rubbish is used as if nothing were wrong, or when it is thrown away.
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
        let (mut book, found) = open_whole(dir.path()).unwrap();
        let Found::Damaged(aside) = found else {
            panic!("damaged, not {found:?}")
        };
        assert_eq!(std::fs::read(aside).unwrap(), damaged);
        assert_eq!(book.counts("products").unwrap().waiting, 0);
        drop(book);
        assert_eq!(open_whole(dir.path()).unwrap().1, Found::Whole);
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
        let (_, found) = open_whole(dir.path()).unwrap();
        let Found::Damaged(aside) = found else {
            panic!("damaged, not {found:?}")
        };
        assert_eq!(std::fs::read_to_string(aside).unwrap(), text);
    }

    /// P2: fails when what root does by hand, as `sudo hotcut rebuild`, leaves files that the service cannot open.
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
        let (mut book, _) = open_whole(dir.path()).unwrap();
        begin(&mut book, &version("a.jpg", 1));
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
        drop((book, lock));
    }
}
