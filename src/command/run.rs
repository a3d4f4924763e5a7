//! `hotcut run`: runs the daemon, the HTTP server and the notifications until the daemon is stopped.

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
    // Before any other thread starts, so that no signal gets its default action.
    let signals = shutdown::listen()?;
    let (handle, endpoint) = daemon::link();
    let server = http::start(handle.clone())?;
    let notifications = Notifications::start(handle)?;
    let ended = block_on(daemon::run(config_file, config, signals, endpoint));
    // The server ends soon after the daemon loop and completes open requests. If it has panicked, the panic is already logged.
    server.join().ok();
    notifications.finish();
    // Must be last: the server reads the ledger.
    ended??.close();
    Ok(ExitCode::SUCCESS)
}
