//! Reasons of failures that must be left for the photographer.

use super::{Subject, begin, version};
use crate::ledger::AttemptResult;

/// P10: fails when a reason that a crash has withheld from the photographer is forgotten, or when a reason is left twice.
pub(crate) fn a_quarantined_version_is_unexplained_until_somebody_is_told(
    subject: &mut dyn Subject,
) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    let begun = begin(&mut *ledger, &photo);
    assert!(ledger.unexplained("products", 0).unwrap().0.is_empty());
    let reason = "no subject found".to_owned();
    ledger
        .end(begun.hold, &AttemptResult::Quarantined { reason })
        .unwrap();
    drop(ledger);
    let mut ledger = subject.open();
    ledger.recover().unwrap();
    let (left, _) = ledger.unexplained("products", 0).unwrap();
    let [late] = &left[..] else {
        panic!("one, not {left:?}")
    };
    assert_eq!(
        (late.id, late.reason.as_str()),
        (begun.hold.id, "no subject found")
    );
    assert!(late.version.stamp.same_version(&photo.stamp));
    assert!(ledger.unexplained("portraits", 0).unwrap().0.is_empty());
    ledger.explained(begun.hold.id).unwrap();
    assert!(ledger.unexplained("products", 0).unwrap().0.is_empty());
}
