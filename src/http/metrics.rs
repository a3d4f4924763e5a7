//! `GET /metrics`: the loop's counters and how it stands now -> the text that Prometheus reads. Tells no file's name.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::desk::FrontDesk;
use super::refusal::{Problem, Refusal};
use crate::daemon::View;

/// `OpenMetrics`, which Prometheus asks for first.
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

/// The first words of a folder's state.
const STATES: [&str; 4] = ["online", "polling", "offline", "paused"];

/// Tells what has been counted.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text"),
    (status = "4XX", description = "Not for you", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn metrics(
    State(desk): State<Arc<FrontDesk>>,
) -> Result<impl IntoResponse, Refusal> {
    let mut registry = Registry::with_prefix("hotcut");
    desk.access.tally().register(&mut registry);
    let view = desk.view()?;
    register_folders(&view, &mut registry);
    register_workers(&view, desk.is_ready(), &mut registry);
    let mut text = String::new();
    // Writing to a text cannot fail.
    encode(&mut text, &registry).ok();
    Ok(([(header::CONTENT_TYPE, KIND)], text))
}

fn register_folders(view: &View, registry: &mut Registry) {
    let (queued, running) = (Family::<FolderLabels, Gauge>::default(), Family::default());
    let oldest = Family::<FolderLabels, Gauge<f64, std::sync::atomic::AtomicU64>>::default();
    let states = Family::<StateLabels, Gauge>::default();
    for live in &view.live.folders {
        let labels = FolderLabels {
            folder: live.name.clone(),
        };
        queued.get_or_create(&labels).set(count(live.queued));
        let running: &Family<FolderLabels, Gauge> = &running;
        running.get_or_create(&labels).set(count(live.running));
        let since = view.oldest.iter().find(|(name, _)| *name == live.name);
        let age = since.map_or(0.0, |(_, since)| since.elapsed().as_secs_f64());
        oldest.get_or_create(&labels).set(age);
        for state in STATES {
            let labels = StateLabels {
                folder: live.name.clone(),
                state,
            };
            let is_now = live.state.starts_with(state);
            states.get_or_create(&labels).set(is_now.into());
        }
    }
    registry.register(
        "queued_photos",
        "Files that settle or wait for a worker",
        queued,
    );
    registry.register("running_photos", "Files that a worker has", running);
    registry.register(
        "oldest_queued_seconds",
        "How long the photo has waited for a worker that has waited longest",
        oldest,
    );
    registry.register(
        "folder_state",
        "1 for the state that the folder is in",
        states,
    );
}

fn register_workers(view: &View, is_ready: bool, registry: &mut Registry) {
    for (name, help, value) in [
        (
            "running_errands",
            "Requests that a worker has",
            view.running_errands,
        ),
        (
            "queued_errands",
            "Requests that wait for a worker",
            view.errands,
        ),
        ("workers", "Workers that are ready or at work", view.workers),
        (
            "workers_wanted",
            "Workers that there should be",
            view.config.daemon.workers,
        ),
        ("ready", "1 if a worker can cut", usize::from(is_ready)),
    ] {
        let gauge: Gauge = Gauge::default();
        gauge.set(count(value));
        registry.register(name, help, gauge);
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
