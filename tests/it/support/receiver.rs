//! A web server that answers as a test wants and collects the requests. Must not know a daemon.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// A receiver on a loopback address.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: SocketAddr,
    requests: mpsc::Receiver<Request>,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    /// The method, path and version.
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    /// The body as received.
    pub(crate) body: Vec<u8>,
}

impl Receiver {
    /// Answers the first requests with `answers` (a status, and more header lines if any), and all later ones with 204.
    pub(crate) fn start(answers: &[&str]) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
        let (sender, requests) = mpsc::channel();
        std::thread::spawn(move || {
            let mut answers = answers.into_iter();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&stream);
                let answer = answers
                    .next()
                    .unwrap_or_else(|| "204 No Content".to_owned());
                let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
                // It is no error if the client is gone.
                stream.write_all(answer.as_bytes()).ok();
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Receiver { address, requests }
    }

    /// `http://USER@HOST:PORT/REST`.
    pub(crate) fn url(&self, user: &str, rest: &str) -> String {
        format!("http://{user}{}/{rest}", self.address)
    }

    /// The next request.
    #[track_caller]
    pub(crate) fn next(&self) -> Request {
        self.requests
            .recv_timeout(PATIENCE)
            .expect("another request")
    }

    /// Whether there is a request that the test has not read.
    pub(crate) fn has_more(&self) -> bool {
        self.requests.try_recv().is_ok()
    }
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut request = Request {
        line,
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    let length = request.header("content-length").expect("a body");
    request.body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut request.body).unwrap();
    request
}
