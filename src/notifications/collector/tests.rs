//! Feeds events and times by hand; no clock runs.

use std::time::UNIX_EPOCH;

use super::*;
use crate::daemon::FolderState;

const QUIET: Duration = Duration::from_secs(30);

/// Seconds from the start of the test.
fn second(start: Instant, seconds: u64) -> Moment {
    let passed = Duration::from_secs(seconds);
    Moment {
        now: start + passed,
        at: UNIX_EPOCH + passed,
    }
}

fn photo(folder: &str, result: PhotoResult) -> PhotoEvent {
    PhotoEvent {
        folder: folder.to_owned(),
        source: "a.jpg".to_owned(),
        id: None,
        result,
        reason: Some("no picture".to_owned()),
    }
}

fn finished(folder: &str, counts: (u64, u64), missed: u64, since: u64) -> Notification {
    Notification::FolderFinished {
        folder: folder.to_owned(),
        done: counts.0,
        quarantined: counts.1,
        missed,
        since: rfc3339::utc(UNIX_EPOCH + Duration::from_secs(since)),
    }
}

/// Fails when a folder counts as finished while photos still finish, is reported twice, or its counts do not restart.
#[test]
fn folder_is_finished_once_it_has_been_quiet() {
    let start = Instant::now();
    let mut collector = EventCollector::default();
    assert_eq!(collector.due(QUIET), None);
    for seconds in [0, 20] {
        let sent = collector.hear(&photo("a", PhotoResult::Done), second(start, seconds));
        assert_eq!(sent, None);
    }
    assert_eq!(collector.due(QUIET), Some(second(start, 50).now));
    assert_eq!(collector.finished(QUIET, second(start, 49).now), []);
    let sent = collector.finished(QUIET, second(start, 50).now);
    assert_eq!(sent, [finished("a", (2, 0), 0, 0)]);
    assert_eq!(collector.finished(QUIET, second(start, 500).now), []);
    assert_eq!(collector.due(QUIET), None);
    collector.hear(&photo("a", PhotoResult::Done), second(start, 500));
    let sent = collector.finished(QUIET, second(start, 530).now);
    assert_eq!(sent, [finished("a", (1, 0), 0, 500)]);
}

/// Fails when a folder with photos in progress counts as finished, before or at the end, or when one folder waits for another.
#[test]
fn folder_with_photos_on_their_way_is_not_finished() {
    let start = Instant::now();
    let mut collector = EventCollector::default();
    for folder in ["a", "b"] {
        collector.hear(&photo(folder, PhotoResult::Done), second(start, 0));
    }
    collector.folders.get_mut("a").unwrap().is_busy = true;
    let sent = collector.finished(QUIET, second(start, 60).now);
    assert_eq!(sent, [finished("b", (1, 0), 0, 0)]);
    assert_eq!(collector.due(QUIET), None);
    assert_eq!(collector.end(), []);
    collector.folders.get_mut("a").unwrap().is_busy = false;
    assert_eq!(collector.end(), [finished("a", (1, 0), 0, 0)]);
}

/// Fails when photos without a result count as work, or when a photo that is retried counts as quiet.
#[test]
fn only_done_and_quarantined_photos_are_work() {
    let start = Instant::now();
    let mut collector = EventCollector::default();
    for result in [PhotoResult::Ignored, PhotoResult::Retry] {
        assert_eq!(collector.hear(&photo("a", result), second(start, 0)), None);
    }
    assert_eq!(collector.due(QUIET), None);
    collector.hear(&photo("a", PhotoResult::Done), second(start, 1));
    collector.hear(&photo("a", PhotoResult::Retry), second(start, 9));
    assert_eq!(collector.due(QUIET), Some(second(start, 39).now));
}

/// Fails when a burst of quarantines is reported individually, also after a short pause, when another folder is affected, or when
/// unreported quarantines are not counted.
#[test]
fn burst_of_quarantines_is_counted_and_not_reported_one_by_one() {
    let start = Instant::now();
    let mut collector = EventCollector::default();
    let bad = |folder| photo(folder, PhotoResult::Quarantined);
    let mut singles = 0;
    for _ in 0..50 {
        singles += usize::from(collector.hear(&bad("a"), second(start, 1)).is_some());
        collector.finished(Duration::ZERO, second(start, 1).now);
    }
    assert_eq!(singles, SINGLES_MAX);
    for _ in 0..3 {
        assert_eq!(collector.hear(&bad("a"), second(start, 60)), None);
    }
    let sent = collector.hear(&bad("b"), second(start, 60)).unwrap();
    let Notification::Quarantined { source, reason, .. } = sent else {
        panic!("{sent:?}");
    };
    assert_eq!((source.as_str(), reason.as_str()), ("a.jpg", "no picture"));
    assert!(collector.hear(&bad("a"), second(start, 61)).is_some());
    let sent = collector.finished(QUIET, second(start, 91).now);
    assert_eq!(sent.first(), Some(&finished("a", (0, 4), 0, 60)));
}

/// Fails when lost events are not reported, or are reported repeatedly by one folder.
#[test]
fn missed_events_are_reported_once_by_each_folder() {
    let start = Instant::now();
    let mut collector = EventCollector::default();
    collector.hear(&photo("a", PhotoResult::Done), second(start, 0));
    collector.miss(7);
    collector.hear(&photo("b", PhotoResult::Done), second(start, 0));
    let sent = collector.finished(QUIET, second(start, 30).now);
    assert_eq!(
        sent,
        [finished("a", (1, 0), 7, 0), finished("b", (1, 0), 7, 0)]
    );
    collector.hear(&photo("a", PhotoResult::Done), second(start, 40));
    let sent = collector.finished(QUIET, second(start, 70).now);
    assert_eq!(sent, [finished("a", (1, 0), 0, 40)]);
}

/// Fails when a folder counts as finished because its disk is offline, or never counts as finished.
#[test]
fn folder_that_is_away_is_not_finished() {
    let folder = |state: FolderState, queued| LiveFolder {
        name: "a".to_owned(),
        state,
        queued,
        ..LiveFolder::default()
    };
    assert!(has_work(&folder(
        FolderState::Offline("not mounted".to_owned()),
        0
    )));
    assert!(has_work(&folder(FolderState::Online, 1)));
    assert!(!has_work(&folder(FolderState::Online, 0)));
    assert!(!has_work(&folder(
        FolderState::Paused("no space".to_owned()),
        0
    )));
}
