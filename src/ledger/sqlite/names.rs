//! Stores in `SQLite` which source owns which names in an output folder. Must not choose a name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};

use super::outputs;
use super::sqlite_ledger::{SqliteLedger, bytes, key, path};
use crate::ledger::attempts::{Version, now_ms};
use crate::ledger::error::LedgerError;
use crate::ledger::names::{Continued, FormerName, NameStore, OutputName, OwnedName};
use crate::percent;

impl NameStore for SqliteLedger {
    fn names_of(
        &mut self,
        version: &Version,
        born_ns: Option<i64>,
        output: &Path,
    ) -> Result<Vec<OwnedName>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT name FROM names WHERE output = ?1 AND folder = ?2 AND source = ?3 ORDER BY turn DESC",
        )?;
        let source = bytes(&version.source);
        let rows = query.query_map(params![bytes(output), version.folder, source], |row| {
            row.get(0).map(path)
        })?;
        let names: Vec<PathBuf> = rows.collect::<Result<_, _>>()?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = self.connection.prepare_cached(
            "SELECT path, len = ?3 AND mtime_ns = ?4 AND ino = ?5,
                state IN ('placed', 'done') OR sha256 IS NOT NULL OR is_redo,
                sha256 IS NOT NULL AND ino = ?5 AND coalesce(born_ns = ?6, 0), state = 'done'
             FROM versions JOIN outputs ON outputs.version = versions.id WHERE folder = ?1 AND source = ?2",
        )?;
        let (mut own, mut used) = (HashSet::new(), HashSet::new());
        let (mut continued, mut left) = (HashSet::new(), HashSet::new());
        let (folder, source, len, mtime_ns, ino) = key(version);
        let mut rows = query.query(params![folder, source, len, mtime_ns, ino, born_ns])?;
        while let Some(row) = rows.next()? {
            let placed_at = path(row.get(0)?);
            if row.get(1)? {
                own.insert(placed_at);
            } else if row.get(3)? {
                let is_done: bool = row.get(4)?;
                if is_done { &mut left } else { &mut continued }.insert(placed_at);
            } else if row.get(2)? {
                used.insert(placed_at);
            }
        }
        let owned = names.into_iter().map(|name| {
            let whole = output.join(&name);
            let is_left = left.contains(&whole).then_some(Continued::Left);
            let is_unretired = continued.contains(&whole).then_some(Continued::Unretired);
            OwnedName {
                is_own: own.contains(&whole),
                is_used: used.contains(&whole),
                continued: is_unretired.or(is_left),
                name,
            }
        });
        Ok(owned.collect())
    }

    fn name_of(
        &mut self,
        folder: &str,
        source: &Path,
        output: &Path,
    ) -> Result<Option<PathBuf>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT name FROM names WHERE output = ?1 AND folder = ?2 AND source = ?3 ORDER BY turn DESC LIMIT 1",
        )?;
        let name = query.query_row(params![bytes(output), folder, bytes(source)], |row| {
            row.get(0)
        });
        Ok(name.optional()?.map(path))
    }

    fn reserve(
        &mut self,
        folder: &str,
        source: &Path,
        names: &[OutputName],
    ) -> Result<bool, LedgerError> {
        let transaction = self.connection.transaction()?;
        for wanted in names {
            let owner: Option<(String, Vec<u8>)> = transaction
                .prepare_cached(
                    "SELECT folder, source FROM names WHERE output = ?1 AND folded = ?2",
                )?
                .query_row(params![bytes(&wanted.output), wanted.folded], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            if owner.is_some_and(|(other, path)| other != folder || path != bytes(source)) {
                return Ok(false);
            }
            transaction
                .prepare_cached(
                    "INSERT INTO names (output, folded, folder, source, name, turn)
                     VALUES (?1, ?2, ?3, ?4, ?5, (SELECT coalesce(max(turn), 0) + 1 FROM names
                        WHERE output = ?1 AND folder = ?3 AND source = ?4))
                     ON CONFLICT (output, folded) DO UPDATE SET name = excluded.name, turn = excluded.turn",
                )?
                .execute(params![bytes(&wanted.output), wanted.folded, folder, bytes(source), bytes(&wanted.name)])?;
        }
        transaction.commit()?;
        Ok(true)
    }

    fn former_name(&mut self, version: &Version) -> Result<Option<FormerName>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, source, sha256 FROM versions
             WHERE folder = ?1 AND source <> ?2 AND len = ?3 AND mtime_ns = ?4 AND ino = ?5 AND ino <> -id
                AND state IN ('done', 'placed') AND sha256 IS NOT NULL ORDER BY id DESC LIMIT 1",
        )?;
        let row = query.query_row(key(version), |row| {
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

    fn renamed(&mut self, id: i64, name: &Path) -> Result<(), LedgerError> {
        let reason = format!("renamed to {}", percent::display(name));
        self.connection
            .prepare_cached(
                "UPDATE versions SET state = 'superseded', sha256 = NULL, reason = ?2, ended_at_ms = ?3 WHERE id = ?1",
            )?
            .execute(params![id, reason, now_ms()])?;
        Ok(())
    }
}
