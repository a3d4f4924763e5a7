//! A form -> its photos, one after the other, each kept as it comes. What a client writes before a photo is bounded: the
//! parser holds it in memory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use super::refusal::Refusal;
use super::spool::{Spool, Spooled};

/// The field that holds a photo.
const FIELD: &str = "file";

/// Bytes that may come before a part's content begins: its head, and what no part holds.
const HEAD_MAX: u64 = 64 << 10;

/// How long they may take.
const HEAD_MAX_TIME: Duration = Duration::from_secs(10);

/// The content of a part, which goes to disk.
const UNBOUNDED: u64 = u64::MAX;

/// A form of which nothing has been read yet.
pub(super) struct Form {
    parts: Multipart,
    /// How much the parser may still be given.
    left: Arc<AtomicU64>,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let left = Arc::new(AtomicU64::new(HEAD_MAX));
        let bounds = Arc::clone(&left);
        let request = request.map(|body| {
            let bytes = body.into_data_stream().map(move |bytes| {
                let bytes = bytes.map_err(io::Error::other)?;
                bound(&bounds, bytes)
            });
            Body::from_stream(bytes)
        });
        let parts = Multipart::from_request(request, state).await;
        let parts = parts.map_err(|error| Refusal::Unreadable(error.body_text()))?;
        Ok(Self { parts, left })
    }
}

/// The last bytes may be more than is left: they are here already.
fn bound(left: &AtomicU64, bytes: Bytes) -> io::Result<Bytes> {
    match left.load(Ordering::Relaxed) {
        UNBOUNDED => Ok(bytes),
        0 => Err(io::Error::other(
            "more than 64 KiB stand before a field's content",
        )),
        some => {
            left.store(some.saturating_sub(bytes.len() as u64), Ordering::Relaxed);
            Ok(bytes)
        }
    }
}

impl Form {
    /// Keeps the next photo that `admit`, which is given its file name, does not refuse; `None` after the last.
    pub(super) async fn next<T>(
        &mut self,
        spool: &Spool,
        admit: impl FnOnce(Option<&str>) -> Result<T, Refusal>,
    ) -> Result<Option<(T, Spooled)>, Refusal> {
        loop {
            self.left.store(HEAD_MAX, Ordering::Relaxed);
            let field = timeout(HEAD_MAX_TIME, self.parts.next_field()).await;
            self.left.store(UNBOUNDED, Ordering::Relaxed);
            let field = field.map_err(|_| Refusal::TooSlow)?;
            let Some(field) = field.map_err(|error| unreadable(&error))? else {
                return Ok(None);
            };
            if field.name() == Some(FIELD) {
                let admitted = admit(field.file_name())?;
                return Ok(Some((admitted, spool.keep(field).await?)));
            }
            spool.skip(field).await?;
        }
    }

    /// Keeps the only photo, as [`Self::next`] does.
    pub(super) async fn only<T>(
        mut self,
        spool: &Spool,
        admit: impl FnOnce(Option<&str>) -> Result<T, Refusal>,
    ) -> Result<(T, Spooled), Refusal> {
        let photo = self.next(spool, admit).await?;
        let photo = photo.ok_or(Refusal::BadRequest("the form has no field `file`"))?;
        let another = self.next(spool, |_| Err::<(), _>(Refusal::SecondPhoto));
        another.await?;
        Ok(photo)
    }
}

fn unreadable(error: &MultipartError) -> Refusal {
    Refusal::Unreadable(error.body_text())
}
