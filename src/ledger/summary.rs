//! Reads what `status` shows and makes the changes of `retry`. Starts no attempt.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::sqlite_ledger::{SqliteLedger, bytes, now_ms, path};

/// The time over which the rate of photos is measured, in milliseconds.
const RATE_SPAN_MS: i64 = 60_000;

/// The numbers of photos of one folder in each state.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Versions that are done.
    pub done: u32,
    /// Versions whose attempt failed and that are tried again.
    pub waiting: u32,
    /// Versions that failed for good.
    pub quarantined: u32,
    /// When the last one was done, in milliseconds since the epoch.
    pub last_done_ms: Option<i64>,
    /// Photos done in the last minute.
    pub photos_per_minute: u32,
}

/// A source that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The path below the hot folder.
    pub source: PathBuf,
    /// The reason, for a person.
    pub reason: String,
    /// The number of workers that it was given to.
    pub attempts: u32,
    /// Whether hotcut has moved it to the `failed` folder.
    pub is_moved: bool,
}

impl SqliteLedger {
    /// Counts the records of `folder`.
    pub fn counts(&mut self, folder: &str) -> Result<Counts, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT
                (SELECT coalesce(sum(versions), 0) FROM counts WHERE folder = ?1 AND state IN ('placed', 'done')),
                (SELECT coalesce(sum(versions), 0) FROM counts WHERE folder = ?1 AND state IN ('waiting', 'running')),
                (SELECT coalesce(sum(versions), 0) FROM counts WHERE folder = ?1 AND state = 'quarantined'),
                max(coalesce((SELECT max(ended_at_ms) FROM versions WHERE folder = ?1 AND state = 'done'), -1),
                    coalesce((SELECT max(ended_at_ms) FROM versions WHERE folder = ?1 AND state = 'placed'), -1)),
                (SELECT count(*) FROM versions WHERE folder = ?1 AND state IN ('placed', 'done') AND ended_at_ms > ?2)",
        )?;
        let counts = query.query_row(params![folder, now_ms() - RATE_SPAN_MS], |row| {
            Ok(Counts {
                done: row.get(0)?,
                waiting: row.get(1)?,
                quarantined: row.get(2)?,
                last_done_ms: Some(row.get(3)?).filter(|ms| *ms >= 0),
                photos_per_minute: row.get(4)?,
            })
        });
        Ok(counts?)
    }

    /// Lists the sources of `folder` that failed for good, sorted by path.
    ///
    /// The query names its index; otherwise `SQLite` scans the whole folder to sort.
    pub fn quarantined(&mut self, folder: &str) -> Result<Vec<Quarantined>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT source, coalesce(reason, ''), attempts, ino = -id FROM versions INDEXED BY versions_of_folder_and_state
             WHERE folder = ?1 AND state = 'quarantined' ORDER BY source",
        )?;
        let rows = query.query_map([folder], quarantined)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Lists the `count` newest sources of `folder` that failed for good.
    pub fn newest_quarantined(
        &mut self,
        folder: &str,
        count: u32,
    ) -> Result<Vec<Quarantined>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT source, coalesce(reason, ''), attempts, ino = -id FROM versions INDEXED BY versions_of_folder_and_state
             WHERE folder = ?1 AND state = 'quarantined' ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = query.query_map(params![folder, count], quarantined)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the first `count` sources of `folder` after `last` that failed for good, sorted by path.
    pub fn quarantined_after(
        &mut self,
        folder: &str,
        last: &Path,
        count: usize,
    ) -> Result<Vec<PathBuf>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT DISTINCT source FROM versions INDEXED BY versions_of_folder_and_state
             WHERE folder = ?1 AND state = 'quarantined' AND source > ?2 ORDER BY source LIMIT ?3",
        )?;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = query.query_map(params![folder, bytes(last), count], |row| {
            Ok(path(row.get(0)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns one quarantined source to the queue with all its attempts. False if it is not quarantined, or was moved to the
    /// `failed` folder, so that it cannot be tried again.
    pub fn retry(&mut self, folder: &str, source: &Path) -> Result<bool, LedgerError> {
        let update =
            "UPDATE versions SET state = 'waiting', attempts = 0, interruptions = 0, reason = NULL
            WHERE folder = ?1 AND source = ?2 AND state = 'quarantined' AND ino <> -id RETURNING id";
        let row = self
            .connection
            .query_row(update, params![folder, bytes(source)], |row| {
                row.get::<_, i64>(0)
            });
        Ok(row.optional()?.is_some())
    }
}

fn quarantined(row: &Row<'_>) -> rusqlite::Result<Quarantined> {
    Ok(Quarantined {
        source: path(row.get(0)?),
        reason: row.get(1)?,
        attempts: row.get(2)?,
        is_moved: row.get(3)?,
    })
}
