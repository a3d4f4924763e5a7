//! Tests two folders and one worker: a folder with thousands of photos must not starve the other.

use std::fs;

use crate::support::binary::{files_below, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::setup::Setup;

/// Files in the full folder: more than the daemon keeps in memory, and more than are done while the other photos come.
const BACKLOG: usize = 3_000;

/// The most photos of the full folder that may be done between the settling of a photo of the other folder and its end: the running
/// one, the next one in turn, and one at each end because the times are taken at different moments.
const BETWEEN_MAX: usize = 4;

/// P1, P5: uses the daemon's own record of when each photo settled and was done. Fails when folders are not served in turn.
#[test]
fn photo_of_the_second_folder_goes_before_the_backlog_of_the_first() {
    assert_goes_before_the_backlog("portraits", "products");
}

/// P1, P5: as above. Fails when a folder that comes later in the configuration goes first.
#[test]
fn photo_of_the_first_folder_goes_before_the_backlog_of_the_second() {
    assert_goes_before_the_backlog("products", "portraits");
}

#[track_caller]
fn assert_goes_before_the_backlog(visited: &str, full: &str) {
    let setup = Setup::new()
        .daemon("workers", "1")
        .another_folder("portraits");
    let hot = HotFolder::start_with(setup);
    let original = hot.setup().path("original.jpg");
    fs::write(&original, jpeg(Quarter::TopLeft)).unwrap();
    let backlog = hot.setup().input_of(full);
    for number in 0..BACKLOG {
        fs::hard_link(&original, backlog.join(format!("{number}.jpg"))).unwrap();
    }
    wait_for("the first of the backlog", || done_of(&hot, full) > 0);
    for number in 0..8 {
        let photo = hot.setup().input_of(visited).join(format!("{number}.jpg"));
        fs::write(&photo, jpeg(Quarter::TopRight)).unwrap();
        let output = hot.setup().output_of(visited).join(format!("{number}.png"));
        wait_for("the other folder's output", || output.exists());
        assert_cutout(&output, Quarter::TopRight);
        hot.wait_log(&output.display().to_string());
    }
    assert!(done_of(&hot, full) < BACKLOG - BETWEEN_MAX, "still at it");
    for number in 0..8 {
        let photo = hot.setup().input_of(visited).join(format!("{number}.jpg"));
        let (settled, done) = moments(&hot, &photo.display().to_string());
        let between = done_between(&hot, full, &settled, &done);
        assert!(between <= BETWEEN_MAX, "{between} before photo {number}");
    }
}

fn done_of(hot: &HotFolder, folder: &str) -> usize {
    files_below(&hot.setup().output_of(folder)).len()
}

/// When a photo settled and when it was done, from `hotcut why`: RFC 3339 in milliseconds, which sorts as text.
#[track_caller]
fn moments(hot: &HotFolder, photo: &str) -> (String, String) {
    let history = said(&hot.command("why", [photo]));
    let moment = |what: &str| {
        let line = history.lines().find(|line| line.contains(what));
        let line = line.unwrap_or_else(|| panic!("no {what:?} in {history}"));
        line.trim().chars().take(23).collect()
    };
    (moment("  settled"), moment("  done"))
}

fn done_between(hot: &HotFolder, full: &str, from: &str, to: &str) -> usize {
    let log = hot.log();
    let lines = log.lines().map(|line| {
        serde_json::from_str::<serde_json::Value>(line).expect("the log is JSON lines")
    });
    let is_between = |line: &serde_json::Value| {
        let is_of_the_full_one = line.pointer("/fields/message") == Some(&"cut out".into())
            && line.pointer("/fields/folder") == Some(&full.into());
        let at: String = line["timestamp"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .take(23)
            .collect();
        is_of_the_full_one && from <= at.as_str() && at.as_str() <= to
    };
    lines.filter(is_between).count()
}
