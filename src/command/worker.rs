//! `hotcut worker`: what the daemon starts; not for people.

use std::process::ExitCode;

use super::CommandError;
use crate::worker::{Setting, serve};

/// Serves the daemon until it closes the pipe.
pub fn run(setting: &Setting) -> Result<ExitCode, CommandError> {
    serve(setting)?;
    Ok(ExitCode::SUCCESS)
}
