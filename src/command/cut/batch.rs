//! Runs jobs until each is decided. Starts workers when there is work. Must not find photos.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::CommandError;
use super::attempt::{self, CutAttempt};
use super::photo_line::CutoutFacts;
use super::report::{CutReporter, Delivered};
use super::sheet::{FinishedBatch, SheetEntry, SheetList};
use super::{CutRun, stdin};
use crate::blocking::unpanicked;
use crate::imaging::CutoutError;
use crate::job::{self, Finished, Job, JobContext, JobError, Origin, Outcome, Stalled, Stalls};
use crate::ledger::{Ledger, in_memory};
use crate::worker::{Pool, StartError, Worker, WorkerSpec};

/// The photos of a batch and their state.
pub(super) struct CutBatch<'a> {
    /// Jobs whose output has not been checked for an existing cutout.
    unlooked: VecDeque<Job>,
    looks: JoinSet<Looked>,
    jobs: VecDeque<Job>,
    running: JoinSet<CutAttempt>,
    stalls: Stalls,
    stall_inbox: UnboundedReceiver<Stalled>,
    starts: JoinSet<Result<Worker, StartError>>,
    pool: Pool,
    size: usize,
    /// Photos whose worker was killed for lack of memory.
    given_back: HashSet<PathBuf>,
    context: JobContext,
    is_stdin: bool,
    is_stdout: bool,
    /// The entries of the sheet, if one is requested.
    sheet: Option<SheetList>,
    reporter: &'a mut CutReporter,
}

/// A job, and the cutout that existed before.
struct Looked {
    job: Job,
    found: Result<Option<Vec<PathBuf>>, JobError>,
}

impl<'a> CutBatch<'a> {
    pub(super) fn new(
        run: &CutRun<'_>,
        jobs: Vec<Job>,
        reporter: &'a mut CutReporter,
    ) -> Result<Self, CommandError> {
        let config = &run.config;
        let ledger = in_memory()?;
        let ledger_id = ledger.id().to_owned();
        let size = config.daemon.workers.min(jobs.len());
        let sheet = run.sheet.as_ref().map(|_| SheetList::new(&jobs));
        let (stalls, stall_inbox) = mpsc::unbounded_channel();
        let (unlooked, jobs) = if run.order.skip_done {
            (jobs.into(), VecDeque::new())
        } else {
            (VecDeque::new(), jobs.into())
        };
        Ok(Self {
            unlooked,
            looks: JoinSet::new(),
            jobs,
            running: JoinSet::new(),
            stalls,
            stall_inbox,
            starts: JoinSet::new(),
            pool: Pool::new(WorkerSpec::of(config), size, Instant::now()),
            size,
            given_back: HashSet::new(),
            context: JobContext::new(config, Ledger::start(ledger)?, ledger_id),
            is_stdin: run.stdin.is_some(),
            is_stdout: run.is_to_stdout(),
            sheet,
            reporter,
        })
    }

    pub(super) async fn run(&mut self) -> Result<(), CommandError> {
        while !self.is_over() {
            self.look();
            self.dispatch();
            let start_at = self.pool.start_at().filter(|_| self.starts.is_empty());
            tokio::select! {
                Some(looked) = self.looks.join_next(), if !self.looks.is_empty() => {
                    self.note(unpanicked(looked))?;
                }
                Some(started) = self.starts.join_next(), if !self.starts.is_empty() => {
                    match unpanicked(started) {
                        Ok(worker) => {
                            self.reporter.loaded();
                            self.pool.started(worker);
                        }
                        // A model or library that is refused once is refused again.
                        Err(error @ StartError::Refused(_)) => return Err(error.into()),
                        Err(error) => if !self.pool.start_failed(Instant::now()) {
                            return Err(error.into());
                        },
                    }
                }
                Some(ended) = self.running.join_next(), if !self.running.is_empty() => {
                    self.take(unpanicked(ended))?;
                }
                Some(stalled) = self.stall_inbox.recv() => stalled.worker.hand_to(&mut self.pool),
                () = tokio::time::sleep_until(start_at.unwrap_or_else(Instant::now)), if start_at.is_some() => {}
            }
        }
        Ok(())
    }

    /// What the sheet needs; `None` when none is requested.
    pub(super) fn into_finished_batch(mut self) -> Option<FinishedBatch> {
        Some(FinishedBatch {
            list: self.sheet.take()?,
            workers: std::iter::from_fn(|| self.pool.take()).collect(),
            spec: Arc::clone(self.pool.spec()),
            ledger_id: self.context.ledger_id,
        })
    }

    fn is_over(&self) -> bool {
        let is_looked = self.unlooked.is_empty() && self.looks.is_empty();
        is_looked && self.jobs.is_empty() && self.running.is_empty()
    }

