//! The placed outputs of a version, for the steps that follow. Must not touch a file.

use std::path::PathBuf;

use super::existing::ExistingCutout;
use super::output_name::ChosenOutput;
use crate::imaging::CutReport;

/// Outputs that are durably in place.
#[derive(Debug)]
pub(super) struct Placed {
    /// Their paths.
    pub(super) outputs: Vec<PathBuf>,
    /// The SHA-256 of the source.
    pub(super) sha256: [u8; 32],
    /// How they were obtained.
    pub(super) origin: Origin,
    /// Whether the photo may be incomplete and must not be deleted.
    pub(super) is_doubtful: bool,
}

impl Placed {
    /// The outputs `chosen`, of which `already` and perhaps others exist.
    pub(super) fn existing(
        chosen: &[ChosenOutput],
        already: &ExistingCutout,
        origin: Origin,
    ) -> Self {
        let mut existing = chosen.iter().filter_map(|output| output.already.as_ref());
        Self {
            outputs: chosen.iter().map(ChosenOutput::path).collect(),
            sha256: already.sha256,
            origin,
            is_doubtful: existing.any(|already| already.is_doubtful),
        }
    }

    /// Adds a reason to doubt the photo.
    pub(super) fn in_doubt(self, is_doubtful: bool) -> Self {
        Self {
            is_doubtful: self.is_doubtful || is_doubtful,
            ..self
        }
    }
}

/// How placed outputs were obtained.
#[derive(Debug)]
pub enum Origin {
    /// This attempt made them, or those that were missing.
    Made {
        /// The worker's report.
        report: CutReport,
        /// Whether one replaced the cutout of an earlier photo of the same name.
        has_replaced: bool,
        /// Whether the photo may be incomplete: it has a hole, or its format has no end mark and its pixels end in zeros.
        is_doubtful: bool,
    },
    /// An earlier attempt at this version made them.
    Earlier,
    /// An earlier attempt placed them and recorded that; only the source is left to handle.
    Recorded,
    /// They are the cutouts that the photo had under an earlier name.
    Renamed {
        /// The path that the photo had below the hot folder.
        from: PathBuf,
    },
    /// They were done before, and the photo was touched since.
    Touched,
}
