//! Tests the ways to end the daemon, and what each of them leaves.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::processes;
use crate::support::processes::is_worker;
use crate::support::requests::gauge;
use crate::support::setup::Setup;

/// P8: the running job is finished and the waiting photo is left for the next start. Fails when the drain aborts a job, starts
/// another one, or does not exit with 0.
#[test]
fn sigterm_finishes_the_running_job_and_exits_with_zero() {
    drains_on(Signal::TERM);
}

/// P8: as SIGTERM, from the keyboard.
#[test]
fn sigint_finishes_the_running_job_and_exits_with_zero() {
    drains_on(Signal::INT);
}

fn drains_on(signal: Signal) {
    let mut hot = HotFolder::start_with(Setup::new().listens().daemon("workers", "1"));
    let worker = hot.drop_into_stopped_worker("running.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("waiting.jpg", &jpeg(Quarter::TopRight));
    wait_for("one has settled", || {
        gauge(&hot, "hotcut_oldest_queued_seconds{folder=\"products\"}") > 0.0
    });
    hot.signal(signal);
    hot.wait_log("drain");
    processes::signal(worker, Signal::CONT);
    assert_eq!(hot.wait_exit().code(), Some(0));
    assert_cutout(&hot.output("running.png"), Quarter::TopLeft);
    assert!(
        !hot.output("waiting.png").exists(),
        "a drain starts nothing"
    );
    wait_for("the worker goes too", || !is_worker(worker));
    hot.restart();
    assert_cutout(&hot.wait_output("waiting.png"), Quarter::TopRight);
}

/// P8: fails when a job that does not end holds the daemon longer than `drain_timeout`, or when that counts against the photo,
/// which has a single attempt.
#[test]
fn drain_gives_up_at_its_timeout_and_the_photo_is_done_next_time() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .daemon("max_attempts", "1")
        .daemon("drain_timeout", "1s");
    let mut hot = HotFolder::start_with(setup);
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    let start = Instant::now();
    hot.signal(Signal::TERM);
    hot.wait_exit();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    wait_for("the worker goes too", || !is_worker(worker));
    hot.restart();
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
}

/// P8: fails when the second request waits like the first: `drain_timeout` is ten minutes here. Pending signals merge, so the
/// second is sent only when the first is in the log.
#[test]
fn second_sigterm_exits_at_once() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .daemon("drain_timeout", "600s");
    let mut hot = HotFolder::start_with(setup.daemon("timeout", "600s"));
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    hot.signal(Signal::TERM);
    hot.wait_log("drain");
    assert!(!hot.has_exited(), "the first one waits for the job");
    hot.signal(Signal::TERM);
    assert_eq!(hot.wait_exit().code(), Some(130));
    wait_for("the worker goes too", || !is_worker(worker));
}

/// P8: fails when an idle daemon waits for anything.
#[test]
fn idle_daemon_stops_within_a_moment() {
    let mut hot = HotFolder::start_with(Setup::new().daemon("drain_timeout", "600s"));
    let start = Instant::now();
    hot.stop();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}
