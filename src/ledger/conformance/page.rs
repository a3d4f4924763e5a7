//! Pages of photos.

use super::{Subject, begin, version};
use crate::ledger::{AttemptResult, PhotoQuery, PhotoRow, PhotoState, Version};

pub(crate) fn ask(
    folder: Option<&str>,
    state: Option<PhotoState>,
    before: Option<i64>,
    count: u32,
) -> PhotoQuery {
    PhotoQuery {
        folder: folder.map(str::to_owned),
        state,
        before,
        count,
    }
}

/// Fails when a page omits or repeats a photo, when a filter lets others through, or when the order is not that of arrival.
pub(crate) fn pages_have_each_photo_once_the_newest_first(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    for number in 0..5 {
        let begun = begin(&mut *ledger, &version(&format!("{number}.jpg"), 1));
        let result = if number == 2 {
            AttemptResult::Waiting
        } else {
            AttemptResult::Done
        };
        ledger.end(begun.hold, &result).unwrap();
    }
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = ledger
            .photos(&ask(None, Some(PhotoState::Done), before, 2))
            .unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        pages.extend(
            page.into_iter()
                .map(|photo| photo.source.display().to_string()),
        );
    }
    assert_eq!(pages, ["4.jpg", "3.jpg", "1.jpg", "0.jpg"]);
    let waiting = ledger.photos(&ask(Some("products"), Some(PhotoState::Waiting), None, 9));
    assert_eq!(waiting.unwrap().len(), 1);
    assert_eq!(
        ledger
            .photos(&ask(Some("portraits"), None, None, 9))
            .unwrap(),
        []
    );
}

/// Fails when a row differs from what was recorded.
pub(crate) fn a_row_tells_what_was_recorded(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let photo = version("sub/a.jpg", 7);
    let begun = begin(&mut *ledger, &photo);
    let running = ledger.photo(begun.hold.id).unwrap().unwrap();
    assert_eq!(
        (running.state, running.ended_at_ms),
        (PhotoState::Running, None)
    );
    let reason = "no subject found".to_owned();
    let result = AttemptResult::Quarantined {
        reason: reason.clone(),
    };
    ledger.end(begun.hold, &result).unwrap();
    let row = ledger.photo(begun.hold.id).unwrap().unwrap();
    let Version {
        folder,
        source,
        stamp,
    } = photo;
    let expected = PhotoRow {
        id: begun.hold.id,
        folder,
        source,
        state: PhotoState::Quarantined,
        stamp,
        outputs: vec!["/out/a.png".into()],
        model: "u2net".to_owned(),
        reason: Some(reason),
        attempts: 1,
        begun_at_ms: running.begun_at_ms,
        ended_at_ms: row.ended_at_ms,
    };
    assert!(row.ended_at_ms >= Some(row.begun_at_ms));
    assert_eq!(row, expected);
    assert_eq!(
        ledger.photos(&ask(None, None, None, 9)).unwrap(),
        [expected]
    );
    assert_eq!(ledger.photo(begun.hold.id + 1).unwrap(), None);
}
