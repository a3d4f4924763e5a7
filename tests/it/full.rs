//! File systems that run out of space or of inodes, below the output and below the ledger.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::binary::{namespaces_work, wait_for};
use crate::hot_folder::HotFolder;
use crate::namespace::Namespace;
use crate::photos::{Quarter, assert_cutout, jpeg};
use crate::setup::Setup;

/// P3, P10: there is space left, but no inode; fails when the photo pays for it, or when the folder does not go on by itself.
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

/// P2, P10: no attempt can be recorded; fails when a photo is cut out all the same, when the daemon goes on as if nothing
/// were wrong or ends without saying what is, or when the photo is not done once there is space.
#[test]
fn daemon_whose_ledger_has_no_space_ends_and_says_so() {
    if !namespaces_work("daemon_whose_ledger_has_no_space_ends_and_says_so") {
        return;
    }
    let prelude = "mount -t tmpfs -o size=1m tmpfs state";
    let mut hot = HotFolder::start_with(Setup::patient().in_namespace(prelude));
    let namespace = Namespace::of(&hot);
    let filler = namespace.inside(&hot.setup().path("state/filler"));
    assert!(fs::write(&filler, vec![0; 1 << 20]).is_err(), "it fills up");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_eq!(hot.wait_exit().code(), Some(70), "{}", hot.log());
    assert_eq!(hot.outputs(), [] as [&Path; 0]);
    assert_eq!(hot.temporaries(), [] as [&Path; 0]);
    assert_ends_with(&hot, &["`state_dir`", "full", "make space"]);
    let status = namespace.status(&hot);
    assert!(status.state.starts_with("offline"), "{status:?}");
    fs::remove_file(filler).unwrap();
    hot.change_setup(|setup| namespace.enter(setup));
    hot.restart();
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    wait_for("done", || namespace.status(&hot).done == 1);
}

/// P10: the ledger has its files, but no other can be made; fails when photos wait for that, when it is told again and
/// again, or when the status stays behind once there are inodes.
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
    hot.wait_log("status cannot be told");
    assert_eq!(hot.log_lines("status cannot be told"), 1, "{}", hot.log());
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

/// P10: as above, at a start, where the ledger cannot be made; fails when the daemon seems to serve.
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
