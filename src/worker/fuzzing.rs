//! Reads arbitrary bytes as frames of the protocol, as both ends of the pipe do.

use std::fmt::Debug;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{self, Confinement, Order, Reply, Task};
use crate::config::{Edges, OutputSpec};
use crate::imaging::{CutReport, CutoutError, FileEnd, Stage, ZeroEnd};

/// Reads `stream` as the worker reads orders and as the daemon reads replies.
///
/// # Panics
/// When a reader panics, when the two readers disagree about a frame, or when a header changes on being encoded again.
pub fn protocol(stream: &[u8]) {
    read_frames::<Order>(stream);
    read_frames::<Reply>(stream);
}

fn read_frames<T: Serialize + DeserializeOwned + Debug>(mut stream: &[u8]) {
    loop {
        let mut waiting = stream;
        let read = protocol::read::<T>(&mut stream);
        let received = receive::<T>(&mut waiting);
        let Ok(Some(header)) = read else {
            assert!(received.is_err(), "only the daemon's end took {received:?}");
            return;
        };
        assert_eq!(shown(&received.ok()), shown(&Some(&header)));
        assert_eq!(waiting, stream, "the ends of the frame differ");
        if let Ok(frame) = protocol::encode(&header) {
            let again = protocol::read::<T>(&mut frame.as_slice());
            assert_eq!(shown(&again.ok().flatten()), shown(&Some(&header)));
        }
    }
}

/// [`protocol::receive`] from memory, which is always ready.
fn receive<T: DeserializeOwned>(stream: &mut &[u8]) -> std::io::Result<T> {
    let received = pin!(protocol::receive(stream));
    match received.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("bytes in memory are always ready"),
    }
}

fn shown(header: &impl Debug) -> String {
    format!("{header:?}")
}

/// One frame of every kind, by name.
pub(crate) fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let order = |task| protocol::encode(&Order { task, len: 1 << 20 });
    let cut = Task::Cut {
        model: "student".to_owned(),
        source: "sub/a%20b.jpg".to_owned(),
        zeros: ZeroEnd::Refuse,
        edges: Edges::Soft,
        outputs: vec![OutputSpec::default(); 2],
    };
    let report = CutReport {
        len: 9,
        width: 3,
        height: 2,
        stages: vec![(Stage::Decode, 4), (Stage::Encode, 5)],
        sha256: [7; 32],
        end: FileEnd::Unmarked,
    };
    let confinement = Confinement {
        landlock: true,
        seccomp: false,
    };
    let frames = [
        ("order", order(cut)),
        ("shrink", order(Task::Shrink { side: 320 })),
        ("ready", protocol::encode(&Reply::Ready(confinement))),
        (
            "refused",
            protocol::encode(&Reply::Refused("no".to_owned())),
        ),
        ("file", protocol::encode(&Reply::File(9))),
        ("done", protocol::encode(&Reply::Done(report))),
        (
            "failed",
            protocol::encode(&Reply::Failed(CutoutError::NoSubject)),
        ),
    ];
    frames
        .into_iter()
        .filter_map(|(name, frame)| Some((name, frame.ok()?)))
        .collect()
}
