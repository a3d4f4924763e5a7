//! The notifications, their fields in JSON and the variables that a command gets. Sends nothing.

use std::time::SystemTime;

use serde::Serialize;
use tokio::time::Instant;

/// What a receiver is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Notification {
    /// Photos have ended in a folder, and no more are on their way.
    FolderFinished {
        /// Its name.
        folder: String,
        /// Cutouts placed since the last such message; a lower bound if events were missed.
        done: u64,
        /// Photos set aside since then; a lower bound too.
        quarantined: u64,
        /// Events that were missed, of all folders.
        #[serde(skip_serializing_if = "is_zero")]
        missed: u64,
        /// When the first of them ended: RFC 3339, UTC.
        since: String,
    },
    /// A photo was set aside.
    Quarantined {
        /// Its folder.
        folder: String,
        /// Its path below the folder.
        source: String,
        /// Why.
        reason: String,
    },
}

/// One moment on both clocks: one that only ever goes on, and one that people read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// For waiting.
    pub(super) now: Instant,
    /// For telling.
    pub(super) at: SystemTime,
}

impl Notification {
    /// What a command finds in its environment.
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
