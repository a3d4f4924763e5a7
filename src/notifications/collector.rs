//! Converts photo events and folder snapshots to notifications, and computes when they are due. Must not read a clock or send.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::notification::{Moment, Notification};
use crate::daemon::{LiveFolder, PhotoEvent, PhotoResult, Snapshot};
use crate::rfc3339;

/// The number of quarantines of one folder that are reported individually within [`WINDOW`]; further ones are only counted.
const SINGLES_MAX: usize = 20;

/// The period to which [`SINGLES_MAX`] applies.
const WINDOW: Duration = Duration::from_mins(1);

/// Events per folder that have not been reported yet.
#[derive(Debug, Default)]
pub(super) struct EventCollector {
    folders: BTreeMap<String, FolderEvents>,
    /// Events lost because they came too fast, of all folders.
    missed: u64,
}

#[derive(Debug, Default)]
struct FolderEvents {
    round: Option<Round>,
    is_busy: bool,
    /// Times of the individual quarantine reports within the last [`WINDOW`].
    singles: VecDeque<Instant>,
    /// Missed events that messages about this folder have already reported.
    missed_reported: u64,
}

/// Photos finished since the folder was last reported.
#[derive(Debug)]
struct Round {
    since: SystemTime,
    last: Instant,
    done: u64,
    quarantined: u64,
}

impl EventCollector {
    /// Counts an event; returns a notification if one is due at once.
    pub(super) fn hear(&mut self, event: &PhotoEvent, moment: Moment) -> Option<Notification> {
        let PhotoEvent {
            folder,
            source,
            result,
            reason,
            ..
        } = event;
        let events = match self.folders.get_mut(folder) {
            Some(events) => events,
            None => self.folders.entry(folder.clone()).or_default(),
        };
        match result {
            PhotoResult::Done => events.round(moment).done += 1,
            PhotoResult::Quarantined => events.round(moment).quarantined += 1,
            PhotoResult::Ignored | PhotoResult::Retry => {
                if let Some(round) = &mut events.round {
                    round.last = moment.now;
                }
            }
        }
        let is_single = *result == PhotoResult::Quarantined && events.may_send_single(moment.now);
        is_single.then(|| Notification::Quarantined {
            folder: folder.clone(),
            source: source.clone(),
            reason: reason.clone().unwrap_or_default(),
        })
    }

    /// Records that `count` events were lost. From now on all counts are lower bounds.
    pub(super) fn miss(&mut self, count: u64) {
        self.missed += count;
    }

    /// Updates which folders have photos in progress. A folder missing from the live status while the daemon ends keeps its state.
    pub(super) fn look(&mut self, snapshot: &Snapshot) {
        self.folders.retain(|name, events| {
            let is_configured = snapshot.config.folders.iter().any(|one| one.name == *name);
            match snapshot.live.folders.iter().find(|one| one.name == *name) {
                Some(live) => {
                    events.is_busy = has_work(live);
                }
                None if !is_configured => events.is_busy = false,
                None => {}
            }
            is_configured || events.round.is_some()
        });
    }

    /// Folders without events for `quiet` and without photos in progress.
    pub(super) fn finished(&mut self, quiet: Duration, now: Instant) -> Vec<Notification> {
        self.close(|round| round.last + quiet <= now)
    }

    /// Folders without photos in progress, however short the quiet time: there is no later report.
    pub(super) fn end(&mut self) -> Vec<Notification> {
        self.close(|_| true)
    }

    /// When [`Self::finished`] may return a notification, unless a snapshot changes that.
    pub(super) fn due(&self, quiet: Duration) -> Option<Instant> {
        let idle = self.folders.values().filter(|events| !events.is_busy);
        let ends = idle.filter_map(|events| Some(events.round.as_ref()?.last + quiet));
        ends.min()
    }

    fn close(&mut self, is_over: impl Fn(&Round) -> bool) -> Vec<Notification> {
        let missed = self.missed;
        let idle = self
            .folders
            .iter_mut()
            .filter(|(_, events)| !events.is_busy);
        let notifications = idle.filter_map(|(name, events)| {
            let round = events.round.take_if(|round| is_over(round))?;
            let newly_missed = missed - std::mem::replace(&mut events.missed_reported, missed);
            Some(Notification::FolderFinished {
                folder: name.clone(),
                done: round.done,
                quarantined: round.quarantined,
                missed: newly_missed,
                since: rfc3339::utc(round.since),
            })
        });
        notifications.collect()
    }
}

/// An offline folder counts as having work, because its photos cannot be listed.
fn has_work(folder: &LiveFolder) -> bool {
    folder.state.is_offline() || folder.queued + folder.running > 0
}

impl FolderEvents {
    fn round(&mut self, moment: Moment) -> &mut Round {
        let round = self.round.get_or_insert(Round {
            since: moment.at,
            last: moment.now,
            done: 0,
            quarantined: 0,
        });
        round.last = moment.now;
        round
    }

    fn may_send_single(&mut self, now: Instant) -> bool {
        self.singles.retain(|sent| *sent + WINDOW > now);
        let may = self.singles.len() < SINGLES_MAX;
        if may {
            self.singles.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests;
