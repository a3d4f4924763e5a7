//! Lists and counts of photos, and what a user asks for.

use std::path::{Path, PathBuf};

use super::{Subject, begin, is_unfinished, version};
use crate::ledger::{AttemptResult, Quarantined};

pub(crate) fn a_corrected_file_takes_its_predecessor_off_the_list_of_failures(
    subject: &mut dyn Subject,
) {
    let mut ledger = subject.open();
    let bad = begin(&mut *ledger, &version("a.jpg", 1));
    let reason = "no subject found".to_owned();
    let failed = AttemptResult::Quarantined {
        reason: reason.clone(),
    };
    ledger.end(bad.hold, &failed).unwrap();
    let listed = ledger.quarantined("products").unwrap();
    let expected = Quarantined {
        source: "a.jpg".into(),
        reason,
        attempts: 1,
        is_moved: false,
    };
    assert_eq!(listed, [expected]);
    let good = begin(&mut *ledger, &version("a.jpg", 2));
    ledger.end(good.hold, &AttemptResult::Done).unwrap();
    assert_eq!(ledger.quarantined("products").unwrap(), []);
    let summary = ledger.counts("products").unwrap();
    assert_eq!(
        (summary.done, summary.waiting, summary.photos_per_minute),
        (1, 0, 1)
    );
}

/// P6: fails when a source is missing between two pages or listed twice.
pub(crate) fn quarantined_sources_are_named_in_pages(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    for name in ["d.jpg", "a.jpg", "c.jpg", "b.jpg", "e.jpg"] {
        let begun = begin(&mut *ledger, &version(name, 1));
        let reason = "no subject found".to_owned();
        ledger
            .end(begun.hold, &AttemptResult::Quarantined { reason })
            .unwrap();
    }
    let mut page = |last: &str| {
        ledger
            .quarantined_after("products", Path::new(last), 2)
            .unwrap()
    };
    assert_eq!(page(""), ["a.jpg", "b.jpg"].map(PathBuf::from));
    assert_eq!(page("b.jpg"), ["c.jpg", "d.jpg"].map(PathBuf::from));
    assert_eq!(page("d.jpg"), ["e.jpg"].map(PathBuf::from));
}

pub(crate) fn a_retried_file_has_all_its_attempts_again(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let photo = version("a.jpg", 1);
    for _ in 0..3 {
        let begun = begin(&mut *ledger, &photo);
        ledger.end(begun.hold, &AttemptResult::Waiting).unwrap();
    }
    let begun = begin(&mut *ledger, &photo);
    ledger
        .end(
            begun.hold,
            &AttemptResult::Quarantined { reason: "x".into() },
        )
        .unwrap();
    assert!(ledger.retry("products", Path::new("a.jpg")).unwrap());
    assert!(
        !ledger.retry("products", Path::new("a.jpg")).unwrap(),
        "not twice"
    );
    assert!(is_unfinished(&mut *ledger, &photo));
    assert_eq!(begin(&mut *ledger, &photo).attempt, 1);
}
