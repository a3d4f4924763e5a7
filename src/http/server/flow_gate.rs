//! Passes bytes to a parser that buffers its input in memory. The parser gets the next piece only when it cannot proceed without
//! it. Must not depend on the form's content.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt as _};

/// Controls how much of a body passes; clones control the same body.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlowGate(Arc<GateState>);

#[derive(Debug, Default)]
struct GateState {
    /// One piece may pass.
    is_open: AtomicBool,
    /// No bytes are available now; the task is woken when there are.
    is_dry: AtomicBool,
    /// How many bytes may still pass before [`FlowGate::allow`] is called again.
    left: AtomicU64,
}

impl FlowGate {
    /// The body behind the gate.
    pub(crate) fn body(&self, body: Body) -> Body {
        Body::from_stream(Behind {
            gate: Arc::clone(&self.0),
            bytes: body.into_data_stream(),
        })
    }

    /// Allows `bytes` to pass from now on; the last piece may exceed the limit.
    pub(crate) fn allow(&self, bytes: u64) {
        self.0.left.store(bytes, Ordering::Relaxed);
    }

    /// Polls the parser, first without new input, then with one piece after the other until it returns a value.
    pub(crate) fn poll<T>(
        &self,
        context: &mut Context<'_>,
        mut parser: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.0.is_open.store(false, Ordering::Relaxed);
        self.0.is_dry.store(false, Ordering::Relaxed);
        loop {
            if let Poll::Ready(value) = parser(context) {
                return Poll::Ready(value);
            }
            if self.0.is_dry.load(Ordering::Relaxed) {
                return Poll::Pending;
            }
            self.0.is_open.store(true, Ordering::Relaxed);
        }
    }
}

struct Behind {
    gate: Arc<GateState>,
    bytes: BodyDataStream,
}

impl Stream for Behind {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.gate.is_open.swap(false, Ordering::Relaxed) {
            return Poll::Pending;
        }
        let next = self.bytes.poll_next_unpin(context);
        if next.is_pending() {
            self.gate.is_dry.store(true, Ordering::Relaxed);
        }
        next.map(|bytes| {
            Some(
                bytes?
                    .map_err(io::Error::other)
                    .and_then(|bytes| self.let_pass(bytes)),
            )
        })
    }
}

impl Behind {
    /// The last piece may exceed the limit: it is already in memory.
    fn let_pass(&self, bytes: Bytes) -> io::Result<Bytes> {
        let left = self.gate.left.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other(
                "a field has more than 64 KiB before its content",
            ));
        }
        let left = left.saturating_sub(bytes.len() as u64);
        self.gate.left.store(left, Ordering::Relaxed);
        Ok(bytes)
    }
}
