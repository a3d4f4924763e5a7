//! Writes the state of the folders to a small file that `status` reads, and the canaries. The daemon must never read it back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::blocked::Waiting;
use super::clock::WallClock;
use super::folder::HotFolder;
use super::folder_state::FolderState;
use super::handle::ListenerState;
use super::pace::Rates;
use crate::delivery::replace_file;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::intake::{FolderId, NotTaken, stir_canary};
use crate::worker::Confinement;

/// The least time between two writes.
const INTERVAL: Duration = Duration::from_millis(200);

/// The most time between two writes: the age of the file shows whether the loop runs.
pub(super) const BEAT: Duration = Duration::from_secs(10);

/// What only the running daemon knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveStatus {
    /// The confinement of the workers; `None` until one is ready.
    pub confinement: Option<Confinement>,
    /// The state of the HTTP listener: `listening on …` or why it does not listen; `None` without a listener.
    #[serde(default)]
    pub http: Option<String>,
    /// What the machine is short of, what hotcut does about it and what a person can do; `None` without a shortage.
    #[serde(default)]
    pub shortage: Option<String>,
    /// One entry per folder.
    pub folders: Vec<LiveFolder>,
}

/// What only the running daemon knows of one folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LiveFolder {
    /// Its name.
    pub name: String,
    /// Its state: `state`, and `reason` if there is one.
    #[serde(flatten)]
    pub state: FolderState,
    /// The number of waiting photos: settling, queued for a worker, or still on disk.
    pub queued: usize,
    /// The number of waiting photos that stay on disk until memory has space.
    pub queued_on_disk: usize,
    /// When the oldest waiting photo arrived, in milliseconds since the epoch.
    pub oldest_ms: Option<i64>,
    /// The number of photos that have a worker.
    pub running: usize,
    /// The throughput.
    #[serde(flatten)]
    pub rates: Rates,
    /// The first few photos that are held back.
    pub waiting: Vec<Waiting>,
    /// The number of all photos that are held back.
    pub held: usize,
    /// Files that are not taken.
    pub not_taken: NotTaken,
}

impl LiveStatus {
    /// Reads the last status of the daemon on `state_dir`; `None` if there is none.
    pub fn read(state_dir: &Path) -> Option<Self> {
        let bytes = std::fs::read(file(state_dir)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Returns whether the loop of the daemon on `state_dir` has run recently.
    pub fn is_fresh(state_dir: &Path) -> bool {
        let written = std::fs::metadata(file(state_dir)).and_then(|data| data.modified());
        // A time in the future means that the clock was set back since.
        written.is_ok_and(|at| at.elapsed().map_or(true, |age| age < 3 * BEAT))
    }
}

/// The folder of the canaries.
const CANARY: &str = "canary";

/// The daemon's status and canaries in the state directory.
#[derive(Debug)]
pub(super) struct StatusFile {
    state_dir: PathBuf,
    started: Instant,
    confinement: Option<Confinement>,
    listener_state: ListenerState,
    shortage: Option<String>,
    /// Why no folder is processed now.
    pause: Option<String>,
    written: Option<(Instant, LiveStatus)>,
    clock: WallClock,
    has_failed: bool,
}

impl StatusFile {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            started: Instant::now(),
            confinement: None,
            listener_state: ListenerState::None,
            shortage: None,
            pause: None,
            written: None,
            clock: WallClock::new(),
            has_failed: false,
        }
    }

    /// Returns whether a daemon has served from `state_dir` before.
    pub(super) fn has_served(state_dir: &Path) -> bool {
        // The status file is removed when the daemon ends; the canaries stay.
        state_dir.join(CANARY).exists()
    }

    /// Notes the confinement of the workers.
    pub(super) fn confine(&mut self, confinement: Confinement) {
        self.confinement = Some(confinement);
    }

    /// Notes the state of the HTTP listener.
    pub(super) fn note_listener_state(&mut self, listener_state: ListenerState) {
        self.listener_state = listener_state;
    }

