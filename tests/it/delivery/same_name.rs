//! Tests a photo that arrives under the name of an earlier one, for each `source` and each `on_same_name`: which cutout is where.

use std::fs;
use std::path::PathBuf;

use crate::support::binary::{files_below, identity, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, marked_sha256, png};
use crate::support::setup::Setup;

const PHOTO: &str = "sub/a.jpg";

/// One worker and one folder with these two keys; the `done` folder is set up if needed.
pub(crate) fn setup(source: &str, on_same_name: &str) -> Setup {
    let setup = Setup::new().daemon("workers", "1").folder("settle", "50ms");
    let setup = match source {
        "move" => setup.moves_sources(),
        _ => setup.folder("source", source),
    };
    setup.folder("on_same_name", on_same_name)
}

/// Drops the photo and waits until hotcut has handled it; `count` photos are done then.
#[track_caller]
fn deliver(hot: &HotFolder, lit: Quarter, source: &str, count: u64) {
    hot.drop_file(PHOTO, &jpeg(lit));
    hot.wait_status("done", |status| {
        status.done == count && status.running == 0 && status.queued == 0
    });
    if source != "keep" {
        wait_for("the photo is gone", || !hot.input(PHOTO).exists());
    }
}

#[track_caller]
fn assert_outputs(hot: &HotFolder, expected: &[(&str, Quarter)]) {
    let names: Vec<PathBuf> = expected.iter().map(|(name, _)| name.into()).collect();
    assert_eq!(hot.outputs(), names);
    for (name, lit) in expected {
        assert_cutout(&hot.output(name), *lit);
    }
}

/// Removes the ledger, so that the next start rebuilds it from the cutouts.
fn lose_ledger(hot: &mut HotFolder) {
    hot.stop();
    fs::remove_dir_all(hot.setup().path("state")).unwrap();
    fs::create_dir(hot.setup().path("state")).unwrap();
    hot.restart();
}

/// P2: fails when the second photo replaces the cutout of the first, gets another number, or gets a new one after a restart or a
/// lost ledger.
#[test]
fn photo_of_an_earlier_name_gets_a_number() {
    for source in ["keep", "move", "delete"] {
        let mut hot = HotFolder::start_with(setup(source, "number"));
        deliver(&hot, Quarter::TopLeft, source, 1);
        deliver(&hot, Quarter::BottomRight, source, 2);
        let two = [
            ("sub/a-2.png", Quarter::BottomRight),
            ("sub/a.png", Quarter::TopLeft),
        ];
        assert_outputs(&hot, &two);
        hot.stop();
        hot.restart();
        lose_ledger(&mut hot);
        // A kept source has a history only for its latest version; a source that is gone has one for each cutout.
        let known = if source == "keep" { 1 } else { 2 };
        hot.wait_status("known again", |status| status.done == known);
        assert_outputs(&hot, &two);
        deliver(&hot, Quarter::TopRight, source, known + 1);
        let [second, first] = two;
        assert_outputs(&hot, &[second, ("sub/a-3.png", Quarter::TopRight), first]);
        if source == "move" {
            assert_originals(&hot);
        }
    }
}

/// P4: fails when an original in `done` does not have the number of its cutout.
#[track_caller]
fn assert_originals(hot: &HotFolder) {
    let done = hot.setup().path("done");
    assert_eq!(
        files_below(&done),
        ["sub/a-2.jpg", "sub/a-3.jpg", "sub/a.jpg"].map(PathBuf::from)
    );
    for (name, lit) in [
        ("sub/a", Quarter::TopLeft),
        ("sub/a-2", Quarter::BottomRight),
        ("sub/a-3", Quarter::TopRight),
    ] {
        let original = fs::read(done.join(name).with_extension("jpg")).unwrap();
        assert_eq!(original, jpeg(lit), "{name}");
        assert_cutout(&hot.output(name).with_extension("png"), lit);
    }
}

