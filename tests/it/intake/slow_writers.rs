//! Tests photos without an end mark that are still being written: what is taken, and what happens to the original.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::support::binary::{MODELS, files_below, finish, hotcut, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{
    LARGE, Quarter, assert_cutout_of_size, jpeg, large_bmp, large_jpeg, shows,
};
use crate::support::setup::Setup;

/// P3, P4: as in a copy by Windows to a share, the length is set first and the content comes in parts with pauses longer than
/// `settle`. Fails when a half black cutout is published, or the original is deleted while the program still writes it.
#[test]
fn bitmap_of_its_final_length_is_taken_once_it_is_written() {
    for hole in [true, false] {
        let hot = HotFolder::start_with(bitmaps().folder("source", "delete"));
        let photo = large_bmp(Quarter::TopLeft);
        let (head, tail) = photo.split_at(photo.len() / 2);
        let path = hot.input("a.bmp");
        if hole {
            let file = File::create(&path).unwrap();
            file.write_all_at(head, 0).unwrap();
            file.set_len(photo.len() as u64).unwrap();
        } else {
            fs::write(&path, [head, &vec![0; tail.len()]].concat()).unwrap();
        }
        hot.wait_log("held: ");
        hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
        hot.wait_output("marker.png");
        assert_eq!(
            hot.outputs(),
            [PathBuf::from("marker.png")],
            "half a picture"
        );
        assert!(path.exists(), "deleted under the program that writes it");
        let file = File::options().write(true).open(&path).unwrap();
        file.write_all_at(tail, head.len() as u64).unwrap();
        drop(file);
        let output = hot.wait_output("a.png");
        assert_cutout_of_size(&output, Quarter::TopLeft, LARGE);
        wait_for("the original deleted", || !path.exists());
        hot.wait_status("done", |status| status.done == 2 && status.queued == 0);
        assert_eq!(hot.log_lines("cut out"), 2, "{}", hot.log());
    }
}

/// P3: several parts of a file are written at once, and the last one with the end mark comes first. Fails when a JPEG with a hole
/// in its middle is published with smears.
#[test]
fn jpeg_with_a_hole_in_its_middle_is_taken_once_that_is_written() {
    let hot = HotFolder::start();
    let photo = large_jpeg(Quarter::TopLeft);
    let file = File::create(hot.input("a.jpg")).unwrap();
    let (first, last) = (512, photo.len() - 512);
    file.write_all_at(&photo[..first], 0).unwrap();
    // A hole is at least as large as a block of the file system.
    let at = 16 << 20;
    file.write_all_at(&photo[last..], at).unwrap();
    drop(file);
    hot.wait_log("held: parts of the file have not been written yet");
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_output("marker.png");
    assert_eq!(hot.outputs(), [PathBuf::from("marker.png")]);
    assert!(hot.status().quarantined.is_empty(), "{:?}", hot.status());
    hot.drop_file("a.jpg", &photo);
    assert_cutout_of_size(&hot.wait_output("a.png"), Quarter::TopLeft, LARGE);
}

/// P4: a format without an end mark does not show that more data will come. Fails when its original is deleted before a second
/// `settle` is over, or when data written meanwhile is lost.
#[test]
fn bitmap_that_is_written_on_after_its_cutout_is_not_deleted() {
    let hot = HotFolder::start_with(bitmaps().folder("source", "delete").folder("settle", "5s"));
    let path = hot.input("a.bmp");
    hot.drop_file("a.bmp", &large_bmp(Quarter::TopLeft));
    let output = hot.wait_output("a.png");
    assert!(path.exists(), "deleted without a second look");
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&large_bmp(Quarter::BottomRight), 0)
        .unwrap();
    drop(file);
    wait_for("the new version", || shows(&output, Quarter::BottomRight));
    wait_for("the original deleted", || !path.exists());
    assert_cutout_of_size(&output, Quarter::BottomRight, LARGE);
    hot.wait_status("done", |status| status.queued == 0 && status.running == 0);
    assert_eq!(hot.outputs(), [PathBuf::from("a.png")]);
    assert_eq!(hot.log_lines("cut out"), 2, "{}", hot.log());
}

/// P7: fails when the only worker waits for the second look instead of doing other photos.
#[test]
fn worker_is_free_while_an_original_waits_for_its_second_look() {
    let setup = bitmaps().folder("settle", "10s").moves_sources();
    let setup = setup.daemon("workers", "1").another_folder("portraits");
    let hot = HotFolder::start_with(setup);
    hot.drop_file("a.bmp", &large_bmp(Quarter::TopLeft));
    hot.wait_output("a.png");
    let other = hot.setup().input_of("portraits").join("b.jpg");
    fs::write(other, jpeg(Quarter::TopRight)).unwrap();
    let output = hot.setup().output_of("portraits").join("b.png");
    wait_for("the other photo", || output.exists());
    assert!(hot.input("a.bmp").exists(), "the second look is over");
    wait_for("the move", || hot.setup().path("done/a.bmp").exists());
}

