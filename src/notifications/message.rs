//! Converts a notification to a JSON message with an id and a time. Must not send.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::time::Instant;

use super::notification::{Moment, Notification};
use crate::rfc3339;

/// One message; the same for every attempt to send it.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// When the message was made.
    pub(super) made: Instant,
    /// Unique among all messages.
    pub(super) id: String,
    /// The notification.
    pub(super) event: Notification,
    /// The message as a JSON object.
    pub(super) json: Vec<u8>,
}

#[cfg(test)]
impl Message {
    /// Any message, for tests.
    pub(super) fn finished() -> Self {
        let moment = Moment {
            now: Instant::now(),
            at: UNIX_EPOCH,
        };
        let event = Notification::FolderFinished {
            folder: "a".to_owned(),
            done: 1,
            quarantined: 0,
            missed: 0,
            since: rfc3339::utc(UNIX_EPOCH),
        };
        MessageBuilder::new(UNIX_EPOCH)
            .build(event, moment)
            .unwrap()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    #[serde(flatten)]
    event: &'a Notification,
    at: String,
}

/// Numbers the messages of one run of the daemon.
#[derive(Debug)]
pub(super) struct MessageBuilder {
    /// Unique among all runs.
    run: String,
    count: u64,
}

impl MessageBuilder {
    /// Starts a run.
    pub(super) fn new(start: SystemTime) -> Self {
        let since_epoch = start.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            run: format!("{:x}-{:x}", since_epoch.as_nanos(), std::process::id()),
            count: 0,
        }
    }

    /// Makes the next message.
    ///
    /// # Errors
    /// If the notification cannot be converted to JSON, which does not happen.
    pub(super) fn build(
        &mut self,
        event: Notification,
        moment: Moment,
    ) -> serde_json::Result<Message> {
        self.count += 1;
        let id = format!("{}-{}", self.run, self.count);
        let body = Body {
            id: &id,
            event: &event,
            at: rfc3339::utc(moment.at),
        };
        let json = serde_json::to_vec(&body)?;
        Ok(Message {
            made: moment.now,
            id,
            event,
            json,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Fails when a field is missing or named differently than in docs/notifications.md, or when two messages share an id.
    #[test]
    fn messages_are_what_the_readme_shows() {
        let moment = Moment {
            now: Instant::now(),
            at: UNIX_EPOCH + Duration::from_millis(1_500),
        };
        let mut builder = MessageBuilder::new(UNIX_EPOCH + Duration::from_nanos(255));
        let finished = Notification::FolderFinished {
            folder: "products".to_owned(),
            done: 12,
            quarantined: 1,
            missed: 0,
            since: rfc3339::utc(UNIX_EPOCH),
        };
        let quarantined = Notification::Quarantined {
            folder: "products".to_owned(),
            source: "sub/a.jpg".to_owned(),
            reason: "no picture".to_owned(),
        };
        let run = format!("ff-{:x}", std::process::id());
        for (event, text) in [
            (
                finished,
                format!(
                    r#"{{"id":"{run}-1","event":"folder_finished","folder":"products","done":12,"quarantined":1,"since":"1970-01-01T00:00:00.000Z","at":"1970-01-01T00:00:01.500Z"}}"#
                ),
            ),
            (
                quarantined,
                format!(
                    r#"{{"id":"{run}-2","event":"quarantined","folder":"products","source":"sub/a.jpg","reason":"no picture","at":"1970-01-01T00:00:01.500Z"}}"#
                ),
            ),
        ] {
            let message = builder.build(event, moment).unwrap();
            assert_eq!(String::from_utf8(message.json).unwrap(), text);
        }
    }
}
