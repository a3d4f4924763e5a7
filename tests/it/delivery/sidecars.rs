//! Tests that sidecars (`.xmp`) move with their photo, under its name, and never away from another file that they describe.

use std::fs;
use std::path::PathBuf;

use crate::support::binary::{files_below, namespaces_work, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::namespace::Namespace;
use crate::support::photos::{Quarter, jpeg, padded};
use crate::support::setup::Setup;
use crate::support::strace;
use crate::support::strace::{Call, strace_works};

fn listed(hot: &HotFolder, folder: &str) -> Vec<PathBuf> {
    files_below(&hot.setup().path(folder))
}

fn paths<const N: usize>(names: [&str; N]) -> [PathBuf; N] {
    names.map(PathBuf::from)
}

/// P4: fails when a sidecar stays behind, gets another number than its photo, or replaces the sidecar of an earlier photo.
#[test]
fn sidecars_are_moved_under_the_name_of_their_photo() {
    let hot = HotFolder::start_with(Setup::new().moves_sources());
    for (turn, lit) in [(1, Quarter::TopLeft), (2, Quarter::TopRight)] {
        hot.drop_file("sub/a.XMP", format!("stem {turn}").as_bytes());
        hot.drop_file("sub/a.jpg.xmp", format!("name {turn}").as_bytes());
        hot.drop_file("sub/a.jpg", &jpeg(lit));
        hot.wait_status("moved", |status| {
            status.done == turn && !hot.input("sub/a.jpg").exists()
        });
    }
    let expected = [
        "sub/a-2.XMP",
        "sub/a-2.jpg",
        "sub/a-2.jpg.xmp",
        "sub/a.XMP",
        "sub/a.jpg",
        "sub/a.jpg.xmp",
    ];
    assert_eq!(listed(&hot, "done"), paths(expected));
    let read = |name: &str| fs::read_to_string(hot.setup().path("done/sub").join(name)).unwrap();
    assert_eq!(
        ["a.XMP", "a.jpg.xmp", "a-2.XMP", "a-2.jpg.xmp"].map(read),
        ["stem 1", "name 1", "stem 2", "name 2"]
    );
    assert_eq!(files_below(&hot.input("")), [] as [PathBuf; 0]);
}

/// P4: fails when the sidecar of a raw picture is moved because a JPEG of the same stem is moved.
#[test]
fn sidecar_stays_with_another_file_of_its_stem() {
    let hot = HotFolder::start_with(Setup::new().moves_sources());
    for name in ["a.cr3", "a.xmp", "a.jpg.xmp", "b.xmp"] {
        hot.drop_file(name, b"x");
    }
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("moved", || !hot.input("a.jpg").exists());
    hot.wait_status("done", |status| status.done == 1);
    assert_eq!(listed(&hot, "done"), paths(["a.jpg", "a.jpg.xmp"]));
    let stay = paths(["a.cr3", "a.xmp", "b.xmp"]);
    assert_eq!(files_below(&hot.input("")), stay);
}

/// P4: fails when a photo moved to `failed` leaves its sidecar behind, or when a file of that name in the folder is replaced.
#[test]
fn sidecar_of_a_photo_that_failed_goes_with_it() {
    let hot = HotFolder::start_with(Setup::new().moves_failures());
    let failed = hot.setup().path("failed");
    fs::create_dir_all(&failed).unwrap();
    fs::write(failed.join("a.xmp"), b"of somebody").unwrap();
    hot.drop_file("a.xmp", b"mine");
    hot.drop_file("a.jpg", b"no photo");
    wait_for("set aside", || !hot.input("a.jpg").exists());
    wait_for("the sidecar", || failed.join("a.xmp-2").exists());
    let read = |name: &str| fs::read_to_string(failed.join(name)).unwrap();
    assert_eq!(["a.xmp", "a.xmp-2"].map(read), ["of somebody", "mine"]);
    assert!(!hot.input("a.xmp").exists());
}

/// P4: fails when a sidecar that is copied to another disk also stays, or gets other times.
#[test]
fn sidecar_is_copied_to_another_disk() {
    let Some(setup) = Setup::new().moves_sources_to_another_disk() else {
        return;
    };
    let hot = HotFolder::start_with(setup);
    hot.drop_file("a.xmp", b"mine");
    let saved = fs::metadata(hot.input("a.xmp")).unwrap().modified();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_status("done", |status| status.done == 1);
    wait_for("moved", || !hot.input("a.jpg").exists());
    let copy = hot.setup().path("done/a.xmp");
    assert_eq!(fs::read(&copy).unwrap(), b"mine");
    let copied = fs::metadata(&copy).unwrap().modified();
    assert_eq!(copied.unwrap(), saved.unwrap());
    assert!(!hot.input("a.xmp").exists());
}

/// P4: the last rename of three fails. Fails when the sidecar and its photo are in different folders, or when the next try does not
/// move both.
#[test]
fn sidecar_comes_back_with_a_photo_that_cannot_be_moved() {
    if !strace_works("sidecar_comes_back_with_a_photo_that_cannot_be_moved") {
        return;
    }
    let setup = Setup::new().moves_sources();
    // Renames: hidden name, sidecar, photo.
    let rename = Call {
        name: "renameat2".to_owned(),
        path: "products/in".into(),
    };
    let setup = strace::faulty(setup, &rename, 3, "error=EIO");
    let mut hot = HotFolder::start_with(setup);
    hot.drop_file("a.xmp", b"mine");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_log("Input/output error");
    let both = paths(["a.jpg", "a.xmp"]);
    wait_for("both are back", || files_below(&hot.input("")) == both);
    assert_eq!(listed(&hot, "done"), [] as [PathBuf; 0]);
    hot.kill9();
    hot.change_setup(|setup| setup.under(Vec::new()));
    hot.restart();
    wait_for("both are moved", || listed(&hot, "done") == both);
    hot.wait_status("done", |status| status.done == 1);
    assert_eq!(files_below(&hot.input("")), [] as [PathBuf; 0]);
}

/// P4: the other disk has space only for the sidecar. Fails when the sidecar leaves its photo, when its copy stays there alone, or
/// when both are not moved once there is space.
#[test]
fn sidecar_stays_with_a_photo_that_has_no_room_on_the_other_disk() {
    if !namespaces_work("sidecar_stays_with_a_photo_that_has_no_room_on_the_other_disk") {
        return;
    }
    let setup = Setup::patient().daemon("min_free", "1 B").moves_sources();
    let prelude = "mount -t tmpfs -o size=64k tmpfs done";
    let hot = HotFolder::start_with(setup.in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let named = hot.setup().path("done");
    let done = namespace.inside(&named);
    hot.drop_file("a.xmp", b"mine");
    hot.drop_file("a.jpg", &padded(&jpeg(Quarter::TopLeft)));
    hot.wait_status("it waits", |status| {
        let mut waiting = status.waiting.iter();
        waiting.any(|photo| photo.reason.contains("No space"))
    });
    let both = paths(["a.jpg", "a.xmp"]);
    assert!(hot.input("a.xmp").exists());
    wait_for("the copy is removed", || files_below(&done).is_empty());
    let named = named.display().to_string();
    namespace.run("mount", &["-o", "remount,size=512m", &named]);
    wait_for("both are moved", || files_below(&done) == both);
    wait_for("both are gone", || files_below(&hot.input("")).is_empty());
    assert_eq!(fs::read(done.join("a.xmp")).unwrap(), b"mine");
}
