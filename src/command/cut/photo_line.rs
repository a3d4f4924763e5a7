//! Converts results to JSON objects, one per line. Must not print.

use std::path::Path;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::config::{Edges, Folder};
use crate::imaging::CutReport;
use crate::imaging::Stage;
use crate::percent;

/// The result of a photo.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PhotoLineResult {
    /// The cutout has its final name.
    Done,
    /// The photo was skipped.
    Skipped,
    /// There is no cutout.
    Failed,
}

/// The line for one photo.
#[derive(Debug, Serialize)]
pub(super) struct PhotoLine {
    pub(super) photo: String,
    pub(super) result: PhotoLineResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Measured from the moment when a worker got the photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration_ms: Option<u128>,
    #[serde(flatten)]
    pub(super) picture: Option<CutoutFacts>,
}

/// Properties of a new cutout.
#[derive(Debug, Serialize)]
pub(super) struct CutoutFacts {
    width: u32,
    height: u32,
    bytes: u64,
    model: String,
    edges: Edges,
    /// Whether the photo may be incomplete.
    doubtful: bool,
    /// The duration of each step, in order.
    #[serde(serialize_with = "as_object")]
    stages_ms: Vec<(Stage, u32)>,
}

fn as_object<S: Serializer>(stages: &[(Stage, u32)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(stages.iter().map(|(stage, ms)| (stage.to_string(), ms)))
}

/// The last line.
#[derive(Debug, Serialize)]
pub(super) struct SummaryLine {
    pub(super) summary: CutCounts,
}

/// The number of photos per result.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct CutCounts {
    pub(super) done: usize,
    pub(super) skipped: usize,
    pub(super) failed: usize,
    pub(super) not_done: usize,
}

impl CutoutFacts {
    /// The facts about a cutout made with the settings of `folder`.
    pub(super) fn new(report: &CutReport, folder: &Folder, is_doubtful: bool) -> Self {
        Self {
            width: report.width,
            height: report.height,
            bytes: report.len,
            model: folder.model.clone(),
            edges: folder.edges,
            doubtful: is_doubtful,
            stages_ms: report.stages.clone(),
        }
    }
}

impl PhotoLine {
    /// A line with only the result of `photo`.
    pub(super) fn new(photo: &Path, result: PhotoLineResult, duration: Option<Duration>) -> Self {
        Self {
            photo: percent::display(photo),
            result,
            output: None,
            reason: None,
            duration_ms: duration.map(|time| time.as_millis()),
            picture: None,
        }
    }
}
