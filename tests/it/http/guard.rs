//! Tests that requests from the wrong origin, without the token, or without meaning are refused.

use std::io::Write as _;

use crate::support::binary::said;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::requests::{Answer, connect, get, head, post, post_form, send};
use crate::support::setup::Setup;

/// Fails when a page of another site, or a host name that another site can point here, is accepted.
#[test]
fn other_sites_are_kept_out() {
    let hot = HotFolder::start_with(Setup::new().listens());
    let photo = jpeg(Quarter::TopLeft);
    let from = |headers: &[&str]| send(&hot, "POST /remove-background", headers, &photo);
    let origin = from(&["Origin: http://evil.example"]);
    assert_eq!(
        (origin.status, origin.problem()),
        (403, "cross_site".to_owned())
    );
    let rebound = from(&["Host: evil.example"]);
    assert_eq!(
        (rebound.status, rebound.problem()),
        (421, "unknown_host".to_owned())
    );
    assert_eq!(from(&["Origin: http://127.0.0.1"]).status, 200);
    let policy = get(&hot, "/api/status");
    let policy = policy.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
}

/// Fails when the token is not required, or a wrong one is accepted.
#[test]
fn without_the_token_nothing_is_told_or_done() {
    let setup = Setup::new().listens();
    let file = setup.path("token");
    std::fs::write(&file, "0123456789abcdef-secret\n").unwrap();
    let hot = HotFolder::start_with(setup.http("token_file", &file.display().to_string()));
    for line in [
        "GET /api/status",
        "GET /metrics",
        "GET /api/events",
        "POST /batch",
        "POST /remove-background/",
    ] {
        for header in [
            "X-None: 1",
            "Authorization: Bearer wrong",
            "Cookie: hotcut_session=0123456789abcdef-secret",
        ] {
            let answer = send(&hot, line, &[header], &[]);
            assert_eq!(
                (answer.status, answer.problem()),
                (401, "unauthorized".to_owned()),
                "{line}"
            );
        }
    }
    assert_eq!(get(&hot, "/readyz").status, 200);
    let bearer = "Authorization: Bearer 0123456789abcdef-secret";
    assert_eq!(send(&hot, "GET /api/status", &[bearer], &[]).status, 200);
    let login = |token: &str| {
        let body = format!("{{\"token\":\"{token}\"}}");
        send(
            &hot,
            "POST /api/session",
            &["Content-Type: application/json"],
            body.as_bytes(),
        )
    };
    assert_eq!(login("wrong").status, 401);
    let cookie = login("0123456789abcdef-secret");
    let cookie = cookie.header("set-cookie").unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let (pair, _) = cookie.split_once(';').unwrap();
    assert_eq!(
        send(&hot, "GET /api/status", &[&format!("Cookie: {pair}")], &[]).status,
        200
    );
    assert!(!hot.log().contains("secret"), "the token is in the log");
}

/// Fails when a listener that anybody could use is opened, or the error does not name the remedy.
#[test]
fn address_for_everybody_needs_a_token() {
    let setup = Setup::new().listens().http("listen", "0.0.0.0:0");
    let hot = HotFolder::start();
    std::fs::write(hot.setup().config_file(), setup.config_text()).unwrap();
    let output = hot.command("check", [] as [&str; 0]);
    assert_eq!(output.status.code(), Some(78));
    assert!(
        said(&output).contains("needs `token_file`"),
        "{}",
        said(&output)
    );
}

/// Fails when an invalid request is not refused.
#[test]
fn nonsense_is_refused() {
    let hot = HotFolder::start_with(Setup::new().listens());
    let form = "Content-Type: multipart/form-data; boundary=x";
    for (line, header, body, status) in [
        ("POST /remove-background", "X-None: 1", &b""[..], 400),
        ("POST /remove-background", form, b"", 400),
        (
            "POST /remove-background",
            form,
            b"--x\r\n\r\n--x--\r\n",
            400,
        ),
        (
            "POST /remove-background",
            "Content-Type: multipart/form-data",
            b"x",
            400,
        ),
        ("POST /batch", "X-None: 1", b"x", 400),
        ("POST /batch", form, b"--x--\r\n", 400),
        (
            "POST /remove-background?model=../u2net",
            "X-None: 1",
            b"x",
            422,
        ),
        ("POST /remove-background?colour=red", "X-None: 1", b"x", 400),
        (
            "POST /api/session",
            "Content-Type: application/json",
            b"{",
            400,
        ),
        ("GET /remove-background", "X-None: 1", b"", 405),
        ("GET /../../etc/passwd", "X-None: 1", b"", 404),
        ("GET /api/nothing", "X-None: 1", b"", 404),
    ] {
        let answer = send(&hot, line, &[header], body);
        assert_eq!(answer.status, status, "{line} {header}: {answer:?}");
        answer.problem();
    }
    assert_eq!(
        post(&hot, "/remove-background", &jpeg(Quarter::TopLeft)).status,
        200
    );
}

/// Fails when a client without a token can keep the server busy, by endless guesses or by one endless guess.
#[test]
fn guess_at_the_token_is_short_and_counted_before_it_is_read() {
    let setup = Setup::new().listens().http("photos_per_minute", "2");
    let hot = HotFolder::start_with(setup);
    let json = "Content-Type: application/json";
    let long = format!("{{\"token\":\"{}\"}}", "a".repeat(5_000));
    let answer = send(&hot, "POST /api/session", &[json], long.as_bytes());
    assert_eq!(
        (answer.status, answer.problem()),
        (400, "bad_request".to_owned())
    );
    let guess = br#"{"token":"a"}"#;
    assert_eq!(
        send(&hot, "POST /api/session", &[json], guess).status,
        204,
        "there is no token here"
    );
    let mut silent = connect(&hot);
    let head = head("POST /api/session", &[json], 1_000);
    silent.write_all(&head).unwrap();
    let answer = Answer::read(&mut silent);
    assert_eq!(
        (answer.status, answer.problem()),
        (429, "too_many".to_owned())
    );
}

/// Fails when a path that is not text is refused without a readable message.
#[test]
fn folder_whose_name_is_no_text_is_a_problem_like_others() {
    let hot = HotFolder::start_with(Setup::new().listens());
    let answer = post_form(&hot, "/api/folders/%ff/photos", &[("a.jpg", b"a")]);
    assert_eq!(
        (answer.status, answer.problem()),
        (400, "bad_request".to_owned())
    );
}
