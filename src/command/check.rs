//! `hotcut check`: a configuration file -> every fault in it, its models and its folders.

use std::io::{ErrorKind, Write, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use rustix::fs::Access;

use super::error::EX_CONFIG;
use super::not_taken::endings_not_read;
use super::outlook::{Fate, Outlook};
use super::unit_limits::{UnitLimits, allowing};
use super::{CommandError, block_on};
use crate::config::{Config, Folder, SourcePolicy};
use crate::disk::{self, Question};
use crate::path_error::{AtPath as _, PathError};
use crate::pool::{Worker, WorkerSpec};
use crate::room::{MinFree, RoomError, TooFull};

/// Prints "ok" and what is served, or every fault.
pub fn run(config_file: &Path) -> Result<ExitCode, CommandError> {
    let (config, found) = Config::read(config_file)?;
    let mut faults: Vec<String> = found.iter().map(ToString::to_string).collect();
    // All are begun before the first is waited for: disks that do not answer are waited for together.
    let looks: Vec<Look> = looks(&config).collect();
    let mut is_read_only = false;
    faults.extend(looks.into_iter().filter_map(|look| {
        let fault = look.question.answer().flatten().err()?;
        is_read_only |= fault.io().kind() == ErrorKind::ReadOnlyFilesystem;
        Some(format!("{}: {fault}", look.what))
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
    for warning in config.warnings() {
        writeln!(out, "  warning: {warning}")?;
    }
    let min_free = config.daemon.min_free;
    let full = full_disks([config.daemon.state_dir.as_path()], min_free);
    for disk in full {
        writeln!(out, "  no photo is begun for now: {disk}")?;
    }
    for folder in &config.folders {
        tell(&mut out, folder, min_free)?;
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
fn tell(out: &mut impl Write, folder: &Arc<Folder>, min_free: MinFree) -> Result<(), CommandError> {
    let (input, output) = (folder.input.display(), folder.output.display());
    let Folder { name, model, .. } = folder.as_ref();
    let patterns = folder.include.patterns().join(", ");
    let settle = humantime::format_duration(folder.settle);
    writeln!(out, "  {name}: {input} -> {output}")?;
    writeln!(
        out,
        "    takes {patterns} once unchanged for {settle}, and cuts them out with model {model}"
    )?;
    let not_read = endings_not_read(&folder.include);
    if !not_read.is_empty() {
        let not_read = not_read.join(", ");
        tracing::warn!(
            "`include` of folder \"{name}\" names {not_read}, which no decoder reads: such files are set aside; \
             export photos of these kinds as JPEG or TIFF"
        );
    }
    let outlook = Outlook::of(folder)?;
    writeln!(out, "    {outlook}")?;
    for sentence in outlook.not_taken() {
        writeln!(out, "    {sentence}")?;
    }
    writeln!(out, "    {}", Fate(folder))?;
    let written = [folder.output.as_path()].into_iter();
    for disk in full_disks(written.chain(folder.own_folders()), min_free) {
        writeln!(out, "    its photos wait for now: {disk}")?;
    }
    Ok(())
}

/// The disks of `folders` that have less free than must stay free.
fn full_disks<'a>(
    folders: impl IntoIterator<Item = &'a Path>,
    min_free: MinFree,
) -> impl Iterator<Item = TooFull> {
    let looks = folders.into_iter().map(move |path| {
        let folder = path.to_owned();
        disk::ask(path, move |_| min_free.check_path(&folder)).answer()
    });
    // That a folder cannot be looked at is a fault of its own.
    looks.filter_map(|look| match look {
        Ok(Err(RoomError::TooFull(disk))) => Some(disk),
        Ok(Ok(()) | Err(RoomError::Io(_))) | Err(_) => None,
    })
}

async fn try_worker(config: &Config) -> Result<(), CommandError> {
    let worker = Worker::start(Arc::new(WorkerSpec::of(config))).await?;
    worker.prove().await?;
    Ok(())
}

/// A look at a path that the configuration names.
struct Look {
    /// How the configuration calls it.
    what: String,
    question: Question<Result<(), PathError>>,
}

impl Look {
    fn begin(what: String, path: &Path, look: fn(&Path) -> Result<(), PathError>) -> Self {
        let asked = path.to_owned();
        let question = disk::ask(path, move |_| look(&asked));
        Self { what, question }
    }
}

/// Begins to look at everything that must be there.
fn looks(config: &Config) -> impl Iterator<Item = Look> {
    let state_dir = Look::begin("`state_dir`".to_owned(), &config.daemon.state_dir, writable);
    let folders = config.folders.iter().flat_map(|folder| looks_at(folder));
    let notify = config.notify.iter();
    let command = notify.filter_map(|notify| notify.command.as_ref());
    let command = command
        .map(|told| Look::begin("`command` in [notify]".to_owned(), &told.program, runnable));
    std::iter::once(state_dir).chain(folders).chain(command)
}

fn looks_at(folder: &Folder) -> Vec<Look> {
    let what = |key: &str| format!("`{key}` of folder \"{}\"", folder.name);
    let takes_away = folder.own_folders().next().is_some() || folder.source == SourcePolicy::Delete;
    let input = if takes_away { emptiable } else { readable };
    let mut looks = vec![
        Look::begin(what("input"), &folder.input, input),
        Look::begin(what("output"), &folder.output, writable),
    ];
    let own = folder.own_folders();
    looks.extend(own.map(|own| Look::begin(what("done` or `failed"), own, writable)));
    looks
}

fn readable(folder: &Path) -> Result<(), PathError> {
    directory(folder)?;
    allows(folder, Access::READ_OK | Access::EXEC_OK)
}

fn emptiable(folder: &Path) -> Result<(), PathError> {
    readable(folder)?;
    allows(folder, Access::WRITE_OK)
}

/// A folder that hotcut makes when it is first needed: the deepest part that exists must be writable.
fn writable(folder: &Path) -> Result<(), PathError> {
    let existing = folder
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(folder);
    directory(existing)?;
    allows(existing, Access::WRITE_OK | Access::EXEC_OK)
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
