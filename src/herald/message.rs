//! An event -> a message that others can tell apart: JSON, and variables for a command. Sends nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::time::Instant;

use super::tally::Moment;

/// What others are told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// Photos have ended in a folder, and no more are on their way.
    FolderFinished {
        /// Its name.
        folder: String,
        /// Cutouts placed since the last such message; a lower bound if news were missed.
        done: u64,
        /// Photos set aside since then; a lower bound too.
        quarantined: u64,
        /// News that were missed, of all folders.
        #[serde(skip_serializing_if = "is_zero")]
        missed: u64,
        /// When the first of them ended: RFC 3339, UTC.
        since: String,
    },
    /// A photo was set aside.
    Quarantined {
        /// Its folder.
        folder: String,
        /// Its path below the folder.
        source: String,
        /// Why.
        reason: String,
    },
}

/// One message, the same however often it is sent.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// When it was made.
    pub(super) made: Instant,
    /// What it tells.
    pub(super) event: Event,
    /// As a JSON object.
    pub(super) json: Vec<u8>,
}

#[cfg(test)]
impl Message {
    /// One of no interest.
    pub(super) fn finished() -> Self {
        let moment = Moment {
            now: Instant::now(),
            at: UNIX_EPOCH,
        };
        let event = Event::FolderFinished {
            folder: "a".to_owned(),
            done: 1,
            quarantined: 0,
            missed: 0,
            since: rfc3339(UNIX_EPOCH),
        };
        Scribe::new(UNIX_EPOCH).write(event, moment).unwrap()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    #[serde(flatten)]
    event: &'a Event,
    at: String,
}

/// Numbers the messages of one run.
#[derive(Debug)]
pub(super) struct Scribe {
    /// Tells this run from every other one.
    run: String,
    count: u64,
}

impl Scribe {
    /// Starts a run.
    pub(super) fn new(start: SystemTime) -> Self {
        let since_epoch = start.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            run: format!("{:x}-{:x}", since_epoch.as_nanos(), std::process::id()),
            count: 0,
        }
    }

    /// Makes the next message; an error if the event is no JSON, which no event is.
    pub(super) fn write(&mut self, event: Event, moment: Moment) -> serde_json::Result<Message> {
        self.count += 1;
        let body = Body {
            id: format!("{}-{}", self.run, self.count),
            event: &event,
            at: rfc3339(moment.at),
        };
        let json = serde_json::to_vec(&body)?;
        Ok(Message {
            made: moment.now,
            event,
            json,
        })
    }
}

impl Event {
    /// What a command finds in its environment.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::FolderFinished {
                folder,
                done,
                quarantined,
                ..
            } => vec![
                ("HOTCUT_EVENT", "folder_finished".to_owned()),
                ("HOTCUT_FOLDER", folder.clone()),
                ("HOTCUT_DONE", done.to_string()),
                ("HOTCUT_QUARANTINED", quarantined.to_string()),
            ],
            Self::Quarantined {
                folder,
                source,
                reason,
            } => vec![
                ("HOTCUT_EVENT", "quarantined".to_owned()),
                ("HOTCUT_FOLDER", folder.clone()),
                ("HOTCUT_SOURCE", source.clone()),
                ("HOTCUT_REASON", reason.clone()),
            ],
        }
    }
}

/// RFC 3339, UTC, to the millisecond.
pub(super) fn rfc3339(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at).to_string()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Fails when a field is missing or named otherwise than docs/notifications.md says, or when two messages share an id.
    #[test]
    fn messages_are_what_the_readme_shows() {
        let moment = Moment {
            now: Instant::now(),
            at: UNIX_EPOCH + Duration::from_millis(1_500),
        };
        let mut scribe = Scribe::new(UNIX_EPOCH + Duration::from_nanos(255));
        let finished = Event::FolderFinished {
            folder: "products".to_owned(),
            done: 12,
            quarantined: 1,
            missed: 0,
            since: rfc3339(UNIX_EPOCH),
        };
        let quarantined = Event::Quarantined {
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
            let message = scribe.write(event, moment).unwrap();
            assert_eq!(String::from_utf8(message.json).unwrap(), text);
        }
    }
}
