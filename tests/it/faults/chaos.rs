//! Tests workers that crash, lie, hang and attack their sandbox when their photo orders it, and a watch that dies, with the feature
//! `chaos`. Each must affect only itself.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use super::workers::assert_took;
use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::setup::Setup;
use crate::support::strace;
use crate::support::strace::strace_works;

/// What a worker does with a photo, and a word that the reason must contain.
const CRASHES: [(&str, &str); 10] = [
    ("overflow", "SIGABRT"),
    ("abort", "SIGABRT"),
    ("panic", "crashed"),
    ("exit", "exit status: 0"),
    ("allocate", "crashed"),
    ("garbage", "crashed"),
    ("endless", "crashed"),
    ("short", "exit status: 0"),
    ("huge", "crashed"),
    ("nonsense", "crashed"),
];

/// `worker_memory` while workers crash.
const MEMORY_MIB: u64 = 1024;

/// P3, P5, P6: fails when a worker that dies or lies costs more than the attempts of its photo, when the reason is not given, when
/// any of its output is published, when it used more memory than allowed, or when the next photo is not served.
#[test]
fn worker_that_crashes_or_lies_costs_its_own_photo_alone() {
    let memory = format!("{MEMORY_MIB}MiB");
    let setup = Setup::new().daemon("worker_memory", &memory);
    let hot = HotFolder::start_with(setup.daemon("max_attempts", "2"));
    for (word, reason) in CRASHES {
        let name = format!("{word}.jpg");
        hot.drop_file(&name, order(word).as_bytes());
        let entry = hot.wait_quarantined(&name);
        assert_eq!(entry.attempts, 2, "{entry:?}");
        assert!(entry.reason.contains(reason), "{entry:?}");
        let held = held_mib(&entry.reason);
        assert!(held.is_none_or(|mib| mib <= MEMORY_MIB), "{entry:?}");
        hot.drop_file(format!("after-{word}.jpg"), &jpeg(Quarter::TopLeft));
        assert_cutout(
            &hot.wait_output(format!("after-{word}.png")),
            Quarter::TopLeft,
        );
    }
    assert_eq!(hot.outputs().len(), CRASHES.len(), "{:?}", hot.outputs());
    hot.wait_status("no innocent photo paid", |status| {
        status.done == CRASHES.len() as u64 && status.quarantined.len() == CRASHES.len()
    });
}

/// P7: fails when the daemon waits beyond `timeout` for a worker that sleeps, computes for ever, or stops within its reply.
#[test]
fn worker_that_hangs_is_killed_at_its_deadline() {
    let setup = Setup::new()
        .daemon("max_attempts", "1")
        .daemon("timeout", "5s");
    let hot = HotFolder::start_with(setup);
    for word in ["hang", "spin", "half"] {
        let name = format!("{word}.jpg");
        hot.drop_file(&name, order(word).as_bytes());
        let entry = hot.wait_quarantined(&name);
        assert!(entry.reason.contains("`timeout`"), "{entry:?}");
        assert_took(&hot, &name, 5);
    }
    assert_eq!(hot.outputs(), [] as [&Path; 0]);
    wait_for("no temporary file", || hot.temporaries().is_empty());
    assert_serves(&hot);
}

/// P2, P5: the reply for one photo is longer than announced. Fails when the rest counts as the reply for the next photo, which has
/// a single attempt.
#[test]
fn worker_that_talks_out_of_turn_harms_no_other_photo() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .daemon("max_attempts", "1");
    let hot = HotFolder::start_with(setup);
    hot.drop_file("long.jpg", order("long").as_bytes());
    hot.wait_output("long.png");
    hot.wait_log("unexpected output");
    assert_serves(&hot);
}

/// P5: fails when a worker that takes three seconds to start is given up.
#[test]
fn worker_that_starts_slowly_is_waited_for() {
    let hot = HotFolder::start_with(spoiled_start("slow"));
    assert_serves(&hot);
}

/// P5, P10: fails when workers that cannot start count against a photo, or make the daemon retry for ever without a message.
#[test]
fn workers_that_cannot_start_end_the_service_and_blame_no_photo() {
    for fault in ["never", "garbage"] {
        let setup = spoiled_start(fault);
        std::fs::write(
            setup.input_of("products").join("a.jpg"),
            jpeg(Quarter::TopLeft),
        )
        .unwrap();
        let mut hot = HotFolder::launch(setup);
        let exit = hot.wait_exit();
        assert_eq!((exit.code(), exit.signal()), (Some(70), None), "{fault}");
        assert!(hot.log().contains("no worker can be started"), "{fault}");
        hot.change_setup(|setup| setup.under(Vec::new()));
        hot.restart();
        assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    }
}

/// The sandbox: fails when a worker that has reported ready can open, make, call, start, read or kill anything.
#[test]
fn worker_that_is_taken_over_can_reach_nothing() {
    assert_reaches_nothing(&HotFolder::start());
}

/// The sandbox: as above, on a kernel without Landlock. Fails when the filter of system calls alone is not enough.
#[test]
fn worker_without_landlock_can_reach_nothing() {
    if strace_works("the filter of system calls alone") {
        let setup = strace::without(Setup::new(), "landlock_create_ruleset");
        let hot = HotFolder::start_with(setup);
        let confinement = hot.whole_status().confinement.expect("it is told");
        assert!(!confinement.landlock, "it is there all the same");
        assert_reaches_nothing(&hot);
    }
}

#[track_caller]
fn assert_reaches_nothing(hot: &HotFolder) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    let (address, pid) = (listener.local_addr().unwrap(), bystander.id());
    let made = hot.setup().path("made");
    let tries = [
        ("open", "/etc/passwd".to_owned()),
        ("create", made.display().to_string()),
        ("connect", address.to_string()),
        ("execute", "/bin/true".to_owned()),
        ("peek", hot.pid().to_string()),
        ("kill", pid.to_string()),
    ];
    for (what, whom) in tries {
        let name = format!("{what}.jpg");
        hot.drop_file(&name, order(&format!("{what} {whom}")).as_bytes());
        hot.wait_quarantined(&name);
        let told = |answer: &str| hot.log().contains(&format!("chaos: {what} {answer}"));
        wait_for(&format!("{what} is tried"), || {
            told("refused") || told("allowed")
        });
        assert!(told("refused"), "{what} is allowed:\n{}", hot.log());
    }
    assert!(bystander.try_wait().unwrap().is_none(), "it lives");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    assert!(!Path::new(&made).exists());
}

/// P1, P10: fails when the end of a watch's thread is not noticed or ends the daemon. A listing runs only once an hour here.
#[test]
fn watch_that_dies_is_made_anew() {
    let hot = HotFolder::start_with(Setup::new());
    hot.drop_file("chaos-watch-panics", b"");
    hot.drop_file("unseen.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("unseen.png"), Quarter::TopLeft);
    hot.wait_log("the watch stopped reporting events");
    assert_serves(&hot);
}

/// The memory that a dead worker had used, if the reason contains it.
fn held_mib(reason: &str) -> Option<u64> {
    let (_, rest) = reason.split_once("it held ")?;
    rest.split(' ').next()?.parse().ok()
}

fn order(words: &str) -> String {
    format!("CHAOS {words}")
}

fn assert_serves(hot: &HotFolder) {
    hot.drop_file("next.jpg", &jpeg(Quarter::TopRight));
    assert_cutout(&hot.wait_output("next.png"), Quarter::TopRight);
}

fn spoiled_start(fault: &str) -> Setup {
    let variable = format!("HOTCUT_CHAOS_START={fault}");
    Setup::new().under(vec!["env".to_owned(), variable])
}
