//! Photos of a run and their cutouts, as they get done -> the first of them in the order of the inputs. Opens no file.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use crate::job::Job;

/// The most photos on a sheet.
pub(super) const ROWS_MAX: usize = 40;

/// A photo and its cutout.
#[derive(Debug)]
pub(in crate::command::cut) struct SheetEntry {
    /// What the photo is called in reports.
    pub(in crate::command::cut) photo: PathBuf,
    /// The job that has cut it out.
    pub(in crate::command::cut) job: Job,
    /// The cutout.
    pub(in crate::command::cut) output: PathBuf,
}

/// The photos that a sheet is to show.
#[derive(Debug)]
pub(in crate::command::cut) struct SheetList {
    places: HashMap<PathBuf, usize>,
    entries: BTreeMap<usize, SheetEntry>,
    left_out: usize,
}

impl SheetList {
    /// An empty list, in the order of `jobs`.
    pub(in crate::command::cut) fn new(jobs: &[Job]) -> Self {
        Self {
            places: jobs.iter().map(path).zip(0..).collect(),
            entries: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// Notes that a photo is cut out. No more than [`ROWS_MAX`] are kept, the first of all; others are counted.
    pub(in crate::command::cut) fn note(&mut self, entry: SheetEntry) {
        let place = self.places.get(&path(&entry.job)).copied();
        self.entries.insert(place.unwrap_or(usize::MAX), entry);
        if self.entries.len() > ROWS_MAX {
            self.entries.pop_last();
            self.left_out += 1;
        }
    }

    /// The photos, and how many more there are.
    pub(super) fn into_entries(self) -> (Vec<SheetEntry>, usize) {
        (self.entries.into_values().collect(), self.left_out)
    }
}

/// Where the photo of a job lies.
fn path(job: &Job) -> PathBuf {
    job.folder.input.join(job.file.relative())
}
