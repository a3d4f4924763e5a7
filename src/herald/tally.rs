//! News of photos and views of folders -> what is told, and when. Has no clock and tells nobody.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::message::{Event, rfc3339};
use crate::daemon::{LiveFolder, News, PhotoResult, View};

/// Quarantines of one folder that are told one by one within [`WINDOW`]; the rest are only counted.
const SINGLES_MAX: usize = 20;

/// The time that [`SINGLES_MAX`] is about.
const WINDOW: Duration = Duration::from_mins(1);

/// One moment on both clocks: one that only ever goes on, and one that people read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// For waiting.
    pub(super) now: Instant,
    /// For telling.
    pub(super) at: SystemTime,
}

/// What has happened in each folder and has not been told yet.
#[derive(Debug, Default)]
pub(super) struct Tally {
    folders: BTreeMap<String, FolderTally>,
    /// News that came too fast to be heard, of whatever folder.
    missed: u64,
}

#[derive(Debug, Default)]
struct FolderTally {
    round: Option<Round>,
    is_busy: bool,
    /// When quarantines were told one by one, within the last [`WINDOW`].
    singles: VecDeque<Instant>,
    /// Missed news that this folder's messages have told of.
    missed_told: u64,
}

/// Photos that have ended since the folder was last told to be finished.
#[derive(Debug)]
struct Round {
    since: SystemTime,
    last: Instant,
    done: u64,
    quarantined: u64,
}

impl Tally {
    /// Counts a piece of news; returns what is to be told at once.
    pub(super) fn hear(&mut self, news: &News, moment: Moment) -> Option<Event> {
        let News {
            folder,
            source,
            result,
            reason,
            ..
        } = news;
        let tally = match self.folders.get_mut(folder) {
            Some(tally) => tally,
            None => self.folders.entry(folder.clone()).or_default(),
        };
        match result {
            PhotoResult::Done => tally.round(moment).done += 1,
            PhotoResult::Quarantined => tally.round(moment).quarantined += 1,
            PhotoResult::Ignored | PhotoResult::Retry => {
                if let Some(round) = &mut tally.round {
                    round.last = moment.now;
                }
            }
        }
        let is_told = *result == PhotoResult::Quarantined && tally.may_tell_single(moment.now);
        is_told.then(|| Event::Quarantined {
            folder: folder.clone(),
            source: source.clone(),
            reason: reason.clone().unwrap_or_default(),
        })
    }

    /// Notes that `count` pieces of news were lost: from now on all numbers are lower bounds.
    pub(super) fn miss(&mut self, count: u64) {
        self.missed += count;
    }

    /// Takes over which folders have photos on their way. One that the loop has put away while it ends is as it was.
    pub(super) fn look(&mut self, view: &View) {
        self.folders.retain(|name, tally| {
            let is_configured = view.config.folders.iter().any(|one| one.name == *name);
            match view.live.folders.iter().find(|one| one.name == *name) {
                Some(live) => {
                    tally.is_busy = has_work(live);
                }
                None if !is_configured => tally.is_busy = false,
                None => {}
            }
            is_configured || tally.round.is_some()
        });
    }

    /// Folders in which nothing has happened for `quiet`, and which have nothing on its way.
    pub(super) fn finished(&mut self, quiet: Duration, now: Instant) -> Vec<Event> {
        self.close(|round| round.last + quiet <= now)
    }

    /// Folders that have nothing on its way, however short the quiet was: nobody will tell of them later.
    pub(super) fn end(&mut self) -> Vec<Event> {
        self.close(|_| true)
    }

    /// When [`Self::finished`] may have something to tell, unless a view says otherwise before.
    pub(super) fn due(&self, quiet: Duration) -> Option<Instant> {
        let idle = self.folders.values().filter(|tally| !tally.is_busy);
        let ends = idle.filter_map(|tally| Some(tally.round.as_ref()?.last + quiet));
        ends.min()
    }

    fn close(&mut self, is_over: impl Fn(&Round) -> bool) -> Vec<Event> {
        let missed = self.missed;
        let idle = self.folders.iter_mut().filter(|(_, tally)| !tally.is_busy);
        let events = idle.filter_map(|(name, tally)| {
            let round = tally.round.take_if(|round| is_over(round))?;
            let news = missed - std::mem::replace(&mut tally.missed_told, missed);
            Some(Event::FolderFinished {
                folder: name.clone(),
                done: round.done,
                quarantined: round.quarantined,
                missed: news,
                since: rfc3339(round.since),
            })
        });
        events.collect()
    }
}

/// A folder that is away has what it had, though nobody can tell.
fn has_work(folder: &LiveFolder) -> bool {
    folder.state.starts_with("offline") || folder.queued + folder.running > 0
}

impl FolderTally {
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

    fn may_tell_single(&mut self, now: Instant) -> bool {
        self.singles.retain(|told| *told + WINDOW > now);
        let may = self.singles.len() < SINGLES_MAX;
        if may {
            self.singles.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests;
