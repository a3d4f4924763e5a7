//! The state that all handlers share: access to the daemon loop, the current settings, the limits. Must not answer requests.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::api::spool::{Spool, Spooled};
use super::client_limits::ClientLimits;
use super::gallery::{ThumbKey, Thumbs};
use super::server::refusal::Refusal;
use super::server::work_or_refusal::work_or_refusal;
use crate::config::{Folder, Http};
use crate::daemon::{DaemonHandle, Snapshot};
use crate::imaging::CutReport;
use crate::job::{PhotoRequest, RequestError};
use crate::ledger::{Ledger, open_reader};
use crate::worker::Task;

/// Thumbnails made at a time. Further ones wait, so that photos still get slots.
const SHRINKING_MAX: usize = 2;

/// Pictures that are copied for thumbnails, or wait for a worker, at a time.
const COPIES_MAX: usize = 8;

/// Batches at a time. A batch may hold hundreds of open files.
const BATCHES_MAX: usize = 2;

/// Threads that may wait for the disks of one folder. A disk that does not respond blocks these threads; further requests are
/// refused.
const WAITING_MAX: usize = 4;

/// How long a request waits for one of these threads.
const TURN_MAX: Duration = Duration::from_secs(5);

/// Pictures remembered as impossible to shrink.
const UNSHRINKABLE_MAX: usize = 1_024;

/// The longest accepted file name, in bytes. File systems have the same limit.
const NAME_MAX: usize = 255;

/// The state that the handlers of one server share.
#[derive(Debug)]
pub(super) struct AppState {
    pub(super) handle: DaemonHandle,
    pub(super) http: Http,
    pub(super) clients: ClientLimits,
    pub(super) shrinking: Semaphore,
    pub(super) copies: Semaphore,
    pub(super) batches: Arc<Semaphore>,
    /// One semaphore per folder, by the folder's name.
    waiting: Mutex<BTreeMap<String, Arc<Semaphore>>>,
    unshrinkable: Mutex<VecDeque<ThumbKey>>,
    reader: OnceCell<Ledger>,
    thumbs: OnceCell<Arc<Thumbs>>,
    leaving: CancellationToken,
}

impl AppState {
    pub(super) fn new(handle: DaemonHandle, http: Http) -> Self {
        Self {
            handle,
            clients: ClientLimits::new(http.photos_per_minute),
            http,
            shrinking: Semaphore::new(SHRINKING_MAX),
            copies: Semaphore::new(COPIES_MAX),
            batches: Arc::new(Semaphore::new(BATCHES_MAX)),
            waiting: Mutex::default(),
            unshrinkable: Mutex::default(),
            reader: OnceCell::new(),
            thumbs: OnceCell::new(),
            leaving: CancellationToken::new(),
        }
    }

    /// The current state of the daemon loop.
    pub(super) fn snapshot(&self) -> Result<Arc<Snapshot>, Refusal> {
        self.handle.snapshot().ok_or(Refusal::Closed)
    }

    /// The spool for request bodies.
    pub(super) fn spool(&self) -> Result<Spool, Refusal> {
        let snapshot = self.snapshot()?;
        let daemon = &snapshot.config.daemon;
        let len_max = self.http.upload_max_bytes;
        Ok(Spool::new(&daemon.state_dir, len_max, daemon.min_free))
    }

    /// A slot in the queue; never waits.
    pub(super) fn slot(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        match self.handle.slot() {
            Some(slot) => Ok(slot),
            None if self.handle.is_taking() => Err(Refusal::Full),
            None => Err(Refusal::Closed),
        }
    }

    /// Whether a worker could cut a photo now.
    pub(super) fn is_ready(&self) -> bool {
        let snapshot = self.handle.snapshot();
        snapshot.is_some_and(|snapshot| snapshot.is_self_tested && snapshot.workers > 0)
            && self.handle.is_taking()
    }

    /// Runs a task on a worker. When the caller disconnects, its slot in the queue becomes free.
    pub(super) async fn run(
        &self,
        spool: &Spool,
        slot: OwnedSemaphorePermit,
        task: Task,
        photo: Spooled,
    ) -> Result<(File, CutReport), Refusal> {
        let png = spool.sheet().await?;
        let sink = png.try_clone().map_err(RequestError::Disk)?;
        let (reply, result) = oneshot::channel();
        let request = PhotoRequest {
            task,
            photo: photo.file,
            len: photo.len,
            sink,
            reply,
            slot,
        };
        if !self.handle.submit(request) {
            return Err(Refusal::Closed);
        }
        let report = result.await.map_err(|_| Refusal::Closed)??;
        Ok((png, report))
    }

