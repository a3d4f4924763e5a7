//! Measures the cost of each frequent query of a start, a listing, `status` or forgetting on a long ledger. Does not check the
//! results.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sqlite_ledger::SqliteLedger;
use crate::ledger::conformance::version;
use crate::ledger::{
    ExplanationStore as _, ForgetStore as _, Forgotten, NameStore as _, OldCursor,
    RecoveryStore as _, SummaryStore as _,
};

/// Versions in the ledger; most are done, and one in a thousand is quarantined.
const VERSIONS: u32 = 50_000;

pub(crate) fn long_ledger() -> SqliteLedger {
    let ledger = SqliteLedger::in_memory().unwrap();
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {VERSIONS})"
    );
    let fill = format!(
        "INSERT INTO versions (folder, source, len, mtime_ns, ino, state, model, begun_at_ms, ended_at_ms)
            {numbers} SELECT 'products', CAST(n || '.jpg' AS BLOB), 10, n, -n,
                iif(n % 1000 = 7, 'quarantined', 'done'), 'u2net', n, n FROM numbers;
        INSERT INTO outputs SELECT id, 0, CAST('/out/' || id || '.png' AS BLOB), 'png' FROM versions;
        INSERT INTO names (output, folded, folder, source, name)
            {numbers} SELECT CAST('/out' AS BLOB), CAST(n || '.png' AS BLOB), 'products', CAST(n || '.jpg' AS BLOB),
                CAST(n || '.png' AS BLOB) FROM numbers;"
    );
    ledger.connection.execute_batch(&fill).unwrap();
    ledger
}

/// Fails when a query scans the whole ledger, because an index is missing or `SQLite` chooses another one. With a million photos a
/// start, each listing or `status` would then take seconds and delay photos.
#[test]
fn what_is_asked_often_does_not_walk_the_ledger() {
    type Ask = fn(&mut SqliteLedger);
    let asks: [(&str, Ask); 10] = [
        ("counts", |db| {
            assert_eq!(db.counts("products").unwrap().quarantined, 50);
        }),
        ("quarantined", |db| {
            assert_eq!(db.quarantined("products").unwrap().len(), 50);
        }),
        ("quarantined_after", |db| {
            let last = Path::new("2");
            drop(db.quarantined_after("products", last, 20).unwrap());
        }),
        ("half_retired", |db| {
            drop(db.half_retired("products").unwrap());
        }),
        ("unexplained", |db| {
            drop(db.unexplained("products", 0).unwrap());
        }),
        ("recover", |db| drop(db.recover().unwrap())),
        ("refund_running", |db| db.refund_running().unwrap()),
        ("names_of", |db| {
            let photo = version("77.jpg", 77);
            assert_eq!(db.names_of(&photo, None, "/out".as_ref()).unwrap().len(), 1);
        }),
        ("former_name", |db| {
            drop(db.former_name(&version("new.jpg", 77)).unwrap());
        }),
        ("forget", |db| {
            let cursor = OldCursor::default();
            let (old, _) = db.old_versions("products", i64::MAX, &cursor, 20).unwrap();
            let forgotten = old.into_iter().map(|old| Forgotten {
                old,
                is_path_free: true,
            });
            let forgotten: Vec<_> = forgotten.collect();
            assert_eq!(db.forget(&forgotten).unwrap(), 20);
        }),
    ];
    let mut ledger = long_ledger();
    let operations = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&operations);
    let count = move || {
        counter.fetch_add(100, Ordering::Relaxed);
        // Continue.
        false
    };
    ledger
        .connection
        .progress_handler(100, Some(count))
        .unwrap();
    for (what, ask) in asks {
        operations.store(0, Ordering::Relaxed);
        ask(&mut ledger);
        let cost = operations.load(Ordering::Relaxed);
        assert!(
            cost < u64::from(VERSIONS) / 4,
            "{what}: {cost} operations for {VERSIONS} versions"
        );
    }
}
