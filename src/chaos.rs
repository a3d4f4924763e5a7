//! Disturbs the daemon when a file with a special name is in a hot folder. Only in builds with the feature `chaos`, which no
//! release has. The orders to a worker are in `worker::chaos`.

use std::path::Path;
use std::time::Duration;

/// Ends the thread of the watch that reports the file.
const WATCH_PANICS: &str = "chaos-watch-panics";

/// Blocks the daemon loop for longer than any test lasts.
const LOOP_HANGS: &str = "chaos-loop-hangs";

/// The reaction of a watch to `path`.
pub(crate) fn obey_in_watch(path: &Path) {
    assert!(!path.ends_with(WATCH_PANICS), "as the file wants it");
}

/// The reaction of the daemon loop to `path`.
#[expect(clippy::disallowed_methods, reason = "to block the loop is the point")]
pub(crate) fn obey_in_loop(path: &Path) {
    if path.ends_with(LOOP_HANGS) {
        std::thread::sleep(Duration::from_hours(1));
    }
}
