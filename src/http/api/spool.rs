//! Writes a request's body, or a field of it, to an unnamed file in the state directory. Must not hold it in memory. Checks length
//! and speed only, not the content.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use crate::fs::disk_space::MinFree;
use crate::fs::path_error::AtPath as _;
use crate::http::server::refusal::Refusal;
use crate::http::server::work_or_refusal::work_or_refusal;

/// The longest pause within a body.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// The longest time that a body may take.
const WHOLE_MAX: Duration = Duration::from_mins(5);

/// Bytes written between two checks of the free disk space. Small enough that all connections together stay within the reserve.
const LOOK_BYTES: u64 = 1 << 20;

/// A complete body.
#[derive(Debug)]
pub(crate) struct Spooled {
    /// The content, positioned at its start.
    pub(crate) file: File,
    /// The length in bytes.
    pub(crate) len: u64,
}

/// The place where bodies are written.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    len_max: u64,
    min_free: MinFree,
}

impl Spool {
    /// Bodies of up to `len_max` bytes go into `folder`, on whose disk `min_free` stays free.
    pub(crate) fn new(folder: &Path, len_max: u64, min_free: MinFree) -> Self {
        Self {
            folder: folder.to_owned(),
            len_max,
            min_free,
        }
    }

    /// An empty unnamed file, which vanishes when it is closed.
    pub(crate) async fn sheet(&self) -> Result<File, Refusal> {
        let (folder, min_free) = (self.folder.clone(), self.min_free);
        work_or_refusal(move || {
            let sheet = tempfile::tempfile_in(&folder).at(&folder)?;
            min_free.ensure_free(&sheet, LOOK_BYTES).at(&folder)?;
            Ok(sheet)
        })
        .await
    }

    /// Refuses an announced length that is too long, before the body arrives.
    pub(crate) fn check_len(&self, len: u64) -> Result<(), Refusal> {
        if len > self.len_max {
            return Err(self.too_long());
        }
        Ok(())
    }

    /// The refusal of a body that is too long.
    pub(crate) fn too_long(&self) -> Refusal {
        Refusal::TooLong(self.len_max >> 20)
    }

    /// Writes all of `body` to a file.
    pub(crate) async fn keep(
        &self,
        body: impl Stream<Item = Result<Bytes, Refusal>>,
    ) -> Result<Spooled, Refusal> {
        let mut file = tokio::fs::File::from_std(self.sheet().await?);
        let (mut len, mut look_at) = (0_u64, LOOK_BYTES);
        let mut body = pin!(body);
        let until = Instant::now() + WHOLE_MAX;
        while let Some(bytes) = next(&mut body, until).await? {
            len += bytes.len() as u64;
            self.check_len(len)?;
            if len >= look_at {
                self.min_free
                    .ensure_free(&file, LOOK_BYTES)
                    .at(&self.folder)?;
                look_at = len + LOOK_BYTES;
            }
            file.write_all(&bytes).await.at(&self.folder)?;
        }
        file.flush().await.at(&self.folder)?;
        file.rewind().await.at(&self.folder)?;
        let file = file.into_std().await;
        Ok(Spooled { file, len })
    }

    /// Reads and drops a field that is not used.
    pub(crate) async fn skip(
        &self,
        body: impl Stream<Item = Result<Bytes, Refusal>>,
    ) -> Result<(), Refusal> {
        let mut len = 0;
        let mut body = pin!(body);
        let until = Instant::now() + WHOLE_MAX;
        while let Some(bytes) = next(&mut body, until).await? {
            len += bytes.len() as u64;
            self.check_len(len)?;
        }
        Ok(())
    }

    /// Copies a file of a folder, because the folder's disk may stop responding while a worker reads the file. Blocks on that disk.
    pub(crate) fn copy(&self, mut file: File, len: u64) -> Result<Spooled, Refusal> {
        let mut sheet = tempfile::tempfile_in(&self.folder).at(&self.folder)?;
        self.min_free.ensure_free(&sheet, len).at(&self.folder)?;
        let mut file = (&mut file).take(len);
        if io::copy(&mut file, &mut sheet).at(&self.folder)? < len {
            return Err(Refusal::Gone);
        }
        sheet.rewind().at(&self.folder)?;
        Ok(Spooled { file: sheet, len })
    }
}

/// The next bytes; `None` at the end.
async fn next(
    body: &mut (impl Stream<Item = Result<Bytes, Refusal>> + Unpin),
    until: Instant,
) -> Result<Option<Bytes>, Refusal> {
    let bytes = timeout_at(until, timeout(PAUSE_MAX, body.next())).await;
    let Ok(Ok(bytes)) = bytes else {
        return Err(Refusal::TooSlow);
    };
    bytes.transpose()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// P5: fails when a photo that is rewritten during the copy reaches a worker with a wrong length.
    #[test]
    fn file_that_became_shorter_is_not_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path(), 1 << 20, MinFree::Default);
        let photo = |len| {
            let mut photo = tempfile::tempfile().unwrap();
            photo.write_all(b"12345").unwrap();
            photo.rewind().unwrap();
            spool.copy(photo, len)
        };
        assert!(matches!(photo(5), Ok(Spooled { len: 5, .. })));
        assert!(matches!(photo(6), Err(Refusal::Gone)));
    }
}
