//! Converts the inputs of a run to jobs, as if each input were a hot folder with settled files.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{Edges, FailedPolicy, Folder};
use crate::fs::disk::Pulse;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::root::Root;
use crate::fs::stamp::Stamp;
use crate::intake::{
    FileFilter, Found, Listing, NotTaken, Observation, PATIENCE, Settle, SettledFile, Walk, Writer,
};
use crate::job::{CutOptions, Job, OutputPlace};

/// The jobs of a run, and what was left out.
pub(super) struct CutPlan {
    pub(super) jobs: Vec<Job>,
    /// Inputs that cannot be read.
    pub(super) missing: Vec<(PathBuf, PathError)>,
    /// Files of the inputs that are not taken.
    pub(super) not_taken: NotTaken,
}

/// The inputs and the settings for their cutouts.
pub(super) struct Search {
    pub(super) inputs: Vec<PathBuf>,
    /// The folder for the cutouts; an absolute path.
    pub(super) output: PathBuf,
    pub(super) cut_options: CutOptions,
    pub(super) model: String,
    pub(super) edges: Edges,
}

/// Finds the photos of `search`.
pub(super) fn plan(search: &Search) -> CutPlan {
    let mut plan = CutPlan {
        jobs: Vec::new(),
        missing: Vec::new(),
        not_taken: NotTaken::default(),
    };
    for input in &search.inputs {
        match jobs_of(input, search) {
            Ok((jobs, listing)) => {
                plan.jobs.extend(jobs);
                let unreadable = listing.unreadable;
                plan.missing
                    .extend(unreadable.map(|error| (error.path().to_owned(), error)));
                plan.not_taken.add(&listing.not_taken);
            }
            Err(error) => {
                let path = std::path::absolute(input).unwrap_or_else(|_| input.clone());
                plan.missing.push((path, error));
            }
        }
    }
    plan
}

fn jobs_of(input: &Path, search: &Search) -> Result<(Vec<Job>, Listing), PathError> {
    let real = input.canonicalize().at(input)?;
    let is_folder = real.is_dir();
    let root = if is_folder {
        real.as_path()
    } else {
        real.parent().unwrap_or(&real)
    };
    let folder = Arc::new(folder(root, search).at(input)?);
    let (found, listing) = if is_folder {
        list(&folder, &search.output)?
    } else {
        (vec![look(&real)?], Listing::default())
    };
    let jobs = found.into_iter().filter_map(settle).map(|file| Job {
        folder: Arc::clone(&folder),
        file,
        outputs: OutputPlace::all_of(&folder),
        cut_options: Some(search.cut_options.clone()),
    });
    Ok((jobs.collect(), listing))
}

fn folder(input: &Path, search: &Search) -> std::io::Result<Folder> {
    let name = input.display().to_string();
    let plain = Folder::plain(name, input.to_owned(), search.output.clone())?;
    Ok(Folder {
        model: search.model.clone(),
        edges: search.edges,
        settle: Duration::ZERO,
        failed: FailedPolicy::Leave,
        ..plain
    })
}

fn list(folder: &Arc<Folder>, output: &Path) -> Result<(Vec<Observation>, Listing), PathError> {
    let root = Root::open(&folder.input, None)?;
    let filter = FileFilter::new(Arc::clone(folder));
    let mut all = Vec::new();
    let walk = Walk {
        root: &root,
        filter: &filter,
        pulse: &Pulse::default(),
    };
    let listing = walk.below::<Infallible>(Path::new(""), &mut |found| {
        all.extend(found);
        Ok(())
    });
    // An output folder inside the input contains results, not photos.
    let own = output
        .strip_prefix(&folder.input)
        .ok()
        .filter(|own| !own.as_os_str().is_empty());
    all.retain(|file| own.is_none_or(|own| !file.relative.starts_with(own)));
    all.sort_by(|one, two| one.relative.cmp(&two.relative));
    let Ok(listing) = listing;
    Ok((all, listing))
}

fn look(file: &Path) -> Result<Observation, PathError> {
    let stat = rustix::fs::stat(file).at(file)?;
    let stamp = Stamp::of(&stat);
    if stamp.len == 0 {
        let empty = io::Error::new(io::ErrorKind::InvalidData, "the file is empty");
        return Err(empty).at(file);
    }
    Ok(Observation {
        relative: file.file_name().map(PathBuf::from).unwrap_or_default(),
        found: Found::File(stamp),
        writer: Writer::Absent,
    })
}

/// A file named on the command line counts as complete.
fn settle(found: Observation) -> Option<SettledFile> {
    let now = Instant::now();
    let found = Observation {
        writer: Writer::Absent,
        ..found
    };
    let mut settle = Settle::new(Duration::ZERO);
    let first = settle.observe(found.clone(), now);
    let file = first.or_else(|| settle.observe(found.clone(), now))?;
    // The file counts as settled, even if it ends in zeros.
    settle.hold(file, now);
    settle.observe(found, now + PATIENCE)
}
