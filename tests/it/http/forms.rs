//! Tests forms that are too large, have too many photos or odd names: they must be refused and leave nothing in a hot folder.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::processes::peak_mib;
use crate::support::requests::{Answer, connect, head, post, post_form, send};
use crate::support::setup::Setup;
use crate::support::strace;
use crate::support::strace::strace_works;
use rustix::process::Signal;

const CUT: &str = "/remove-background";
const DROP: &str = "/api/folders/products/photos";
const KIND: &str = "Content-Type: multipart/form-data; boundary=x";

fn listening() -> HotFolder {
    HotFolder::start_with(Setup::new().listens())
}

fn names_in_folder(hot: &HotFolder) -> Vec<String> {
    let entries = fs::read_dir(hot.input("")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// P6: fails when data before a photo is held in memory, however large it is.
#[test]
fn what_stands_before_a_photo_is_bounded() {
    let hot = listening();
    assert_eq!(post(&hot, CUT, &jpeg(Quarter::TopLeft)).status, 200);
    let before = peak_mib(hot.pid());
    let begins = [
        &b""[..],
        b"--x\r\nContent-Disposition: form-data; name=\"",
        b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nshort\r\n",
    ];
    for path in [CUT, "/batch", DROP] {
        for begin in begins {
            let body = [begin, &vec![b'a'; 48 << 20]].concat();
            let answer = send(&hot, &format!("POST {path}"), &[KIND], &body);
            assert_eq!(
                (answer.status, answer.problem()),
                (400, "bad_request".to_owned()),
                "{path}"
            );
        }
    }
    // Each small part lets the reader request more than it needs.
    let tiny: Vec<u8> =
        b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n.\r\n".repeat(190);
    let large = b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
    let body = [&tiny, &large[..], &vec![b'a'; 60 << 20], b"\r\n--x--\r\n"].concat();
    let answer = send(&hot, "POST /remove-background", &[KIND], &body);
    assert_eq!(
        (answer.status, answer.problem()),
        (415, "not_a_photo".to_owned())
    );
    let after = peak_mib(hot.pid());
    assert!(after < before + 24, "{before} MiB, then {after} MiB");
}

/// Fails when a form of many small fields is not limited in length, or is refused as unreadable.
#[test]
fn form_that_is_too_long_in_all_is_told_as_that() {
    let hot = HotFolder::start_with(Setup::new().listens().http("max_upload", "1 MiB"));
    let head = b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n";
    let field = [&head[..], &vec![b'a'; 900 << 10], b"\r\n"].concat();
    let answer = send(&hot, "POST /remove-background", &[KIND], &field.repeat(4));
    assert_eq!(
        (answer.status, answer.problem()),
        (413, "too_long".to_owned())
    );
}

/// Fails when an extra photo is dropped without an error, or one of the photos gets into the folder.
#[test]
fn second_photo_of_a_form_is_told() {
    let hot = listening();
    let photo = jpeg(Quarter::TopLeft);
    let files: [(&str, &[u8]); 2] = [("a.jpg", &photo), ("b.jpg", &photo)];
    for path in [CUT, DROP] {
        let answer = post_form(&hot, path, &files);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains("/batch"), "{detail}");
    }
    assert_eq!(names_in_folder(&hot), [""; 0]);
}

/// Fails when an impossible file name, or a photo without content, is not refused.
#[test]
fn names_and_photos_that_no_folder_can_hold_are_refused() {
    let hot = listening();
    let photo = jpeg(Quarter::TopLeft);
    let long = format!("{}.jpg", "a".repeat(252));
    for (name, content) in [(long.as_str(), &photo[..]), ("a.jpg", b""), ("..", &photo)] {
        let answer = post_form(&hot, DROP, &[(name, content)]);
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
    }
    let longest = format!("{}.jpg", "a".repeat(251));
    for _ in 0..2 {
        let answer = post_form(&hot, DROP, &[(&longest, &photo)]);
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    assert_eq!(names_in_folder(&hot).len(), 2);
    assert_eq!(post_form(&hot, CUT, &[(&long, &photo)]).status, 200);
}

/// P1: fails when a photo whose name is in use gets a name that its folder never looks at.
#[test]
fn photo_gets_no_name_that_its_folder_does_not_take() {
    let hot = HotFolder::start_with(Setup::new().listens().folder("include", "[\"a.jpg\"]"));
    let photo = jpeg(Quarter::TopLeft);
    let answer = post_form(&hot, DROP, &[("a.jpg", &photo)]);
    assert_eq!(answer.status, 201, "{answer:?}");
    let answer = post_form(&hot, DROP, &[("a.jpg", &photo)]);
    assert_eq!(
        (answer.status, answer.problem()),
        (409, "name_taken".to_owned())
    );
    assert_eq!(names_in_folder(&hot), ["a.jpg"]);
}

/// P1: the folder is looked at a little after the worker is ready. Fails when the log reports readiness before callers are
/// accepted.
#[test]
fn folder_takes_photos_once_the_daemon_is_ready() {
    if !strace_works("folders that are slow to watch") {
        return;
    }
    for wait_ms in (0..300).step_by(20) {
        let wait = Duration::from_millis(wait_ms);
        let setup = strace::slow(Setup::new().listens(), "inotify_add_watch", wait);
        let hot = HotFolder::start_with(setup);
        let answer = post_form(&hot, DROP, &[("a.jpg", &jpeg(Quarter::TopLeft))]);
        assert_eq!(answer.status, 201, "{wait_ms} ms: {answer:?}");
    }
}

/// P4: fails when a photo is accepted for an offline folder, where it would be lost below the disk that comes back.
#[test]
fn folder_that_is_away_takes_no_photo() {
    let hot = HotFolder::start_with(Setup::patient().listens());
    fs::rename(hot.input(""), hot.setup().path("away")).unwrap();
    hot.wait_state("offline");
    let photo = jpeg(Quarter::TopLeft);
    let answer = post_form(&hot, DROP, &[("a.jpg", &photo)]);
    assert_eq!(
        (answer.status, answer.problem()),
        (503, "folder_away".to_owned())
    );
    assert!(!hot.input("").exists());
}

/// P6: fails when a partial upload that a crash has left in a hot folder stays there.
#[test]
fn half_an_upload_is_swept_by_the_next_start() {
    let mut hot = listening();
    let ledger = rusqlite::Connection::open(hot.setup().path("state/ledger.db")).unwrap();
    let id: String = ledger
        .query_row("SELECT id FROM identity", [], |row| row.get(0))
        .unwrap();
    hot.signal(Signal::KILL);
    hot.wait_exit();
    let half = format!(".hotcut-{id}-3.upload.tmp");
    fs::write(hot.input(&half), b"half").unwrap();
    fs::write(hot.input(".hotcut-00000000-3.upload.tmp"), b"another's").unwrap();
    hot.restart();
    assert_eq!(names_in_folder(&hot), [".hotcut-00000000-3.upload.tmp"]);
}

/// Fails when a client that sends everything before it reads loses the refusal with its connection.
#[test]
fn refusal_is_heard_by_a_client_who_still_sends() {
    let hot = HotFolder::start_with(Setup::new().listens().http("max_upload", "1 MiB"));
    let photo = vec![0; 20 << 20];
    let mut stream = connect(&hot);
    stream
        .write_all(&head("POST /remove-background", &[], photo.len()))
        .unwrap();
    stream.write_all(&photo).unwrap();
    let answer = Answer::read(&mut stream);
    assert_eq!(
        (answer.status, answer.problem()),
        (413, "too_long".to_owned())
    );
}
