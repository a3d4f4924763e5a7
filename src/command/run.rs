//! `hotcut run`: a configuration file -> a daemon until it is stopped.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{CommandError, block_on};
use crate::config::Config;
use crate::herald::Herald;
use crate::{daemon, shutdown};

/// Serves until SIGTERM or SIGINT.
pub fn run(config_file: PathBuf) -> Result<ExitCode, CommandError> {
    let config = Config::load(&config_file)?;
    // Before any other thread starts, so that no signal finds the default.
    let requests = shutdown::listen()?;
    let (access, reception) = daemon::access();
    let herald = Herald::start(access)?;
    let ended = block_on(daemon::run(config_file, config, requests, reception));
    herald.finish();
    ended??;
    Ok(ExitCode::SUCCESS)
}
