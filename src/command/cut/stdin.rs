//! Copies a photo from stdin to a private file. Must not hold it in memory. Checks only its length.

use std::fs::File;
use std::io::{self, Read, Write as _, stdin};
use std::path::{Path, PathBuf};
use std::thread;

use bytesize::ByteSize;
use tokio::sync::oneshot;

use crate::fs::path_error::{AtPath as _, PathError};

/// Bytes moved at a time.
const BLOCK: usize = 1 << 16;

/// Why there is no photo from stdin.
#[derive(Debug, thiserror::Error)]
pub(super) enum StdinError {
    /// Stdin is empty.
    #[error("it is empty: pipe a photo into hotcut")]
    Empty,
    /// More bytes than a worker can hold.
    #[error("it is longer than {}, the limit for a photo", ByteSize(*.0))]
    TooLong(u64),
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file cannot be written.
    #[error("{0}; to use another folder, set TMPDIR")]
    Disk(#[from] PathError),
}

/// The name of a photo from stdin in reports.
pub(super) fn label() -> &'static Path {
    Path::new("stdin")
}

/// Copies stdin to the new file `path`. Fails when stdin is empty or longer than `len_max` bytes.
pub(super) async fn keep(path: PathBuf, len_max: u64) -> Result<(), StdinError> {
    let file = File::create_new(&path).at(&path)?;
    let (answer, kept) = oneshot::channel();
    // On a separate thread that is never joined: a stop must not wait for a silent pipe.
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || answer.send(copy(stdin().lock(), file, &path, len_max)).ok())
        .map_err(StdinError::Unreadable)?;
    let gone = || StdinError::Unreadable(io::ErrorKind::UnexpectedEof.into());
    kept.await.unwrap_or_else(|_| Err(gone()))
}

fn copy(mut photo: impl Read, mut file: File, path: &Path, len_max: u64) -> Result<(), StdinError> {
    let mut block = vec![0; BLOCK];
    let mut len = 0;
    loop {
        let count = match photo.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(StdinError::Unreadable)?,
        };
        match block.get(..count) {
            None | Some([]) => break,
            Some(bytes) => {
                len += bytes.len() as u64;
                if len > len_max {
                    return Err(StdinError::TooLong(len_max));
                }
                file.write_all(bytes).at(path)?;
            }
        }
    }
    if len == 0 {
        return Err(StdinError::Empty);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P6: fails when an endless stream fills the disk, or when a photo of the greatest length is refused.
    #[test]
    fn photo_is_kept_up_to_its_longest() {
        let keep = |len: u64| {
            let file = tempfile::tempfile().unwrap();
            let kept = copy(
                io::repeat(7).take(len),
                file.try_clone().unwrap(),
                Path::new("photo"),
                100_000,
            );
            (kept, file.metadata().unwrap().len())
        };
        assert!(matches!(keep(100_000), (Ok(()), 100_000)));
        let (refused, len) = keep(u64::MAX);
        assert!(matches!(refused, Err(StdinError::TooLong(100_000))));
        assert!(len <= 100_000);
        assert!(matches!(keep(0), (Err(StdinError::Empty), 0)));
    }
}
