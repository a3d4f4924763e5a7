//! Collects finished photos and their cutouts, and keeps the first ones in the order of the inputs. Must not open files.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use crate::job::Job;

/// The most photos on a sheet.
pub(super) const ROWS_MAX: usize = 40;

/// A photo and its cutout.
#[derive(Debug)]
pub(in crate::command::cut) struct SheetEntry {
    /// The photo's name in reports.
    pub(in crate::command::cut) photo: PathBuf,
    /// The job of the photo.
    pub(in crate::command::cut) job: Job,
    /// The cutout.
    pub(in crate::command::cut) output: PathBuf,
}

/// The photos for a sheet.
#[derive(Debug)]
pub(in crate::command::cut) struct SheetList {
    places: HashMap<PathBuf, usize>,
    entries: BTreeMap<usize, SheetEntry>,
    left_out: usize,
}

impl SheetList {
    /// An empty list with the order of `jobs`.
    pub(in crate::command::cut) fn new(jobs: &[Job]) -> Self {
        Self {
            places: jobs.iter().map(path).zip(0..).collect(),
            entries: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// Adds a finished photo. Keeps the first [`ROWS_MAX`] in input order and counts the others.
    pub(in crate::command::cut) fn note(&mut self, entry: SheetEntry) {
        let place = self.places.get(&path(&entry.job)).copied();
        self.entries.insert(place.unwrap_or(usize::MAX), entry);
        if self.entries.len() > ROWS_MAX {
            self.entries.pop_last();
            self.left_out += 1;
        }
    }

    /// The photos, and the number of photos left out.
    pub(super) fn into_entries(self) -> (Vec<SheetEntry>, usize) {
        (self.entries.into_values().collect(), self.left_out)
    }
}

/// The path of the job's photo.
fn path(job: &Job) -> PathBuf {
    job.folder.input.join(job.file.relative())
}
