//! Links the running loop and other threads: snapshots and events one way, requests the other. It is the only way in besides
//! signals. The loop never waits for the other end.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, watch};

use super::metrics::Metrics;
use super::photo_event::PhotoEvent;
use super::snapshot::Snapshot;
use crate::job::PhotoRequest;

/// Requests that may wait or run per worker; further ones are refused, because they would wait too long.
const SLOTS_PER_WORKER: usize = 8;

/// Photo events that a slow listener may lag behind before it loses some.
const EVENTS_BEHIND_MAX: usize = 1_024;

/// The state of the HTTP listener, which its thread reports to the loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListenerState {
    /// No listener is configured.
    #[default]
    None,
    /// It accepts requests at this address.
    Open(SocketAddr),
    /// The address cannot be used; it is tried again.
    Unusable(SocketAddr, io::ErrorKind),
}

impl fmt::Display for ListenerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Open(listen) => write!(f, "listening on {listen}"),
            Self::Unusable(listen, kind) => write!(f, "{listen} cannot be used: {kind}"),
        }
    }
}

/// The end of the link for other threads.
#[derive(Debug)]
pub struct DaemonHandle {
    requests: mpsc::UnboundedSender<PhotoRequest>,
    slots: Arc<Semaphore>,
    snapshot: watch::Receiver<Option<Arc<Snapshot>>>,
    events: broadcast::Receiver<Arc<PhotoEvent>>,
    http: watch::Sender<ListenerState>,
    metrics: Metrics,
}

impl Clone for DaemonHandle {
    fn clone(&self) -> Self {
        Self {
            requests: self.requests.clone(),
            slots: Arc::clone(&self.slots),
            snapshot: self.snapshot.clone(),
            events: self.events.resubscribe(),
            http: self.http.clone(),
            metrics: self.metrics.clone(),
        }
    }
}

/// The end of the link for the loop.
#[derive(Debug)]
pub struct DaemonEndpoint {
    slots: Arc<Semaphore>,
    granted: usize,
    pub(super) requests: mpsc::UnboundedReceiver<PhotoRequest>,
    snapshot: watch::Sender<Option<Arc<Snapshot>>>,
    events: broadcast::Sender<Arc<PhotoEvent>>,
    http: watch::Receiver<ListenerState>,
    pub(super) metrics: Metrics,
}

/// Makes both ends of a link.
pub fn link() -> (DaemonHandle, DaemonEndpoint) {
    let (requests, inbox) = mpsc::unbounded_channel();
    let (snapshot, snapshot_reader) = watch::channel(None);
    let (events, listener) = broadcast::channel(EVENTS_BEHIND_MAX);
    let (http, http_reader) = watch::channel(ListenerState::None);
    let metrics = Metrics::default();
    let slots = Arc::new(Semaphore::new(0));
    let handle = DaemonHandle {
        requests,
        slots: Arc::clone(&slots),
        snapshot: snapshot_reader,
        events: listener,
        http,
        metrics: metrics.clone(),
    };
    let endpoint = DaemonEndpoint {
        slots,
        granted: 0,
        requests: inbox,
        snapshot,
        events,
        http: http_reader,
        metrics,
    };
    (handle, endpoint)
}

impl DaemonHandle {
    /// Takes a slot in the queue; `None` if all are taken.
    pub fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// Returns whether the loop accepts requests; it stops when it is asked to stop.
    pub fn is_taking(&self) -> bool {
        !self.slots.is_closed()
    }

    /// As [`Self::slot`], but waits for a slot; `None` once the loop accepts no more requests.
    pub async fn wait_for_slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    /// Returns whether the loop still runs.
    pub fn is_open(&self) -> bool {
        self.snapshot.has_changed().is_ok()
    }

    /// Sends a request to the loop; `false` if the loop accepts no more.
    #[must_use]
    pub fn submit(&self, request: PhotoRequest) -> bool {
        self.requests.send(request).is_ok()
    }

    /// The latest snapshot of the loop; `None` before the loop has started.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.borrow().clone()
    }

    /// Waits until the snapshot changes, about a second at most; `false` once the loop has ended.
    pub async fn changed(&mut self) -> bool {
        self.snapshot.changed().await.is_ok()
    }

    /// Gives the loop the state of the HTTP listener, which the daemon's status shows.
    pub fn set_listener_state(&self, listener_state: ListenerState) {
        self.http.send_replace(listener_state);
    }

    /// The counters since the start.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Subscribes to all photo events from now on.
    pub fn photo_events(&self) -> broadcast::Receiver<Arc<PhotoEvent>> {
        self.events.resubscribe()
    }
}

impl DaemonEndpoint {
    /// Sets the number of slots to what `workers` can serve soon. Surplus slots that are in use go at a later call, once they are
    /// free.
    pub(super) fn grant_slots(&mut self, workers: usize) {
        let wanted = workers.saturating_mul(SLOTS_PER_WORKER);
        let missing = wanted.saturating_sub(self.granted);
        self.slots.add_permits(missing);
        let surplus = self.granted.saturating_sub(wanted);
        self.granted = self.granted + missing - self.slots.forget_permits(surplus);
    }

    /// Accepts no more requests.
    pub(super) fn close(&mut self) {
        self.requests.close();
        self.slots.close();
    }

    /// The state of the HTTP listener.
    pub(super) fn http(&self) -> ListenerState {
        *self.http.borrow()
    }

    pub(crate) fn show(&self, snapshot: Snapshot) {
        self.snapshot.send_replace(Some(Arc::new(snapshot)));
    }

    pub(crate) fn publish(&self, event: PhotoEvent) {
        // It is no error if nobody listens.
        self.events.send(Arc::new(event)).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P6: fails when a reload leaves more slots than the workers can serve, or removes a slot in use.
    #[test]
    fn slots_follow_the_workers() {
        let (handle, mut endpoint) = link();
        assert!(handle.slot().is_none());
        endpoint.grant_slots(2);
        let taken: Vec<_> = std::iter::from_fn(|| handle.slot()).collect();
        assert_eq!(taken.len(), 16);
        endpoint.grant_slots(1);
        drop(taken);
        endpoint.grant_slots(1);
        let taken: Vec<_> = std::iter::from_fn(|| handle.slot()).collect();
        assert_eq!(taken.len(), 8);
        endpoint.grant_slots(3);
        let more: Vec<_> = std::iter::from_fn(|| handle.slot()).collect();
        assert_eq!(more.len(), 16);
    }

    /// P8: fails when a caller still waits for a slot after the loop has ended.
    #[tokio::test]
    async fn nobody_waits_for_a_slot_of_a_loop_that_has_ended() {
        let (handle, mut endpoint) = link();
        let closed = async { endpoint.close() };
        // A wait without end fails here instead of hanging the test.
        let patience = std::time::Duration::from_secs(10);
        let waiting = tokio::time::timeout(patience, handle.wait_for_slot());
        let (slot, ()) = tokio::join!(waiting, closed);
        assert!(matches!(slot, Ok(None)));
        assert!(handle.slot().is_none());
    }
}
