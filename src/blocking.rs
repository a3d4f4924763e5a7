//! Runs blocking work on another thread and returns its value. A panic of the work continues in the caller. Must not depend on the
//! work.

use tokio::task::{JoinError, spawn_blocking};

/// Runs `work`, which may wait for a disk, on a thread for blocking work.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    unpanicked(spawn_blocking(work).await)
}

/// The value of a task that is never cancelled; a panic of the task continues here.
pub fn unpanicked<T>(ended: Result<T, JoinError>) -> T {
    match ended {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a panic of a thread is lost or replaced by another one.
    #[tokio::test]
    #[should_panic(expected = "of the work")]
    async fn panic_goes_on_in_the_caller() {
        assert_eq!(blocking(|| 1).await, 1);
        blocking(|| panic!("of the work")).await;
    }
}
