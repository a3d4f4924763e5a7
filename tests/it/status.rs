//! The shape of `hotcut status --json`, as documented.

use serde::Deserialize;

/// All of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) confinement: Option<Confinement>,
    pub(crate) folders: Vec<FolderStatus>,
}

/// What holds the workers in.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Confinement {
    pub(crate) landlock: bool,
    pub(crate) seccomp: bool,
}

/// One folder.
#[derive(Debug, Deserialize)]
pub(crate) struct FolderStatus {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) queued: u64,
    pub(crate) running: u64,
    pub(crate) done: u64,
    pub(crate) quarantined: Vec<Quarantined>,
    pub(crate) last_done: serde_json::Value,
    pub(crate) photos_per_minute: f64,
}

/// One quarantined file of a [`FolderStatus`].
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Quarantined {
    pub(crate) path: String,
    pub(crate) reason: String,
    pub(crate) attempts: u64,
}
