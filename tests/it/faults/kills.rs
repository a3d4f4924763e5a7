//! Tests that the daemon may die at, or get an error from, every system call on the way of one photo: nothing is lost, doubled or
//! left behind.
//!
//! The calls are read from an undisturbed run, so a call that is added later is disturbed too.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::binary::{eventually, files_below, wait_for};
use crate::support::deaths::kill_at_each as kill_at_each_call;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout};
use crate::support::setup::Setup;
use crate::support::strace;
use crate::support::strace::strace_works;
use crate::support::syscall_trace::{DESCRIPTION, PHOTO, SIDECAR, SyscallTrace, is_done, photo};

/// P2, P3, P4, P8: fails when the photo is lost, done twice or partly visible after a death before any change to the folders.
#[test]
fn daemon_killed_before_any_change_to_a_folder_leaves_nothing_undone() {
    kill_at_each("kill at folders", moved, is_in_a_folder);
}

/// P2, P3, P4, P8: as above, with two outputs. Fails when one of them is missing, partial or twice in the end.
#[test]
fn daemon_killed_before_any_change_to_a_folder_leaves_both_outputs() {
    kill_at_each("kill with two outputs", two_outputs, is_in_a_folder);
}

/// P2, P8: as above, for every write to the ledger, which must always agree with the folders.
#[test]
fn daemon_killed_before_any_write_to_its_ledger_leaves_nothing_undone() {
    kill_at_each("kill at the ledger", moved, is_of_the_ledger);
}

/// P2, P8: as above, while the daemon makes its first ledger. Fails when a partial ledger stops the next start.
#[test]
fn daemon_killed_while_it_makes_its_ledger_leaves_nothing_undone() {
    if strace_works("kill at a new ledger") {
        let trace = SyscallTrace::without_ledger(moved());
        kill_at(&trace, moved, is_of_the_ledger);
    }
}

/// P3: no test cuts the power, so the order of calls is checked: bytes before the name, the name before the ledger, and the
/// original last. Fails when one of these is not durable before the next.
#[test]
fn each_step_is_durable_before_the_next_one() {
    if !strace_works("order of the steps") {
        return;
    }
    let trace = SyscallTrace::without_ledger(moved());
    let is_temp = |path: &Path| path.extension() == Some(OsStr::new("tmp"));
    let (output, ledger) = (
        Path::new("products/out/sub"),
        Path::new("state/ledger.db-wal"),
    );
    let mut rest = trace.sequence.iter();
    let mut then = |what: &str, met: &dyn Fn(&str, &Path) -> bool| {
        let found = rest.find(|call| met(&call.name, &call.path));
        assert!(
            found.is_some(),
            "no {what} in its place: {:#?}",
            trace.sequence
        );
    };
    then("temporary file", &|name, path| {
        name == "write" && path.starts_with(output) && is_temp(path)
    });
    then("sync of its bytes", &|name, path| {
        name == "fsync" && path.starts_with(output) && is_temp(path)
    });
    then("rename", &|name, path| {
        name.starts_with("rename") && path == output
    });
    then("sync of its name", &|name, path| {
        name == "fsync" && path == output
    });
    then("sync of the ledger", &|name, path| {
        name == "fsync" && path == ledger
    });
    // The original gets a hidden name first; the sidecar moves before the original, so that after a crash the original accounts for
    // both.
    then("removal of the original from its name", &|name, path| {
        name.starts_with("rename") && path == Path::new("products/in/sub")
    });
    then("move of the sidecar", &|name, path| {
        name.starts_with("rename") && path == Path::new("products/in/sub")
    });
    then("move of the original", &|name, path| {
        name.starts_with("rename") && path == Path::new("products/in/sub")
    });
    then("sync of where it went", &|name, path| {
        name == "fsync" && path == Path::new("done/sub")
    });
    then("sync of where it was", &|name, path| {
        name == "fsync" && path == Path::new("products/in/sub")
    });
}

/// P2, P4, P8: `done` is on another disk, so the photo is copied. Fails when a death between copy and removal leaves two.
#[test]
fn daemon_killed_while_it_moves_a_photo_to_another_disk_leaves_one() {
    kill_at_each("kill at another disk", moved_to_another_disk, |path| {
        path.starts_with("products/in") || path.starts_with("done")
    });
}

/// P4, P10: a full disk at any call. Fails when this counts against the photo, or when it is not done once there is space.
#[test]
fn no_space_at_any_call_costs_nothing() {
    fail_at_each("ENOSPC");
}

/// P4, P10: as above, for a disk that fails.
#[test]
fn input_output_error_at_any_call_costs_nothing() {
    fail_at_each("EIO");
}

/// P4, P10: as above, for missing rights.
#[test]
fn missing_permission_at_any_call_costs_nothing() {
    fail_at_each("EACCES");
}

/// P4, P10: as above, for a network share whose file is gone on the server.
#[test]
fn stale_handle_at_any_call_costs_nothing() {
    fail_at_each("ESTALE");
}

/// P4, P10: as above, for a call that a signal interrupts.
#[test]
fn interruption_of_any_call_costs_nothing() {
    fail_at_each("EINTR");
}

