//! What others may know and ask of the running loop: a view of it, its news, and requests for its workers. The only way in
//! from other threads besides signals; the loop never waits for whoever is at the other end.

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, watch};
use tokio::time::Instant;

use super::{Entrance, LiveStatus, Tally};
use crate::config::Config;
use crate::job::PhotoRequest;

/// Requests that may wait or run for each worker; beyond them callers are turned away, who would else wait for too long.
const PLACES_PER_WORKER: usize = 8;

/// News that a slow listener may be behind before some are lost to it.
const NEWS_MAX: usize = 1_024;

/// The loop as it is now.
#[derive(Clone, Debug)]
pub struct View {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The folders and the workers' confinement.
    pub live: LiveStatus,
    /// Requests that wait for a worker.
    pub requests: usize,
    /// Requests that a worker has.
    pub running_requests: usize,
    /// Workers that are ready or at work.
    pub workers: usize,
    /// Whether a worker has cut the trial picture since the start.
    pub is_proved: bool,
    /// When the loop was last seen to turn; at least every second while all is well.
    pub beat: Instant,
}

#[cfg(test)]
impl View {
    /// A loop with one hot folder `a` and the tables of `toml`, that has nothing to do.
    pub(crate) fn idle(toml: &str) -> Self {
        use std::io::Write as _;
        let models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(
            file,
            "[daemon]\nmodels_dir = {models:?}\nstate_dir = \"/state\"\n{toml}\n\
             [[folder]]\nname = \"a\"\ninput = \"/hot\"\noutput = \"/out\"\nmodel = \"luma\""
        )
        .unwrap();
        Self {
            config: Arc::new(Config::load(file.path()).unwrap()),
            live: LiveStatus {
                confinement: None,
                http: None,
                shortage: None,
                folders: Vec::new(),
            },
            requests: 0,
            running_requests: 0,
            workers: 1,
            is_proved: true,
            beat: Instant::now(),
        }
    }
}

/// An attempt at a photo that has just ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct News {
    /// The photo's folder.
    pub folder: String,
    /// Its path below the folder, for a person.
    pub source: String,
    /// Its version in the ledger; `None` if it never got there.
    pub id: Option<i64>,
    /// How it ended.
    pub result: PhotoResult,
    /// Why, unless it is done.
    pub reason: Option<String>,
}

#[cfg(test)]
impl News {
    /// A cutout that is in its place, in folder `a`.
    pub(crate) fn done() -> Self {
        Self {
            folder: "a".to_owned(),
            source: "a.jpg".to_owned(),
            id: Some(1),
            result: PhotoResult::Done,
            reason: None,
        }
    }
}

/// How an attempt ended, as far as others care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoResult {
    /// The cutout is in place.
    Done,
    /// The photo cannot succeed.
    Quarantined,
    /// The photo is none of hotcut's business.
    Ignored,
    /// Another attempt follows.
    Retry,
}

/// The callers' end.
#[derive(Debug)]
pub struct Access {
    requests: mpsc::UnboundedSender<PhotoRequest>,
    slots: Arc<Semaphore>,
    view: watch::Receiver<Option<Arc<View>>>,
    news: broadcast::Receiver<Arc<News>>,
    http: watch::Sender<Entrance>,
    tally: Tally,
}

impl Clone for Access {
    fn clone(&self) -> Self {
        Self {
            requests: self.requests.clone(),
            slots: Arc::clone(&self.slots),
            view: self.view.clone(),
            news: self.news.resubscribe(),
            http: self.http.clone(),
            tally: self.tally.clone(),
        }
    }
}

/// The loop's end.
#[derive(Debug)]
pub struct Reception {
    slots: Arc<Semaphore>,
    granted: usize,
    pub(super) requests: mpsc::UnboundedReceiver<PhotoRequest>,
    view: watch::Sender<Option<Arc<View>>>,
    news: broadcast::Sender<Arc<News>>,
    http: watch::Receiver<Entrance>,
    pub(super) tally: Tally,
}

