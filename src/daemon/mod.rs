//! The one control loop: everything that can wake the daemon is an `Event`, and `handle` processes it.
//!
//! The only module that names every phase. Must not wait for a hot folder or an output folder: scanners and jobs do that.

mod backlog;
mod blocked;
mod canary;
mod clock;
mod dispatch;
mod emptied;
mod error;
mod event;
mod fair_share;
mod folder;
mod folder_state;
mod forget;
mod handle;
mod log;
mod metrics;
mod observations;
mod pace;
mod pause;
mod photo_event;
mod prepare;
mod publish;
mod quarantine;
mod queue;
mod relief;
mod reload;
mod shared_status;
mod silence;
mod snapshot;
mod start;
mod state;
mod status_file;
mod strays;
mod systemd;
mod throttle;
mod tick;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use blocked::{Waiting, WaitingFor};
pub use error::{FatalError, FaultOf};
pub use folder_state::FolderState;
pub use handle::{DaemonEndpoint, DaemonHandle, ListenerState, link};
pub use metrics::Metrics;
pub use pace::Rates;
pub use photo_event::{PhotoEvent, PhotoResult};
pub use shared_status::{ReadStatus, SharedFailure, SharedFolder, SharedStatus};
pub use snapshot::Snapshot;
pub use status_file::{LiveFolder, LiveStatus};

use crate::blocking::unpanicked;
use crate::config::Config;
use crate::fs::disk_space::TooFull;
use crate::intake::{FolderId, Report, Sighting};
use crate::job::{EndedRequest, Finished, JobContext, PhotoRequest, Stalled, Stalls, WorkerReturn};
use crate::ledger::Ledger;
use crate::shutdown::SignalRequest;
use crate::worker::{Pool, StartError, Worker};
use fair_share::FairShare;
use folder::HotFolder;
use forget::Forgetting;
use quarantine::Explanations;
use reload::Reloaded;
use shared_status::SharedStatusFile;
use status_file::StatusFile;
use systemd::Systemd;
use throttle::Throttle;

/// How often the loop checks watches, ledger and supervisor.
const TICK: Duration = Duration::from_secs(1);

/// How long a folder that does not answer may delay readiness.
const FIRST_LOOK_LIMIT: Duration = Duration::from_secs(5);

/// Events that may wait for the loop; beyond that they are lost, and every folder is listed.
const EVENTS_MAX: usize = 4_096;

/// Reports that may wait for the loop; beyond that the scanners wait.
const REPORTS_MAX: usize = 16;

/// Everything that can wake the loop.
enum Event {
    Asked(Option<SignalRequest>),
    Reported(FolderId, Report),
    Sighted(FolderId, Sighting),
    Started(Box<Result<Worker, StartError>>),
    Finished(FolderId, Box<Finished>),
    Stalled(Box<Stalled>),
    RequestCame(Box<PhotoRequest>),
    RequestEnded(Box<EndedRequest>),
    Reloaded(Box<Result<Reloaded, reload::ReloadRefusal>>),
    Woken,
}

/// A daemon that is running.
struct Daemon {
    config_file: PathBuf,
    config: Arc<Config>,
    context: JobContext,
    pool: Pool,
    folders: BTreeMap<FolderId, HotFolder>,
    next_id: u64,
    /// The folder that was served last; the next one in order is served first.
    turn: FolderId,
    channels: LoopChannels,
    endpoint: DaemonEndpoint,
    /// Requests that wait for a worker.
    requests: VecDeque<PhotoRequest>,
    running_requests: JoinSet<EndedRequest>,
    fair_share: FairShare,
    throttle: Throttle,
    /// Set while the disk has too little space for the ledger; no photo is started then.
    state_dir_full: Option<TooFull>,
    jobs: JoinSet<(FolderId, Finished)>,
    starts: JoinSet<Result<Worker, StartError>>,
    reloads: JoinSet<Result<Reloaded, reload::ReloadRefusal>>,
    reload_again: bool,
    /// How far the daemon is on its way to being ready.
    readiness: Readiness,
    drain_until: Option<Instant>,
    tick_at: Instant,
    ledger_version: i64,
    status_file: StatusFile,
    shared_status_file: SharedStatusFile,
    systemd: Systemd,
    forgetting: Forgetting,
    explanations: Explanations,
    /// When the ledger's `-wal` is written back next.
    checkpoint_at: Instant,
    lock: File,
}

/// The open parts of a daemon that has stopped.
#[must_use]
pub struct StoppedDaemon {
    ledger: Ledger,
    lock: File,
}

