//! Frames between daemon and worker, for both ends: a length, a JSON header of that length, then the bytes that the header
//! announces. Must not depend on either process.

use std::io::{self, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::config::{Edges, OutputSpec};
use crate::imaging::{CutReport, CutoutError, ZeroEnd};

/// The longest accepted header, in bytes.
const HEADER_MAX: u32 = 1 << 16;

/// An order to a worker. The photo's bytes follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// What to do with the photo.
    pub(crate) task: Task,
    /// Length of the photo in bytes.
    pub(crate) len: u64,
}

/// What to do with a photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Cut out its subject.
    Cut {
        /// Name of a model that the worker has loaded.
        model: String,
        /// The source as recorded in the provenance.
        source: String,
        /// How to treat a photo whose data ends in zeros.
        zeros: ZeroEnd,
        /// How its edges are refined.
        edges: Edges,
        /// The files to make of it.
        outputs: Vec<OutputSpec>,
    },
    /// Make a smaller picture. Outputs of hotcut are accepted.
    Shrink {
        /// The greatest length of its longer side, in pixels.
        side: u32,
    },
}

/// A worker's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The first frame: the models are loaded, and the sandbox is active.
    Ready(Confinement),
    /// The first frame: the worker cannot work, with the reason.
    Refused(String),
    /// The next file of the order, of this many bytes. They follow.
    File(u64),
    /// The order is done: all its files were sent.
    Done(CutReport),
    /// This photo cannot be processed, even if some of its files were sent.
    Failed(CutoutError),
}

/// The confinement of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Landlock denies every path and TCP.
    pub landlock: bool,
    /// Seccomp allows only the system calls that computing needs.
    pub seccomp: bool,
}

/// Returns the bytes of `header` as sent over the pipe.
pub(crate) fn encode(header: &impl Serialize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(header)?;
    let length = u32::try_from(json.len())
        .ok()
        .filter(|length| *length <= HEADER_MAX);
    let length = length.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend(json);
    Ok(frame)
}

/// Reads a header; `None` at the end of the stream.
pub(crate) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut json = vec![0; checked(length)?];
    from.read_exact(&mut json)?;
    Ok(Some(serde_json::from_slice(&json)?))
}

/// Reads a header from a stream that must not end here.
pub(crate) async fn receive<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let mut json = vec![0; checked(length)?];
    from.read_exact(&mut json).await?;
    Ok(serde_json::from_slice(&json)?)
}

fn checked(length: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(length);
    if length > HEADER_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a header too long to be true",
        ));
    }
    Ok(length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_arrives_as_it_was_sent() {
        let frame = encode(&Reply::Failed(CutoutError::NoSubject)).unwrap();
        let reply: Option<Reply> = read(&mut frame.as_slice()).unwrap();
        assert!(matches!(reply, Some(Reply::Failed(CutoutError::NoSubject))));
    }

    #[test]
    fn a_lying_length_allocates_nothing() {
        let frame = [0xFF; 64];
        assert_eq!(
            read::<Reply>(&mut frame.as_slice()).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }

    #[test]
    fn the_end_between_frames_is_no_error_and_within_one_is() {
        assert!(read::<Reply>(&mut [].as_slice()).unwrap().is_none());
        let frame = encode(&Reply::Refused("no".into())).unwrap();
        let cut = frame.get(..frame.len() - 1).unwrap();
        assert!(read::<Reply>(&mut &*cut).is_err());
    }
}
