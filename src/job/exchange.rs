//! Sends an open photo to a worker and writes the PNG to a temporary file. Places nothing.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::attempt::OpenPhoto;
use super::watched::Watched;
use super::worker_lease::WorkerLease;
use super::{Job, JobContext, JobError};
use crate::config::OutputSpec;
use crate::delivery::Temp;
use crate::fs::detached::Detached;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::imaging::{CutReport, CutoutError, ZeroEnd};
use crate::intake::SourceError;
use crate::percent;
use crate::worker::{OrderError, Task};

/// Has the photo cut out within the timeout; ends a worker that cannot be used again.
pub(super) async fn run(
    job: &Job,
    context: &JobContext,
    lease: &mut WorkerLease,
    photo: OpenPhoto,
    temp: &Temp,
) -> Result<CutReport, JobError> {
    let limit = context.timeout;
    let is_waiting = AtomicBool::new(false);
    let files = ExchangeFiles {
        photo,
        temp,
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
    temp: &'a Temp,
    /// Whether the exchange waits for the disk of the photo or of the temporary file.
    is_waiting: &'a AtomicBool,
}

/// Sends the photo and receives the PNG.
async fn exchange(
    job: &Job,
    context: &JobContext,
    lease: &mut WorkerLease,
    files: ExchangeFiles<'_>,
) -> Result<CutReport, ExchangeError> {
    let ExchangeFiles {
        photo,
        temp,
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
    let writer = temp
        .writer()
        .map_err(|error| ExchangeError::Job(error.into()))?;
    let mut sink = Watched {
        file: Detached::new(tokio::fs::File::from_std(writer)),
        is_waiting,
    };
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
        outputs: vec![OutputSpec::default()],
    };
    let photo = Watched {
        file: Detached::new(tokio::fs::File::from_std(photo.file.into_inner())),
        is_waiting,
    };
    worker.send(task, photo, length).await?;
    let len = worker.next_file().await?;
    worker.receive(len, &mut sink).await?;
    Ok(worker.finish().await?)
}

/// Converts an error of the exchange to a [`JobError`].
async fn judge(
    job: &Job,
    lease: &mut WorkerLease,
    result: Result<CutReport, ExchangeError>,
) -> Result<CutReport, JobError> {
    let error = match result {
        Ok(report) => return Ok(report),
        Err(ExchangeError::Job(error)) => return Err(error),
        Err(ExchangeError::Order(OrderError::Failed(error))) => {
            return Err(JobError::Cutout(error));
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
        OrderError::Sink(error) => Err(JobError::Output(at(error, &job.folder.output))),
        OrderError::Lost(_) | OrderError::Failed(_) => Err(match ending.shortage {
            Some(shortage) => JobError::Short(shortage),
            None => JobError::WorkerDied(ending),
        }),
    }
}

enum ExchangeError {
    Job(JobError),
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
