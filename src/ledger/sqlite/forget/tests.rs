//! A forgotten photo leaves no row in any table.

use std::path::{Path, PathBuf};

use super::super::sqlite_ledger::SqliteLedger;
use crate::ledger::conformance::forget::{ended, forget, old};
use crate::ledger::conformance::{ARRIVAL, begin, plain, under, version};
use crate::ledger::{
    AttemptResult, AttemptStore as _, HistoryStore as _, NameStore as _, SummaryStore as _,
};

/// P2: fails when a forgotten version stays in a table, or when a name is removed that another version of the photo has.
#[test]
fn nothing_is_left_of_a_forgotten_photo() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    for name in ["a.png", "a-2.png"] {
        assert!(
            ledger
                .reserve("products", "a.jpg".as_ref(), &[under(name)])
                .unwrap()
        );
    }
    let failed = begin(&mut ledger, &version("a.jpg", 1));
    ledger
        .fail(failed.hold, &AttemptResult::Waiting, "crashed")
        .unwrap();
    ended(&mut ledger, &version("a.jpg", 1), &AttemptResult::Done);
    // A corrected photo of the same name.
    ended(&mut ledger, &version("a.jpg", 2), &AttemptResult::Done);
    let third = ledger.begin(
        &version("a.jpg", 3),
        ARRIVAL,
        "u2net",
        &plain("/out/a-2.png"),
    );
    let third = third.unwrap().expect("nobody is at work on it");
    ledger.end(third.hold, &AttemptResult::Done).unwrap();
    let mut found = old(&mut ledger);
    let names = |ledger: &mut SqliteLedger| {
        let owned = ledger.names_of(&version("a.jpg", 9), None, "/out".as_ref());
        let names = owned.unwrap().into_iter().map(|owned| owned.name);
        names.collect::<Vec<_>>()
    };
    for expected in [vec!["a-2.png", "a.png"], vec!["a-2.png"], vec![]] {
        assert_eq!(forget(&mut ledger, vec![found.remove(0)]), 1);
        let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
        assert_eq!(names(&mut ledger), expected);
    }
    assert!(
        ledger
            .history("products", Path::new("a.jpg"))
            .unwrap()
            .is_empty()
    );
    for table in ["failures", "outputs"] {
        let count = format!("SELECT count(*) FROM {table}");
        let count = ledger.connection.query_row(&count, [], |row| row.get(0));
        assert_eq!(count, Ok(0), "{table}");
    }
    assert_eq!(ledger.counts("products").unwrap().done, 0);
}