    /// Looks for existing cutouts. Reads at most as many photos at a time as there may be workers.
    fn look(&mut self) {
        while self.looks.len() < self.size {
            let Some(job) = self.unlooked.pop_front() else {
                return;
            };
            self.looks.spawn(async {
                let found = job::find_done(&job).await;
                Looked { job, found }
            });
        }
    }

    fn note(&mut self, looked: Looked) -> io::Result<()> {
        let Looked { job, found } = looked;
        match found {
            Ok(Some(outputs)) => {
                let photo = self.photo(&job);
                self.reporter.there_already(&photo, only(&outputs))?;
            }
            // The attempt meets the same error and reports it.
            Ok(None) | Err(_) => self.jobs.push_back(job),
        }
        Ok(())
    }

    fn dispatch(&mut self) {
        while self.starts.len() < self.jobs.len() && self.pool.wants_start(Instant::now()) {
            if self.pool.fit() == 0 && self.starts.is_empty() {
                self.reporter.loading();
            }
            self.starts
                .spawn(Worker::start(Arc::clone(self.pool.spec())));
        }
        while self.pool.has_idle() {
            let Some(job) = self.jobs.pop_front() else {
                return;
            };
            let Some(worker) = self.pool.take() else {
                return;
            };
            let (context, stalls) = (self.context.clone(), self.stalls.clone());
            let attempt = attempt::run(job, worker, context, stalls);
            if self.is_stdout {
                self.running.spawn(async { attempt.await.send().await });
            } else {
                self.running.spawn(attempt);
            }
        }
    }

    fn take(&mut self, ended: CutAttempt) -> Result<(), CommandError> {
        let CutAttempt {
            finished,
            duration,
            sent,
        } = ended;
        let Finished {
            job,
            worker,
            outcome,
            ..
        } = finished;
        worker.hand_to(&mut self.pool);
        sent?;
        let photo = self.photo(&job);
        let took = Some(duration);
        match outcome {
            Outcome::Done {
                outputs, origin, ..
            } => {
                let picture = picture(&origin, &job);
                self.done(job, only(&outputs), picture, duration)?;
            }
            Outcome::Retired { outputs, .. } | Outcome::Unchanged { outputs } => {
                self.done(job, only(&outputs), None, duration)?;
            }
            Outcome::Ignored(error) => self.reporter.skipped(&photo, &error, took)?,
            Outcome::Retry { .. } => self.jobs.push_back(job),
            Outcome::Quarantined { error, .. }
            | Outcome::Held(error)
            | Outcome::Waits(error)
            | Outcome::Paused(error) => {
                self.reporter.failed(&photo, &reason(&error), took)?;
            }
            // Is retried once, without other workers running.
            Outcome::Short(_) if self.given_back.insert(photo.clone()) => {
                self.pool.limit(Some(1));
                self.jobs.push_front(job);
            }
            Outcome::Short(shortage) => self.reporter.failed(&photo, &shortage, took)?,
            Outcome::Outdated => {
                let reason = "it changed or went away while it was read";
                self.reporter.failed(&photo, &reason, took)?;
            }
            Outcome::Halted(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn done(
        &mut self,
        job: Job,
        output: &Path,
        picture: Option<CutoutFacts>,
        duration: Duration,
    ) -> io::Result<()> {
        let photo = self.photo(&job);
        let delivered = Delivered {
            output: if self.is_stdout {
                Path::new("stdout")
            } else {
                output
            },
            picture,
            duration,
        };
        self.reporter.done(&photo, delivered)?;
        if let Some(sheet) = &mut self.sheet {
            let output = output.to_owned();
            sheet.note(SheetEntry { photo, job, output });
        }
        Ok(())
    }

    /// The name of the job's photo in reports.
    fn photo(&self, job: &Job) -> PathBuf {
        if self.is_stdin {
            return stdin::label().to_owned();
        }
        job.folder.input.join(job.file.relative())
    }
}

fn picture(origin: &Origin, job: &Job) -> Option<CutoutFacts> {
    match origin {
        Origin::Made {
            report,
            is_doubtful,
            ..
        } => Some(CutoutFacts::new(report, &job.folder, *is_doubtful)),
        Origin::Earlier | Origin::Recorded | Origin::Renamed { .. } | Origin::Touched => None,
    }
}

/// The reason for a failed photo. Names the option where the daemon's message names a configuration key.
fn reason(error: &JobError) -> String {
    let is_too_large = matches!(error, JobError::Cutout(CutoutError::TooLarge { .. }));
    let remedy = if is_too_large {
        "; `--max-megapixels N` allows more"
    } else {
        ""
    };
    format!("{error}{remedy}")
}

/// The path of the cutout: a cut has one output.
fn only(outputs: &[PathBuf]) -> &Path {
    outputs.first().map_or(Path::new(""), PathBuf::as_path)
}
