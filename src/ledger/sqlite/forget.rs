//! Finds versions that ended long ago, and removes those whose photos are gone from `SQLite`, a few at a time. Must not look at a
//! photo.

use std::path::{Path, PathBuf};

use rusqlite::params;

use super::outputs;
use super::recovery::version_of;
use super::sqlite_ledger::{SqliteLedger, bytes, path};
use crate::ledger::attempts::Version;
use crate::ledger::error::LedgerError;
use crate::ledger::forget::{ForgetStore, Forgotten, OldCursor, OldVersion};

/// The states whose versions may be removed, in the order of the walk. Versions in other states have work left to do.
const STATES: [&str; 5] = ["done", "superseded", "ignored", "quarantined", "waiting"];

/// Removes a version if it is unchanged since it was listed. If another photo has its path, that photo must be recorded already, or
/// it would lose the name. Earlier versions of the source must be removed first: if one came back, it would count as the version
/// whose cutout is in place.
const DELETE_VERSION: &str =
    "DELETE FROM versions WHERE id = ?1 AND state = ?2 AND ended_at_ms = ?3
    AND (?4 OR EXISTS (SELECT 1 FROM versions AS later
        WHERE later.folder = versions.folder AND later.source = versions.source
            AND (later.turn, later.id) > (versions.turn, versions.id)))
    AND NOT EXISTS (SELECT 1 FROM versions AS earlier
        WHERE earlier.folder = versions.folder AND earlier.source = versions.source
            AND (earlier.turn, earlier.id) < (versions.turn, versions.id))";

/// Removes the name of a cutout at a path that no version has any more, and all names of a source without versions.
const DELETE_NAMES: &str =
    "DELETE FROM names INDEXED BY names_of_source WHERE output = ?1 AND folder = ?2 AND source = ?3
    AND (NOT EXISTS (SELECT 1 FROM versions WHERE folder = ?2 AND source = ?3)
        OR CAST(output || '/' || name AS BLOB) = ?4
            AND NOT EXISTS (SELECT 1 FROM versions JOIN outputs ON outputs.version = versions.id
                WHERE folder = ?2 AND source = ?3 AND path = ?4))";

impl ForgetStore for SqliteLedger {
    fn old_versions(
        &mut self,
        folder: &str,
        before_ms: i64,
        cursor: &OldCursor,
        count: u32,
    ) -> Result<(Vec<OldVersion>, Option<OldCursor>), LedgerError> {
        let Some(state) = STATES.get(cursor.state) else {
            return Ok((Vec::new(), None));
        };
        let mut query = self.connection.prepare_cached(
            "SELECT id, source, len, mtime_ns, ino, ended_at_ms FROM versions
             WHERE folder = ?1 AND state = ?2 AND ended_at_ms < ?3 AND (ended_at_ms, id) > (?4, ?5)
             ORDER BY ended_at_ms, id LIMIT ?6",
        )?;
        let values = params![
            folder,
            state,
            before_ms,
            cursor.ended_at_ms,
            cursor.id,
            count
        ];
        let rows = query.query_map(values, |row| {
            let (id, version) = (row.get(0)?, version_of(row, folder)?);
            Ok(OldVersion {
                id,
                state,
                ended_at_ms: row.get(5)?,
                is_retired: version.stamp.ino.cast_signed() == -id,
                version,
            })
        })?;
        let found: Vec<OldVersion> = rows.collect::<Result<_, _>>()?;
        let next = match found.last() {
            Some(last) => OldCursor {
                state: cursor.state,
                ended_at_ms: last.ended_at_ms,
                id: last.id,
            },
            None => OldCursor {
                state: cursor.state + 1,
                ..OldCursor::default()
            },
        };
        Ok((found, Some(next)))
    }

    fn forget(&mut self, forgotten: &[Forgotten]) -> Result<usize, LedgerError> {
        let folders = self.output_folders()?;
        let transaction = self.connection.transaction()?;
        let mut count = 0;
        for Forgotten { old, is_path_free } in forgotten {
            // Its photo may be hidden now, and so seem gone.
            if self.explaining.is_under_way(old.id) {
                continue;
            }
            let placed_at = outputs::paths(&transaction, old.id)?;
            let removed = transaction
                .prepare_cached(DELETE_VERSION)?
                .execute(params![old.id, old.state, old.ended_at_ms, is_path_free])?;
            if removed == 0 {
                continue;
            }
            count += 1;
            transaction
                .prepare_cached("DELETE FROM failures WHERE version = ?1")?
                .execute([old.id])?;
            let Version { folder, source, .. } = &old.version;
            let names = folders
                .iter()
                .flat_map(|output| placed_at.iter().map(move |placed_at| (output, placed_at)));
            for (output, placed_at) in names {
                transaction.prepare_cached(DELETE_NAMES)?.execute(params![
                    bytes(output),
                    folder,
                    bytes(source),
                    bytes(placed_at)
                ])?;
            }
        }
        transaction.commit()?;
        Ok(count)
    }
}

impl SqliteLedger {
    /// All output folders with owned names, including those that are no longer configured.
    fn output_folders(&self) -> Result<Vec<PathBuf>, LedgerError> {
        // One index step per folder, however many names there are.
        let mut next = self
            .connection
            .prepare_cached("SELECT min(output) FROM names WHERE output > ?1")?;
        let mut outputs: Vec<PathBuf> = Vec::new();
        loop {
            let last = outputs.last().map_or(Path::new(""), PathBuf::as_path);
            let found: Option<Vec<u8>> = next.query_row([bytes(last)], |row| row.get(0))?;
            match found {
                Some(output) => outputs.push(path(output)),
                None => return Ok(outputs),
            }
        }
    }
}

#[cfg(test)]
mod tests;
