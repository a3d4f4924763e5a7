//! Photos that were cut out in a run -> a sheet: one PNG that shows each beside its cutout. Decodes no photo.

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

/// What is left of a batch when its photos are dealt with.
#[derive(Debug)]
pub(super) struct FinishedBatch {
    /// What was cut out.
    pub(super) list: SheetList,
    /// The workers that are idle now.
    pub(super) workers: Vec<Worker>,
    /// What to start others with.
    pub(super) spec: Arc<WorkerSpec>,
    /// Tells hidden names of this run from those of another.
    pub(super) ledger_id: String,
}

/// Writes the sheet of a run to `place`. Photos that are not on it are told of. Each may cost a worker `limit`.
///
/// # Errors
/// There is no sheet, or the earlier one is still there.
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
    // Gone with this future: a stop must leave nothing that is half-written.
    let waiting = Arc::new(());
    let is_waited_for = Arc::downgrade(&waiting);
    let write = move || place.write(&rows, &ledger_id, &is_waited_for);
    let written = blocking(write).await;
    drop(waiting);
    written
}
