//! Finds and resumes unfinished work in `SQLite`. Begins no attempt.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::attempts::{begun, supersede_others};
use super::outputs;
use super::sqlite_ledger::{SqliteLedger, key, path};
use crate::fs::stamp::Stamp;
use crate::ledger::attempts::{Begun, PlannedOutput, Version, now_ms};
use crate::ledger::error::LedgerError;
use crate::ledger::recovery::{HalfRetired, Interrupted, RecoveryStore, Unretired};

/// The number of daemon crashes during attempts at a photo that do not count against it; later crashes do.
const FORGIVEN_INTERRUPTIONS: u32 = 8;

impl RecoveryStore for SqliteLedger {
    fn take_unretired(&mut self, version: &Version) -> Result<Option<Unretired>, LedgerError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE versions SET state = 'running', claim = claim + 1 WHERE folder = ?1 AND source = ?2
                AND len = ?3 AND mtime_ns = ?4 AND ino = ?5 AND state = 'placed'
             RETURNING id, claim, attempts, sha256",
        )?;
        let row = update.query_row(key(version), |row| Ok((begun(row)?, row.get(3)?)));
        let Some((begun, sha256)) = row.optional()? else {
            return Ok(None);
        };
        Ok(Some(Unretired {
            begun,
            outputs: outputs::paths(&self.connection, begun.hold.id)?,
            sha256,
        }))
    }

    fn take_touched(
        &mut self,
        version: &Version,
        existing: &[PlannedOutput],
        sha256: &[u8; 32],
    ) -> Result<Option<Begun>, LedgerError> {
        let (folder, source, len, mtime_ns, ino) = key(version);
        let transaction = self.connection.transaction()?;
        let Some(id) = find(&transaction, version, existing, sha256)? else {
            return Ok(None);
        };
        let mut update = transaction.prepare_cached(
            "UPDATE OR IGNORE versions SET state = 'running', claim = claim + 1, mtime_ns = ?4, ino = ?5,
                turn = (SELECT max(turn) + 1 FROM versions WHERE folder = ?1 AND source = ?2)
             WHERE id = ?6 AND len = ?3 RETURNING id, claim, attempts",
        )?;
        let values = params![folder, source, len, mtime_ns, ino, id];
        let row = update.query_row(values, begun);
        let begun = row.optional()?;
        drop(update);
        if begun.is_some() {
            // A failed version in between no longer exists.
            supersede_others(&transaction, version, id)?;
        }
        transaction.commit()?;
        Ok(begun)
    }

    fn half_retired(&mut self, folder: &str) -> Result<Vec<HalfRetired>, LedgerError> {
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

    fn recover(&mut self) -> Result<Vec<Interrupted>, LedgerError> {
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

    fn retired_late(&mut self, id: i64) -> Result<bool, LedgerError> {
        let changed = self
            .connection
            .prepare_cached(
                "UPDATE versions SET state = 'done', ino = -id, ended_at_ms = ?2 WHERE id = ?1 AND state = 'placed'",
            )?
            .execute(params![id, now_ms()])?;
        Ok(changed > 0)
    }

    fn refund_running(&mut self) -> Result<(), LedgerError> {
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

/// The last done version of the source with this content and one of these outputs.
fn find(
    connection: &Connection,
    version: &Version,
    existing: &[PlannedOutput],
    sha256: &[u8; 32],
) -> Result<Option<i64>, LedgerError> {
    // The inode is -id once a source was moved or deleted: a file that comes under its name is another photo.
    let mut query = connection.prepare_cached(
        "SELECT id FROM versions WHERE folder = ?1 AND source = ?2 AND len = ?3 AND ino <> -id
            AND state = 'done' AND sha256 = ?4 ORDER BY id DESC",
    )?;
    let (folder, source, len, ..) = key(version);
    let mut rows = query.query(params![folder, source, len, sha256])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if outputs::has_one_of(connection, id, existing)? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
