//! Finds unfinished work: sources of placed cutouts that are not retired, and attempts that a crash interrupted. Begins no attempt.

use std::path::PathBuf;

use rusqlite::{OptionalExtension as _, Row, params};

use super::LedgerError;
use super::outputs;
use super::sqlite_ledger::{Begun, SqliteLedger, Version, now_ms, path};
use crate::fs::stamp::Stamp;

/// The number of daemon crashes during attempts at a photo that do not count against it; later crashes do.
const FORGIVEN_INTERRUPTIONS: u32 = 8;

/// A version whose cutout is in place and whose source must still be moved, deleted or kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unretired {
    /// Its row, with the number of the attempt that placed it.
    pub begun: Begun,
    /// Where its outputs were placed.
    pub outputs: Vec<PathBuf>,
    /// The SHA-256 of the source.
    pub sha256: [u8; 32],
}

/// A version whose source a crash may have left under its hidden name.
#[derive(Clone, Debug)]
pub struct HalfRetired {
    /// Its row.
    pub id: i64,
    /// The version.
    pub version: Version,
    /// Where its first output was placed; `None` if it is quarantined.
    pub output: Option<PathBuf>,
}

/// An output of an attempt that was running when hotcut was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// The name of its folder.
    pub folder: String,
    /// The row of its version.
    pub id: i64,
    /// Its position among the outputs of the version, from 0.
    pub number: u32,
    /// The planned path.
    pub output: PathBuf,
}

impl SqliteLedger {
    /// Notes that the cutout of the attempt `id` is in place. The attempt still handles the source; after a crash, only the source
    /// is left to do.
    pub fn placed(&mut self, id: i64, sha256: &[u8; 32]) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE versions SET sha256 = ?2 WHERE id = ?1")?
            .execute(params![id, sha256.as_slice()])?;
        Ok(())
    }

    /// Resumes a version whose cutout was placed and whose source was not retired. `None` if the version is not in that state.
    pub fn take_unretired(&mut self, version: &Version) -> Result<Option<Unretired>, LedgerError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE versions SET state = 'running' WHERE folder = ?1 AND source = ?2
                AND len = ?3 AND mtime_ns = ?4 AND ino = ?5 AND state = 'placed'
             RETURNING id, attempts, sha256",
        )?;
        let row = update.query_row(version.key(), |row| {
            let (id, attempt) = (row.get(0)?, row.get(1)?);
            Ok((Begun { id, attempt }, row.get(2)?))
        });
        let Some((begun, sha256)) = row.optional()? else {
            return Ok(None);
        };
        Ok(Some(Unretired {
            begun,
            outputs: outputs::paths(&self.connection, begun.id)?,
            sha256,
        }))
    }

    /// Returns the versions of `folder` whose source a crash may have left under its hidden name. Excludes versions that this
    /// process is moving now, for a folder that a reload has replaced.
    pub fn half_retired(&mut self, folder: &str) -> Result<Vec<HalfRetired>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, source, len, mtime_ns, ino, (SELECT path FROM outputs WHERE version = id AND number = 0)
                FROM versions WHERE folder = ?1 AND state = 'placed'
             UNION ALL SELECT id, source, len, mtime_ns, ino, NULL FROM versions
                WHERE folder = ?1 AND NOT is_explained AND state = 'quarantined'",
        )?;
        let rows = query.query_map([folder], |row| {
            Ok(HalfRetired {
                id: row.get(0)?,
                version: version_of(row, folder)?,
                output: row.get::<_, Option<_>>(5)?.map(path),
            })
        })?;
        let mut found = rows.collect::<Result<Vec<_>, _>>()?;
        found.retain(|half| !self.explaining.is_under_way(half.id));
        Ok(found)
    }

    /// At start-up: changes every running attempt to waiting, or to placed if only its source is left, and returns where they
    /// were writing.
    ///
    /// The daemon died, not a worker, so the attempt does not count. This has a limit, because a photo may be what kills the
    /// daemon.
    pub fn recover(&mut self) -> Result<Vec<Interrupted>, LedgerError> {
        let transaction = self.connection.transaction()?;
        let running = {
            let mut query = transaction
                .prepare(
                    "SELECT folder, id, number, path FROM versions JOIN outputs ON outputs.version = versions.id
                     WHERE state = 'running' ORDER BY id, number",
                )?;
            let rows = query.query_map([], |row| {
                Ok(Interrupted {
                    folder: row.get(0)?,
                    id: row.get(1)?,
                    number: row.get(2)?,
                    output: path(row.get(3)?),
                })
            })?;
            rows.collect::<Result<Vec<_>, _>>()?
        };
        transaction.execute(
            "INSERT INTO failures (version, begun_at_ms, ended_at_ms, is_counted, reason)
                SELECT id, begun_at_ms, ?1, interruptions >= ?2, 'hotcut itself was ended in the middle of it'
                FROM versions WHERE state = 'running' AND sha256 IS NULL",
            params![now_ms(), FORGIVEN_INTERRUPTIONS],
        )?;
        transaction.execute(
            "UPDATE versions SET state = iif(sha256 IS NULL, 'waiting', 'placed'),
                interruptions = interruptions + (sha256 IS NULL),
                attempts = attempts - (sha256 IS NULL AND interruptions < ?1) WHERE state = 'running'",
            [FORGIVEN_INTERRUPTIONS],
        )?;
        transaction.commit()?;
        Ok(running)
    }

    /// At a shutdown that did not wait: records every running attempt as one that does not count.
    pub fn refund_running(&mut self) -> Result<(), LedgerError> {
        self.connection.execute(
            "UPDATE versions SET state = iif(sha256 IS NULL, 'waiting', 'placed'),
                attempts = attempts - (sha256 IS NULL) WHERE state = 'running'",
            [],
        )?;
        Ok(())
    }
}

