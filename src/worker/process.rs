//! A worker's process and the kernel's counters around it -> how it ended. Knows no pipe.

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

/// How long a killed worker is waited for.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// How a worker ended, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// Its exit status.
    pub status: Option<ExitStatus>,
    /// The most memory that it held, in bytes.
    pub peak_bytes: Option<u64>,
    /// What the machine was short of, if the kernel killed it for that.
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

/// A process that is killed when this is dropped, if the command says so.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    around: Surroundings,
    baseline: Baseline,
}

impl Process {
    /// Starts it.
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

    /// The process, for its pipes.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Reads the kernel's counters: what happened before is no reason for an end that is yet to come.
    pub(crate) fn begin_order(&mut self) {
        self.baseline = Baseline::take(&self.around);
    }

    /// Tells whether the process still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What the machine was short of, if the kernel killed the process for that.
    pub(crate) fn shortage(&mut self) -> Option<Shortage> {
        let status = self.child.try_wait().ok().flatten();
        self.shortage_behind(status)
    }

    fn shortage_behind(&self, status: Option<ExitStatus>) -> Option<Shortage> {
        // One that is not gone yet was killed too: a large process takes its time to end.
        let was_killed = status.is_none_or(|status| status.signal() == Some(Signal::KILL.as_raw()));
        was_killed
            .then(|| self.baseline.kill_since(&self.around))
            .flatten()
    }

    /// Looks whether `error`, which kept the worker from getting ready, comes of a shortage. A worker that is refused a thread ends, or
    /// says that it cannot work.
    pub(crate) async fn explain(self, error: StartError) -> StartError {
        let shortage = match self.baseline.refusal_since(&self.around) {
            Some(refusal) => Some(refusal),
            None => self.end().await.shortage,
        };
        shortage.map_or(error, StartError::Short)
    }

    /// Kills the process, if it still lives, and returns how it ended.
    pub(crate) async fn end(mut self) -> Ending {
        let id = self.child.id();
        // It may be dead already; then its own status is what counts.
        drop(self.child.start_kill());
        let ended = async {
            let peak = tokio::task::spawn_blocking(move || sandbox::peak_of_dead(id?)).await;
            (self.child.wait().await.ok(), peak.ok().flatten())
        };
        // A process that the kernel cannot end now is left to it.
        let ended = tokio::time::timeout(KILL_GRACE, ended).await;
        let (status, peak_bytes) = ended.unwrap_or_default();
        Ending {
            status,
            peak_bytes,
            shortage: self.shortage_behind(status),
        }
    }
}
