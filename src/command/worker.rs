//! `hotcut worker`: the worker process that the daemon starts. Not for direct use.

use std::process::ExitCode;

use super::CommandError;
use crate::worker::{Setting, serve};

/// Serves the daemon until it closes the pipe.
pub fn run(setting: &Setting) -> Result<ExitCode, CommandError> {
    serve(setting)?;
    Ok(ExitCode::SUCCESS)
}
