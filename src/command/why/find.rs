//! Converts a path from the command line to a photo of a hot folder. Must not wait for a disk that does not respond.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FileType;

use crate::command::CommandError;
use crate::config::{Config, Folder};
use crate::fs::disk;
use crate::fs::disk::Question;
use crate::fs::stamp::Stamp;
use crate::ledger::LedgerStore;
use crate::percent;

/// Finds the hot folder of `file`, and the path below it.
pub(super) fn find<'a>(
    config: &'a Config,
    mut ledger: Option<&mut (dyn LedgerStore + 'static)>,
    file: &Path,
) -> Result<Option<(&'a Arc<Folder>, PathBuf)>, CommandError> {
    let path = std::path::absolute(file)?;
    for folder in &config.folders {
        let roots = folder.own_folders().chain([folder.input.as_path()]);
        let mut below = roots.filter_map(|root| path.strip_prefix(root).ok());
        if let Some(source) = below.next() {
            return Ok(Some((folder, source.to_owned())));
        }
    }
    if let Some(ledger) = &mut ledger
        && let Some((name, source)) = ledger.source_of(&path)?
        && let Some(folder) = config.folders.iter().find(|folder| folder.name == name)
    {
        return Ok(Some((folder, source)));
    }
    let printed = file.to_str().map(percent::decode);
    let mut looks = Vec::new();
    for folder in &config.folders {
        for source in [Some(file.to_owned()), printed.clone()]
            .into_iter()
            .flatten()
        {
            let is_recorded = match &mut ledger {
                Some(ledger) => !ledger.history(&folder.name, &source)?.is_empty(),
                None => false,
            };
            if is_recorded {
                return Ok(Some((folder, source)));
            }
            // Joining an absolute path to a folder would return the absolute path.
            if source.is_relative() {
                looks.push((look(&folder.input.join(&source)), folder, source));
            }
        }
    }
    let is_there = |look: Question<Option<_>>| matches!(look.answer(), Ok(Some(_)));
    let mut found = looks
        .into_iter()
        .filter_map(|(look, folder, source)| is_there(look).then_some((folder, source)));
    Ok(found.next())
}

/// Whether a folder between `input` and the photo is a link; false when the disk does not respond.
pub(super) fn has_link(input: &Path, source: &Path) -> bool {
    let folders = source.ancestors().skip(1);
    let folders = folders.filter(|folder| !folder.as_os_str().is_empty());
    let paths: Vec<PathBuf> = folders.map(|folder| input.join(folder)).collect();
    let look = disk::ask(input, move |_| paths.iter().any(|path| path.is_symlink()));
    look.answer().unwrap_or(false)
}

/// Starts to read the metadata of `path`.
pub(super) fn look(path: &Path) -> Question<Option<(FileType, Stamp)>> {
    let asked = path.to_owned();
    disk::ask(path, move |_| {
        let stat = rustix::fs::lstat(&asked).ok()?;
        Some((FileType::from_raw_mode(stat.st_mode), Stamp::of(&stat)))
    })
}
