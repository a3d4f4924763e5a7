//! Tests file systems without free space or inodes, below the output and below the ledger.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::support::binary::{namespaces_work, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::namespace::Namespace;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::setup::Setup;

/// P3, P10: there is space, but no inode. Fails when this counts against the photo, or when the folder does not resume by itself.
#[test]
fn output_folder_without_inodes_pauses_until_there_are_some() {
    if !namespaces_work("output_folder_without_inodes_pauses_until_there_are_some") {
        return;
    }
    let prelude = "mount -t tmpfs -o nr_inodes=4 tmpfs products/out
        touch products/out/1 products/out/2 products/out/3";
    let hot = HotFolder::start_with(Setup::patient().in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let output = namespace.inside(&hot.output(""));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_state("paused");
    let status = hot.status();
    assert!(status.state.contains("no space"), "{status:?}");
    assert!(status.quarantined.is_empty(), "{status:?}");
    fs::remove_file(output.join("3")).unwrap();
    wait_for("the output", || output.join("a.png").exists());
    assert_cutout(&output.join("a.png"), Quarter::TopLeft);
    hot.wait_state("online");
    assert_eq!(hot.log_lines("paused: "), 1, "{}", hot.log());
    hot.assert_log_is_short();
}

/// P10: a disk that others use too must not be filled. Fails when a photo is started on space that must stay free, when it is
/// charged for that, when the figures or the time of the next look are not given, when they are given repeatedly, or when the
/// folder does not resume by itself.
#[test]
fn output_disk_keeps_what_must_stay_free() {
    if !namespaces_work("output_disk_keeps_what_must_stay_free") {
        return;
    }
    let prelude = "mount -t tmpfs -o size=64m tmpfs products/out";
    let setup = Setup::patient().daemon("min_free", "32 MiB");
    let hot = HotFolder::start_with(setup.in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let output = namespace.inside(&hot.output(""));
    let filler = output.join("filler");
    fs::write(&filler, vec![0; 44 << 20]).unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_state("paused: 20.0 MiB are free in ");
    hot.wait_status("the next look", |status| {
        status
            .state
            .contains("`min_free` is 32.0 MiB; looked at again in 2s")
    });
    // Writes by others are not reported.
    fs::write(output.join("more"), vec![0; 2 << 20]).unwrap();
    hot.wait_state("paused: 18.0 MiB are free in ");
    let status = hot.status();
    assert!(status.quarantined.is_empty(), "{status:?}");
    assert_eq!(hot.log_lines("paused: "), 1, "{}", hot.log());
    fs::remove_file(filler).unwrap();
    wait_for("the output", || output.join("a.png").exists());
    hot.wait_state("online");
    hot.assert_log_is_short();
}

/// P4, P10: as above, for the disk that done photos are copied to. Fails when the photo is copied there, or when it is lost.
#[test]
fn disk_of_done_photos_keeps_what_must_stay_free() {
    if !namespaces_work("disk_of_done_photos_keeps_what_must_stay_free") {
        return;
    }
    let prelude = "mount -t tmpfs -o size=64m tmpfs done
        head -c 44m /dev/zero > done/filler";
    let setup = Setup::patient().daemon("min_free", "32 MiB");
    let hot = HotFolder::start_with(setup.moves_sources().in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let done = namespace.inside(&hot.setup().path("done"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    hot.wait_status("it waits", |status| {
        let mut waiting = status.waiting.iter();
        waiting.any(|photo| photo.reason.contains("`min_free` is 32.0 MiB"))
    });
    assert!(hot.input("a.jpg").exists());
    assert!(!done.join("a.jpg").exists());
    fs::remove_file(done.join("filler")).unwrap();
    wait_for("it is moved", || done.join("a.jpg").exists());
    assert!(!hot.input("a.jpg").exists());
}

/// P2, P10: there is no space for the ledger. Fails when a photo is started anyway, when the daemon ends, when the condition is not
/// shown, or when the photo is not done once there is space.
#[test]
fn daemon_whose_ledger_has_no_room_begins_nothing_and_says_so() {
    if !namespaces_work("daemon_whose_ledger_has_no_room_begins_nothing_and_says_so") {
        return;
    }
    let prelude = "mount -t tmpfs -o size=4m tmpfs state";
    let setup = Setup::patient().daemon("min_free", "1 MiB");
    let mut hot = HotFolder::start_with(setup.in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let state = namespace.inside(&hot.setup().path("state"));
    let leave = |bytes: u64| {
        let disk = rustix::fs::statvfs(&state).unwrap();
        let free = disk.f_bavail * disk.f_frsize;
        fs::write(
            state.join("filler"),
            vec![0; usize::try_from(free - bytes).unwrap()],
        )
        .unwrap();
    };
    leave(512 << 10);
    wait_for("it pauses", || {
        let state = namespace.status(&hot).state;
        state.starts_with("paused: ") && state.contains("`min_free` is 1.0 MiB; looked at again")
    });
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("it waits", || namespace.status(&hot).queued == 1);
    // A start on such a disk behaves the same.
    hot.stop();
    hot.change_setup(|setup| namespace.enter(setup));
    hot.restart();
    wait_for("it waits again", || namespace.status(&hot).queued == 1);
    // Full to the last byte: the status cannot be written any more, but the daemon lives.
    let last = state.join("last");
    assert!(fs::write(&last, vec![0; 1 << 20]).is_err(), "it fills up");
    hot.wait_log("the status file cannot be written");
    fs::remove_file(last).unwrap();
    wait_for("it is told again", || {
        namespace.status(&hot).state.starts_with("paused: ")
    });
    assert_eq!(hot.outputs(), [] as [&Path; 0]);
    assert_eq!(hot.temporaries(), [] as [&Path; 0]);
    assert_eq!(hot.log_lines("paused: "), 1, "{}", hot.log());
    fs::remove_file(state.join("filler")).unwrap();
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    wait_for("done", || namespace.status(&hot).done == 1);
    assert_eq!(namespace.status(&hot).state, "online");
    hot.assert_log_is_short();
}

/// P10: the ledger has its files, but no other file can be made. Fails when photos wait for that, when it is logged repeatedly, or
/// when the status stays out of date once there are inodes.
#[test]
fn daemon_whose_state_directory_has_no_inodes_goes_on_and_says_so_once() {
    if !namespaces_work("daemon_whose_state_directory_has_no_inodes_goes_on_and_says_so_once") {
        return;
    }
    let prelude = "mount -t tmpfs -o nr_inodes=40 tmpfs state";
    let hot = HotFolder::start_with(Setup::patient().in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let state = namespace.inside(&hot.setup().path("state"));
    wait_for("the canary", || {
        state.join("canary/products/canary").exists()
    });
    let fillers = (0..40).map(|number| state.join(format!("filler-{number}")));
    let fillers: Vec<_> = fillers
        .take_while(|path| fs::write(path, b"").is_ok())
        .collect();
    assert!(fillers.len() < 40, "it fills up");
    for name in ["a", "b", "c"] {
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopLeft));
        assert_cutout(&hot.wait_output(format!("{name}.png")), Quarter::TopLeft);
    }
    hot.wait_log("the status file cannot be written");
    assert_eq!(
        hot.log_lines("the status file cannot be written"),
        1,
        "{}",
        hot.log()
    );
    for filler in fillers {
        fs::remove_file(filler).unwrap();
    }
    let freed = SystemTime::now();
    wait_for("the status is told again", || {
        let written = fs::metadata(state.join("status.json")).and_then(|told| told.modified());
        written.is_ok_and(|written| written > freed)
    });
    wait_for("done", || {
        let status = namespace.status(&hot);
        status.done == 3 && status.queued == 0 && status.running == 0
    });
    assert_eq!(namespace.status(&hot).state, "online");
    hot.assert_log_is_short();
}

/// P10: as above, at a start, where the ledger cannot be made. Fails when the daemon appears to serve.
#[test]
fn daemon_that_cannot_make_its_ledger_ends_and_says_so() {
    if !namespaces_work("daemon_that_cannot_make_its_ledger_ends_and_says_so") {
        return;
    }
    let prelude = "mount -t tmpfs -o nr_inodes=2 tmpfs state";
    let mut hot = HotFolder::launch(Setup::patient().in_namespace(prelude));
    assert_eq!(hot.wait_exit().code(), Some(70), "{}", hot.log());
    assert_ends_with(&hot, &["`state_dir`", "inodes"]);
}

#[track_caller]
fn assert_ends_with(hot: &HotFolder, words: &[&str]) {
    let log = hot.log();
    let last = log.lines().last().unwrap_or_default();
    for word in ["ERROR"].iter().chain(words) {
        assert!(last.contains(word), "no {word} at the end of {log}");
    }
    hot.assert_log_is_short();
}
