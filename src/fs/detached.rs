//! Drops a value on another thread, because dropping it may wait for a disk. Must not depend on files.

use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;

/// An open file or another value whose drop may wait for a disk: on NFS, SMB and FUSE, closing a file is a request to the server.
/// The owner never waits for it.
#[derive(Debug)]
pub struct Detached<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Detached<T> {
    /// Wraps `inner`; it is dropped on another thread.
    pub fn new(inner: T) -> Self {
        Self(Some(inner))
    }

    /// Returns the value, which is dropped on the caller's thread from now on.
    pub fn into_inner(mut self) -> T {
        match self.0.take() {
            Some(inner) => inner,
            None => unreachable!("only this and `drop` take it"),
        }
    }
}

impl<T: Send + 'static> Deref for Detached<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(inner) => inner,
            None => unreachable!("only `into_inner` and `drop` take it"),
        }
    }
}

impl<T: Send + 'static> DerefMut for Detached<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Some(inner) => inner,
            None => unreachable!("only `into_inner` and `drop` take it"),
        }
    }
}

impl<T: Send + 'static> Drop for Detached<T> {
    fn drop(&mut self) {
        if let Some(inner) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            drop(runtime.spawn_blocking(move || drop(inner)));
        }
    }
}

impl<T: AsyncRead + Unpin + Send + 'static> AsyncRead for Detached<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin + Send + 'static> AsyncWrite for Detached<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut **self).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};

    use super::*;

    struct Witness(mpsc::Sender<ThreadId>);

    impl Drop for Witness {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    /// P7: fails when a file is closed on the main thread.
    #[tokio::test]
    async fn value_is_dropped_on_another_thread() {
        let (sender, dropped_on) = mpsc::channel();
        drop(Detached::new(Witness(sender.clone())));
        assert_ne!(dropped_on.recv().unwrap(), thread::current().id());
        drop(Detached::new(Witness(sender)).into_inner());
        assert_eq!(dropped_on.recv().unwrap(), thread::current().id());
    }
}
