//! Sends an open photo to a worker and writes each received file to its temporary file. Places nothing.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use tokio::io::AsyncWrite;

use super::attempt::{OpenOutput, OpenPhoto, ReceivedOutput};
use super::watched::Watched;
use super::worker_lease::WorkerLease;
use super::{Job, JobContext, JobError};
use crate::fs::detached::Detached;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::imaging::{CutReport, CutoutError, ZeroEnd};
use crate::intake::SourceError;
use crate::percent;
use crate::worker::{OrderError, Task, Worker};

/// The report and the files of one exchange.
type Exchanged = (CutReport, Vec<ReceivedOutput>);

/// Has the outputs made within the timeout; ends a worker that cannot be used again.
pub(super) async fn run(
    job: &Job,
    context: &JobContext,
    lease: &mut WorkerLease,
    photo: OpenPhoto,
    outputs: Vec<OpenOutput>,
) -> Result<Exchanged, JobError> {
    let limit = context.timeout;
    let is_waiting = AtomicBool::new(false);
    let files = ExchangeFiles {
        photo,
        outputs,
        is_waiting: &is_waiting,
    };
    let exchange = exchange(job, context, lease, files);
    match tokio::time::timeout(limit, exchange).await {
        Ok(result) => judge(job, lease, result).await,
        Err(_) => {
            let ending = lease.end_worker().await;
            // The disk is at fault, not the photo or the worker.
            if is_waiting.into_inner() {
                return Err(JobError::Stalled(limit));
            }
            Err(JobError::TimedOut(limit, ending))
        }
    }
}

struct ExchangeFiles<'a> {
    photo: OpenPhoto,
    outputs: Vec<OpenOutput>,
    /// Whether the exchange waits for the disk of the photo or of a temporary file.
    is_waiting: &'a AtomicBool,
}

/// Sends the photo and receives its files.
async fn exchange(
    job: &Job,
    context: &JobContext,
    lease: &mut WorkerLease,
    files: ExchangeFiles<'_>,
) -> Result<Exchanged, ExchangeError> {
    let ExchangeFiles {
        photo,
        outputs,
        is_waiting,
    } = files;
    let length = job.file.stamp().len;
    if length > context.memory_bytes {
        return Err(ExchangeError::Job(JobError::TooHeavy(
            CutoutError::OutOfMemory,
        )));
    }
    if photo.has_hole && !job.file.patience_is_over() {
        return Err(ExchangeError::Job(SourceError::Unwritten.into()));
    }
    let mut sinks = Vec::with_capacity(outputs.len());
    for open in &outputs {
        let writer = open.temp.writer();
        let writer = writer.map_err(|error| ExchangeError::Job(error.into()))?;
        sinks.push(Watched {
            file: Detached::new(tokio::fs::File::from_std(writer)),
            is_waiting,
        });
    }
    let Some(worker) = lease.worker() else {
        return Err(ExchangeError::Job(JobError::Stalled(context.timeout)));
    };
    let task = Task::Cut {
        model: job.folder.model.clone(),
        source: percent::encode(job.file.relative()),
        zeros: if job.file.patience_is_over() {
            ZeroEnd::Accept
        } else {
            ZeroEnd::Refuse
        },
        edges: job.folder.edges,
        outputs: outputs.iter().map(|open| open.chosen.place.spec).collect(),
    };
    let photo = Watched {
        file: Detached::new(tokio::fs::File::from_std(photo.file.into_inner())),
        is_waiting,
    };
    worker.send(task, photo, length).await?;
    let mut received = Vec::with_capacity(outputs.len());
    for (open, sink) in outputs.into_iter().zip(&mut sinks) {
        let len = receive(worker, &open, sink).await?;
        received.push(ReceivedOutput { open, len });
    }
    Ok((worker.finish().await?, received))
}

/// Writes the next file to `sink`, the temporary file of `open`; returns its length in bytes.
async fn receive(
    worker: &mut Worker,
    open: &OpenOutput,
    sink: &mut (impl AsyncWrite + Unpin),
) -> Result<u64, ExchangeError> {
    let len = worker.next_file().await?;
    match worker.receive(len, sink).await {
        Err(OrderError::Sink(error)) => {
            Err(ExchangeError::Sink(at(error, &open.chosen.place.folder)))
        }
        received => Ok(received.map(|()| len)?),
    }
}

/// Converts an error of the exchange to a [`JobError`].
async fn judge(
    job: &Job,
    lease: &mut WorkerLease,
    result: Result<Exchanged, ExchangeError>,
) -> Result<Exchanged, JobError> {
    let error = match result {
        Ok(received) => return Ok(received),
        Err(ExchangeError::Job(error)) => return Err(error),
        Err(ExchangeError::Order(OrderError::Failed(error))) => {
            return Err(JobError::Cutout(error));
        }
        Err(ExchangeError::Sink(error)) => {
            lease.end_worker().await;
            return Err(JobError::Output(error));
        }
        Err(ExchangeError::Order(error)) => error,
    };
    let ending = lease.end_worker().await;
    let path = job.folder.input.join(job.file.relative());
    match error {
        // The file is shorter than before: a program is writing it again.
        OrderError::Photo(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(JobError::Source(SourceError::Changed))
        }
        OrderError::Photo(error) => Err(SourceError::from(at(error, &path)).into()),
        OrderError::Lost(_) | OrderError::Failed(_) | OrderError::Sink(_) => {
            Err(match ending.shortage {
                Some(shortage) => JobError::Short(shortage),
                None => JobError::WorkerDied(ending),
            })
        }
    }
}

enum ExchangeError {
    /// The worker can be used again.
    Job(JobError),
    /// A file could not be written.
    Sink(PathError),
    Order(OrderError),
}

impl From<OrderError> for ExchangeError {
    fn from(error: OrderError) -> Self {
        Self::Order(error)
    }
}

fn at(error: std::io::Error, path: &Path) -> PathError {
    match Err::<std::convert::Infallible, _>(error).at(path) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}
