//! Failures of an output folder -> when it is tried again; knows no file.

use std::time::Duration;

use tokio::time::Instant;

/// The first wait; each further one doubles, up to the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// How a folder's output is doing.
#[derive(Debug, Default)]
pub(super) struct Pause {
    failures: u32,
    until: Option<Instant>,
}

impl Pause {
    /// The output failed.
    pub(super) fn extend(&mut self, now: Instant) {
        let wait = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + wait);
    }

    /// The output works.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Tells whether the output must not be tried now.
    pub(super) fn holds(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// When the output is tried again, if it failed last time.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_over() {
        let now = Instant::now();
        let mut pause = Pause::default();
        assert!(!pause.holds(now));
        let waits: Vec<Duration> = (0..9)
            .map(|_| {
                pause.extend(now);
                pause.until().unwrap() - now
            })
            .collect();
        assert_eq!(waits.first(), Some(&FIRST));
        assert_eq!(waits.get(1), Some(&(FIRST * 2)));
        assert_eq!(waits.last(), Some(&LONGEST));
        pause.end();
        assert!(!pause.holds(now));
    }
}
