//! `hotcut retry`: quarantined photos -> the queue again; a running daemon sees it at once.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::CommandError;
use crate::config::Config;
use crate::delivery::Book;
use crate::percent;

/// Retries `files`, or everything quarantined if there are none.
pub fn run(config_file: &Path, files: &[PathBuf]) -> Result<ExitCode, CommandError> {
    let config = super::read_leniently(config_file)?;
    let mut out = stdout().lock();
    let Some(mut book) = Book::open_existing(&config.daemon.state_dir)? else {
        return match files.first() {
            Some(file) => Err(CommandError::NotQuarantined(percent::display(file))),
            None => Ok(ExitCode::SUCCESS),
        };
    };
    let wanted = match files {
        [] => all(&mut book, &config)?,
        files => files
            .iter()
            .map(|file| find(&mut book, &config, file))
            .collect::<Result<_, _>>()?,
    };
    if wanted.is_empty() {
        writeln!(out, "nothing is quarantined")?;
    }
    for (folder, source) in wanted {
        book.retry(&folder, &source)?;
        writeln!(
            out,
            "{folder}: {} is tried again",
            percent::display(&source)
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn all(book: &mut Book, config: &Config) -> Result<Vec<(String, PathBuf)>, CommandError> {
    let mut found = Vec::new();
    for folder in &config.folders {
        let rows = book.quarantined(&folder.name)?;
        found.extend(
            rows.into_iter()
                .map(|row| (folder.name.clone(), row.source)),
        );
    }
    Ok(found)
}

/// Finds the photo that `file` means: its path, or its path below a hot folder as `status` prints it.
fn find(book: &mut Book, config: &Config, file: &Path) -> Result<(String, PathBuf), CommandError> {
    let real = std::path::absolute(file)?;
    let printed = file.to_str().map(percent::decode);
    for folder in &config.folders {
        let below = real.strip_prefix(&folder.input).ok();
        for row in book.quarantined(&folder.name)? {
            let is_meant =
                [below, Some(file), printed.as_deref()].contains(&Some(row.source.as_path()));
            if is_meant {
                return Ok((folder.name.clone(), row.source));
            }
        }
    }
    Err(CommandError::NotQuarantined(percent::display(file)))
}
