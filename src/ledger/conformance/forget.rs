//! Versions that ended long ago: which are listed, and which may be removed.

use super::{Subject, begin, version};
use crate::config::OnSameName;
use crate::ledger::{AttemptResult, Begun, Forgotten, LedgerStore, OldCursor, OldVersion, Version};

pub(crate) fn ended(
    ledger: &mut dyn LedgerStore,
    version: &Version,
    result: &AttemptResult,
) -> Begun {
    let begun = begin(ledger, version);
    ledger.end(begun.hold, result).unwrap();
    begun
}

/// Returns all versions that ended before now, read in pages of two.
pub(crate) fn old(ledger: &mut dyn LedgerStore) -> Vec<OldVersion> {
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

pub(crate) fn sources(old: &[OldVersion]) -> Vec<String> {
    let source = |old: &OldVersion| old.version.source.display().to_string();
    old.iter().map(source).collect()
}

pub(crate) fn forget(ledger: &mut dyn LedgerStore, old: Vec<OldVersion>) -> usize {
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
pub(crate) fn old_versions_are_those_that_ended_long_ago(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
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
        ended(&mut *ledger, &version(source, 1), result);
    }
    begin(&mut *ledger, &version("running", 1));
    let retired = ended(
        &mut *ledger,
        &version("retired", 1),
        &AttemptResult::Retired,
    );
    let found = old(&mut *ledger);
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
            .all(|old| old.is_retired == (old.id == retired.hold.id))
    );
    let cursor = OldCursor::default();
    let (none, _) = ledger.old_versions("products", 1_000, &cursor, 9).unwrap();
    assert_eq!(sources(&none), [] as [&str; 0]);
}

/// P2: fails when the name of a photo is removed that was corrected a moment ago and is not recorded yet.
pub(crate) fn a_version_whose_path_another_photo_has_waits_for_its_record(
    subject: &mut dyn Subject,
) {
    let mut ledger = subject.open();
    ended(&mut *ledger, &version("a.jpg", 1), &AttemptResult::Done);
    let listed = old(&mut *ledger).remove(0);
    let replaced = Forgotten {
        old: listed,
        is_path_free: false,
    };
    let replaced = std::slice::from_ref(&replaced);
    assert_eq!(ledger.forget(replaced).unwrap(), 0);
    ended(&mut *ledger, &version("a.jpg", 2), &AttemptResult::Done);
    assert_eq!(ledger.forget(replaced).unwrap(), 1);
    assert_eq!(ledger.counts("products").unwrap().done, 1);
}

/// P1: fails when a version is forgotten that was resumed meanwhile, or before an earlier version of its source, which would count
/// as done if it came back.
pub(crate) fn a_version_is_forgotten_only_as_it_was_listed_and_the_earliest_first(
    subject: &mut dyn Subject,
) {
    let mut ledger = subject.open();
    let (first, second) = (version("a.jpg", 1), version("a.jpg", 2));
    ended(&mut *ledger, &first, &AttemptResult::Done);
    ended(&mut *ledger, &second, &AttemptResult::Done);
    let found = old(&mut *ledger);
    assert_eq!(forget(&mut *ledger, found[1..].to_vec()), 0);
    let unfinished = ledger.unfinished(std::slice::from_ref(&first), OnSameName::Replace);
    assert_eq!(unfinished.unwrap(), [true]);
    begin(&mut *ledger, &first);
    assert_eq!(
        forget(&mut *ledger, found[..1].to_vec()),
        0,
        "it is running"
    );
    assert_eq!(old(&mut *ledger).len(), 1);
}
