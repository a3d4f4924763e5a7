//! Tests that status, `check`, `cut`, the API and the metrics show held photos and files that are not taken. P10.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::binary::{MODELS, files_below, finish, hotcut, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg, large_jpeg};
use crate::support::processes;
use crate::support::requests::{get, metric};
use crate::support::setup::Setup;
use crate::support::status::moment;

/// P10: fails when a photo that ends early is not among those that wait, or when it is not shown how long the daemon waits for the
/// rest.
#[test]
fn photo_that_ends_early_is_shown_with_its_deadline() {
    let hot = HotFolder::start_with(Setup::new().listens());
    let photo = large_jpeg(Quarter::TopLeft);
    let begun = SystemTime::now();
    hot.drop_file("half.jpg", &photo[..photo.len() / 2]);
    hot.wait_status("it is held", |status| status.waits_for("half.jpg", "rest"));
    let status = hot.status();
    assert_eq!((status.queued, status.held), (1, 1), "{status:?}");
    let held = status.held("half.jpg").unwrap();
    assert!(held.reason.contains("ends early"), "{held:?}");
    let until = moment(held.until.as_ref().unwrap());
    let patience = Duration::from_mins(10);
    // To the millisecond.
    let earliest = begun + patience - Duration::from_millis(1);
    assert!((earliest..=SystemTime::now() + patience).contains(&until));
    let people = said(&hot.command("status", [] as [&str; 0]));
    assert!(people.contains("waits half.jpg: it ends early"), "{people}");
    wait_for("the API tells it", || {
        let told = get(&hot, "/api/status").json();
        let photo = &told["folders"][0]["waiting"][0];
        photo["next"] == "rest" && photo["until_ms"].is_u64()
    });
    assert_eq!(metric(&hot, "hotcut_held_photos{folder=\"products\"}"), 1);
    // Completed, it is a photo like any other.
    hot.drop_file("half.jpg", &photo);
    hot.wait_output("half.png");
    hot.wait_status("nothing is held", |status| status.held == 0);
}

/// P10: fails when a photo that a program has open, or whose attempt has failed, waits without a reason shown.
#[test]
fn photo_that_is_written_and_one_that_is_tried_again_are_shown() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    let worker = hot.drop_into_stopped_worker("failed.jpg", &jpeg(Quarter::TopLeft));
    // The open handle delays the second attempt.
    let options = File::options()
        .write(true)
        .open(hot.input("failed.jpg"))
        .unwrap();
    processes::signal(worker, Signal::ABORT);
    processes::signal(worker, Signal::CONT);
    hot.drop_file("open.jpg", &jpeg(Quarter::TopLeft));
    let writer = File::options()
        .write(true)
        .open(hot.input("open.jpg"))
        .unwrap();
    hot.wait_status("both are held", |status| {
        status.waits_for("failed.jpg", "attempt") && status.waits_for("open.jpg", "writer")
    });
    let status = hot.status();
    let failed = status.held("failed.jpg").unwrap();
    assert!(failed.reason.contains("SIGABRT"), "{failed:?}");
    assert!(failed.until.is_some(), "{failed:?}");
    let why = said(&hot.command("why", [hot.input("open.jpg")]));
    assert!(why.contains("a program has it open for writing"), "{why}");
    drop((options, writer));
    hot.wait_output("failed.png");
    hot.wait_output("open.png");
    hot.wait_status("nothing is held", |status| status.held == 0);
}

