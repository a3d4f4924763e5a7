//! Brings an `SQLite` file to the current schema. Must not know a query.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::backup::{self, Overwrite};
use super::header::HeaderMark;
use super::leftovers;
use super::open::OpenStep;
use crate::fs::path_error::AtPath as _;
use crate::ledger::error::LedgerError;

/// The prefix of the copy made before a change of the schema; the number of the old schema follows.
const COPY_PREFIX: &str = "ledger.db.schema-";

/// The space that a change of the schema may need besides the copy, in bytes, and as much as the ledger itself: a step that drops a
/// column writes each row anew, into the `-wal` first. A ledger of 400 MiB took 290 MiB.
const STEP_BYTES: u64 = 64 << 20;

/// One step for each version of the schema. A released step must never be edited.
const STEPS: &[&str] = &[
    FIRST, EXPLAINED, HISTORY, PAGES, REDO, DISKS, NUMBERS, FILES, COUNTS, BIRTHS, OUTPUTS, CLAIMS,
];

/// The number of the current schema.
pub(crate) const NEWEST: usize = STEPS.len();

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

/// Whether a quarantined source has its note, or was moved, as configured.
const EXPLAINED: &str = "
    ALTER TABLE versions ADD COLUMN is_explained INTEGER NOT NULL DEFAULT 1;
    CREATE INDEX versions_unexplained ON versions (folder) WHERE NOT is_explained;
";

/// The data of `hotcut why`: when a version arrived, and each failed attempt. Also the order of the versions of a source, since
/// clocks jump.
const HISTORY: &str = "
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

/// Pages of photos, newest first: each index ends with the row's id.
const PAGES: &str = "
    CREATE INDEX versions_of_folder ON versions (folder);
    CREATE INDEX versions_of_state ON versions (state);
    CREATE INDEX versions_of_folder_and_state ON versions (folder, state);
";

/// Versions that are done and must be cut out again.
const REDO: &str = "ALTER TABLE versions ADD COLUMN is_redo INTEGER NOT NULL DEFAULT 0";

/// Earlier versions treated the writable paths of a systemd unit as disks, which would be required for ever after the unit changes.
/// Their mounts are recorded again at the next start; a disk that merely contains a folder stays recorded.
const DISKS: &str = "
    DELETE FROM mounts WHERE mount_point = path OR mount_point IN (SELECT path FROM mounts)
        OR mount_point IN (CAST('/srv/hot' AS BLOB), CAST('/srv/cutouts' AS BLOB));
";

/// A source owns a name for each photo that came under its path: cameras restart their numbering, and `front.jpg` comes every day.
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

/// Finds a renamed photo, which is still the same file.
const FILES: &str = "CREATE INDEX versions_of_file ON versions (ino, mtime_ns)";

/// The number of versions of each folder in each state: `status` must not count a million of them.
const COUNTS: &str = "
    CREATE TABLE counts (
        folder TEXT NOT NULL,
        state TEXT NOT NULL,
        versions INTEGER NOT NULL,
        PRIMARY KEY (folder, state)
    ) WITHOUT ROWID;
    INSERT INTO counts SELECT folder, state, count(*) FROM versions GROUP BY folder, state;
    CREATE TRIGGER version_inserted AFTER INSERT ON versions BEGIN
        INSERT INTO counts VALUES (new.folder, new.state, 1)
            ON CONFLICT (folder, state) DO UPDATE SET versions = versions + 1;
    END;
    CREATE TRIGGER version_deleted AFTER DELETE ON versions BEGIN
        UPDATE counts SET versions = versions - 1 WHERE folder = old.folder AND state = old.state;
    END;
    CREATE TRIGGER version_changed AFTER UPDATE OF folder, state ON versions
        WHEN old.folder <> new.folder OR old.state <> new.state
    BEGIN
        UPDATE counts SET versions = versions - 1 WHERE folder = old.folder AND state = old.state;
        INSERT INTO counts VALUES (new.folder, new.state, 1)
            ON CONFLICT (folder, state) DO UPDATE SET versions = versions + 1;
    END;
";

/// Distinguishes a photo that was written to from the next photo of its name with the same inode. Also finds the versions of one
/// source: `front.jpg` may have tens of thousands.
const BIRTHS: &str = "
    ALTER TABLE versions ADD COLUMN born_ns INTEGER;
    CREATE INDEX versions_of_source ON versions (folder, source, turn);
";

