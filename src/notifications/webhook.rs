//! Posts messages to the configured webhook one after the other, each until it is accepted or given up.

use std::sync::Arc;
use std::time::SystemTime;

use super::Settings;
use super::inbox::Inbox;
use super::message::Message;
use super::post::{PostError, post};
use super::retry_delay;
use crate::blocking::blocking;

/// Delivers until there are no more messages. Without a webhook, messages are discarded.
pub(super) async fn deliver(inbox: &mut Inbox, settings: Settings) {
    let mut sender = WebhookSender {
        settings,
        failures: 0,
        is_cut_off: false,
        is_ending: false,
    };
    while let Some(message) = inbox.next().await {
        sender.deliver(&message).await;
    }
}

struct WebhookSender {
    settings: Settings,
    /// The number of consecutive failed attempts, over all messages.
    failures: u32,
    /// Whether the log already reports waiting messages.
    is_cut_off: bool,
    is_ending: bool,
}

impl WebhookSender {
    async fn deliver(&mut self, message: &Arc<Message>) {
        loop {
            let notify = self.settings.borrow_and_update().clone();
            let Some((webhook, secret)) =
                notify.and_then(|notify| Some((notify.webhook?, notify.secret)))
            else {
                return;
            };
            let receiver = webhook.to_string();
            let sent = Arc::clone(message);
            let attempt =
                blocking(move || post(&webhook, secret.as_ref(), &sent, SystemTime::now()));
            let error = match attempt.await {
                Ok(()) => {
                    self.failures = 0;
                    if std::mem::take(&mut self.is_cut_off) {
                        tracing::info!(receiver, "the webhook accepts messages again");
                    }
                    return;
                }
                Err(error) => error,
            };
            let wait = match &error {
                PostError::Refused(_) | PostError::Unsigned(_) => None,
                PostError::Busy { .. } | PostError::Unreachable(_) => {
                    self.failures += 1;
                    let asked = error.retry_after();
                    retry_delay::next(self.failures, asked, message.made.elapsed())
                }
            };
            let Some(wait) = wait else {
                tracing::error!(receiver, %error, "a message for the webhook is dropped");
                return;
            };
            if !std::mem::replace(&mut self.is_cut_off, true) {
                tracing::warn!(receiver, %error, "messages for the webhook wait; it is tried again for up to an hour");
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // Retries at once: a new address may work, and at the end of the daemon little time is left.
                changed = self.settings.changed(), if !self.is_ending => {
                    self.is_ending = changed.is_err();
                    self.failures = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use tokio::sync::watch;
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::daemon::Snapshot;

    /// P6: fails when an undeliverable message is retried forever, or is never tried.
    #[tokio::test]
    async fn message_that_is_an_hour_old_is_dropped_after_a_last_attempt() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        // Closes every connection at once.
        std::thread::spawn(move || silent.incoming().for_each(drop));
        let snapshot = Snapshot::idle(&format!("[notify]\nwebhook = \"http://{address}/\""));
        let (_daemon, settings) = watch::channel(snapshot.config.notify.clone());
        let mut sender = WebhookSender {
            settings,
            failures: 0,
            is_cut_off: false,
            is_ending: false,
        };
        let mut message = Message::finished();
        message.made = Instant::now().checked_sub(Duration::from_hours(1)).unwrap();
        let message = Arc::new(message);
        let dropped = timeout(Duration::from_secs(30), sender.deliver(&message)).await;
        assert!(dropped.is_ok(), "{} attempts", sender.failures);
        assert_eq!(sender.failures, 1);
    }
}
