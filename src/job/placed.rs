//! Describes a cutout that is in place, for the steps that follow. Must not touch a file.

use std::path::PathBuf;

use crate::worker::CutReport;

/// A cutout that is safely in place.
#[derive(Debug)]
pub(super) struct Placed {
    /// Its path.
    pub(super) output: PathBuf,
    /// The SHA-256 of the source.
    pub(super) sha256: [u8; 32],
    /// Where it comes from.
    pub(super) origin: Origin,
    /// Whether the photo may lack its end, so that it must not be deleted.
    pub(super) is_doubtful: bool,
}

/// Where a cutout that is in place comes from.
#[derive(Debug)]
pub enum Origin {
    /// This attempt made it.
    Made {
        /// What the worker told.
        report: CutReport,
        /// Whether the cutout of an earlier photo of the same name had its place before.
        has_replaced: bool,
        /// Whether the photo may lack its end: it has a hole, or its format has no end mark and its pixels end in zeros.
        is_doubtful: bool,
    },
    /// An earlier attempt at this version made it.
    Earlier,
    /// An earlier attempt placed it and recorded that; only the source is left to do.
    Recorded,
    /// It is the cutout that the photo had under an earlier name.
    Renamed {
        /// The path that the photo had below the hot folder.
        from: PathBuf,
    },
    /// It was done, and somebody has touched the photo since.
    Touched,
}
