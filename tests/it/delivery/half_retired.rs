//! Tests photos whose cutout is in place and which must still be moved, after a crash or a rename.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::support::binary::{files_below, namespaces_work, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, marked_source};
use crate::support::setup::Setup;

/// A daemon that has placed the cutout of `a.jpg` and cannot move the photo, because `done` is a file.
fn with_one_waiting() -> HotFolder {
    let setup = Setup::new().daemon("workers", "1").folder("settle", "50ms");
    let hot = HotFolder::start_with(setup.moves_sources());
    let done = hot.setup().path("done");
    fs::remove_dir(&done).unwrap();
    fs::write(&done, b"no folder").unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_log("\"cut out");
    hot
}

/// A daemon that ended after it placed the cutout of `a.jpg` and before it moved the photo to `done`.
fn with_one_placed() -> HotFolder {
    let mut hot = with_one_waiting();
    hot.stop();
    let done = hot.setup().path("done");
    fs::remove_file(&done).unwrap();
    fs::create_dir(&done).unwrap();
    assert!(hot.input("a.jpg").exists());
    hot
}

/// Makes the state after a crash between the two steps of the move.
fn hide(hot: &HotFolder) {
    let ledger = rusqlite::Connection::open(hot.setup().path("state/ledger.db")).unwrap();
    let query = "SELECT '.hotcut-' || identity.id || '-' || versions.id || '.source' FROM identity, versions";
    let hidden: String = ledger.query_row(query, [], |row| row.get(0)).unwrap();
    ledger.close().unwrap();
    fs::rename(hot.input("a.jpg"), hot.input(hidden)).unwrap();
}

/// Waits until no work is left, and compares the cutouts and the originals with `expected`, the stems of their names.
#[track_caller]
fn assert_done(hot: &HotFolder, expected: &[(&str, Quarter)]) {
    let names = |ending: &str| -> Vec<PathBuf> {
        let names = expected.iter();
        names
            .map(|(stem, _)| format!("{stem}.{ending}").into())
            .collect()
    };
    let done = hot.setup().path("done");
    wait_for("all is done", || {
        let status = hot.status();
        let is_idle = status.running == 0 && status.queued == 0;
        is_idle && files_below(&done).len() == expected.len()
    });
    assert_eq!(hot.outputs(), names("png"), "{}", hot.log());
    assert_eq!(files_below(&done), names("jpg"), "{}", hot.log());
    assert_eq!(files_below(&hot.input("")), [] as [&Path; 0]);
    for (stem, lit) in expected {
        assert_cutout(&hot.output(format!("{stem}.png")), *lit);
        assert_eq!(
            fs::read(done.join(format!("{stem}.jpg"))).unwrap(),
            jpeg(*lit)
        );
    }
}

/// P2, P4: fails when a photo under its hidden name loses its own name to a new photo, and is cut out twice.
#[test]
fn photo_that_a_crash_has_hidden_is_moved_although_another_has_its_name() {
    let mut hot = with_one_placed();
    hide(&hot);
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    hot.restart();
    let (first, second) = (Quarter::TopLeft, Quarter::BottomRight);
    assert_done(&hot, &[("a-2", second), ("a", first)]);
    assert_eq!(hot.status().done, 2);
}

/// P4: fails when the sidecar of the new photo is moved with the photo that a crash has hidden.
#[test]
fn sidecar_of_a_new_photo_stays_with_it() {
    let mut hot = with_one_placed();
    hide(&hot);
    fs::write(hot.input("a.jpg.xmp"), b"of the second").unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    hot.restart();
    let done = hot.setup().path("done");
    let names = ["a-2.jpg", "a-2.jpg.xmp", "a.jpg"].map(PathBuf::from);
    wait_for("both photos", || files_below(&done) == names);
}

/// P4: `done` is another mount of the same disk, as under a systemd unit, and a crash came between copy and removal. Fails when the
/// sidecar gets another name than its photo.
#[test]
fn copies_that_a_crash_has_left_on_another_mount_of_the_disk_are_taken_up() {
    let test = "copies_that_a_crash_has_left_on_another_mount_of_the_disk_are_taken_up";
    if !namespaces_work(test) {
        return;
    }
    let mut hot = with_one_placed();
    let done = hot.setup().path("done");
    fs::write(hot.input("a.xmp"), b"mine").unwrap();
    for name in ["a.jpg", "a.xmp"] {
        fs::copy(hot.input(name), done.join(name)).unwrap();
        let copy = File::options().append(true).open(done.join(name)).unwrap();
        let original = hot.input(name).metadata().unwrap();
        copy.set_modified(original.modified().unwrap()).unwrap();
    }
    hot.change_setup(|setup| setup.in_namespace("mount --bind done done"));
    hot.restart();
    wait_for("both are gone", || files_below(&hot.input("")).is_empty());
    assert_eq!(files_below(&done), ["a.jpg", "a.xmp"].map(PathBuf::from));
}

/// P4: fails when such a photo stays hidden although photos are now kept.
#[test]
fn photo_that_a_crash_has_hidden_gets_another_name_where_photos_are_kept() {
    let mut hot = with_one_placed();
    hide(&hot);
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    hot.change_setup(Setup::keeps_sources);
    hot.restart();
    wait_for("both photos", || {
        files_below(&hot.input("")) == ["a-2.jpg", "a.jpg"].map(PathBuf::from)
    });
    assert_eq!(
        fs::read(hot.input("a-2.jpg")).unwrap(),
        jpeg(Quarter::TopLeft)
    );
}

/// P2: fails when a photo that is renamed before it is moved gets a second cutout.
#[test]
fn photo_that_is_renamed_before_it_is_moved_keeps_its_one_cutout() {
    let mut hot = with_one_placed();
    fs::rename(hot.input("a.jpg"), hot.input("b.jpg")).unwrap();
    hot.restart();
    assert_done(&hot, &[("b", Quarter::TopLeft)]);
    assert_eq!(marked_source(&hot.output("b.png")), "b.jpg");
    assert_eq!(hot.status().done, 1);
    assert_eq!(hot.log_lines("\"cut out\""), 0, "{}", hot.log());
}

/// P2: as above, while the daemon runs.
#[test]
fn photo_that_is_renamed_while_it_waits_for_its_move_keeps_its_one_cutout() {
    let hot = with_one_waiting();
    fs::rename(hot.input("a.jpg"), hot.input("b.jpg")).unwrap();
    wait_for("the new name", || hot.outputs() == [Path::new("b.png")]);
    assert_eq!(marked_source(&hot.output("b.png")), "b.jpg");
    assert_eq!(hot.log_lines("\"cut out\""), 1, "{}", hot.log());
}
