//! Tests a folder with two output folders: each photo gets both files, under one name, and everything that follows knows both.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::binary::{files_below, identity, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, shows};
use crate::support::requests::get;
use crate::support::setup::Setup;
use rustix::process::Signal;

fn setup() -> Setup {
    Setup::new()
        .daemon("workers", "1")
        .folder("settle", "50ms")
        .with_shop()
}

/// The names in both output folders; each holds the same.
#[track_caller]
fn assert_both(hot: &HotFolder, expected: &[(&str, Quarter)]) {
    let names: Vec<PathBuf> = expected.iter().map(|(name, _)| name.into()).collect();
    let shop = hot.setup().shop_of("products");
    for root in [hot.output(""), shop] {
        assert_eq!(files_below(&root), names, "{}", hot.log());
        for (name, lit) in expected {
            assert_cutout(&root.join(name), *lit);
        }
    }
}

#[track_caller]
fn wait_done(hot: &HotFolder, count: u64) {
    hot.wait_status("done and idle", |status| {
        status.done == count && status.running == 0 && status.queued == 0
    });
}

fn shop(hot: &HotFolder, name: &str) -> PathBuf {
    hot.setup().shop_of("products").join(name)
}

/// P2, P10: fails when a photo with two outputs counts twice, when one output is missing, or when `why` knows only one.
#[test]
fn each_photo_gets_both_outputs() {
    let hot = HotFolder::start_with(setup().moves_sources());
    hot.drop_file("sub/a.jpg", &jpeg(Quarter::TopLeft));
    wait_done(&hot, 1);
    assert_both(&hot, &[("sub/a.png", Quarter::TopLeft)]);
    let (first, second) = (hot.output("sub/a.png"), shop(&hot, "sub/a.png"));
    assert_eq!(fs::read(&first).unwrap(), fs::read(&second).unwrap());
    assert!(hot.setup().path("done/sub/a.jpg").exists());
    let told = format!("done: cut out to {}, {}", first.display(), second.display());
    for asked in [hot.input("sub/a.jpg"), first, second] {
        let why = said(&hot.command("why", [&asked]));
        assert!(why.contains(&told), "{why}");
    }
    assert_eq!(hot.log_lines("\"cut out\""), 1, "{}", hot.log());
}

/// P2: fails when the two outputs of one photo get different names because one name is taken, or when that file is replaced.
#[test]
fn both_outputs_get_the_next_name_if_one_is_taken() {
    let hot = HotFolder::start_with(setup());
    fs::write(shop(&hot, "a.png"), "not of hotcut").unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_done(&hot, 1);
    assert_eq!(hot.outputs(), [Path::new("a.jpg.png")]);
    assert_cutout(&shop(&hot, "a.jpg.png"), Quarter::TopLeft);
    let kept = fs::read_to_string(shop(&hot, "a.png")).unwrap();
    assert_eq!(kept, "not of hotcut");
}

/// P2: fails when a correction replaces only one output, or when numbers differ between outputs and original.
#[test]
fn later_photos_of_a_name_replace_both_or_number_both() {
    let hot = HotFolder::start_with(setup());
    for lit in [Quarter::TopLeft, Quarter::BottomRight] {
        hot.drop_file("a.jpg", &jpeg(lit));
        wait_for("both", || {
            shows(&hot.output("a.png"), lit) && shows(&shop(&hot, "a.png"), lit)
        });
    }
    assert_both(&hot, &[("a.png", Quarter::BottomRight)]);
    drop(hot);
    let hot = HotFolder::start_with(setup().moves_sources());
    for (count, lit) in [(1, Quarter::TopLeft), (2, Quarter::BottomRight)] {
        hot.drop_file("a.jpg", &jpeg(lit));
        wait_done(&hot, count);
        wait_for("the photo is gone", || !hot.input("a.jpg").exists());
    }
    let two = [
        ("a-2.png", Quarter::BottomRight),
        ("a.png", Quarter::TopLeft),
    ];
    assert_both(&hot, &two);
    let originals = ["a-2.jpg", "a.jpg"].map(PathBuf::from);
    assert_eq!(files_below(&hot.setup().path("done")), originals);
}

