//! Tests workers that are killed, stopped or corrupted in mid-job, and their remaining rights.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::support::binary::{said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::processes;
use crate::support::processes::{is_worker, limit, open_files, status_field};
use crate::support::requests::metric;
use crate::support::setup::Setup;
use crate::support::status::Confinement;
use crate::support::strace;
use crate::support::strace::strace_works;

/// P5, P10: fails when the death of a worker loses its photo, counts against it at once, ends the daemon, or is not counted.
#[test]
fn photo_whose_worker_is_killed_is_delivered_by_another_one() {
    let hot = HotFolder::start_with(Setup::new().listens().daemon("workers", "1"));
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    processes::signal(worker, Signal::KILL);
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert_ne!(hot.workers(), [worker]);
    assert!(hot.status().quarantined.is_empty());
    assert_eq!(metric(&hot, "hotcut_worker_deaths_total"), 1);
    assert_eq!(metric(&hot, "hotcut_timeouts_total"), 0);
}

/// P5, P10: fails when a worker that reads an invalid address, as a faulty library would, costs more than an attempt, or when the
/// signal is not reported.
#[test]
fn photo_whose_worker_has_a_wild_access_is_delivered_by_another_one() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    wait_for("one ready worker", || hot.workers().len() == 1);
    let worker = hot.workers()[0];
    // Rust's own handler takes the first signal, finds no stack overflow, and leaves the next to the kernel.
    processes::signal(worker, Signal::SEGV);
    let handled = || {
        let mask = status_field(worker, "SigCgt").expect("it lives");
        u64::from_str_radix(&mask, 16).unwrap()
    };
    let bit = 1 << (Signal::SEGV.as_raw() - 1);
    wait_for("the handler is gone", || handled() & bit == 0);
    assert_eq!(
        hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft)),
        worker
    );
    processes::signal(worker, Signal::SEGV);
    processes::signal(worker, Signal::CONT);
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    hot.wait_status("done", |status| status.done == 1 && status.running == 0);
    let history = said(&hot.command("why", [hot.input("a.jpg")]));
    assert!(history.contains("SIGSEGV"), "{history}");
}

/// P7, P10: a stopped process ignores every polite request. Fails when the deadline only abandons it or comes late, when its photo
/// is not tried again, or when either is not counted.
#[test]
fn worker_that_misses_its_deadline_is_killed_and_its_photo_retried() {
    let setup = Setup::new().daemon("workers", "1").daemon("timeout", "5s");
    let hot = HotFolder::start_with(setup.listens());
    let worker = hot.stop_worker();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("the stopped worker is killed", || !is_worker(worker));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert_took(&hot, "a.jpg", 5);
    assert_eq!(metric(&hot, "hotcut_timeouts_total"), 1);
    assert_eq!(metric(&hot, "hotcut_worker_deaths_total"), 1);
}

/// P5: fails when a photo that hangs its workers is tried for ever, or affects the next photo.
#[test]
fn photo_that_hangs_its_last_attempt_is_quarantined() {
    let hot = HotFolder::start_with(one_attempt());
    hot.stop_worker();
    hot.drop_file("poison.jpg", &jpeg(Quarter::TopLeft));
    let entry = hot.wait_quarantined("poison.jpg");
    assert_eq!(entry.attempts, 1, "{entry:?}");
    hot.drop_file("next.jpg", &jpeg(Quarter::TopRight));
    assert_cutout(&hot.wait_output("next.png"), Quarter::TopRight);
    assert!(!hot.output("poison.png").exists());
}

/// P5, P8: the photo has a single attempt. Fails when a power cut uses it up.
#[test]
fn photo_does_not_pay_for_the_death_of_the_daemon() {
    let mut hot = HotFolder::start_with(one_attempt().daemon("timeout", "60s"));
    hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    hot.kill9();
    hot.restart();
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert!(hot.status().quarantined.is_empty());
}

