//! The state of a hot folder, in one type for the status file, `hotcut status`, HTTP, metrics and notifications. Decides nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a hot folder. In JSON it is two fields: `state`, one of [`Self::WORDS`], and `reason`, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum FolderState {
    /// It is watched.
    Online,
    /// It is listed every `rescan`, because it cannot be watched.
    Polling,
    /// It cannot be read, for this reason.
    Offline(String),
    /// It can be read, but no photo of it is started, for this reason.
    Paused(String),
}

impl Default for FolderState {
    fn default() -> Self {
        Self::Offline("not looked at yet".to_owned())
    }
}

impl FolderState {
    /// All words that [`Self::word`] returns.
    pub const WORDS: [&str; 4] = ["online", "polling", "offline", "paused"];

    /// The word for the state in JSON and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Polling => "polling",
            Self::Offline(_) => "offline",
            Self::Paused(_) => "paused",
        }
    }

    /// Why the folder is offline or paused, for a person.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Online | Self::Polling => None,
            Self::Offline(reason) | Self::Paused(reason) => Some(reason),
        }
    }

    /// Returns whether photos of the folder are processed.
    pub fn is_served(&self) -> bool {
        matches!(self, Self::Online | Self::Polling)
    }

    /// Returns whether the folder cannot be read.
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Offline(_))
    }
}

impl fmt::Display for FolderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(f, "{}: {reason}", self.word()),
            None => f.write_str(self.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a state does not survive a round trip through JSON, or when JSON and metrics use different words.
    #[test]
    fn a_state_is_a_word_and_a_reason() {
        let why = || "no space".to_owned();
        let states = [
            FolderState::Online,
            FolderState::Polling,
            FolderState::Offline(why()),
            FolderState::Paused(why()),
        ];
        for (state, word) in states.into_iter().zip(FolderState::WORDS) {
            let json = serde_json::to_value(&state).unwrap();
            assert_eq!(json["state"], word);
            assert_eq!(
                json.get("reason").and_then(|one| one.as_str()),
                state.reason()
            );
            assert_eq!(serde_json::from_value::<FolderState>(json).unwrap(), state);
            assert_eq!(state.word(), word);
        }
        assert_eq!(FolderState::Paused(why()).to_string(), "paused: no space");
    }
}
