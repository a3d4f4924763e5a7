//! Assigns a photo that was touched or copied over itself to the row of its done version. Must not touch a file.

use std::path::Path;

use rusqlite::{OptionalExtension as _, params};

use super::LedgerError;
use super::sqlite_ledger::{Begun, SqliteLedger, Version, bytes, supersede_others};

impl SqliteLedger {
    /// Resumes a done version from which `version` differs only in its times: the photo was touched or copied, and its cutout at
    /// `output`, made from content with this `sha256`, is still valid. The row describes the new version from now on. `None` if
    /// there is no such version.
    pub fn take_touched(
        &mut self,
        version: &Version,
        output: &Path,
        sha256: &[u8; 32],
    ) -> Result<Option<Begun>, LedgerError> {
        let (folder, source, len, mtime_ns, ino) = version.key();
        // The inode is -id once a source was moved or deleted: a file that comes under its name is another photo.
        let transaction = self.connection.transaction()?;
        let mut update = transaction.prepare_cached(
            "UPDATE OR IGNORE versions SET state = 'running', mtime_ns = ?4, ino = ?5,
                turn = (SELECT max(turn) + 1 FROM versions WHERE folder = ?1 AND source = ?2)
             WHERE id = (SELECT max(id) FROM versions WHERE folder = ?1 AND source = ?2 AND len = ?3 AND ino <> -id
                AND state = 'done' AND output = ?6 AND sha256 = ?7)
             RETURNING id, attempts",
        )?;
        let values = params![folder, source, len, mtime_ns, ino, bytes(output), sha256];
        let row = update.query_row(values, |row| {
            Ok(Begun {
                id: row.get(0)?,
                attempt: row.get(1)?,
            })
        });
        let begun = row.optional()?;
        drop(update);
        if let Some(Begun { id, .. }) = begun {
            // A failed version in between no longer exists.
            supersede_others(&transaction, version, id)?;
        }
        transaction.commit()?;
        Ok(begun)
    }
}
