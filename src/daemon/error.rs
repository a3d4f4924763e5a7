//! The errors that end the daemon, and who must act on them. Ends nothing itself.

use std::io;

use crate::config::ConfigError;
use crate::fs::path_error::PathError;
use crate::ledger::LedgerError;
use crate::worker::StartError;

/// The scanner thread of a folder has ended; it never ends by itself.
#[derive(Debug, thiserror::Error)]
#[error("the thread that reads folder \"{0}\" has ended")]
pub struct ScannerGone(pub(super) String);

/// Why the daemon cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum FatalError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No worker can start.
    #[error("no worker can be started: {0}")]
    NoWorker(#[source] StartError),
    /// The scanner thread of a folder has ended.
    #[error(transparent)]
    Scanner(#[from] ScannerGone),
    /// A thread or a signal handler could not be set up.
    #[error("the system refuses to start a thread or to deliver signals: {0}")]
    System(#[from] io::Error),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] PathError),
}

/// Where the fault lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOf {
    /// The configuration: a restart does not help.
    Configuration,
    /// The machine: a restart may help.
    Environment,
}

impl FatalError {
    /// Returns where the fault lies, and so whether a restart can help.
    pub fn fault_of(&self) -> FaultOf {
        match self {
            Self::Config(error) if error.is_of_silent_disks() => FaultOf::Environment,
            Self::Config(_)
            | Self::Ledger(
                LedgerError::InUse(_)
                | LedgerError::NotLocal { .. }
                | LedgerError::FromTheFuture { .. },
            )
            | Self::NoWorker(StartError::Refused(_)) => FaultOf::Configuration,
            Self::Ledger(
                LedgerError::Io(_)
                | LedgerError::Closed(_)
                | LedgerError::Foreign(_)
                | LedgerError::Damaged(_)
                | LedgerError::FromThePast { .. }
                | LedgerError::NoRoomForCopy { .. }
                | LedgerError::Exists(_)
                | LedgerError::Store { .. }
                | LedgerError::Lost(_)
                | LedgerError::Gone,
            )
            | Self::NoWorker(_)
            | Self::Scanner(_)
            | Self::System(_)
            | Self::State(_) => FaultOf::Environment,
        }
    }
}
