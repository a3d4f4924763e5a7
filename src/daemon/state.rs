//! What a folder is doing -> the words that status, log and metrics use for it.

use std::fmt;

/// The state of a hot folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not looked at yet.
    Starting,
    /// Watched.
    Online,
    /// Listed again and again, because it cannot be watched.
    Polling,
    /// Not there.
    Offline(String),
    /// There, but its output cannot be used; the state that it returns to, and why it pauses.
    Paused(Box<State>, String),
}

impl State {
    /// Tells whether the hot folder can be read.
    pub(super) fn is_there(&self) -> bool {
        matches!(self, Self::Online | Self::Polling | Self::Paused(..))
    }

    /// The hot folder can be read, as `there` says; a pause of its output goes on. Tells whether that is news.
    pub(super) fn arrive(&mut self, there: State) -> bool {
        let place = match self {
            Self::Paused(resumed, _) => resumed.as_mut(),
            other @ (Self::Starting | Self::Online | Self::Polling | Self::Offline(_)) => other,
        };
        let is_news = *place != there;
        *place = there;
        is_news
    }

    /// Pauses; tells whether that is news.
    pub(super) fn pause(&mut self, reason: String) -> bool {
        let (resumed, is_news) = match &*self {
            Self::Paused(resumed, old) => (resumed.as_ref().clone(), *old != reason),
            other @ (Self::Starting | Self::Online | Self::Polling | Self::Offline(_)) => {
                (other.clone(), true)
            }
        };
        *self = Self::Paused(Box::new(resumed), reason);
        is_news
    }

    /// Ends a pause; tells whether there was one.
    pub(super) fn resume(&mut self) -> bool {
        match self {
            Self::Paused(resumed, _) => {
                *self = resumed.as_ref().clone();
                true
            }
            Self::Starting | Self::Online | Self::Polling | Self::Offline(_) => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("offline: not looked at yet"),
            Self::Online => f.write_str("online"),
            Self::Polling => f.write_str("polling"),
            Self::Offline(reason) => write!(f, "offline: {reason}"),
            Self::Paused(_, reason) => write!(f, "paused: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P10: fails when a new watch makes a folder whose output cannot be used look sound.
    #[test]
    fn a_folder_that_is_watched_anew_still_pauses() {
        let mut state = State::Online;
        assert!(state.pause("no space".to_owned()));
        assert!(!state.arrive(State::Online));
        assert_eq!(state.to_string(), "paused: no space");
        assert!(state.arrive(State::Polling));
        assert_eq!(state.to_string(), "paused: no space");
        assert!(state.resume());
        assert_eq!(state, State::Polling);
    }
}
