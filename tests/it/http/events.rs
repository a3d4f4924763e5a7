//! Tests `/api/events`: what a listener receives while photos come, and how the stream ends with the daemon.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::requests::{PATIENCE, connect, get, head};
use crate::support::setup::Setup;
use rustix::process::Signal;

/// A listener, with its last event.
struct Listener {
    lines: BufReader<TcpStream>,
}

impl Listener {
    fn new(hot: &HotFolder) -> Listener {
        let mut stream = connect(hot);
        stream.write_all(&head("GET /api/events", &[], 0)).unwrap();
        Listener {
            lines: BufReader::new(stream),
        }
    }

    /// The data of the next event of this kind; `None` at the end of the stream.
    fn next(&mut self, kind: &str) -> Option<serde_json::Value> {
        let mut is_kind = false;
        let mut line = String::new();
        let begun = Instant::now();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            // An idle stream still sends lines, so the time limit is checked here.
            assert!(begun.elapsed() < PATIENCE, "no {kind}");
            if let Some(found) = line.strip_prefix("event: ") {
                is_kind = found.trim_end() == kind;
            }
            if is_kind && let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
            line.clear();
        }
        None
    }

    /// Listens until the first folder's state begins with `state`.
    #[track_caller]
    fn wait_state(&mut self, state: &str) {
        let begun = Instant::now();
        loop {
            let folders = self.next("folders").expect("the stream goes on");
            let told = folders[0]["state"].as_str().unwrap();
            if told.starts_with(state) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{told}, not {state}");
        }
    }
}

/// P10: fails when a folder's state or the end of a photo is not sent when it happens.
#[test]
fn listener_hears_of_folders_and_photos() {
    let hot = HotFolder::start_with(Setup::new().listens());
    let mut listener = Listener::new(&hot);
    let folders = listener.next("folders").unwrap();
    assert_eq!(folders[0]["name"], "products");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let done = listener.next("photo").unwrap();
    assert_eq!(
        (&done["source"], &done["result"]),
        (&"a.jpg".into(), &"done".into())
    );
    let photo = get(&hot, &format!("/api/photos/{}", done["id"])).json();
    assert_eq!(photo["state"], "done");
    hot.drop_file("b.jpg", b"no photo");
    let aside = listener.next("photo").unwrap();
    assert_eq!(
        (&aside["source"], &aside["result"]),
        (&"b.jpg".into(), &"quarantined".into())
    );
    assert!(
        aside["reason"].as_str().unwrap().contains("picture"),
        "{aside}"
    );
}

/// P10: fails when the state of the folders is sent only at first.
#[test]
fn listener_hears_of_a_folder_that_goes_and_comes_back() {
    let hot = HotFolder::start_with(Setup::new().listens().daemon("rescan", "1s"));
    let mut listener = Listener::new(&hot);
    listener.wait_state("online");
    fs::rename(hot.input(""), hot.setup().path("products/away")).unwrap();
    listener.wait_state("offline");
    fs::create_dir(hot.input("")).unwrap();
    listener.wait_state("online");
}

/// P8: fails when a listener, which never ends by itself, delays a stop.
#[test]
fn listener_does_not_hold_up_a_stop() {
    let setup = Setup::new().listens().daemon("drain_timeout", "3600s");
    let mut hot = HotFolder::start_with(setup);
    let mut listener = Listener::new(&hot);
    listener.next("folders").unwrap();
    hot.signal(Signal::TERM);
    assert!(listener.next("photo").is_none());
    assert_eq!(hot.wait_exit().code(), Some(0));
}
