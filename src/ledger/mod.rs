//! Runs calls from the loop on one thread that owns the ledger. Must not know SQL.

mod attempt_result;
mod backup;
mod check;
mod damage;
mod emptied;
mod failures;
mod foreign;
mod forget;
mod header;
mod history;
mod leftovers;
mod open;
mod outputs;
mod page;
mod places;
mod recovery;
mod redo;
mod relearn;
mod renames;
mod schema;
mod sqlite_ledger;
mod summary;
mod touched;
mod unexplained;

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::mpsc as thread_channel;

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use rustix::process::{Flock, FlockOffsetType, FlockType};
use tokio::sync::oneshot;

pub use attempt_result::AttemptResult;
pub use backup::Overwrite;
pub use damage::{LedgerFound, open_whole};
pub use forget::{Forgotten, OldCursor, OldVersion};
pub use history::{FailedAttempt, PhotoState, VersionHistory};
pub use open::OpenStep;
pub use outputs::PlannedOutput;
pub use page::{PAGE_MAX, PhotoQuery, PhotoRow};
pub use places::{Continued, OutputName, OwnedName};
pub use recovery::{HalfRetired, Interrupted, Unretired};
pub use redo::DonePhoto;
pub(crate) use relearn::FoundCutout;
pub use relearn::RebuildExtent;
pub use renames::FormerName;
pub use sqlite_ledger::{Arrival, Begun, SqliteLedger, Version};
pub use summary::{Counts, Quarantined};
pub use unexplained::Unexplained;

use self::foreign::ForeignState;
use crate::fs::mount;
use crate::fs::path_error::{AtPath as _, PathError};

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
        "the ledger must be copied to {} before its schema changes; that needs {} MB and {} MB are free: make space there",
        file.display(), needed.div_ceil(1_000_000), free / 1_000_000
    )]
    NoRoomForCopy {
        /// The path of the copy.
        file: PathBuf,
        /// Its size in bytes.
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
    /// `SQLite` failed.
    #[error("the ledger in `state_dir` cannot be used{remedy}: {0}", remedy = remedy(.0))]
    Sql(#[from] rusqlite::Error),
    /// The ledger's thread has ended.
    #[error("the ledger's thread has ended")]
    Gone,
}

/// What a person can do about the error, if known.
fn remedy(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "; make space there",
        Some(rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen) => {
            "; see that it can be written to and has space and inodes left"
        }
        _ => "",
    }
}

/// A handle on the ledger's thread.
#[derive(Clone, Debug)]
pub struct Ledger {
    calls: thread_channel::Sender<LedgerMessage>,
}

enum LedgerMessage {
    Call(Call),
    Close(thread_channel::SyncSender<Result<(), LedgerError>>),
}

type Call = Box<dyn FnOnce(&mut SqliteLedger) + Send>;

impl Ledger {
    /// Starts a thread that owns `ledger`.
    pub fn start(mut ledger: SqliteLedger) -> Result<Self, LedgerError> {
        let (calls, inbox) = thread_channel::channel::<LedgerMessage>();
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                while let Ok(message) = inbox.recv() {
                    match message {
                        LedgerMessage::Call(call) => call(&mut ledger),
                        LedgerMessage::Close(answer) => {
                            answer.send(ledger.close()).ok();
                            return;
                        }
                    }
                }
            })
            .at(Path::new("the ledger's thread"))?;
        Ok(Self { calls })
    }

    /// Runs `work` on the ledger's thread. Its writes are durable when this returns.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteLedger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(work)?.await.map_err(|_| LedgerError::Gone)?
    }

    /// As [`Self::call`], for a thread that may block. Panics on a thread that runs async tasks.
    pub fn call_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteLedger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(work)?
            .blocking_recv()
            .map_err(|_| LedgerError::Gone)?
    }

    fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteLedger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, LedgerError>>, LedgerError> {
        let (answer, result) = oneshot::channel();
        let call: Call = Box::new(move |ledger| {
            // The caller may have been dropped; the work is still done.
            drop(answer.send(work(ledger)));
        });
        self.calls
            .send(LedgerMessage::Call(call))
            .map_err(|_| LedgerError::Gone)?;
        Ok(result)
    }

    /// Closes the ledger, so that its one file is complete; later calls fail. Blocks for a few seconds at most.
    pub fn close(self) -> Result<(), LedgerError> {
        let (answer, result) = thread_channel::sync_channel(1);
        self.calls
            .send(LedgerMessage::Close(answer))
            .map_err(|_| LedgerError::Gone)?;
        result.recv().map_err(|_| LedgerError::Gone)?
    }
}

/// Makes the state directory and locks it for as long as the returned file is open.
///
/// Uses a POSIX record lock, which [`is_in_use`] can query without taking it. This process must not open the file again.
pub fn lock_state_dir(state_dir: &Path) -> Result<File, LedgerError> {
    std::fs::create_dir_all(state_dir).at(state_dir).map_err(
        |error| match ForeignState::behind(&error) {
            Some(foreign) => LedgerError::Foreign(foreign),
            None => LedgerError::Io(error),
        },
    )?;
    ForeignState::look(state_dir).map_err(LedgerError::Foreign)?;
    if let Some(kind) = mount::deaf_kind(state_dir)?.filter(|kind| *kind != "overlay") {
        let path = state_dir.to_owned();
        return Err(LedgerError::NotLocal { path, kind });
    }
    let path = state_dir.join("lock");
    give(&path, state_dir);
    let mut options = std::fs::OpenOptions::new();
    let lock = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .at(&path)?;
    match rustix::fs::fcntl_lock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(Errno::WOULDBLOCK | Errno::ACCESS) => Err(LedgerError::InUse(state_dir.to_owned())),
        Err(errno) => Ok(Err(errno).at(&path)?),
    }
}

/// Makes the file `path` in `state_dir`, unless it exists, with the owner of the directory: a daemon that runs as another user
/// could not open root's files. Errors are ignored here, since opening the file reports them.
fn give(path: &Path, state_dir: &Path) {
    let make = || {
        let mut options = std::fs::OpenOptions::new();
        // An existing file is not even opened: closing it would release this process's locks on it.
        let made = options.write(true).create_new(true).open(path)?;
        let owner = state_dir.metadata()?;
        fchown(made, Some(owner.uid()), Some(owner.gid()))
    };
    if rustix::process::geteuid().is_root() {
        make().ok();
    }
}

/// Returns whether a daemon runs on `state_dir`, without disturbing it.
pub fn is_in_use(state_dir: &Path) -> Result<bool, LedgerError> {
    let path = state_dir.join("lock");
    let lock = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(LedgerError::Closed(path));
        }
        Err(_) => return Ok(false),
        Ok(lock) => lock,
    };
    let wanted = Flock {
        start: 0,
        length: 0,
        pid: None,
        typ: FlockType::WriteLock,
        offset_type: FlockOffsetType::Set,
    };
    Ok(matches!(
        rustix::process::fcntl_getlk(&lock, &wanted),
        Ok(Some(_))
    ))
}

#[cfg(test)]
mod costs;
#[cfg(test)]
mod tests;
