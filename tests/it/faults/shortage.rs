//! Tests a machine with too little memory: the kernel kills workers in a control group that is too small for them. No photo is
//! charged.

use crate::support::binary::{said, wait_for};
use crate::support::cgroup::MemoryGroup;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, huge_jpeg, jpeg};
use crate::support::processes::peak_mib;
use crate::support::requests::{get, metric, post, wait_ready};
use crate::support::setup::Setup;

/// P5, P10: the group is too small even for one photo alone. Fails when that photo is charged, quarantined or forgotten, when
/// others wait for it for ever, when the shortage and the helpful setting are not named, or when the photo is not done once there
/// is memory.
#[test]
fn photo_that_the_machine_has_no_memory_for_waits_and_others_go_on() {
    let test = "photo_that_the_machine_has_no_memory_for_waits_and_others_go_on";
    let Some(group) = MemoryGroup::new(test, 100) else {
        return;
    };
    let hot =
        HotFolder::start_with(group.enter(Setup::patient().listens().daemon("timeout", "300s")));
    hot.drop_file("huge.jpg", &huge_jpeg(Quarter::TopLeft));
    hot.wait_log("resource shortage");
    wait_for("the shortage is counted again", || {
        metric(&hot, "hotcut_shortages_total") >= 2
    });
    for name in ["a", "b", "c"] {
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopRight));
    }
    for name in ["a", "b", "c"] {
        assert_cutout(&hot.wait_output(format!("{name}.png")), Quarter::TopRight);
    }
    hot.wait_status("the photo waits, and why", |status| {
        let mut waiting = status.waiting.iter();
        waiting.any(|photo| {
            photo.path == "huge.jpg"
                && photo.reason.contains("memory is short")
                && photo.reason.contains(&group.name())
                && photo.reason.contains("100.0 MiB")
                && photo.reason.contains("tried again in")
        })
    });
    let told = hot.whole_status().shortage.expect("it is told");
    for word in [
        "memory is short",
        "raise",
        &group.name(),
        "`workers` (2)",
        "`worker_memory`",
    ] {
        assert!(told.contains(word), "no {word} in {told}");
    }
    assert!(said(&hot.command("status", [] as [&str; 0])).contains(&told));
    assert_eq!(get(&hot, "/api/status").json()["shortage"], told);
    assert_eq!(metric(&hot, "hotcut_short"), 1);
    assert!(hot.status().quarantined.is_empty(), "{:?}", hot.status());
    hot.assert_log_is_short();
    assert!(group.set_limit(2_000));
    hot.wait_output("huge.png");
    wait_for("it waits no longer", || hot.status().waiting.is_empty());
    let history = said(&hot.command("why", [hot.input("huge.jpg")]));
    assert!(history.contains("at no fault of the photo"), "{history}");
}

/// P5: the group has memory for one such photo, not for two. Fails when they are not tried alone, or when one of them is charged.
#[test]
fn photos_that_have_no_room_beside_each_other_are_done_one_at_a_time() {
    let test = "photos_that_have_no_room_beside_each_other_are_done_one_at_a_time";
    let photo = huge_jpeg(Quarter::TopLeft);
    let mib = {
        let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
        hot.drop_file("huge.jpg", &photo);
        hot.wait_output("huge.png");
        let workers = hot.workers();
        peak_mib(workers[0])
    };
    let Some(group) = MemoryGroup::new(test, mib + mib / 3) else {
        return;
    };
    // With four at a time, even their decoded pixels are too much.
    let setup = Setup::patient().listens().daemon("workers", "4");
    let hot = HotFolder::start_with(group.enter(setup.daemon("timeout", "300s")));
    wait_for("all workers", || hot.workers().len() == 4);
    for name in ["a", "b", "c", "d"] {
        hot.drop_file(format!("{name}.jpg"), &photo);
    }
    for name in ["a", "b", "c", "d"] {
        hot.wait_output(format!("{name}.png"));
    }
    assert!(metric(&hot, "hotcut_shortages_total") >= 1, "{}", hot.log());
    assert_eq!(hot.workers().len(), 1, "{}", hot.log());
    assert!(hot.status().quarantined.is_empty(), "{:?}", hot.status());
    assert_eq!(hot.log_lines("resource shortage"), 1, "{}", hot.log());
}

/// P5, P10: fails when a caller is told that the photo is at fault, or not when to retry.
#[test]
fn request_that_the_machine_has_no_memory_for_is_told_to_come_again() {
    let test = "request_that_the_machine_has_no_memory_for_is_told_to_come_again";
    let Some(group) = MemoryGroup::new(test, 100) else {
        return;
    };
    let hot = HotFolder::start_with(group.enter(Setup::new().listens()));
    wait_ready(&hot);
    let answer = post(&hot, "/remove-background", &huge_jpeg(Quarter::TopLeft));
    assert_eq!(
        (answer.status, answer.problem()),
        (503, "machine_short".to_owned())
    );
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    let detail = answer.json()["detail"].to_string();
    assert!(detail.contains(&group.name()), "{detail}");
    assert_eq!(metric(&hot, "hotcut_requests_total{result=\"short\"}"), 1);
    assert_eq!(
        post(&hot, "/remove-background", &jpeg(Quarter::TopLeft)).status,
        200
    );
}
