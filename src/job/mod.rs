//! A settled file and a worker -> one finished attempt: the commit order on one screen. Knows nothing of other jobs.

mod desk;
mod error;
mod finish;
mod original;
mod seat;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use desk::{Desk, hidden_name};
pub use error::{Disposition, JobError};
pub use finish::Outcome;
pub use original::explain_late;

use crate::config::Folder;
use crate::cutout::CutoutError;
use crate::delivery::{Arrival, Begun, Destination, Temp};
use crate::intake::{SettledFile, SourceError, SourceFile};
use crate::path_error::AtPath as _;
use crate::percent;
use crate::pool::{CutReport, Ending, OrderError, Worker};
use original::Original;
use seat::Place;

/// One unit of work, with the configuration as it was when the job was made.
#[derive(Clone, Debug)]
pub struct Job {
    /// The folder that the file came from.
    pub folder: Arc<Folder>,
    /// The file.
    pub file: SettledFile,
    /// The mount point that the output folder must lie under.
    pub output_mount: Option<PathBuf>,
}

/// An attempt that is over.
#[derive(Debug)]
pub struct Finished {
    /// The job.
    pub job: Job,
    /// The worker, if it may be used again.
    pub worker: Option<Worker>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A cutout that is safely in place.
#[derive(Debug)]
struct Placed {
    output: PathBuf,
    sha256: [u8; 32],
    /// `None` if it was there already.
    report: Option<CutReport>,
}

/// Runs one attempt to its end, whatever that is.
pub async fn run(job: Job, worker: Worker, desk: Desk) -> Finished {
    let mut attempt = Attempt {
        job: &job,
        desk: &desk,
        worker: Some(worker),
        begun: None,
    };
    let result = attempt.carry_out().await;
    let Attempt { worker, begun, .. } = attempt;
    let outcome = finish::conclude(&job, &desk, begun, result).await;
    Finished {
        job,
        worker,
        outcome,
    }
}

struct Attempt<'a> {
    job: &'a Job,
    desk: &'a Desk,
    worker: Option<Worker>,
    begun: Option<Begun>,
}

