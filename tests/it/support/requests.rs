//! Sends requests as exact bytes to a daemon's HTTP server over a plain socket, and reads the answers. Must not know a path of the
//! API.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::binary::wait_for;
use super::hot_folder::HotFolder;

/// How long an answer may take before a test fails: far longer than a busy machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The boundary between the parts of a form.
const BOUNDARY: &str = "hotcut-test-boundary";

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads the answer to the end of the connection.
    #[track_caller]
    pub(crate) fn read(stream: &mut TcpStream) -> Answer {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(&bytes)));
        let body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = unchunked(&answer.body);
        }
        answer
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The `code` of a refusal, which must be a problem document.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(
            problem["detail"].as_str().unwrap().len() > 10,
            "a sentence: {problem}"
        );
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// The address in the daemon's log.
#[track_caller]
pub(crate) fn address(hot: &HotFolder) -> SocketAddr {
    hot.wait_log("http: listening");
    let log = hot.log();
    let line = log.lines().rfind(|line| line.contains("http: listening"));
    let line: serde_json::Value = serde_json::from_str(line.unwrap()).unwrap();
    line["fields"]["listen"].as_str().unwrap().parse().unwrap()
}

/// Connects, for malformed requests.
#[track_caller]
pub(crate) fn connect(hot: &HotFolder) -> TcpStream {
    let stream = TcpStream::connect(address(hot)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a request with the given further header lines and a body.
#[track_caller]
pub(crate) fn send(hot: &HotFolder, line: &str, headers: &[&str], body: &[u8]) -> Answer {
    Answer::read(&mut begin(hot, line, headers, body))
}

/// Sends a request whose answer is read later.
#[track_caller]
pub(crate) fn begin(hot: &HotFolder, line: &str, headers: &[&str], body: &[u8]) -> TcpStream {
    let mut stream = connect(hot);
    stream.write_all(&head(line, headers, body.len())).unwrap();
    // A server that refuses early may not read the rest.
    stream.write_all(body).ok();
    stream
}

/// The head of a request whose body is `len` bytes long.
pub(crate) fn head(line: &str, headers: &[&str], len: usize) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {len}\r\n");
    if !headers.iter().any(|header| header.starts_with("Host:")) {
        head.push_str("Host: 127.0.0.1\r\n");
    }
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

#[track_caller]
pub(crate) fn get(hot: &HotFolder, path: &str) -> Answer {
    send(hot, &format!("GET {path}"), &[], &[])
}

/// Sends a photo as the whole body.
#[track_caller]
pub(crate) fn post(hot: &HotFolder, path: &str, body: &[u8]) -> Answer {
    send(hot, &format!("POST {path}"), &[], body)
}

/// Sends photos as fields `file` of a form.
#[track_caller]
pub(crate) fn post_form(hot: &HotFolder, path: &str, files: &[(&str, &[u8])]) -> Answer {
    let (kind, body) = form(files);
    send(hot, &format!("POST {path}"), &[&kind], &body)
}

/// A form with photos: its header line, and its body.
pub(crate) fn form(files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, bytes) in files {
        let disposition = format!("form-data; name=\"file\"; filename=\"{name}\"");
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n").into_bytes(),
        );
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    let kind = format!("Content-Type: multipart/form-data; boundary={BOUNDARY}");
    (kind, body)
}

/// An integer of `/metrics`; its name includes labels.
#[track_caller]
pub(crate) fn metric(hot: &HotFolder, name: &str) -> u64 {
    reading(hot, name).parse().unwrap()
}

/// As [`metric`], for a number that is not an integer.
#[track_caller]
pub(crate) fn gauge(hot: &HotFolder, name: &str) -> f64 {
    reading(hot, name).parse().unwrap()
}

#[track_caller]
fn reading(hot: &HotFolder, name: &str) -> String {
    let text = String::from_utf8(get(hot, "/metrics").body).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .to_owned()
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let (size, rest) = bytes.split_at(end);
        let size = usize::from_str_radix(std::str::from_utf8(size).unwrap(), 16).unwrap();
        let (chunk, rest) = rest[2..].split_at(size);
        if size == 0 {
            return whole;
        }
        whole.extend(chunk);
        bytes = &rest[2..];
    }
}

/// Waits until the daemon reports readiness.
#[track_caller]
pub(crate) fn wait_ready(hot: &HotFolder) {
    wait_for("/readyz", || get(hot, "/readyz").status == 200);
}