/// P5: a photo that kills the daemon would do so for ever. Fails when its attempts are forgotten with the daemon each time.
#[test]
fn photo_in_hand_at_every_death_of_the_daemon_is_quarantined() {
    let mut hot = HotFolder::start_with(one_attempt().daemon("timeout", "60s"));
    // The photo is in the folder only while the worker is stopped; otherwise a daemon could finish it before it dies.
    let [outside, inside] = [hot.setup().path("poison.jpg"), hot.input("poison.jpg")];
    fs::write(&outside, jpeg(Quarter::TopLeft)).unwrap();
    let is_suspected = (0..20).any(|_| {
        hot.stop_worker();
        fs::rename(&outside, &inside).unwrap();
        let mut quarantined = false;
        wait_for("in mid-job or given up", || {
            let status = hot.status();
            quarantined = !status.quarantined.is_empty();
            quarantined || status.running == 1
        });
        hot.kill9();
        fs::rename(&inside, &outside).unwrap();
        hot.restart();
        quarantined
    });
    assert!(is_suspected, "twenty daemons died of it");
    assert!(!hot.output("poison.png").exists());
}

/// P5: the only worker dies while it is idle. Fails when this counts against the next photo, which has a single attempt, or when
/// that photo waits for ever.
#[test]
fn death_of_an_idle_worker_is_no_photos_fault() {
    let hot = HotFolder::start_with(one_attempt());
    let worker = hot.stop_worker();
    processes::signal(worker, Signal::KILL);
    wait_for("the worker is gone", || !is_worker(worker));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
}

/// P6 and the sandbox: fails when a ready worker can still gain rights, has files open or has no memory limit.
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
        let mut files = open_files(worker);
        files.retain(|file| file.starts_with('/') && file != "/dev/null");
        assert_eq!(files, [] as [&str; 0]);
    }
}

/// P6: fails when the loaded U²-Net takes the memory that a photo needs, as it does with the runtime's arena.
#[test]
fn half_a_gibibyte_is_enough_for_u2net() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let setup = Setup::new()
        .daemon("models_dir", &root.join("models").display().to_string())
        .daemon("workers", "1")
        .daemon("worker_memory", "512 MiB")
        .folder("model", "u2net");
    let hot = HotFolder::start_with(setup);
    let photo = fs::read(root.join("tests/data/photos/astronaut.jpg")).unwrap();
    hot.drop_file("a.jpg", &photo);
    hot.wait_output("a.png");
}

/// P10: an older kernel has no Landlock. Fails when that stops the service, is not shown in the status, or is logged again for each
/// worker.
#[test]
fn kernel_that_cannot_hold_the_workers_in_is_told_of_once() {
    if !strace_works("kernel without Landlock") {
        return;
    }
    let whole = HotFolder::start();
    let setup = strace::without(Setup::new(), "landlock_create_ruleset");
    let hot = HotFolder::start_with(setup);
    wait_for("two ready workers", || hot.workers().len() == 2);
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    let lacking = Confinement {
        landlock: false,
        seccomp: true,
    };
    assert_eq!(hot.whole_status().confinement, Some(lacking));
    assert!(said(&hot.command("status", [] as [&str; 0])).contains("Landlock no"));
    assert_eq!(hot.log().matches("sandbox the workers").count(), 1);
    // This machine's own kernel may also lack it; then both say so.
    let own = whole.whole_status().confinement.expect("ready");
    assert_eq!(own.landlock, !whole.log().contains("sandbox the workers"));
}

/// Asserts that the first attempt at `photo` ended at the deadline of `timeout_s`, by the daemon's own clock. Allows ten seconds
/// more for a busy machine.
#[track_caller]
pub(crate) fn assert_took(hot: &HotFolder, photo: &str, timeout_s: u8) {
    let history = said(&hot.command("why", [hot.input(photo)]));
    let took_s = history
        .split_once("failed after ")
        .and_then(|(_, rest)| rest.split_once(" s: "))
        .and_then(|(seconds, _)| seconds.parse::<f32>().ok());
    let allowed = f32::from(timeout_s)..=f32::from(timeout_s) + 10.0;
    let is_right = took_s.is_some_and(|seconds| allowed.contains(&seconds));
    assert!(is_right, "{history}");
}

fn one_attempt() -> Setup {
    Setup::new()
        .daemon("workers", "1")
        .daemon("timeout", "5s")
        .daemon("max_attempts", "1")
}
