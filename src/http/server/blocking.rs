//! Runs blocking work on another thread. Must not block the server.

use super::refusal::Refusal;

/// Runs `work`, which may wait for a disk, on a thread for blocking work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // The server is shutting down and drops work that has not started.
        Err(_) => Err(Refusal::Closed),
    }
}
