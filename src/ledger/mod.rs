//! Records what happened to each version of each photo, and answers questions about it. Each topic has its types and its operations
//! (a trait) in a file; [`LedgerStore`] is all of them. Only `sqlite` knows SQL.

mod attempt_result;
mod attempts;
mod error;
mod explanations;
mod foreign;
mod forget;
mod handle;
mod history;
mod mounts;
mod names;
mod page;
mod rebuild;
mod recovery;
mod redo;
mod sqlite;
mod state_dir;
mod store;
mod summary;

pub use attempt_result::AttemptResult;
pub use attempts::{Arrival, AttemptStore, Begun, Hold, PlannedOutput, Version};
pub use error::LedgerError;
pub use explanations::{ExplanationStore, Unexplained};
pub use forget::{ForgetStore, Forgotten, OldCursor, OldVersion};
pub use handle::Ledger;
pub use history::{FailedAttempt, HistoryStore, PhotoState, VersionHistory};
pub use mounts::MountStore;
pub use names::{Continued, FormerName, NameStore, OutputName, OwnedName};
pub use page::{PAGE_MAX, PageStore, PhotoQuery, PhotoRow};
pub use rebuild::{FoundCutout, RebuildExtent, RebuildStore};
pub use recovery::{HalfRetired, Interrupted, RecoveryStore, Unretired};
pub use redo::{DonePhoto, RedoStore};
pub use sqlite::{
    LedgerFound, OpenStep, Overwrite, back_up, in_memory, open_existing, open_reader, open_whole,
};
pub use state_dir::{is_in_use, lock_state_dir};
pub use store::LedgerStore;
pub use summary::{Counts, Quarantined, SummaryStore};

#[cfg(test)]
mod conformance;
