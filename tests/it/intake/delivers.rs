//! Tests that a photo's cutout is delivered, however the photo comes into a hot folder.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use rustix::process::Signal;

use crate::support::binary::{identity, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{
    Quarter, SIZE, assert_cutout, assert_cutout_of_size, jpeg, png, turned_jpeg,
};
use crate::support::processes::{peak_mib, status_field};

/// P1, P3, P4: fails when the cutout is wrong or has rights that the umask does not explain, or when the original is changed.
#[test]
fn dropped_photo_becomes_a_marked_cutout_and_stays_untouched() {
    let hot = HotFolder::start();
    let photo = jpeg(Quarter::TopLeft);
    hot.drop_file("a.jpg", &photo);
    let before = identity(&hot.input("a.jpg"));
    let output = hot.wait_output("a.png");
    assert_cutout(&output, Quarter::TopLeft);
    let umask = status_field(std::process::id(), "Umask").expect("Linux 4.7 and later");
    let umask = u32::from_str_radix(&umask, 8).unwrap();
    let mode = fs::metadata(&output).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o664 & !umask, "{mode:o}");
    hot.wait_status("done", |status| status.done == 1 && status.running == 0);
    assert_eq!(identity(&hot.input("a.jpg")), before);
    assert_eq!(fs::read(hot.input("a.jpg")).unwrap(), photo);
}

/// P1: fails when the folder is not listed at start-up, so that only events count.
#[test]
fn photo_that_was_there_before_the_start_is_delivered() {
    let mut hot = HotFolder::start();
    hot.stop();
    hot.drop_file("sub/a.jpg", &jpeg(Quarter::TopRight));
    hot.restart();
    assert_cutout(&hot.wait_output("sub/a.png"), Quarter::TopRight);
}

/// P1: a rename into place causes no write event. Fails when only finished writes are looked at.
#[test]
fn photo_renamed_from_a_transfer_name_is_delivered() {
    let hot = HotFolder::start();
    hot.drop_file("a.jpg.part", &jpeg(Quarter::TopLeft));
    hot.drop_file("marker.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("marker.png");
    assert_eq!(
        hot.outputs(),
        [PathBuf::from("marker.png")],
        "the transfer name is not a photo"
    );
    fs::rename(hot.input("a.jpg.part"), hot.input("a.jpg")).unwrap();
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert_eq!(hot.outputs(), ["a.png", "marker.png"].map(PathBuf::from));
}

/// P1: a hard link causes only a creation event. Fails when the daemon waits for a finished write.
#[test]
fn photo_linked_into_the_folder_is_delivered() {
    let hot = HotFolder::start();
    let elsewhere = hot.setup().path("elsewhere.jpg");
    fs::write(&elsewhere, jpeg(Quarter::BottomRight)).unwrap();
    fs::hard_link(&elsewhere, hot.input("a.jpg")).unwrap();
    assert_cutout(&hot.wait_output("a.png"), Quarter::BottomRight);
}

/// P1: no event names the files of a folder that is moved in. Fails when the folder is not listed.
#[test]
fn folder_of_twenty_files_moved_in_is_delivered() {
    let hot = HotFolder::start();
    let staging = hot.setup().path("shoot");
    fs::create_dir_all(staging.join("raw/day one")).unwrap();
    for index in 0..20 {
        let folder = if index % 2 == 0 { "raw" } else { "raw/day one" };
        let path = staging.join(folder).join(format!("{index}.jpg"));
        fs::write(path, jpeg(Quarter::BottomLeft)).unwrap();
    }
    fs::rename(&staging, hot.input("shoot")).unwrap();
    wait_for("all twenty", || hot.outputs().len() == 20);
    for output in hot.outputs() {
        assert_cutout(&hot.output(&output), Quarter::BottomLeft);
    }
    assert!(
        hot.output("shoot/raw/day one/19.png").exists(),
        "{:?}",
        hot.outputs()
    );
}

/// P1: a folder that is made and filled at once is filled before it can be watched. Fails when it is not listed after the watch
/// starts.
#[test]
fn files_written_at_once_into_new_folders_are_delivered() {
    let hot = HotFolder::start();
    for index in 0..20 {
        hot.drop_file(format!("{index}/b/c/a.jpg"), &jpeg(Quarter::TopLeft));
    }
    wait_for("all twenty", || hot.outputs().len() == 20);
    assert_cutout(&hot.wait_output("19/b/c/a.png"), Quarter::TopLeft);
}

/// P1: fails when "new" means "modified later than some time".
#[test]
fn photo_with_a_time_of_last_century_is_delivered() {
    let hot = HotFolder::start();
    let path = hot.setup().path("old.jpg");
    fs::write(&path, jpeg(Quarter::TopLeft)).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_hours(250_000))
        .unwrap();
    drop(file);
    fs::rename(&path, hot.input("old.jpg")).unwrap();
    assert_cutout(&hot.wait_output("old.png"), Quarter::TopLeft);
}

/// P1: fails when an overflow of the kernel's event queue (its one event has no path) does not lead to a listing:
/// `rescan` is an hour here.
#[test]
fn photos_that_an_event_overflow_hides_are_delivered() {
    let hot = HotFolder::start();
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    hot.signal(Signal::STOP);
    for index in 0..limit + 4000 {
        File::create(hot.input(format!("{index}.txt"))).unwrap();
    }
    for index in 0..8 {
        hot.drop_file(format!("{index}.png"), &png(Quarter::TopRight));
    }
    hot.signal(Signal::CONT);
    wait_for("all eight", || hot.outputs().len() == 8);
    assert_cutout(&hot.wait_output("7.png"), Quarter::TopRight);
}

/// P6: the folder is the queue. Fails when the daemon's memory grows with the number of files, or a file is lost.
#[test]
fn burst_of_photos_is_delivered_in_little_memory() {
    let hot = HotFolder::start();
    let photos = [jpeg(Quarter::TopLeft), png(Quarter::TopLeft)];
    for index in 0..200 {
        let kind = index % photos.len();
        hot.drop_file(format!("{index}.{}", ["jpg", "png"][kind]), &photos[kind]);
    }
    wait_for("all two hundred", || hot.outputs().len() == 200);
    hot.wait_status("all done", |status| {
        status.done == 200 && status.queued == 0
    });
    assert!(peak_mib(hot.pid()) < 100, "{} MiB", peak_mib(hot.pid()));
}

/// A phone held upright writes a landscape picture with orientation 6. Fails when the tag is ignored, or turned the other way.
#[test]
fn photo_with_exif_orientation_six_comes_out_upright() {
    let hot = HotFolder::start();
    hot.drop_file("phone.jpg", &turned_jpeg(Quarter::TopLeft, 6));
    let upright = (SIZE.1, SIZE.0);
    assert_cutout_of_size(&hot.wait_output("phone.png"), Quarter::TopRight, upright);
}
