//! Restores records in `SQLite` from the cutouts found in output folders. Must not read a file.

use rusqlite::{Connection, params};

use super::header::HeaderMark;
use super::sqlite_ledger::{SqliteLedger, bytes};
use crate::config::OutputSpec;
use crate::ledger::error::LedgerError;
use crate::ledger::rebuild::{FoundCutout, RebuildExtent, RebuildStore};

impl RebuildStore for SqliteLedger {
    fn begin_relearning(&mut self) -> Result<(), LedgerError> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE found (folder TEXT, source BLOB, output BLOB, name BLOB, folded BLOB,
                path BLOB, written_at_ms INTEGER, sha256 BLOB, model TEXT, is_source_gone INTEGER)",
        )?;
        Ok(())
    }

    fn note_found(&mut self, found: &FoundCutout) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("INSERT INTO found VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
            .execute(params![
                found.folder,
                bytes(&found.source),
                bytes(&found.output),
                bytes(&found.name),
                found.folded,
                bytes(&found.output.join(&found.name)),
                found.written_at_ms,
                found.sha256,
                found.model,
                found.is_source_gone,
            ])?;
        Ok(())
    }

    fn end_relearning(&mut self, extent: RebuildExtent) -> Result<usize, LedgerError> {
        let transaction = self.connection.transaction()?;
        let names = transaction.execute(
            "INSERT INTO names (output, folded, folder, source, name, turn)
                SELECT output, folded, folder, source, name,
                    -row_number() OVER (PARTITION BY output, folder, source ORDER BY written_at_ms DESC, name DESC)
                FROM found WHERE true ORDER BY written_at_ms DESC
             ON CONFLICT DO NOTHING",
            [],
        )?;
        record_versions(&transaction)?;
        transaction.execute_batch("DROP TABLE found")?;
        if extent == RebuildExtent::Whole && HeaderMark::of(&transaction)? == HeaderMark::New {
            HeaderMark::InUse.write(&transaction)?;
        }
        transaction.commit()?;
        Ok(names)
    }
}

/// Records the versions whose source is gone, with their outputs.
fn record_versions(connection: &Connection) -> Result<(), LedgerError> {
    // `latest` is the row of the version's last written cutout.
    connection.execute_batch(
        "CREATE TEMP TABLE gone AS SELECT rowid AS cutout,
            first_value(rowid) OVER (PARTITION BY folder, source, name, sha256 ORDER BY written_at_ms DESC, rowid) AS latest,
            row_number() OVER (PARTITION BY folder, source, name, sha256 ORDER BY output) - 1 AS number
            FROM found WHERE is_source_gone",
    )?;
    let last = "SELECT coalesce(max(id), 0) FROM versions";
    let last: i64 = connection.query_row(last, [], |row| row.get(0))?;
    connection.execute(
        "INSERT INTO versions (folder, source, len, mtime_ns, ino, state, attempts, sha256, model, begun_at_ms, ended_at_ms)
            SELECT folder, source, 0, 0, -latest, 'done', 1, sha256, model, written_at_ms, written_at_ms
            FROM gone JOIN found ON found.rowid = cutout WHERE cutout = latest AND NOT EXISTS
                (SELECT 1 FROM versions WHERE versions.folder = found.folder AND versions.source = found.source)
            ORDER BY written_at_ms",
        [],
    )?;
    connection.execute(
        "INSERT INTO outputs SELECT versions.id, number, path, ?2 FROM gone JOIN found ON found.rowid = cutout
            JOIN versions ON versions.folder = found.folder AND versions.source = found.source
                AND len = 0 AND mtime_ns = 0 AND ino = -latest AND versions.id > ?1",
        params![last, OutputSpec::default().to_string()],
    )?;
    Ok(connection.execute_batch("DROP TABLE gone")?)
}
