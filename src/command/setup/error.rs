//! Everything that prevents `hotcut setup`, each with what to do about it.

use std::path::PathBuf;

use crate::accounts::LookupError;
use crate::percent;

/// Why a folder cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Setup creates users, folders and units.
    #[error("only root can set up a folder; run: sudo hotcut setup ...")]
    NotRoot,
    /// A container, or another init system.
    #[error(
        "systemd does not run here, so there is no service to set up; name the folder in the configuration (hotcut init --write {}) \
         and start `hotcut run`", percent::display(.0)
    )]
    NoSystemd(PathBuf),
    /// The package or `systemd-sysusers` creates the user.
    #[error(
        "there is no user hotcut for the service; install the package, or: systemd-sysusers hotcut.conf"
    )]
    NoUser,
    /// Whether there is a user for the service is unknown.
    #[error(transparent)]
    UnknownUser(#[from] LookupError),
    /// Setup needs ACLs for a group.
    #[error(
        "the program setfacl, which gives the group its rights, is not installed: apt install acl"
    )]
    NoAcl,
    /// The path exists and is not a folder.
    #[error("{} is not a folder", percent::display(.0))]
    NoFolder(PathBuf),
    /// The service may not pass through a parent folder.
    #[error(
        "the user hotcut may not enter {path}; to permit it: setfacl -m u:hotcut:x {path}",
        path = percent::display(.0)
    )]
    Closed(PathBuf),
    /// The hot folder is already configured with another output.
    #[error(
        "{} is the hot folder \"{name}\" already, with the output {}; to change that, edit {}",
        percent::display(input), percent::display_all(outputs), config.display()
    )]
    OtherOutput {
        /// The hot folder.
        input: PathBuf,
        /// Its name.
        name: String,
        /// The configured outputs.
        outputs: Vec<PathBuf>,
        /// The configuration.
        config: PathBuf,
    },
    /// A command failed.
    #[error("`{command}` failed{reason}")]
    Command {
        /// Its command line.
        command: String,
        /// How it ended, or why it could not be started.
        reason: String,
    },
    /// The service has started, and the folder is not served.
    #[error("the service runs, but the folder is {state}; journalctl -u hotcut tells more")]
    NotServed {
        /// Its state according to `hotcut status`.
        state: String,
    },
}
