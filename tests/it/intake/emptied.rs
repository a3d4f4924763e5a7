//! Tests that subfolders which hotcut has emptied, and no others, are removed if `tidy` is set.

use std::fs;

use crate::support::binary::{namespaces_work, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::namespace::Namespace;
use crate::support::photos::{Quarter, jpeg};
use crate::support::setup::Setup;

/// Lists often, and removes subfolders that were quiet for 1.5 s.
fn setup(source: &str) -> Setup {
    let setup = Setup::new()
        .daemon("rescan", "250ms")
        .folder("settle", "50ms");
    match source {
        "move" => setup.moves_sources(),
        _ => setup.folder("source", source),
    }
}

/// P4, P10: fails when an emptied subfolder stays, when one is removed that is not empty or that hotcut has not emptied, or when
/// the log does not report it.
#[test]
fn emptied_subfolders_are_removed() {
    for source in ["move", "delete"] {
        let hot = HotFolder::start_with(setup(source).folder("tidy", "true"));
        fs::create_dir(hot.input("made by a person")).unwrap();
        hot.drop_file("in use/notes.md", b"x");
        hot.drop_file("emptied/.DS_Store", b"x");
        for name in ["emptied/deep/a.jpg", "in use/b.jpg", "c.jpg"] {
            hot.drop_file(name, &jpeg(Quarter::TopLeft));
        }
        wait_for("the subfolders are gone", || !hot.input("emptied").exists());
        hot.wait_log("an emptied subfolder is removed");
        hot.wait_status("done", |status| status.done == 3 && status.running == 0);
        for name in ["made by a person", "in use/notes.md"] {
            assert!(hot.input(name).exists(), "{name} with {source}");
        }
        // A subfolder made again under the old name has held no photo. It exists for longer than another one takes to be removed.
        fs::create_dir(hot.input("emptied")).unwrap();
        hot.drop_file("other/d.jpg", &jpeg(Quarter::TopLeft));
        wait_for("the other one is gone", || !hot.input("other").exists());
        assert!(hot.input("emptied").exists(), "with {source}");
        // The watch still works.
        hot.drop_file("emptied/deep/d.jpg", &jpeg(Quarter::TopRight));
        hot.wait_output("emptied/deep/d.png");
    }
}

/// Fails when a subfolder is removed without `tidy`. It must still exist when one in a folder with `tidy` is removed.
#[test]
fn emptied_subfolders_stay_unless_asked() {
    let setup = setup("delete").folder("tidy", "true");
    let hot = HotFolder::start_with(
        setup
            .another_folder("plain")
            .folder("settle", "50ms")
            .folder("source", "delete"),
    );
    let plain = hot.setup().input_of("plain").join("sub");
    fs::create_dir(&plain).unwrap();
    fs::write(plain.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    wait_for("the plain folder is emptied", || {
        hot.status_of("plain").done == 1 && !plain.join("a.jpg").exists()
    });
    hot.drop_file("sub/a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("the subfolder is gone", || !hot.input("sub").exists());
    assert!(plain.exists());
}

/// P10: fails when a subfolder that cannot be removed is not reported, or is reported repeatedly.
#[test]
fn subfolder_that_cannot_be_removed_is_told_once() {
    if !namespaces_work("subfolder_that_cannot_be_removed_is_told_once") {
        return;
    }
    let prelude = "mkdir -p products/in/sub && mount -t tmpfs tmpfs products/in/sub";
    let setup = setup("delete").folder("tidy", "true");
    let hot = HotFolder::start_with(setup.in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let sub = namespace.inside(&hot.input("sub"));
    fs::write(sub.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    hot.wait_log("cannot be removed");
    // Removing another subfolder takes several listings, each of which tries the first one again.
    hot.drop_file("other/b.jpg", &jpeg(Quarter::TopRight));
    let other = namespace.inside(&hot.input("other"));
    wait_for("the other one is gone", || !other.exists());
    let told = hot.log().matches("cannot be removed").count();
    assert_eq!(told, 1, "{}", hot.log());
}
