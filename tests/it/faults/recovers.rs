//! Tests that everything is delivered once, after the daemon is killed at any moment, loses its ledger, or restarts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::binary::{files_below, identity, said, spin_until, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, large_jpeg, png};
use crate::support::processes;
use crate::support::setup::Setup;

type Identities = BTreeMap<PathBuf, (u64, i64, i64)>;

/// P2, P8: fails when the photo of a killed daemon is lost, when a done photo is published again, when a worker outlives its
/// daemon, or when a temporary file stays.
#[test]
fn daemon_killed_in_mid_job_delivers_everything_once_after_a_restart() {
    let mut hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    for name in ["a.jpg", "sub/b.jpg", "c.jpg"] {
        hot.drop_file(name, &jpeg(Quarter::TopLeft));
    }
    hot.wait_status("three done", |status| status.done == 3);
    let before = identities(&hot);
    hot.drop_into_stopped_worker("d.jpg", &jpeg(Quarter::TopRight));
    hot.drop_file("e.jpg", &jpeg(Quarter::TopRight));
    hot.kill9();
    hot.restart();
    assert_cutout(&hot.wait_output("d.png"), Quarter::TopRight);
    assert_cutout(&hot.wait_output("e.png"), Quarter::TopRight);
    hot.wait_status("five done", |status| {
        status.done == 5 && status.running == 0
    });
    assert_eq!(hot.temporaries(), [] as [&Path; 0]);
    let mut after = identities(&hot);
    after.retain(|path, _| before.contains_key(path));
    assert_eq!(after, before, "done ones are not published again");
    assert_eq!(hot.outputs().len(), 5, "{:?}", hot.outputs());
}

/// P2, P3, P8: the kill comes at eight different depths of a burst, so in every phase of a job sooner or later. Fails when an
/// output is not complete at the moment of the kill, is missing at the end, or a temporary file stays.
#[test]
fn daemon_killed_again_and_again_in_a_burst_loses_nothing() {
    let mut hot = HotFolder::start();
    for round in 0..8 {
        for index in 0..6 {
            hot.drop_file(format!("{round}-{index}.jpg"), &jpeg(Quarter::BottomLeft));
        }
        let depth = round * 6 + round % 6;
        wait_for("some of the burst", || hot.outputs().len() > depth);
        hot.kill9();
        for output in hot.outputs() {
            assert_cutout(&hot.output(&output), Quarter::BottomLeft);
        }
        hot.restart();
    }
    hot.wait_status("everything done", |status| {
        status.done == 48 && status.running == 0
    });
    let expected = (0..8).flat_map(|round| (0..6).map(move |index| format!("{round}-{index}.png")));
    let expected: Vec<PathBuf> = expected.map(PathBuf::from).collect();
    assert_eq!(hot.outputs(), expected);
    assert_eq!(hot.temporaries(), [] as [&Path; 0]);
}

/// P2: fails when a start repeats work that was done before.
#[test]
fn restart_reprocesses_nothing() {
    let mut hot = HotFolder::start();
    for name in ["a.jpg", "sub/b.jpg", "c.jpg"] {
        hot.drop_file(name, &jpeg(Quarter::TopLeft));
    }
    hot.wait_status("three done", |status| status.done == 3);
    let before = identities(&hot);
    hot.stop();
    hot.restart();
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_status("four done", |status| status.done == 4 && status.queued == 0);
    assert!(!hot.log().contains("b.jpg"), "nothing was done with it");
    assert_same_but_for_marker(&hot, &before);
}

/// P2: outputs name their source. Fails when they are made and published again without a ledger.
#[test]
fn lost_ledger_publishes_nothing_twice() {
    let mut hot = HotFolder::start();
    for name in ["a.jpg", "sub/b.jpg"] {
        hot.drop_file(name, &jpeg(Quarter::TopLeft));
    }
    hot.wait_status("two done", |status| status.done == 2);
    let before = identities(&hot);
    hot.stop();
    fs::remove_dir_all(hot.setup().path("state")).unwrap();
    fs::create_dir(hot.setup().path("state")).unwrap();
    hot.restart();
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_output("marker.png");
    hot.wait_status("known again", |status| {
        status.done == 3 && status.queued == 0
    });
    assert_same_but_for_marker(&hot, &before);
}

