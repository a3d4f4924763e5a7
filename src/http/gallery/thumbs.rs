//! `/api/photos/{id}/thumb`: returns a thumbnail of a picture in a folder. A worker makes it once. Must not depend on pixels.

use std::fs::File;
use std::io::Seek as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::photos::row;
use super::pictures::{KEPT, StoredPicture, open, tag};
use crate::fs::detached::Detached;
use crate::fs::path_error::AtPath as _;
use crate::http::gallery::{ThumbKey, ThumbKind, Thumbs};
use crate::http::server::answer;
use crate::http::server::etag::{is_known, not_modified, remember};
use crate::http::server::refusal::{Problem, Refusal};
use crate::http::server::work_or_refusal::work_or_refusal;
use crate::http::state::AppState;
use crate::job::RequestError;
use crate::worker::Task;

/// How long a disk may take to read a whole picture.
const COPY_MAX: Duration = Duration::from_secs(30);

/// Which small picture.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ThumbQuery {
    /// `cutout`, which it is if left out, or `source`.
    #[serde(default)]
    #[param(inline)]
    of: Of,
    /// The longer side in pixels at most: 320, which it is if left out, or 1600.
    side: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Of {
    #[default]
    Cutout,
    Source,
}

/// Gives a small picture of the cutout or of the photo, which a worker makes once.
#[utoipa::path(get, path = "/api/photos/{id}/thumb", params(ThumbQuery, ("id" = i64, Path, description = "Its number")), responses(
    (status = 200, description = "The small picture", body = Vec<u8>, content_type = "image/png"),
    (status = 304, description = "The caller has it"),
    (status = "4XX", description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn thumb(
    State(app): State<Arc<AppState>>,
    id: Result<UrlPath<i64>, PathRejection>,
    query: Result<Query<ThumbQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::Unreadable(error.body_text()))?;
    let side = query.side.unwrap_or(320);
    // Free choice of the size would allow a client to fill the disk.
    if ![320, 1600].contains(&side) {
        return Err(Refusal::BadRequest("`side` is 320 or 1600"));
    }
    let kind = match query.of {
        Of::Cutout => ThumbKind::Cutout,
        Of::Source => ThumbKind::Source,
    };
    let row = row(&app, id).await?;
    let version = row.id;
    let StoredPicture {
        folder,
        file,
        stamp,
    } = open(&app, row, kind).await?;
    let tag = tag(&stamp);
    if is_known(&headers, &tag) {
        return Ok(not_modified(&tag, KEPT));
    }
    let key = ThumbKey {
        version,
        kind,
        side,
        stamp,
    };
    let (png, len) = shrunk(&app, &folder, key, file).await?;
    let mut response = answer::stream(tokio::fs::File::from_std(png), len, "image/png");
    remember(response.headers_mut(), &tag, KEPT);
    Ok(response)
}

/// The thumbnail if it is cached; refuses when it cannot be made.
async fn kept(
    app: &AppState,
    thumbs: &Arc<Thumbs>,
    key: ThumbKey,
) -> Result<Option<(File, u64)>, Refusal> {
    if app.is_unshrinkable(&key) {
        return Err(Refusal::NoThumb);
    }
    let thumbs = Arc::clone(thumbs);
    work_or_refusal(move || Ok(thumbs.get(&key)?)).await
}

async fn shrunk(
    app: &AppState,
    folder: &str,
    key: ThumbKey,
    file: Detached<File>,
) -> Result<(File, u64), Refusal> {
    let thumbs = app.thumbs().await?;
    if let Some(png) = kept(app, &thumbs, key).await? {
        return Ok(png);
    }
    let spool = app.spool()?;
    let copy = {
        let spool = spool.clone();
        move || spool.copy(file.into_inner(), key.stamp.len)
    };
    let slot = app.folder_slot(folder).await?;
    let _copy = app.copies.acquire().await;
    // Copies before waiting for a turn, because the disk may not respond.
    let photo = app.in_slot(slot, COPY_MAX, copy).await?;
    let _turn = app.shrinking.acquire().await;
    // Another request may have made it in the meantime.
    if let Some(png) = kept(app, &thumbs, key).await? {
        return Ok(png);
    }
    let slot = app.handle.wait_for_slot().await.ok_or(Refusal::Closed)?;
    let task = Task::Shrink { side: key.side };
    let shrunk = app.run(&spool, slot, task, photo).await;
    if let Err(Refusal::Request(error)) = &shrunk
        && !matches!(error, RequestError::Disk(_) | RequestError::Short(_))
    {
        // The page requests it each time it is drawn, and each request would cost a worker's time.
        app.note_unshrinkable(key);
    }
    let (mut png, report) = shrunk?;
    work_or_refusal(move || {
        let path = Path::new("the small picture");
        png.rewind().at(path)?;
        if let Err(error) = thumbs.put(&key, &mut png, report.len) {
            tracing::debug!(%error, "http: a thumbnail could not be stored");
        }
        png.rewind().at(path)?;
        Ok((png, report.len))
    })
    .await
}
