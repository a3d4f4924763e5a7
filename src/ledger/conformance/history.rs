//! The history of a source.

use std::path::Path;

use super::{ARRIVAL, Subject, begin, version};
use crate::ledger::{AttemptResult, PhotoState};

/// P10: fails when a failed attempt is missing, in another order, or with another end.
pub(crate) fn a_history_tells_each_version_and_each_attempt_that_failed(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let first = begin(&mut *ledger, &version("a.jpg", 1));
    ledger
        .fail(first.hold, &AttemptResult::Waiting, "crashed")
        .unwrap();
    let second = begin(&mut *ledger, &version("a.jpg", 1));
    ledger
        .fail(second.hold, &AttemptResult::Waiting, "crashed again")
        .unwrap();
    let corrected = begin(&mut *ledger, &version("a.jpg", 2));
    ledger.end(corrected.hold, &AttemptResult::Done).unwrap();
    let history = ledger.history("products", Path::new("a.jpg")).unwrap();
    let [old, new] = &history[..] else {
        panic!("two versions, not {history:?}")
    };
    assert_eq!(
        (old.state, new.state),
        (PhotoState::Superseded, PhotoState::Done)
    );
    assert_eq!(
        (new.seen_at_ms, new.settled_at_ms),
        (Some(ARRIVAL.seen_at_ms), Some(ARRIVAL.settled_at_ms))
    );
    let told: Vec<&str> = old
        .failures
        .iter()
        .map(|failed| failed.reason.as_str())
        .collect();
    assert_eq!(told, ["crashed", "crashed again"]);
    assert!(new.failures.is_empty());
    let source = ledger.source_of(Path::new("/out/a.png")).unwrap();
    assert_eq!(source, Some(("products".to_owned(), "a.jpg".into())));
}
