//! Tests many photos in one request with one ZIP as the answer. Opens no ZIP: entries are stored uncompressed.

use std::net::{Shutdown, TcpStream};

use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::processes;
use crate::support::requests::{Answer, begin, form, metric, post, post_form, wait_ready};
use crate::support::setup::Setup;
use rustix::process::Signal;

const RUNNING: &str = "hotcut_running_requests";
const QUEUED: &str = "hotcut_queued_requests";

/// Fails when one photo that cannot be cut out breaks a batch, or is not mentioned.
#[test]
fn batch_holds_each_cutout_and_the_list_of_what_failed() {
    let hot = HotFolder::start_with(Setup::new().listens());
    let photo = jpeg(Quarter::TopLeft);
    let files: [(&str, &[u8]); 3] = [("a.jpg", &photo), ("b.txt", b"no photo"), ("A.JPG", &photo)];
    let answer = post_form(&hot, "/batch", &files);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/zip"));
    let single = post(&hot, "/remove-background?name=a.jpg", &photo).body;
    let holds = |needle: &[u8]| answer.body.windows(needle.len()).any(|part| part == needle);
    assert!(holds(&single), "the cutout as it is, uncompressed");
    assert!(holds(b"a.png") && holds(b"A-2.png") || holds(b"A.png") && holds(b"a-2.png"));
    assert!(holds(b"failures.json") && holds(b"\"b.txt\"") && holds(b"not_a_photo"));
}

/// P6: fails when a batch goes on after its client has gone.
#[test]
fn batch_ends_with_its_client() {
    let (hot, worker) = stopped();
    let stream = begin_batch(&hot, 6);
    wait_for("two of it are on their way", || {
        (metric(&hot, RUNNING), metric(&hot, QUEUED)) == (1, 1)
    });
    stream.shutdown(Shutdown::Both).unwrap();
    wait_for("the second has left the queue", || {
        metric(&hot, QUEUED) == 0
    });
    processes::signal(worker, Signal::CONT);
    let photo = jpeg(Quarter::TopLeft);
    assert_eq!(post(&hot, "/remove-background", &photo).status, 200);
    wait_for("nothing is on its way", || {
        (metric(&hot, RUNNING), metric(&hot, QUEUED)) == (0, 0)
    });
    // The first of the batch, and the single one.
    assert_eq!(metric(&hot, "hotcut_requests_total{result=\"cut\"}"), 2);
}

/// P6: fails when the number of concurrent batches, each with hundreds of open files, is not limited.
#[test]
fn third_batch_is_turned_away() {
    let (hot, worker) = stopped();
    let mut batches = [begin_batch(&hot, 1), begin_batch(&hot, 1)];
    wait_for("both are on their way", || {
        (metric(&hot, RUNNING), metric(&hot, QUEUED)) == (1, 1)
    });
    let answer = post_form(&hot, "/batch", &[("a.jpg", &jpeg(Quarter::TopLeft))]);
    assert_eq!(
        (answer.status, answer.problem()),
        (503, "queue_full".to_owned())
    );
    processes::signal(worker, Signal::CONT);
    for stream in &mut batches {
        assert_eq!(Answer::read(stream).status, 200);
    }
}

/// A daemon whose only worker does nothing.
fn stopped() -> (HotFolder, u32) {
    let setup = Setup::new()
        .listens()
        .daemon("workers", "1")
        .daemon("timeout", "300s");
    let hot = HotFolder::start_with(setup);
    wait_ready(&hot);
    let worker = hot.stop_worker();
    (hot, worker)
}

fn begin_batch(hot: &HotFolder, photos: usize) -> TcpStream {
    let photo = jpeg(Quarter::TopLeft);
    let (kind, body) = form(&vec![("a.jpg", &photo[..]); photos]);
    begin(hot, "POST /batch", &[&kind], &body)
}
