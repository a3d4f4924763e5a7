//! Why a ledger cannot be used. Must not open one.

use std::path::PathBuf;

use super::foreign::ForeignState;
use crate::fs::path_error::PathError;

/// Why the ledger cannot be used. No job may start without it.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The state directory cannot be used.
    #[error(transparent)]
    Io(#[from] PathError),
    /// Another daemon has the state directory.
    #[error("{} is in use by another hotcut; give each daemon its own state_dir", .0.display())]
    InUse(PathBuf),
    /// The state directory is on a network file system, where `SQLite` is not safe.
    #[error("{} is on a {kind} file system; state_dir must be on a local disk", path.display())]
    NotLocal {
        /// The state directory.
        path: PathBuf,
        /// The name of the file system.
        kind: &'static str,
    },
    /// The state directory or an entry in it belongs to another user.
    #[error("{0}")]
    Foreign(ForeignState),
    /// This user has no rights in the state directory.
    #[error("{} is closed to this user: run the command with sudo, or as the user hotcut", .0.display())]
    Closed(PathBuf),
    /// A later version of hotcut wrote the ledger.
    #[error(
        "the ledger has schema {found}, which this hotcut does not know; install the version that wrote it"
    )]
    FromTheFuture {
        /// The version found.
        found: u32,
    },
    /// An earlier version of hotcut wrote the ledger, and only a start of the daemon migrates it.
    #[error(
        "the ledger has schema {found} of an earlier hotcut; it is brought up to date when hotcut starts: `systemctl restart hotcut`"
    )]
    FromThePast {
        /// The version found.
        found: usize,
    },
    /// There is no space for the copy that must precede a change of the schema.
    #[error(
        "the ledger must be copied to {} before its schema changes; both need {} MB and {} MB are free: make space there",
        file.display(), needed.div_ceil(1_000_000), free / 1_000_000
    )]
    NoRoomForCopy {
        /// The path of the copy.
        file: PathBuf,
        /// What the copy and the change take, in bytes.
        needed: u64,
        /// The free space there, in bytes.
        free: u64,
    },
    /// A copy of the ledger would replace this file.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// The ledger's file is damaged.
    #[error("the ledger is damaged: {0}")]
    Damaged(String),
    /// The store failed.
    #[error("the ledger in `state_dir` cannot be used{remedy}: {source}")]
    Store {
        /// What a person can do about the error, if known, after a semicolon.
        remedy: &'static str,
        /// The error of the store.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another attempt has this version, or a later version of its source has superseded it: the result is not recorded.
    #[error("another attempt has taken over the version of row {0}")]
    Lost(i64),
    /// The ledger's thread has ended.
    #[error("the ledger's thread has ended")]
    Gone,
}
