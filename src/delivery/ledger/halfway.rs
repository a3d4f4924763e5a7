//! What is half done -> what is still to do: cutouts placed whose source is not retired, attempts that a crash cut short.
//! Begins no attempt.

use std::path::PathBuf;

use rusqlite::{OptionalExtension as _, params};

use super::LedgerError;
use super::book::{Begun, Book, Version, bytes, path, signed};

/// Deaths of the daemon that are not counted against the photo in hand: beyond them, the photo is suspected.
const FORGIVEN_INTERRUPTIONS: u32 = 8;

/// A version whose cutout is in place and whose source's fate is still open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unretired {
    /// Its row, with the number of the attempt that placed it.
    pub begun: Begun,
    /// Where its cutout was placed.
    pub output: PathBuf,
    /// SHA-256 of the source.
    pub sha256: [u8; 32],
}

impl Book {
    /// Notes that the cutout of the attempt `id` is in place. Whoever began the attempt is still at work on the source, but
    /// after a crash only the source is left to do.
    pub fn placed(&mut self, id: i64, sha256: &[u8; 32]) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("UPDATE versions SET sha256 = ?2 WHERE id = ?1")?
            .execute(params![id, sha256.as_slice()])?;
        Ok(())
    }

    /// Takes up a version whose cutout was placed and whose source could not be retired then. `None` if it is not one.
    pub fn take_unretired(&mut self, version: &Version) -> Result<Option<Unretired>, LedgerError> {
        let Version {
            folder,
            source,
            stamp,
        } = version;
        let mut update = self.connection.prepare_cached(
            "UPDATE versions SET state = 'running' WHERE folder = ?1 AND source = ?2
                AND len = ?3 AND mtime_ns = ?4 AND ino = ?5 AND state = 'placed'
             RETURNING id, attempts, output, sha256",
        )?;
        let row = update.query_row(
            params![
                folder,
                bytes(source),
                signed(stamp.len),
                stamp.mtime_ns,
                signed(stamp.ino)
            ],
            |row| {
                Ok(Unretired {
                    begun: Begun {
                        id: row.get(0)?,
                        attempt: row.get(1)?,
                    },
                    output: path(row.get(2)?),
                    sha256: row.get(3)?,
                })
            },
        );
        Ok(row.optional()?)
    }

    /// Returns the versions of `folder` whose source a crash may have left under its hidden name.
    pub fn half_retired(&mut self, folder: &str) -> Result<Vec<(i64, PathBuf)>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, source FROM versions WHERE folder = ?1 AND state IN ('placed', 'quarantined')",
        )?;
        let rows = query.query_map([folder], |row| Ok((row.get(0)?, path(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// At start-up: turns every attempt that was running into one that waits, or whose source does, and returns where each
    /// was writing.
    ///
    /// The daemon died, not a worker, so the attempt is not counted, up to a limit: a photo whose every attempt ends with
    /// the daemon is not innocent for ever.
    pub fn recover(&mut self) -> Result<Vec<(i64, PathBuf)>, LedgerError> {
        let transaction = self.connection.transaction()?;
        let running = {
            let mut query =
                transaction.prepare("SELECT id, output FROM versions WHERE state = 'running'")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, path(row.get(1)?))))?;
            rows.collect::<Result<Vec<_>, _>>()?
        };
        transaction.execute(
            "UPDATE versions SET state = iif(sha256 IS NULL, 'waiting', 'placed'),
                interruptions = interruptions + (sha256 IS NULL),
                attempts = attempts - (sha256 IS NULL AND interruptions < ?1) WHERE state = 'running'",
            [FORGIVEN_INTERRUPTIONS],
        )?;
        transaction.commit()?;
        Ok(running)
    }

    /// At a shutdown that did not wait: gives every running attempt back.
    pub fn refund_running(&mut self) -> Result<(), LedgerError> {
        self.connection.execute(
            "UPDATE versions SET state = iif(sha256 IS NULL, 'waiting', 'placed'),
                attempts = attempts - (sha256 IS NULL) WHERE state = 'running'",
            [],
        )?;
        Ok(())
    }
}
