//! Writes a sheet: one PNG that shows each photo of a run beside its cutout. Must not decode photos.

mod error;
mod list;
mod panels;
mod picture;
mod place;
mod row;

use std::sync::Arc;
use std::time::Duration;

pub use error::SheetError;
pub(super) use list::{SheetEntry, SheetList};
pub(super) use place::SheetPlace;

use super::report::CutReporter;
use crate::blocking::blocking;
use crate::percent;
use crate::worker::{Worker, WorkerSpec};
use row::RowMaker;

/// The longer side of a panel at most, in pixels.
const SIDE: u32 = 480;

/// What remains of a batch when all photos are finished.
#[derive(Debug)]
pub(super) struct FinishedBatch {
    /// The finished photos.
    pub(super) list: SheetList,
    /// The idle workers.
    pub(super) workers: Vec<Worker>,
    /// The specification for further workers.
    pub(super) spec: Arc<WorkerSpec>,
    /// Distinguishes this run's hidden names from those of other runs.
    pub(super) ledger_id: String,
}

/// Writes the sheet of a run to `place`. Reports each photo that is missing from the sheet. Each order to a worker may take
/// `limit`.
///
/// # Errors
/// The sheet cannot be made or written, or another file has its name.
pub(super) async fn write(
    finished_batch: FinishedBatch,
    place: SheetPlace,
    limit: Duration,
    reporter: &CutReporter,
) -> Result<(), SheetError> {
    let FinishedBatch {
        list,
        workers,
        spec,
        ledger_id,
    } = finished_batch;
    let (entries, left_out) = list.into_entries();
    if entries.is_empty() {
        reporter.say("no sheet was written: no photo was cut out");
        return Ok(());
    }
    let mut rows = Vec::new();
    for (photo, row) in RowMaker::new(workers, spec, limit).make(entries).await? {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => {
                let photo = percent::display(&photo);
                reporter.say(&format!("{photo} is not on the sheet: {error}"));
            }
        }
    }
    if left_out > 0 {
        let most = list::ROWS_MAX;
        reporter.say(&format!(
            "a sheet shows {most} photos; {left_out} more are not on it"
        ));
    }
    if rows.is_empty() {
        return Err(SheetError::Empty);
    }
    // Dropped together with this future, so that a stop leaves no partial file.
    let waiting = Arc::new(());
    let is_waited_for = Arc::downgrade(&waiting);
    let write = move || place.write(&rows, &ledger_id, &is_waited_for);
    let written = blocking(write).await;
    drop(waiting);
    written
}
