//! Unfinished work, and the operations that find and resume it. Must not know how it is stored.

use std::path::PathBuf;

use super::attempts::{Begun, PlannedOutput, Version};
use super::error::LedgerError;

/// A version whose cutout is in place and whose source must still be moved, deleted or kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unretired {
    /// Its row, with the number of the attempt that placed it.
    pub begun: Begun,
    /// Where its outputs were placed.
    pub outputs: Vec<PathBuf>,
    /// The SHA-256 of the source.
    pub sha256: [u8; 32],
}

/// A version whose source a crash may have left under its hidden name.
#[derive(Clone, Debug)]
pub struct HalfRetired {
    /// Its row.
    pub id: i64,
    /// The version.
    pub version: Version,
    /// Where its first output was placed; `None` if it is quarantined.
    pub output: Option<PathBuf>,
}

/// An output of an attempt that was running when hotcut was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// The name of its folder.
    pub folder: String,
    /// The row of its version.
    pub id: i64,
    /// Its position among the outputs of the version, from 0.
    pub number: u32,
    /// The planned path.
    pub output: PathBuf,
}

/// Resumes what was interrupted or touched.
pub trait RecoveryStore {
    /// Resumes a version whose cutout was placed and whose source was not retired. `None` if the version is not in that state.
    fn take_unretired(&mut self, version: &Version) -> Result<Option<Unretired>, LedgerError>;

    /// Resumes a done version from which `version` differs only in its times: the photo was touched or copied, and those of its
    /// outputs that are still there, one of `existing`, were made from content with this `sha256`. Others may have been fetched, or
    /// may be new in the configuration. The row describes the new version from now on. `None` if there is no such version.
    fn take_touched(
        &mut self,
        version: &Version,
        existing: &[PlannedOutput],
        sha256: &[u8; 32],
    ) -> Result<Option<Begun>, LedgerError>;

    /// Returns the versions of `folder` whose source a crash may have left under its hidden name. Excludes versions that this
    /// process is moving now, for a folder that a reload has replaced.
    fn half_retired(&mut self, folder: &str) -> Result<Vec<HalfRetired>, LedgerError>;

    /// At start-up: changes every running attempt to waiting, or to placed if only its source is left, and returns where they
    /// were writing.
    ///
    /// The daemon died, not a worker, so the attempt does not count. This has a limit, because a photo may be what kills the
    /// daemon.
    fn recover(&mut self) -> Result<Vec<Interrupted>, LedgerError>;

    /// Records that the source of version `id`, which a crash had left under its hidden name, was moved or deleted. False
    /// if the version is not in that state.
    fn retired_late(&mut self, id: i64) -> Result<bool, LedgerError>;

    /// At a shutdown that did not wait: records every running attempt as one that does not count.
    fn refund_running(&mut self) -> Result<(), LedgerError>;
}
