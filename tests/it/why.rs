//! `hotcut why`: everything that happened to one photo, from when it was seen to what it waits for.

use std::path::Path;

use rustix::process::Signal;

use crate::binary::{said, wait_for};
use crate::hot_folder::HotFolder;
use crate::photos::{HTML, Quarter, jpeg};
use crate::processes;
use crate::setup::Setup;

/// P10: fails when a step of the way is not told: seen, settled, the worker's death with its signal and memory, the
/// cutout; or when the cutout's own path does not lead to the same story.
#[test]
fn story_of_a_photo_whose_worker_crashed_is_told_whole() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    let worker = hot.drop_into_stopped_worker("sub/a.jpg", &jpeg(Quarter::TopLeft));
    processes::signal(worker, Signal::ABORT);
    processes::signal(worker, Signal::CONT);
    let output = hot.wait_output("sub/a.png");
    hot.wait_status("done", |status| status.done == 1 && status.running == 0);
    let story = why(&hot, &hot.input("sub/a.jpg"));
    let steps = ["seen", "settled", "SIGABRT", " MiB", "done: cut out to"];
    let mut rest = story.as_str();
    for step in steps {
        let found = rest.split_once(step);
        rest = found
            .unwrap_or_else(|| panic!("no {step:?} in its place: {story}"))
            .1;
    }
    assert!(rest.contains(&output.display().to_string()), "{story}");
    assert_eq!(why(&hot, &output), story);
    assert_eq!(why(&hot, Path::new("sub/a.jpg")), story);
}

/// P10: the worker misses its deadline with the memory that it has; fails when the story does not say how long it had.
#[test]
fn story_of_a_photo_that_hung_names_the_limit() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .daemon("timeout", "1s")
        .daemon("max_attempts", "1");
    let hot = HotFolder::start_with(setup);
    hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_quarantined("a.jpg");
    let story = why(&hot, &hot.input("a.jpg"));
    assert!(story.contains("`timeout`"), "{story}");
    assert!(story.contains("quarantined after 1 attempts"), "{story}");
    assert!(story.contains("nothing is left to do"), "{story}");
}

/// P10: fails when somebody who wonders about a file that waits is not told for what.
#[test]
fn file_that_waits_is_told_for_what() {
    let mut hot = HotFolder::start_with(Setup::new().folder("settle", "1h"));
    hot.drop_file("a.jpg.part", &jpeg(Quarter::TopLeft));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("empty.jpg", b"");
    let waits = |hot: &HotFolder, name: &str| why(hot, &hot.input(name));
    assert!(waits(&hot, "a.jpg.part").contains("its name is not taken"));
    assert!(waits(&hot, "a.jpg").contains("must lie still for 1h"));
    assert!(waits(&hot, "empty.jpg").contains("it is empty"));
    assert!(waits(&hot, "gone.jpg").contains("not in the hot folder"));
    hot.stop();
    assert!(waits(&hot, "a.jpg").contains("hotcut is not running"));
}

/// P10: fails when a file that has nothing to do with hotcut gets a story, or no word at all.
#[test]
fn file_outside_of_every_folder_is_an_error_with_advice() {
    let hot = HotFolder::start();
    hot.drop_file("page.jpg", HTML);
    hot.wait_quarantined("page.jpg");
    let output = hot.command("why", ["/nowhere/a.jpg"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("lies in no hot folder"));
    wait_for("the reason", || {
        why(&hot, Path::new("page.jpg")).contains("HTML")
    });
}

fn why(hot: &HotFolder, file: &Path) -> String {
    let output = hot.command("why", [file]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
