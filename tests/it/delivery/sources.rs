//! Tests what happens to the original, and to a name whose content changes.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use rustix::process::Signal;
use sha2::{Digest as _, Sha256};

use crate::support::binary::{identity, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{
    LARGE, Quarter, assert_cutout, assert_cutout_of_size, jpeg, large_bmp, marked_sha256, shows,
};
use crate::support::processes;
use crate::support::processes::has_read_of;
use crate::support::requests::{get, metric};
use crate::support::setup::Setup;

/// P2: fails when a name counts as done for ever, or when its correction gets another name.
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

/// P2: editors save by renaming a new file over the old one. Fails when only writes into the file are noticed.
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

/// P2, P4: a foreign file has the name of the output. Fails when it is replaced.
#[test]
fn foreign_file_in_the_output_folder_is_not_replaced() {
    let hot = HotFolder::start();
    fs::write(hot.output("a.png"), b"somebody's work").unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.jpg.png"), Quarter::TopLeft);
    assert_eq!(fs::read(hot.output("a.png")).unwrap(), b"somebody's work");
}

/// P4: the corrected photo is in a (stopped) worker when a user's file takes the cutout's name. Fails when that file is replaced,
/// or when the correction gets no cutout.
#[test]
fn cutout_that_is_retouched_while_its_successor_is_made_is_left_alone() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    hot.wait_status("done", |status| status.done == 1);
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::BottomRight));
    fs::write(hot.output("a.png"), b"retouched").unwrap();
    processes::signal(worker, Signal::CONT);
    assert_cutout(&hot.wait_output("a.jpg.png"), Quarter::BottomRight);
    assert_eq!(fs::read(hot.output("a.png")).unwrap(), b"retouched");
}

/// P4: fails when the source is moved before its output exists, arrives changed, or loses its sub-folder.
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

/// P4: two photos of one name are moved to one folder, one after the other. Fails when the second replaces the first.
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

/// P4: fails when a source is deleted before its output exists, or when a bad one is deleted at all.
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

/// P4: the photo is replaced while its former version is in a (stopped) worker. Fails when the new version is deleted because of
/// the old result, so that it never appears in the output.
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

/// P1, P4: a photo is overwritten while a (stopped) worker has half of it. Fails when a mixture of both versions is published.
#[test]
fn photo_that_is_written_over_while_it_is_read_gives_no_mixture() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .folder("include", "[\"*.bmp\"]");
    let hot = HotFolder::start_with(setup);
    let worker = hot.drop_into_stopped_worker("a.bmp", &large_bmp(Quarter::TopLeft));
    wait_for("it is being read", || {
        has_read_of(hot.pid(), &hot.input("a.bmp"))
    });
    let file = fs::OpenOptions::new()
        .write(true)
        .open(hot.input("a.bmp"))
        .unwrap();
    file.write_all_at(&large_bmp(Quarter::BottomRight), 0)
        .unwrap();
    drop(file);
    processes::signal(worker, Signal::CONT);
    let output = hot.wait_output("a.png");
    let whole: [u8; 32] = Sha256::digest(large_bmp(Quarter::BottomRight)).into();
    assert_eq!(marked_sha256(&output), whole);
    assert_cutout_of_size(&output, Quarter::BottomRight, LARGE);
}

/// P4: as above for `move`. Fails when `done` holds anything but the version that the output shows.
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
    wait_for("source in done", || done.exists());
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

/// P4, P8: the daemon died between two steps of a move, and the original has its hidden name. Fails when it is never looked for
/// again.
#[test]
fn original_that_a_crash_left_half_moved_is_moved() {
    let setup = Setup::new().moves_sources().daemon("workers", "1");
    let done = setup.path("done");
    fs::remove_dir(&done).unwrap();
    fs::write(&done, b"in the way").unwrap();
    let mut hot = HotFolder::start_with(setup);
    let photo = jpeg(Quarter::TopLeft);
    let worker = hot.drop_into_stopped_worker("a.jpg", &photo);
    let hidden = hot.temporaries().remove(0).with_extension("source");
    processes::signal(worker, Signal::CONT);
    hot.wait_output("a.png");
    hot.wait_log("waits");
    hot.kill9();
    fs::rename(hot.input("a.jpg"), hot.input(&hidden)).unwrap();
    fs::remove_file(&done).unwrap();
    hot.restart();
    let moved = done.join("a.jpg");
    wait_for("the move", || moved.exists());
    assert_eq!(fs::read(&moved).unwrap(), photo);
    assert!(!hot.input(&hidden).exists());
}

/// P2, P4: `done` cannot be used, and meanwhile a user removes the cutout. Fails when the photo is cut out again instead of only
/// being moved, or is left where it is.
#[test]
fn cutout_that_was_fetched_before_its_source_could_be_moved_is_not_made_again() {
    let setup = Setup::new().moves_sources();
    let done = setup.path("done");
    fs::remove_dir(&done).unwrap();
    fs::write(&done, b"in the way").unwrap();
    let mut hot = HotFolder::start_with(setup);
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let output = hot.wait_output("a.png");
    hot.wait_log("waits");
    fs::remove_file(&output).unwrap();
    hot.kill9();
    fs::remove_file(&done).unwrap();
    hot.restart();
    wait_for("the move", || done.join("a.jpg").exists());
    hot.wait_status("done", |status| status.done == 1 && status.queued == 0);
    assert!(!output.exists(), "somebody has it already");
}

/// P1: a photo is deleted when it is done, and the same file comes again with the same time and, as on some file systems, the same
/// inode. Fails when it counts as the done one.
#[test]
fn same_file_that_comes_again_after_it_was_deleted_is_done_again() {
    let hot = HotFolder::start_with(Setup::new().folder("source", "delete"));
    let kept = hot.setup().path("card.jpg");
    fs::write(&kept, jpeg(Quarter::TopLeft)).unwrap();
    for turn in 1..=5 {
        let mut copy = std::process::Command::new("cp");
        let copied = copy.arg("-p").arg(&kept).arg(hot.input("a.jpg")).status();
        assert!(copied.unwrap().success());
        wait_for(&format!("deleted, turn {turn}"), || {
            !hot.input("a.jpg").exists()
        });
        assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    }
}

/// P2: fails when a photo that is only touched, or rewritten with the same content, counts a second time, is reported or cut out
/// again.
#[test]
fn touched_photo_is_done_once() {
    let hot = HotFolder::start_with(Setup::new().listens());
    let photo = jpeg(Quarter::TopLeft);
    hot.drop_file("a.jpg", &photo);
    let before = identity(&hot.wait_output("a.png"));
    hot.wait_status("done", |status| status.done == 1);
    let touched = fs::File::options()
        .write(true)
        .open(hot.input("a.jpg"))
        .unwrap();
    touched
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    drop(touched);
    let is_known = |hot: &HotFolder| said(&hot.command("why", [hot.input("a.jpg")]));
    wait_for("the touched photo is known", || {
        is_known(&hot).contains("version of 1970-01-01")
    });
    hot.drop_file("a.jpg", &photo);
    wait_for("the photo written again is known", || {
        let told = is_known(&hot);
        !told.contains("1970-01-01") && told.contains("nothing is left to do")
    });
    assert_eq!(hot.status().done, 1);
    assert_eq!(identity(&hot.output("a.png")), before);
    let page = get(&hot, "/api/photos").json();
    assert_eq!(page["photos"].as_array().unwrap().len(), 1, "{page}");
    let done = metric(
        &hot,
        "hotcut_photos_total{folder=\"products\",result=\"done\"}",
    );
    assert_eq!(done, 1);
}
