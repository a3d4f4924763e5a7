//! Assigns a photo that was touched or copied over itself to the row of its done version. Must not touch a file.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::LedgerError;
use super::outputs::{self, PlannedOutput};
use super::sqlite_ledger::{Begun, SqliteLedger, Version, supersede_others};

impl SqliteLedger {
    /// Resumes a done version from which `version` differs only in its times: the photo was touched or copied, and its `outputs`,
    /// made from content with this `sha256`, are still valid. The row describes the new version from now on. `None` if there is no
    /// such version.
    pub fn take_touched(
        &mut self,
        version: &Version,
        wanted: &[PlannedOutput],
        sha256: &[u8; 32],
    ) -> Result<Option<Begun>, LedgerError> {
        let (folder, source, len, mtime_ns, ino) = version.key();
        let transaction = self.connection.transaction()?;
        let Some(id) = find(&transaction, version, wanted, sha256)? else {
            return Ok(None);
        };
        let mut update = transaction.prepare_cached(
            "UPDATE OR IGNORE versions SET state = 'running', mtime_ns = ?4, ino = ?5,
                turn = (SELECT max(turn) + 1 FROM versions WHERE folder = ?1 AND source = ?2)
             WHERE id = ?6 AND len = ?3 RETURNING attempts",
        )?;
        let values = params![folder, source, len, mtime_ns, ino, id];
        let row = update.query_row(values, |row| {
            let attempt = row.get(0)?;
            Ok(Begun { id, attempt })
        });
        let begun = row.optional()?;
        drop(update);
        if begun.is_some() {
            // A failed version in between no longer exists.
            supersede_others(&transaction, version, id)?;
        }
        transaction.commit()?;
        Ok(begun)
    }
}

/// The last done version of the source with this content and these outputs.
fn find(
    connection: &Connection,
    version: &Version,
    wanted: &[PlannedOutput],
    sha256: &[u8; 32],
) -> Result<Option<i64>, LedgerError> {
    // The inode is -id once a source was moved or deleted: a file that comes under its name is another photo.
    let mut query = connection.prepare_cached(
        "SELECT id FROM versions WHERE folder = ?1 AND source = ?2 AND len = ?3 AND ino <> -id
            AND state = 'done' AND sha256 = ?4 ORDER BY id DESC",
    )?;
    let (folder, source, len, ..) = version.key();
    let mut rows = query.query(params![folder, source, len, sha256])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if outputs::are(connection, id, wanted)? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
