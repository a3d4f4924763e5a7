//! A request's body as it comes from the socket -> the same for a handler, with a limit on its pauses. What the handler leaves
//! unread is read and dropped for a while: a client that still writes when the connection closes loses the answer.

use std::io;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// The longest pause within a body: longer than that within a photo, which is told as too slow.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// How much is read that nobody wants.
const UNWANTED_MAX: usize = 64 << 20;

/// How long it is read.
const UNWANTED_TIME: Duration = Duration::from_secs(30);

/// What has not been read yet.
struct Rest {
    parts: Option<BodyDataStream>,
    /// The client asks before it sends: refused, it sends nothing.
    is_asked_for: bool,
}

/// A body that ends with an error if nothing of it comes for too long, whoever reads it. `is_asked_for` tells that the client
/// waits for a word before it sends any of it.
pub(super) fn timed(body: Incoming, is_asked_for: bool) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let rest = Rest {
        parts: Some(Body::new(body).into_data_stream()),
        is_asked_for,
    };
    Body::from_stream(futures_util::stream::unfold(rest, |mut rest| async {
        // It is told to send as soon as somebody reads.
        rest.is_asked_for = false;
        let next = timeout(PAUSE_MAX, rest.parts.as_mut()?.next()).await;
        let failed = match next {
            Ok(Some(Ok(bytes))) => return Some((Ok(bytes), rest)),
            Ok(Some(Err(error))) => Some(io::Error::other(error)),
            Ok(None) => None,
            Err(_) => Some(io::ErrorKind::TimedOut.into()),
        };
        rest.parts = None;
        Some((Err(failed?), rest))
    }))
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take()
            && !self.is_asked_for
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(timeout(UNWANTED_TIME, read_away(parts)));
        }
    }
}

async fn read_away(mut parts: BodyDataStream) {
    let mut len = 0;
    while len < UNWANTED_MAX
        && let Ok(Some(Ok(bytes))) = timeout(PAUSE_MAX, parts.next()).await
    {
        len += bytes.len();
    }
}
