//! `GET /api/status`: returns the current state of the daemon loop and the ledger's counts as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::daemon::{LiveFolder, WaitingFor};
use crate::http::server::refusal::{Problem, Refusal};
use crate::http::state::AppState;
use crate::ledger::Counts;

/// Everything at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// Version of hotcut.
    version: &'static str,
    /// Workers that are ready or at work.
    workers: usize,
    /// Models that a request may name.
    models: Vec<String>,
    /// The model of a request that names none.
    default_model: String,
    /// How the edges of a cutout are made whose request does not say.
    default_edges: &'static str,
    /// The largest photo taken, in bytes.
    max_upload_bytes: u64,
    /// What the machine is short of, what is done about it and what a person can do.
    shortage: Option<String>,
    /// The hot folders.
    folders: Vec<FolderStatus>,
}

/// One hot folder.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FolderStatus {
    /// Its name.
    name: String,
    /// `online`, `polling`, `offline` or `paused`.
    state: &'static str,
    /// Why it is offline or paused.
    reason: Option<String>,
    /// Photos that wait, wherever they are: settling, for a worker, or still on disk.
    queued: usize,
    /// Of them, those that stay on disk until there is room in memory. Those that arrived first go first.
    queued_on_disk: usize,
    /// When the one of them arrived that arrived first, in milliseconds since the epoch.
    oldest_ms: Option<i64>,
    /// Files that a worker has.
    running: usize,
    /// Photos that are done.
    done: u32,
    /// Photos that cannot succeed.
    quarantined: u32,
    /// Photos done in the last minute.
    photos_per_minute: u32,
    /// Photos done a minute, on average over the last 10 minutes, or since the folder is served if that is shorter.
    photos_per_minute_over_10: f64,
    /// As above, over the last 60 minutes.
    photos_per_minute_over_60: f64,
    /// How long the photos that wait will take, in seconds, as far as that can be told.
    left_s: Option<u32>,
    /// When the last one was done, in milliseconds since the epoch.
    last_done_ms: Option<i64>,
    /// Photos that something holds, the first few of them.
    waiting: Vec<WaitingPhoto>,
    /// All photos that something holds.
    held: usize,
    /// Files that the folder does not take.
    not_taken: FilesNotTaken,
}

/// Files of a hot folder that are left alone, as the last listing met them. What is hidden, temporary or excluded is not counted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FilesNotTaken {
    /// Files that no pattern of `include` matches, by their ending in lower case; those without one have an empty one.
    endings: BTreeMap<String, u64>,
    /// More of them, of endings that are not in the list.
    others: u64,
    /// Copies that a sync program made because of a conflict.
    conflicts: u64,
    /// Links, which are not followed.
    links: u64,
    /// Files that are taken once they are not empty any more.
    empty: u64,
    /// Photos that were hidden to be moved or deleted more than an hour ago, as `.hotcut-*.source`.
    hidden: u64,
}

/// A photo that something holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingPhoto {
    /// Its path below the hot folder.
    path: String,
    /// What holds it.
    reason: String,
    /// What comes next: the end of the cause (`cause`), another attempt (`attempt`), the rest of the file or else the end of
    /// patience (`rest`), the same for a file that may be whole (`doubt`), the program that writes it (`writer`), the next listing of a subfolder (`listing`).
    #[schema(value_type = String)]
    next: WaitingFor,
    /// When that comes, in milliseconds since the epoch, if it is known.
    until_ms: Option<i64>,
}

/// Tells how the folders and the workers are doing.
#[utoipa::path(get, path = "/api/status", responses(
    (status = 200, description = "How it stands", body = Status),
    (status = "4XX", description = "Not for you", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn status(State(app): State<Arc<AppState>>) -> Result<Json<Status>, Refusal> {
    let snapshot = app.snapshot()?;
    let names: Vec<String> = snapshot
        .live
        .folders
        .iter()
        .map(|folder| folder.name.clone())
        .collect();
    let ledger = app.ledger().await?;
    let counts = ledger.call(move |ledger| {
        names
            .iter()
            .map(|name| ledger.counts(name))
            .collect::<Result<Vec<_>, _>>()
    });
    let counts = counts.await?;
    let folders = snapshot
        .live
        .folders
        .iter()
        .zip(counts)
        .map(|(live, counts)| folder_status(live, counts));
    Ok(Json(Status {
        version: crate::version::VERSION,
        workers: snapshot.workers,
        models: snapshot.config.models.keys().cloned().collect(),
        default_model: app.http.model.clone(),
        default_edges: app.http.edges.word(),
        max_upload_bytes: app.http.upload_max_bytes,
        shortage: snapshot.live.shortage.clone(),
        folders: folders.collect(),
    }))
}

fn folder_status(live: &LiveFolder, counts: Counts) -> FolderStatus {
    FolderStatus {
        name: live.name.clone(),
        state: live.state.word(),
        reason: live.state.reason().map(str::to_owned),
        queued: live.queued,
        queued_on_disk: live.queued_on_disk,
        oldest_ms: live.oldest_ms,
        running: live.running,
        done: counts.done,
        quarantined: counts.quarantined,
        photos_per_minute: live.rates.photos_per_minute,
        photos_per_minute_over_10: live.rates.photos_per_minute_over_10,
        photos_per_minute_over_60: live.rates.photos_per_minute_over_60,
        left_s: live.rates.left_s,
        last_done_ms: counts.last_done_ms,
        waiting: live
            .waiting
            .iter()
            .map(|photo| WaitingPhoto {
                path: photo.path.clone(),
                reason: photo.reason.clone(),
                next: photo.next,
                until_ms: photo.until_ms,
            })
            .collect(),
        held: live.held,
        not_taken: FilesNotTaken {
            endings: live.not_taken.endings.clone(),
            others: live.not_taken.others,
            conflicts: live.not_taken.conflicts,
            links: live.not_taken.links,
            empty: live.not_taken.empty,
            hidden: live.not_taken.hidden,
        },
    }
}
