//! Stores what happened to each version of each source in `SQLite`. Every change is durable before its method returns.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, named_params, params};

use super::LedgerError;
use super::attempt_result::AttemptResult;
use super::outputs::{self, PlannedOutput};
use super::unexplained::Explaining;
use crate::config::OnSameName;
use crate::fs::stamp::Stamp;

/// The ledger itself, on the thread that owns it.
#[derive(Debug)]
pub struct SqliteLedger {
    pub(crate) connection: Connection,
    pub(crate) explaining: Explaining,
    id: String,
}

/// One version of one source.
#[derive(Clone, Debug)]
pub struct Version {
    /// The name of the hot folder.
    pub folder: String,
    /// The path below it.
    pub source: PathBuf,
    /// The stamp of the version.
    pub stamp: Stamp,
}

impl Version {
    /// The key of its row: folder, source, len, `mtime_ns`, ino.
    pub(crate) fn key(&self) -> (&str, &[u8], i64, i64, i64) {
        let stamp = &self.stamp;
        (
            &self.folder,
            bytes(&self.source),
            signed(stamp.len),
            stamp.mtime_ns,
            signed(stamp.ino),
        )
    }
}

/// When a version arrived. Times are milliseconds since the epoch, except the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it was first seen.
    pub seen_at_ms: i64,
    /// When it settled.
    pub settled_at_ms: i64,
    /// When its file was created, in nanoseconds since the epoch of its file system's clock, if known.
    pub born_ns: Option<i64>,
}

impl Arrival {
    /// Makes the arrival of a version that was first seen `seen` ago and settled `settled` ago.
    pub fn ago(seen: Duration, settled: Duration) -> Self {
        let before = |ago: Duration| {
            now_ms().saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))
        };
        Self {
            seen_at_ms: before(seen),
            settled_at_ms: before(settled),
            born_ns: None,
        }
    }
}

/// An attempt that may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The version's row.
    pub id: i64,
    /// The number of this attempt, from 1.
    pub attempt: u32,
}

impl SqliteLedger {
    /// Takes a connection to a ledger of the current schema.
    pub(crate) fn identified(connection: Connection) -> Result<Self, LedgerError> {
        let id = connection.query_row("SELECT id FROM identity", [], |row| row.get(0))?;
        Ok(Self {
            connection,
            explaining: Explaining::default(),
            id,
        })
    }

