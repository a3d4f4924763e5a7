//! Records attempts in `SQLite`. Decides nothing.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::outputs;
use super::sqlite_ledger::{SqliteLedger, bytes, key, signed};
use crate::config::OnSameName;
use crate::ledger::attempt_result::AttemptResult;
use crate::ledger::attempts::{Arrival, AttemptStore, Begun, Hold, PlannedOutput, Version, now_ms};
use crate::ledger::error::LedgerError;

impl AttemptStore for SqliteLedger {
    fn unfinished(
        &mut self,
        versions: &[Version],
        on_same_name: OnSameName,
    ) -> Result<Vec<bool>, LedgerError> {
        let replaces = on_same_name == OnSameName::Replace;
        let mut query = self.connection.prepare_cached(
            "SELECT id, state, EXISTS (SELECT 1 FROM versions AS later WHERE later.folder = ?1 AND later.source = ?2
                    AND later.turn > versions.turn AND later.state IN ('placed', 'done')
                    AND (?6 OR EXISTS (SELECT 1 FROM outputs AS mine JOIN outputs AS theirs USING (path)
                        WHERE mine.version = versions.id AND theirs.version = later.id)))
             FROM versions WHERE folder = ?1 AND source = ?2
             AND len = ?3 AND mtime_ns = ?4 AND ino = ?5",
        )?;
        let mut answers = Vec::with_capacity(versions.len());
        for version in versions {
            let (folder, source, len, mtime_ns, ino) = key(version);
            let row = query
                .query_row(
                    params![folder, source, len, mtime_ns, ino, replaces],
                    |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)),
                )
                .optional()?;
            answers.push(
                row.is_none_or(|(id, state, is_replaced)| match state.as_str() {
                    "done" => is_replaced,
                    "running" | "quarantined" | "ignored" => false,
                    _ => !self.explaining.is_under_way(id),
                }),
            );
        }
        Ok(answers)
    }

    fn begin(
        &mut self,
        version: &Version,
        arrival: Arrival,
        model: &str,
        outputs: &[PlannedOutput],
    ) -> Result<Option<Begun>, LedgerError> {
        let transaction = self.connection.transaction()?;
        let begun = transaction
            .prepare_cached(
                "INSERT INTO versions
                    (folder, source, len, mtime_ns, ino, state, attempts, model, begun_at_ms, seen_at_ms,
                        settled_at_ms, born_ns, claim, turn)
                 VALUES (:folder, :source, :len, :mtime, :ino, 'running', 1, :model, :now, :seen, :settled, :born, 1,
                        (SELECT coalesce(max(turn), 0) + 1 FROM versions WHERE folder = :folder AND source = :source))
                 ON CONFLICT (folder, source, len, mtime_ns, ino) DO UPDATE SET
                    state = 'running', attempts = attempts + 1, claim = claim + 1,
                    model = excluded.model, reason = NULL, sha256 = NULL, begun_at_ms = excluded.begun_at_ms,
                    born_ns = excluded.born_ns, turn = excluded.turn
                    WHERE state <> 'running'
                 RETURNING id, claim, attempts",
            )?
            .query_row(
                named_params! {
                    ":folder": version.folder, ":source": bytes(&version.source),
                    ":len": signed(version.stamp.len), ":mtime": version.stamp.mtime_ns,
                    ":ino": signed(version.stamp.ino), ":model": model, ":now": now_ms(),
                    ":seen": arrival.seen_at_ms, ":settled": arrival.settled_at_ms,
                    ":born": arrival.born_ns,
                },
                begun,
            )
            .optional()?;
        // A version that is being moved to `failed` must wait until that ends; the attempt is rolled back.
        let Some(begun) = begun.filter(|begun| !self.explaining.is_under_way(begun.hold.id)) else {
            return Ok(None);
        };
        outputs::write(&transaction, begun.hold.id, outputs)?;
        supersede_others(&transaction, version, begun.hold.id)?;
        transaction.commit()?;
        Ok(Some(begun))
    }

    fn placed(&mut self, hold: Hold, sha256: &[u8; 32]) -> Result<(), LedgerError> {
        note_sha256(&self.connection, hold, sha256)
    }

    fn placed_for_good(&mut self, hold: Hold, sha256: &[u8; 32]) -> Result<(), LedgerError> {
        let transaction = self.connection.transaction()?;
        note_sha256(&transaction, hold, sha256)?;
        record_end(&transaction, hold, &AttemptResult::Done)?;
        Ok(transaction.commit()?)
    }

    fn end(&mut self, hold: Hold, result: &AttemptResult) -> Result<(), LedgerError> {
        record_end(&self.connection, hold, result)
    }

    fn fail(
        &mut self,
        hold: Hold,
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
            .execute(params![hold.id, is_counted])?;
        transaction
            .prepare_cached(
                "INSERT INTO failures (version, begun_at_ms, ended_at_ms, is_counted, reason)
                 SELECT id, begun_at_ms, ?2, ?3, ?4 FROM versions WHERE id = ?1",
            )?
            .execute(params![hold.id, now_ms(), is_counted, reason])?;
        record_end(&transaction, hold, result)?;
        transaction.commit()?;
        Ok(())
    }

    fn vanish(&mut self, folder: &str, source: &Path) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached(
                "UPDATE versions SET state = 'superseded', ended_at_ms = coalesce(ended_at_ms, begun_at_ms)
                 WHERE folder = ?1 AND source = ?2 AND state IN ('waiting', 'quarantined')",
            )?
            .execute(params![folder, bytes(source)])?;
        Ok(())
    }
}

