//! Tests `hotcut why`: the whole history of one photo, from its first sighting to what it waits for.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::binary::{namespaces_work, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, jpeg, large_jpeg};
use crate::support::processes;
use crate::support::setup::Setup;
use crate::support::status::moment;

/// P10: fails when a step of the history is missing: seen, settled, the worker's death with its signal and memory, the cutout; or
/// when the cutout's own path does not lead to the same history.
#[test]
fn history_of_a_photo_whose_worker_crashed_is_told_whole() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    let worker = hot.drop_into_stopped_worker("sub/a.jpg", &jpeg(Quarter::TopLeft));
    processes::signal(worker, Signal::ABORT);
    processes::signal(worker, Signal::CONT);
    let output = hot.wait_output("sub/a.png");
    hot.wait_status("done", |status| status.done == 1 && status.running == 0);
    let history = why(&hot, &hot.input("sub/a.jpg"));
    let steps = ["seen", "settled", "SIGABRT", " MiB", "done: cut out to"];
    let mut rest = history.as_str();
    for step in steps {
        let found = rest.split_once(step);
        rest = found
            .unwrap_or_else(|| panic!("no {step:?} in its place: {history}"))
            .1;
    }
    assert!(rest.contains(&output.display().to_string()), "{history}");
    assert_eq!(why(&hot, &output), history);
    assert_eq!(why(&hot, Path::new("sub/a.jpg")), history);
}

/// P10: the worker misses its deadline. Fails when the history does not name the limit.
#[test]
fn history_of_a_photo_that_hung_names_the_limit() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .daemon("timeout", "1s")
        .daemon("max_attempts", "1");
    let hot = HotFolder::start_with(setup);
    hot.stop_worker();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_quarantined("a.jpg");
    let history = why(&hot, &hot.input("a.jpg"));
    assert!(history.contains("`timeout`"), "{history}");
    assert!(
        history.contains("quarantined after 1 attempts"),
        "{history}"
    );
    assert!(history.contains("nothing is left to do"), "{history}");
}

/// P10: fails when it is not shown what a waiting file waits for.
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

/// P10: fails when a photo that ends early is said to wait for its turn, or when it is not shown how long the daemon waits for the
/// rest: ten minutes, as in docs/files.md.
#[test]
fn photo_that_ends_early_is_told_so_and_until_when_it_is_waited_for() {
    let hot = HotFolder::start();
    let photo = large_jpeg(Quarter::TopLeft);
    let begun = SystemTime::now();
    hot.drop_file("half.jpg", &photo[..photo.len() / 2]);
    hot.wait_log("the file ends early");
    let now = now_of(&hot, "half.jpg");
    assert!(now.contains("ends early"), "{now}");
    let until = now.split_once("until ").expect(&now).1;
    let until = until.split_once(';').expect(&now).0;
    let until = moment(until);
    let patience = Duration::from_mins(10);
    let expected = begun + patience..=SystemTime::now() + patience;
    assert!(expected.contains(&until), "{now}");
}

/// P10: fails when a photo that is in a worker, or whose attempt failed, is said to wait for its turn. A program that has it open
/// delays its second attempt.
#[test]
fn photo_that_is_tried_again_is_told_what_failed() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("it is in work", || {
        now_of(&hot, "a.jpg").contains("it is in work")
    });
    let options = File::options().write(true).open(hot.input("a.jpg"));
    let writer = options.unwrap();
    processes::signal(worker, Signal::ABORT);
    processes::signal(worker, Signal::CONT);
    hot.wait_log("it is tried again");
    let now = now_of(&hot, "a.jpg");
    assert!(now.contains("tried again"), "{now}");
    assert!(now.contains("SIGABRT"), "{now}");
    drop(writer);
    hot.wait_output("a.png");
}