    /// Eight hexadecimal digits that distinguish this ledger's temporary files from those of others.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns for each version whether it still needs work. A running version does not: a job has it, perhaps for a folder that a
    /// reload has replaced. A done version that came back after a later version needs work if the later cutout has replaced its
    /// own, which depends on `on_same_name`.
    pub fn unfinished(
        &mut self,
        versions: &[Version],
        on_same_name: OnSameName,
    ) -> Result<Vec<bool>, LedgerError> {
        let replaces = on_same_name == OnSameName::Replace;
        let mut query = self.connection.prepare_cached(
            "SELECT id, state, EXISTS (SELECT 1 FROM versions AS later WHERE later.folder = ?1 AND later.source = ?2
                    AND later.turn > versions.turn AND later.state IN ('placed', 'done')
                    AND (?6 OR EXISTS (SELECT 1 FROM outputs AS mine JOIN outputs AS theirs USING (path)
                        WHERE mine.version = versions.id AND theirs.version = later.id)))
             FROM versions WHERE folder = ?1 AND source = ?2
             AND len = ?3 AND mtime_ns = ?4 AND ino = ?5",
        )?;
        let mut answers = Vec::with_capacity(versions.len());
        for version in versions {
            let (folder, source, len, mtime_ns, ino) = version.key();
            let row = query
                .query_row(
                    params![folder, source, len, mtime_ns, ino, replaces],
                    |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)),
                )
                .optional()?;
            answers.push(
                row.is_none_or(|(id, state, is_replaced)| match state.as_str() {
                    "done" => is_replaced,
                    "running" | "quarantined" | "ignored" => false,
                    _ => !self.explaining.is_under_way(id),
                }),
            );
        }
        Ok(answers)
    }

    /// Begins and counts an attempt that is to make `outputs`. Supersedes earlier versions of the source. `None`
    /// if a job for a folder that a reload has replaced is at work on this version.
    pub fn begin(
        &mut self,
        version: &Version,
        arrival: Arrival,
        model: &str,
        outputs: &[PlannedOutput],
    ) -> Result<Option<Begun>, LedgerError> {
        let transaction = self.connection.transaction()?;
        let begun = transaction
            .prepare_cached(
                "INSERT INTO versions
                    (folder, source, len, mtime_ns, ino, state, attempts, model, begun_at_ms, seen_at_ms,
                        settled_at_ms, born_ns, turn)
                 VALUES (:folder, :source, :len, :mtime, :ino, 'running', 1, :model, :now, :seen, :settled, :born,
                        (SELECT coalesce(max(turn), 0) + 1 FROM versions WHERE folder = :folder AND source = :source))
                 ON CONFLICT (folder, source, len, mtime_ns, ino) DO UPDATE SET
                    state = 'running', attempts = attempts + 1,
                    model = excluded.model, reason = NULL, sha256 = NULL, begun_at_ms = excluded.begun_at_ms,
                    born_ns = excluded.born_ns, turn = excluded.turn
                    WHERE state <> 'running'
                 RETURNING id, attempts",
            )?
            .query_row(
                named_params! {
                    ":folder": version.folder, ":source": bytes(&version.source),
                    ":len": signed(version.stamp.len), ":mtime": version.stamp.mtime_ns,
                    ":ino": signed(version.stamp.ino), ":model": model, ":now": now_ms(),
                    ":seen": arrival.seen_at_ms, ":settled": arrival.settled_at_ms,
                    ":born": arrival.born_ns,
                },
                |row| Ok(Begun { id: row.get(0)?, attempt: row.get(1)? }),
            )
            .optional()?;
        // A version that is being moved to `failed` must wait until that ends; the attempt is rolled back.
        let Some(begun) = begun.filter(|begun| !self.explaining.is_under_way(begun.id)) else {
            return Ok(None);
        };
        outputs::write(&transaction, begun.id, outputs)?;
        supersede_others(&transaction, version, begun.id)?;
        transaction.commit()?;
        Ok(Some(begun))
    }

    /// Records how the attempt `id` ended.
    pub fn end(&mut self, id: i64, result: &AttemptResult) -> Result<(), LedgerError> {
        Self::record_end(&self.connection, id, result)
    }

    pub(crate) fn record_end(
        connection: &Connection,
        id: i64,
        result: &AttemptResult,
    ) -> Result<(), LedgerError> {
        let (state, reason) = result.parts();
        let is_explained = !matches!(result, AttemptResult::Quarantined { .. });
        connection
            .prepare_cached(
                "UPDATE versions SET state = ?2, reason = ?3, attempts = attempts - ?4, ended_at_ms = ?5,
                    is_explained = ?6, is_redo = is_redo AND ?2 NOT IN ('done', 'placed') WHERE id = ?1",
            )?
            .execute(params![
                id,
                state,
                reason,
                !result.is_counted(),
                now_ms(),
                is_explained
            ])?;
        Ok(())
    }

    /// Notes in one step that the cutout of the attempt `id` is in place and that its source stays. With two steps, a crash in
    /// between would cause the source to be deleted.
    pub fn placed_for_good(&mut self, id: i64, sha256: &[u8; 32]) -> Result<(), LedgerError> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "UPDATE versions SET sha256 = ?2 WHERE id = ?1",
            params![id, sha256.as_slice()],
        )?;
        Self::record_end(&transaction, id, &AttemptResult::Done)?;
        Ok(transaction.commit()?)
    }

    /// Notes that the source of version `id` was moved or deleted. Its inode may be reused at once, so it no longer identifies the
    /// version.
    pub fn retire(&mut self, id: i64) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE versions SET ino = -id WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// Marks the records of a source that is gone, so that it is no longer reported.
    pub fn vanish(&mut self, folder: &str, source: &Path) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "UPDATE versions SET state = 'superseded', ended_at_ms = coalesce(ended_at_ms, begun_at_ms)
                 WHERE folder = ?1 AND source = ?2 AND state IN ('waiting', 'quarantined')",
            )?
            .execute(params![folder, bytes(source)])?;
        Ok(())
    }

    /// Returns a number that changes when another process has written to the ledger.
    pub fn foreign_changes(&mut self) -> Result<i64, LedgerError> {
        Ok(self
            .connection
            .query_row("PRAGMA data_version", [], |row| row.get(0))?)
    }
}

/// Supersedes the other unfinished versions of the source of `version`, whose row is `id`.
pub(crate) fn supersede_others(
    connection: &Connection,
    version: &Version,
    id: i64,
) -> Result<(), LedgerError> {
    connection
        .prepare_cached(
            "UPDATE versions SET state = 'superseded', ended_at_ms = coalesce(ended_at_ms, begun_at_ms)
             WHERE folder = ?1 AND source = ?2 AND id <> ?3 AND state NOT IN ('done', 'ignored')",
        )?
        .execute(params![version.folder, bytes(&version.source), id])?;
    Ok(())
}

pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

pub(crate) fn path(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// `SQLite` integers are signed; the bits are kept.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
