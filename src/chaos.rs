//! The name of a file in a hot folder -> trouble for the daemon that watches it, in builds with the feature `chaos` only, which no
//! release has. What a photo does to its worker is `worker::chaos`.

use std::path::Path;
use std::time::Duration;

/// Ends the thread of the watch that reports it.
const WATCH_PANICS: &str = "chaos-watch-panics";

/// Holds up the loop that is told of it, for longer than any test lasts.
const LOOP_HANGS: &str = "chaos-loop-hangs";

/// What a watch does about `path`.
pub(crate) fn obey_in_watch(path: &Path) {
    assert!(!path.ends_with(WATCH_PANICS), "as the file wants it");
}

/// What the loop does about `path`.
#[expect(clippy::disallowed_methods, reason = "to block the loop is the point")]
pub(crate) fn obey_in_loop(path: &Path) {
    if path.ends_with(LOOP_HANGS) {
        std::thread::sleep(Duration::from_hours(1));
    }
}
