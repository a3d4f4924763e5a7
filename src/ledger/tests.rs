//! Tests the ledger's guarantees on a real `SQLite` file.

use std::path::{Path, PathBuf};

use super::*;
use crate::config::{OnSameName, OutputSpec};
use crate::fs::stamp::Stamp;

pub(crate) const ARRIVAL: Arrival = Arrival {
    born_ns: Some(7),
    seen_at_ms: 1_000,
    settled_at_ms: 3_000,
};

pub(crate) fn version(source: &str, number: i64) -> Version {
    Version {
        folder: "products".into(),
        source: source.into(),
        stamp: Stamp {
            len: 10,
            mtime_ns: number,
            ctime_ns: 0,
            // Beyond the signed range, and not an inode that a retired row gets.
            ino: u64::MAX - (1 << 20),
        },
    }
}

pub(crate) fn under(name: &str) -> OutputName {
    OutputName {
        output: "/out".into(),
        name: name.into(),
        folded: crate::delivery::fold_case(Path::new(name)),
    }
}

pub(crate) fn begin(ledger: &mut SqliteLedger, version: &Version) -> Begun {
    ledger
        .begin(version, ARRIVAL, "u2net", &plain("/out/a.png"))
        .unwrap()
        .expect("nobody is at work on it")
}

/// One plain output at `path`.
pub(crate) fn plain(path: &str) -> Vec<PlannedOutput> {
    vec![PlannedOutput {
        path: path.into(),
        spec: OutputSpec::default(),
    }]
}

fn is_unfinished(ledger: &mut SqliteLedger, version: &Version) -> bool {
    ledger
        .unfinished(std::slice::from_ref(version), OnSameName::Replace)
        .unwrap()
        == [true]
}

/// P2: fails when two sources get the same name in any letter case, or when a source loses its name.
#[test]
fn a_name_belongs_to_one_source_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = SqliteLedger::open(dir.path()).unwrap();
    let (jpg, png) = (Path::new("a.jpg"), Path::new("A.png"));
    let reserve = |ledger: &mut SqliteLedger, folder, source, name| {
        ledger.reserve(folder, source, &[under(name)]).unwrap()
    };
    assert!(reserve(&mut ledger, "products", jpg, "a.png"));
    assert!(!reserve(&mut ledger, "products", png, "A.png"));
    assert!(!reserve(&mut ledger, "portraits", jpg, "a.png"));
    assert!(reserve(&mut ledger, "products", png, "A.png.png"));
    drop(ledger);
    let mut ledger = SqliteLedger::open(dir.path()).unwrap();
    let name = |ledger: &mut SqliteLedger, source| {
        let name = ledger.name_of("products", source, "/out".as_ref());
        name.unwrap()
    };
    assert_eq!(name(&mut ledger, jpg), Some(PathBuf::from("a.png")));
    assert_eq!(name(&mut ledger, png), Some(PathBuf::from("A.png.png")));
    assert!(reserve(&mut ledger, "products", jpg, "a.jpg.png"));
    assert_eq!(name(&mut ledger, jpg), Some(PathBuf::from("a.jpg.png")));
}

/// P5: fails when an attempt is not counted before its worker gets the photo, or when a failure of the environment is counted.
#[test]
fn attempts_count_from_the_beginning_and_are_given_back_when_the_environment_failed() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    let photo = version("a.jpg", 1);
    let first = begin(&mut ledger, &photo);
    ledger.end(first.id, &AttemptResult::Waiting).unwrap();
    let second = begin(&mut ledger, &photo);
    assert_eq!((second.id, first.attempt, second.attempt), (first.id, 1, 2));
    ledger.end(second.id, &AttemptResult::Refunded).unwrap();
    assert_eq!(begin(&mut ledger, &photo).attempt, 2);
    ledger.refund_running().unwrap();
    assert_eq!(begin(&mut ledger, &photo).attempt, 2);
}

/// P5 and P8: fails when a power cut counts against a photo, or when a photo that always kills the daemon is never counted.
#[test]
fn deaths_of_the_daemon_are_forgiven_up_to_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let photo = version("a.jpg", 1);
    let mut attempts = Vec::new();
    for _ in 0..12 {
        let mut ledger = SqliteLedger::open(dir.path()).unwrap();
        ledger.recover().unwrap();
        attempts.push(begin(&mut ledger, &photo).attempt);
        // Dropped during the attempt, as by SIGKILL.
    }
    assert_eq!(attempts, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4]);
}

#[test]
fn recovery_names_what_was_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = SqliteLedger::open(dir.path()).unwrap();
    let begun = begin(&mut ledger, &version("a.jpg", 1));
    drop(ledger);
    let mut ledger = SqliteLedger::open(dir.path()).unwrap();
    assert_eq!(
        ledger.recover().unwrap(),
        [Interrupted {
            folder: "products".to_owned(),
            id: begun.id,
            number: 0,
            output: "/out/a.png".into(),
        }]
    );
    assert_eq!(ledger.recover().unwrap(), []);
}

