//! `hotcut cut`: files and folders -> cutouts, once, through the same jobs and workers as the daemon.

mod plan;
mod progress;

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::not_taken::{Remedy, sentences};
use super::{CommandError, block_on};
use crate::config::{Config, DEFAULT_MODEL, shipped_models_dir};
use crate::delivery::{Book, Ledger};
use crate::job::{self, Desk, Finished, Job, Outcome, Stalled, Stalls};
use crate::pool::{Pool, StartError, Worker, WorkerSpec};
use crate::shutdown::{self, Request};
use progress::Progress;

/// Photos that failed, or could not be found.
const FAILED: u8 = 1;

/// As shells report a command that was interrupted.
const INTERRUPTED: u8 = 130;

/// What to cut out, and where to.
#[derive(Clone, Debug, clap::Args)]
pub struct Order {
    /// Photos, or folders that are searched for photos.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Where the cutouts go; subfolders are mirrored.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// The model.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_MODEL)]
    model: String,
    /// Where model cards lie; the models that ship with hotcut if left out.
    #[arg(long, value_name = "DIR")]
    models_dir: Option<PathBuf>,
}

/// Cuts out everything that was ordered.
pub fn run(order: &Order) -> Result<ExitCode, CommandError> {
    let mut requests = shutdown::listen()?;
    let models_dir = order.models_dir.clone().unwrap_or_else(shipped_models_dir);
    let config =
        Config::for_one_run(&models_dir, &order.model).map_err(|source| CommandError::Model {
            model: order.model.clone(),
            source,
        })?;
    let plan = plan::plan(order)?;
    if plan.jobs.is_empty() && plan.missing.is_empty() {
        progress::say("no photo was found");
    }
    for sentence in sentences(&plan.not_taken, Remedy::Name) {
        progress::say(&sentence);
    }
    if plan.jobs.is_empty() && plan.missing.is_empty() {
        return Ok(ExitCode::from(FAILED));
    }
    let mut progress = Progress::new(plan.jobs.len());
    for (path, error) in &plan.missing {
        progress.failed(path, error.io());
    }
    let work = async {
        let mut batch = Batch::new(&config, plan.jobs.into(), progress)?;
        tokio::select! {
            // Dropping the batch kills its workers and removes what they were writing.
            Some(Request::Stop) = requests.recv() => Ok(ExitCode::from(INTERRUPTED)),
            result = batch.run() => result,
        }
    };
    block_on(work)?
}

struct Batch {
    jobs: VecDeque<Job>,
    running: JoinSet<Finished>,
    stalls: Stalls,
    stall_inbox: UnboundedReceiver<Stalled>,
    starts: JoinSet<Result<Worker, StartError>>,
    pool: Pool,
    /// Photos whose worker was killed because the machine was short of memory.
    given_back: HashSet<PathBuf>,
    desk: Desk,
    progress: Progress,
}

impl Batch {
    fn new(config: &Config, jobs: VecDeque<Job>, progress: Progress) -> Result<Self, CommandError> {
        let book = Book::in_memory()?;
        let ledger_id = book.id().to_owned();
        let size = config.daemon.workers.min(jobs.len());
        let (stalls, stall_inbox) = mpsc::unbounded_channel();
        Ok(Self {
            jobs,
            running: JoinSet::new(),
            stalls,
            stall_inbox,
            starts: JoinSet::new(),
            pool: Pool::new(WorkerSpec::of(config), size, Instant::now()),
            given_back: HashSet::new(),
            desk: Desk::new(config, Ledger::start(book)?, ledger_id),
            progress,
        })
    }

    async fn run(&mut self) -> Result<ExitCode, CommandError> {
        while !(self.jobs.is_empty() && self.running.is_empty()) {
            self.dispatch();
            let start_at = self.pool.start_at().filter(|_| self.starts.is_empty());
            tokio::select! {
                Some(started) = self.starts.join_next(), if !self.starts.is_empty() => {
                    match unpanicked(started) {
                        Ok(worker) => self.pool.started(worker),
                        // A model or library that is refused now is refused the next time as well.
                        Err(error @ StartError::Refused(_)) => return Err(error.into()),
                        Err(error) => if !self.pool.start_failed(Instant::now()) {
                            return Err(error.into());
                        },
                    }
                }
                Some(finished) = self.running.join_next(), if !self.running.is_empty() => {
                    self.take(unpanicked(finished))?;
                }
                Some(stalled) = self.stall_inbox.recv() => self.pool.put(Some(stalled.worker)),
                () = tokio::time::sleep_until(start_at.unwrap_or_else(Instant::now)), if start_at.is_some() => {}
            }
        }
        Ok(match self.progress.finish() {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::from(FAILED),
        })
    }

    fn dispatch(&mut self) {
        while !self.jobs.is_empty() && self.pool.wants_start(Instant::now()) {
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
            let (desk, stalls) = (self.desk.clone(), self.stalls.clone());
            self.running.spawn(job::run(job, worker, desk, stalls));
        }
    }

    fn take(&mut self, finished: Finished) -> Result<(), CommandError> {
        let Finished {
            job,
            worker,
            outcome,
            ..
        } = finished;
        worker.hand_to(&mut self.pool);
        let source = job.folder.input.join(job.file.relative());
        match outcome {
            Outcome::Done { output, .. }
            | Outcome::Retired { output, .. }
            | Outcome::Unchanged { output } => self.progress.done(&output)?,
            Outcome::Ignored(error) => self.progress.skipped(&source, &error),
            Outcome::Retry { .. } => self.jobs.push_back(job),
            Outcome::Quarantined { error, .. }
            | Outcome::Held(error)
            | Outcome::Waits(error)
            | Outcome::Paused(error) => {
                self.progress.failed(&source, &error);
            }
            // Tried again once, without others beside it.
            Outcome::Short(_) if self.given_back.insert(source.clone()) => {
                self.pool.limit(Some(1));
                self.jobs.push_front(job);
            }
            Outcome::Short(shortage) => self.progress.failed(&source, &shortage),
            Outcome::Outdated => self
                .progress
                .failed(&source, &"it changed or went away while it was read"),
            Outcome::Halted(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn unpanicked<T>(ended: Result<T, tokio::task::JoinError>) -> T {
    match ended {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
