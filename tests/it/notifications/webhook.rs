//! Tests `[notify]`: the messages to a webhook, the configuration tables that cause them, and that nothing waits for the webhook.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hotcut::hex;
use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::binary::{finish, hotcut, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, jpeg};
use crate::support::receiver::{Receiver, Request};
use crate::support::setup::Setup;

const SECRET: &str = "a secret of some length";

/// P2: fails when an answer of 500 loses a message, when an accepted message is sent again, when a retry looks like another
/// message, when the signature is of other bytes, or when the log shows more than the change and more of the address than its host.
#[test]
fn message_is_tried_again_until_it_is_taken_once() {
    let receiver = Receiver::start(&["500 Oh", "503 Wait\r\nRetry-After: 1"]);
    let url = receiver.url("somebody:password@", "hook?key=hidden");
    let setup = setup();
    let secret_file = setup.path("secret");
    fs::write(&secret_file, format!("{SECRET}\n")).unwrap();
    let hot = HotFolder::start_with(setup.tables(&format!(
        "[notify]\nquiet = \"300ms\"\nwebhook = {url:?}\nsecret_file = {secret_file:?}\n"
    )));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let tries = [receiver.next(), receiver.next(), receiver.next()];
    for request in &tries {
        assert_eq!(request.line.trim(), "POST /hook?key=hidden HTTP/1.1");
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.body, tries[0].body);
        assert_eq!(request.header("webhook-id"), tries[0].header("webhook-id"));
        assert_signed(request, SECRET.as_bytes(), SECRET.as_bytes());
    }
    assert_event(
        &tries[0].json(),
        &json!({"event": "folder_finished", "folder": "products", "done": 1, "quarantined": 0}),
    );
    hot.drop_file("b.jpg", &jpeg(Quarter::TopLeft));
    let next = receiver.next();
    assert_signed(&next, SECRET.as_bytes(), SECRET.as_bytes());
    assert_ne!(next.json()["id"], tries[0].json()["id"]);
    assert_eq!(next.json()["done"], 1);
    hot.wait_log("accepts messages again");
    assert_eq!(hot.log_lines("messages for the webhook wait"), 1);
    for secret in ["password", "hidden", SECRET] {
        assert_eq!(hot.log_lines(secret), 0, "{}", hot.log());
    }
    hot.assert_log_is_short();
}

/// Fails when `HOTCUT_LOG` makes the HTTP client log the address of the webhook, which may contain a secret.
#[test]
fn most_verbose_log_does_not_show_the_address() {
    // Short enough for the first line of a dump with 16 bytes a line.
    let secret = "hush-7d21";
    for levels in ["trace", "trace,ureq=trace,ureq_proto=trace"] {
        let receiver = Receiver::start(&[]);
        let url = receiver.url("", secret);
        let levels = format!("HOTCUT_LOG={levels}");
        let env = ["env", "NO_PROXY=127.0.0.1", &levels].map(str::to_owned);
        let setup = Setup::new().under(env.to_vec());
        let mut hot = HotFolder::start_with(
            setup.tables(&format!("[notify]\nquiet = \"300ms\"\nwebhook = {url:?}\n")),
        );
        hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
        assert_eq!(
            receiver.next().line.trim(),
            format!("POST /{secret} HTTP/1.1")
        );
        hot.stop();
        assert_ne!(hot.log_lines("DEBUG"), 0, "the level is heeded");
        assert_eq!(hot.log_lines(secret), 0, "{}", hot.log());
    }
}

/// Fails when the key of a `whsec_` secret is not its decoded base64, when a message without a secret has no id, or when text that
/// is not base64 is accepted as a key.
#[test]
fn secret_may_be_written_as_standard_webhooks_do() {
    let receiver = Receiver::start(&[]);
    let hooked = |secret: &str| {
        let setup = setup();
        let (url, secret_file) = (receiver.url("", "hook"), setup.path("secret"));
        fs::write(&secret_file, format!("{secret}\n")).unwrap();
        let key = if secret.is_empty() {
            String::new()
        } else {
            format!("secret_file = {secret_file:?}\n")
        };
        setup.tables(&format!(
            "[notify]\nquiet = \"300ms\"\nwebhook = {url:?}\n{key}"
        ))
    };
    let key = b"a key of thirty-two bytes to try";
    let secret = format!("whsec_{}", STANDARD.encode(key));
    let hot = HotFolder::start_with(hooked(&secret));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_signed(&receiver.next(), key, secret.as_bytes());
    let unsigned = HotFolder::start_with(hooked(""));
    unsigned.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let request = receiver.next();
    assert_eq!(request.json()["id"], request.header("webhook-id").unwrap());
    assert_eq!(request.header("webhook-signature"), None);
    let wrong = hooked("whsec_this is no base64");
    wrong.write_config();
    let check = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(wrong.config_file()),
    );
    assert_eq!(check.status.code(), Some(78), "{check:?}");
    assert!(said(&check).contains("must be base64"), "{}", said(&check));
    assert!(!said(&check).contains("whsec_this"), "{}", said(&check));
}

