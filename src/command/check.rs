//! `hotcut check`: a configuration file -> every fault in it, its models and its folders.

use std::io::{Write as _, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use rustix::fs::Access;

use super::{CommandError, block_on};
use crate::config::{Config, Folder, SourcePolicy};
use crate::path_error::{AtPath as _, PathError};
use crate::pool::{Worker, WorkerSpec};

/// Prints "ok" and what is served, or fails with every fault.
pub fn run(config_file: &Path) -> Result<ExitCode, CommandError> {
    let config = Config::load(config_file)?;
    let mut faults: Vec<String> = Vec::new();
    for folder in &config.folders {
        let found = folder_faults(folder);
        faults.extend(
            found
                .iter()
                .map(|fault| format!("folder \"{}\": {fault}", folder.name)),
        );
    }
    if !config.models.is_empty()
        && let Err(error) = block_on(try_worker(&config))?
    {
        faults.push(error.to_string());
    }
    for fault in &faults {
        tracing::error!("{}: {fault}", config_file.display());
    }
    if !faults.is_empty() {
        return Ok(ExitCode::from(78));
    }
    let mut out = stdout().lock();
    writeln!(out, "{}: ok", config_file.display())?;
    for folder in &config.folders {
        let (input, output) = (folder.input.display(), folder.output.display());
        writeln!(
            out,
            "  {}: {input} -> {output}, model {}",
            folder.name, folder.model
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn try_worker(config: &Config) -> Result<(), CommandError> {
    let mut worker = Worker::start(Arc::new(WorkerSpec::of(config))).await?;
    Ok(worker.prove().await?)
}

fn folder_faults(folder: &Folder) -> Vec<PathError> {
    let mut faults = Vec::new();
    let takes_away = folder.own_folders().next().is_some() || folder.source == SourcePolicy::Delete;
    let written = if takes_away {
        Access::WRITE_OK
    } else {
        Access::empty()
    };
    let needed = Access::READ_OK | Access::EXEC_OK | written;
    faults.extend(
        directory(&folder.input)
            .and_then(|()| allows(&folder.input, needed))
            .err(),
    );
    for target in std::iter::once(folder.output.as_path()).chain(folder.own_folders()) {
        // It is made when it is first needed, so what must be writable is the deepest part that exists.
        let existing = target
            .ancestors()
            .find(|path| path.exists())
            .unwrap_or(target);
        let writable = Access::WRITE_OK | Access::EXEC_OK;
        faults.extend(
            directory(existing)
                .and_then(|()| allows(existing, writable))
                .err(),
        );
    }
    faults
}

fn directory(path: &Path) -> Result<(), PathError> {
    if path.metadata().at(path)?.is_dir() {
        Ok(())
    } else {
        Err(rustix::io::Errno::NOTDIR).at(path)
    }
}

fn allows(path: &Path, access: Access) -> Result<(), PathError> {
    rustix::fs::access(path, access).at(path)
}
