//! Maps every error that ends a command to an exit code, after BSD's sysexits.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::daemon::{FatalError, FaultOf};
use crate::fs::path_error::PathError;
use crate::ledger::LedgerError;
use crate::percent;
use crate::worker::StartError;

/// Wrong configuration. `RestartPreventExitStatus=` in the unit contains this code.
pub(super) const EX_CONFIG: u8 = 78;

/// Wrong use; the same code as for arguments that cannot be parsed.
const EX_USAGE: u8 = 2;

/// The environment or the service failed.
const EX_SOFTWARE: u8 = 70;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A model named on the command line cannot be used.
    #[error("model \"{model}\": {source}")]
    Model {
        /// Its name.
        model: String,
        /// What is wrong with its manifest.
        source: crate::model::ManifestError,
    },
    /// The daemon ended.
    #[error(transparent)]
    Fatal(#[from] FatalError),
    /// No worker can start.
    #[error("no worker can be started: {0}")]
    NoWorker(#[from] StartError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A file cannot be used.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A named file is not quarantined, or lies in no hot folder.
    #[error("{0} is not quarantined; `hotcut status` lists what is")]
    NotQuarantined(String),
    /// Named files are quarantined, but no longer in their hot folders.
    #[error("{0} of these photos cannot be tried again: they are not in their hot folders")]
    Away(usize),
    /// This user may not read the status; members of the group may.
    #[error(
        "you may not read {}, but members of the group {group} may read the status of hotcut; \
         `sudo usermod --append --groups {group} $USER` makes you one, from your next login on",
        path.display()
    )]
    StatusClosed {
        /// The path that this user may not read.
        path: PathBuf,
        /// The group.
        group: String,
    },
    /// The ledger does not exist yet.
    #[error("there is no ledger in {} yet: hotcut makes it when it starts", .0.display())]
    NoLedger(PathBuf),
    /// The copy would lie beside the ledger and be lost with it.
    #[error("{} is in the folder of the ledger; name a file in another folder", .0.display())]
    BackupInState(PathBuf),
    /// The file for the copy exists.
    #[error("{} exists already; give another name, or --replace", percent::display(.0))]
    BackupExists(PathBuf),
    /// A daemon uses the state directory.
    #[error("a running hotcut uses {}; stop it first", .0.display())]
    Running(PathBuf),
    /// A named file is in no hot folder and is not a cutout.
    #[error("{0} is not in a hot folder and is not a cutout; `hotcut check` lists the hot folders")]
    InNoFolder(String),
    /// A path that is not UTF-8, so that the configuration cannot contain it.
    #[error("the path {} is not UTF-8, so a configuration cannot contain it; rename the folder", .0.display())]
    Unwritable(PathBuf),
    /// A folder whose path cannot be written in a systemd unit.
    #[error(
        "{} cannot be named in a unit of systemd: use a path without control characters and without `..`",
        percent::display(.0)
    )]
    NoUnitPath(PathBuf),
    /// A photo of the demonstration has no cutout.
    #[error("the demonstration failed: {0} has no cutout; the log above says why")]
    Demo(String),
    /// A folder was not set up, or only in part.
    #[error(transparent)]
    Setup(#[from] super::setup::SetupError),
    /// The arguments of `hotcut cut` contradict each other.
    #[error(transparent)]
    Usage(#[from] super::cut::UsageError),
    /// `hotcut cut` cannot write the sheet.
    #[error(transparent)]
    Sheet(#[from] super::cut::SheetError),
    /// A system call failed.
    #[error("{0}")]
    System(#[from] io::Error),
}

impl CommandError {
    /// Whether the reader of stdout has closed it.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::System(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code of this error for scripts and systemd.
    pub fn exit_code(&self) -> u8 {
        match self {
            // The disk may respond later, so systemd should retry.
            Self::Config(error) if error.is_of_silent_disks() => EX_SOFTWARE,
            Self::Config(_)
            | Self::Model { .. }
            | Self::NoUnitPath(_)
            | Self::NoWorker(StartError::Refused(_)) => EX_CONFIG,
            Self::Fatal(error) => match error.fault_of() {
                FaultOf::Configuration => EX_CONFIG,
                FaultOf::Environment => EX_SOFTWARE,
            },
            Self::Running(_)
            | Self::NoLedger(_)
            | Self::BackupInState(_)
            | Self::BackupExists(_)
            | Self::NotQuarantined(_)
            | Self::Away(_)
            | Self::InNoFolder(_)
            | Self::Unwritable(_)
            | Self::Setup(_)
            | Self::Sheet(_)
            | Self::Demo(_) => 1,
            Self::Usage(_) => EX_USAGE,
            Self::NoWorker(_)
            | Self::StatusClosed { .. }
            | Self::Ledger(_)
            | Self::Path(_)
            | Self::System(_) => EX_SOFTWARE,
        }
    }
}
