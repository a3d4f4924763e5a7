//! Converts events and snapshots of the daemon to messages, in the order of sending. Must not send.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::collector::EventCollector;
use super::message::{Message, MessageBuilder};
use super::notification::{Moment, Notification};
use crate::config::NotifyConfig;
use crate::daemon::{DaemonHandle, PhotoEvent};

/// Collects events and queues the messages.
struct EventListener {
    collector: EventCollector,
    builder: MessageBuilder,
    messages: broadcast::Sender<Arc<Message>>,
    has_missed: bool,
}

/// Listens until the loop has ended. Without a `[notify]` table it only waits for one.
pub(super) async fn listen(
    mut handle: DaemonHandle,
    events: broadcast::Receiver<Arc<PhotoEvent>>,
    settings: watch::Sender<Option<NotifyConfig>>,
    messages: broadcast::Sender<Arc<Message>>,
) {
    let mut listener = EventListener {
        collector: EventCollector::default(),
        builder: MessageBuilder::new(SystemTime::now()),
        messages,
        has_missed: false,
    };
    // Until the loop publishes its configuration, there may be a `[notify]` table.
    let mut events = Some(events);
    loop {
        let mut due = None;
        if let Some(snapshot) = handle.snapshot() {
            let notify = snapshot.config.notify.as_ref();
            settings.send_if_modified(|old| {
                let is_new = old.as_ref() != notify;
                if is_new {
                    *old = notify.cloned();
                }
                is_new
            });
            match notify {
                None => {
                    events = None;
                    listener.collector = EventCollector::default();
                }
                Some(notify) => {
                    events.get_or_insert_with(|| handle.photo_events());
                    listener.collector.look(&snapshot);
                    let finished = listener.collector.finished(notify.quiet, Instant::now());
                    listener.send(finished);
                    due = listener.collector.due(notify.quiet);
                }
            }
        }
        tokio::select! {
            heard = hear(events.as_mut()) => match heard {
                Ok(event) => listener.hear(&event),
                Err(RecvError::Lagged(count)) => listener.miss(count),
                Err(RecvError::Closed) => break,
            },
            is_alive = handle.changed() => if !is_alive {
                break;
            },
            () = until(due) => {}
        }
    }
    if let Some(snapshot) = handle.snapshot() {
        listener.collector.look(&snapshot);
    }
    if let Some(events) = events {
        listener.end(events);
    }
}

impl EventListener {
    fn hear(&mut self, event: &PhotoEvent) {
        let notification = self.collector.hear(event, moment());
        self.send(notification);
    }

    fn miss(&mut self, count: u64) {
        self.collector.miss(count);
        if !std::mem::replace(&mut self.has_missed, true) {
            tracing::warn!(
                count,
                "events were lost; counts in messages are lower bounds (see `missed`)"
            );
        }
    }

    /// Handles the remaining events, and reports every folder without photos in progress.
    fn end(&mut self, mut events: broadcast::Receiver<Arc<PhotoEvent>>) {
        loop {
            match events.try_recv() {
                Ok(event) => self.hear(&event),
                Err(TryRecvError::Lagged(count)) => self.miss(count),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let finished = self.collector.end();
        self.send(finished);
    }

    fn send(&mut self, events: impl IntoIterator<Item = Notification>) {
        for event in events {
            match self.builder.build(event, moment()) {
                // Both receivers exist as long as this sender.
                Ok(message) => drop(self.messages.send(Arc::new(message))),
                Err(error) => {
                    tracing::error!(%error, "a notification cannot be encoded and is dropped");
                }
            }
        }
    }
}

fn moment() -> Moment {
    Moment {
        now: Instant::now(),
        at: SystemTime::now(),
    }
}

async fn hear(
    events: Option<&mut broadcast::Receiver<Arc<PhotoEvent>>>,
) -> Result<Arc<PhotoEvent>, RecvError> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::daemon::{Snapshot, link};

    /// Sums of finished photos and of missed events, until `photos` photos are reported.
    async fn counts(heard: &mut broadcast::Receiver<Arc<Message>>, photos: u64) -> (u64, u64) {
        let mut counts = (0, 0);
        while counts.0 < photos {
            let message = timeout(Duration::from_mins(1), heard.recv()).await;
            if let Notification::FolderFinished { done, missed, .. } =
                &message.unwrap().unwrap().event
            {
                counts.0 += done;
                counts.1 += missed;
            }
        }
        counts
    }

    /// P10: fails when events that come too fast are not reported as missed, or when later events are lost.
    #[tokio::test]
    async fn events_that_come_too_fast_are_reported_as_missed() {
        let (handle, endpoint) = link();
        let events = handle.photo_events();
        endpoint.show(Snapshot::idle(
            "[notify]\nquiet = \"100ms\"\ncommand = [\"/bin/true\"]",
        ));
        for _ in 0..1_030 {
            endpoint.publish(PhotoEvent::done());
        }
        let (settings, _) = watch::channel(None);
        let (messages, mut heard) = broadcast::channel(64);
        let listening = tokio::spawn(listen(handle, events, settings, messages));
        assert_eq!(counts(&mut heard, 1_024).await, (1_024, 6));
        drop(endpoint);
        listening.await.unwrap();
    }

    /// P8, P10: fails when events missed before the end are not reported at the end.
    #[tokio::test]
    async fn events_that_were_missed_before_the_end_are_reported() {
        let (handle, endpoint) = link();
        let events = handle.photo_events();
        for _ in 0..1_030 {
            endpoint.publish(PhotoEvent::done());
        }
        let (messages, mut heard) = broadcast::channel(64);
        let mut listener = EventListener {
            collector: EventCollector::default(),
            builder: MessageBuilder::new(SystemTime::UNIX_EPOCH),
            messages,
            has_missed: false,
        };
        listener.end(events);
        assert_eq!(counts(&mut heard, 1_024).await, (1_024, 6));
    }
}
