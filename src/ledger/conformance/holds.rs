//! Holds: only the attempt that has a version records its result.

use super::{Subject, begin, version};
use crate::ledger::{AttemptResult, Hold, LedgerError, LedgerStore, PhotoState};

/// Every change by `hold` is refused.
#[track_caller]
fn assert_lost(ledger: &mut dyn LedgerStore, hold: Hold) {
    let reason = || "no subject found".to_owned();
    let refused = [
        ledger.placed(hold, &[7; 32]),
        ledger.placed_for_good(hold, &[7; 32]),
        ledger.end(hold, &AttemptResult::Done),
        ledger.end(hold, &AttemptResult::Retired),
        ledger.fail(hold, &AttemptResult::Waiting, "crashed"),
        ledger.quarantine(hold, reason()).map(drop),
    ];
    for refusal in refused {
        assert!(
            matches!(refusal, Err(LedgerError::Lost(id)) if id == hold.id),
            "{refusal:?}"
        );
    }
}

/// What the ledger knows of the only source, without times.
fn told(ledger: &mut dyn LedgerStore) -> Vec<(PhotoState, u32, usize)> {
    let history = ledger.history("products", "a.jpg".as_ref()).unwrap();
    let told = history.iter();
    told.map(|version| (version.state, version.attempts, version.failures.len()))
        .collect()
}

/// P2: fails when an attempt that was interrupted or ended writes over the state that it left, or over a later attempt.
pub(crate) fn an_attempt_that_is_over_records_nothing(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    let first = begin(&mut *ledger, &photo).hold;
    drop(ledger);
    let mut ledger = subject.open();
    ledger.recover().unwrap();
    assert_lost(&mut *ledger, first);
    let second = begin(&mut *ledger, &photo).hold;
    assert_eq!(first.id, second.id);
    assert_lost(&mut *ledger, first);
    assert_eq!(told(&mut *ledger), [(PhotoState::Running, 1, 1)]);
    ledger.placed(second, &[7; 32]).unwrap();
    ledger.end(second, &AttemptResult::Done).unwrap();
    assert_lost(&mut *ledger, first);
    assert_lost(&mut *ledger, second);
    assert_eq!(told(&mut *ledger), [(PhotoState::Done, 1, 1)]);
}

/// P2: fails when the attempt at a version that a later one has superseded makes it count as the one in place.
pub(crate) fn a_superseded_version_stays_so(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let old = begin(&mut *ledger, &version("a.jpg", 1)).hold;
    let new = begin(&mut *ledger, &version("a.jpg", 2)).hold;
    assert_lost(&mut *ledger, old);
    ledger.end(new, &AttemptResult::Done).unwrap();
    let states = [(PhotoState::Superseded, 1, 0), (PhotoState::Done, 1, 0)];
    assert_eq!(told(&mut *ledger), states);
}

/// P2: fails when a version whose source is left to do can be resumed by two, or when the attempt that placed it still counts.
pub(crate) fn a_placed_version_is_resumed_once(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    let placing = begin(&mut *ledger, &photo).hold;
    ledger.placed(placing, &[7; 32]).unwrap();
    ledger.end(placing, &AttemptResult::Placed).unwrap();
    let resumed = ledger.take_unretired(&photo).unwrap();
    let resumed = resumed.expect("its source is left to do").begun.hold;
    assert_eq!(ledger.take_unretired(&photo).unwrap(), None);
    assert_lost(&mut *ledger, placing);
    ledger.end(resumed, &AttemptResult::Retired).unwrap();
    assert_eq!(told(&mut *ledger), [(PhotoState::Done, 1, 0)]);
}

/// P2, P3: two processes begin an attempt at one version. Fails when both have it, or none.
pub(crate) fn of_two_that_begin_one_has_it(subject: &mut dyn Subject) {
    let photo = version("a.jpg", 1);
    let ledgers = [subject.open(), subject.open()];
    let start = std::sync::Barrier::new(ledgers.len());
    let begun: Vec<_> = std::thread::scope(|scope| {
        let attempts = ledgers.map(|mut ledger| {
            let (photo, start) = (&photo, &start);
            scope.spawn(move || {
                let mut won = Vec::new();
                for round in 0..20 {
                    let photo = version("a.jpg", photo.stamp.mtime_ns + round);
                    start.wait();
                    let outputs = super::plain("/out/a.png");
                    let begun = ledger.begin(&photo, super::ARRIVAL, "u2net", &outputs);
                    won.push(begun.unwrap().is_some());
                }
                won
            })
        });
        attempts.map(|attempt| attempt.join().unwrap()).into()
    });
    let [one, two] = &begun[..] else {
        panic!("two, not {}", begun.len())
    };
    for (round, (one, two)) in one.iter().zip(two).enumerate() {
        assert!(one != two, "round {round}: {one} and {two}");
    }
}
