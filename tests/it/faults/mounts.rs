//! Tests mounts that come, go or turn read-only under a running daemon: only their content is served, not the folders below them.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::binary::{namespaces_work, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::namespace::Namespace;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::setup::Setup;

const MOUNTED_INPUT: &str = "mount -t tmpfs tmpfs products/in";

/// P1, P10: fails when the bare folder below an absent mount counts as the hot folder, or when the mount is not served once it is
/// back.
#[test]
fn unmounted_input_folder_is_offline_and_what_lies_below_it_stays() {
    if !namespaces_work("unmounted_input_folder_is_offline_and_what_lies_below_it_stays") {
        return;
    }
    let setup = Setup::patient()
        .folder("source", "delete")
        .in_namespace(MOUNTED_INPUT)
        .another_folder("portraits");
    let hot = HotFolder::start_with(setup);
    let namespace = Namespace::of(&hot);
    deliver(&hot, &namespace, "before");
    namespace.unmount(&hot.input(""));
    hot.wait_state("offline");
    assert!(
        hot.status().state.contains("not mounted"),
        "{:?}",
        hot.status()
    );
    hot.drop_file("below.jpg", &jpeg(Quarter::TopRight));
    // An offline folder is looked for every other second; a photo of another folder is done by then.
    for name in ["1", "2", "3"] {
        let photo = hot.setup().input_of("portraits").join(name);
        fs::write(photo.with_extension("jpg"), jpeg(Quarter::TopLeft)).unwrap();
        let output = hot.setup().output_of("portraits").join(name);
        wait_for("the marker", || output.with_extension("png").exists());
    }
    assert!(hot.status().state.starts_with("offline"));
    namespace.mount_tmpfs(&hot.input(""));
    hot.wait_state("online");
    deliver(&hot, &namespace, "after");
    assert_eq!(
        hot.outputs(),
        ["after.png", "before.png"].map(PathBuf::from)
    );
    assert!(hot.input("below.jpg").exists(), "deleted without a cutout");
    assert_eq!(hot.log_lines("offline: "), 1, "{}", hot.log());
    hot.assert_log_is_short();
}

/// P1, P10: another disk is mounted on the hot folder, which causes no event. Fails when it is not served at the next `rescan`,
/// when it is not watched, or when the folder below it is served after it goes.
#[test]
fn mount_over_the_input_folder_is_served_from_the_next_rescan_on() {
    if !namespaces_work("mount_over_the_input_folder_is_served_from_the_next_rescan_on") {
        return;
    }
    let mut hot = HotFolder::start_with(Setup::patient().in_namespace(""));
    let namespace = Namespace::of(&hot);
    namespace.mount_tmpfs(&hot.input(""));
    deliver(&hot, &namespace, "first");
    hot.change_setup(|setup| setup.daemon("rescan", "3600s"));
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    // The listing that was due comes during the first of these; the others are found only by their events.
    for number in 0..8 {
        deliver(&hot, &namespace, &format!("by-event-{number}"));
    }
    assert_eq!(hot.status().state, "online");
    namespace.unmount(&hot.input(""));
    hot.wait_state("offline");
    namespace.mount_tmpfs(&hot.input(""));
    hot.wait_state("online");
    deliver(&hot, &namespace, "back");
    hot.assert_log_is_short();
}

/// P3, P10: another disk is mounted on the output folder. Fails when cutouts are not written there, when that is not logged, or
/// when they are written below it once it is gone again.
#[test]
fn mount_over_the_output_folder_is_waited_for_when_it_goes() {
    if !namespaces_work("mount_over_the_output_folder_is_waited_for_when_it_goes") {
        return;
    }
    let hot = HotFolder::start_with(Setup::patient().in_namespace(""));
    let namespace = Namespace::of(&hot);
    namespace.mount_tmpfs(&hot.output(""));
    hot.wait_log("mounted over the output folder");
    hot.drop_file("over.jpg", &jpeg(Quarter::TopLeft));
    let over = namespace.inside(&hot.output("over.png"));
    wait_for("the output in the mount", || over.exists());
    assert_cutout(&over, Quarter::TopLeft);
    hot.wait_status("done", |status| status.done == 1 && status.running == 0);
    namespace.unmount(&hot.output(""));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopRight));
    hot.wait_state("paused");
    assert!(
        hot.status().state.contains("not mounted"),
        "{:?}",
        hot.status()
    );
    namespace.mount_tmpfs(&hot.output(""));
    let placed = namespace.inside(&hot.output("a.png"));
    wait_for("the output in the mount", || placed.exists());
    assert_cutout(&placed, Quarter::TopRight);
    hot.wait_state("online");
    assert_eq!(hot.outputs(), [] as [&Path; 0], "the bare folder");
    assert_eq!(hot.log_lines("paused: "), 1, "{}", hot.log());
    hot.assert_log_is_short();
}

