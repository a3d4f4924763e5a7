//! An `SQLite` file -> one of the present schema; knows no query.

use rusqlite::Connection;

use super::LedgerError;

/// One step for each version of the schema; a step that has been released is never edited.
const STEPS: &[&str] = &[FIRST, EXPLAINED, STORY, PAGES, REDO, DISKS, NUMBERS, FILES];

const FIRST: &str = "
    CREATE TABLE identity (id TEXT NOT NULL);
    INSERT INTO identity VALUES (lower(hex(randomblob(4))));

    -- Which source owns which name in an output folder, for ever.
    CREATE TABLE names (
        output BLOB NOT NULL,
        folded BLOB NOT NULL,
        folder TEXT NOT NULL,
        source BLOB NOT NULL,
        name BLOB NOT NULL,
        PRIMARY KEY (output, folded),
        UNIQUE (output, folder, source)
    ) WITHOUT ROWID;

    -- Every version of every source that was ever begun.
    CREATE TABLE versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        folder TEXT NOT NULL,
        source BLOB NOT NULL,
        len INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        ino INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN
            ('running', 'waiting', 'placed', 'done', 'quarantined', 'ignored', 'superseded')),
        attempts INTEGER NOT NULL DEFAULT 0,
        interruptions INTEGER NOT NULL DEFAULT 0,
        output BLOB NOT NULL,
        sha256 BLOB,
        model TEXT NOT NULL,
        reason TEXT,
        begun_at_ms INTEGER NOT NULL,
        ended_at_ms INTEGER,
        UNIQUE (folder, source, len, mtime_ns, ino)
    );
    CREATE INDEX versions_by_state ON versions (folder, state, ended_at_ms);

    -- The mount point that each configured folder had when it was first used.
    CREATE TABLE mounts (path BLOB PRIMARY KEY, mount_point BLOB NOT NULL) WITHOUT ROWID;
";

/// Whether a quarantined source has its note, or has been moved, as its folder says.
const EXPLAINED: &str = "
    ALTER TABLE versions ADD COLUMN is_explained INTEGER NOT NULL DEFAULT 1;
    CREATE INDEX versions_unexplained ON versions (folder) WHERE NOT is_explained;
";

/// What `hotcut why` tells: when a version came, and each attempt that came to nothing. And which version of a source had its
/// turn last: clocks jump.
const STORY: &str = "
    ALTER TABLE versions ADD COLUMN seen_at_ms INTEGER;
    ALTER TABLE versions ADD COLUMN settled_at_ms INTEGER;
    ALTER TABLE versions ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE failures (
        id INTEGER PRIMARY KEY,
        version INTEGER NOT NULL,
        begun_at_ms INTEGER NOT NULL,
        ended_at_ms INTEGER NOT NULL,
        is_counted INTEGER NOT NULL,
        reason TEXT NOT NULL
    );
    CREATE INDEX failures_of_version ON failures (version);
";

/// Pages of photos, the newest first: each index ends with the row's id.
const PAGES: &str = "
    CREATE INDEX versions_of_folder ON versions (folder);
    CREATE INDEX versions_of_state ON versions (state);
    CREATE INDEX versions_of_folder_and_state ON versions (folder, state);
";

/// Versions that are done and are to be cut out again.
const REDO: &str = "ALTER TABLE versions ADD COLUMN is_redo INTEGER NOT NULL DEFAULT 0";

/// Earlier versions took what a unit of systemd makes writable for a disk, which is missed for ever once the unit changes. What is
/// mounted there is learned anew at the next start; a disk that some folder merely lies on stays known.
const DISKS: &str = "
    DELETE FROM mounts WHERE mount_point = path OR mount_point IN (SELECT path FROM mounts)
        OR mount_point IN (CAST('/srv/hot' AS BLOB), CAST('/srv/cutouts' AS BLOB));
";

/// A source owns a name for each photo that came under its own: a camera starts to count anew, and `front.jpg` comes every day.
/// The name with the highest turn was reserved last.
const NUMBERS: &str = "
    CREATE TABLE owned_names (
        output BLOB NOT NULL,
        folded BLOB NOT NULL,
        folder TEXT NOT NULL,
        source BLOB NOT NULL,
        name BLOB NOT NULL,
        turn INTEGER NOT NULL DEFAULT 1,
        PRIMARY KEY (output, folded)
    ) WITHOUT ROWID;
    INSERT INTO owned_names SELECT output, folded, folder, source, name, 1 FROM names;
    DROP TABLE names;
    ALTER TABLE owned_names RENAME TO names;
    CREATE INDEX names_of_source ON names (output, folder, source, turn);
";

/// Finds a photo that was renamed: its file is the same.
const FILES: &str = "CREATE INDEX versions_of_file ON versions (ino, mtime_ns)";

