//! The queue of messages for one receiver. Drops the oldest messages when there are too many, and logs it.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::message::Message;

/// Messages for one receiver, in order.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: &'static str,
    messages: Receiver<Arc<Message>>,
    /// Whether the last message is still being delivered.
    has_one_in_hand: bool,
}

impl Inbox {
    pub(super) fn new(receiver: &'static str, messages: Receiver<Arc<Message>>) -> Self {
        Self {
            receiver,
            messages,
            has_one_in_hand: false,
        }
    }

    /// Returns the next message; the previous one counts as delivered. `None` when there will be no more.
    pub(super) async fn next(&mut self) -> Option<Arc<Message>> {
        self.has_one_in_hand = false;
        loop {
            match self.messages.recv().await {
                Ok(message) => {
                    self.has_one_in_hand = true;
                    return Some(message);
                }
                Err(RecvError::Lagged(dropped)) => tracing::error!(
                    receiver = self.receiver,
                    dropped,
                    "the receiver is too slow; the oldest messages are dropped"
                ),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Logs how many messages are dropped at the end.
    pub(super) fn end(&self) {
        let dropped = self.messages.len() + usize::from(self.has_one_in_hand);
        if dropped > 0 {
            tracing::error!(
                receiver = self.receiver,
                dropped,
                "shutting down: dropped {dropped} notifications"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast;

    use super::super::MESSAGES_MAX;
    use super::*;

    /// P6: fails when more messages wait than allowed, when other messages than the oldest are dropped, or when dropping ends the
    /// delivery.
    #[tokio::test]
    async fn oldest_messages_are_dropped_when_they_become_too_many() {
        let (messages, receiver) = broadcast::channel(MESSAGES_MAX);
        let mut inbox = Inbox::new("webhook", receiver);
        for number in 0..=256_u16 {
            let mut message = Message::finished();
            message.json = number.to_be_bytes().to_vec();
            messages.send(Arc::new(message)).unwrap();
        }
        drop(messages);
        for number in 1..=256_u16 {
            let message = inbox.next().await.unwrap();
            assert_eq!(message.json, number.to_be_bytes());
        }
        assert!(inbox.next().await.is_none());
    }
}
