//! A worker's process: how it ended, with the reason from the kernel's counters. Must not depend on pipes.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::{Child, Command};

use super::cgroup::Surroundings;
use super::connection::StartError;
use super::sandbox;
use super::shortage::{Baseline, Shortage};

/// How long to wait for a killed worker.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// How a worker ended, as far as known.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// Its exit status.
    pub status: Option<ExitStatus>,
    /// Its peak memory, in bytes.
    pub peak_bytes: Option<u64>,
    /// What the machine was short of, if the kernel killed the worker for that reason.
    pub shortage: Option<Shortage>,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("no exit status")?,
        }
        match self.peak_bytes {
            Some(bytes) => write!(f, ", it held {} MiB", bytes >> 20),
            None => Ok(()),
        }
    }
}

/// A process; killed on drop if its command says so.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    around: Surroundings,
    baseline: Baseline,
}

impl Process {
    /// Starts the process.
    pub(crate) fn start(mut command: Command) -> Result<Self, StartError> {
        let around = Surroundings::find();
        let baseline = Baseline::take(&around);
        match command.spawn() {
            Ok(child) => Ok(Self {
                child,
                around,
                baseline,
            }),
            Err(error) => Err(match Shortage::of_spawn(&error, &around) {
                Some(shortage) => StartError::Short(shortage),
                None => StartError::Spawn(error),
            }),
        }
    }

    /// The child process, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Reads the kernel's counters, so that earlier events do not explain a later end.
    pub(crate) fn begin_order(&mut self) {
        self.baseline = Baseline::take(&self.around);
    }

    /// Tells whether the process still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What the machine was short of, if the kernel killed the process for that reason.
    pub(crate) fn shortage(&mut self) -> Option<Shortage> {
        let status = self.child.try_wait().ok().flatten();
        self.shortage_behind(status)
    }

    fn shortage_behind(&self, status: Option<ExitStatus>) -> Option<Shortage> {
        // A process that has not ended yet may also have been killed: a large process takes time to end.
        let was_killed = status.is_none_or(|status| status.signal() == Some(Signal::KILL.as_raw()));
        was_killed
            .then(|| self.baseline.kill_since(&self.around))
            .flatten()
    }

    /// Checks whether a shortage caused `error`, which prevented the worker from getting ready. A worker that cannot start a thread
    /// exits or reports that it cannot work.
    pub(crate) async fn explain(self, error: StartError) -> StartError {
        let shortage = match self.baseline.refusal_since(&self.around) {
            Some(refusal) => Some(refusal),
            None => self.end().await.shortage,
        };
        shortage.map_or(error, StartError::Short)
    }

    /// Kills the process, if it still runs, and returns how it ended.
    pub(crate) async fn end(mut self) -> Ending {
        let id = self.child.id();
        // The process may have ended already; then its own status counts.
        drop(self.child.start_kill());
        let ended = async {
            let peak = tokio::task::spawn_blocking(move || sandbox::peak_of_dead(id?)).await;
            (self.child.wait().await.ok(), peak.ok().flatten())
        };
        // A process that the kernel cannot end now is abandoned.
        let ended = tokio::time::timeout(KILL_GRACE, ended).await;
        let (status, peak_bytes) = ended.unwrap_or_default();
        Ending {
            status,
            peak_bytes,
            shortage: self.shortage_behind(status),
        }
    }
}
