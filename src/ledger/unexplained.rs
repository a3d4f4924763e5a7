//! Records for quarantined versions whether their reason was left for the photographer. Must not touch a photo.

use std::collections::BTreeSet;

use rusqlite::params;

use super::recovery::version_of;
use super::sqlite_ledger::{SqliteLedger, Version};
use super::{AttemptResult, LedgerError};

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

/// A quarantined version whose reason was not left for the photographer yet.
#[derive(Clone, Debug)]
pub struct Unexplained {
    /// Its row.
    pub id: i64,
    /// The version.
    pub version: Version,
    /// The reason of its failure.
    pub reason: String,
}

impl Explaining {
    pub(crate) fn is_under_way(&self, id: i64) -> bool {
        self.under_way.contains(&id)
    }
}

impl SqliteLedger {
    /// Records that the attempt `id` has ended and its version failed for good. Begins its explanation in the same step, as
    /// [`Self::begin_explaining`] does, so that no other task can begin it in between.
    pub fn quarantine(&mut self, id: i64, reason: String) -> Result<bool, LedgerError> {
        let why = reason.clone();
        self.fail(id, &AttemptResult::Quarantined { reason }, &why)?;
        self.explaining.failed.remove(&id);
        self.begin_explaining(id)
    }

    /// Begins the explanation of version `id`. False if it needs none, or if one is already running: two would use the same hidden
    /// names.
    pub fn begin_explaining(&mut self, id: i64) -> Result<bool, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT 1 FROM versions WHERE id = ?1 AND NOT is_explained AND state = 'quarantined'",
        )?;
        Ok(query.exists([id])? && self.explaining.under_way.insert(id))
    }

    /// Ends the explanation of version `id`, which failed. Returns whether it failed for the first time.
    pub fn fail_explaining(&mut self, id: i64) -> bool {
        let Explaining { under_way, failed } = &mut self.explaining;
        under_way.remove(&id);
        if failed.len() >= FAILED_MAX {
            failed.clear();
        }
        failed.insert(id)
    }

    /// Notes that the reason of version `id` was left for the photographer.
    pub fn explained(&mut self, id: i64) -> Result<(), LedgerError> {
        self.explaining.under_way.remove(&id);
        self.explaining.failed.remove(&id);
        self.connection
            .prepare_cached("UPDATE versions SET is_explained = 1 WHERE id = ?1")?
            .execute([id])?;
        Ok(())
    }

    /// Returns the quarantined versions of `folder`, from the row after `after`, that a crash or an unwritable folder has left
    /// unexplained. If there are more, also returns the row after which they follow.
    pub fn unexplained(
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

#[cfg(test)]
mod tests {
    use super::super::costs::long_ledger;
    use super::super::tests::{ARRIVAL, begin, plain, version};
    use super::*;
    use crate::config::OnSameName;

    /// P10: fails when a reason that a crash has withheld from the photographer is forgotten, or when a reason is left twice.
    #[test]
    fn a_quarantined_version_is_unexplained_until_somebody_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = SqliteLedger::open(dir.path()).unwrap();
        let photo = version("a.jpg", 1);
        let begun = begin(&mut ledger, &photo);
        assert!(ledger.unexplained("products", 0).unwrap().0.is_empty());
        let reason = "no subject found".to_owned();
        ledger
            .end(begun.id, &AttemptResult::Quarantined { reason })
            .unwrap();
        drop(ledger);
        let mut ledger = SqliteLedger::open(dir.path()).unwrap();
        ledger.recover().unwrap();
        let (left, _) = ledger.unexplained("products", 0).unwrap();
        let [late] = &left[..] else {
            panic!("one, not {left:?}")
        };
        assert_eq!(
            (late.id, late.reason.as_str()),
            (begun.id, "no subject found")
        );
        assert!(late.version.stamp.same_version(&photo.stamp));
        assert!(ledger.unexplained("portraits", 0).unwrap().0.is_empty());
        ledger.explained(begun.id).unwrap();
        assert!(ledger.unexplained("products", 0).unwrap().0.is_empty());
    }

    /// P4: fails when two explanations of one photo run at once, or when one follows a finished one: both would move it under one
    /// hidden name. Also fails when a reload restores its name meanwhile.
    #[test]
    fn one_at_a_time_explains_a_version() {
        let mut ledger = SqliteLedger::in_memory().unwrap();
        let begun = begin(&mut ledger, &version("a.jpg", 1));
        assert!(!ledger.begin_explaining(begun.id).unwrap(), "in work");
        let reason = "no subject found".to_owned();
        assert!(ledger.quarantine(begun.id, reason).unwrap());
        assert!(!ledger.begin_explaining(begun.id).unwrap(), "somebody is");
        let photo = version("a.jpg", 1);
        ledger
            .connection
            .execute_batch("UPDATE versions SET state = 'waiting'")
            .unwrap();
        let photos = [photo.clone()];
        let unfinished = ledger.unfinished(&photos, OnSameName::Number).unwrap();
        assert_eq!(unfinished, [false], "a retry waits until it has its name");
        let outputs = plain("/out/a.png");
        let attempt = ledger.begin(&photo, ARRIVAL, "u2net", &outputs).unwrap();
        assert_eq!(attempt, None);
        ledger
            .connection
            .execute_batch("UPDATE versions SET state = 'quarantined'")
            .unwrap();
        assert!(ledger.half_retired("products").unwrap().is_empty());
        assert!(ledger.fail_explaining(begun.id), "news");
        assert_eq!(ledger.half_retired("products").unwrap().len(), 1);
        assert!(
            ledger.begin_explaining(begun.id).unwrap(),
            "that one failed"
        );
        assert!(!ledger.fail_explaining(begun.id), "no news");
        assert!(ledger.begin_explaining(begun.id).unwrap());
        ledger.explained(begun.id).unwrap();
        assert!(!ledger.begin_explaining(begun.id).unwrap(), "told");
    }

    /// P10: fails when photos whose reason cannot be left keep others from being explained.
    #[test]
    fn unexplained_versions_come_in_pages() {
        let mut ledger = long_ledger();
        ledger
            .connection
            .execute_batch(
                "UPDATE versions SET state = 'quarantined', is_explained = 0 WHERE id <= 1500",
            )
            .unwrap();
        let (first, next) = ledger.unexplained("products", 0).unwrap();
        assert_eq!((first.len(), next), (1_000, Some(1_000)));
        let (second, next) = ledger.unexplained("products", 1_000).unwrap();
        assert_eq!((second.len(), second[0].id, next), (500, 1_001, None));
    }
}