    /// Corrects the clock if the time of day was set.
    pub(super) fn correct_clock(&mut self) {
        self.clock.correct();
    }

    /// Notes what the machine is short of.
    pub(super) fn note_shortage(&mut self, shortage: Option<String>) {
        self.shortage = shortage;
    }

    /// Notes why no folder is processed now, if so.
    pub(super) fn note_pause(&mut self, pause: Option<String>) {
        self.pause = pause;
    }

    /// Writes the status if it is due; returns whether it did.
    pub(super) fn write(&mut self, folders: &BTreeMap<FolderId, HotFolder>, now: Instant) -> bool {
        let is_due = now >= self.write_at(folders);
        if is_due {
            self.write_now(folders, now);
        }
        is_due
    }

    /// When the next write is due.
    pub(super) fn write_at(&self, folders: &BTreeMap<FolderId, HotFolder>) -> Instant {
        match &self.written {
            None => self.started,
            Some((at, last)) if *last == self.status(folders) => *at + BEAT,
            Some((at, _)) => *at + INTERVAL,
        }
    }

    /// Writes the file.
    pub(super) fn write_now(&mut self, folders: &BTreeMap<FolderId, HotFolder>, now: Instant) {
        let status = self.status(folders);
        let written = serde_json::to_vec(&status)
            .map_err(std::io::Error::from)
            .at(&self.state_dir)
            .and_then(|json| replace_file(&file(&self.state_dir), &mut json.as_slice()));
        if let Err(error) = &written
            && !self.has_failed
        {
            tracing::warn!(%error, "the status file cannot be written");
        }
        self.has_failed = written.is_err();
        self.written = Some((now, status));
    }

    /// The last written status, and when it was written.
    pub(super) fn written(&self) -> Option<(Instant, &LiveStatus)> {
        self.written.as_ref().map(|(at, status)| (*at, status))
    }

    /// Removes the file: the daemon ends.
    pub(super) fn remove(&self) {
        drop(std::fs::remove_file(file(&self.state_dir)));
    }

    /// Makes the canary folder of folder `name`.
    pub(super) fn make_canary(&self, name: &str) -> Result<PathBuf, PathError> {
        let canary = self.canary(name);
        std::fs::create_dir_all(&canary).at(&canary)?;
        canary.canonicalize().at(&canary)
    }

    /// Makes an event in the canary folder of folder `name`.
    pub(super) fn stir_canary(&self, name: &str) -> Result<(), PathError> {
        let canary = self.canary(name);
        stir_canary(&canary).at(&canary)
    }

    /// The current status.
    pub(super) fn status(&self, folders: &BTreeMap<FolderId, HotFolder>) -> LiveStatus {
        LiveStatus {
            confinement: self.confinement,
            http: (self.listener_state != ListenerState::None)
                .then(|| self.listener_state.to_string()),
            shortage: self.shortage.clone(),
            folders: folders
                .values()
                .map(|folder| live_folder(folder, self.pause.as_deref(), &self.clock))
                .collect(),
        }
    }

    fn canary(&self, name: &str) -> PathBuf {
        self.state_dir.join(CANARY).join(name)
    }
}

fn file(state_dir: &Path) -> PathBuf {
    state_dir.join("status.json")
}

/// `pause` is why no folder is processed, if so.
fn live_folder(folder: &HotFolder, pause: Option<&str>, clock: &WallClock) -> LiveFolder {
    let state = match pause {
        Some(reason) if folder.state.is_there() => FolderState::Paused(reason.to_owned()),
        _ => folder.state.shown(),
    };
    let (waiting, held) = folder.blocked.waiting(folder.settle.held(), clock);
    LiveFolder {
        name: folder.config.name.clone(),
        state,
        queued: folder.queued(),
        queued_on_disk: folder.on_disk(),
        oldest_ms: folder.oldest_ms.filter(|_| folder.queued() > 0),
        running: folder.running(),
        rates: folder.rates,
        waiting,
        held,
        not_taken: folder.not_taken.clone(),
    }
}
