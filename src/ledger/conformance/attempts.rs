//! Attempts: they count, end and are not made twice.

use std::path::Path;

use super::{ARRIVAL, Subject, begin, is_unfinished, plain, version};
use crate::ledger::{AttemptResult, LedgerStore, Version};

/// P5: fails when an attempt is not counted before its worker gets the photo, or when a failure of the environment is counted.
pub(crate) fn attempts_count_from_the_beginning_and_are_given_back_when_the_environment_failed(
    subject: &mut dyn Subject,
) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    let first = begin(&mut *ledger, &photo);
    ledger.end(first.hold, &AttemptResult::Waiting).unwrap();
    let second = begin(&mut *ledger, &photo);
    assert_eq!(
        (second.hold.id, first.attempt, second.attempt),
        (first.hold.id, 1, 2)
    );
    ledger.end(second.hold, &AttemptResult::Refunded).unwrap();
    assert_eq!(begin(&mut *ledger, &photo).attempt, 2);
    ledger.refund_running().unwrap();
    assert_eq!(begin(&mut *ledger, &photo).attempt, 2);
}

/// P2: fails when a finished version is resumed, or an unfinished one is not.
pub(crate) fn only_final_results_finish_a_version(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let reason = || "why".to_owned();
    let results = [
        (AttemptResult::Placed, true),
        (AttemptResult::Done, false),
        (AttemptResult::Waiting, true),
        (AttemptResult::Refunded, true),
        (AttemptResult::Quarantined { reason: reason() }, false),
        (AttemptResult::Ignored { reason: reason() }, false),
        (AttemptResult::Superseded, true),
    ];
    for (number, (result, expected)) in (0..).zip(results) {
        let photo = version("a.jpg", number);
        assert!(is_unfinished(&mut *ledger, &photo), "not begun yet");
        let begun = begin(&mut *ledger, &photo);
        assert!(
            !is_unfinished(&mut *ledger, &photo),
            "somebody is at work on it"
        );
        ledger.end(begun.hold, &result).unwrap();
        assert_eq!(is_unfinished(&mut *ledger, &photo), expected, "{result:?}");
    }
}

/// P1: fails when a version that was done, was replaced and comes back with its old stamp counts as the one in place.
pub(crate) fn a_version_that_comes_back_after_its_successor_is_unfinished(
    subject: &mut dyn Subject,
) {
    let mut ledger = subject.open();
    let (first, second) = (version("a.jpg", 1), version("a.jpg", 2));
    let done = |ledger: &mut dyn LedgerStore, version: &Version| {
        let begun = begin(ledger, version);
        ledger.end(begun.hold, &AttemptResult::Done).unwrap();
    };
    done(&mut *ledger, &first);
    assert!(!is_unfinished(&mut *ledger, &first));
    done(&mut *ledger, &second);
    assert!(is_unfinished(&mut *ledger, &first), "its cutout is gone");
    assert!(!is_unfinished(&mut *ledger, &second));
    done(&mut *ledger, &first);
    assert!(!is_unfinished(&mut *ledger, &first));
    assert!(is_unfinished(&mut *ledger, &second));
}

/// P2, P3: fails when two jobs may work on one version, since they would write one temporary file.
pub(crate) fn a_version_that_is_running_is_not_begun_again(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    let begun = begin(&mut *ledger, &photo);
    let second = ledger.begin(&photo, ARRIVAL, "u2net", &plain("/elsewhere/a.png"));
    assert_eq!(second.unwrap(), None);
    ledger.end(begun.hold, &AttemptResult::Waiting).unwrap();
    assert_eq!(begin(&mut *ledger, &photo).attempt, 2);
}

/// P6: fails when a folder that is paused for weeks fills the ledger with its attempts.
pub(crate) fn of_attempts_that_do_not_count_the_last_one_is_kept(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    let counted = begin(&mut *ledger, &photo);
    ledger
        .fail(counted.hold, &AttemptResult::Waiting, "crashed")
        .unwrap();
    for turn in 0..5 {
        let begun = begin(&mut *ledger, &photo);
        ledger
            .fail(begun.hold, &AttemptResult::Refunded, &turn.to_string())
            .unwrap();
    }
    let history = ledger.history("products", Path::new("a.jpg")).unwrap();
    let [only] = &history[..] else {
        panic!("one version, not {history:?}")
    };
    let told: Vec<_> = only
        .failures
        .iter()
        .map(|failed| (failed.is_counted, failed.reason.as_str()))
        .collect();
    assert_eq!(told, [(true, "crashed"), (false, "4")]);
    assert_eq!(only.attempts, 1);
}
