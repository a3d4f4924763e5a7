//! Limits the time that a request's body may take. Reads and drops, within limits, what the handler leaves unread: a client that
//! still writes when the connection closes would lose the answer.

use std::io;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt as _};
use hyper::body::{Body as _, Incoming};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};

/// The longest pause within a body. Longer than the limit within a photo, so that a slow photo gets the answer `too slow`.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// The longest total wait for a body, in addition to the time for its bytes at [`SLOWEST`].
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The lowest accepted transfer rate, in bytes per second.
const SLOWEST: u64 = 8 << 10;

/// How many unread bytes are read and dropped.
const UNWANTED_MAX: usize = 64 << 20;

/// How long unread bytes are read and dropped.
const UNWANTED_TIME: Duration = Duration::from_secs(30);

/// The unread rest of a body.
struct Rest {
    parts: Option<BodyDataStream>,
    /// Bytes received so far.
    len: u64,
    /// Time spent waiting for bytes, without the time spent processing them.
    waited: Duration,
    /// The client waits for permission before it sends the body; if refused, it sends nothing.
    is_asked_for: bool,
}

/// A body that ends with an error when it pauses for too long or is too slow overall, for any reader. `is_asked_for` is true when
/// the client waits for permission before it sends the body.
pub(crate) fn timed(body: Incoming, is_asked_for: bool) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::from_stream(paced(Body::new(body).into_data_stream(), is_asked_for))
}

fn paced(parts: BodyDataStream, is_asked_for: bool) -> impl Stream<Item = io::Result<Bytes>> {
    let rest = Rest {
        parts: Some(parts),
        len: 0,
        waited: Duration::ZERO,
        is_asked_for,
    };
    futures_util::stream::unfold(rest, |mut rest| async {
        // The first read permits the client to send.
        rest.is_asked_for = false;
        let left = WAIT_MAX + Duration::from_secs(rest.len / SLOWEST);
        let left = left.saturating_sub(rest.waited).min(PAUSE_MAX);
        let begun = Instant::now();
        let next = timeout(left, rest.parts.as_mut()?.next()).await;
        rest.waited += begun.elapsed();
        let failed = match next {
            Ok(Some(Ok(bytes))) => {
                rest.len += bytes.len() as u64;
                return Some((Ok(bytes), rest));
            }
            Ok(Some(Err(error))) => Some(io::Error::other(error)),
            Ok(None) => None,
            Err(_) => Some(io::ErrorKind::TimedOut.into()),
        };
        rest.parts = None;
        Some((Err(failed?), rest))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `count` pieces of `len` bytes with `pause` before each. Returns the elapsed time, and whether all pieces arrived.
    async fn sent(count: usize, len: usize, pause: Duration) -> (Duration, bool) {
        let pieces = futures_util::stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, io::Error>(Bytes::from(vec![0; len]))
        });
        let begun = Instant::now();
        let body = paced(Body::from_stream(pieces).into_data_stream(), false);
        let came: Vec<_> = body.collect().await;
        let is_late = |end: &io::Result<Bytes>| {
            let late = end.as_ref().err().map(io::Error::kind);
            late == Some(io::ErrorKind::TimedOut)
        };
        let is_whole = came.len() == count && came.iter().all(Result::is_ok);
        assert!(is_whole || is_late(&came[came.len() - 1]), "{came:?}");
        (begun.elapsed(), is_whole)
    }

    /// Fails when a client that sends a byte now and then can keep a connection forever.
    #[tokio::test(start_paused = true)]
    async fn body_that_only_trickles_is_given_up() {
        let (took, is_whole) = sent(1_000, 1, Duration::from_secs(9)).await;
        assert!(!is_whole && took <= WAIT_MAX, "{took:?}");
        let (took, is_whole) = sent(1_000, 4 << 10, Duration::from_secs(1)).await;
        assert!(!is_whole && took <= 3 * WAIT_MAX, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn body_on_a_slow_line_is_waited_for() {
        let (took, is_whole) = sent(1_000, 16 << 10, Duration::from_secs(1)).await;
        assert!(is_whole && took >= Duration::from_secs(1_000), "{took:?}");
    }
}