/// The outputs of each version: a folder may have several.
const OUTPUTS: &str = "
    CREATE TABLE outputs (
        version INTEGER NOT NULL,
        number INTEGER NOT NULL,
        path BLOB NOT NULL,
        spec TEXT NOT NULL,
        PRIMARY KEY (version, number)
    ) WITHOUT ROWID;
    INSERT INTO outputs SELECT id, 0, output, 'png' FROM versions;
    ALTER TABLE versions DROP COLUMN output;
    CREATE TRIGGER outputs_deleted AFTER DELETE ON versions BEGIN
        DELETE FROM outputs WHERE version = old.id;
    END;
";

/// Distinguishes the attempts at a version: only the last one may record its result.
const CLAIMS: &str = "ALTER TABLE versions ADD COLUMN claim INTEGER NOT NULL DEFAULT 0";

/// Makes the tables of a new ledger, all or none.
pub(crate) fn create(connection: &mut Connection) -> Result<(), LedgerError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    take_steps(&transaction, 0)?;
    HeaderMark::New.write(&transaction)?;
    Ok(transaction.commit()?)
}

/// Migrates the schema, after a copy of the ledger. All steps are one transaction. Otherwise, if a start ended between two steps,
/// the next start would replace the copy that the earlier hotcut can read by a copy with an intermediate schema.
pub(crate) fn migrate(
    connection: &mut Connection,
    state_dir: &Path,
    tell: &mut dyn FnMut(OpenStep),
) -> Result<(), LedgerError> {
    let (from, to) = (version(connection)?, NEWEST);
    if from == to {
        return Ok(());
    }
    keep_copy(connection, state_dir, from, tell)?;
    tell(OpenStep::Migrate { from, to });
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    take_steps(&transaction, from)?;
    Ok(transaction.commit()?)
}

fn take_steps(connection: &Connection, from: usize) -> Result<(), LedgerError> {
    for step in STEPS.iter().skip(from) {
        connection.execute_batch(step)?;
    }
    Ok(connection.pragma_update(None, "user_version", user_version(NEWEST))?)
}

/// `SQLite` integers are signed.
fn user_version(steps: usize) -> i64 {
    i64::try_from(steps).unwrap_or(i64::MAX)
}

/// Copies the ledger to `ledger.db.schema-N`, and removes the copies of earlier schemas.
fn keep_copy(
    connection: &Connection,
    state_dir: &Path,
    schema: usize,
    tell: &mut dyn FnMut(OpenStep),
) -> Result<(), LedgerError> {
    let name = format!("{COPY_PREFIX}{schema}");
    let file = state_dir.join(&name);
    // The caller holds the lock on the folder and no other process copies to it, so no earlier copy is still running.
    drop(leftovers::sweep(state_dir, None));
    let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let needed: i64 = connection.query_row(size, [], |row| row.get(0))?;
    let needed = needed.cast_unsigned().saturating_mul(2);
    let needed = needed.saturating_add(STEP_BYTES);
    let disk = rustix::fs::statvfs(state_dir).at(state_dir)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < needed {
        return Err(LedgerError::NoRoomForCopy { file, needed, free });
    }
    let told = file.clone();
    tell(OpenStep::Copy { file: told, schema });
    backup::copy(connection, &file, Overwrite::Always)?;
    let owner = state_dir.metadata().at(state_dir)?;
    if rustix::process::geteuid().is_root() {
        chown(&file, Some(owner.uid()), Some(owner.gid())).at(&file)?;
    }
    for entry in state_dir.read_dir().at(state_dir)? {
        let entry = entry.at(state_dir)?;
        let other = entry.file_name();
        if other.as_encoded_bytes().starts_with(COPY_PREFIX.as_bytes()) && *other != *name {
            std::fs::remove_file(entry.path()).at(&entry.path())?;
        }
    }
    Ok(())
}

/// Returns whether [`migrate`] has nothing to do.
pub(crate) fn is_current(connection: &Connection) -> Result<bool, LedgerError> {
    Ok(version(connection)? == NEWEST)
}

/// The number of steps taken; 0 if there is no table yet.
pub(crate) fn version(connection: &Connection) -> Result<usize, LedgerError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let steps = found as usize;
    if steps > NEWEST {
        return Err(LedgerError::FromTheFuture { found });
    }
    let has_tables = connection
        .prepare("SELECT 1 FROM sqlite_schema")?
        .exists([])?;
    match (steps, has_tables) {
        (0, true) => Err(LedgerError::Damaged(
            "its tables are not those of hotcut".to_owned(),
        )),
        // The file is truncated and has no content.
        (1.., false) => Err(LedgerError::Damaged("it has no tables".to_owned())),
        _ => Ok(steps),
    }
}

#[cfg(test)]
mod tests;