/// P10: a file is where a photo's cutout, or the photo itself, needs a folder. Fails when either photo is said to wait for its
/// turn, and not for that name.
#[test]
fn photo_that_finds_no_place_is_told_where() {
    let hot = HotFolder::start_with(Setup::new().moves_sources());
    fs::write(hot.output("uncut"), "").unwrap();
    fs::write(hot.setup().path("done/unmoved"), "").unwrap();
    for name in ["uncut/a.jpg", "unmoved/a.jpg"] {
        hot.drop_file(name, &jpeg(Quarter::TopLeft));
    }
    hot.wait_status("both wait", |status| status.waiting.len() == 2);
    let now = now_of(&hot, "uncut/a.jpg");
    assert!(now.contains("its cutout has no place"), "{now}");
    let now = now_of(&hot, "unmoved/a.jpg");
    assert!(now.contains("its cutout is in place"), "{now}");
    assert!(now.contains("done/unmoved"), "{now}");
}

/// P10: fails when a photo that may not be read is said to wait for its turn.
#[test]
fn photo_that_cannot_be_read_is_told_so() {
    let Some(hot) = start_without_rights("photo_that_cannot_be_read_is_told_so") else {
        return;
    };
    let outside = hot.setup().path("closed.jpg");
    fs::write(&outside, jpeg(Quarter::TopLeft)).unwrap();
    fs::set_permissions(&outside, Permissions::from_mode(0o000)).unwrap();
    fs::rename(outside, hot.input("closed.jpg")).unwrap();
    hot.wait_status("it waits", |status| status.waiting.len() == 1);
    let now = now_of(&hot, "closed.jpg");
    assert!(now.contains("cannot be read"), "{now}");
    assert!(now.contains("ermission denied"), "{now}");
}

/// P10: a photo that ends early is unreadable for a time. Fails when one reason is shown while the other applies, or when the error
/// is still shown once it is over.
#[test]
fn what_kept_a_photo_before_is_not_told_as_what_keeps_it_now() {
    let Some(hot) =
        start_without_rights("what_kept_a_photo_before_is_not_told_as_what_keeps_it_now")
    else {
        return;
    };
    let photo = large_jpeg(Quarter::TopLeft);
    hot.drop_file("half.jpg", &photo[..photo.len() / 2]);
    let half = hot.input("half.jpg");
    wait_for("it ends early", || {
        now_of(&hot, "half.jpg").contains("ends early")
    });
    fs::set_permissions(&half, Permissions::from_mode(0o000)).unwrap();
    hot.wait_status("it waits", |status| status.waits_for("half.jpg", "cause"));
    let now = now_of(&hot, "half.jpg");
    assert!(now.contains("cannot be read"), "{now}");
    fs::set_permissions(&half, Permissions::from_mode(0o644)).unwrap();
    hot.wait_status("it ends early again", |status| {
        status.waits_for("half.jpg", "rest")
    });
    let now = now_of(&hot, "half.jpg");
    assert!(now.contains("ends early"), "{now}");
}

/// P10: fails when a file that is unrelated to hotcut gets a history, or no message at all.
#[test]
fn file_outside_of_every_folder_is_an_error_with_advice() {
    let hot = HotFolder::start();
    hot.drop_file("page.jpg", HTML);
    hot.wait_quarantined("page.jpg");
    let output = hot.command("why", ["/nowhere/a.jpg"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("is not in a hot folder"));
    wait_for("the reason", || {
        why(&hot, Path::new("page.jpg")).contains("HTML")
    });
}

/// A hot folder whose daemon respects file modes even if root runs it; `None` where no namespace can be made.
fn start_without_rights(test: &str) -> Option<HotFolder> {
    if !namespaces_work(test) {
        return None;
    }
    let rights = "--bounding-set=-dac_override,-dac_read_search";
    let wrapper = ["unshare", "-Ur", "setpriv", rights].map(str::to_owned);
    Some(HotFolder::start_with(Setup::new().under(wrapper.into())))
}

fn why(hot: &HotFolder, file: &Path) -> String {
    let output = hot.command("why", [file]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The reason why a photo in the hot folder waits.
fn now_of(hot: &HotFolder, name: &str) -> String {
    let history = why(hot, &hot.input(name));
    let now = history.rsplit_once("now: ");
    now.unwrap_or_else(|| panic!("no end: {history}"))
        .1
        .to_owned()
}
