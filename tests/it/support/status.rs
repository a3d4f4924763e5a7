//! The shape of `hotcut status --json`, as documented.

use std::collections::BTreeMap;
use std::process::Output;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer};

/// The whole document.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) confinement: Option<Confinement>,
    pub(crate) http: Option<String>,
    pub(crate) shortage: Option<String>,
    pub(crate) folders: Vec<FolderStatus>,
}

impl Status {
    /// The output of a finished `hotcut status --json`.
    #[track_caller]
    pub(crate) fn parse(output: &Output) -> Status {
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON as documented")
    }

    #[track_caller]
    pub(crate) fn folder(self, name: &str) -> FolderStatus {
        let mut folders = self.folders.into_iter();
        let found = folders.find(|folder| folder.name == name);
        found.expect("each folder of the configuration is listed")
    }
}

impl FolderStatus {
    /// Why `path` waits: what comes next, and the reason.
    pub(crate) fn held(&self, path: &str) -> Option<&Waiting> {
        self.waiting.iter().find(|photo| photo.path == path)
    }

    /// Returns whether `path` waits for `next`.
    pub(crate) fn waits_for(&self, path: &str, next: &str) -> bool {
        self.held(path).is_some_and(|photo| photo.next == next)
    }
}

/// The confinement of the workers.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Confinement {
    pub(crate) landlock: bool,
    pub(crate) seccomp: bool,
}

/// One folder.
#[derive(Debug, Deserialize)]
pub(crate) struct FolderStatus {
    pub(crate) name: String,
    /// Both `state` and `reason`.
    #[serde(flatten, deserialize_with = "state_and_reason")]
    pub(crate) state: String,
    pub(crate) queued: u64,
    pub(crate) queued_on_disk: u64,
    pub(crate) oldest: Option<String>,
    pub(crate) running: u64,
    pub(crate) done: u64,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) held: u64,
    pub(crate) not_taken: NotTaken,
    pub(crate) quarantined: Vec<Quarantined>,
    pub(crate) last_done: serde_json::Value,
    pub(crate) photos_per_minute: f64,
    pub(crate) photos_per_minute_over_10: f64,
    pub(crate) photos_per_minute_over_60: f64,
    pub(crate) left_s: Option<u64>,
}

fn state_and_reason<'de, D: Deserializer<'de>>(json: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    struct Shown {
        state: String,
        reason: Option<String>,
    }
    let Shown { state, reason } = Shown::deserialize(json)?;
    Ok(match reason {
        Some(reason) => format!("{state}: {reason}"),
        None => state,
    })
}

/// Files of a [`FolderStatus`] that are left alone.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct NotTaken {
    pub(crate) endings: BTreeMap<String, u64>,
    pub(crate) others: u64,
    pub(crate) conflicts: u64,
    pub(crate) links: u64,
    pub(crate) empty: u64,
}

/// One waiting file of a [`FolderStatus`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) path: String,
    pub(crate) reason: String,
    pub(crate) next: String,
    pub(crate) until: Option<String>,
}

/// One quarantined file of a [`FolderStatus`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Quarantined {
    pub(crate) path: String,
    pub(crate) reason: String,
    pub(crate) attempts: u64,
}

/// The time in a status or a history, whatever its UTC offset.
#[track_caller]
pub(crate) fn moment(text: &str) -> SystemTime {
    let moment: jiff::Timestamp = text.parse().expect(text);
    let since_epoch = u64::try_from(moment.as_millisecond()).expect(text);
    UNIX_EPOCH + Duration::from_millis(since_epoch)
}