/// P2: a photo is corrected while there is no ledger. Fails when its cutout gets a second name beside the first.
#[test]
fn photo_corrected_after_the_ledger_was_lost_keeps_its_name() {
    let mut hot = with_two_of_one_stem();
    hot.stop();
    fs::remove_dir_all(hot.setup().path("state")).unwrap();
    fs::create_dir(hot.setup().path("state")).unwrap();
    assert_correction_replaces_its_cutout(&mut hot);
}

/// P2, P10: fails when a damaged ledger stops the daemon for good, is deleted, or is made anew without the records from the
/// cutouts.
#[test]
fn damaged_ledger_is_set_aside_and_made_anew_from_the_cutouts() {
    let mut hot = with_two_of_one_stem();
    hot.stop();
    let ledger = hot.setup().path("state/ledger.db");
    let rubbish = vec![0xA5; usize::try_from(fs::metadata(&ledger).unwrap().len()).unwrap()];
    fs::write(&ledger, &rubbish).unwrap();
    // Pages in the `-wal` would repair it; a daemon that ends slowly enough has already written them to the ledger.
    fs::remove_file(hot.setup().path("state/ledger.db-wal")).ok();
    assert_correction_replaces_its_cutout(&mut hot);
    assert!(hot.log().contains("the ledger was damaged"));
    let is_aside = |name: &PathBuf| name.display().to_string().contains("damaged");
    let aside = files_below(&hot.setup().path("state"));
    let aside = aside.iter().find(|name| is_aside(name)).expect("set aside");
    assert_eq!(
        fs::read(hot.setup().path("state").join(aside)).unwrap(),
        rubbish
    );
}

/// P2, P10: fails when a first start is reported as a problem, or when there is no report that the cutouts from which a lost ledger
/// could be rebuilt are out of reach.
#[test]
fn cutouts_that_cannot_be_looked_for_are_told_unless_there_were_none() {
    const TOLD: &str = "an output folder could not be searched for cutouts";
    let setup = Setup::new();
    let output = setup.output_of("products");
    fs::remove_dir(&output).unwrap();
    let mut hot = HotFolder::start_with(setup);
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    hot.stop();
    assert_eq!(hot.log_lines(TOLD), 0);
    fs::rename(&output, output.with_extension("away")).unwrap();
    fs::remove_file(hot.setup().path("state/ledger.db")).unwrap();
    hot.restart();
    assert_eq!(hot.log_lines(TOLD), 1);
}

