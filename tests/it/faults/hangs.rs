//! Tests a disk that does not answer, simulated by holding a system call of the daemon until the test releases it.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, shows};
use crate::support::processes;
use crate::support::processes::status_field;
use crate::support::setup::Setup;
use crate::support::strace::{Call, faulty, strace_works};

/// P2, P7: the disk hangs when the cutout gets its name. Fails when the worker hangs too, when another photo of the folder is
/// started, when this counts against the photo, or when two cutouts are made once the disk is back.
#[test]
fn disk_that_hangs_while_a_cutout_is_placed_holds_up_its_own_folder_only() {
    if strace_works("disk_that_hangs_while_a_cutout_is_placed_holds_up_its_own_folder_only") {
        holds_up_its_own_folder_only("renameat2", "");
    }
}

/// P7: as above, when the name of the cutout is looked up, before any worker gets the photo.
#[test]
fn disk_that_hangs_before_a_photo_is_cut_out_holds_up_its_own_folder_only() {
    if strace_works("disk_that_hangs_before_a_photo_is_cut_out_holds_up_its_own_folder_only") {
        holds_up_its_own_folder_only("mkdirat", "sub");
    }
}

/// P8: fails when a dead disk keeps the daemon from stopping, or when the next start loses or doubles the photo.
#[test]
fn daemon_with_a_hanging_disk_stops_and_the_next_one_finishes() {
    if !strace_works("daemon_with_a_hanging_disk_stops_and_the_next_one_finishes") {
        return;
    }
    let mut hot = HotFolder::start_with(hanging("renameat2").daemon("drain_timeout", "1s"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_state("paused");
    hot.signal(Signal::TERM);
    hot.wait_log("stopped");
    // The tracer would hold the dead process as it holds the call.
    let_go(&hot);
    assert_eq!(hot.wait_exit().code(), Some(0));
    hot.change_setup(|setup| setup.under(Vec::new()));
    hot.restart();
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    hot.wait_status("done", |status| status.done == 1 && status.running == 0);
    assert_eq!(hot.outputs(), [Path::new("a.png")]);
    wait_for("nothing is left", || hot.temporaries().is_empty());
}

/// P4: between the last look at a source and its removal another photo takes its place. Fails when that new photo is deleted.
#[test]
fn photo_that_takes_the_place_of_one_that_is_being_deleted_is_not_deleted() {
    if !strace_works("photo_that_takes_the_place_of_one_that_is_being_deleted_is_not_deleted") {
        return;
    }
    let setup = Setup::patient().folder("source", "delete");
    let hot = HotFolder::start_with(held(setup, "renameat2", "products/in"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_state("paused");
    let next = hot.setup().path("next.jpg");
    fs::write(&next, jpeg(Quarter::BottomRight)).unwrap();
    fs::rename(next, hot.input("a.jpg")).unwrap();
    let_go(&hot);
    wait_for("the other photo's cutout", || {
        shows(&hot.output("a-2.png"), Quarter::BottomRight)
    });
    wait_for("both are deleted", || !hot.input("a.jpg").exists());
    hot.wait_status("done", |status| status.running == 0 && status.queued == 0);
    assert_eq!(hot.log_lines("cut out"), 2, "{}", hot.log());
}

#[track_caller]
fn holds_up_its_own_folder_only(call: &str, sub: &str) {
    let [a, b] = ["a.jpg", "b.jpg"].map(|name| Path::new(sub).join(name));
    let hot = HotFolder::start_with(hanging(call));
    hot.drop_file(&a, &jpeg(Quarter::TopLeft));
    hot.wait_state("paused");
    let status = hot.status();
    assert!(status.state.contains("disk"), "{status:?}");
    assert_eq!(status.running, 1, "{status:?}");
    hot.drop_file(&b, &jpeg(Quarter::TopRight));
    for name in ["1", "2"] {
        let photo = hot.setup().input_of("portraits").join(name);
        fs::write(photo.with_extension("jpg"), jpeg(Quarter::TopLeft)).unwrap();
        let output = hot.setup().output_of("portraits").join(name);
        wait_for("the other folder", || output.with_extension("png").exists());
    }
    let status = hot.status();
    assert_eq!((status.running, status.queued), (1, 1), "{status:?}");
    assert_eq!(hot.outputs(), [] as [&Path; 0]);
    let_go(&hot);
    assert_cutout(&hot.wait_output(a.with_extension("png")), Quarter::TopLeft);
    assert_cutout(&hot.wait_output(b.with_extension("png")), Quarter::TopRight);
    hot.wait_status("done", |status| {
        (status.done, status.running, status.queued) == (2, 0, 0) && status.state == "online"
    });
    assert!(hot.status().quarantined.is_empty(), "{:?}", hot.status());
    assert_eq!(
        hot.outputs(),
        [a, b].map(|photo| photo.with_extension("png"))
    );
    assert_eq!(hot.temporaries(), [] as [&Path; 0]);
    for line in ["paused: ", "resumed: "] {
        assert_eq!(hot.log_lines(line), 1, "{}", hot.log());
    }
    hot.assert_log_is_short();
}

/// Lets the disk answer again: without its tracer, the daemon's call completes.
#[track_caller]
fn let_go(hot: &HotFolder) {
    let tracer = status_field(hot.pid(), "TracerPid").expect("Linux");
    processes::signal(tracer.parse().unwrap(), Signal::KILL);
}

/// An output folder on which the first such call of each thread hangs, and an unaffected folder.
fn hanging(call: &str) -> Setup {
    held(
        Setup::new().another_folder("portraits"),
        call,
        "products/out",
    )
}

/// One worker, a single attempt, and a file or folder on which the first such call of each thread hangs.
fn held(setup: Setup, call: &str, path: &str) -> Setup {
    let setup = setup
        .daemon("workers", "1")
        .daemon("max_attempts", "1")
        .daemon("timeout", "5s");
    let call = Call {
        name: call.to_owned(),
        path: path.into(),
    };
    faulty(setup, &call, 1, "delay_enter=100s")
}