/// Brings the schema up to date in one transaction a step.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let found = version(connection)?;
    for (step, version) in STEPS.iter().zip(1_u32..).skip(found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Tells whether nothing is left for [`migrate`].
pub(super) fn is_current(connection: &Connection) -> Result<bool, LedgerError> {
    Ok(version(connection)? == STEPS.len())
}

/// The number of steps that were taken.
fn version(connection: &Connection) -> Result<usize, LedgerError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let steps = found as usize;
    if steps > STEPS.len() {
        return Err(LedgerError::FromTheFuture { found });
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sha2::{Digest as _, Sha256};

    use super::super::tests::{begin, version};
    use super::super::{Book, Counts, open_whole};
    use super::*;
    use crate::config::OnSameName;
    use crate::hex;

    /// Of each step as it was released.
    const RELEASED: &[&str] = &[
        "571706eb3d6874c656dda1229e672a8f86cf5859d4ad038b469d3f06a55c628b",
        "a08a0df71b9ba5b269e25f123c68704429ff7e9aaf871931faeb958129efbb14",
        "7f7f1092b194c0f495aae9d83dd268712747a8e713390dcab618aac29d10e027",
        "8b7780456714cc6f623416ac10a3ab117f284f1106d610f52743492bb0f6d84c",
        "38a7227906dbe17252c94df11a708245e9366953851f662ddfe0fc1debe922bc",
        "33204ab201388875e8bf5f08642d55db7494dd742cef76a2dfc7770eec129921",
        "2bf3dd1b88a16fe6ef45e3b32a8937f81396b81f47f43c98c9970184ab4235b8",
        "0088f847085c6a1d8676fcfe873593b4a2a3d093b71cf716ba26f35f031e747e",
    ];

    /// P2: fails when a step that ledgers out there have taken is edited: they would lack what new ones have.
    #[test]
    fn no_released_step_is_edited() {
        let now: Vec<String> = STEPS
            .iter()
            .map(|step| hex::encode(&Sha256::digest(step)))
            .collect();
        assert_eq!(
            now, RELEASED,
            "a new step is added to both lists, and none is ever changed"
        );
    }

    /// P2: fails when a ledger of a later version is used or set aside as damaged by this one.
    #[test]
    fn the_ledger_of_a_later_version_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        begin(&mut Book::open(dir.path()).unwrap(), &version("a.jpg", 1));
        let later = u32::try_from(STEPS.len()).unwrap() + 1;
        let ledger = Connection::open(&path).unwrap();
        ledger.pragma_update(None, "user_version", later).unwrap();
        drop(ledger);
        let before = std::fs::read(&path).unwrap();
        for opened in [
            Book::open(dir.path()).map(drop),
            Book::open_existing(dir.path()).map(drop),
            open_whole(dir.path()).map(drop),
        ] {
            let error = opened.unwrap_err();
            assert!(
                matches!(error, LedgerError::FromTheFuture { found } if found == later),
                "{error}"
            );
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
        let left: Vec<_> = dir.path().read_dir().unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    /// P1, P2: fails when an upgrade loses or forgets what an earlier hotcut has recorded.
    #[test]
    fn the_ledger_of_every_earlier_version_is_taken_over() {
        for (steps, version_number) in (1..=STEPS.len()).zip(1_u32..) {
            let dir = tempfile::tempdir().unwrap();
            let ledger = Connection::open(dir.path().join("ledger.db")).unwrap();
            for step in STEPS.iter().take(steps) {
                ledger.execute_batch(step).unwrap();
            }
            ledger
                .pragma_update(None, "user_version", version_number)
                .unwrap();
            ledger
                .execute_batch(
                    "INSERT INTO names (output, folded, folder, source, name) VALUES (CAST('/out' AS BLOB), CAST('a.png' AS BLOB), 'products',
                        CAST('a.jpg' AS BLOB), CAST('a.png' AS BLOB));
                    INSERT INTO mounts VALUES (CAST('/in' AS BLOB), CAST('/in' AS BLOB)),
                        (CAST('/disk/in' AS BLOB), CAST('/disk' AS BLOB));
                    INSERT INTO versions (folder, source, len, mtime_ns, ino, state, attempts, output, model, begun_at_ms)
                    VALUES ('products', CAST('a.jpg' AS BLOB), 10, 1, -1048577, 'done', 1, CAST('/out/a.png' AS BLOB), 'u2net', 5),
                        ('products', CAST('b.jpg' AS BLOB), 10, 1, -1048577, 'quarantined', 3, CAST('/out/b.png' AS BLOB), 'u2net', 6),
                        ('products', CAST('c.jpg' AS BLOB), 10, 1, -1048577, 'running', 1, CAST('/out/c.png' AS BLOB), 'u2net', 7);",
                )
                .unwrap();
            drop(ledger);
            let mut book = Book::open(dir.path()).unwrap();
            let left = book.recover().unwrap();
            assert_eq!(left.len(), 1, "{steps}");
            let Counts {
                done, quarantined, ..
            } = book.counts("products").unwrap();
            assert_eq!((done, quarantined), (1, 1), "{steps}");
            let versions = ["a.jpg", "b.jpg", "c.jpg"].map(|source| version(source, 1));
            assert_eq!(
                book.unfinished(&versions, OnSameName::Replace).unwrap(),
                [false, false, true]
            );
            let name = book.name_of("products", Path::new("a.jpg"), Path::new("/out"));
            assert_eq!(name.unwrap().as_deref(), Some(Path::new("a.png")));
            let mount = book.mount_of(Path::new("/in")).unwrap();
            let is_a_disk = steps > 5;
            assert_eq!(mount.is_some(), is_a_disk, "{steps}");
            let disk = book.mount_of(Path::new("/disk/in")).unwrap();
            assert_eq!(disk.as_deref(), Some(Path::new("/disk")), "{steps}");
            assert_eq!(begin(&mut book, &versions[2]).attempt, 1, "not its fault");
        }
    }
}
