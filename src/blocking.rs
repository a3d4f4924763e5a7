//! Converts work that may wait for a disk, or a task, to its value. A panic in it goes on in the caller. Must not know the work.

use tokio::task::{JoinError, spawn_blocking};

/// Runs `work` where waiting for a disk holds up nobody else.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    unpanicked(spawn_blocking(work).await)
}

/// The value of a task that nobody cancels; a panic in it goes on here.
pub fn unpanicked<T>(ended: Result<T, JoinError>) -> T {
    match ended {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a panic of a thread is lost, or becomes another one.
    #[tokio::test]
    #[should_panic(expected = "of the work")]
    async fn panic_goes_on_in_the_caller() {
        assert_eq!(blocking(|| 1).await, 1);
        blocking(|| panic!("of the work")).await;
    }
}
