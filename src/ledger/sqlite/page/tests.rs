//! Tests pages of a real `SQLite` file: their content, their cost, and concurrent writes.

use rusqlite::{StatementStatus, params_from_iter};

use super::super::sql_error::code;
use super::super::sqlite_ledger::SqliteLedger;
use super::*;
use crate::ledger::conformance::page::ask;
use crate::ledger::conformance::{begin, version};
use crate::ledger::{AttemptResult, AttemptStore as _};

const STATES: [Option<PhotoState>; 8] = [
    None,
    Some(PhotoState::Running),
    Some(PhotoState::Waiting),
    Some(PhotoState::Placed),
    Some(PhotoState::Done),
    Some(PhotoState::Quarantined),
    Some(PhotoState::Ignored),
    Some(PhotoState::Superseded),
];

/// A ledger of 100,000 versions. Most are done and of one folder; the other folder and states are rare and old.
fn long_ledger() -> SqliteLedger {
    let ledger = SqliteLedger::in_memory().unwrap();
    let fill = "INSERT INTO versions (folder, source, len, mtime_ns, ino, state, attempts, model, begun_at_ms)
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
        SELECT iif(n % 1000 = 7 AND n < 50000, 'rare', 'products'), CAST(n || '.jpg' AS BLOB), 10, n, n,
            CASE WHEN n > 60000 OR n % 500 <> 7 THEN 'done' WHEN n % 3500 < 500 THEN 'running'
                WHEN n % 3500 < 1000 THEN 'waiting' WHEN n % 3500 < 1500 THEN 'placed'
                WHEN n % 3500 < 2000 THEN 'quarantined' WHEN n % 3500 < 2500 THEN 'ignored' ELSE 'superseded' END,
            1, 'u2net', n FROM numbers";
    ledger.connection.execute(fill, []).unwrap();
    ledger
}

/// The cost of `query`: its plan, its steps in the `SQLite` machine, and its number of rows.
fn cost(ledger: &SqliteLedger, query: &PhotoQuery) -> (String, i32, usize) {
    let mut values: Vec<rusqlite::types::Value> = vec![query.before.unwrap_or(i64::MAX).into()];
    values.extend(query.folder.clone().map(Into::into));
    values.extend(query.state.map(|state| state.word().to_owned().into()));
    values.push(i64::from(query.count).into());
    let explain = format!("EXPLAIN QUERY PLAN {}", sql(query));
    let mut plan = ledger.connection.prepare(&explain).unwrap();
    let lines = plan.query_map(params_from_iter(&values), |row| row.get::<_, String>(3));
    let plan = lines.unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    let mut statement = ledger.connection.prepare(&sql(query)).unwrap();
    let rows = statement.query_map(params_from_iter(&values), photo_row);
    let count = rows.unwrap().map(Result::unwrap).count();
    (
        plan.join("; "),
        statement.get_status(StatementStatus::VmStep),
        count,
    )
}

/// Fails when any choice of filters scans or sorts the ledger, because an index is missing or the planner takes another one. A page
/// of 50 rows takes about 1,000 steps, and the ledger has 100,000 rows.
#[test]
fn a_page_costs_the_page_and_not_the_ledger() {
    let ledger = long_ledger();
    let mut filled = 0;
    for folder in [None, Some("products"), Some("rare"), Some("none")] {
        for state in STATES {
            for before in [None, Some(90_000), Some(30_000), Some(1)] {
                let query = ask(folder, state, before, 50);
                let (plan, steps, rows) = cost(&ledger, &query);
                assert!(
                    plan.starts_with("SEARCH versions USING ")
                        && !plan.contains("SCAN")
                        && !plan.contains("B-TREE"),
                    "{query:?}: {plan}"
                );
                let allowed = 100 + 25 * i32::try_from(rows).unwrap();
                assert!(steps <= allowed, "{query:?}: {steps} steps for {rows} rows");
                filled += usize::from(rows > 0);
            }
        }
    }
    assert!(filled > 40, "the ledger is too even: {filled}");
}

