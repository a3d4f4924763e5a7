//! `/api/photos`: returns the ledger page by page as JSON, and puts quarantined photos back into the queue. Must not read pictures.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::server::refusal::{Problem, Refusal};
use crate::http::server::work_or_refusal::work_or_refusal;
use crate::http::state::AppState;
use crate::ledger::{PAGE_MAX, PhotoQuery, PhotoRow, PhotoState, open_existing};
use crate::percent;

/// Photos of a page when the request names no count.
const COUNT: u32 = 60;

/// Which photos.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// Only those of this folder.
    folder: Option<String>,
    /// Only those that stand so: `running`, `waiting`, `placed`, `done`, `quarantined`, `ignored` or `superseded`.
    #[param(value_type = Option<String>)]
    state: Option<PhotoState>,
    /// `next` of the page before.
    after: Option<i64>,
    /// How many; 60 if left out, 200 at most.
    #[param(minimum = 1, maximum = 200)]
    count: Option<u32>,
}

/// Some photos, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page {
    /// The photos.
    photos: Vec<PhotoEntry>,
    /// What to ask for as `after` to read on; null at the end.
    next: Option<i64>,
}

/// One version of a photo.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PhotoEntry {
    /// Its number, for the other requests.
    id: i64,
    /// Its hot folder.
    folder: String,
    /// Its path below the folder.
    source: String,
    /// How it stands.
    #[schema(value_type = String)]
    state: PhotoState,
    /// Why, if it cannot succeed.
    reason: Option<String>,
    /// Workers that it was given to.
    attempts: u32,
    /// The model.
    model: String,
    /// When the last attempt began, in milliseconds since the epoch.
    begun_ms: i64,
    /// When it ended.
    ended_ms: Option<i64>,
}

impl From<PhotoRow> for PhotoEntry {
    fn from(row: PhotoRow) -> Self {
        Self {
            id: row.id,
            folder: row.folder,
            source: percent::display(&row.source),
            state: row.state,
            reason: row.reason,
            attempts: row.attempts,
            model: row.model,
            begun_ms: row.begun_at_ms,
            ended_ms: row.ended_at_ms,
        }
    }
}

/// Lists photos, the newest first.
#[utoipa::path(get, path = "/api/photos", params(PageQuery), responses(
    (status = 200, description = "A page", body = Page),
    (status = "4XX", description = "Not so", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(app): State<Arc<AppState>>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Page>, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::Unreadable(error.body_text()))?;
    let count = query.count.unwrap_or(COUNT);
    if !(1..=PAGE_MAX).contains(&count) {
        return Err(Refusal::BadRequest("`count` is 1 to 200"));
    }
    let query = PhotoQuery {
        folder: query.folder,
        state: query.state,
        before: query.after,
        count,
    };
    let rows = app
        .ledger()
        .await?
        .call(move |ledger| ledger.photos(&query));
    let photos: Vec<PhotoEntry> = rows.await?.into_iter().map(PhotoEntry::from).collect();
    let is_full = photos.len() >= count as usize;
    let next = photos.last().filter(|_| is_full).map(|photo| photo.id);
    Ok(Json(Page { photos, next }))
}

/// Tells of one photo.
#[utoipa::path(get, path = "/api/photos/{id}", params(("id" = i64, Path, description = "Its number")), responses(
    (status = 200, description = "The photo", body = PhotoEntry),
    (status = "4XX", description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn one(
    State(app): State<Arc<AppState>>,
    id: Result<UrlPath<i64>, PathRejection>,
) -> Result<Json<PhotoEntry>, Refusal> {
    Ok(Json(row(&app, id).await?.into()))
}

/// Puts a photo that was set aside back into the queue.
#[utoipa::path(post, path = "/api/photos/{id}/retry", params(("id" = i64, Path, description = "Its number")), responses(
    (status = 204, description = "It is tried again"),
    (status = "4XX", description = "It is not", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn retry(
    State(app): State<Arc<AppState>>,
    id: Result<UrlPath<i64>, PathRejection>,
) -> Result<StatusCode, Refusal> {
    let row = row(&app, id).await?;
    let state_dir = app.snapshot()?.config.daemon.state_dir.clone();
    // As `hotcut retry` does; the daemon loop notices the change within a second.
    let is_retried = work_or_refusal(move || match open_existing(&state_dir)? {
        Some(mut ledger) => Ok(ledger.retry(&row.folder, &row.source)?),
        None => Ok(false),
    });
    if is_retried.await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::NotQuarantined)
    }
}

/// The ledger's row of the photo that a path names.
pub(crate) async fn row(
    app: &AppState,
    id: Result<UrlPath<i64>, PathRejection>,
) -> Result<PhotoRow, Refusal> {
    let UrlPath(id) = id.map_err(|_| Refusal::Gone)?;
    let row = app.ledger().await?.call(move |ledger| ledger.photo(id));
    row.await?.ok_or(Refusal::Gone)
}