    /// The hot folder of that name. Refuses when it is unknown or offline.
    pub(super) fn folder_here(&self, name: &str) -> Result<Arc<Folder>, Refusal> {
        let snapshot = self.snapshot()?;
        let mut folders = snapshot.config.folders.iter();
        let folder = folders.find(|folder| folder.name == name);
        let folder =
            folder.ok_or_else(|| Refusal::UnknownFolder(name.escape_debug().to_string()))?;
        let live = snapshot.live.folders.iter().find(|live| live.name == name);
        if live.is_none_or(|live| live.state.is_offline()) {
            return Err(Refusal::Away(name.to_owned()));
        }
        Ok(Arc::clone(folder))
    }

    /// Runs `work`, which waits for the disks of a folder, for up to `limit`.
    pub(super) async fn on_folder<T: Send + 'static>(
        &self,
        folder: &str,
        limit: Duration,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let slot = self.folder_slot(folder).await?;
        self.in_slot(slot, limit, work).await
    }

    /// Waits for a free thread for the disks of a folder.
    pub(super) async fn folder_slot(&self, folder: &str) -> Result<OwnedSemaphorePermit, Refusal> {
        let slots = {
            let waiting = self.waiting.lock();
            let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
            let slots = waiting.entry(folder.to_owned());
            Arc::clone(slots.or_insert_with(|| Arc::new(Semaphore::new(WAITING_MAX))))
        };
        match timeout(TURN_MAX, slots.acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(Refusal::DisksSilent),
        }
    }

    /// As [`Self::on_folder`], with a slot that the caller already holds.
    pub(super) async fn in_slot<T: Send + 'static>(
        &self,
        slot: OwnedSemaphorePermit,
        limit: Duration,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let work = work_or_refusal(move || {
            let done = work();
            drop(slot);
            done
        });
        // The thread keeps its slot until the disk responds, even when the caller no longer waits.
        timeout(limit, work)
            .await
            .map_err(|_| Refusal::DisksSilent)?
    }

    /// Whether shrinking this picture has failed before.
    pub(super) fn is_unshrinkable(&self, key: &ThumbKey) -> bool {
        let known = self.unshrinkable.lock();
        known.unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    /// Records that this picture cannot be shrunk. Forgets the oldest record when there are too many.
    pub(super) fn note_unshrinkable(&self, key: ThumbKey) {
        let known = self.unshrinkable.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if known.len() >= UNSHRINKABLE_MAX {
            known.pop_front();
        }
        known.push_back(key);
    }

    /// The thumbnails.
    pub(super) async fn thumbs(&self) -> Result<Arc<Thumbs>, Refusal> {
        let daemon = self.snapshot()?.config.daemon.clone();
        let open = || async {
            let thumbs = move || Thumbs::open(&daemon.state_dir, daemon.min_free);
            work_or_refusal(move || Ok(Arc::new(thumbs()?))).await
        };
        self.thumbs.get_or_try_init(open).await.cloned()
    }

    /// The ledger, on its own connection, so that a large page never delays a photo.
    pub(super) async fn ledger(&self) -> Result<&Ledger, Refusal> {
        let state_dir = self.snapshot()?.config.daemon.state_dir.clone();
        let open = || async {
            let ledger = work_or_refusal(move || Ok(open_reader(&state_dir)?)).await?;
            Ok(Ledger::start(ledger.ok_or(Refusal::Closed)?)?)
        };
        self.reader.get_or_try_init(open).await
    }

    /// Ends streams that have no end of their own.
    pub(super) fn leave(&self) {
        self.leaving.cancel();
    }

    /// Is cancelled when the server ends.
    pub(super) fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }
}

/// The file name that a caller gave, without its folders; `None` when it is empty or too long.
pub(super) fn bare_name(name: &str) -> Option<&str> {
    let last = name.rsplit(['/', '\\']).next()?;
    let name = Path::new(last).file_name()?.to_str()?;
    (name.len() <= NAME_MAX).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_its_folder() {
        for (given, kept) in [
            ("a.jpg", Some("a.jpg")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\photos\\a.jpg", Some("a.jpg")),
            ("..", None),
            ("a/", None),
            ("", None),
        ] {
            assert_eq!(bare_name(given), kept, "{given}");
        }
    }
}