/// Fails when a photo is missing between two pages, listed twice, or listed although the query excludes it.
#[test]
fn pages_tell_each_photo_once_the_newest_first() {
    let mut ledger = long_ledger();
    for folder in [None, Some("rare")] {
        for state in [None, Some(PhotoState::Done), Some(PhotoState::Waiting)] {
            let (mut told, mut before) = (Vec::new(), None);
            for _ in 0..600 {
                let page = ledger.photos(&ask(folder, state, before, 1_000)).unwrap();
                assert!(page.len() <= PAGE_MAX as usize);
                let Some(last) = page.last() else { break };
                before = Some(last.id);
                told.extend(page);
            }
            assert!(
                told.iter()
                    .all(|row| state.is_none_or(|state| row.state == state)
                        && folder.is_none_or(|folder| row.folder == folder))
            );
            assert!(told.windows(2).all(|pair| pair[0].id > pair[1].id));
            let count = "SELECT count(*) FROM versions WHERE (?1 IS NULL OR folder = ?1) AND (?2 IS NULL OR state = ?2)";
            let values = rusqlite::params![folder, state.map(PhotoState::word)];
            let count: i64 = ledger
                .connection
                .query_row(count, values, |row| row.get(0))
                .unwrap();
            assert_eq!(i64::try_from(told.len()), Ok(count), "{folder:?} {state:?}");
        }
    }
}

/// P8: fails when a reader can change the ledger, delays the daemon, or does not see its writes.
#[test]
fn a_reader_sees_what_the_daemon_writes_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert!(read_only(dir.path()).unwrap().is_none());
    assert!(!dir.path().join("ledger.db").exists());
    let mut daemon = SqliteLedger::open(dir.path()).unwrap();
    let mut reader = read_only(dir.path()).unwrap().unwrap();
    assert_eq!(reader.id(), daemon.id());
    let all = ask(None, None, None, 200);
    // A running read and an uncommitted write do not wait for each other.
    reader.connection.execute_batch("BEGIN").unwrap();
    assert_eq!(reader.photos(&all).unwrap(), []);
    let begun = begin(&mut daemon, &version("a.jpg", 1));
    daemon.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(reader.photos(&all).unwrap(), [], "it reads one moment");
    reader.connection.execute_batch("COMMIT").unwrap();
    assert_eq!(reader.photos(&all).unwrap().len(), 1);
    daemon.connection.execute_batch("COMMIT").unwrap();
    let refused = reader.end(begun.hold, &AttemptResult::Done);
    let refused = refused.as_ref().err().and_then(code);
    assert_eq!(refused, Some(rusqlite::ErrorCode::ReadOnly));
    let elsewhere = std::thread::spawn(move || reader.photos(&all).unwrap());
    daemon.end(begun.hold, &AttemptResult::Done).unwrap();
    assert_eq!(elsewhere.join().unwrap().len(), 1);
    drop(daemon);
    let mut alone = read_only(dir.path()).unwrap().unwrap();
    let row = alone.photo(begun.hold.id).unwrap().unwrap();
    assert_eq!(row.state, PhotoState::Done);
}

/// Fails when a reader changes an older ledger or accepts a later one, or when an older ledger lacks the indices after the daemon
/// has opened it.
#[test]
fn a_reader_does_not_migrate() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = SqliteLedger::open(dir.path()).unwrap();
    let undo = "DROP INDEX versions_of_folder; DROP INDEX versions_of_state; DROP INDEX versions_of_folder_and_state;
        DROP INDEX versions_of_file; DROP INDEX versions_of_source;
        ALTER TABLE versions DROP COLUMN is_redo; ALTER TABLE versions DROP COLUMN born_ns; DROP TABLE counts; DROP TRIGGER version_inserted;
        DROP TRIGGER version_deleted; DROP TRIGGER version_changed; DROP TABLE outputs; DROP TRIGGER outputs_deleted;
        ALTER TABLE versions DROP COLUMN claim;
        ALTER TABLE versions ADD COLUMN output BLOB NOT NULL DEFAULT '';";
    daemon.connection.execute_batch(undo).unwrap();
    let set = |version: u32| {
        let pragma = daemon
            .connection
            .pragma_update(None, "user_version", version);
        pragma.unwrap();
    };
    set(3);
    assert!(read_only(dir.path()).unwrap().is_none());
    let found = "PRAGMA user_version";
    let found = daemon.connection.query_row(found, [], |row| row.get(0));
    assert_eq!(found, Ok(3_u32));
    set(99);
    let later = read_only(dir.path());
    assert!(matches!(
        later,
        Err(LedgerError::FromTheFuture { found: 99 })
    ));
    set(3);
    let mut migrated = SqliteLedger::open(dir.path()).unwrap();
    assert_eq!(
        migrated
            .photos(&ask(Some("a"), Some(PhotoState::Done), None, 1))
            .unwrap(),
        []
    );
}
