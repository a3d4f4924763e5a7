//! News of photos and views of folders -> what is told, and when. Has no clock and tells nobody.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::message::{Event, rfc3339};
use crate::daemon::{News, PhotoResult, View};

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
                    let is_away = live.state.starts_with("offline");
                    tally.is_busy = is_away || live.queued + live.running > 0;
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
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const QUIET: Duration = Duration::from_secs(30);

    /// Seconds from the start of the test.
    fn second(start: Instant, seconds: u64) -> Moment {
        let passed = Duration::from_secs(seconds);
        Moment {
            now: start + passed,
            at: UNIX_EPOCH + passed,
        }
    }

    fn photo(folder: &str, result: PhotoResult) -> News {
        News {
            folder: folder.to_owned(),
            source: "a.jpg".to_owned(),
            id: None,
            result,
            reason: Some("no picture".to_owned()),
        }
    }

    fn finished(folder: &str, counts: (u64, u64), missed: u64, since: u64) -> Event {
        Event::FolderFinished {
            folder: folder.to_owned(),
            done: counts.0,
            quarantined: counts.1,
            missed,
            since: rfc3339(UNIX_EPOCH + Duration::from_secs(since)),
        }
    }

    /// Fails when a folder counts as finished while photos still end, or is told twice, or when counts are not begun anew.
    #[test]
    fn folder_is_finished_once_it_has_been_quiet() {
        let start = Instant::now();
        let mut tally = Tally::default();
        assert_eq!(tally.due(QUIET), None);
        for seconds in [0, 20] {
            let told = tally.hear(&photo("a", PhotoResult::Done), second(start, seconds));
            assert_eq!(told, None);
        }
        assert_eq!(tally.due(QUIET), Some(second(start, 50).now));
        assert_eq!(tally.finished(QUIET, second(start, 49).now), []);
        let told = tally.finished(QUIET, second(start, 50).now);
        assert_eq!(told, [finished("a", (2, 0), 0, 0)]);
        assert_eq!(tally.finished(QUIET, second(start, 500).now), []);
        assert_eq!(tally.due(QUIET), None);
        tally.hear(&photo("a", PhotoResult::Done), second(start, 500));
        let told = tally.finished(QUIET, second(start, 530).now);
        assert_eq!(told, [finished("a", (1, 0), 0, 500)]);
    }

    /// Fails when a folder with photos on their way counts as finished, before or at the end, or when one folder waits for
    /// another.
    #[test]
    fn folder_with_photos_on_their_way_is_not_finished() {
        let start = Instant::now();
        let mut tally = Tally::default();
        for folder in ["a", "b"] {
            tally.hear(&photo(folder, PhotoResult::Done), second(start, 0));
        }
        tally.folders.get_mut("a").unwrap().is_busy = true;
        let told = tally.finished(QUIET, second(start, 60).now);
        assert_eq!(told, [finished("b", (1, 0), 0, 0)]);
        assert_eq!(tally.due(QUIET), None);
        assert_eq!(tally.end(), []);
        tally.folders.get_mut("a").unwrap().is_busy = false;
        assert_eq!(tally.end(), [finished("a", (1, 0), 0, 0)]);
    }

    /// Fails when photos of which nothing became count as work, or when one that is tried again counts as quiet.
    #[test]
    fn only_done_and_quarantined_photos_are_work() {
        let start = Instant::now();
        let mut tally = Tally::default();
        for result in [PhotoResult::Ignored, PhotoResult::Retry] {
            assert_eq!(tally.hear(&photo("a", result), second(start, 0)), None);
        }
        assert_eq!(tally.due(QUIET), None);
        tally.hear(&photo("a", PhotoResult::Done), second(start, 1));
        tally.hear(&photo("a", PhotoResult::Retry), second(start, 9));
        assert_eq!(tally.due(QUIET), Some(second(start, 39).now));
    }

    /// Fails when a burst becomes a flood, when a short quiet time lets it through, when another folder pays for it, or when
    /// what is not told singly is not counted.
    #[test]
    fn burst_of_quarantines_is_counted_and_not_told_one_by_one() {
        let start = Instant::now();
        let mut tally = Tally::default();
        let bad = |folder| photo(folder, PhotoResult::Quarantined);
        let mut singles = 0;
        for _ in 0..50 {
            singles += usize::from(tally.hear(&bad("a"), second(start, 1)).is_some());
            tally.finished(Duration::ZERO, second(start, 1).now);
        }
        assert_eq!(singles, SINGLES_MAX);
        for _ in 0..3 {
            assert_eq!(tally.hear(&bad("a"), second(start, 60)), None);
        }
        let told = tally.hear(&bad("b"), second(start, 60)).unwrap();
        let Event::Quarantined { source, reason, .. } = told else {
            panic!("{told:?}");
        };
        assert_eq!((source.as_str(), reason.as_str()), ("a.jpg", "no picture"));
        assert!(tally.hear(&bad("a"), second(start, 61)).is_some());
        let told = tally.finished(QUIET, second(start, 91).now);
        assert_eq!(told.first(), Some(&finished("a", (0, 4), 0, 60)));
    }

    /// Fails when lost news are kept quiet about, or told by one folder for ever.
    #[test]
    fn missed_news_are_told_once_by_each_folder() {
        let start = Instant::now();
        let mut tally = Tally::default();
        tally.hear(&photo("a", PhotoResult::Done), second(start, 0));
        tally.miss(7);
        tally.hear(&photo("b", PhotoResult::Done), second(start, 0));
        let told = tally.finished(QUIET, second(start, 30).now);
        assert_eq!(
            told,
            [finished("a", (1, 0), 7, 0), finished("b", (1, 0), 7, 0)]
        );
        tally.hear(&photo("a", PhotoResult::Done), second(start, 40));
        let told = tally.finished(QUIET, second(start, 70).now);
        assert_eq!(told, [finished("a", (1, 0), 0, 40)]);
    }
}
