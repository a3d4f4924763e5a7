//! Tests single timelines; the clock is an argument, so no test waits.

use super::*;

pub(super) const QUIET: Duration = Duration::from_secs(2);

fn stamp(version: u64) -> Stamp {
    Stamp {
        len: 100 + version,
        mtime_ns: 7,
        ctime_ns: i64::try_from(version).unwrap(),
        ino: 1,
    }
}

pub(super) fn found(name: &str, stamp: Option<Stamp>, writer: Writer) -> Observation {
    Observation {
        relative: name.into(),
        found: stamp.map_or(Found::Nothing, Found::File),
        writer,
    }
}

/// One file observed at given milliseconds; returns when it settled.
fn settles_at(timeline: &[(u64, u64, Writer)]) -> Vec<u64> {
    let start = Instant::now();
    let mut settle = Settle::new(QUIET);
    let mut settled = Vec::new();
    for (ms, version, writer) in timeline {
        let now = start + Duration::from_millis(*ms);
        let file = found("a.jpg", Some(stamp(*version)), *writer);
        if settle.observe(file, now).is_some() {
            settled.push(*ms);
        }
    }
    settled
}

#[test]
fn a_file_that_lies_still_for_the_quiet_time_is_settled() {
    use Writer::{Absent, NotAsked, Present};
    let still = [(0, 1, NotAsked), (1_999, 1, Absent), (2_000, 1, Absent)];
    assert_eq!(settles_at(&still), [2_000]);
    let grows = [(0, 1, Absent), (1_500, 2, Absent), (2_500, 2, Absent)];
    assert_eq!(settles_at(&grows), [0_u64; 0]);
    let listed_only = [(0, 1, NotAsked), (5_000, 1, NotAsked)];
    assert_eq!(settles_at(&listed_only), [0_u64; 0]);
    let held_open = [(0, 1, Absent), (5_000, 1, Present), (9_000, 1, Absent)];
    assert_eq!(settles_at(&held_open), [9_000]);
}

#[test]
fn an_empty_file_and_one_that_vanished_are_dropped() {
    let now = Instant::now();
    let mut settle = Settle::new(QUIET);
    let empty = Stamp { len: 0, ..stamp(0) };
    settle.observe(found("empty.jpg", Some(empty), Writer::Absent), now);
    settle.observe(found("gone.jpg", Some(stamp(1)), Writer::Absent), now);
    settle.observe(found("gone.jpg", None, Writer::Absent), now);
    assert!(settle.is_empty());
    assert_eq!(settle.next_due(), None);
}

/// P1: a photo is written between a look at it and the report of that look. Fails when the outdated report discards the event.
#[test]
fn a_file_that_is_sighted_during_a_look_is_looked_at_once_more() {
    let now = Instant::now();
    let empty = Stamp { len: 0, ..stamp(0) };
    for seen in [None, Some(empty)] {
        let mut settle = Settle::new(QUIET);
        settle.sight("a.jpg".into(), now, Discovery::Event);
        assert_eq!(settle.due(now, 9).len(), 1);
        settle.sight("a.jpg".into(), now, Discovery::Event);
        settle.observe(found("a.jpg", seen, Writer::Absent), now);
        assert_eq!(settle.due(now, 9).len(), 1, "after {seen:?}");
        settle.observe(found("a.jpg", None, Writer::Absent), now);
        assert!(settle.is_empty(), "once");
    }
}

/// P1: a photo is replaced between a listing, which saw a version that is done, and the report of that listing. Fails when the
/// report discards the event.
#[test]
fn a_file_that_is_sighted_before_the_report_of_a_listing_is_looked_at() {
    let now = Instant::now();
    let mut settle = Settle::new(QUIET);
    settle.sight("a.jpg".into(), now, Discovery::Event);
    settle.forget(Path::new("a.jpg"), now);
    assert_eq!(settle.due(now, 9).len(), 1);
    settle.forget(Path::new("a.jpg"), now);
    assert!(settle.is_empty(), "once");
}

/// P1: a photo is removed and comes back during the attempt at its former version, which ends early. Fails when the report of its
/// absence discards the event of its return.
#[test]
fn a_file_that_is_sighted_before_it_is_held_is_looked_at() {
    let now = Instant::now();
    let mut settle = Settle::new(QUIET);
    let version = || found("a.jpg", Some(stamp(1)), Writer::Absent);
    assert_eq!(settle.observe(version(), now), None);
    let settled = settle.observe(version(), now + QUIET).unwrap();
    settle.sight("a.jpg".into(), now + QUIET, Discovery::Event);
    settle.hold(settled, now + QUIET);
    settle.observe(found("a.jpg", None, Writer::Absent), now + QUIET);
    assert_eq!(settle.due(now + QUIET * 2, 9).len(), 1);
    settle.observe(found("a.jpg", None, Writer::Absent), now + QUIET * 2);
    assert!(settle.is_empty(), "once");
}

#[test]
fn a_file_that_must_wait_is_not_settled_before_its_time_although_it_is_listed() {
    let now = Instant::now();
    let mut settle = Settle::new(QUIET);
    let later = now + Duration::from_mins(1);
    settle.sight("a.jpg".into(), later, Discovery::Event);
    for second in [0, 10, 59] {
        let at = now + Duration::from_secs(second);
        let file = found("a.jpg", Some(stamp(1)), Writer::Absent);
        assert_eq!(settle.observe(file, at), None);
    }
    let file = found("a.jpg", Some(stamp(1)), Writer::Absent);
    assert!(settle.observe(file, later).is_some());
}

#[test]
fn a_file_that_ends_early_is_given_up_when_patience_is_over_and_not_before() {
    let start = Instant::now();
    let mut settle = Settle::new(QUIET);
    let look = |settle: &mut Settle, at, version| {
        settle.observe(found("a.jpg", Some(stamp(version)), Writer::Absent), at)
    };
    look(&mut settle, start, 1);
    let first = look(&mut settle, start + QUIET, 1).expect("settled");
    assert!(!first.patience_is_over());
    let held_at = start + QUIET;
    settle.hold(first, held_at);
    assert_eq!(look(&mut settle, held_at + PATIENCE / 2, 1), None);
    let last = look(&mut settle, held_at + PATIENCE, 1).expect("given up");
    assert!(last.patience_is_over());
    settle.hold(last, held_at);
    assert_eq!(look(&mut settle, held_at + PATIENCE, 2), None);
    let healed = look(&mut settle, held_at + PATIENCE + QUIET, 2).expect("settled");
    assert!(
        !healed.patience_is_over(),
        "a changed file has all its patience again"
    );
}

#[test]
fn the_table_is_bounded() {
    let now = Instant::now();
    let mut settle = Settle::new(QUIET);
    for number in 0..CAPACITY {
        assert!(settle.sight(format!("{number}.jpg").into(), now, Discovery::Event));
    }
    assert!(!settle.sight("one-more.jpg".into(), now, Discovery::Event));
    assert!(
        settle.sight("0.jpg".into(), now, Discovery::Event),
        "what is known stays known"
    );
}
