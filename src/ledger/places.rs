//! Stores in `SQLite` which source owns which names in an output folder, and where folders are mounted. Must not choose the name of
//! a cutout.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension as _, params};

use super::LedgerError;
use super::sqlite_ledger::{SqliteLedger, Version, bytes, path};

/// A name in an output folder that a source requests.
#[derive(Clone, Debug)]
pub struct OutputName {
    /// The output folder.
    pub output: PathBuf,
    /// The path below it.
    pub name: PathBuf,
    /// The path as a case-insensitive file system compares it.
    pub folded: Vec<u8>,
}

/// A name in an output folder that a source owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedName {
    /// The path below the output folder.
    pub name: PathBuf,
    /// Whether an earlier attempt at the version in question reserved it.
    pub is_own: bool,
    /// Whether the cutout of another version of the source was placed under it.
    pub is_used: bool,
    /// Set if the cutout is of another version of the same file, which was written to since.
    pub continued: Option<Continued>,
}

/// The progress of an earlier version of a file before the file was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continued {
    /// It was not moved or deleted yet.
    Unretired,
    /// Hotcut had finished it and left it where it was.
    Left,
}

impl SqliteLedger {
    /// Returns all names that the source of `version`, a file created at `born_ns`, owns below `output`; the last reserved name
    /// comes first.
    pub fn names_of(
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
        let (folder, source, len, mtime_ns, ino) = version.key();
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

    /// Returns the last name reserved for `source` below `output`.
    pub fn name_of(
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

    /// Reserves all of `names` for `source`, for ever, or none if another source owns one of them. The source keeps the names that it
    /// already owns.
    pub fn reserve(
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

#[cfg(test)]
mod tests {
    use super::super::tests::{ARRIVAL, begin, under, version};
    use super::*;

    /// P2: fails when a photo that reuses the inode of an earlier photo of its name counts as that photo and replaces its cutout,
    /// or when a photo that is written to does not count as the same.
    #[test]
    fn an_inode_alone_does_not_tell_a_photo() {
        let mut ledger = SqliteLedger::in_memory().unwrap();
        let first = version("a.jpg", 1);
        assert!(
            ledger
                .reserve(&first.folder, &first.source, &[under("a.png")])
                .unwrap()
        );
        let begun = begin(&mut ledger, &first);
        ledger.placed(begun.id, &[7; 32]).unwrap();
        let mut next = version("a.jpg", 2);
        next.stamp.ino = first.stamp.ino;
        for (born_ns, is_same) in [(ARRIVAL.born_ns, true), (Some(8), false), (None, false)] {
            let names = ledger.names_of(&next, born_ns, Path::new("/out")).unwrap();
            let continued = is_same.then_some(Continued::Unretired);
            assert_eq!(names[0].continued, continued, "{born_ns:?}");
            assert_eq!(names.iter().any(|name| name.is_used), !is_same);
        }
    }
}
