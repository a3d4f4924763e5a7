//! Writes results to disk: names and durability. Must not depend on pixels or on the events of hot folders.

mod copy;
mod destination;
mod names;
mod place;
mod quarantine;
mod rebuild;
mod relabel;
mod retire;
mod sidecars;
mod upload;

pub use destination::{Destination, Occupant};
pub use names::{cutout_names, fold_case, moved_names, number_of, numbered_cutout_names};
pub use place::{PlaceError, Replace, Temp, replace_file};
pub use quarantine::{remove_note, write_note};
pub use rebuild::{Patience, Rebuilt, rebuild};
pub use relabel::{copy_with_provenance, remove_cutout};
pub use retire::{Retired, RetiringSource, put_back_stray};
pub use upload::{Upload, sweep_uploads};
