//! Runs a handler's blocking work on another thread, and converts work that does not end to a refusal. Must not block the server.

use super::refusal::Refusal;

/// Runs `work`, which may wait for a disk, on a thread for blocking work. A panic of `work` becomes a refusal.
pub(crate) async fn work_or_refusal<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // The work panicked, or the server is shutting down and drops work that has not started.
        Err(_) => Err(Refusal::Closed),
    }
}
