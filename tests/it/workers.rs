//! Workers that are killed, stopped or poisoned in mid-job, and the rights they have left.

use rustix::process::Signal;

use crate::binary::wait_for;
use crate::hot_folder::HotFolder;
use crate::photos::{Quarter, assert_cutout, jpeg};
use crate::processes::{self, is_worker, limit, open_files, status_field};
use crate::setup::Setup;

/// P5: fails when the death of a worker loses its photo, blames it at once, or ends the daemon.
#[test]
fn photo_whose_worker_is_killed_is_delivered_by_another_one() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    processes::signal(worker, Signal::KILL);
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert_ne!(hot.workers(), [worker]);
    assert!(hot.status().quarantined.is_empty());
}

/// P7: a stopped process ignores every polite request; fails when the deadline only abandons it, or when its photo is
/// not tried again.
#[test]
fn worker_that_misses_its_deadline_is_killed_and_its_photo_retried() {
    let setup = Setup::new().daemon("workers", "1").daemon("timeout", "1s");
    let hot = HotFolder::start_with(setup);
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("the stopped worker is killed", || !is_worker(worker));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
}

/// P5: fails when a photo that hangs its workers is tried for ever, or takes the next photo with it.
#[test]
fn photo_that_hangs_its_last_attempt_is_quarantined() {
    let hot = HotFolder::start_with(one_attempt());
    hot.drop_into_stopped_worker("poison.jpg", &jpeg(Quarter::TopLeft));
    let entry = hot.wait_quarantined("poison.jpg");
    assert_eq!(entry.attempts, 1, "{entry:?}");
    hot.drop_file("next.jpg", &jpeg(Quarter::TopRight));
    assert_cutout(&hot.wait_output("next.png"), Quarter::TopRight);
    assert!(!hot.output("poison.png").exists());
}

/// P5: an attempt counts before the worker has the bytes; fails when the death of the daemon forgets it, for then a
/// photo that takes the daemon down with it does so for ever.
#[test]
fn attempt_counts_although_the_daemon_died_in_it() {
    let mut hot = HotFolder::start_with(one_attempt().daemon("timeout", "60s"));
    hot.drop_into_stopped_worker("poison.jpg", &jpeg(Quarter::TopLeft));
    hot.kill9();
    hot.restart();
    let entry = hot.wait_quarantined("poison.jpg");
    assert_eq!(entry.attempts, 1, "{entry:?}");
    assert!(!hot.output("poison.png").exists());
}

/// P5: a worker that dies while it has nothing to do blames no file; fails when it is not replaced.
#[test]
fn idle_worker_that_is_killed_is_replaced() {
    let hot = HotFolder::start_with(one_attempt());
    let worker = hot.stop_worker();
    processes::signal(worker, Signal::KILL);
    wait_for("a new worker", || {
        !is_worker(worker) && hot.workers().len() == 1
    });
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
}

/// P6 and the sandbox: fails when a ready worker still may gain rights, has files open or no memory limit.
#[test]
fn ready_worker_has_given_up_its_rights() {
    let hot = HotFolder::start_with(Setup::new().daemon("worker_memory", "2 GiB"));
    wait_for("two ready workers", || hot.workers().len() == 2);
    for worker in hot.workers() {
        assert_eq!(status_field(worker, "NoNewPrivs").as_deref(), Some("1"));
        assert_eq!(
            limit(worker, "Max address space"),
            (2_u64 << 30).to_string()
        );
        assert_eq!(limit(worker, "Max core file size"), "0");
        let files: Vec<String> = open_files(worker);
        let of_paths: Vec<&String> = files.iter().filter(|file| file.starts_with('/')).collect();
        assert!(of_paths.is_empty(), "{files:?}");
    }
}

fn one_attempt() -> Setup {
    Setup::new()
        .daemon("workers", "1")
        .daemon("timeout", "1s")
        .daemon("max_attempts", "1")
}