/// P10: fails when a quarantined photo is not reported, is reported without its reason, or is not counted when the folder is
/// finished.
#[test]
fn quarantine_is_told_with_its_reason() {
    let receiver = Receiver::start(&[]);
    let hot = HotFolder::start_with(told_by(&receiver, "300ms"));
    hot.drop_file("sub/bad.jpg", HTML);
    let reason = hot.wait_quarantined("sub/bad.jpg").reason;
    assert_event(
        &receiver.next().json(),
        &json!({"event": "quarantined", "folder": "products", "source": "sub/bad.jpg", "reason": reason}),
    );
    assert_event(
        &receiver.next().json(),
        &json!({"event": "folder_finished", "folder": "products", "done": 0, "quarantined": 1}),
    );
}

/// Fails when a folder counts as finished while one of its photos is awaited, or when it delays another folder. The other folder,
/// whose photo ended later, shows that the quiet time is over.
#[test]
fn folder_is_not_finished_before_its_last_photo() {
    let receiver = Receiver::start(&[]);
    let setup = setup().another_folder("portraits");
    let hot = HotFolder::start_with(tables_for(setup, &receiver, "300ms"));
    let photo = jpeg(Quarter::TopLeft);
    let (half, rest) = photo.split_at(photo.len() / 2);
    hot.drop_file("b.jpg", half);
    hot.wait_log("the file ends early");
    hot.drop_file("a.jpg", &photo);
    hot.wait_status("one done", |status| (status.done, status.queued) == (1, 1));
    fs::write(hot.setup().input_of("portraits").join("c.jpg"), &photo).unwrap();
    assert_event(
        &receiver.next().json(),
        &json!({"event": "folder_finished", "folder": "portraits", "done": 1, "quarantined": 0}),
    );
    hot.drop_file("b.jpg", &[half, rest].concat());
    assert_event(
        &receiver.next().json(),
        &json!({"event": "folder_finished", "folder": "products", "done": 2, "quarantined": 0}),
    );
}

/// Fails when a message that the receiver refuses is sent again, or delays the next message.
#[test]
fn message_that_is_refused_is_dropped_at_once() {
    let receiver = Receiver::start(&["307 Elsewhere\r\nLocation: /elsewhere", "404 No"]);
    let hot = HotFolder::start_with(told_by(&receiver, "300ms"));
    hot.drop_file("bad.jpg", HTML);
    let refused = [receiver.next(), receiver.next()].map(|request| request.json());
    assert_eq!(refused[0]["event"], "quarantined");
    assert_eq!(refused[1]["event"], "folder_finished");
    wait_for("two dropped", || {
        hot.log_lines("a message for the webhook is dropped") == 2
    });
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_eq!(receiver.next().json()["done"], 1);
}

/// P7: fails when a receiver that never answers delays photos, or the end of the daemon.
#[test]
fn receiver_that_hangs_delays_no_photo_and_not_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut hot = HotFolder::start_with(
        setup().tables(&format!("[notify]\nquiet = \"300ms\"\nwebhook = {url:?}\n")),
    );
    hot.drop_file("bad.jpg", HTML);
    let (mut held, _) = listener.accept().unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    // Waiting for the receiver would have timed out before that photo.
    held.set_nonblocking(true).unwrap();
    let mut request = [0; 4_096];
    let end = loop {
        match held.read(&mut request) {
            Ok(0) => panic!("the receiver was given up"),
            Ok(_) => {}
            Err(error) => break error.kind(),
        }
    };
    assert_eq!(end, ErrorKind::WouldBlock);
    hot.stop();
    hot.wait_log("shutting down: dropped 1 notifications");
}

