//! Stores in `SQLite` where folders are mounted. Must not look at a disk.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};

use super::sqlite_ledger::{SqliteLedger, bytes, path};
use crate::ledger::error::LedgerError;
use crate::ledger::mounts::MountStore;

impl MountStore for SqliteLedger {
    fn mount_of(&mut self, folder: &Path) -> Result<Option<PathBuf>, LedgerError> {
        let query = "SELECT mount_point FROM mounts WHERE path = ?1";
        let row = self
            .connection
            .query_row(query, [bytes(folder)], |row| row.get(0));
        Ok(row.optional()?.map(path))
    }

    fn remember_mount(&mut self, folder: &Path, mount_point: &Path) -> Result<(), LedgerError> {
        let insert = "INSERT INTO mounts VALUES (?1, ?2)
            ON CONFLICT (path) DO UPDATE SET mount_point = excluded.mount_point";
        self.connection
            .execute(insert, params![bytes(folder), bytes(mount_point)])?;
        Ok(())
    }
}
