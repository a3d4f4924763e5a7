//! The internal state of a folder, and its conversion to the state that status, log and metrics show.

use std::time::Duration;

use super::folder_state::FolderState;
use crate::job::PauseReason;

/// The state of a hot folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not looked at yet.
    Starting,
    /// Watched.
    Online,
    /// Listed repeatedly, because it cannot be watched.
    Polling,
    /// Not there.
    Offline(String),
    /// Readable, but its output cannot be used.
    Paused(Box<Paused>),
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paused {
    /// The state after the pause.
    resumed: State,
    reason: PauseReason,
    /// The time from the last try to the next one; `None` if the next try does not depend on time.
    again: Option<Duration>,
}

impl State {
    /// Returns whether the hot folder can be read.
    pub(super) fn is_there(&self) -> bool {
        matches!(self, Self::Online | Self::Polling | Self::Paused(_))
    }

    /// Notes that the hot folder can be read, in the state `there`; a pause of its output goes on. Returns whether that is new.
    pub(super) fn arrive(&mut self, there: State) -> bool {
        let place = match self {
            Self::Paused(pause) => &mut pause.resumed,
            other @ (Self::Starting | Self::Online | Self::Polling | Self::Offline(_)) => other,
        };
        let is_new = *place != there;
        *place = there;
        is_new
    }

    /// Pauses; the next try follows after `again`. Returns whether that is new.
    pub(super) fn pause(&mut self, reason: PauseReason, again: Option<Duration>) -> bool {
        let (resumed, is_new) = match &*self {
            Self::Paused(old) => (old.resumed.clone(), !old.reason.is_same_cause(&reason)),
            other @ (Self::Starting | Self::Online | Self::Polling | Self::Offline(_)) => {
                (other.clone(), true)
            }
        };
        *self = Self::Paused(Box::new(Paused {
            resumed,
            reason,
            again,
        }));
        is_new
    }

    /// Ends a pause; returns whether there was one.
    pub(super) fn resume(&mut self) -> bool {
        match self {
            Self::Paused(pause) => {
                *self = pause.resumed.clone();
                true
            }
            Self::Starting | Self::Online | Self::Polling | Self::Offline(_) => false,
        }
    }
}

impl State {
    /// The state as others see it.
    pub(super) fn shown(&self) -> FolderState {
        match self {
            Self::Starting => FolderState::default(),
            Self::Online => FolderState::Online,
            Self::Polling => FolderState::Polling,
            Self::Offline(reason) => FolderState::Offline(reason.clone()),
            Self::Paused(pause) => {
                let Paused { reason, again, .. } = pause.as_ref();
                FolderState::Paused(match (reason, again) {
                    (PauseReason::NoRoom(_), Some(again)) => {
                        let again = humantime::format_duration(*again);
                        format!("{reason}; looked at again in {again}")
                    }
                    _ => reason.to_string(),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P10: fails when a new watch makes a folder whose output cannot be used look healthy.
    #[test]
    fn a_folder_that_is_watched_anew_still_pauses() {
        let mut state = State::Online;
        assert!(state.pause(PauseReason::Other("no space".to_owned()), None));
        assert!(!state.arrive(State::Online));
        assert_eq!(state.shown().to_string(), "paused: no space");
        assert!(state.arrive(State::Polling));
        assert_eq!(state.shown().to_string(), "paused: no space");
        assert!(state.resume());
        assert_eq!(state, State::Polling);
    }
}
