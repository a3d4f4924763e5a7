//! Records failed attempts in `SQLite`, to explain them later. Decides nothing.

use rusqlite::params;

use super::LedgerError;
use super::attempt_result::AttemptResult;
use super::sqlite_ledger::{SqliteLedger, now_ms};

impl SqliteLedger {
    /// Records that the attempt `id` failed, and why.
    pub fn fail(
        &mut self,
        id: i64,
        result: &AttemptResult,
        reason: &str,
    ) -> Result<(), LedgerError> {
        let is_counted = result.is_counted();
        let transaction = self.connection.transaction()?;
        // A folder that is paused for weeks is retried constantly, so only the last uncounted failure is kept.
        transaction
            .prepare_cached(
                "DELETE FROM failures WHERE version = ?1 AND NOT is_counted AND NOT ?2",
            )?
            .execute(params![id, is_counted])?;
        transaction
            .prepare_cached(
                "INSERT INTO failures (version, begun_at_ms, ended_at_ms, is_counted, reason)
                 SELECT id, begun_at_ms, ?2, ?3, ?4 FROM versions WHERE id = ?1",
            )?
            .execute(params![id, now_ms(), is_counted, reason])?;
        Self::record_end(&transaction, id, result)?;
        transaction.commit()?;
        Ok(())
    }
}
