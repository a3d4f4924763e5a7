//! `hotcut redo`: puts finished photos back into the queue, for another model or other edges. A running daemon notices at once.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::CommandError;
use crate::config::{Config, Folder};
use crate::fs::disk;
use crate::fs::disk::Question;
use crate::fs::stamp::Stamp;
use crate::ledger::{DonePhoto, open_existing};
use crate::percent;

/// Puts back the photos cut by `of_model`, if given, and of these only `files`, if there are any.
pub fn run(
    config_file: &Path,
    of_model: Option<&str>,
    files: &[PathBuf],
) -> Result<ExitCode, CommandError> {
    let config = super::read_leniently(config_file)?;
    let mut out = stdout().lock();
    let mut ledger = open_existing(&config.daemon.state_dir)?;
    let wanted = Wanted::of(&config, of_model, files)?;
    let mut looks = Vec::new();
    for folder in &config.folders {
        let mut done = match &mut ledger {
            Some(ledger) => ledger.done(&folder.name)?,
            None => Vec::new(),
        };
        done.retain(|photo| wanted.has(folder, photo));
        looks.push(look_for(folder, done));
    }
    let (mut again, mut away, mut has_silent) = (0, 0, false);
    for look in looks {
        let photos = look.answer().unwrap_or_else(|error| {
            tracing::error!("{error}; no photo of this folder is cut out again");
            has_silent = true;
            Vec::new()
        });
        for (photo, is_there) in photos {
            if !is_there {
                away += 1;
            } else if let Some(ledger) = &mut ledger
                && ledger.redo(&photo.version)?
            {
                again += 1;
            }
        }
    }
    writeln!(
        out,
        "to be cut out again, each with the model and edges of its folder: {again}"
    )?;
    if away > 0 {
        writeln!(
            out,
            "no longer in their hot folders as they were, so their cutouts stay: {away}"
        )?;
    }
    if has_silent || again == 0 && !files.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Which photos to put back.
struct Wanted<'a> {
    of_model: Option<&'a str>,
    /// Photos by their folder's name and their path below it; `None` means all.
    photos: Option<Vec<(&'a str, PathBuf)>>,
}

impl<'a> Wanted<'a> {
    fn of(
        config: &'a Config,
        of_model: Option<&'a str>,
        files: &[PathBuf],
    ) -> Result<Self, CommandError> {
        let mut photos = Vec::new();
        for file in files {
            let real = std::path::absolute(file)?;
            let below = config.folders.iter().find_map(|folder| {
                let below = real.strip_prefix(&folder.input).ok()?;
                Some((folder.name.as_str(), below.to_owned()))
            });
            let unknown = || CommandError::InNoFolder(percent::display(file));
            photos.push(below.ok_or_else(unknown)?);
        }
        Ok(Self {
            of_model,
            photos: (!files.is_empty()).then_some(photos),
        })
    }

    fn has(&self, folder: &Folder, photo: &DonePhoto) -> bool {
        let is_named = self.photos.as_ref().is_none_or(|photos| {
            let mut photos = photos.iter();
            photos.any(|(name, path)| *name == folder.name && *path == photo.version.source)
        });
        is_named && self.of_model.is_none_or(|model| model == photo.model)
    }
}

/// Starts to check whether each photo is still the file that was cut. A changed file is cut anyway.
fn look_for(folder: &Folder, photos: Vec<DonePhoto>) -> Question<Vec<(DonePhoto, bool)>> {
    let input = folder.input.clone();
    disk::ask(&folder.input, move |pulse| {
        let look = |photo: DonePhoto| {
            pulse.step();
            let version = &photo.version;
            let is_there = rustix::fs::lstat(input.join(&version.source))
                .is_ok_and(|stat| Stamp::of(&stat).same_version(&version.stamp));
            (photo, is_there)
        };
        photos.into_iter().map(look).collect()
    })
}