/// P2: fails when the second photo gets its own name although its folder is configured to replace, or when the replacement is not
/// logged.
#[test]
fn photo_of_an_earlier_name_replaces_its_cutout_where_the_folder_says_so() {
    for source in ["keep", "move", "delete"] {
        let mut hot = HotFolder::start_with(setup(source, "replace"));
        deliver(&hot, Quarter::TopLeft, source, 1);
        assert!(!hot.log().contains("replaced"), "{}", hot.log());
        deliver(&hot, Quarter::BottomRight, source, 2);
        assert_outputs(&hot, &[("sub/a.png", Quarter::BottomRight)]);
        wait_for("the log tells of it", || {
            hot.log().contains("replaced the cutout")
        });
        let told = said(&hot.command("why", [hot.input(PHOTO)]));
        assert_eq!(
            told.matches("replaced the cutout").count(),
            1,
            "{source}: {told}"
        );
        lose_ledger(&mut hot);
        hot.wait_status("known again", |status| status.done == 1);
        deliver(&hot, Quarter::TopRight, source, 2);
        assert_outputs(&hot, &[("sub/a.png", Quarter::TopRight)]);
    }
}

/// P2: fails when, by default, a folder whose photos are moved or deleted replaces cutouts, or one whose photos are kept numbers
/// them.
#[test]
fn default_is_to_number_where_photos_are_taken_away() {
    let deletes = Setup::new().folder("source", "delete");
    for (source, setup, expected) in [
        ("delete", deletes, vec!["sub/a-2.png", "sub/a.png"]),
        (
            "move",
            Setup::new().moves_sources(),
            vec!["sub/a-2.png", "sub/a.png"],
        ),
        ("keep", Setup::new(), vec!["sub/a.png"]),
    ] {
        let hot = HotFolder::start_with(setup);
        deliver(&hot, Quarter::TopLeft, source, 1);
        deliver(&hot, Quarter::BottomRight, source, 2);
        let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
        assert_eq!(hot.outputs(), expected, "{source}");
    }
}

/// P10: fails when `why` shows only one history, or that of only one cutout.
#[test]
fn why_tells_of_each_photo_of_a_name() {
    let hot = HotFolder::start_with(setup("move", "number"));
    deliver(&hot, Quarter::TopLeft, "move", 1);
    deliver(&hot, Quarter::BottomRight, "move", 2);
    for asked in [
        hot.input(PHOTO),
        hot.output("sub/a.png"),
        hot.output("sub/a-2.png"),
    ] {
        let told = said(&hot.command("why", [asked]));
        for output in ["out/sub/a.png", "out/sub/a-2.png"] {
            assert!(told.contains(output), "{told}");
        }
        assert!(!told.contains("replaced"), "{told}");
    }
}

/// P2: the first cutout was fetched. Fails when its name is given to another photo, whose cutout would overwrite it at its
/// destination.
#[test]
fn name_of_a_cutout_that_was_fetched_is_not_given_again() {
    let hot = HotFolder::start_with(setup("delete", "number"));
    deliver(&hot, Quarter::TopLeft, "delete", 1);
    fs::remove_file(hot.output("sub/a.png")).unwrap();
    deliver(&hot, Quarter::BottomRight, "delete", 2);
    assert_outputs(&hot, &[("sub/a-2.png", Quarter::BottomRight)]);
}

/// P2, P4: fails when a number that a file in the output folder or in `done` has counts as free.
#[test]
fn number_that_is_taken_is_skipped_for_cutout_and_original() {
    let hot = HotFolder::start_with(setup("move", "number"));
    deliver(&hot, Quarter::TopLeft, "move", 1);
    fs::write(hot.output("sub/a-2.png"), b"somebody's work").unwrap();
    fs::write(hot.setup().path("done/sub/a-3.jpg"), b"another's").unwrap();
    deliver(&hot, Quarter::BottomRight, "move", 2);
    assert_cutout(&hot.output("sub/a-4.png"), Quarter::BottomRight);
    let original = fs::read(hot.setup().path("done/sub/a-4.jpg")).unwrap();
    assert_eq!(original, jpeg(Quarter::BottomRight));
    assert_eq!(
        fs::read(hot.output("sub/a-2.png")).unwrap(),
        b"somebody's work"
    );
}

