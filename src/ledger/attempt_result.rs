//! The results of an attempt, as the ledger records them. Must not know SQL.

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum AttemptResult {
    /// The outputs are in place; the source is not retired yet.
    Placed,
    /// The outputs are in place and the source stays.
    Done,
    /// The outputs are in place and the source was moved or deleted. Its inode may be reused at once, so it no longer identifies the
    /// version.
    Retired,
    /// The attempt counts; another one may follow.
    Waiting,
    /// The attempt does not count: the environment was at fault.
    Refunded,
    /// The file failed for good; the reason is not left with it yet.
    Quarantined {
        /// Why, for a person.
        reason: String,
    },
    /// The file is not a photo for hotcut, such as its own output.
    Ignored {
        /// Why.
        reason: String,
    },
    /// The version is gone or was replaced.
    Superseded,
}

impl AttemptResult {
    /// Returns whether the attempt counts.
    pub(crate) fn is_counted(&self) -> bool {
        !matches!(self, Self::Refunded | Self::Superseded)
    }

    pub(crate) fn parts(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Placed => ("placed", None),
            Self::Done | Self::Retired => ("done", None),
            Self::Waiting | Self::Refunded => ("waiting", None),
            Self::Quarantined { reason } => ("quarantined", Some(reason)),
            Self::Ignored { reason } => ("ignored", Some(reason)),
            Self::Superseded => ("superseded", None),
        }
    }
}