/// P2: fails when an output that was fetched is made again because its photo was touched, or when `redo` makes only one anew.
#[test]
fn touched_photo_is_left_alone_and_redo_makes_both_anew() {
    let mut hot = HotFolder::start_with(setup());
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_done(&hot, 1);
    fs::remove_file(shop(&hot, "a.png")).unwrap();
    let first = identity(&hot.output("a.png"));
    // Other edges are for later photos.
    hot.change_setup(|setup| setup.folder("edges", "hard"));
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    let photo = fs::File::options().write(true).open(hot.input("a.jpg"));
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 31);
    photo.unwrap().set_modified(long_ago).unwrap();
    wait_for("the touched version", || {
        let why = said(&hot.command("why", [hot.input("a.jpg")]));
        why.contains("version of 2000-") && why.contains("done: cut out")
    });
    wait_done(&hot, 1);
    assert!(!shop(&hot, "a.png").exists());
    let output = hot.command("redo", [hot.input("a.jpg")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    wait_for("both again", || {
        shop(&hot, "a.png").exists() && identity(&hot.output("a.png")) != first
    });
    wait_done(&hot, 1);
    assert_both(&hot, &[("a.png", Quarter::TopLeft)]);
}

/// P2: fails when only one output takes the new name of its photo, or when one is cut out again.
#[test]
fn both_outputs_take_the_new_name_of_their_photo() {
    let hot = HotFolder::start_with(setup());
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_done(&hot, 1);
    fs::rename(hot.input("a.jpg"), hot.input("b.jpg")).unwrap();
    hot.wait_log("renamed the cutout");
    wait_done(&hot, 1);
    assert_both(&hot, &[("b.png", Quarter::TopLeft)]);
    assert_eq!(hot.log_lines("\"cut out\""), 1, "{}", hot.log());
}

/// P2: fails when a photo whose ledger was lost is cut out again, or when the two files of a photo that is gone count as two photos.
#[test]
fn lost_ledger_is_rebuilt_from_both_output_folders() {
    let mut hot = HotFolder::start_with(setup().folder("source", "delete"));
    hot.drop_file("gone.jpg", &jpeg(Quarter::TopLeft));
    wait_done(&hot, 1);
    hot.change_setup(Setup::keeps_sources);
    hot.stop();
    hot.restart();
    hot.drop_file("kept.jpg", &jpeg(Quarter::TopRight));
    wait_done(&hot, 2);
    hot.stop();
    let kept = identity(&shop(&hot, "kept.png"));
    fs::remove_dir_all(hot.setup().path("state")).unwrap();
    fs::create_dir(hot.setup().path("state")).unwrap();
    hot.restart();
    wait_done(&hot, 2);
    assert_eq!(identity(&shop(&hot, "kept.png")), kept);
    let both = [
        ("gone.png", Quarter::TopLeft),
        ("kept.png", Quarter::TopRight),
    ];
    assert_both(&hot, &both);
    hot.drop_file("gone.jpg", &jpeg(Quarter::TopLeft));
    wait_done(&hot, 2);
    assert_both(&hot, &both);
}

/// P3, P10: fails when a photo is placed in one output folder while the other cannot be used, or when it is not done afterwards.
#[test]
fn nothing_is_placed_while_one_output_folder_cannot_be_used() {
    let hot = HotFolder::start_with(setup());
    let folder = hot.setup().shop_of("products");
    fs::remove_dir(&folder).unwrap();
    fs::write(&folder, "in the way").unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_state("paused");
    assert_eq!(files_below(&hot.output("")), [] as [&Path; 0]);
    fs::remove_file(&folder).unwrap();
    wait_done(&hot, 1);
    assert_both(&hot, &[("a.png", Quarter::TopLeft)]);
}

/// P2: fails when an output that a reload adds makes old photos anew, or is left out for new ones.
#[test]
fn output_that_is_added_later_is_for_later_photos() {
    let mut hot =
        HotFolder::start_with(Setup::new().daemon("workers", "1").folder("settle", "50ms"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_done(&hot, 1);
    let first = identity(&hot.output("a.png"));
    hot.change_setup(Setup::with_shop);
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    hot.drop_file("b.jpg", &jpeg(Quarter::TopRight));
    wait_done(&hot, 2);
    let in_shop = || files_below(&hot.setup().shop_of("products"));
    assert_eq!(in_shop(), [Path::new("b.png")]);
    // A person asks for the missing one.
    let output = hot.command("redo", [hot.input("a.jpg")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    wait_for("both", || in_shop().len() == 2);
    wait_done(&hot, 2);
    assert_ne!(identity(&hot.output("a.png")), first);
    let both = [("a.png", Quarter::TopLeft), ("b.png", Quarter::TopRight)];
    assert_both(&hot, &both);
}

/// Fails when the page shows no picture of a photo whose first output was fetched.
#[test]
fn page_shows_the_output_that_is_left() {
    let hot = HotFolder::start_with(setup().listens());
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_done(&hot, 1);
    let photos = get(&hot, "/api/photos").json();
    let id = photos["photos"][0]["id"].as_i64().unwrap();
    let whole = fs::read(hot.output("a.png")).unwrap();
    fs::remove_file(hot.output("a.png")).unwrap();
    assert_eq!(get(&hot, &format!("/api/photos/{id}/cutout")).body, whole);
    assert_eq!(get(&hot, &format!("/api/photos/{id}/thumb")).status, 200);
    fs::remove_file(shop(&hot, "a.png")).unwrap();
    assert_eq!(get(&hot, &format!("/api/photos/{id}/cutout")).status, 404);
}
