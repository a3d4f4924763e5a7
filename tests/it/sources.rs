//! What becomes of the original, and of a name whose content changes.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use crate::binary::{identity, wait_for};
use crate::hot_folder::HotFolder;
use crate::photos::{Quarter, assert_cutout, jpeg, shows};
use crate::processes;
use crate::setup::Setup;

/// P2: fails when a name that was done once is done for ever, or when its correction gets another name.
#[test]
fn corrected_file_under_the_same_name_replaces_its_output() {
    let hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let output = hot.wait_output("a.png");
    hot.wait_status("done", |status| status.done == 1);
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    wait_for("the corrected cutout", || {
        shows(&output, Quarter::BottomRight)
    });
    assert_cutout(&output, Quarter::BottomRight);
    assert_eq!(hot.outputs(), [PathBuf::from("a.png")]);
}

/// P2: editors save by renaming a new file over the old one; fails when only writes into the file are noticed.
#[test]
fn file_corrected_by_a_rename_replaces_its_output() {
    let hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let output = hot.wait_output("a.png");
    let edited = hot.setup().path("edited.jpg");
    fs::write(&edited, jpeg(Quarter::TopRight)).unwrap();
    fs::rename(&edited, hot.input("a.jpg")).unwrap();
    wait_for("the corrected cutout", || shows(&output, Quarter::TopRight));
    assert_eq!(hot.outputs(), [PathBuf::from("a.png")]);
}

/// P2, P4: a file that is not ours lies under the name of the output; fails when it is replaced.
#[test]
fn foreign_file_in_the_output_folder_is_not_replaced() {
    let hot = HotFolder::start();
    fs::write(hot.output("a.png"), b"somebody's work").unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.jpg.png"), Quarter::TopLeft);
    assert_eq!(fs::read(hot.output("a.png")).unwrap(), b"somebody's work");
}

/// P4: fails when the source goes before its output is there, arrives changed, or loses its sub-folder.
#[test]
fn moved_source_lies_in_done_under_its_own_sub_folder() {
    let hot = HotFolder::start_with(Setup::new().moves_sources());
    let photo = jpeg(Quarter::TopLeft);
    hot.drop_file("shoot/one/a.jpg", &photo);
    wait_for("source gone", || !hot.input("shoot/one/a.jpg").exists());
    assert_cutout(&hot.output("shoot/one/a.png"), Quarter::TopLeft);
    let done = hot.setup().path("done/shoot/one/a.jpg");
    wait_for("source in done", || done.exists());
    assert_eq!(fs::read(done).unwrap(), photo);
}

/// P4: two photos of one name, one after the other, end in one folder; fails when the second replaces the first.
#[test]
fn moved_source_does_not_replace_another_one_in_done() {
    let hot = HotFolder::start_with(Setup::new().moves_sources());
    let done = hot.setup().path("done");
    for (count, lit) in [(1, Quarter::TopLeft), (2, Quarter::BottomRight)] {
        hot.drop_file("a.jpg", &jpeg(lit));
        wait_for("source moved", || {
            !hot.input("a.jpg").exists() && fs::read_dir(&done).unwrap().count() == count
        });
    }
    let contents: Vec<Vec<u8>> = fs::read_dir(done)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(contents.contains(&jpeg(Quarter::TopLeft)), "the first one");
    assert!(
        contents.contains(&jpeg(Quarter::BottomRight)),
        "the second one"
    );
}

/// P4: fails when a source is deleted before its output is there, or a bad one at all.
#[test]
fn deleted_source_has_its_output_and_a_bad_one_stays() {
    let hot = HotFolder::start_with(Setup::new().folder("source", "delete"));
    hot.drop_file("bad.jpg", b"<html></html>");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("source gone", || !hot.input("a.jpg").exists());
    assert_cutout(&hot.output("a.png"), Quarter::TopLeft);
    hot.wait_quarantined("bad.jpg");
    assert!(hot.input("bad.jpg").exists());
}

/// P4: the photo is replaced while its former version is in a (stopped) worker; fails when the new version is deleted
/// for the old one's result: then it is never seen in the output.
#[test]
fn source_changed_during_its_job_is_not_deleted() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .folder("source", "delete");
    let hot = HotFolder::start_with(setup);
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    processes::signal(worker, Signal::CONT);
    wait_for("the new version", || {
        shows(&hot.output("a.png"), Quarter::BottomRight)
    });
    wait_for("source gone", || !hot.input("a.jpg").exists());
}

/// P4: as above for `move`; fails when `done` holds anything but the version that the output shows.
#[test]
fn source_changed_during_its_job_is_not_moved() {
    let setup = Setup::new().daemon("workers", "1").moves_sources();
    let hot = HotFolder::start_with(setup);
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    processes::signal(worker, Signal::CONT);
    wait_for("source gone", || !hot.input("a.jpg").exists());
    assert_cutout(&hot.output("a.png"), Quarter::BottomRight);
    let done = hot.setup().path("done/a.jpg");
    assert_eq!(fs::read(done).unwrap(), jpeg(Quarter::BottomRight));
}

/// P4: fails when `keep` writes, moves or locks the source on the way through a second version and a restart.
#[test]
fn kept_source_is_the_same_file_after_a_restart() {
    let mut hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let before = identity(&hot.input("a.jpg"));
    hot.wait_output("a.png");
    hot.stop();
    hot.restart();
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("marker.png");
    assert_eq!(identity(&hot.input("a.jpg")), before);
}
