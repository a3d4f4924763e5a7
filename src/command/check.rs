//! `hotcut check`: a configuration file -> every fault in it, its models and its folders.

use std::io::{ErrorKind, Write, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use rustix::fs::Access;

use super::error::EX_CONFIG;
use super::outlook::{Fate, Outlook};
use super::unit_limits::{UnitLimits, allowing};
use super::{CommandError, block_on};
use crate::config::{Config, Folder, SourcePolicy};
use crate::path_error::{AtPath as _, PathError};
use crate::pool::{Worker, WorkerSpec};

/// Prints "ok" and what is served, or every fault.
pub fn run(config_file: &Path) -> Result<ExitCode, CommandError> {
    let (config, found) = Config::read(config_file)?;
    let mut faults: Vec<String> = found.iter().map(ToString::to_string).collect();
    faults.extend(writable(&config.daemon.state_dir).map(|fault| format!("`state_dir`: {fault}")));
    let mut is_read_only = false;
    for folder in &config.folders {
        let found = folder_faults(folder);
        is_read_only |= found
            .iter()
            .any(|(_, fault)| fault.io().kind() == ErrorKind::ReadOnlyFilesystem);
        let name = &folder.name;
        faults.extend(
            found
                .iter()
                .map(|(key, fault)| format!("`{key}` of folder \"{name}\": {fault}")),
        );
    }
    faults.extend(config.notify.iter().filter_map(|notify| {
        let fault = runnable(&notify.command.as_ref()?.program).err()?;
        Some(format!("`command` in [notify]: {fault}"))
    }));
    faults.extend(unit_fault(config_file, &config, is_read_only)?);
    if !config.models.is_empty()
        && let Err(error) = block_on(try_worker(&config))?
    {
        faults.push(error.to_string());
    }
    for fault in &faults {
        tracing::error!("{}: {fault}", config_file.display());
    }
    if !faults.is_empty() {
        return Ok(ExitCode::from(EX_CONFIG));
    }
    let mut out = stdout().lock();
    writeln!(out, "{}: ok", config_file.display())?;
    if config.folders.is_empty() {
        writeln!(out, "  no folder is configured yet: nothing is watched")?;
    }
    for folder in &config.folders {
        tell(&mut out, folder)?;
    }
    if let Some(http) = &config.http {
        let listen = http.listen;
        let who = match http.token {
            Some(_) => "for whoever knows the token",
            None => "for programs of this machine",
        };
        writeln!(out, "  http: http://{listen}/ {who}")?;
    }
    if let Some(notify) = &config.notify {
        if let Some(command) = &notify.command {
            writeln!(out, "  notify: runs {}", command.program.display())?;
        }
        if let Some(webhook) = &notify.webhook {
            writeln!(out, "  notify: posts to {webhook}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What the unit of systemd forbids. `is_read_only` tells that a folder was found to be so.
fn unit_fault(
    config_file: &Path,
    config: &Config,
    is_read_only: bool,
) -> Result<Option<String>, CommandError> {
    let is_in_unit = std::env::var_os("INVOCATION_ID").is_some();
    Ok(match UnitLimits::of(config_file)? {
        Some(limits) => limits.forbidden(config_file, config),
        // Within the unit, as at a reload, systemd does not always answer.
        None if is_read_only && is_in_unit => Some(format!(
            "the unit may forbid to write there; to allow it: {}",
            allowing(config_file)
        )),
        None => None,
    })
}

/// Says what will become of what lies in the folder.
fn tell(out: &mut impl Write, folder: &Arc<Folder>) -> Result<(), CommandError> {
    let (input, output) = (folder.input.display(), folder.output.display());
    let Folder { name, model, .. } = folder.as_ref();
    let patterns = folder.include.patterns().join(", ");
    let settle = humantime::format_duration(folder.settle);
    writeln!(out, "  {name}: {input} -> {output}")?;
    writeln!(
        out,
        "    takes {patterns} once unchanged for {settle}, and cuts them out with model {model}"
    )?;
    writeln!(out, "    {}", Outlook::of(folder)?)?;
    writeln!(out, "    {}", Fate(folder))?;
    Ok(())
}

async fn try_worker(config: &Config) -> Result<(), CommandError> {
    let mut worker = Worker::start(Arc::new(WorkerSpec::of(config))).await?;
    Ok(worker.prove().await?)
}

fn folder_faults(folder: &Folder) -> Vec<(&'static str, PathError)> {
    let mut faults = Vec::new();
    let takes_away = folder.own_folders().next().is_some() || folder.source == SourcePolicy::Delete;
    let written = if takes_away {
        Access::WRITE_OK
    } else {
        Access::empty()
    };
    let needed = Access::READ_OK | Access::EXEC_OK | written;
    let input = directory(&folder.input).and_then(|()| allows(&folder.input, needed));
    faults.extend(input.err().map(|fault| ("input", fault)));
    faults.extend(writable(&folder.output).map(|fault| ("output", fault)));
    for own in folder.own_folders() {
        faults.extend(writable(own).map(|fault| ("done` or `failed", fault)));
    }
    faults
}

/// What is wrong with a folder that hotcut makes when it is first needed: the deepest part that exists must be writable.
fn writable(folder: &Path) -> Option<PathError> {
    let existing = folder
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(folder);
    let access = Access::WRITE_OK | Access::EXEC_OK;
    directory(existing)
        .and_then(|()| allows(existing, access))
        .err()
}

fn runnable(program: &Path) -> Result<(), PathError> {
    if program.metadata().at(program)?.is_dir() {
        return Err(rustix::io::Errno::ISDIR).at(program);
    }
    allows(program, Access::EXEC_OK)
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
