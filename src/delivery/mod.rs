//! A result -> disk. Knows durability and names; knows no pixel and no hot folder's events.

mod copy;
mod destination;
mod ledger;
mod names;
mod place;
mod quarantine;
mod rebuild;
mod relabel;
mod retire;
mod sidecars;
mod thumbs;
mod upload;

pub use destination::{Destination, Occupant};
pub use ledger::{
    Arrival, AttemptResult, Begun, Continued, Counts, DonePhoto, FailedAttempt, Forgotten,
    FormerName, HalfRetired, Interrupted, Ledger, LedgerError, LedgerFound, OldCursor, OldVersion,
    OpenStep, OutputName, Overwrite, OwnedName, PAGE_MAX, PhotoQuery, PhotoRow, PhotoState,
    Quarantined, RebuildExtent, SqliteLedger, Unexplained, Unretired, Version, VersionHistory,
    is_in_use, lock_state_dir, open_whole,
};
pub use names::{cutout_names, fold_case, moved_names, number_of, numbered_cutout_names};
pub use place::{PlaceError, Replace, Temp, replace_file};
pub use quarantine::{remove_note, write_note};
pub use rebuild::{Patience, Rebuilt, rebuild};
pub use relabel::{copy_with_provenance, remove_cutout};
pub use retire::{Retired, RetiringSource, put_back_stray};
pub use thumbs::{ThumbKey, ThumbKind, Thumbs};
pub use upload::{Upload, sweep_uploads};
