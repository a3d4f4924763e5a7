//! Makes real workers crash, send wrong output and test their sandbox, on the orders of a photo. Only in builds with the feature
//! `chaos`, which no release has.
#![expect(
    clippy::disallowed_methods,
    clippy::large_stack_arrays,
    reason = "a worker that misbehaves keeps no rule of the house"
)]

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// The first bytes of such a photo.
const MARK: &[u8] = b"CHAOS ";

/// The variable that disturbs the start of every worker.
const START: &str = "HOTCUT_CHAOS_START";

/// Disturbs the start of the worker as the environment demands.
pub(crate) fn start() -> io::Result<()> {
    match std::env::var(START).unwrap_or_default().as_str() {
        "slow" => std::thread::sleep(Duration::from_secs(3)),
        "never" => std::process::exit(3),
        "garbage" => say(&[0xA5; 64])?,
        _ => {}
    }
    Ok(())
}

/// Carries out the order in `photo`; returns if the photo contains none.
pub(crate) fn obey(photo: &[u8]) -> io::Result<()> {
    let Some(order) = photo.strip_prefix(MARK) else {
        return Ok(());
    };
    let order = String::from_utf8_lossy(order);
    match order.split_whitespace().collect::<Vec<_>>()[..] {
        ["overflow", ..] => drop(overflow(1)),
        ["abort", ..] => std::process::abort(),
        ["panic", ..] => drop(Vec::<u8>::new().remove(0)),
        ["exit", ..] => std::process::exit(0),
        ["hang", ..] => std::thread::sleep(Duration::from_hours(1)),
        ["spin", ..] => spin(),
        ["allocate", ..] => allocate(),
        ["garbage", ..] => say(&[0xA5; 1 << 16])?,
        ["endless", ..] => loop {
            say(&[0; 1 << 16])?;
        },
        ["short", ..] => {
            say(&announcement(1 << 20))?;
            say(b"\x89PNG\r\n\x1a\n and then no more")?;
            std::process::exit(0);
        }
        ["half", ..] => {
            say(&announcement(1 << 20))?;
            say(b"\x89PNG\r\n\x1a\n and then silence")?;
            std::thread::sleep(Duration::from_hours(1));
        }
        // Announces more than a worker can hold: a daemon that trusts it would store everything that arrives.
        ["huge", ..] => {
            say(&announcement(u64::MAX))?;
            say(&[0; 1 << 20])?;
            std::thread::sleep(Duration::from_hours(1));
        }
        ["nonsense", ..] => {
            say(&announcement(64))?;
            say(&[0xA5; 64])?;
            std::thread::sleep(Duration::from_hours(1));
        }
        // Sends a complete cutout and additional bytes. They stay in the pipe, where the next photo's reply is expected.
        ["long", ..] => {
            let png = png();
            let len = png.len() as u64;
            say(&announcement(len))?;
            say(&png)?;
            say(&end(len))?;
        }
        ["open", path] => tell("open", std::fs::File::open(path)),
        ["create", path] => tell("create", std::fs::File::create(path)),
        ["connect", address] => tell("connect", TcpStream::connect(address)),
        ["execute", program] => tell("execute", Command::new(program).status()),
        ["peek", pid] => tell("peek", std::fs::read(format!("/proc/{pid}/environ"))),
        ["kill", pid] => tell("kill", kill(pid)),
        _ => {}
    }
    Ok(())
}

/// A reply that announces a file of `len` bytes.
fn announcement(len: u64) -> Vec<u8> {
    super::protocol::encode(&super::protocol::Reply::File(len)).unwrap_or_default()
}

/// A reply that ends an order.
fn end(len: u64) -> Vec<u8> {
    let report = crate::imaging::CutReport {
        len,
        width: 8,
        height: 8,
        stages: Vec::new(),
        sha256: [0; 32],
        end: crate::imaging::FileEnd::Marked,
    };
    super::protocol::encode(&super::protocol::Reply::Done(report)).unwrap_or_default()
}

/// A small PNG without provenance.
fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = png::Encoder::new(&mut bytes, 8, 8)
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&[0; 64]));
    drop(written);
    bytes
}

fn say(bytes: &[u8]) -> io::Result<()> {
    let mut replies = io::stdout().lock();
    replies.write_all(bytes)?;
    replies.flush()
}

/// Logs whether the sandbox allowed an action.
fn tell<T>(what: &str, result: io::Result<T>) {
    let answer = match result {
        Ok(_) => "allowed".to_owned(),
        Err(error) => format!("refused: {error}"),
    };
    drop(writeln!(io::stderr(), "chaos: {what} {answer}"));
}

fn kill(pid: &str) -> io::Result<()> {
    let pid = pid.parse().ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(pid, Signal::KILL)?)
}

/// Overflows the stack: the kernel sends SIGSEGV, and Rust's handler prints a message and aborts.
#[expect(unconditional_recursion, reason = "that is the point")]
fn overflow(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 512]);
    overflow(frame[0].wrapping_add(1)).wrapping_add(frame[1])
}

fn spin() {
    loop {
        std::hint::black_box(0);
    }
}

/// Allocates and touches memory until there is none.
fn allocate() {
    let mut taken = Vec::new();
    loop {
        taken.push(std::hint::black_box(vec![1_u8; 1 << 24]));
    }
}