/// Reads the columns source, len, `mtime_ns` and ino, which follow the first one.
pub(crate) fn version_of(row: &Row<'_>, folder: &str) -> rusqlite::Result<Version> {
    Ok(Version {
        folder: folder.to_owned(),
        source: path(row.get(1)?),
        stamp: Stamp {
            len: row.get::<_, i64>(2)?.cast_unsigned(),
            mtime_ns: row.get(3)?,
            ctime_ns: 0,
            ino: row.get::<_, i64>(4)?.cast_unsigned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::AttemptResult;
    use super::super::tests::{begin, plain, version};
    use std::path::Path;

    use super::*;

    /// P2: fails when a crash, or a shutdown that does not wait, makes the ledger forget a placed cutout.
    #[test]
    fn a_version_whose_cutout_is_placed_has_only_its_source_left_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = SqliteLedger::open(dir.path()).unwrap();
        let photo = version("a.jpg", 1);
        let begun = begin(&mut ledger, &photo);
        assert_eq!(
            ledger.take_unretired(&photo).unwrap(),
            None,
            "not placed yet"
        );
        ledger.placed(begun.id, &[7; 32]).unwrap();
        assert_eq!(
            ledger.take_unretired(&photo).unwrap(),
            None,
            "somebody is at work on it"
        );
        ledger.end(begun.id, &AttemptResult::Placed).unwrap();
        let expected = Some(Unretired {
            begun,
            outputs: vec!["/out/a.png".into()],
            sha256: [7; 32],
        });
        assert_eq!(ledger.take_unretired(&photo).unwrap(), expected);
        // Dropped while it is retired, as by SIGKILL.
        drop(ledger);
        let mut ledger = SqliteLedger::open(dir.path()).unwrap();
        ledger.recover().unwrap();
        assert_eq!(ledger.take_unretired(&photo).unwrap(), expected);
        ledger.refund_running().unwrap();
        assert_eq!(ledger.take_unretired(&photo).unwrap(), expected);
    }

    /// P2: fails when a touched photo counts twice, or when a photo that came after another was moved away counts as that one.
    #[test]
    fn a_touched_photo_keeps_its_row() {
        let mut ledger = SqliteLedger::in_memory().unwrap();
        let (photo, touched) = (version("a.jpg", 1), version("a.jpg", 2));
        let outputs = plain("/out/a.png");
        let begun = begin(&mut ledger, &photo);
        ledger.placed(begun.id, &[7; 32]).unwrap();
        let take = |ledger: &mut SqliteLedger, sha256| {
            ledger.take_touched(&touched, &outputs, &sha256).unwrap()
        };
        assert_eq!(take(&mut ledger, [7; 32]), None, "it is in work");
        ledger.end(begun.id, &AttemptResult::Done).unwrap();
        assert_eq!(take(&mut ledger, [8; 32]), None, "other content");
        assert_eq!(take(&mut ledger, [7; 32]), Some(begun));
        ledger.end(begun.id, &AttemptResult::Done).unwrap();
        assert_eq!(ledger.counts("products").unwrap().done, 1);
        let history = ledger.history("products", Path::new("a.jpg")).unwrap();
        assert_eq!(history.len(), 1);
        assert_eq!(history[0].stamp.mtime_ns, 2);
        ledger.retire(begun.id).unwrap();
        assert_eq!(take(&mut ledger, [7; 32]), None, "that one was moved away");
    }

    /// P1: fails when a version that was placed, replaced and has come back counts as the one in place.
    #[test]
    fn a_version_that_is_begun_again_has_no_cutout_yet() {
        let mut ledger = SqliteLedger::in_memory().unwrap();
        let (first, second) = (version("a.jpg", 1), version("a.jpg", 2));
        let begun = begin(&mut ledger, &first);
        ledger.placed(begun.id, &[7; 32]).unwrap();
        ledger.end(begun.id, &AttemptResult::Placed).unwrap();
        begin(&mut ledger, &second);
        begin(&mut ledger, &first);
        ledger.recover().unwrap();
        assert_eq!(ledger.take_unretired(&first).unwrap(), None);
    }
}