/// P9: fails when an added table needs a restart, or a removed one stays active.
#[test]
fn reload_changes_who_is_told() {
    let receiver = Receiver::start(&[]);
    let mut hot = HotFolder::start_with(setup());
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_status("done", |status| status.done == 1);
    hot.change_setup(|setup| tables_for(setup, &receiver, "300ms"));
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    hot.drop_file("bad.jpg", HTML);
    assert_eq!(receiver.next().json()["source"], "bad.jpg");
    assert_eq!(receiver.next().json()["done"], 0, "the first was before");
    hot.change_setup(|setup| setup.tables(""));
    hot.signal(Signal::HUP);
    wait_for("the second reload", || hot.log_lines("reloaded") == 2);
    hot.drop_file("worse.jpg", HTML);
    hot.wait_quarantined("worse.jpg");
    hot.stop();
    assert!(!receiver.has_more());
}

/// P8: fails when a stop within the quiet time leaves finished photos unreported.
#[test]
fn stop_tells_of_folders_that_have_come_to_rest() {
    let receiver = Receiver::start(&[]);
    let mut hot = HotFolder::start_with(told_by(&receiver, "1h"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_status("done", |status| {
        (status.done, status.queued, status.running) == (1, 0, 0)
    });
    hot.stop();
    assert_event(
        &receiver.next().json(),
        &json!({"event": "folder_finished", "folder": "products", "done": 1, "quarantined": 0}),
    );
}

/// Fails when a mistake in `[notify]` is found only when there is a message to send, or shows a password.
#[test]
fn check_names_what_is_wrong_with_the_table() {
    let setup = setup();
    let missing = setup.path("missing");
    let setup = setup.tables(&format!(
        "[notify]\nwebhook = \"htp://me:password@host\"\nsecret_file = {missing:?}\ncommand = [{missing:?}]\n"
    ));
    setup.write_config();
    let run = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(setup.config_file()),
    );
    assert_eq!(run.status.code(), Some(78), "{run:?}");
    for words in ["`webhook`", "`secret_file`", "`command`"] {
        assert!(said(&run).contains(words), "{words} in\n{}", said(&run));
    }
    assert!(!said(&run).contains("password@"), "{}", said(&run));
}

/// A daemon that connects to loopback addresses directly, whatever proxy the environment names.
pub(crate) fn setup() -> Setup {
    Setup::new().under(vec!["env".to_owned(), "NO_PROXY=127.0.0.1".to_owned()])
}

fn told_by(receiver: &Receiver, quiet: &str) -> Setup {
    tables_for(setup(), receiver, quiet)
}

fn tables_for(setup: Setup, receiver: &Receiver, quiet: &str) -> Setup {
    let url = receiver.url("", "");
    setup.tables(&format!("[notify]\nquiet = {quiet:?}\nwebhook = {url:?}\n"))
}

/// Checks that the message is `wanted`, plus an id and times.
#[track_caller]
pub(crate) fn assert_event(message: &Value, wanted: &Value) {
    let mut rest = message.as_object().unwrap().clone();
    let mut stamps = vec!["id", "at"];
    if wanted["event"] == "folder_finished" {
        stamps.push("since");
    }
    for key in stamps {
        let stamp = rest.remove(key).unwrap_or_default();
        assert!(
            stamp.as_str().is_some_and(|text| !text.is_empty()),
            "{message}"
        );
    }
    assert_eq!(&Value::Object(rest), wanted);
}

/// Checks that the request has the headers of Standard Webhooks, made just now, and the header for receivers of 0.1.0.
#[track_caller]
fn assert_signed(request: &Request, key: &[u8], secret: &[u8]) {
    let header = |name: &str| request.header(name).unwrap_or_default();
    assert_eq!(request.json()["id"], header("webhook-id"));
    let sent: u64 = header("webhook-timestamp").parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    assert!(
        (now.as_secs() - 60..=now.as_secs()).contains(&sent),
        "{sent}"
    );
    let head = format!("{}.{sent}.", header("webhook-id"));
    let signature = STANDARD.encode(hmac_of(key, &[head.as_bytes(), &request.body].concat()));
    assert_eq!(header("webhook-signature"), format!("v1,{signature}"));
    let signature = hex::encode(&hmac_of(secret, &request.body));
    assert_eq!(header("x-hotcut-signature"), format!("sha256={signature}"));
}

fn hmac_of(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}