/// P2: originals are moved away, so only the cutouts have the information. Fails when `rebuild` does not read them, or when it
/// works while a daemon runs.
#[test]
fn rebuild_learns_what_lies_in_the_output_folder() {
    let mut hot = HotFolder::start_with(Setup::new().moves_sources());
    for name in ["a.jpg", "sub/b.jpg"] {
        hot.drop_file(name, &jpeg(Quarter::TopLeft));
    }
    hot.wait_status("two done", |status| status.done == 2 && status.running == 0);
    let refused = hot.command("rebuild", [] as [&str; 0]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(said(&refused).contains("stop it first"), "{refused:?}");
    hot.stop();
    fs::remove_file(hot.setup().path("state/ledger.db")).unwrap();
    let rebuilt = hot.command("rebuild", [] as [&str; 0]);
    assert!(rebuilt.status.success(), "{rebuilt:?}");
    assert!(said(&rebuilt).contains("2 cutouts found"), "{rebuilt:?}");
    assert_eq!(hot.status().done, 2);
    let why = hot.command("why", [hot.output("sub/b.png")]);
    assert!(said(&why).contains("products: sub/b.jpg"), "{why:?}");
}

/// P3: the daemon is stopped and killed at the moment when a temporary file is seen. Fails when the remains of a crash in an output
/// folder are never removed.
#[test]
fn temporary_file_of_a_dead_job_is_removed_after_a_restart() {
    let mut hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    let mut dropped = 0;
    wait_for("a temporary file is left", || {
        hot.drop_file(format!("{dropped}.jpg"), &large_jpeg(Quarter::TopLeft));
        dropped += 1;
        spin_until(|| !hot.temporaries().is_empty() || hot.outputs().len() == dropped);
        hot.signal(Signal::STOP);
        let is_left = !hot.temporaries().is_empty();
        if !is_left {
            hot.signal(Signal::CONT);
        }
        is_left
    });
    hot.kill9();
    assert_eq!(hot.temporaries().len(), 1);
    hot.restart();
    wait_for("everything is delivered", || hot.outputs().len() == dropped);
    wait_for("nothing else is left", || hot.temporaries().is_empty());
}

/// P2: while the daemon is stopped, one photo is corrected and one is removed. Fails when the first is not done again or the output
/// of the second is removed.
#[test]
fn changes_made_while_stopped_are_found_at_start() {
    let mut hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("b.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_status("two done", |status| status.done == 2);
    hot.stop();
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    fs::remove_file(hot.input("b.jpg")).unwrap();
    hot.restart();
    wait_for("corrected", || {
        crate::support::photos::shows(&hot.output("a.png"), Quarter::BottomRight)
    });
    assert_cutout(&hot.output("b.png"), Quarter::TopLeft);
}

/// P1, P2: a correction is undone by moving the first version, with its old times and inode, into place again. Fails when the
/// cutout stays that of the correction.
#[test]
fn former_version_that_is_moved_back_is_cut_out_again() {
    let hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_status("one done", |status| status.done == 1 && status.running == 0);
    let aside = hot.setup().path("former.jpg");
    fs::rename(hot.input("a.jpg"), &aside).unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    hot.wait_status("two done", |status| status.done == 2 && status.running == 0);
    fs::rename(aside, hot.input("a.jpg")).unwrap();
    wait_for("the former version", || {
        crate::support::photos::shows(&hot.output("a.png"), Quarter::TopLeft)
    });
    assert_eq!(hot.outputs(), [PathBuf::from("a.png")]);
}

/// P1: the photographer removes a photo while it is in a job. Fails when the daemon does not cope with that.
#[test]
fn source_that_vanishes_during_its_job_harms_nothing() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1").moves_sources());
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    fs::remove_file(hot.input("a.jpg")).unwrap();
    processes::signal(worker, Signal::CONT);
    hot.drop_file("next.jpg", &jpeg(Quarter::TopRight));
    assert_cutout(&hot.wait_output("next.png"), Quarter::TopRight);
    assert!(hot.status().quarantined.is_empty(), "{:?}", hot.status());
}

fn with_two_of_one_stem() -> HotFolder {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    hot.drop_file("a.png", &png(Quarter::TopRight));
    hot.wait_status("two done", |status| status.done == 2 && status.running == 0);
    hot
}

#[track_caller]
fn assert_correction_replaces_its_cutout(hot: &mut HotFolder) {
    hot.drop_file("a.png", &png(Quarter::BottomRight));
    hot.restart();
    wait_for("corrected", || {
        crate::support::photos::shows(&hot.output("a.png.png"), Quarter::BottomRight)
    });
    hot.wait_status("known again", |status| {
        status.done == 2 && status.running == 0
    });
    assert_cutout(&hot.output("a.png"), Quarter::TopLeft);
    assert_eq!(hot.outputs(), ["a.png", "a.png.png"].map(PathBuf::from));
}

fn identities(hot: &HotFolder) -> Identities {
    hot.outputs()
        .into_iter()
        .map(|path| (path.clone(), identity(&hot.output(path))))
        .collect()
}

#[track_caller]
fn assert_same_but_for_marker(hot: &HotFolder, before: &Identities) {
    let mut after = identities(hot);
    assert!(after.remove(Path::new("marker.png")).is_some());
    assert_eq!(&after, before);
}
