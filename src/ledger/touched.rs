//! A photo that was touched or copied over itself -> the row of its version that is done. Must not touch a file.

use std::path::Path;

use rusqlite::{OptionalExtension as _, params};

use super::LedgerError;
use super::sqlite_ledger::{Begun, SqliteLedger, Version, bytes, supersede_others};

impl SqliteLedger {
    /// Takes up a version that differs from one that is done in its times alone: somebody has touched or copied the photo, and
    /// its cutout at `output`, made of content with this `sha256`, is still the right one. The row of that version tells of this
    /// one from now on. `None` if there is no such version.
    pub fn take_touched(
        &mut self,
        version: &Version,
        output: &Path,
        sha256: &[u8; 32],
    ) -> Result<Option<Begun>, LedgerError> {
        let (folder, source, len, mtime_ns, ino) = version.key();
        // The inode is -id once a source was moved or deleted: what comes under its name is another photo.
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
            // A version that came in between and failed is not there any more.
            supersede_others(&transaction, version, id)?;
        }
        transaction.commit()?;
        Ok(begun)
    }
}
