//! Wraps a file to show whether its disk is waited for. Decides nothing.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A file that sets `is_waiting` while its disk is waited for.
pub(super) struct Watched<'a, F> {
    pub(super) file: F,
    pub(super) is_waiting: &'a AtomicBool,
}

impl<F: Unpin> Watched<'_, F> {
    fn note<T>(&mut self, poll: impl FnOnce(Pin<&mut F>) -> Poll<T>) -> Poll<T> {
        let polled = poll(Pin::new(&mut self.file));
        self.is_waiting
            .store(polled.is_pending(), Ordering::Relaxed);
        polled
    }
}

impl<F: AsyncRead + Unpin> AsyncRead for Watched<'_, F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.note(|file| file.poll_read(context, buffer))
    }
}

impl<F: AsyncWrite + Unpin> AsyncWrite for Watched<'_, F> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.note(|file| file.poll_write(context, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.note(|file| file.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.note(|file| file.poll_shutdown(context))
    }
}
