//! Work that may wait for a disk -> its result, without holding up the server. Knows nothing of the work.

use super::refusal::Refusal;

/// Runs `work` where waiting for a disk holds up nobody else.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // The server ends, and with it what has not begun yet.
        Err(_) => Err(Refusal::Closed),
    }
}