/// P2: fails when a finished version is resumed, or an unfinished one is not.
#[test]
fn only_final_results_finish_a_version() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
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
        assert!(is_unfinished(&mut ledger, &photo), "not begun yet");
        let begun = begin(&mut ledger, &photo);
        assert!(
            !is_unfinished(&mut ledger, &photo),
            "somebody is at work on it"
        );
        ledger.end(begun.id, &result).unwrap();
        assert_eq!(is_unfinished(&mut ledger, &photo), expected, "{result:?}");
    }
}

/// P1: fails when a version that was done, was replaced and comes back with its old stamp counts as the one in place.
#[test]
fn a_version_that_comes_back_after_its_successor_is_unfinished() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    let (first, second) = (version("a.jpg", 1), version("a.jpg", 2));
    let done = |ledger: &mut SqliteLedger, version: &Version| {
        let begun = begin(ledger, version);
        ledger.end(begun.id, &AttemptResult::Done).unwrap();
    };
    done(&mut ledger, &first);
    assert!(!is_unfinished(&mut ledger, &first));
    done(&mut ledger, &second);
    assert!(is_unfinished(&mut ledger, &first), "its cutout is gone");
    assert!(!is_unfinished(&mut ledger, &second));
    done(&mut ledger, &first);
    assert!(!is_unfinished(&mut ledger, &first));
    assert!(is_unfinished(&mut ledger, &second));
}

#[test]
fn a_corrected_file_takes_its_predecessor_off_the_list_of_failures() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    let bad = begin(&mut ledger, &version("a.jpg", 1));
    let reason = "no subject found".to_owned();
    let failed = AttemptResult::Quarantined {
        reason: reason.clone(),
    };
    ledger.end(bad.id, &failed).unwrap();
    let listed = ledger.quarantined("products").unwrap();
    let expected = Quarantined {
        source: "a.jpg".into(),
        reason,
        attempts: 1,
        is_moved: false,
    };
    assert_eq!(listed, [expected]);
    let good = begin(&mut ledger, &version("a.jpg", 2));
    ledger.end(good.id, &AttemptResult::Done).unwrap();
    assert_eq!(ledger.quarantined("products").unwrap(), []);
    let summary = ledger.counts("products").unwrap();
    assert_eq!(
        (summary.done, summary.waiting, summary.photos_per_minute),
        (1, 0, 1)
    );
}

/// P6: fails when a source is missing between two pages or listed twice.
#[test]
fn quarantined_sources_are_named_in_pages() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    for name in ["d.jpg", "a.jpg", "c.jpg", "b.jpg", "e.jpg"] {
        let begun = begin(&mut ledger, &version(name, 1));
        let reason = "no subject found".to_owned();
        ledger
            .end(begun.id, &AttemptResult::Quarantined { reason })
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

#[test]
fn a_retried_file_has_all_its_attempts_again() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    let photo = version("a.jpg", 1);
    for _ in 0..3 {
        let begun = begin(&mut ledger, &photo);
        ledger.end(begun.id, &AttemptResult::Waiting).unwrap();
    }
    let begun = begin(&mut ledger, &photo);
    ledger
        .end(begun.id, &AttemptResult::Quarantined { reason: "x".into() })
        .unwrap();
    assert!(ledger.retry("products", Path::new("a.jpg")).unwrap());
    assert!(
        !ledger.retry("products", Path::new("a.jpg")).unwrap(),
        "not twice"
    );
    assert!(is_unfinished(&mut ledger, &photo));
    assert_eq!(begin(&mut ledger, &photo).attempt, 1);
}

#[test]
fn a_ledger_of_a_later_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(dir.path()).unwrap();
    ledger
        .connection
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(ledger);
    let refused = SqliteLedger::open(dir.path());
    assert!(matches!(
        refused,
        Err(LedgerError::FromTheFuture { found: 99 })
    ));
}

#[test]
fn a_file_that_is_no_ledger_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(&path).unwrap();
    let text = "this is a letter, not a ledger; ".repeat(40);
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    assert!(matches!(
        SqliteLedger::open(dir.path()),
        Err(LedgerError::Sql(_))
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

/// P8: fails when a confirmed change is lost after a crash.
#[tokio::test]
async fn what_a_call_has_answered_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::start(SqliteLedger::open(dir.path()).unwrap()).unwrap();
    let photo = version("a.jpg", 1);
    let begun = ledger
        .call(move |ledger| ledger.begin(&photo, ARRIVAL, "u2net", &plain("/out/a.png")))
        .await
        .unwrap()
        .expect("nobody is at work on it");
    // A second connection, like that of a daemon that starts after a crash.
    let mut other = SqliteLedger::open_existing(dir.path()).unwrap().unwrap();
    let interrupted = other.recover().unwrap();
    assert_eq!(
        interrupted.first().map(|attempt| attempt.id),
        Some(begun.id)
    );
}

/// P2, P3: fails when two jobs may work on one version, since they would write one temporary file.
#[test]
fn a_version_that_is_running_is_not_begun_again() {
    let mut ledger = SqliteLedger::in_memory().unwrap();
    let photo = version("a.jpg", 1);
    let begun = begin(&mut ledger, &photo);
    let second = ledger.begin(&photo, ARRIVAL, "u2net", &plain("/elsewhere/a.png"));
    assert_eq!(second.unwrap(), None);
    ledger.end(begun.id, &AttemptResult::Waiting).unwrap();
    assert_eq!(begin(&mut ledger, &photo).attempt, 2);
}
