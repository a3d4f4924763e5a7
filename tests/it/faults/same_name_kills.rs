//! Tests a death of the daemon at every system call for the second photo of a name: both photos and both cutouts exist afterwards.

use std::fs;
use std::path::PathBuf;

use crate::delivery::same_name::setup;
use crate::support::binary::{files_below, wait_for};
use crate::support::deaths;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::snapshot::Snapshot;
use crate::support::strace;
use crate::support::strace::{Call, strace_works};

const PHOTO: &str = "sub/a.jpg";

/// P2, P4, P8: fails when a death at any call lets the second photo replace the first one's cutout, or gives it two names.
#[test]
fn moved_photos_are_numbered_whenever_the_daemon_dies() {
    kill_at_each("move", "number");
}

/// P2, P4, P8: as above, where the photos are deleted.
#[test]
fn deleted_photos_are_numbered_whenever_the_daemon_dies() {
    kill_at_each("delete", "number");
}

/// P2, P4, P8: fails when a death at any call leaves the first photo's cutout, or a second one beside it.
#[test]
fn moved_photos_are_replaced_whenever_the_daemon_dies() {
    kill_at_each("move", "replace");
}

/// P2, P4, P8: as above, where the photos are deleted.
#[test]
fn deleted_photos_are_replaced_whenever_the_daemon_dies() {
    kill_at_each("delete", "replace");
}

fn is_done(hot: &HotFolder, count: u64) -> bool {
    let status = hot.status();
    let is_idle = status.running == 0 && status.queued == 0;
    status.done == count && is_idle && !hot.input(PHOTO).exists()
}

fn kill_at_each(source: &str, on_same_name: &str) {
    if !strace_works(&format!("kill with {source} and {on_same_name}")) {
        return;
    }
    let mut hot = HotFolder::start_with(setup(source, on_same_name));
    hot.drop_file(PHOTO, &jpeg(Quarter::TopLeft));
    wait_for("the first photo is done", || is_done(&hot, 1));
    hot.stop();
    let second = hot.input(PHOTO);
    let snapshot = Snapshot::of(&hot);
    let restore = || {
        let setup = snapshot.restore();
        fs::create_dir_all(second.parent().expect("a folder")).unwrap();
        fs::write(&second, jpeg(Quarter::BottomRight)).unwrap();
        setup
    };
    let mut hot = HotFolder::start_with(strace::observed(restore()));
    wait_for("the second photo is done", || is_done(&hot, 2));
    hot.stop();
    let calls = strace::calls(hot.setup());
    let is_meant = |call: &Call| {
        let trees = ["products", "done", "state/ledger.db-wal"];
        trees.iter().any(|tree| call.path.starts_with(tree))
    };
    let meant: Vec<_> = calls
        .into_iter()
        .filter(|(call, _)| is_meant(call))
        .collect();
    let is_placing = |call: &Call| call.path.starts_with("products/out");
    assert!(meant.iter().any(|(call, _)| is_placing(call)), "{meant:?}");
    let meant = meant.iter().map(|(call, most)| (call, most));
    let judge = |hot: &mut HotFolder, call: &str| {
        let what = format!("{source} and {on_same_name}, {call}");
        hot.restart();
        wait_for(&format!("done after {what}"), || is_done(hot, 2));
        assert_outcome(hot, source, on_same_name, &what);
        hot.stop();
    };
    deaths::kill_at_each(meant, restore, |hot| is_done(hot, 2), judge);
}

#[track_caller]
fn assert_outcome(hot: &HotFolder, source: &str, on_same_name: &str, what: &str) {
    let (first, second) = (Quarter::TopLeft, Quarter::BottomRight);
    let cutouts = match on_same_name {
        "number" => vec![("sub/a-2.png", second), ("sub/a.png", first)],
        _ => vec![("sub/a.png", second)],
    };
    let names: Vec<PathBuf> = cutouts.iter().map(|(name, _)| name.into()).collect();
    assert_eq!(hot.outputs(), names, "{what}");
    for (name, lit) in cutouts {
        assert_cutout(&hot.output(name), lit);
    }
    let done = hot.setup().path("done");
    let originals = match source {
        "move" => vec![("sub/a-2.jpg", second), ("sub/a.jpg", first)],
        _ => Vec::new(),
    };
    let names: Vec<PathBuf> = originals.iter().map(|(name, _)| name.into()).collect();
    if source == "move" {
        assert_eq!(files_below(&done), names, "{what}");
    }
    for (name, lit) in originals {
        assert_eq!(fs::read(done.join(name)).unwrap(), jpeg(lit), "{what}");
    }
    let left: Vec<PathBuf> = files_below(&hot.input(""));
    assert!(left.is_empty(), "{what}: {left:?}");
    assert!(hot.temporaries().is_empty(), "{what}");
}
