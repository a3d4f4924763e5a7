//! Which source owns which name in an output folder, and where folders are mounted -> `SQLite` and back.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};

use super::LedgerError;
use super::book::{Book, bytes, path};

/// A name in an output folder that a source asks for.
#[derive(Clone, Debug)]
pub struct Seat {
    /// The output folder.
    pub output: PathBuf,
    /// Path below it.
    pub name: PathBuf,
    /// The same as a case-insensitive file system compares it.
    pub folded: Vec<u8>,
}

impl Book {
    /// Returns the name that `source` owns below `output`.
    pub fn name_of(
        &mut self,
        folder: &str,
        source: &Path,
        output: &Path,
    ) -> Result<Option<PathBuf>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT name FROM names WHERE output = ?1 AND folder = ?2 AND source = ?3",
        )?;
        let name = query.query_row(params![bytes(output), folder, bytes(source)], |row| {
            row.get(0)
        });
        Ok(name.optional()?.map(path))
    }

    /// Gives the seat to `source` unless another source has it; its earlier name, if any, is given up.
    pub fn reserve(
        &mut self,
        folder: &str,
        source: &Path,
        seat: &Seat,
    ) -> Result<bool, LedgerError> {
        let transaction = self.connection.transaction()?;
        let owner: Option<(String, Vec<u8>)> = transaction
            .prepare_cached("SELECT folder, source FROM names WHERE output = ?1 AND folded = ?2")?
            .query_row(params![bytes(&seat.output), seat.folded], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        if owner.is_some_and(|(other, path)| other != folder || path != bytes(source)) {
            return Ok(false);
        }
        transaction
            .prepare_cached(
                "INSERT INTO names (output, folded, folder, source, name) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (output, folder, source) DO UPDATE SET folded = excluded.folded, name = excluded.name
                 ON CONFLICT (output, folded) DO NOTHING",
            )?
            .execute(params![bytes(&seat.output), seat.folded, folder, bytes(source), bytes(&seat.name)])?;
        transaction.commit()?;
        Ok(true)
    }

    /// Returns the mount point that `folder` lay under when it was first used.
    pub fn mount_of(&mut self, folder: &Path) -> Result<Option<PathBuf>, LedgerError> {
        let query = "SELECT mount_point FROM mounts WHERE path = ?1";
        let row = self
            .connection
            .query_row(query, [bytes(folder)], |row| row.get(0));
        Ok(row.optional()?.map(path))
    }

    /// Remembers the mount point that `folder` lies under.
    pub fn remember_mount(&mut self, folder: &Path, mount_point: &Path) -> Result<(), LedgerError> {
        let insert = "INSERT INTO mounts VALUES (?1, ?2)
            ON CONFLICT (path) DO UPDATE SET mount_point = excluded.mount_point";
        self.connection
            .execute(insert, params![bytes(folder), bytes(mount_point)])?;
        Ok(())
    }
}
