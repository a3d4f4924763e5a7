//! Records in `SQLite` whether the reason of a quarantined version was left for the photographer. Must not touch a photo.

use std::collections::BTreeSet;

use rusqlite::params;

use super::recovery::version_of;
use super::sqlite_ledger::SqliteLedger;
use crate::ledger::attempt_result::AttemptResult;
use crate::ledger::attempts::{AttemptStore as _, Hold};
use crate::ledger::error::LedgerError;
use crate::ledger::explanations::{ExplanationStore, Unexplained};

/// The most versions returned at a time.
const PAGE_ROWS: u32 = 1_000;

/// The most failed explanations that are remembered. Beyond that each may be logged once more.
const FAILED_MAX: usize = 100_000;

/// The explanations that this process is making, by the row of the version.
#[derive(Debug, Default)]
pub(crate) struct Explaining {
    under_way: BTreeSet<i64>,
    /// Explanations that failed and are tried again.
    failed: BTreeSet<i64>,
}

impl ExplanationStore for SqliteLedger {
    fn quarantine(&mut self, hold: Hold, reason: String) -> Result<bool, LedgerError> {
        let why = reason.clone();
        self.fail(hold, &AttemptResult::Quarantined { reason }, &why)?;
        self.explaining.failed.remove(&hold.id);
        self.begin_explaining(hold.id)
    }

    fn begin_explaining(&mut self, id: i64) -> Result<bool, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT 1 FROM versions WHERE id = ?1 AND NOT is_explained AND state = 'quarantined'",
        )?;
        Ok(query.exists([id])? && self.explaining.under_way.insert(id))
    }

    fn fail_explaining(&mut self, id: i64) -> bool {
        let Explaining { under_way, failed } = &mut self.explaining;
        under_way.remove(&id);
        if failed.len() >= FAILED_MAX {
            failed.clear();
        }
        failed.insert(id)
    }

    fn explained(&mut self, id: i64) -> Result<(), LedgerError> {
        self.explaining.end(id);
        self.connection
            .prepare_cached("UPDATE versions SET is_explained = 1 WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    fn explained_and_moved(&mut self, id: i64) -> Result<(), LedgerError> {
        self.explaining.end(id);
        self.connection
            .prepare_cached("UPDATE versions SET is_explained = 1, ino = -id WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    fn unexplained(
        &mut self,
        folder: &str,
        after: i64,
    ) -> Result<(Vec<Unexplained>, Option<i64>), LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, source, len, mtime_ns, ino, coalesce(reason, '') FROM versions
             WHERE folder = ?1 AND NOT is_explained AND state = 'quarantined' AND id > ?2 ORDER BY id LIMIT ?3",
        )?;
        let rows = query.query_map(params![folder, after, PAGE_ROWS], |row| {
            Ok(Unexplained {
                id: row.get(0)?,
                version: version_of(row, folder)?,
                reason: row.get(5)?,
            })
        })?;
        let found = rows.collect::<Result<Vec<_>, _>>()?;
        let last = found.last().filter(|_| found.len() == PAGE_ROWS as usize);
        let next = last.map(|last| last.id);
        Ok((found, next))
    }
}

impl Explaining {
    pub(crate) fn is_under_way(&self, id: i64) -> bool {
        self.under_way.contains(&id)
    }

    fn end(&mut self, id: i64) {
        self.under_way.remove(&id);
        self.failed.remove(&id);
    }
}

#[cfg(test)]
mod tests;
