//! Tests the ledger as an operator uses it: backup and restore, and the removal of old records.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use crate::support::binary::{files_below, identity, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, png, shows};
use crate::support::requests::get;
use crate::support::setup::Setup;

/// The log line for a photo that a worker has cut out.
const CUT_OUT: &str = "cut out";

/// P2: the documented backup and restore, with a copy that is made while photos are cut out. Fails when the copy is incomplete,
/// when a photo is cut out twice after the restore, or when a photo has lost its name.
#[test]
fn a_backup_that_is_taken_under_load_can_be_restored() {
    let mut hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    hot.drop_file("a.png", &png(Quarter::TopRight));
    hot.wait_status("two done", |status| status.done == 2);
    for number in 0..40 {
        hot.drop_file(format!("{number}.jpg"), &jpeg(Quarter::TopLeft));
    }
    wait_for("some of them", || hot.outputs().len() > 10);
    let backup = hot.setup().path("backup.db");
    let made = hot.command("backup", [&backup]);
    assert!(made.status.success(), "{made:?}");
    let was_busy = hot.outputs().len() < 42;
    // A name that only the lost ledger knew.
    hot.drop_file("b.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("b.png");
    hot.drop_file("b.png", &png(Quarter::TopRight));
    hot.wait_status("all done", |status| {
        status.done == 44 && status.running == 0
    });
    assert!(was_busy, "the copy was to be taken under load");
    let before = identities_but_for(&hot, "b.png.png");
    hot.kill9();
    let state = hot.setup().path("state");
    fs::remove_dir_all(&state).unwrap();
    fs::create_dir(&state).unwrap();
    fs::copy(&backup, state.join("ledger.db")).unwrap();
    // Corrected while no daemon ran.
    hot.drop_file("b.png", &png(Quarter::BottomRight));
    hot.restart();
    hot.wait_status("known again", |status| {
        status.done >= 44 && status.queued == 0 && status.running == 0
    });
    assert!(shows(&hot.output("b.png.png"), Quarter::BottomRight));
    assert_eq!(hot.log_lines(CUT_OUT), 1, "{}", hot.log());
    assert_eq!(identities_but_for(&hot, "b.png.png"), before);
}

/// P2: fails when a copy replaces a file without being told to, when it is written over the ledger, or when a partial copy stays.
#[test]
fn a_backup_replaces_nothing_unasked() {
    let mut hot = HotFolder::start();
    let backup = hot.setup().path("store/backup.db");
    fs::create_dir(hot.setup().path("store")).unwrap();
    fs::write(&backup, "a letter").unwrap();
    let refused = hot.command("backup", [&backup]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(said(&refused).contains("--replace"), "{refused:?}");
    assert_eq!(fs::read_to_string(&backup).unwrap(), "a letter");
    let ledger = hot.setup().path("state/ledger.db");
    let before = identity(&ledger);
    let refused = hot.command("backup", [ledger.as_os_str(), OsStr::new("--replace")]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(identity(&ledger), before);
    // Also while hotcut does not run.
    hot.stop();
    let made = hot.command("backup", [backup.as_os_str(), OsStr::new("--replace")]);
    assert!(made.status.success(), "{made:?}");
    assert!(fs::read(&backup).unwrap().starts_with(b"SQLite format 3"));
    assert_eq!(files_below(&hot.setup().path("store")).len(), 1);
    fs::remove_dir_all(hot.setup().path("state")).unwrap();
    let refused = hot.command("backup", [backup.as_os_str(), OsStr::new("--replace")]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(said(&refused).contains("no ledger"), "{refused:?}");
    assert!(fs::read(&backup).unwrap().starts_with(b"SQLite format 3"));
}

/// P2: a user copies only `ledger.db` of a stopped service. Fails when a part of the ledger is elsewhere, also after the page has
/// read it.
#[test]
fn a_stopped_service_leaves_its_ledger_in_one_file() {
    let mut hot = HotFolder::start_with(Setup::new().listens());
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_status("one done", |status| status.done == 1 && status.running == 0);
    let status = get(&hot, "/api/status");
    assert_eq!(status.status, 200, "{status:?}");
    hot.stop();
    let state = hot.setup().path("state");
    assert!(!state.join("ledger.db-wal").exists());
    assert!(!state.join("ledger.db-shm").exists());
    fs::rename(state.join("ledger.db"), hot.setup().path("kept.db")).unwrap();
    fs::remove_dir_all(&state).unwrap();
    fs::create_dir(&state).unwrap();
    fs::copy(hot.setup().path("kept.db"), state.join("ledger.db")).unwrap();
    hot.restart();
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_status("two done", |status| status.done == 2 && status.queued == 0);
    assert_eq!(hot.log_lines("a.jpg"), 0, "{}", hot.log());
    assert_eq!(hot.log_lines("is checked"), 0, "it was closed");
}

/// P2: an earlier ledger is put beside the remains of a killed later one. Fails when the two are mixed.
#[test]
fn a_restored_ledger_is_not_mixed_with_what_was_left() {
    let mut hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_status("one done", |status| status.done == 1 && status.running == 0);
    hot.stop();
    let (ledger, kept) = (
        hot.setup().path("state/ledger.db"),
        hot.setup().path("kept.db"),
    );
    fs::copy(&ledger, &kept).unwrap();
    hot.restart();
    hot.drop_file("b.jpg", &jpeg(Quarter::TopRight));
    hot.wait_status("two done", |status| status.done == 2 && status.running == 0);
    hot.kill9();
    fs::copy(&kept, &ledger).unwrap();
    hot.restart();
    assert_eq!(hot.log_lines("belongs to an earlier ledger.db"), 1);
    hot.wait_status("known again", |status| {
        status.done == 2 && status.queued == 0
    });
    assert_eq!(hot.log_lines(CUT_OUT), 0, "{}", hot.log());
    assert_cutout(&hot.output("a.png"), Quarter::TopLeft);
    assert_cutout(&hot.output("b.png"), Quarter::TopRight);
}

/// P2: fails when records of photos that hotcut moved away are kept for ever, or when a cutout is lost with its record.
#[test]
fn a_photo_that_was_moved_away_is_forgotten_and_its_cutout_stays() {
    let hot = HotFolder::start_with(Setup::new().moves_sources().daemon("remember", "1s"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    hot.wait_log("are removed from the ledger");
    hot.wait_status("forgotten", |status| status.done == 0);
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    wait_for("a second cutout", || hot.outputs().len() == 2);
    assert_cutout(&hot.output("a.png"), Quarter::TopLeft);
}

/// P1, P2: fails when the record of a photo that is still in its folder is removed, so that it is cut out again, or when the record
/// of a photo that a user removed stays.
#[test]
fn a_photo_that_is_still_there_is_not_forgotten() {
    let setup = Setup::new().daemon("remember", "1s").daemon("rescan", "1s");
    let hot = HotFolder::start_with(setup);
    for name in ["kept.jpg", "taken.jpg"] {
        hot.drop_file(name, &jpeg(Quarter::TopLeft));
    }
    wait_for("both", || hot.outputs().len() == 2);
    fs::remove_file(hot.input("taken.jpg")).unwrap();
    hot.wait_status("one is forgotten", |status| status.done == 1);
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_status("the marker is done", |status| {
        status.done == 2 && status.queued == 0
    });
    assert_eq!(hot.log_lines(CUT_OUT), 3, "{}", hot.log());
    let why = hot.command("why", [hot.input("kept.jpg")]);
    assert!(said(&why).contains("done"), "{why:?}");
}

fn identities_but_for(hot: &HotFolder, name: &str) -> Vec<(PathBuf, (u64, i64, i64))> {
    let mut outputs = hot.outputs();
    outputs.retain(|path| path != OsStr::new(name));
    let identity_of = |path: &PathBuf| (path.clone(), identity(&hot.output(path)));
    outputs.iter().map(identity_of).collect()
}
