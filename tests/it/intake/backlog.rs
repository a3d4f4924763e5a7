//! Tests more photos than a folder keeps in memory: all are counted, and the oldest go first. P1, P10.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use rustix::process::Signal;

use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::processes;
use crate::support::processes::workers_of;
use crate::support::requests::{gauge, get, metric};
use crate::support::setup::Setup;
use crate::support::status::moment;

/// More photos than a folder keeps in memory.
const PHOTOS: u64 = 10_500;

/// The number of photos that a folder keeps in memory.
const CAPACITY: u64 = 10_000;

/// P1, P10: fails when photos beyond those in memory are not counted, when the count changes from look to look, or when photos are
/// taken in the order of their names or of the directory.
#[test]
fn all_photos_that_wait_are_counted_and_the_oldest_go_first() {
    let setup = Setup::new().daemon("workers", "1").daemon("rescan", "1s");
    let input = setup.input_of("products");
    let photo = jpeg(Quarter::TopLeft);
    for number in 0..PHOTOS {
        // An order unrelated to the names: 7,919 is prime.
        let name = format!("{:05}.jpg", number * 7_919 % PHOTOS);
        fs::write(input.join(name), &photo).unwrap();
    }
    let arrivals = arrivals(&input);
    let hot = HotFolder::start_with(setup.listens());
    hot.wait_status("some are done", |status| status.done >= 30);
    for worker in workers_of(hot.pid()) {
        processes::signal(worker, Signal::STOP);
    }
    let counted = || {
        let status = hot.status();
        (status.running, status.done + status.running + status.queued)
    };
    wait_for("all are counted", || counted() == (1, PHOTOS));

    let log = hot.log();
    let done = log.lines().filter(|line| line.contains("cut out"));
    let done = done.filter_map(|line| arrivals.iter().find(|(_, name)| line.contains(name)));
    let done: Vec<_> = done.collect();
    assert!(done.len() >= 30, "{log}");
    let first: Vec<_> = arrivals.iter().take(done.len()).collect();
    assert_eq!(done, first, "the order of their arrival");

    let status = hot.status();
    assert!(
        status.queued_on_disk >= PHOTOS - CAPACITY - status.done - status.running,
        "{status:?}"
    );
    // The next photo has the worker.
    let (oldest_ms, _) = arrivals[done.len() + 1];
    hot.wait_status("the oldest", |status| {
        let oldest = status.oldest.as_ref();
        let oldest = oldest.map(|text| moment(text));
        let since = oldest.map(|oldest| oldest.duration_since(UNIX_EPOCH).unwrap());
        since.is_some_and(|since| since.as_millis() == u128::from(oldest_ms))
    });
    assert!(gauge(&hot, "hotcut_oldest_queued_seconds{folder=\"products\"}") > 0.0);
    // Listings go on meanwhile; each one gives the same count.
    let file = hot.setup().path("state/status.json");
    let written = || fs::metadata(&file).unwrap().modified().unwrap();
    for _ in 0..3 {
        let before = written();
        wait_for("a later status", || written() > before);
        assert_eq!(counted(), (1, PHOTOS));
    }
    let queued = metric(&hot, "hotcut_queued_photos{folder=\"products\"}");
    assert_eq!(queued, hot.status().queued);
}

/// P10: fails when the rate of finished photos is not shown.
#[test]
fn photos_a_minute_are_told_over_three_spans() {
    let hot = HotFolder::start_with(Setup::new().listens());
    for number in 0..12 {
        hot.drop_file(format!("{number}.jpg"), &jpeg(Quarter::TopLeft));
    }
    let is_twelve = |rate: f64| (rate - 12.0).abs() < 0.1;
    // Since the start, less than a minute ago.
    hot.wait_status("the rates", |status| {
        is_twelve(status.photos_per_minute_over_10) && is_twelve(status.photos_per_minute_over_60)
    });
    let status = hot.status();
    assert_eq!(
        (status.queued, status.left_s, status.oldest),
        (0, None, None)
    );
    for window in ["1m", "10m", "60m"] {
        let name = format!("hotcut_photos_per_minute{{folder=\"products\",window=\"{window}\"}}");
        wait_for(&name, || is_twelve(gauge(&hot, &name)));
    }
    let told = get(&hot, "/api/status").json();
    let told = told["folders"][0]["photos_per_minute_over_60"].as_f64();
    assert!(told.is_some_and(is_twelve), "{told:?}");
    let people = String::from_utf8(hot.command("status", [] as [&str; 0]).stdout).unwrap();
    let words = "photos a minute: 12 over 10 minutes, 12 over 60";
    assert!(people.contains(words), "{people}");
}

/// The files of a folder by arrival time, in milliseconds since the epoch, then by name.
fn arrivals(folder: &Path) -> Vec<(u64, String)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut files: Vec<_> = entries
        .map(|entry| {
            let data = entry.metadata().unwrap();
            let name = entry.file_name().into_string().unwrap();
            (data.ctime(), data.ctime_nsec(), name)
        })
        .collect();
    files.sort();
    let ms = |seconds: i64, nanos: i64| u64::try_from(seconds * 1_000 + nanos / 1_000_000);
    let files = files.into_iter();
    files
        .map(|(seconds, nanos, name)| (ms(seconds, nanos).unwrap(), name))
        .collect()
}
