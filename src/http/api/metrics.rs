//! `GET /metrics`: converts the daemon's counters and current state to `OpenMetrics` text. Must not expose file names.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::daemon::{FolderState, LiveFolder, Snapshot};
use crate::http::server::refusal::{Problem, Refusal};
use crate::http::state::AppState;

/// `OpenMetrics`, the format that Prometheus prefers.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FolderLabels {
    folder: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    folder: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RateLabels {
    folder: String,
    window: &'static str,
}

/// A number that need not be an integer.
type Number = Gauge<f64, AtomicU64>;

/// Tells what has been counted.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text"),
    (status = "4XX", description = "Not for you", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn metrics(
    State(app): State<Arc<AppState>>,
) -> Result<impl IntoResponse, Refusal> {
    let mut registry = Registry::with_prefix("hotcut");
    app.handle.metrics().register(&mut registry);
    let snapshot = app.snapshot()?;
    register_folders(&snapshot, &mut registry);
    register_workers(&snapshot, app.is_ready(), &mut registry);
    let mut text = String::new();
    // Writing to a string cannot fail.
    encode(&mut text, &registry).ok();
    Ok(([(header::CONTENT_TYPE, KIND)], text))
}

fn register_folders(snapshot: &Snapshot, registry: &mut Registry) {
    for (name, help, family) in [
        (
            "queued_photos",
            "Photos that wait, wherever they are: settling, for a worker, or still on disk",
            counts(snapshot, |live| count(live.queued)),
        ),
        (
            "running_photos",
            "Files that a worker has",
            counts(snapshot, |live| count(live.running)),
        ),
        (
            "held_photos",
            "Photos that something holds",
            counts(snapshot, |live| count(live.held)),
        ),
        (
            "files_not_taken",
            "Files that no pattern of `include` matches",
            counts(snapshot, |live| {
                i64::try_from(live.not_taken.files()).unwrap_or(i64::MAX)
            }),
        ),
    ] {
        registry.register(name, help, family);
    }
    for (name, help, family) in [
        (
            "oldest_queued_seconds",
            "How long ago the photo arrived that waits and arrived first",
            numbers(snapshot, |live| age(live.oldest_ms)),
        ),
        (
            "time_left_seconds",
            "How long the photos that wait will take; NaN where that cannot be told",
            // In Prometheus, NaN is the only way to express an unknown number.
            numbers(snapshot, |live| {
                live.rates.left_s.map_or(f64::NAN, f64::from)
            }),
        ),
    ] {
        registry.register(name, help, family);
    }
    register_rates(snapshot, registry);
    register_states(snapshot, registry);
}

fn counts(snapshot: &Snapshot, of: impl Fn(&LiveFolder) -> i64) -> Family<FolderLabels, Gauge> {
    let family = Family::<FolderLabels, Gauge>::default();
    for live in &snapshot.live.folders {
        let folder = live.name.clone();
        family.get_or_create(&FolderLabels { folder }).set(of(live));
    }
    family
}

fn numbers(snapshot: &Snapshot, of: impl Fn(&LiveFolder) -> f64) -> Family<FolderLabels, Number> {
    let family = Family::<FolderLabels, Number>::default();
    for live in &snapshot.live.folders {
        let folder = live.name.clone();
        family.get_or_create(&FolderLabels { folder }).set(of(live));
    }
    family
}

fn register_rates(snapshot: &Snapshot, registry: &mut Registry) {
    let family = Family::<RateLabels, Number>::default();
    for live in &snapshot.live.folders {
        for (window, rate) in [
            ("1m", f64::from(live.rates.photos_per_minute)),
            ("10m", live.rates.photos_per_minute_over_10),
            ("60m", live.rates.photos_per_minute_over_60),
        ] {
            let folder = live.name.clone();
            family
                .get_or_create(&RateLabels { folder, window })
                .set(rate);
        }
    }
    registry.register(
        "photos_per_minute",
        "Photos done a minute, on average over the window",
        family,
    );
}

fn register_states(snapshot: &Snapshot, registry: &mut Registry) {
    let family = Family::<StateLabels, Gauge>::default();
    for live in &snapshot.live.folders {
        for state in FolderState::WORDS {
            let folder = live.name.clone();
            let is_now = live.state.word() == state;
            family
                .get_or_create(&StateLabels { folder, state })
                .set(is_now.into());
        }
    }
    registry.register(
        "folder_state",
        "1 for the state that the folder is in",
        family,
    );
}

/// Seconds since a file arrived; 0 when there is none, or when its time lies in the future.
fn age(arrived_ms: Option<i64>) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let arrived = arrived_ms.and_then(|ms| u64::try_from(ms).ok());
    arrived.map_or(0.0, |ms| {
        let age = now
            .unwrap_or_default()
            .saturating_sub(Duration::from_millis(ms));
        age.as_secs_f64()
    })
}

fn register_workers(snapshot: &Snapshot, is_ready: bool, registry: &mut Registry) {
    for (name, help, value) in [
        (
            "running_requests",
            "Requests that a worker has",
            snapshot.running_requests,
        ),
        (
            "queued_requests",
            "Requests that wait for a worker",
            snapshot.requests,
        ),
        (
            "workers",
            "Workers that are ready or at work",
            snapshot.workers,
        ),
        (
            "workers_wanted",
            "Workers that there should be",
            snapshot.config.daemon.workers,
        ),
        ("ready", "1 if a worker can cut", usize::from(is_ready)),
        (
            "short",
            "1 while the machine is short of memory or processes",
            usize::from(snapshot.live.shortage.is_some()),
        ),
    ] {
        let gauge: Gauge = Gauge::default();
        gauge.set(count(value));
        registry.register(name, help, gauge);
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
