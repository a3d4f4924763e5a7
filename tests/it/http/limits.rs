//! Tests requests that are too large, too many, too slow or hostile: they are refused with a remedy, and the daemon goes on.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::time::Instant;

use crate::corpus::{self, bombs};
use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, bomb, jpeg};
use crate::support::processes;
use crate::support::requests::{
    Answer, begin, connect, gauge, head, metric, post, post_form, wait_ready,
};
use crate::support::setup::Setup;
use rustix::process::Signal;

const CUT: &str = "/remove-background";

fn listening() -> HotFolder {
    HotFolder::start_with(Setup::new().listens())
}

#[track_caller]
fn assert_still_cuts(hot: &HotFolder) {
    let answer = post(hot, CUT, &jpeg(Quarter::TopLeft));
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// P6: fails when a body beyond `max_upload` is accepted, whether its length is announced or not.
#[test]
fn body_that_is_too_long_is_refused_before_it_has_come() {
    let hot = HotFolder::start_with(Setup::new().listens().http("max_upload", "1 MiB"));
    let mut stream = connect(&hot);
    stream
        .write_all(&head("POST /remove-background", &[], 2 << 30))
        .unwrap();
    let answer = Answer::read(&mut stream);
    assert_eq!(
        (answer.status, answer.problem()),
        (413, "too_long".to_owned())
    );
    let chunk = [b"10000\r\n".to_vec(), vec![0; 0x10000], b"\r\n".to_vec()].concat();
    let chunked = || {
        let mut stream = connect(&hot);
        let head = "POST /remove-background HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let mut stream = chunked();
    // The body would never end.
    while stream.write_all(&chunk).is_ok() {}
    let mut stream = chunked();
    // Not so much that the connection breaks before the answer is read.
    for _ in 0..256 {
        stream.write_all(&chunk).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let answer = Answer::read(&mut stream);
    assert_eq!(
        (answer.status, answer.problem()),
        (413, "too_long".to_owned())
    );
    let form = post_form(&hot, CUT, &[("a.jpg", &vec![0; 2 << 20])]);
    assert_eq!((form.status, form.problem()), (413, "too_long".to_owned()));
    assert_still_cuts(&hot);
}

/// Fails when a body whose length is given twice can hide a second request; a proxy may have read it differently.
#[test]
fn request_whose_length_is_contradictory_hides_no_other() {
    let hot = listening();
    let hidden = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let whole = format!("Content-Length: {}\r\n", hidden.len() + 5);
    let nothing = "Content-Length: 0\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    for lengths in [
        [nothing, &whole],
        [&whole, nothing],
        [&whole, chunked],
        [chunked, &whole],
    ] {
        let lengths = lengths.concat();
        let mut stream = connect(&hot);
        let request = format!(
            "POST /remove-background HTTP/1.1\r\nHost: 127.0.0.1\r\n{lengths}\r\n0\r\n\r\n{hidden}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answers = Vec::new();
        // Reset or ended: what was received before is here.
        if let Err(error) = stream.read_to_end(&mut answers) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        let answers = String::from_utf8(answers).unwrap();
        assert!(answers.starts_with("HTTP/1.1 400 "), "{lengths}{answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    }
    assert_still_cuts(&hot);
}

/// P5, P6: fails when a fatal request has wider effects than a fatal photo in a folder.
#[test]
fn every_kind_of_hostile_picture_gets_a_refusal_or_a_cutout() {
    let hot = HotFolder::start_with(Setup::new().listens().daemon("max_megapixels", "50"));
    let bombs = [
        bombs::with_sides(60_000, 60_000),
        bombs::second_sizes(),
        bombs::long_streams(),
    ];
    let pictures = corpus::pictures().into_iter();
    for (name, bytes) in pictures.chain(bombs.into_iter().flatten()) {
        let answer = post(&hot, CUT, &bytes);
        match answer.status {
            200 => assert_eq!(answer.header("content-type"), Some("image/png"), "{name}"),
            413 | 415 | 422 => drop(answer.problem()),
            status => panic!("{name}: {status}"),
        }
    }
    let answer = post(&hot, CUT, &bomb(8_000));
    assert_eq!(
        (answer.status, answer.problem()),
        (422, "too_many_pixels".to_owned())
    );
    assert_still_cuts(&hot);
}

/// P7, P10: fails when a photo that hangs its worker is not given up at `timeout`, is reported as another error, or is not counted.
#[test]
fn photo_that_takes_too_long_is_a_timeout() {
    let setup = Setup::new()
        .listens()
        .daemon("workers", "1")
        .daemon("timeout", "5s");
    let hot = HotFolder::start_with(setup);
    wait_ready(&hot);
    hot.stop_worker();
    let answer = post(&hot, CUT, &jpeg(Quarter::TopLeft));
    assert_eq!(
        (answer.status, answer.problem()),
        (504, "timeout".to_owned())
    );
    assert_still_cuts(&hot);
    assert_eq!(metric(&hot, "hotcut_timeouts_total"), 1);
    assert_eq!(metric(&hot, "hotcut_worker_deaths_total"), 1);
}

/// P5, P10: fails when a worker's death does more than refuse its photo, when it is not counted, or when it is not visible that a
/// folder's photo waits meanwhile.
#[test]
fn photo_that_kills_its_worker_is_refused() {
    let hot = HotFolder::start_with(Setup::new().listens().daemon("workers", "1"));
    wait_ready(&hot);
    let worker = hot.stop_worker();
    let photo = jpeg(Quarter::TopLeft);
    let mut stream = begin(&hot, "POST /remove-background", &[], &photo);
    wait_running(&hot, 1);
    let oldest = || gauge(&hot, "hotcut_oldest_queued_seconds{folder=\"products\"}");
    assert!(oldest() <= 0.0);
    hot.drop_file("a.jpg", &photo);
    wait_for("a photo that waits for a worker", || oldest() > 0.0);
    processes::signal(worker, Signal::KILL);
    let answer = Answer::read(&mut stream);
    assert_eq!(
        (answer.status, answer.problem()),
        (422, "crashed".to_owned())
    );
    assert_still_cuts(&hot);
    assert_eq!(metric(&hot, "hotcut_worker_deaths_total"), 1);
    hot.wait_output("a.png");
    wait_for("no photo waits", || oldest() <= 0.0);
}

/// P6: fails when more requests are accepted than there are slots, or when a slot is not freed once its client is gone.
#[test]
fn full_queue_turns_away_and_clients_who_hang_up_free_their_places() {
    let hot = HotFolder::start_with(Setup::new().listens().daemon("workers", "1"));
    wait_ready(&hot);
    let worker = hot.stop_worker();
    let photo = jpeg(Quarter::TopLeft);
    let begin = || begin(&hot, "POST /remove-background", &[], &photo);
    let mut waiting: Vec<_> = std::iter::repeat_with(begin).take(8).collect();
    wait_for("all places are taken", || {
        metric(&hot, "hotcut_queued_requests") == 7
    });
    let answer = post(&hot, CUT, &photo);
    assert_eq!(
        (answer.status, answer.problem()),
        (503, "queue_full".to_owned())
    );
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    for stream in waiting.drain(..) {
        stream.shutdown(Shutdown::Both).unwrap();
    }
    wait_for("the places are free", || {
        metric(&hot, "hotcut_queued_requests") == 0
    });
    processes::signal(worker, Signal::CONT);
    assert_still_cuts(&hot);
}

/// Fails when the photos of one client are not counted, or the wait is not given.
#[test]
fn client_who_sends_too_many_photos_is_told_when_to_come_again() {
    let hot = HotFolder::start_with(Setup::new().listens().http("photos_per_minute", "3"));
    for _ in 0..3 {
        assert_still_cuts(&hot);
    }
    let answer = post(&hot, CUT, &jpeg(Quarter::TopLeft));
    assert_eq!(
        (answer.status, answer.problem()),
        (429, "too_many".to_owned())
    );
    let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
}

/// P6: fails when the server waits longer than its limits for a client that sends nothing.
#[test]
fn client_who_stops_sending_is_cut_off() {
    let hot = listening();
    let begun = Instant::now();
    let mut silent = connect(&hot);
    silent.write_all(b"GET / HTTP/1.1\r\nHost: 127.").unwrap();
    let mut stuck = connect(&hot);
    stuck
        .write_all(&head("POST /remove-background", &[], 1_000))
        .unwrap();
    let mut guess = connect(&hot);
    guess
        .write_all(&head(
            "POST /api/session",
            &["Content-Type: application/json"],
            100,
        ))
        .unwrap();
    let answer = Answer::read(&mut stuck);
    assert_eq!(
        (answer.status, answer.problem()),
        (408, "too_slow".to_owned())
    );
    assert_eq!(Answer::read(&mut guess).problem(), "too_slow");
    // Reset or ended before this side times out.
    if let Err(error) = silent.read_to_end(&mut Vec::new()) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    assert!(begun.elapsed().as_secs() >= 5, "a slow line is no attack");
    assert_still_cuts(&hot);
}

#[track_caller]
fn wait_running(hot: &HotFolder, count: u64) {
    wait_for("requests with a worker", || {
        metric(hot, "hotcut_running_requests") == count
    });
}

/// P6: fails when more connections are accepted than allowed, or when a slot is not freed once its client is gone.
#[test]
fn connection_for_which_there_is_no_place_waits_for_one() {
    let hot = listening();
    let listen = || {
        let mut stream = begin(&hot, "GET /api/events", &[], &[]);
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        stream
    };
    let mut listeners: Vec<_> = std::iter::repeat_with(listen).take(256).collect();
    let mut waiting = begin(&hot, "GET /healthz", &[], &[]);
    // Accepted connections are served meanwhile.
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let lines = BufReader::new(&listeners[0]).lines();
    lines
        .map(Result::unwrap)
        .find(|line| line == "event: photo")
        .unwrap();
    waiting.set_nonblocking(true).unwrap();
    let early = waiting.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(early, Err(ErrorKind::WouldBlock));
    waiting.set_nonblocking(false).unwrap();
    drop(listeners.pop());
    assert_eq!(Answer::read(&mut waiting).status, 200);
}
