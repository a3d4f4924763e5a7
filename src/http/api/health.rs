//! `/healthz` and `/readyz`: answers the probes of load balancers and container supervisors. Must be cheap.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;

use crate::http::state::AppState;

/// The daemon loop counts as hanging when its last turn is longer ago. Normally it turns at least once a second.
const BEAT_MAX: Duration = Duration::from_secs(10);

/// Tells whether hotcut runs and its loop turns.
#[utoipa::path(get, path = "/healthz", responses(
    (status = 200, description = "The loop turns", body = String),
    (status = 503, description = "The loop hangs or ends", body = String),
))]
pub(crate) async fn alive(State(app): State<Arc<AppState>>) -> (StatusCode, &'static str) {
    if is_turning(&app) {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the loop does not turn\n")
    }
}

/// Tells whether a worker can really cut: one has cut a trial picture since the start, one is
/// there now, and hotcut is not stopping.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 200, description = "A worker can cut", body = String),
    (status = 503, description = "No worker can cut", body = String),
))]
pub(crate) async fn ready(State(app): State<Arc<AppState>>) -> (StatusCode, &'static str) {
    if app.is_ready() && is_turning(&app) {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no worker can cut now\n")
    }
}

fn is_turning(app: &AppState) -> bool {
    app.handle
        .snapshot()
        .is_some_and(|snapshot| snapshot.beat.elapsed() < BEAT_MAX)
        && app.handle.is_open()
}