/// Reads the columns id, claim and attempts.
pub(crate) fn begun(row: &Row<'_>) -> rusqlite::Result<Begun> {
    let (id, claim) = (row.get(0)?, row.get(1)?);
    Ok(Begun {
        hold: Hold { id, claim },
        attempt: row.get(2)?,
    })
}

fn note_sha256(connection: &Connection, hold: Hold, sha256: &[u8; 32]) -> Result<(), LedgerError> {
    let changed = connection
        .prepare_cached(
            "UPDATE versions SET sha256 = ?3 WHERE id = ?1 AND claim = ?2 AND state = 'running'",
        )?
        .execute(params![hold.id, hold.claim, sha256.as_slice()])?;
    held(hold, changed)
}

fn record_end(
    connection: &Connection,
    hold: Hold,
    result: &AttemptResult,
) -> Result<(), LedgerError> {
    let (state, reason) = result.parts();
    let is_explained = !matches!(result, AttemptResult::Quarantined { .. });
    let is_gone = matches!(result, AttemptResult::Retired);
    let changed = connection
        .prepare_cached(
            "UPDATE versions SET state = ?3, reason = ?4, attempts = attempts - ?5, ended_at_ms = ?6,
                is_explained = ?7, is_redo = is_redo AND ?3 NOT IN ('done', 'placed'), ino = iif(?8, -id, ino)
             WHERE id = ?1 AND claim = ?2 AND state = 'running'",
        )?
        .execute(params![
            hold.id,
            hold.claim,
            state,
            reason,
            !result.is_counted(),
            now_ms(),
            is_explained,
            is_gone
        ])?;
    held(hold, changed)
}

/// Fails if a change by `hold` has changed no row.
fn held(hold: Hold, changed: usize) -> Result<(), LedgerError> {
    match changed {
        0 => Err(LedgerError::Lost(hold.id)),
        _ => Ok(()),
    }
}

/// Supersedes the other unfinished versions of the source of `version`, whose row is `id`.
pub(crate) fn supersede_others(
    connection: &Connection,
    version: &Version,
    id: i64,
) -> Result<(), LedgerError> {
    connection
        .prepare_cached(
            "UPDATE versions SET state = 'superseded', ended_at_ms = coalesce(ended_at_ms, begun_at_ms)
             WHERE folder = ?1 AND source = ?2 AND id <> ?3 AND state NOT IN ('done', 'ignored')",
        )?
        .execute(params![version.folder, bytes(&version.source), id])?;
    Ok(())
}
