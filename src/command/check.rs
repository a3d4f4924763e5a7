//! `hotcut check`: reports every fault of a configuration file, its models and its folders.

mod look;

use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use self::look::{Flaw, KnownMounts, Look, looks};
use super::error::EX_CONFIG;
use super::folder_preview::{FolderPreview, SourcePlan};
use super::not_taken::endings_not_read;
use super::unit_limits::{UnitLimits, allowing};
use super::{CommandError, block_on};
use crate::config::{Config, Folder};
use crate::fs::disk;
use crate::fs::disk_space::{DiskSpaceError, MinFree, TooFull};
use crate::percent;
use crate::worker::{Worker, WorkerSpec};

/// Prints "ok" and a summary, or every fault. With `configuration_only` it lists no folders and ignores faults that a running
/// hotcut waits out.
pub fn run(config_file: &Path, configuration_only: bool) -> Result<ExitCode, CommandError> {
    let (config, found) = Config::read(config_file)?;
    let mut faults: Vec<String> = found
        .iter()
        .map(|fault| fault.in_file(config_file))
        .collect();
    let known = configuration_only.then(|| KnownMounts::read(&config));
    // Starts all checks before it waits for the first, so that disks that do not respond are waited for in parallel.
    let looks = looks(&config, known.as_ref());
    let flaws = looks.into_iter().filter_map(Look::flaw);
    let (waited_for, wrong): (Vec<Flaw>, Vec<Flaw>) =
        flaws.partition(|flaw| configuration_only && flaw.is_waited_for());
    let is_read_only = wrong.iter().any(Flaw::is_read_only);
    let whole = |fault: String| format!("{}: {fault}", config_file.display());
    faults.extend(wrong.iter().map(|flaw| whole(flaw.to_string())));
    faults.extend(unit_fault(config_file, &config, is_read_only)?.map(whole));
    if !config.models.is_empty()
        && let Err(error) = block_on(try_worker(&config))?
    {
        faults.push(whole(error.to_string()));
    }
    for fault in &faults {
        tracing::error!("{fault}");
    }
    if !faults.is_empty() {
        return Ok(ExitCode::from(EX_CONFIG));
    }
    let mut out = stdout().lock();
    writeln!(out, "{}: ok", config_file.display())?;
    if config.folders.is_empty() {
        writeln!(out, "  no folder is configured yet: nothing is watched")?;
    }
    for warning in config.warnings() {
        writeln!(out, "  warning: {warning}")?;
    }
    for flaw in &waited_for {
        writeln!(out, "  waited for, no fault of the configuration: {flaw}")?;
    }
    if configuration_only {
        return Ok(ExitCode::SUCCESS);
    }
    let min_free = config.daemon.min_free;
    let full = full_disks([config.daemon.state_dir.as_path()], min_free);
    for disk in full {
        writeln!(out, "  no photo is begun for now: {disk}")?;
    }
    for folder in &config.folders {
        tell(&mut out, folder, min_free)?;
    }
    tell_of_network(&mut out, &config)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints where the server listens and where notifications go.
fn tell_of_network(out: &mut impl Write, config: &Config) -> Result<(), CommandError> {
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
    Ok(())
}

/// What the systemd unit forbids. `is_read_only` is true when a folder turned out to be read-only.
fn unit_fault(
    config_file: &Path,
    config: &Config,
    is_read_only: bool,
) -> Result<Option<String>, CommandError> {
    let is_in_unit = std::env::var_os("INVOCATION_ID").is_some();
    Ok(match UnitLimits::of(config_file)? {
        Some(limits) => limits.forbidden(config_file, config),
        // Inside the unit, for example at a reload, systemd does not always respond.
        None if is_read_only && is_in_unit => Some(format!(
            "the unit may forbid to write there; to allow it: {}",
            allowing(config_file)
        )),
        None => None,
    })
}

/// Prints what the daemon will do with the folder's files.
fn tell(out: &mut impl Write, folder: &Arc<Folder>, min_free: MinFree) -> Result<(), CommandError> {
    let input = folder.input.display();
    let outputs: Vec<_> = folder.output_paths().collect();
    let output = percent::display_all(&outputs);
    let Folder {
        name, model, edges, ..
    } = folder.as_ref();
    let patterns = folder.include.patterns().join(", ");
    let settle = humantime::format_duration(folder.settle);
    writeln!(out, "  {name}: {input} -> {output}")?;
    writeln!(
        out,
        "    takes {patterns} once unchanged for {settle}, and cuts them out with model {model} and edges \"{edges}\""
    )?;
    let not_read = endings_not_read(&folder.include);
    if !not_read.is_empty() {
        let not_read = not_read.join(", ");
        tracing::warn!(
            "`include` of folder \"{name}\" names {not_read}, which no decoder reads: such files are set aside; \
             export photos of these kinds as JPEG or TIFF"
        );
    }
    let preview = FolderPreview::of(folder)?;
    writeln!(out, "    {preview}")?;
    for sentence in preview.not_taken() {
        writeln!(out, "    {sentence}")?;
    }
    writeln!(out, "    {}", SourcePlan(folder))?;
    let written = folder.output_paths().chain(folder.own_folders());
    for disk in full_disks(written, min_free) {
        writeln!(out, "    its photos wait for now: {disk}")?;
    }
    Ok(())
}

/// The disks of `folders` with less free space than must stay free.
fn full_disks<'a>(
    folders: impl IntoIterator<Item = &'a Path>,
    min_free: MinFree,
) -> impl Iterator<Item = TooFull> {
    let looks = folders.into_iter().map(move |path| {
        let folder = path.to_owned();
        disk::ask(path, move |_| min_free.check_path(&folder)).answer()
    });
    // A folder that cannot be inspected is reported as a fault of its own.
    looks.filter_map(|look| match look {
        Ok(Err(DiskSpaceError::TooFull(disk))) => Some(disk),
        Ok(Ok(()) | Err(DiskSpaceError::Io(_))) | Err(_) => None,
    })
}

async fn try_worker(config: &Config) -> Result<(), CommandError> {
    let worker = Worker::start(Arc::new(WorkerSpec::of(config))).await?;
    worker.self_test().await?;
    Ok(())
}