/// P4, P8: the daemon is killed during the wait for the second look. Fails when the original is not moved after that, when it is
/// moved without a look, or when it is cut out twice.
#[test]
fn daemon_killed_before_the_second_look_makes_it_after_a_restart() {
    for is_changed in [false, true] {
        let mut hot = HotFolder::start_with(bitmaps().moves_sources().folder("settle", "5s"));
        hot.drop_file("a.bmp", &large_bmp(Quarter::TopLeft));
        let output = hot.wait_output("a.png");
        hot.wait_log("cut out");
        hot.kill9();
        assert!(hot.input("a.bmp").exists(), "moved without a second look");
        let lit = if is_changed {
            hot.drop_file("a.bmp", &large_bmp(Quarter::BottomRight));
            Quarter::BottomRight
        } else {
            Quarter::TopLeft
        };
        hot.restart();
        let done = hot.setup().path("done/a.bmp");
        wait_for("the move", || done.exists());
        assert_eq!(fs::read(&done).unwrap(), large_bmp(lit));
        assert_cutout_of_size(&output, lit, LARGE);
        assert_eq!(files_below(&hot.input("")), [] as [&Path; 0]);
        assert_eq!(hot.outputs(), [PathBuf::from("a.png")]);
        let cut = hot.log_lines("cut out");
        assert_eq!(cut, usize::from(is_changed), "{}", hot.log());
        hot.stop();
    }
}

/// P10: fails when it is not shown why a photo is held and what happens next.
#[test]
fn photo_that_may_be_half_written_is_said_to_be() {
    let hot = HotFolder::start_with(bitmaps());
    let photo = large_bmp(Quarter::TopLeft);
    let half = photo.len() / 2;
    hot.drop_file(
        "a.bmp",
        &[&photo[..half], &vec![0; photo.len() - half]].concat(),
    );
    hot.wait_log("held: the picture ends in zeros");
    hot.wait_status("it is held", |status| status.waits_for("a.bmp", "doubt"));
    let why = hot.command("why", [hot.input("a.bmp")]);
    let told = String::from_utf8_lossy(&why.stdout).into_owned();
    for part in ["it ends in zeros", "waited for until", "taken as it is"] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    hot.assert_log_is_short();
}

/// P1: naming a photo in a command declares it complete. Fails when one whose last rows are black is refused.
#[test]
fn picture_that_ends_in_black_is_cut_at_once_by_command() {
    let hot = HotFolder::start();
    let photo = large_bmp(Quarter::BottomRight);
    // The last row of the picture is stored first.
    let half = photo.len() / 2;
    let path = hot.setup().path("dark.bmp");
    fs::write(
        &path,
        [&photo[..half], &vec![0; photo.len() - half]].concat(),
    )
    .unwrap();
    let output = hot.setup().path("cut");
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models");
    let mut command = crate::support::binary::hotcut();
    let command = command
        .args(["cut", "--model", "luma", "--models-dir", models, "-o"])
        .arg(&output)
        .arg(&path);
    let told = crate::support::binary::finish(command);
    assert!(told.status.success(), "{told:?}");
    assert!(output.join("dark.png").exists());
}

/// P2: fails when the second look makes a photo count twice or be reported twice.
#[test]
fn photo_that_is_looked_at_twice_counts_once() {
    let hot = HotFolder::start_with(bitmaps().moves_sources());
    hot.drop_file("a.bmp", &large_bmp(Quarter::TopLeft));
    wait_for("the move", || hot.setup().path("done/a.bmp").exists());
    hot.wait_log("the original was moved or deleted");
    hot.wait_status("done", |status| status.done == 1 && status.queued == 0);
    assert_eq!(hot.log_lines("cut out"), 1, "{}", hot.log());
    assert_eq!(
        hot.log_lines("the cutout exists already"),
        0,
        "{}",
        hot.log()
    );
    assert_cutout_of_size(&hot.output("a.png"), Quarter::TopLeft, LARGE);
}

fn bitmaps() -> Setup {
    Setup::new().folder("include", "[\"*.bmp\", \"*.jpg\"]")
}

/// P4: a run of `cut`, which takes a file as it is, or an earlier daemon whose ledger is lost, has made the cutout of a photo that
/// may be incomplete. Fails when that original is deleted because its cutout exists.
#[test]
fn original_that_may_lack_its_end_is_not_deleted_for_an_earlier_cutout() {
    let setup = bitmaps().folder("source", "delete");
    let whole = large_bmp(Quarter::BottomRight);
    let half = whole.len() / 2;
    let dark = [&whole[..half], &vec![0; whole.len() - half]].concat();
    for (name, photo) in [("whole.bmp", &whole), ("dark.bmp", &dark)] {
        let file = setup.path(name);
        fs::write(&file, photo).unwrap();
        let mut cut = hotcut();
        cut.args(["cut", "--model", "luma", "--models-dir", MODELS, "-o"]);
        let cut = finish(cut.arg(setup.output_of("products")).arg(&file));
        assert_eq!(cut.status.code(), Some(0), "{}", said(&cut));
    }
    let hot = HotFolder::start_with(setup);
    for (name, photo) in [("dark.bmp", &dark), ("whole.bmp", &whole)] {
        hot.drop_file(name, photo);
    }
    wait_for("the whole one is deleted", || {
        !hot.input("whole.bmp").exists()
    });
    wait_for("both are known", || {
        hot.log_lines("the cutout exists already") == 2
    });
    hot.wait_status("both dealt with", |status| status.running == 0);
    assert_eq!(fs::read(hot.input("dark.bmp")).unwrap(), dark);
    let names = ["dark.png", "whole.png"].map(PathBuf::from);
    assert_eq!(hot.outputs(), names);
}
