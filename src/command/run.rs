//! `hotcut run`: a configuration file -> a daemon until it is stopped, and the threads of those who call or hear it.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{CommandError, block_on, version};
use crate::config::Config;
use crate::notifications::Notifications;
use crate::{daemon, http, shutdown};

/// Serves until SIGTERM or SIGINT.
pub fn run(config_file: PathBuf) -> Result<ExitCode, CommandError> {
    let config = Config::load(&config_file);
    version::log(&config_file, config.as_ref().ok());
    let config = config?;
    // Before any other thread starts, so that no signal finds the default.
    let signals = shutdown::listen()?;
    let (handle, endpoint) = daemon::link();
    let server = http::start(handle.clone())?;
    let notifications = Notifications::start(handle)?;
    let ended = block_on(daemon::run(config_file, config, signals, endpoint));
    // Answers under way are given; it ends by itself soon after the loop. If it has panicked, that is told already.
    server.join().ok();
    notifications.finish();
    // Last: the server reads the ledger.
    ended??.close();
    Ok(ExitCode::SUCCESS)
}