/// P1, P10: systemd mounts a unit's writable paths on themselves. Fails when such a mount counts as a disk, which would be required
/// for ever after the unit names another folder.
#[test]
fn folder_that_was_mounted_on_itself_is_served_without_that() {
    if !namespaces_work("folder_that_was_mounted_on_itself_is_served_without_that") {
        return;
    }
    let prelude = "mount --bind products products\nmount --bind products/out products/out";
    let mut hot = HotFolder::start_with(Setup::new().in_namespace(prelude));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    hot.wait_status("done", |status| status.done == 1);
    hot.stop();
    hot.change_setup(|setup| setup.in_namespace(""));
    hot.restart();
    hot.drop_file("b.jpg", &jpeg(Quarter::TopRight));
    assert_cutout(&hot.wait_output("b.png"), Quarter::TopRight);
    assert_eq!(hot.status().state, "online");
}

/// P4, P10: fails when a photo that cannot be deleted is cut out repeatedly, when that is not reported, or when it stays for ever.
#[test]
fn source_in_a_read_only_folder_is_deleted_once_that_is_writable() {
    let test = "source_in_a_read_only_folder_is_deleted_once_that_is_writable";
    retires_late(test, Setup::patient().folder("source", "delete"));
}

/// P4, P10: as above, for a photo that must be moved.
#[test]
fn source_in_a_read_only_folder_is_moved_once_that_is_writable() {
    let setup = Setup::patient().moves_sources();
    let test = "source_in_a_read_only_folder_is_moved_once_that_is_writable";
    if let Some(hot) = retires_late(test, setup) {
        let done = hot.setup().path("done/a.jpg");
        assert_eq!(fs::read(done).unwrap(), jpeg(Quarter::TopLeft));
    }
}

/// `None` if namespaces are not available.
#[track_caller]
fn retires_late(test: &str, setup: Setup) -> Option<HotFolder> {
    if !namespaces_work(test) {
        return None;
    }
    let prelude = "mount --bind products/in products/in";
    let hot = HotFolder::start_with(setup.in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let input = hot.input("").display().to_string();
    namespace.run("mount", &["-o", "remount,bind,ro", &input]);
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    hot.wait_status("the waiting photo", |status| status.waiting.len() == 1);
    let status = hot.status();
    assert_eq!(status.waiting[0].path, "a.jpg");
    assert!(status.waiting[0].reason.contains("Read-only"), "{status:?}");
    assert_eq!(status.state, "online");
    assert!(hot.input("a.jpg").exists());
    namespace.run("mount", &["-o", "remount,bind,rw", &input]);
    wait_for("source gone", || !hot.input("a.jpg").exists());
    hot.wait_status("nothing waits", |status| {
        status.waiting.is_empty() && status.running == 0 && status.done == 1
    });
    assert_eq!(hot.outputs(), [Path::new("a.png")]);
    assert_eq!(hot.log_lines("cut out"), 1, "{}", hot.log());
    assert_eq!(hot.log_lines("waits: "), 1, "{}", hot.log());
    hot.assert_log_is_short();
    Some(hot)
}

/// Drops a photo into the hot folder inside the daemon's namespace, and waits for its cutout.
#[track_caller]
fn deliver(hot: &HotFolder, namespace: &Namespace, name: &str) {
    let photo = namespace.inside(&hot.input(name));
    fs::write(photo.with_extension("jpg"), jpeg(Quarter::TopLeft)).unwrap();
    let output = hot.wait_output(format!("{name}.png"));
    assert_cutout(&output, Quarter::TopLeft);
}
