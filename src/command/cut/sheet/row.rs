//! Makes the row of a sheet for a photo and its cutout; a worker shrinks both. Must not decode photos.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::list::SheetEntry;
use super::panels::{PanelRow, Small};
use super::{SIDE, picture};
use crate::blocking::{blocking, unpanicked};
use crate::fs::path_error::{AtPath as _, PathError};
use crate::imaging::CutoutError;
use crate::intake::{SourceError, SourceFile};
use crate::worker::{OrderError, StartError, Task, Worker, WorkerSpec};

/// The longest PNG accepted from a worker, in bytes. Small pictures are far below this limit, even with a colour profile.
const PNG_BYTES_MAX: u64 = 16 << 20;

/// Why a photo is not on the sheet.
#[derive(Debug, thiserror::Error)]
pub(super) enum RowError {
    /// The photo was removed or changed.
    #[error(transparent)]
    Photo(#[from] SourceError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] PathError),
    /// No worker can be started.
    #[error(transparent)]
    NoWorker(#[from] StartError),
    /// The worker refused the picture.
    #[error("it cannot be shrunk: {0}")]
    Refused(#[source] CutoutError),
    /// The order failed.
    #[error("it cannot be shrunk: {0}")]
    CutArguments(#[source] OrderError),
    /// The worker was killed at the deadline.
    #[error("it was not shrunk within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The worker's PNG cannot be read.
    #[error("it cannot be shrunk: {0}")]
    Picture(#[source] io::Error),
    /// The photo or the cutout has changed since.
    #[error("the photo and its cutout differ in size")]
    Unequal,
}

/// Makes rows with workers.
#[derive(Debug)]
pub(super) struct RowMaker {
    idle: Vec<Worker>,
    spec: Arc<WorkerSpec>,
    limit: Duration,
}

/// A finished attempt at a row.
#[derive(Debug)]
struct Made {
    place: usize,
    photo: PathBuf,
    /// The worker, if it can be used again.
    worker: Option<Worker>,
    row: Result<PanelRow, RowError>,
}

impl RowMaker {
    /// Uses the `idle` workers, and starts others from `spec` for lost ones. An order may take `limit`.
    pub(super) fn new(idle: Vec<Worker>, spec: Arc<WorkerSpec>, limit: Duration) -> Self {
        Self { idle, spec, limit }
    }

    /// Makes the rows in the order of the entries. Fails when no worker can be started.
    pub(super) async fn make(
        mut self,
        entries: Vec<SheetEntry>,
    ) -> Result<Vec<(PathBuf, Result<PanelRow, RowError>)>, StartError> {
        let size = self.idle.len().max(1);
        let mut rows: Vec<_> = entries.iter().map(|_| None).collect();
        let mut waiting: VecDeque<_> = entries.into_iter().enumerate().collect();
        let mut running = JoinSet::new();
        loop {
            while running.len() < size
                && let Some((place, entry)) = waiting.pop_front()
            {
                let hand = Hand {
                    worker: self.idle.pop(),
                    spec: Arc::clone(&self.spec),
                    limit: self.limit,
                };
                running.spawn(hand.make(place, entry));
            }
            let Some(made) = running.join_next().await else {
                return Ok(rows.into_iter().flatten().collect());
            };
            let made: Made = unpanicked(made);
            self.idle.extend(made.worker);
            let row = match made.row {
                Err(RowError::NoWorker(error)) => return Err(error),
                row => Some((made.photo, row)),
            };
            if let Some(place) = rows.get_mut(made.place) {
                *place = row;
            }
        }
    }
}

/// What one row needs.
#[derive(Debug)]
struct Hand {
    worker: Option<Worker>,
    spec: Arc<WorkerSpec>,
    limit: Duration,
}

impl Hand {
    async fn make(mut self, place: usize, entry: SheetEntry) -> Made {
        let photo = entry.photo.clone();
        let row = self.row(entry).await;
        Made {
            place,
            photo,
            worker: self.worker,
            row,
        }
    }

    async fn row(&mut self, entry: SheetEntry) -> Result<PanelRow, RowError> {
        let opened = blocking(move || open(&entry)).await;
        let [photo, cutout] = opened?;
        let photo = self.shrink(photo).await?;
        let cutout = self.shrink(cutout).await?;
        PanelRow::new(photo, cutout).ok_or(RowError::Unequal)
    }

    /// Lets a worker shrink a picture. After an error the worker is not used again.
    async fn shrink(&mut self, (file, len): (File, u64)) -> Result<Small, RowError> {
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(Arc::clone(&self.spec)).await?,
        };
        let exchange = async {
            let task = Task::Shrink { side: SIDE };
            let file = tokio::fs::File::from_std(file);
            worker.send(task, file, len).await?;
            let len = worker.next_file().await?;
            if len > PNG_BYTES_MAX {
                return Err(OrderError::Lost(io::ErrorKind::InvalidData.into()));
            }
            let mut png = Vec::new();
            worker.receive(len, &mut png).await?;
            worker.finish().await?;
            Ok(png)
        };
        let png = match tokio::time::timeout(self.limit, exchange).await {
            Ok(Ok(png)) => Ok(png),
            Ok(Err(OrderError::Failed(error))) => Err(RowError::Refused(error)),
            ended => {
                worker.end().await;
                return Err(match ended {
                    Ok(Err(error)) => RowError::CutArguments(error),
                    Ok(Ok(_)) | Err(_) => RowError::TimedOut(self.limit),
                });
            }
        };
        self.worker = Some(worker);
        picture::decode(&png?).map_err(RowError::Picture)
    }
}

/// Opens the photo and the cutout; returns them with their lengths.
fn open(entry: &SheetEntry) -> Result<[(File, u64); 2], RowError> {
    let job = &entry.job;
    let photo = SourceFile::open(&job.folder.input, &job.file)?.reader()?;
    let cutout = File::open(&entry.output).at(&entry.output)?;
    let with_len = |file: File, path: &Path| {
        let len = file.metadata().at(path)?.len();
        Ok::<_, PathError>((file, len))
    };
    let photo = with_len(photo, &entry.photo)?;
    Ok([photo, with_len(cutout, &entry.output)?])
}
