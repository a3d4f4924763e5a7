//! `GET /api/status`: the loop as it is now, and the ledger's counts -> JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::desk::FrontDesk;
use super::refusal::{Problem, Refusal};

/// Everything at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// Version of hotcut.
    version: &'static str,
    /// Workers that are ready or at work.
    workers: usize,
    /// Models that a request may name.
    models: Vec<String>,
    /// The model of a request that names none.
    default_model: String,
    /// The largest photo taken, in bytes.
    max_upload_bytes: u64,
    /// The hot folders.
    folders: Vec<FolderStatus>,
}

/// One hot folder.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FolderStatus {
    /// Its name.
    name: String,
    /// `online`, `polling`, `offline: …` or `paused: …`.
    state: String,
    /// Files that settle or wait for a worker.
    queued: usize,
    /// Files that a worker has.
    running: usize,
    /// Photos that are done.
    done: u32,
    /// Photos that cannot succeed.
    quarantined: u32,
    /// Photos done in the last minute.
    photos_per_minute: u32,
    /// When the last one was done, in milliseconds since the epoch.
    last_done_ms: Option<i64>,
    /// Photos that something keeps from being worked on, the first few of them.
    waiting: Vec<WaitingPhoto>,
}

/// A photo that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitingPhoto {
    /// Its path below the hot folder.
    path: String,
    /// What it waits for the end of.
    reason: String,
}

/// Tells how the folders and the workers are doing.
#[utoipa::path(get, path = "/api/status", responses(
    (status = 200, description = "How it stands", body = Status),
    (status = "4XX", description = "Not for you", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn status(State(desk): State<Arc<FrontDesk>>) -> Result<Json<Status>, Refusal> {
    let view = desk.view()?;
    let names: Vec<String> = view
        .live
        .folders
        .iter()
        .map(|folder| folder.name.clone())
        .collect();
    let ledger = desk.ledger().await?;
    let counts = ledger.call(move |book| {
        names
            .iter()
            .map(|name| book.counts(name))
            .collect::<Result<Vec<_>, _>>()
    });
    let counts = counts.await?;
    let folders = view
        .live
        .folders
        .iter()
        .zip(counts)
        .map(|(live, counts)| FolderStatus {
            name: live.name.clone(),
            state: live.state.clone(),
            queued: live.queued,
            running: live.running,
            done: counts.done,
            quarantined: counts.quarantined,
            photos_per_minute: counts.photos_per_minute,
            last_done_ms: counts.last_done_ms,
            waiting: live
                .waiting
                .iter()
                .map(|photo| WaitingPhoto {
                    path: photo.path.clone(),
                    reason: photo.reason.clone(),
                })
                .collect(),
        });
    Ok(Json(Status {
        version: crate::version::VERSION,
        workers: view.workers,
        models: view.config.models.keys().cloned().collect(),
        default_model: desk.http.model.clone(),
        max_upload_bytes: desk.http.upload_max_bytes,
        folders: folders.collect(),
    }))
}
