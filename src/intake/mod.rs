//! Converts a hot folder to settled files. Must know only paths and time, no pixels and no ledger.

mod emptied;
mod filter;
mod lease;
mod litter;
mod not_taken;
mod observation;
mod report;
mod scan;
mod scanner;
mod second_look;
mod settle;
mod source;
mod walk;
mod watch;

pub use emptied::EmptyFolder;
pub use filter::{FileFilter, Judgement};
pub use not_taken::NotTaken;
pub use observation::{Found, Observation, Writer};
pub use report::{Online, Polled, Report, ScanRequest};
pub use scanner::{Assignment, Preparation, PrepareInput, PrepareOutput, Scanner, SilentDisk};
pub use settle::{CAPACITY, Discovery, Held, PATIENCE, Settle, SettledFile};
pub use source::{SourceError, SourceFile};
pub use walk::{Listing, Walk};
pub use watch::{Sighting, Watch, WatchError, stir_canary};

/// Identifies one configuration of a folder: a reload that changes a folder gives it a new id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderId(pub u64);
