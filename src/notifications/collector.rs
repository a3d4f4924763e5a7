//! Events of photos and snapshots of folders -> notifications, and when they are due. Has no clock and sends nothing.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::notification::{Moment, Notification};
use crate::daemon::{LiveFolder, PhotoEvent, PhotoResult, Snapshot};
use crate::rfc3339;

/// Quarantines of one folder that are reported one by one within [`WINDOW`]; the rest are only counted.
const SINGLES_MAX: usize = 20;

/// The time that [`SINGLES_MAX`] is about.
const WINDOW: Duration = Duration::from_mins(1);

/// What has happened in each folder and has not been reported yet.
#[derive(Debug, Default)]
pub(super) struct EventCollector {
    folders: BTreeMap<String, FolderEvents>,
    /// Events that came too fast to be heard, of all folders.
    missed: u64,
}

#[derive(Debug, Default)]
struct FolderEvents {
    round: Option<Round>,
    is_busy: bool,
    /// When quarantines were reported one by one, within the last [`WINDOW`].
    singles: VecDeque<Instant>,
    /// Missed events that this folder's messages have reported.
    missed_reported: u64,
}

/// Photos that have ended since the folder was last reported as finished.
#[derive(Debug)]
struct Round {
    since: SystemTime,
    last: Instant,
    done: u64,
    quarantined: u64,
}

impl EventCollector {
    /// Counts an event; returns the notification that is due at once.
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

    /// Notes that `count` events were lost: from now on all numbers are lower bounds.
    pub(super) fn miss(&mut self, count: u64) {
        self.missed += count;
    }

    /// Takes over which folders have photos on their way. One that the loop has put away while it ends is as it was.
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

    /// Folders in which nothing has happened for `quiet`, and which have nothing on its way.
    pub(super) fn finished(&mut self, quiet: Duration, now: Instant) -> Vec<Notification> {
        self.close(|round| round.last + quiet <= now)
    }

    /// Folders that have nothing on its way, however short the quiet was: nobody will tell of them later.
    pub(super) fn end(&mut self) -> Vec<Notification> {
        self.close(|_| true)
    }

    /// When [`Self::finished`] may have something to tell, unless a view says otherwise before.
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

/// A folder that is away has what it had, though nobody can tell.
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
