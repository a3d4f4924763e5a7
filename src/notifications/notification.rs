//! The notifications, their JSON fields and the variables for a command. Must not send.

use std::time::SystemTime;

use serde::Serialize;
use tokio::time::Instant;

/// The content of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Notification {
    /// Photos of a folder were finished, and no more are in progress.
    FolderFinished {
        /// Its name.
        folder: String,
        /// Cutouts placed since the last such message; a lower bound if events were missed.
        done: u64,
        /// Photos quarantined since then; also a lower bound.
        quarantined: u64,
        /// Missed events, of all folders.
        #[serde(skip_serializing_if = "is_zero")]
        missed: u64,
        /// When the first of them ended: RFC 3339, UTC.
        since: String,
    },
    /// A photo was quarantined.
    Quarantined {
        /// Its folder.
        folder: String,
        /// Its path below the folder.
        source: String,
        /// Why.
        reason: String,
    },
}

/// One moment on two clocks: the monotonic clock and the calendar clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// The monotonic time, for waiting.
    pub(super) now: Instant,
    /// The calendar time, for messages.
    pub(super) at: SystemTime,
}

impl Notification {
    /// The environment variables for a command.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::FolderFinished {
                folder,
                done,
                quarantined,
                ..
            } => vec![
                ("HOTCUT_EVENT", "folder_finished".to_owned()),
                ("HOTCUT_FOLDER", folder.clone()),
                ("HOTCUT_DONE", done.to_string()),
                ("HOTCUT_QUARANTINED", quarantined.to_string()),
            ],
            Self::Quarantined {
                folder,
                source,
                reason,
            } => vec![
                ("HOTCUT_EVENT", "quarantined".to_owned()),
                ("HOTCUT_FOLDER", folder.clone()),
                ("HOTCUT_SOURCE", source.clone()),
                ("HOTCUT_REASON", reason.clone()),
            ],
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
