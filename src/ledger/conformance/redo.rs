//! Photos that are cut out again at a user's request.

use super::{Subject, begin, version};
use crate::config::OnSameName;
use crate::ledger::AttemptResult;

/// P2: fails when a photo to be cut out again counts as done, when a photo that was replaced since comes back, or when a photo
/// is cut out again for ever.
pub(crate) fn a_photo_is_cut_out_again_once(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let (old, new) = (version("a.jpg", 1), version("a.jpg", 2));
    for version in [&old, &new] {
        let begun = begin(&mut *ledger, version);
        ledger.end(begun.hold, &AttemptResult::Done).unwrap();
    }
    let done = ledger.done("products").unwrap();
    let times: Vec<_> = done
        .iter()
        .map(|photo| photo.version.stamp.mtime_ns)
        .collect();
    assert_eq!(times, [2]);
    assert!(!ledger.is_redo(&new).unwrap());
    assert!(ledger.redo(&new).unwrap());
    assert!(!ledger.redo(&new).unwrap(), "it waits already");
    assert!(ledger.is_redo(&new).unwrap());
    assert_eq!(
        ledger
            .unfinished(std::slice::from_ref(&new), OnSameName::Replace)
            .unwrap(),
        [true]
    );
    let begun = begin(&mut *ledger, &new);
    assert_eq!(begun.attempt, 1);
    ledger.end(begun.hold, &AttemptResult::Waiting).unwrap();
    assert!(
        ledger.is_redo(&new).unwrap(),
        "that attempt came to nothing"
    );
    let begun = begin(&mut *ledger, &new);
    ledger.end(begun.hold, &AttemptResult::Done).unwrap();
    assert!(!ledger.is_redo(&new).unwrap());
    assert_eq!(
        ledger.unfinished(&[new], OnSameName::Replace).unwrap(),
        [false]
    );
}