/// P10: fails when files that are not taken leave no trace, when files that no user dropped are counted with them, or when they are
/// still shown once they are gone.
#[test]
fn files_that_are_not_taken_are_counted_by_ending() {
    let hot = HotFolder::start_with(Setup::new().daemon("rescan", "1s").listens());
    let others = [
        "a.HEIC",
        "sub/b.heic",
        "c.bmp",
        "a.xmp",
        ".d.heic",
        "e.heic.part",
        "@eaDir/f.heic",
    ];
    for name in others {
        hot.drop_file(name, b"not a photo");
    }
    hot.drop_file("empty.jpg", b"");
    hot.drop_file("a (conflicted copy).jpg", &jpeg(Quarter::TopLeft));
    symlink("/nowhere.jpg", hot.input("link.jpg")).unwrap();
    hot.wait_status("they are counted", |status| status.not_taken.links == 1);
    let status = hot.status();
    let endings = [("bmp".to_owned(), 1), ("heic".to_owned(), 2)];
    assert_eq!(status.not_taken.endings, endings.into(), "{status:?}");
    let more = &status.not_taken;
    assert_eq!((more.others, more.conflicts, more.empty), (0, 1, 1));
    assert_eq!(
        status.queued, 0,
        "an empty file is no photo yet: {status:?}"
    );
    let sentence = "3 files are not taken: *.heic 2, *.bmp 1";
    for command in ["status", "check"] {
        let people = said(&hot.command(command, [] as [&str; 0]));
        for words in [
            sentence,
            "*.heic cannot be read",
            "`include`",
            "1 file is a link",
            "is empty",
        ] {
            assert!(people.contains(words), "{command}: {people}");
        }
    }
    let told = get(&hot, "/api/status").json();
    assert_eq!(told["folders"][0]["not_taken"]["endings"]["heic"], 2);
    assert_eq!(
        metric(&hot, "hotcut_files_not_taken{folder=\"products\"}"),
        3
    );
    for name in ["a.HEIC", "sub/b.heic", "c.bmp"] {
        fs::remove_file(hot.input(name)).unwrap();
    }
    hot.wait_status("none is left", |status| status.not_taken.endings.is_empty());
}

/// Fails when there is no warning about a pattern whose photos are taken only to be quarantined, or when it counts as a fault.
#[test]
fn check_warns_of_a_pattern_that_no_decoder_reads() {
    let setup = Setup::new().folder("include", "[\"*.jpg\", \"*.heic\"]");
    setup.write_config();
    let mut command = hotcut();
    command.args(["check", "--config"]).arg(setup.config_file());
    let run = finish(&mut command);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(said(&run).contains("*.heic"), "{run:?}");
    assert!(said(&run).contains("no decoder reads"), "{run:?}");
    let setup = setup.folder("include", "[\"*.jpg\", \"*.bmp\"]");
    setup.write_config();
    assert!(!said(&finish(&mut command)).contains("no decoder reads"));
}

/// Fails when a folder without a photo counts as done, or when the output does not say what it contains instead.
#[test]
fn cut_that_finds_nothing_says_so_and_fails() {
    let setup = Setup::new();
    let shoot = setup.path("shoot");
    fs::create_dir(&shoot).unwrap();
    let output = setup.path("cut");
    let run = cut(&shoot, &output);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(said(&run).contains("no photo was found"), "{run:?}");
    for name in ["a.heic", "b.HEIC", "c.bmp"] {
        fs::write(shoot.join(name), b"not a photo").unwrap();
    }
    let run = cut(&shoot, &output);
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let sentence = "3 files are not taken: *.heic 2, *.bmp 1";
    assert!(said(&run).contains(sentence), "{run:?}");
    fs::write(shoot.join("a.jpe"), jpeg(Quarter::TopLeft)).unwrap();
    fs::write(shoot.join("b.JFIF"), jpeg(Quarter::TopLeft)).unwrap();
    let run = cut(&shoot, &output);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(said(&run).contains(sentence), "{run:?}");
    assert_eq!(files_below(&output), ["a.png", "b.png"].map(Path::new));
}

fn cut(input: &Path, output: &Path) -> Output {
    let mut command = hotcut();
    command.arg("cut").arg(input).arg("-o").arg(output);
    finish(command.args(["--model", "luma", "--models-dir", MODELS]))
}
