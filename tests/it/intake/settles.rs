//! Tests that a file is taken only when it is complete, for the ways in which programs write files.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{
    LARGE, Quarter, assert_cutout, assert_cutout_of_size, jpeg, large_jpeg,
};
use crate::support::setup::Setup;

/// P3: all bytes are written and nothing changes, but the writer has not closed the file. Fails when the open handle is not
/// noticed. The marker comes later and settles just as long.
#[test]
fn file_that_a_writer_holds_open_is_not_taken() {
    let hot = HotFolder::start();
    let mut writer = File::create(hot.input("slow.jpg")).unwrap();
    writer.write_all(&jpeg(Quarter::TopLeft)).unwrap();
    for marker in ["first", "second"] {
        hot.drop_file(format!("{marker}.jpg"), &jpeg(Quarter::TopRight));
        hot.wait_output(format!("{marker}.png"));
    }
    assert!(
        !hot.output("slow.png").exists(),
        "taken while its writer had it open"
    );
    drop(writer);
    assert_cutout(&hot.wait_output("slow.png"), Quarter::TopLeft);
}

/// P3: a writer opens, writes a part and closes, in two rounds with a pause longer than `settle`. Fails when a partial picture is
/// published, or the complete one never.
#[test]
fn file_written_in_two_rounds_is_published_once_it_is_whole() {
    let hot = HotFolder::start();
    let photo = large_jpeg(Quarter::BottomLeft);
    let (head, tail) = photo.split_at(photo.len() / 2);
    hot.drop_file("a.jpg", head);
    hot.wait_log("the file ends early");
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_output("marker.png");
    assert!(!hot.output("a.png").exists(), "half a picture");
    assert!(
        hot.status().quarantined.is_empty(),
        "it may still be completed"
    );
    let mut writer = File::options()
        .append(true)
        .open(hot.input("a.jpg"))
        .unwrap();
    writer.write_all(tail).unwrap();
    drop(writer);
    assert_cutout_of_size(&hot.wait_output("a.png"), Quarter::BottomLeft, LARGE);
}

/// P3: most decoders accept a truncated JPEG and paint the rest grey. Fails when the decision is left to one of them.
#[test]
fn truncated_jpeg_is_never_published() {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    let photo = large_jpeg(Quarter::TopLeft);
    for percent in [10, 50, 90, 99] {
        let cut = photo.len() * percent / 100;
        hot.drop_file(format!("cut-{percent}.jpg"), &photo[..cut]);
    }
    for percent in [10, 50, 90, 99] {
        hot.wait_log(&format!("cut-{percent}.jpg"));
    }
    for marker in ["first", "second"] {
        hot.drop_file(format!("{marker}.jpg"), &jpeg(Quarter::TopRight));
        hot.wait_output(format!("{marker}.png"));
    }
    assert_eq!(
        hot.outputs(),
        [PathBuf::from("first.png"), PathBuf::from("second.png")]
    );
}

/// P3: some programs give a file its final length and fill it later. Fails when the zeros of its second half are published as grey,
/// or when the filled file is not looked at again.
#[test]
fn file_of_its_final_length_is_published_once_it_is_filled() {
    let hot = HotFolder::start();
    let photo = large_jpeg(Quarter::TopLeft);
    let half = photo.len() / 2;
    hot.drop_file(
        "a.jpg",
        &[&photo[..half], &vec![0; photo.len() - half]].concat(),
    );
    hot.wait_log("\"a.jpg\"");
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_output("marker.png");
    assert_eq!(hot.outputs(), [PathBuf::from("marker.png")]);
    hot.drop_file("a.jpg", &photo);
    assert_cutout_of_size(&hot.wait_output("a.png"), Quarter::TopLeft, LARGE);
}

/// P3: every append opens, writes and closes the file, so only the changing stamp shows it. Fails when one observation is enough.
/// The marker settles while the file grows.
#[test]
fn file_that_keeps_growing_is_not_taken() {
    let hot = HotFolder::start_with(Setup::new().folder("settle", "1s"));
    let is_done = (0..20).any(|round| {
        let [growing, marker] = ["growing", "marker"].map(|name| format!("{name}-{round}"));
        hot.drop_file(format!("{growing}.jpg"), &jpeg(Quarter::TopLeft));
        hot.drop_file(format!("{marker}.jpg"), &jpeg(Quarter::TopRight));
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        wait_for("the marker", || {
            let mut writer = File::options()
                .append(true)
                .open(hot.input(format!("{growing}.jpg")))
                .unwrap();
            writer.write_all(&[0]).unwrap();
            longest = longest.max(last.elapsed());
            last = Instant::now();
            hot.output(format!("{marker}.png")).exists()
        });
        let output = hot.output(format!("{growing}.png"));
        let is_taken = output.exists();
        // If the machine stalls for a second, the file does not grow.
        let has_grown = longest.max(last.elapsed()) < Duration::from_secs(1);
        assert!(!has_grown || !is_taken, "taken while it grew");
        assert_cutout(&hot.wait_output(format!("{growing}.png")), Quarter::TopLeft);
        has_grown
    });
    assert!(is_done, "this machine is too slow for the test");
}

/// P1: some programs make the name first and the content much later. Fails when an empty file is rejected.
#[test]
fn empty_file_waits_until_it_is_filled() {
    let hot = HotFolder::start();
    hot.drop_file("a.jpg", b"");
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopRight));
    hot.wait_output("marker.png");
    assert!(hot.status().quarantined.is_empty());
    fs::write(hot.input("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
}

/// P3: a file found at start-up may be in the middle of being written. Fails when the first listing takes it at once. A slow
/// machine cannot miss the bound.
#[test]
fn file_found_at_start_is_observed_for_settle_too() {
    let mut hot = HotFolder::start_with(Setup::new().folder("settle", "1s"));
    hot.stop();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let start = Instant::now();
    hot.restart();
    hot.wait_output("a.png");
    assert!(
        start.elapsed() >= Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
}
