//! Converts an open photo and a worker to a PNG in an open file, for a caller who waits. Must not know a folder or the ledger: if
//! the caller is gone the request is useless, so nothing about it is stored.

use std::fs::File;
use std::io;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::worker_lease::WorkerReturn;
use crate::fs::disk_space::MinFree;
use crate::imaging::{CutReport, CutoutError};
use crate::worker::{Ending, OrderError, Shortage, Task, Worker};

/// A photo of a caller who waits for the result.
#[derive(Debug)]
pub struct PhotoRequest {
    /// The work requested: one output.
    pub task: Task,
    /// The photo, positioned at its start.
    pub photo: File,
    /// Its length in bytes.
    pub len: u64,
    /// Where the PNG goes.
    pub sink: File,
    /// Sends the result to the caller.
    pub reply: oneshot::Sender<Result<CutReport, RequestError>>,
    /// Its slot in the queue, freed when the request is over.
    pub slot: OwnedSemaphorePermit,
}

/// Why there is no PNG.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The worker found that no PNG can be made.
    #[error(transparent)]
    Cutout(CutoutError),
    /// The worker has another model: the configuration has changed since the request.
    #[error("the model that was asked for is not in use any more")]
    ModelGone,
    /// The worker died while it processed the photo.
    #[error("the process that worked on it crashed ({0})")]
    WorkerDied(Ending),
    /// The worker was killed, or none could be started, because the machine was short of memory or processes.
    #[error("{0}; the photo is not at fault, send it again later")]
    Short(Shortage),
    /// The worker was killed at the deadline.
    #[error("it was not done after {} s (`timeout`)", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The photo or the PNG could not be read or written on this machine.
    #[error("could not read or write it on this machine: {0}")]
    Disk(#[source] io::Error),
}

/// How a request ended, for the metrics.
#[derive(Debug)]
pub enum RequestEnd {
    /// With a cutout.
    Cut(CutReport),
    /// With a smaller picture.
    Shrunk,
    /// No result can be made.
    Refused,
    /// The worker died while it processed the photo.
    WorkerDied,
    /// The machine was short of memory or processes.
    Short(Shortage),
    /// The worker was killed at the deadline.
    TimedOut,
    /// The photo or the PNG could not be read or written on this machine.
    Disk,
}

impl RequestEnd {
    fn of(is_cut: bool, answer: &Result<CutReport, RequestError>) -> Self {
        match answer {
            Ok(report) if is_cut => Self::Cut(report.clone()),
            Ok(_) => Self::Shrunk,
            Err(RequestError::Cutout(_) | RequestError::ModelGone) => Self::Refused,
            Err(RequestError::WorkerDied(_)) => Self::WorkerDied,
            Err(RequestError::Short(shortage)) => Self::Short(shortage.clone()),
            Err(RequestError::TimedOut(_)) => Self::TimedOut,
            Err(RequestError::Disk(_)) => Self::Disk,
        }
    }
}

/// A request that is over except for the answer, which is sent after the request is counted.
#[derive(Debug)]
pub struct EndedRequest {
    /// How it ended.
    pub end: RequestEnd,
    /// The worker, if it is still usable.
    pub worker: WorkerReturn,
    /// The answer to the caller.
    pub answer: Answer,
}

/// An answer and the channel to its caller.
#[derive(Debug)]
pub struct Answer {
    result: Result<CutReport, RequestError>,
    reply: oneshot::Sender<Result<CutReport, RequestError>>,
}

impl Answer {
    /// Sends the answer, unless the caller is gone.
    pub fn give(self) {
        self.reply.send(self.result).ok();
    }
}

/// Runs the request once, within `limit`; keeps `min_free` free on the disk of the PNG. A photo whose worker dies is not tried
/// again: the caller can send it again.
pub async fn run(
    request: PhotoRequest,
    worker: Worker,
    limit: Duration,
    min_free: MinFree,
) -> EndedRequest {
    let PhotoRequest {
        task,
        photo,
        len,
        sink,
        reply,
        slot,
    } = request;
    let mut worker = worker;
    let is_cut = matches!(task, Task::Cut { .. });
    let exchange = async {
        // A worker ends if it is asked for a model that it has not loaded.
        if !worker.spec().can_do(&task) {
            return Ok(Err(RequestError::ModelGone));
        }
        let photo = tokio::fs::File::from_std(photo);
        worker.send(task, photo, len).await?;
        let len = worker.next_file().await?;
        if let Err(error) = min_free.ensure_free(&sink, len) {
            // The worker is healthy; it can be used again once its file is read.
            worker.receive(len, &mut tokio::io::sink()).await?;
            worker.finish().await?;
            return Ok(Err(RequestError::Disk(error)));
        }
        let mut sink = tokio::fs::File::from_std(sink);
        worker.receive(len, &mut sink).await?;
        Ok(Ok(worker.finish().await?))
    };
    let outcome: Result<Result<_, OrderError>, _> = tokio::time::timeout(limit, exchange).await;
    let (worker, result) = match outcome {
        Ok(Ok(answer)) => (WorkerReturn::Fit(Box::new(worker)), answer),
        Ok(Err(OrderError::Failed(error))) => (
            WorkerReturn::Fit(Box::new(worker)),
            Err(RequestError::Cutout(error)),
        ),
        Ok(Err(OrderError::Photo(error) | OrderError::Sink(error))) => {
            worker.end().await;
            (WorkerReturn::Lost, Err(RequestError::Disk(error)))
        }
        Ok(Err(OrderError::Lost(_))) => {
            let ending = worker.end().await;
            let error = match ending.shortage {
                Some(shortage) => RequestError::Short(shortage),
                None => RequestError::WorkerDied(ending),
            };
            (WorkerReturn::Lost, Err(error))
        }
        Err(_) => {
            worker.end().await;
            (WorkerReturn::Lost, Err(RequestError::TimedOut(limit)))
        }
    };
    drop(slot);
    EndedRequest {
        end: RequestEnd::of(is_cut, &result),
        worker,
        answer: Answer { result, reply },
    }
}