impl Attempt<'_> {
    async fn carry_out(&mut self) -> Result<Placed, JobError> {
        let (source, photo) = self.open_source().await?;
        let source = Arc::new(source);
        // Whoever has taken the cutout away meanwhile has it; another one would be a second result.
        if let Some(placed) = self.take_unretired().await? {
            return Ok(placed);
        }
        let place = seat::choose(self.job, &source, &self.desk.ledger).await?;
        // Durable before a worker sees the bytes: a photo that kills the daemon cannot do so for ever.
        let begun = self.begin(&place).await?;
        self.begun = Some(begun);
        let output = self.job.folder.output.join(&place.name);
        if let Some(sha256) = place.already {
            self.sync_output(&place).await?;
            let report = None;
            return Ok(Placed {
                output,
                sha256,
                report,
            });
        }
        if begun.attempt > self.desk.max_attempts {
            return Err(JobError::WorkerDied(Ending::default()));
        }
        let temp = self.open_temp(&place, begun).await?;
        let limit = self.desk.timeout;
        let report = match tokio::time::timeout(limit, self.exchange(photo, &temp)).await {
            Ok(result) => self.judge(result).await,
            Err(_) => Err(JobError::TimedOut(limit, self.end_worker().await)),
        };
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                // Removing the file may hang with its disk, and nobody needs to wait for that.
                drop(tokio::task::spawn_blocking(move || drop(temp)));
                return Err(error);
            }
        };
        let (name, replace, length) = (place.name, place.replace, report.len);
        let placed: Result<(), JobError> = blocking(move || {
            // What was read must be what settled, or the cutout is of no version that ever existed.
            source.verify()?;
            let name = name.file_name().unwrap_or_default();
            // The cutout to be replaced may have been retouched while its successor was made.
            temp.check_replaceable(name, replace)?;
            Ok(temp.place(name, replace, length)?)
        })
        .await;
        placed?;
        Ok(Placed {
            output,
            sha256: report.sha256,
            report: Some(report),
        })
    }

    /// Makes the name of an earlier cutout durable, in case the crash that left it came before that.
    async fn sync_output(&self, place: &Place) -> Result<(), JobError> {
        let (output, mount) = (
            self.job.folder.output.clone(),
            self.job.output_mount.clone(),
        );
        let parent = place.name.parent().unwrap_or(Path::new("")).to_owned();
        blocking(move || {
            let folder = Destination::open(&output, mount.as_deref())?;
            Ok(folder.subfolder(&parent)?.sync()?)
        })
        .await
    }

    async fn open_source(&self) -> Result<(SourceFile, std::fs::File), JobError> {
        let (input, file) = (self.job.folder.input.clone(), self.job.file.clone());
        blocking(move || {
            let source = SourceFile::open(&input, &file)?;
            let photo = source.reader()?;
            Ok((source, photo))
        })
        .await
    }

    /// Goes on with a version whose cutout was placed before, and whose source is all that is left to do.
    async fn take_unretired(&mut self) -> Result<Option<Placed>, JobError> {
        let version = Original::of(self.job).version;
        let ledger = &self.desk.ledger;
        let taken = ledger.call(move |book| book.take_unretired(&version));
        Ok(taken.await?.map(|taken| {
            self.begun = Some(taken.begun);
            Placed {
                output: taken.output,
                sha256: taken.sha256,
                report: None,
            }
        }))
    }

    async fn begin(&self, place: &Place) -> Result<Begun, JobError> {
        let version = Original::of(self.job).version;
        let file = &self.job.file;
        let arrival = Arrival::ago(file.seen_at().elapsed(), file.settled_at().elapsed());
        let output = self.job.folder.output.join(&place.name);
        let model = self.job.folder.model.clone();
        let ledger = &self.desk.ledger;
        let begin = ledger.call(move |book| book.begin(&version, arrival, &model, &output));
        // Whoever has it already will finish it; what is there then is looked at again.
        begin.await?.ok_or(JobError::Source(SourceError::Changed))
    }

    async fn open_temp(&self, place: &Place, begun: Begun) -> Result<Temp, JobError> {
        let (output, mount) = (
            self.job.folder.output.clone(),
            self.job.output_mount.clone(),
        );
        let parent = place.name.parent().unwrap_or(Path::new("")).to_owned();
        let name = self.desk.hidden_name(begun.id, "tmp");
        blocking(move || {
            let folder = Destination::open(&output, mount.as_deref())?;
            let folder = folder.subfolder(&parent).map_err(JobError::below_output)?;
            Ok(Temp::create(folder, name.into())?)
        })
        .await
    }

    /// Photo to the worker, PNG from it.
    async fn exchange(
        &mut self,
        photo: std::fs::File,
        temp: &Temp,
    ) -> Result<CutReport, ExchangeError> {
        let length = self.job.file.stamp().len;
        if length > self.desk.memory_bytes {
            return Err(ExchangeError::Job(JobError::TooHeavy(
                CutoutError::OutOfMemory,
            )));
        }
        let writer = temp
            .writer()
            .map_err(|error| ExchangeError::Job(error.into()))?;
        let Some(worker) = &mut self.worker else {
            return Err(ExchangeError::Order(OrderError::Lost(
                std::io::ErrorKind::NotFound.into(),
            )));
        };
        let mark_source = percent::encode(self.job.file.relative());
        let photo = tokio::fs::File::from_std(photo);
        let report = worker
            .send(&self.job.folder.model, &mark_source, photo, length)
            .await?;
        worker
            .receive(&report, &mut tokio::fs::File::from_std(writer))
            .await?;
        Ok(report)
    }

    /// Kills the worker; what it has of the photo is of no use any more.
    async fn end_worker(&mut self) -> Ending {
        match self.worker.take() {
            Some(worker) => worker.end().await,
            None => Ending::default(),
        }
    }

    /// Sorts what went wrong, and lets go of a worker that cannot be used again.
    async fn judge(
        &mut self,
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
        let ending = self.end_worker().await;
        let path = self.job.folder.input.join(self.job.file.relative());
        match error {
            // It is shorter than it was: somebody is writing it again.
            OrderError::Photo(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(JobError::Source(SourceError::Changed))
            }
            OrderError::Photo(error) => Err(SourceError::from(at(error, &path)).into()),
            OrderError::Sink(error) => Err(JobError::Output(at(error, &self.job.folder.output))),
            OrderError::Lost(_) | OrderError::Failed(_) => Err(JobError::WorkerDied(ending)),
        }
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

fn at(error: std::io::Error, path: &Path) -> crate::path_error::PathError {
    match Err::<std::convert::Infallible, _>(error).at(path) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

/// Runs `work` where waiting for a disk holds up nobody else.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
