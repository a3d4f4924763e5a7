//! The daemon's news and view -> messages, in the order in which they are to be told. Delivers none.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::collector::EventCollector;
use super::message::{Message, MessageBuilder};
use super::notification::{Moment, Notification};
use crate::config::NotifyConfig;
use crate::daemon::{Access, News};

/// Where what is heard goes to.
struct EventListener {
    collector: EventCollector,
    builder: MessageBuilder,
    messages: broadcast::Sender<Arc<Message>>,
    has_missed: bool,
}

/// Listens until the loop has ended. Without a table it only waits for one.
pub(super) async fn listen(
    mut access: Access,
    news: broadcast::Receiver<Arc<News>>,
    settings: watch::Sender<Option<NotifyConfig>>,
    messages: broadcast::Sender<Arc<Message>>,
) {
    let mut listener = EventListener {
        collector: EventCollector::default(),
        builder: MessageBuilder::new(SystemTime::now()),
        messages,
        has_missed: false,
    };
    // Until the loop shows its configuration, there may be a table.
    let mut news = Some(news);
    loop {
        let mut due = None;
        if let Some(view) = access.view() {
            let notify = view.config.notify.as_ref();
            settings.send_if_modified(|old| {
                let is_new = old.as_ref() != notify;
                if is_new {
                    *old = notify.cloned();
                }
                is_new
            });
            match notify {
                None => {
                    news = None;
                    listener.collector = EventCollector::default();
                }
                Some(notify) => {
                    news.get_or_insert_with(|| access.news());
                    listener.collector.look(&view);
                    let finished = listener.collector.finished(notify.quiet, Instant::now());
                    listener.tell(finished);
                    due = listener.collector.due(notify.quiet);
                }
            }
        }
        tokio::select! {
            heard = hear(news.as_mut()) => match heard {
                Ok(news) => listener.hear(&news),
                Err(RecvError::Lagged(count)) => listener.miss(count),
                Err(RecvError::Closed) => break,
            },
            is_alive = access.changed() => if !is_alive {
                break;
            },
            () = until(due) => {}
        }
    }
    if let Some(view) = access.view() {
        listener.collector.look(&view);
    }
    if let Some(news) = news {
        listener.end(news);
    }
}

impl EventListener {
    fn hear(&mut self, news: &News) {
        let event = self.collector.hear(news, moment());
        self.tell(event);
    }

    fn miss(&mut self, count: u64) {
        self.collector.miss(count);
        if !std::mem::replace(&mut self.has_missed, true) {
            tracing::warn!(
                count,
                "news came too fast; the numbers in messages are lower bounds, with `missed` beside them"
            );
        }
    }

    /// Hears what is left, and tells of every folder that has come to rest.
    fn end(&mut self, mut news: broadcast::Receiver<Arc<News>>) {
        loop {
            match news.try_recv() {
                Ok(news) => self.hear(&news),
                Err(TryRecvError::Lagged(count)) => self.miss(count),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let finished = self.collector.end();
        self.tell(finished);
    }

    fn tell(&mut self, events: impl IntoIterator<Item = Notification>) {
        for event in events {
            match self.builder.build(event, moment()) {
                // Both receivers are there as long as this is.
                Ok(message) => drop(self.messages.send(Arc::new(message))),
                Err(error) => tracing::error!(%error, "a message cannot be written"),
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

async fn hear(news: Option<&mut broadcast::Receiver<Arc<News>>>) -> Result<Arc<News>, RecvError> {
    match news {
        Some(news) => news.recv().await,
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
    use crate::daemon::{View, access};

    /// Counts of finished photos and of missed news, until so many photos are told.
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

    /// P10: fails when news that came too fast are not told to be missing, or are the last that is heard.
    #[tokio::test]
    async fn news_that_come_too_fast_are_told_as_missed() {
        let (access, reception) = access();
        let news = access.news();
        reception.show(View::idle(
            "[notify]\nquiet = \"100ms\"\ncommand = [\"/bin/true\"]",
        ));
        for _ in 0..1_030 {
            reception.tell(News::done());
        }
        let (settings, _) = watch::channel(None);
        let (messages, mut heard) = broadcast::channel(64);
        let listening = tokio::spawn(listen(access, news, settings, messages));
        assert_eq!(counts(&mut heard, 1_024).await, (1_024, 6));
        drop(reception);
        listening.await.unwrap();
    }

    /// P8, P10: fails when what was missed before the end is not told at the end.
    #[tokio::test]
    async fn news_that_were_missed_before_the_end_are_told() {
        let (access, reception) = access();
        let news = access.news();
        for _ in 0..1_030 {
            reception.tell(News::done());
        }
        let (messages, mut heard) = broadcast::channel(64);
        let mut listener = EventListener {
            collector: EventCollector::default(),
            builder: MessageBuilder::new(SystemTime::UNIX_EPOCH),
            messages,
            has_missed: false,
        };
        listener.end(news);
        assert_eq!(counts(&mut heard, 1_024).await, (1_024, 6));
    }
}