impl StoppedDaemon {
    /// Closes the ledger, so that its one file is complete. Blocks for a few seconds at most.
    pub fn close(self) {
        if let Err(error) = self.ledger.close() {
            log::not_closed(&error);
        }
        // Held until here, so that no other process opens the ledger earlier.
        drop(self.lock);
    }
}

/// The steps to being ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    /// No worker has passed the self-test yet.
    Untried,
    /// A worker has passed; the daemon waits for folders that are not looked at yet, until this time.
    SelfTested(Instant),
    /// Ready, and reported as ready.
    Reported,
}

struct LoopChannels {
    reports: mpsc::Sender<(FolderId, Report)>,
    report_inbox: mpsc::Receiver<(FolderId, Report)>,
    sightings: mpsc::Sender<(FolderId, Sighting)>,
    sighting_inbox: mpsc::Receiver<(FolderId, Sighting)>,
    stalls: Stalls,
    stall_inbox: mpsc::UnboundedReceiver<Stalled>,
}

/// Serves the folders of `config`, which was read from `config_file`, and the requests of `endpoint`, until it is asked to stop.
/// The caller must close the returned value once nobody else reads the ledger.
///
/// Must run on the main thread: the kernel kills the workers when the thread that started them ends.
pub async fn run(
    config_file: PathBuf,
    config: Config,
    mut signals: mpsc::Receiver<SignalRequest>,
    endpoint: DaemonEndpoint,
) -> Result<StoppedDaemon, FatalError> {
    let mut daemon = Daemon::start(config_file, config, endpoint).await?;
    loop {
        daemon.dispatch()?;
        daemon.share_status().await?;
        if daemon.is_drained() {
            return daemon.end().await;
        }
        let wake_at = daemon.wake_at();
        let is_draining = daemon.drain_until.is_some();
        let LoopChannels {
            report_inbox,
            sighting_inbox,
            stall_inbox,
            ..
        } = &mut daemon.channels;
        // The daemon holds a sender of each channel, so `recv` never ends; an empty set must not count as ready.
        let event = tokio::select! {
            biased;
            signal = signals.recv() => Event::Asked(signal),
            // Must come before the end of its job; otherwise the job would count as stalled for ever.
            Some(stalled) = stall_inbox.recv() => Event::Stalled(Box::new(stalled)),
            Some(ended) = daemon.jobs.join_next(), if !daemon.jobs.is_empty() => {
                let (id, finished) = unpanicked(ended);
                Event::Finished(id, Box::new(finished))
            }
            Some(ended) = daemon.running_requests.join_next(), if !daemon.running_requests.is_empty() => {
                Event::RequestEnded(Box::new(unpanicked(ended)))
            }
            Some(ended) = daemon.starts.join_next(), if !daemon.starts.is_empty() => {
                Event::Started(Box::new(unpanicked(ended)))
            }
            Some(ended) = daemon.reloads.join_next(), if !daemon.reloads.is_empty() => {
                Event::Reloaded(Box::new(unpanicked(ended)))
            }
            () = tokio::time::sleep_until(wake_at) => Event::Woken,
            Some((id, report)) = report_inbox.recv(), if !is_draining => Event::Reported(id, report),
            Some((id, sighting)) = sighting_inbox.recv(), if !is_draining => Event::Sighted(id, sighting),
            Some(request) = daemon.endpoint.requests.recv(), if !is_draining => {
                Event::RequestCame(Box::new(request))
            }
        };
        daemon.handle(event).await?;
    }
}

impl Daemon {
    fn is_drained(&self) -> bool {
        let is_late = |until| Instant::now() >= until;
        self.drain_until.is_some_and(|until| {
            self.jobs.is_empty() && self.running_requests.is_empty() || is_late(until)
        })
    }

    /// Ends the daemon: gives up running work without counting it as an attempt.
    async fn end(mut self) -> Result<StoppedDaemon, FatalError> {
        let given_up = self.jobs.len();
        self.jobs.shutdown().await;
        while let Some(Ok(ended)) = self.running_requests.try_join_next() {
            ended.answer.give();
        }
        self.running_requests.shutdown().await;
        self.starts.shutdown().await;
        self.context
            .ledger
            .call(|ledger| ledger.refund_running())
            .await?;
        self.pool.end().await;
        self.status_file.remove();
        self.shared_status_file.remove();
        tracing::info!(given_up, "stopped");
        Ok(StoppedDaemon {
            ledger: self.context.ledger,
            lock: self.lock,
        })
    }
}
