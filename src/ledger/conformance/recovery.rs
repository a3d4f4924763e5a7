//! Recovery: unfinished work is found after a crash.

use std::path::{Path, PathBuf};

use super::{ARRIVAL, Subject, begin, plain, version};
use crate::ledger::{AttemptResult, Interrupted, LedgerStore};

/// P5 and P8: fails when a power cut counts against a photo, or when a photo that always kills the daemon is never counted.
pub(crate) fn deaths_of_the_daemon_are_forgiven_up_to_a_limit(subject: &mut dyn Subject) {
    let photo = version("a.jpg", 1);
    let mut attempts = Vec::new();
    for _ in 0..12 {
        let mut ledger = subject.open();
        ledger.recover().unwrap();
        attempts.push(begin(&mut *ledger, &photo).attempt);
        // Dropped during the attempt, as by SIGKILL.
    }
    assert_eq!(attempts, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4]);
}

pub(crate) fn recovery_names_what_was_being_written(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let begun = begin(&mut *ledger, &version("a.jpg", 1));
    drop(ledger);
    let mut ledger = subject.open();
    assert_eq!(
        ledger.recover().unwrap(),
        [Interrupted {
            folder: "products".to_owned(),
            id: begun.hold.id,
            number: 0,
            output: "/out/a.png".into(),
        }]
    );
    assert_eq!(ledger.recover().unwrap(), []);
}

/// P2: fails when a crash, or a shutdown that does not wait, makes the ledger forget a placed cutout.
pub(crate) fn a_version_whose_cutout_is_placed_has_only_its_source_left_to_do(
    subject: &mut dyn Subject,
) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    let begun = begin(&mut *ledger, &photo);
    assert_eq!(
        ledger.take_unretired(&photo).unwrap(),
        None,
        "not placed yet"
    );
    ledger.placed(begun.hold, &[7; 32]).unwrap();
    assert_eq!(
        ledger.take_unretired(&photo).unwrap(),
        None,
        "somebody is at work on it"
    );
    ledger.end(begun.hold, &AttemptResult::Placed).unwrap();
    let expected = (1, vec![PathBuf::from("/out/a.png")], [7; 32]);
    let take = |ledger: &mut dyn LedgerStore| {
        let taken = ledger.take_unretired(&photo).unwrap()?;
        Some((taken.begun.attempt, taken.outputs, taken.sha256))
    };
    assert_eq!(take(&mut *ledger), Some(expected.clone()));
    // Dropped while it is retired, as by SIGKILL.
    drop(ledger);
    let mut ledger = subject.open();
    ledger.recover().unwrap();
    assert_eq!(take(&mut *ledger), Some(expected.clone()));
    ledger.refund_running().unwrap();
    assert_eq!(take(&mut *ledger), Some(expected));
}

/// P2: fails when a touched photo counts twice, or when a photo that came after another was moved away counts as that one.
pub(crate) fn a_touched_photo_keeps_its_row(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let (photo, touched) = (version("a.jpg", 1), version("a.jpg", 2));
    let outputs = plain("/out/a.png");
    let begun = begin(&mut *ledger, &photo);
    ledger.placed(begun.hold, &[7; 32]).unwrap();
    let take = |ledger: &mut dyn LedgerStore, sha256| {
        ledger.take_touched(&touched, &outputs, &sha256).unwrap()
    };
    assert_eq!(take(&mut *ledger, [7; 32]), None, "it is in work");
    ledger.end(begun.hold, &AttemptResult::Done).unwrap();
    assert_eq!(take(&mut *ledger, [8; 32]), None, "other content");
    let taken = take(&mut *ledger, [7; 32]).expect("its outputs are valid");
    assert_eq!((taken.hold.id, taken.attempt), (begun.hold.id, 1));
    ledger.end(taken.hold, &AttemptResult::Retired).unwrap();
    assert_eq!(ledger.counts("products").unwrap().done, 1);
    let history = ledger.history("products", Path::new("a.jpg")).unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].stamp.mtime_ns, 2);
    assert_eq!(take(&mut *ledger, [7; 32]), None, "that one was moved away");
}

/// P1: fails when a version that was placed, replaced and has come back counts as the one in place.
pub(crate) fn a_version_that_is_begun_again_has_no_cutout_yet(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let (first, second) = (version("a.jpg", 1), version("a.jpg", 2));
    let begun = begin(&mut *ledger, &first);
    ledger.placed(begun.hold, &[7; 32]).unwrap();
    ledger.end(begun.hold, &AttemptResult::Placed).unwrap();
    begin(&mut *ledger, &second);
    begin(&mut *ledger, &first);
    ledger.recover().unwrap();
    assert_eq!(ledger.take_unretired(&first).unwrap(), None);
}

/// P2, P3: fails when an output of an interrupted attempt is not named, or one that the attempt was not to make.
pub(crate) fn recovery_names_each_output(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    let two = [plain("/out/a.png"), plain("/shop/a.png")].concat();
    for outputs in [&two[..], &two[..1]] {
        let begun = ledger.begin(&photo, ARRIVAL, "u2net", outputs).unwrap();
        let id = begun.expect("nobody is at work on it").hold.id;
        let found = ledger.recover().unwrap();
        let expected = (0..).zip(outputs).map(|(number, output)| Interrupted {
            folder: "products".to_owned(),
            id,
            number,
            output: output.path.clone(),
        });
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

/// P2: fails when a version counts as done that was not left with its source to do.
pub(crate) fn only_a_placed_version_is_retired_late(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let hold = begin(&mut *ledger, &version("a.jpg", 1)).hold;
    assert!(!ledger.retired_late(hold.id).unwrap(), "it is in work");
    ledger.placed(hold, &[7; 32]).unwrap();
    ledger.end(hold, &AttemptResult::Placed).unwrap();
    assert_eq!(ledger.half_retired("products").unwrap().len(), 1);
    assert!(ledger.retired_late(hold.id).unwrap());
    assert!(ledger.half_retired("products").unwrap().is_empty());
    assert!(!ledger.retired_late(hold.id).unwrap(), "it is done");
}