fn is_in_a_folder(path: &Path) -> bool {
    path.starts_with("products") || path.starts_with("done")
}

/// The ledger and the files beside it, also while it is opened and closed.
fn is_of_the_ledger(path: &Path) -> bool {
    path.starts_with("state") && path.to_string_lossy().contains("ledger.db")
}

fn is_ledger(path: &Path) -> bool {
    path.starts_with("state/ledger.db-wal")
}

fn kill_at_each(test: &str, setup: fn() -> Setup, is_meant: fn(&Path) -> bool) {
    if !strace_works(test) {
        return;
    }
    kill_at(&SyscallTrace::of(setup()), setup, is_meant);
}

fn kill_at(trace: &SyscallTrace, setup: fn() -> Setup, is_meant: fn(&Path) -> bool) {
    let calls = trace.calls.iter();
    let meant: Vec<_> = calls.filter(|(call, _)| is_meant(&call.path)).collect();
    assert!(!meant.is_empty(), "{:?}", trace.calls);
    let prepare = || trace.prepare(setup());
    kill_at_each_call(meant, prepare, is_done, assert_harmless);
}

fn fail_at_each(error: &str) {
    if !strace_works(error) {
        return;
    }
    let trace = SyscallTrace::of(moved());
    let is_meant = |path: &Path| is_in_a_folder(path) || is_ledger(path);
    let fault = format!("error={error}");
    for (call, &most) in &trace.calls {
        for number in 1..=if is_meant(&call.path) { most } else { 0 } {
            let what = format!("{error} at {call:?} {number}");
            let setup = strace::faulty(trace.prepare(moved()), call, number, &fault);
            let mut hot = HotFolder::launch(setup);
            wait_for(&format!("done, troubled or ended after {what}"), || {
                let is_troubled = ["WARN", "ERROR"]
                    .iter()
                    .any(|level| hot.log().contains(level));
                is_done(&hot) || is_troubled || hot.has_exited()
            });
            // Other folders are tried again after a longer time.
            if call.path.starts_with("products/out") {
                let is_done = eventually(|| is_done(&hot));
                // Each attempt may run in a new thread, for which strace fails the call anew; then the test only checks that
                // another attempt happened.
                let is_tried_again = strace::faults(hot.setup()) > 1;
                assert!(is_done || is_tried_again, "not done by itself after {what}");
            }
            hot.kill_if_alive();
            let has_failed = strace::faults(hot.setup()) > 0;
            // As with kills, later numbers may belong to another thread this time.
            assert!(
                has_failed || number > 1 || !is_in_a_folder(&call.path),
                "no {what}: {}",
                hot.log()
            );
            hot.change_setup(|setup| setup.under(Vec::new()));
            assert_harmless(&mut hot, &what);
        }
    }
}

/// One photo, one worker, one attempt, and the daemon's call to disturb.
fn moved() -> Setup {
    quick().moves_sources()
}

/// As [`moved`], with a second output folder.
fn two_outputs() -> Setup {
    moved().with_shop()
}

/// As [`moved`], with `done` on another file system.
fn moved_to_another_disk() -> Setup {
    quick()
        .moves_sources_to_another_disk()
        .expect("two file systems that are writable")
}

fn quick() -> Setup {
    Setup::new()
        .daemon("workers", "1")
        .daemon("max_attempts", "1")
        .folder("settle", "50ms")
}

/// Checks the remains of the disturbed daemon, and what the next one makes of them.
#[track_caller]
fn assert_harmless(hot: &mut HotFolder, what: &str) {
    let shop = hot.setup().shop_of("products");
    for cutout in [hot.output("sub/a.png"), shop.join("sub/a.png")] {
        if cutout.exists() {
            assert_cutout(&cutout, Quarter::TopLeft);
        }
    }
    let done = hot.setup().path("done");
    let places = [hot.input(""), done.clone()];
    let is_there = |root: &PathBuf| {
        let mut files = files_below(root).into_iter();
        files.any(|file| fs::read(root.join(file)).is_ok_and(|bytes| bytes == photo()))
    };
    assert!(places.iter().any(is_there), "{what}: the original is gone");
    hot.restart();
    wait_for(&format!("done after {what}"), || is_done(hot));
    assert_eq!(hot.outputs(), [PathBuf::from("sub/a.png")], "{what}");
    assert_cutout(&hot.output("sub/a.png"), Quarter::TopLeft);
    assert_eq!(hot.temporaries(), [] as [&Path; 0], "{what}");
    if shop.exists() {
        assert_eq!(files_below(&shop), [PathBuf::from("sub/a.png")], "{what}");
        assert_cutout(&shop.join("sub/a.png"), Quarter::TopLeft);
    }
    let files = [PHOTO, SIDECAR].map(PathBuf::from);
    assert_eq!(files_below(&done), files, "{what}");
    assert_eq!(fs::read(done.join(PHOTO)).unwrap(), photo(), "{what}");
    let description = fs::read(done.join(SIDECAR)).unwrap();
    assert_eq!(description, DESCRIPTION, "{what}");
    assert_eq!(files_below(&hot.input("")), [] as [&Path; 0], "{what}");
    hot.stop();
}
