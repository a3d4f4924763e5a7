//! Explanations that run at the same time, and more of them than one page holds.

use super::super::costs::long_ledger;
use super::*;
use crate::config::OnSameName;
use crate::ledger::RecoveryStore as _;
use crate::ledger::conformance::{ARRIVAL, begin, plain, version};
use crate::ledger::sqlite::sqlite_ledger::SqliteLedger;

/// P4: fails when two explanations of one photo run at once, or when one follows a finished one: both would move it under one
/// hidden name. Also fails when a reload restores its name meanwhile.
#[test]
fn one_at_a_time_explains_a_version() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    let begun = begin(&mut ledger, &version("a.jpg", 1));
    assert!(!ledger.begin_explaining(begun.hold.id).unwrap(), "in work");
    let reason = "no subject found".to_owned();
    assert!(ledger.quarantine(begun.hold, reason).unwrap());
    assert!(
        !ledger.begin_explaining(begun.hold.id).unwrap(),
        "somebody is"
    );
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
    assert!(ledger.fail_explaining(begun.hold.id), "news");
    assert_eq!(ledger.half_retired("products").unwrap().len(), 1);
    assert!(
        ledger.begin_explaining(begun.hold.id).unwrap(),
        "that one failed"
    );
    assert!(!ledger.fail_explaining(begun.hold.id), "no news");
    assert!(ledger.begin_explaining(begun.hold.id).unwrap());
    ledger.explained(begun.hold.id).unwrap();
    assert!(!ledger.begin_explaining(begun.hold.id).unwrap(), "told");
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
