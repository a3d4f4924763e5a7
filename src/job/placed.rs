//! A placed cutout, for the steps that follow. Must not touch a file.

use std::path::PathBuf;

use crate::imaging::CutReport;

/// A cutout that is durably in place.
#[derive(Debug)]
pub(super) struct Placed {
    /// Its path.
    pub(super) output: PathBuf,
    /// The SHA-256 of the source.
    pub(super) sha256: [u8; 32],
    /// How it was obtained.
    pub(super) origin: Origin,
    /// Whether the photo may be incomplete and must not be deleted.
    pub(super) is_doubtful: bool,
}

/// How a placed cutout was obtained.
#[derive(Debug)]
pub enum Origin {
    /// This attempt made it.
    Made {
        /// The worker's report.
        report: CutReport,
        /// Whether it replaced the cutout of an earlier photo of the same name.
        has_replaced: bool,
        /// Whether the photo may be incomplete: it has a hole, or its format has no end mark and its pixels end in zeros.
        is_doubtful: bool,
    },
    /// An earlier attempt at this version made it.
    Earlier,
    /// An earlier attempt placed it and recorded that; only the source is left to handle.
    Recorded,
    /// It is the cutout that the photo had under an earlier name.
    Renamed {
        /// The path that the photo had below the hot folder.
        from: PathBuf,
    },
    /// It was done before, and the photo was touched since.
    Touched,
}