/// Makes both ends.
pub fn access() -> (Access, Reception) {
    let (requests, inbox) = mpsc::unbounded_channel();
    let (view, viewer) = watch::channel(None);
    let (news, listener) = broadcast::channel(NEWS_MAX);
    let (http, http_told) = watch::channel(Entrance::None);
    let tally = Tally::default();
    let slots = Arc::new(Semaphore::new(0));
    let access = Access {
        requests,
        slots: Arc::clone(&slots),
        view: viewer,
        news: listener,
        http,
        tally: tally.clone(),
    };
    let reception = Reception {
        slots,
        granted: 0,
        requests: inbox,
        view,
        news,
        http: http_told,
        tally,
    };
    (access, reception)
}

impl Access {
    /// A slot in the queue; `None` if all are taken.
    pub fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// Tells whether the loop takes requests: not any more once it has been asked to stop.
    pub fn is_taking(&self) -> bool {
        !self.slots.is_closed()
    }

    /// As [`Self::slot`], but waits for one; `None` once the loop takes no requests any more.
    pub async fn wait_for_slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// Tells whether the loop still runs.
    pub fn is_open(&self) -> bool {
        self.view.has_changed().is_ok()
    }

    /// Hands a request to the loop; `false` if the loop takes none any more.
    #[must_use]
    pub fn submit(&self, request: PhotoRequest) -> bool {
        self.requests.send(request).is_ok()
    }

    /// The loop as it was a moment ago; `None` before it has started.
    pub fn view(&self) -> Option<Arc<View>> {
        self.view.borrow().clone()
    }

    /// Waits until the view changes, at most about a second; `false` once the loop has ended.
    pub async fn changed(&mut self) -> bool {
        self.view.changed().await.is_ok()
    }

    /// Tells the loop how the way in over HTTP stands, for whoever asks for the daemon's status.
    pub fn tell_http(&self, entrance: Entrance) {
        self.http.send_replace(entrance);
    }

    /// What has been counted since the start.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Everything that happens from now on.
    pub fn news(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.resubscribe()
    }
}

impl Reception {
    /// Has as many slots as `workers` can serve soon. Of those that are taken too many some go once they are free, if this
    /// is called again.
    pub(super) fn grant_slots(&mut self, workers: usize) {
        let wanted = workers.saturating_mul(PLACES_PER_WORKER);
        let missing = wanted.saturating_sub(self.granted);
        self.slots.add_permits(missing);
        let surplus = self.granted.saturating_sub(wanted);
        self.granted = self.granted + missing - self.slots.forget_permits(surplus);
    }

    /// Takes no request any more.
    pub(super) fn close(&mut self) {
        self.requests.close();
        self.slots.close();
    }

    /// How the way in over HTTP stands.
    pub(super) fn http(&self) -> Entrance {
        *self.http.borrow()
    }

    pub(crate) fn show(&self, view: View) {
        self.view.send_replace(Some(Arc::new(view)));
    }

    pub(crate) fn tell(&self, news: News) {
        // Nobody may be listening.
        self.news.send(Arc::new(news)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P6: fails when a reload leaves more slots than there are workers for, or takes one that is in use.
    #[test]
    fn slots_follow_the_workers() {
        let (access, mut reception) = access();
        assert!(access.slot().is_none());
        reception.grant_slots(2);
        let taken: Vec<_> = std::iter::from_fn(|| access.slot()).collect();
        assert_eq!(taken.len(), 16);
        reception.grant_slots(1);
        drop(taken);
        reception.grant_slots(1);
        let taken: Vec<_> = std::iter::from_fn(|| access.slot()).collect();
        assert_eq!(taken.len(), 8);
        reception.grant_slots(3);
        let more: Vec<_> = std::iter::from_fn(|| access.slot()).collect();
        assert_eq!(more.len(), 16);
    }

    /// P8: fails when somebody still waits for a slot once none can come.
    #[tokio::test]
    async fn nobody_waits_for_a_slot_of_a_loop_that_has_ended() {
        let (access, mut reception) = access();
        let closed = async { reception.close() };
        // Whoever waits for ever fails here rather than hangs.
        let patience = std::time::Duration::from_secs(10);
        let waiting = tokio::time::timeout(patience, access.wait_for_slot());
        let (told, ()) = tokio::join!(waiting, closed);
        assert!(matches!(told, Ok(None)));
        assert!(access.slot().is_none());
    }
}
