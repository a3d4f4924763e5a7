//! The messages that wait for one receiver: the oldest are dropped, and said to be, when they become too many.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::message::Message;

/// Messages for one receiver, in their order.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: &'static str,
    messages: Receiver<Arc<Message>>,
    /// Whether the message taken last is still in work.
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

    /// The next message, once the last one is settled; `None` when there will be no more.
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

    /// Says what is left behind at the end.
    pub(super) fn end(&self) {
        let dropped = self.messages.len() + usize::from(self.has_one_in_hand);
        if dropped > 0 {
            tracing::error!(
                receiver = self.receiver,
                dropped,
                "hotcut ends before all is told; the rest is dropped"
            );
        }
    }
}
