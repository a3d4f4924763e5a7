//! `hotcut retry`: puts quarantined photos back into the queue. A running daemon notices at once.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::CommandError;
use crate::config::{Config, FailedPolicy, Folder};
use crate::ledger::{LedgerStore, Quarantined, open_existing};
use crate::percent;

/// A quarantined photo and its folder.
type QuarantinedIn<'a> = (&'a Folder, Quarantined);

/// Retries `files`, or every quarantined photo when there are none.
pub fn run(config_file: &Path, files: &[PathBuf]) -> Result<ExitCode, CommandError> {
    let config = super::read_leniently(config_file)?;
    let mut out = stdout().lock();
    let Some(mut ledger) = open_existing(&config.daemon.state_dir)? else {
        return match files.first() {
            Some(file) => Err(CommandError::NotQuarantined(percent::display(file))),
            None => Ok(ExitCode::SUCCESS),
        };
    };
    let wanted = match files {
        [] => all(&mut *ledger, &config)?,
        files => files
            .iter()
            .map(|file| find(&mut *ledger, &config, file))
            .collect::<Result<_, _>>()?,
    };
    if wanted.is_empty() {
        writeln!(out, "nothing is quarantined")?;
    }
    let mut away = 0;
    for (folder, row) in wanted {
        let source = percent::display(&row.source);
        if row.is_moved {
            away += 1;
            writeln!(out, "{}: {source} {}", folder.name, moved(folder))?;
        } else if ledger.retry(&folder.name, &row.source)? {
            writeln!(out, "{}: {source} is tried again", folder.name)?;
        }
    }
    if away > 0 && !files.is_empty() {
        return Err(CommandError::Away(away));
    }
    Ok(ExitCode::SUCCESS)
}

/// Says where a moved photo is and how to retry it.
fn moved(folder: &Folder) -> String {
    let input = folder.input.display();
    match &folder.failed {
        FailedPolicy::Move(failed) => format!(
            "was moved to {}; move it back to {input} to have it tried again",
            failed.display()
        ),
        FailedPolicy::Note | FailedPolicy::Leave => {
            format!("was moved away; move it back to {input} to have it tried again")
        }
    }
}

fn all<'a>(
    ledger: &mut dyn LedgerStore,
    config: &'a Config,
) -> Result<Vec<QuarantinedIn<'a>>, CommandError> {
    let mut found = Vec::new();
    for folder in &config.folders {
        let rows = ledger.quarantined(&folder.name)?;
        found.extend(rows.into_iter().map(|row| (folder.as_ref(), row)));
    }
    Ok(found)
}

/// Finds the photo for `file`: its path, or its path below a hot folder as `status` prints it.
fn find<'a>(
    ledger: &mut dyn LedgerStore,
    config: &'a Config,
    file: &Path,
) -> Result<QuarantinedIn<'a>, CommandError> {
    let real = std::path::absolute(file)?;
    let printed = file.to_str().map(percent::decode);
    for folder in &config.folders {
        let roots = folder.own_folders().chain([folder.input.as_path()]);
        let mut below: Vec<&Path> = roots
            .filter_map(|root| real.strip_prefix(root).ok())
            .collect();
        below.extend([Some(file), printed.as_deref()].into_iter().flatten());
        for row in ledger.quarantined(&folder.name)? {
            if below.contains(&row.source.as_path()) {
                return Ok((folder, row));
            }
        }
    }
    Err(CommandError::NotQuarantined(percent::display(file)))
}
