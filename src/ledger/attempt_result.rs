//! How an attempt ended -> what the ledger writes of it; knows no SQL.

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum AttemptResult {
    /// The cutout is in place; the source could not be retired.
    Placed,
    /// All is done.
    Done,
    /// The attempt counts and another may follow.
    Waiting,
    /// The attempt does not count: the environment was at fault.
    Refunded,
    /// The file cannot succeed; whoever dropped it is not told yet.
    Quarantined {
        /// Why, for a person.
        reason: String,
    },
    /// The file is none of hotcut's business.
    Ignored {
        /// Why.
        reason: String,
    },
    /// The version is gone or was replaced.
    Superseded,
}

impl AttemptResult {
    /// Tells whether the attempt counts.
    pub(crate) fn is_counted(&self) -> bool {
        !matches!(self, Self::Refunded | Self::Superseded)
    }

    pub(crate) fn parts(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Placed => ("placed", None),
            Self::Done => ("done", None),
            Self::Waiting | Self::Refunded => ("waiting", None),
            Self::Quarantined { reason } => ("quarantined", Some(reason)),
            Self::Ignored { reason } => ("ignored", Some(reason)),
            Self::Superseded => ("superseded", None),
        }
    }
}