/// P2: fails when a file in `done` gives the cutout another name although photos of one name replace each other.
#[test]
fn name_that_is_taken_in_done_counts_only_where_photos_are_numbered() {
    for (on_same_name, name) in [("replace", "sub/a.png"), ("number", "sub/a-2.png")] {
        let hot = HotFolder::start_with(setup("move", on_same_name));
        fs::create_dir(hot.setup().path("done/sub")).unwrap();
        fs::write(hot.setup().path("done/sub/a.jpg"), b"another's").unwrap();
        hot.drop_file(PHOTO, &jpeg(Quarter::TopLeft));
        hot.wait_status("done", |status| status.done == 1);
        assert_outputs(&hot, &[(name, Quarter::TopLeft)]);
    }
}

/// P2: two photos of one stem, each of which comes twice. Fails when they share a number.
#[test]
fn photos_of_one_stem_are_numbered_apart() {
    let hot = HotFolder::start_with(setup("delete", "number"));
    let photos = [
        ("a.jpg", jpeg(Quarter::TopLeft)),
        ("a.png", png(Quarter::TopRight)),
        ("a.jpg", jpeg(Quarter::BottomLeft)),
        ("a.png", png(Quarter::BottomRight)),
    ];
    for ((name, photo), count) in photos.iter().zip(1..) {
        hot.drop_file(name, photo);
        hot.wait_status("done", |status| status.done == count);
        wait_for("the photo is gone", || !hot.input(name).exists());
    }
    assert_outputs(
        &hot,
        &[
            ("a-2.png", Quarter::BottomLeft),
            ("a-3.png", Quarter::BottomRight),
            ("a.png", Quarter::TopLeft),
            ("a.png.png", Quarter::TopRight),
        ],
    );
}

/// P2: fails when a photo that is dropped again, byte for byte, is cut out again.
#[test]
fn same_photo_dropped_again_is_not_cut_out_again() {
    let hot = HotFolder::start_with(setup("delete", "number"));
    deliver(&hot, Quarter::TopLeft, "delete", 1);
    let before = marked_sha256(&hot.output("sub/a.png"));
    deliver(&hot, Quarter::TopLeft, "delete", 2);
    assert_outputs(&hot, &[("sub/a.png", Quarter::TopLeft)]);
    assert_eq!(marked_sha256(&hot.output("sub/a.png")), before);
    assert!(
        hot.log().contains("the cutout exists already"),
        "{}",
        hot.log()
    );
}

/// P2: a kept photo is replaced by another one and then restored. Fails when its cutout is made again, or the cutout of the other
/// photo is lost.
#[test]
fn former_photo_that_comes_back_still_has_its_cutout() {
    let hot = HotFolder::start_with(setup("keep", "number"));
    deliver(&hot, Quarter::TopLeft, "keep", 1);
    let before = identity(&hot.output("sub/a.png"));
    let kept = hot.setup().path("kept.jpg");
    fs::rename(hot.input(PHOTO), &kept).unwrap();
    deliver(&hot, Quarter::BottomRight, "keep", 2);
    fs::rename(&kept, hot.input(PHOTO)).unwrap();
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_status("the marker is done", |status| {
        status.done == 3 && status.queued == 0
    });
    assert_outputs(
        &hot,
        &[
            ("marker.png", Quarter::TopRight),
            ("sub/a-2.png", Quarter::BottomRight),
            ("sub/a.png", Quarter::TopLeft),
        ],
    );
    assert_eq!(identity(&hot.output("sub/a.png")), before);
}
