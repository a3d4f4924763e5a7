//! Reads the history of one source, version by version. Changes nothing.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::outputs;
use super::sqlite_ledger::{SqliteLedger, bytes, path};
use crate::fs::stamp::Stamp;

/// The history of one version of a source. Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionHistory {
    /// Its stamp. The inode is lost once the source was moved or deleted.
    pub stamp: Stamp,
    /// When it was first seen; `None` in ledgers of hotcut 0.1.
    pub seen_at_ms: Option<i64>,
    /// When it settled.
    pub settled_at_ms: Option<i64>,
    /// The failed attempts, in order.
    pub failures: Vec<FailedAttempt>,
    /// When the last attempt began.
    pub begun_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// The number of attempts that count.
    pub attempts: u32,
    /// Its state.
    pub state: PhotoState,
    /// The reason, if it is quarantined or ignored.
    pub reason: Option<String>,
    /// The paths of its outputs, placed or planned.
    pub outputs: Vec<PathBuf>,
    /// The model.
    pub model: String,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// When it began, in milliseconds since the epoch.
    pub begun_at_ms: i64,
    /// When it ended.
    pub ended_at_ms: i64,
    /// Whether it counts against the photo.
    pub is_counted: bool,
    /// The reason, for a person.
    pub reason: String,
}

/// The state of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoState {
    /// An attempt is running, or was when the daemon ended.
    Running,
    /// Another attempt follows.
    Waiting,
    /// Its cutout is in place; the source is not moved or deleted yet.
    Placed,
    /// The cutout is in place and the source is handled.
    Done,
    /// It failed for good.
    Quarantined,
    /// It is not a photo for hotcut, such as its own output.
    Ignored,
    /// It is gone, or another version has replaced it.
    Superseded,
}

impl PhotoState {
    /// The word for it in the ledger and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Placed => "placed",
            Self::Done => "done",
            Self::Quarantined => "quarantined",
            Self::Ignored => "ignored",
            Self::Superseded => "superseded",
        }
    }
}

impl SqliteLedger {
    /// Returns the history of each version of `source`, oldest first.
    pub fn history(
        &mut self,
        folder: &str,
        source: &Path,
    ) -> Result<Vec<VersionHistory>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, len, mtime_ns, ino, seen_at_ms, settled_at_ms, begun_at_ms, ended_at_ms, attempts, state, reason,
                model FROM versions WHERE folder = ?1 AND source = ?2 ORDER BY begun_at_ms, id",
        )?;
        let rows = query.query_map(params![folder, bytes(source)], |row| {
            let state: String = row.get(9)?;
            let version = VersionHistory {
                stamp: Stamp {
                    len: row.get::<_, i64>(1)?.cast_unsigned(),
                    mtime_ns: row.get(2)?,
                    ctime_ns: 0,
                    ino: row.get::<_, i64>(3)?.cast_unsigned(),
                },
                seen_at_ms: row.get(4)?,
                settled_at_ms: row.get(5)?,
                failures: Vec::new(),
                begun_at_ms: row.get(6)?,
                ended_at_ms: row.get(7)?,
                attempts: row.get(8)?,
                state: photo_state(&state),
                reason: row.get(10)?,
                outputs: Vec::new(),
                model: row.get(11)?,
            };
            Ok((row.get::<_, i64>(0)?, version))
        })?;
        let mut versions = Vec::new();
        for row in rows {
            let (id, mut version) = row?;
            version.failures = self.failures(id)?;
            version.outputs = outputs::paths(&self.connection, id)?;
            versions.push(version);
        }
        Ok(versions)
    }

    /// Returns the source of the file at `output`, placed or planned: its folder and its path below that.
    pub fn source_of(&mut self, output: &Path) -> Result<Option<(String, PathBuf)>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT folder, source FROM outputs JOIN versions ON versions.id = outputs.version
             WHERE path = ?1 ORDER BY begun_at_ms DESC LIMIT 1",
        )?;
        let row = query.query_row([bytes(output)], |row| Ok((row.get(0)?, path(row.get(1)?))));
        Ok(row.optional()?)
    }

    fn failures(&self, version: i64) -> Result<Vec<FailedAttempt>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT begun_at_ms, ended_at_ms, is_counted, reason FROM failures
             WHERE version = ?1 ORDER BY id",
        )?;
        let rows = query.query_map([version], |row| {
            Ok(FailedAttempt {
                begun_at_ms: row.get(0)?,
                ended_at_ms: row.get(1)?,
                is_counted: row.get(2)?,
                reason: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The schema allows no other words.
pub(crate) fn photo_state(state: &str) -> PhotoState {
    match state {
        "running" => PhotoState::Running,
        "placed" => PhotoState::Placed,
        "done" => PhotoState::Done,
        "quarantined" => PhotoState::Quarantined,
        "ignored" => PhotoState::Ignored,
        "superseded" => PhotoState::Superseded,
        _ => PhotoState::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ARRIVAL, begin, version};
    use super::super::{AttemptResult, SqliteLedger};
    use super::*;

    /// P10: fails when a failed attempt is missing, in another order, or with another end.
    #[test]
    fn a_history_tells_each_version_and_each_attempt_that_failed() {
        let mut ledger = SqliteLedger::in_memory().unwrap();
        let first = begin(&mut ledger, &version("a.jpg", 1));
        ledger
            .fail(first.id, &AttemptResult::Waiting, "crashed")
            .unwrap();
        let second = begin(&mut ledger, &version("a.jpg", 1));
        ledger
            .fail(second.id, &AttemptResult::Waiting, "crashed again")
            .unwrap();
        let corrected = begin(&mut ledger, &version("a.jpg", 2));
        ledger.end(corrected.id, &AttemptResult::Done).unwrap();
        let history = ledger.history("products", Path::new("a.jpg")).unwrap();
        let [old, new] = &history[..] else {
            panic!("two versions, not {history:?}")
        };
        assert_eq!(
            (old.state, new.state),
            (PhotoState::Superseded, PhotoState::Done)
        );
        assert_eq!(
            (new.seen_at_ms, new.settled_at_ms),
            (Some(ARRIVAL.seen_at_ms), Some(ARRIVAL.settled_at_ms))
        );
        let told: Vec<&str> = old
            .failures
            .iter()
            .map(|failed| failed.reason.as_str())
            .collect();
        assert_eq!(told, ["crashed", "crashed again"]);
        assert!(new.failures.is_empty());
        let source = ledger.source_of(Path::new("/out/a.png")).unwrap();
        assert_eq!(source, Some(("products".to_owned(), "a.jpg".into())));
    }

    /// P6: fails when a folder that is paused for weeks fills the ledger with its attempts.
    #[test]
    fn of_attempts_that_do_not_count_the_last_one_is_kept() {
        let mut ledger = SqliteLedger::in_memory().unwrap();
        let photo = version("a.jpg", 1);
        let counted = begin(&mut ledger, &photo);
        ledger
            .fail(counted.id, &AttemptResult::Waiting, "crashed")
            .unwrap();
        for turn in 0..5 {
            let begun = begin(&mut ledger, &photo);
            ledger
                .fail(begun.id, &AttemptResult::Refunded, &turn.to_string())
                .unwrap();
        }
        let history = ledger.history("products", Path::new("a.jpg")).unwrap();
        let [only] = &history[..] else {
            panic!("one version, not {history:?}")
        };
        let told: Vec<_> = only
            .failures
            .iter()
            .map(|failed| (failed.is_counted, failed.reason.as_str()))
            .collect();
        assert_eq!(told, [(true, "crashed"), (false, "4")]);
        assert_eq!(only.attempts, 1);
    }
}
