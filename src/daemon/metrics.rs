//! Counts what the loop does, for `/metrics`; any thread may read the counters at any time. Decides nothing; names no file.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::photo_event::PhotoResult;
use crate::imaging::CutReport;
use crate::intake::Discovery;
use crate::job::RequestEnd;

/// Shared counters; all clones update the same ones.
#[derive(Clone, Debug)]
pub struct Metrics {
    photos: Family<PhotoLabels, Counter>,
    requests: Family<RequestLabels, Counter>,
    settled: Family<SettledLabels, Counter>,
    stages: Family<StageLabels, Histogram, fn() -> Histogram>,
    deaths: Counter,
    timeouts: Counter,
    shortages: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhotoLabels {
    folder: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SettledLabels {
    folder: String,
    by: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: String,
}

/// Buckets from 5 ms (decoding a small picture) to 40 s (encoding a huge one).
fn stage_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 14))
}

/// All results of a photo.
const PHOTO_RESULTS: [PhotoResult; 4] = [
    PhotoResult::Done,
    PhotoResult::Quarantined,
    PhotoResult::Ignored,
    PhotoResult::Retry,
];

/// All ways to discover a file.
const DISCOVERIES: [Discovery; 3] = [Discovery::Event, Discovery::Listing, Discovery::Again];

/// All results of a request.
const REQUEST_RESULTS: [&str; 7] = [
    "cut",
    "shrunk",
    "refused",
    "worker_died",
    "short",
    "timed_out",
    "disk",
];

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            photos: Family::default(),
            requests: Family::default(),
            settled: Family::default(),
            stages: Family::new_with_constructor(stage_buckets),
            deaths: Counter::default(),
            timeouts: Counter::default(),
            shortages: Counter::default(),
        };
        for result in REQUEST_RESULTS {
            drop(metrics.requests.get_or_create(&RequestLabels { result }));
        }
        metrics
    }
}

impl Metrics {
    /// Registers every counter in `registry`, which adds its prefix.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "photos",
            "Attempts at photos of hot folders, by how they ended",
            self.photos.clone(),
        );
        registry.register(
            "requests",
            "Photos and pictures that came over HTTP, by how they ended",
            self.requests.clone(),
        );
        registry.register(
            "files_settled",
            "Files found complete, by discovery: kernel event, listing, or earlier attempt",
            self.settled.clone(),
        );
        registry.register(
            "stage_seconds",
            "What each step of cutting out took",
            self.stages.clone(),
        );
        registry.register(
            "worker_deaths",
            "Workers that died or were killed",
            self.deaths.clone(),
        );
        registry.register(
            "timeouts",
            "Photos that were not done within `timeout`",
            self.timeouts.clone(),
        );
        registry.register(
            "shortages",
            "Workers that were killed or could not start because the machine was short of memory or processes",
            self.shortages.clone(),
        );
    }

    /// Starts the counters of a folder at 0: a counter that first appears as 1 shows no increase.
    pub(super) fn begin_folder(&self, folder: &str) {
        for result in PHOTO_RESULTS {
            drop(self.photos.get_or_create(&photo_labels(folder, result)));
        }
        for discovery in DISCOVERIES {
            let labels = settled_labels(folder, discovery);
            drop(self.settled.get_or_create(&labels));
        }
    }

    pub(super) fn photo(&self, folder: &str, result: PhotoResult) {
        let labels = photo_labels(folder, result);
        self.photos.get_or_create(&labels).inc();
    }

    pub(super) fn request(&self, end: &RequestEnd) {
        let result = match end {
            RequestEnd::Cut(report) => {
                self.cut(report);
                "cut"
            }
            RequestEnd::Shrunk => "shrunk",
            RequestEnd::Refused => "refused",
            RequestEnd::WorkerDied => "worker_died",
            RequestEnd::Short(_) => "short",
            RequestEnd::TimedOut => {
                self.timeouts.inc();
                "timed_out"
            }
            RequestEnd::Disk => "disk",
        };
        self.requests.get_or_create(&RequestLabels { result }).inc();
    }

    pub(super) fn settled(&self, folder: &str, discovery: Discovery) {
        let labels = settled_labels(folder, discovery);
        self.settled.get_or_create(&labels).inc();
    }

    pub(super) fn cut(&self, report: &CutReport) {
        for (stage, ms) in &report.stages {
            let stage = stage.to_string();
            let seconds = f64::from(*ms) / 1_000.0;
            self.stages
                .get_or_create(&StageLabels { stage })
                .observe(seconds);
        }
    }

    pub(super) fn deaths(&self, count: usize) {
        self.deaths.inc_by(count as u64);
    }

    pub(super) fn shortage(&self) {
        self.shortages.inc();
    }

    pub(super) fn timeout(&self) {
        self.timeouts.inc();
    }
}

fn photo_labels(folder: &str, result: PhotoResult) -> PhotoLabels {
    let result = match result {
        PhotoResult::Done => "done",
        PhotoResult::Quarantined => "quarantined",
        PhotoResult::Ignored => "ignored",
        PhotoResult::Retry => "retry",
    };
    let folder = folder.to_owned();
    PhotoLabels { folder, result }
}

fn settled_labels(folder: &str, discovery: Discovery) -> SettledLabels {
    let by = match discovery {
        Discovery::Event => "event",
        Discovery::Listing => "listing",
        Discovery::Again => "again",
    };
    let folder = folder.to_owned();
    SettledLabels { folder, by }
}
