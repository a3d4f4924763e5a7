//! Finds the earlier name of a photo that was renamed inside its hot folder, and records the rename. Must not touch a file.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};

use super::LedgerError;
use super::outputs;
use super::sqlite_ledger::{SqliteLedger, Version, now_ms, path};
use crate::percent;

/// A photo whose cutout is in place and which was the same file as another photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerName {
    /// Its row.
    pub id: i64,
    /// Its path below the hot folder.
    pub source: PathBuf,
    /// Where its outputs were placed.
    pub outputs: Vec<PathBuf>,
    /// The SHA-256 of its content.
    pub sha256: [u8; 32],
}

impl SqliteLedger {
    /// Returns the photo of the same folder whose cutout is in place under another name and which was the same file as `version`:
    /// with the same length, modification time and inode.
    pub fn former_name(&mut self, version: &Version) -> Result<Option<FormerName>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, source, sha256 FROM versions
             WHERE folder = ?1 AND source <> ?2 AND len = ?3 AND mtime_ns = ?4 AND ino = ?5 AND ino <> -id
                AND state IN ('done', 'placed') AND sha256 IS NOT NULL ORDER BY id DESC LIMIT 1",
        )?;
        let row = query.query_row(version.key(), |row| {
            Ok(FormerName {
                id: row.get(0)?,
                source: path(row.get(1)?),
                outputs: Vec::new(),
                sha256: row.get(2)?,
            })
        });
        let Some(former) = row.optional()? else {
            return Ok(None);
        };
        let outputs = outputs::paths(&self.connection, former.id)?;
        Ok(Some(FormerName { outputs, ..former }))
    }

    /// Records that the photo of row `id`, and its cutout, now have the name `name`; the row is history from now on.
    pub fn renamed(&mut self, id: i64, name: &Path) -> Result<(), LedgerError> {
        let reason = format!("renamed to {}", percent::display(name));
        self.connection
            .prepare_cached(
                "UPDATE versions SET state = 'superseded', sha256 = NULL, reason = ?2, ended_at_ms = ?3 WHERE id = ?1",
            )?
            .execute(params![id, reason, now_ms()])?;
        Ok(())
    }
}
