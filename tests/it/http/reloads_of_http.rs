//! Tests reloads that change `[http]`: the listener opens, changes and closes, and clients do not notice.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::processes;
use crate::support::requests::{Answer, address, begin, get, metric, post, wait_ready};
use crate::support::setup::Setup;
use rustix::process::Signal;

/// P9: fails when a reload cannot open, change or close the listener, or closes it because of a fault.
#[test]
fn reload_opens_changes_and_closes_the_way_in() {
    let mut hot = HotFolder::start_with(Setup::new());
    assert_eq!(hot.log_lines("http: listening"), 0);
    hot.change_setup(Setup::listens);
    hot.signal(Signal::HUP);
    wait_ready(&hot);
    hot.change_setup(|setup| setup.http("model", "nothing"));
    hot.signal(Signal::HUP);
    hot.wait_log("the new configuration was rejected");
    wait_ready(&hot);
    hot.change_setup(|setup| setup.listens().http("photos_per_minute", "1"));
    hot.signal(Signal::HUP);
    wait_for("a new server", || hot.log_lines("http: listening") == 2);
    let photo = jpeg(Quarter::TopLeft);
    assert_eq!(post(&hot, "/remove-background", &photo).status, 200);
    assert_eq!(post(&hot, "/remove-background", &photo).status, 429);
    let last = address(&hot);
    hot.change_setup(Setup::listens_no_more);
    hot.signal(Signal::HUP);
    wait_for("nobody listens", || TcpStream::connect(last).is_err());
    wait_for("nothing is told", || hot.whole_status().http.is_none());
    hot.stop();
}

/// P10: fails when a listener that is no longer configured is still reported as unusable.
#[test]
fn address_that_is_taken_is_forgotten_once_it_is_not_wanted() {
    let squatter = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = squatter.local_addr().unwrap().to_string();
    let mut hot = HotFolder::start_with(Setup::new().listens().http("listen", &taken));
    wait_for("it is told", || hot.whole_status().http.is_some());
    hot.change_setup(Setup::listens_no_more);
    hot.signal(Signal::HUP);
    wait_for("it is forgotten", || hot.whole_status().http.is_none());
}

/// P8, P9: fails when a reload that keeps the address refuses a client, or drops a running answer.
#[test]
fn reload_turns_nobody_away() {
    let (mut hot, worker, mut stream) = under_way();
    let before = address(&hot);
    hot.change_setup(|setup| setup.http("photos_per_minute", "100"));
    hot.signal(Signal::HUP);
    wait_for("the new settings", || {
        assert_eq!(get(&hot, "/healthz").status, 200);
        hot.log_lines("http: listening") == 2
    });
    assert_eq!(address(&hot), before);
    // Longer than the requests of a closed listener may take.
    let begun = Instant::now();
    wait_for("some time", || begun.elapsed() > Duration::from_secs(7));
    processes::signal(worker, Signal::CONT);
    assert_eq!(Answer::read(&mut stream).status, 200);
}

/// P8: fails when a connection outlives its listener.
#[test]
fn who_is_not_through_when_the_way_in_closes_is_cut_off() {
    let (mut hot, _worker, mut stream) = under_way();
    hot.change_setup(Setup::listens_no_more);
    hot.signal(Signal::HUP);
    let mut answer = Vec::new();
    // Reset or ended before this side times out.
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    assert_eq!(answer, b"");
}

/// P5, P9: a reload removes the model of waiting requests. Fails when these requests cost workers, or are told that their photos
/// crash.
#[test]
fn request_for_a_model_that_a_reload_took_away_costs_no_worker() {
    let (mut hot, worker, mut first) =
        under_way_with(|setup| setup.another_folder("others").folder("model", "blank"));
    let photo = jpeg(Quarter::TopLeft);
    let mut waiting: Vec<_> = (0..3)
        .map(|_| begin(&hot, "POST /remove-background?model=blank", &[], &photo))
        .collect();
    wait_for("all of them wait", || {
        metric(&hot, "hotcut_queued_requests") == 3
    });
    hot.change_setup(Setup::without_last_folder);
    hot.signal(Signal::HUP);
    hot.wait_log("the configuration is reloaded");
    processes::signal(worker, Signal::CONT);
    assert_eq!(Answer::read(&mut first).status, 200);
    for stream in &mut waiting {
        let answer = Answer::read(stream);
        assert_eq!(
            (answer.status, answer.problem()),
            (422, "unknown_model".to_owned())
        );
    }
    assert_eq!(metric(&hot, "hotcut_worker_deaths_total"), 0);
}

/// A request whose photo is with a worker that does nothing.
fn under_way() -> (HotFolder, u32, TcpStream) {
    under_way_with(|setup| setup)
}

fn under_way_with(change: impl FnOnce(Setup) -> Setup) -> (HotFolder, u32, TcpStream) {
    let setup = change(Setup::new().listens());
    let setup = setup.daemon("workers", "1").daemon("timeout", "300s");
    let hot = HotFolder::start_with(setup);
    wait_ready(&hot);
    let worker = hot.stop_worker();
    let photo = jpeg(Quarter::TopLeft);
    let stream = begin(&hot, "POST /remove-background", &[], &photo);
    wait_for("the worker has it", || {
        metric(&hot, "hotcut_running_requests") == 1
    });
    (hot, worker, stream)
}
