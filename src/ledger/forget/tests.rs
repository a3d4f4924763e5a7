//! Tests which versions may be removed from a ledger, and which records go with them.

use super::super::tests::{ARRIVAL, begin, plain, under, version};
use super::super::{AttemptResult, Begun};
use super::*;
use crate::config::OnSameName;

fn ended(ledger: &mut SqliteLedger, version: &Version, result: &AttemptResult) -> Begun {
    let begun = begin(ledger, version);
    ledger.end(begun.id, result).unwrap();
    begun
}

/// Returns all versions that ended before now, read in pages of two.
fn old(ledger: &mut SqliteLedger) -> Vec<OldVersion> {
    let (mut all, mut cursor) = (Vec::new(), OldCursor::default());
    loop {
        let (found, next) = ledger
            .old_versions("products", i64::MAX, &cursor, 2)
            .unwrap();
        all.extend(found);
        match next {
            Some(next) => cursor = next,
            None => return all,
        }
    }
}

fn sources(old: &[OldVersion]) -> Vec<String> {
    let source = |old: &OldVersion| old.version.source.display().to_string();
    old.iter().map(source).collect()
}

fn forget(ledger: &mut SqliteLedger, old: Vec<OldVersion>) -> usize {
    let forgotten: Vec<_> = old
        .into_iter()
        .map(|old| Forgotten {
            old,
            is_path_free: true,
        })
        .collect();
    ledger.forget(&forgotten).unwrap()
}

/// P1: fails when a version with work left is offered for removal, when a version between two pages is left out, or when a version
/// that ended recently counts as old.
#[test]
fn old_versions_are_those_that_ended_long_ago() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    let reason = || "why".to_owned();
    let results = [
        ("placed", AttemptResult::Placed),
        ("waiting", AttemptResult::Waiting),
        ("done", AttemptResult::Done),
        ("done too", AttemptResult::Done),
        ("done as well", AttemptResult::Done),
        (
            "quarantined",
            AttemptResult::Quarantined { reason: reason() },
        ),
        ("ignored", AttemptResult::Ignored { reason: reason() }),
        ("superseded", AttemptResult::Superseded),
    ];
    for (source, result) in &results {
        ended(&mut ledger, &version(source, 1), result);
    }
    begin(&mut ledger, &version("running", 1));
    let retired = ended(&mut ledger, &version("retired", 1), &AttemptResult::Done);
    ledger.retire(retired.id).unwrap();
    let found = old(&mut ledger);
    assert_eq!(
        sources(&found),
        [
            "done",
            "done too",
            "done as well",
            "retired",
            "superseded",
            "ignored",
            "quarantined",
            "waiting"
        ]
    );
    assert!(
        found
            .iter()
            .all(|old| old.is_retired == (old.id == retired.id))
    );
    let cursor = OldCursor::default();
    let (none, _) = ledger.old_versions("products", 1_000, &cursor, 9).unwrap();
    assert_eq!(sources(&none), [] as [&str; 0]);
}

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
        .fail(failed.id, &AttemptResult::Waiting, "crashed")
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
    ledger.end(third.id, &AttemptResult::Done).unwrap();
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
    let failures = "SELECT count(*) FROM failures";
    let failures = ledger.connection.query_row(failures, [], |row| row.get(0));
    assert_eq!(failures, Ok(0));
    assert_eq!(ledger.counts("products").unwrap().done, 0);
}

/// P2: fails when the name of a photo is removed that was corrected a moment ago and is not recorded yet.
#[test]
fn a_version_whose_path_another_photo_has_waits_for_its_record() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    ended(&mut ledger, &version("a.jpg", 1), &AttemptResult::Done);
    let listed = old(&mut ledger).remove(0);
    let replaced = Forgotten {
        old: listed,
        is_path_free: false,
    };
    let replaced = std::slice::from_ref(&replaced);
    assert_eq!(ledger.forget(replaced).unwrap(), 0);
    ended(&mut ledger, &version("a.jpg", 2), &AttemptResult::Done);
    assert_eq!(ledger.forget(replaced).unwrap(), 1);
    assert_eq!(ledger.counts("products").unwrap().done, 1);
}

/// P1: fails when a version is forgotten that was resumed meanwhile, or before an earlier version of its source, which would count
/// as done if it came back.
#[test]
fn a_version_is_forgotten_only_as_it_was_listed_and_the_earliest_first() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    let (first, second) = (version("a.jpg", 1), version("a.jpg", 2));
    ended(&mut ledger, &first, &AttemptResult::Done);
    ended(&mut ledger, &second, &AttemptResult::Done);
    let found = old(&mut ledger);
    assert_eq!(forget(&mut ledger, found[1..].to_vec()), 0);
    let unfinished = ledger.unfinished(std::slice::from_ref(&first), OnSameName::Replace);
    assert_eq!(unfinished.unwrap(), [true]);
    begin(&mut ledger, &first);
    assert_eq!(forget(&mut ledger, found[..1].to_vec()), 0, "it is running");
    assert_eq!(old(&mut ledger).len(), 1);
}
