//! `POST /api/folders/{folder}/photos`: writes a photo into a hot folder, where it appears at once and complete, like any other
//! arrival.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path as UrlPath, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::cut::PhotoForm;
use super::form::Form;
use crate::config::Folder;
use crate::delivery::{Destination, PlaceError, Upload, moved_names};
use crate::fs::path_error::AtPath as _;
use crate::fs::root::Root;
use crate::http::server::refusal::{Problem, Refusal};
use crate::http::state::{AppState, bare_name};
use crate::intake::FileFilter;

/// Names tried for one photo.
const NAMES_MAX: usize = 1_000;

/// How long writing a photo into its folder may take; the disk may be slow.
const UPLOAD_MAX: Duration = Duration::from_mins(5);

/// Distinguishes concurrent uploads.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Where the photo lies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dropped {
    /// The folder.
    folder: String,
    /// The path below it, which is numbered if the name was taken.
    source: String,
}

/// Puts a photo into a hot folder.
///
/// It is then treated like any other that arrives there. A file of the same name stays; the new one gets a number.
#[utoipa::path(
    post,
    path = "/api/folders/{folder}/photos",
    params(("folder" = String, Path, description = "The folder's name")),
    request_body(content = PhotoForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "It is there", body = Dropped),
        (status = "4XX", description = "It is not", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn drop_photo(
    State(app): State<Arc<AppState>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    name: Result<UrlPath<String>, PathRejection>,
    form: Result<Form, Refusal>,
) -> Result<(StatusCode, Json<Dropped>), Refusal> {
    let UrlPath(name) = name.map_err(|error| Refusal::Unreadable(error.body_text()))?;
    let form = form?;
    let folder = app.folder_here(&name)?;
    app.clients.allow(client.ip())?;
    let spool = app.spool()?;
    let admit = |file: Option<&str>| {
        let file = file.and_then(bare_name).map(str::to_owned);
        let file = file.ok_or(Refusal::BadRequest("the photo has no file name"))?;
        if FileFilter::new(Arc::clone(&folder)).takes(Path::new(&file)) {
            return Ok(file);
        }
        Err(Refusal::NotIncluded {
            folder: folder.name.clone(),
            name: file.escape_debug().to_string(),
        })
    };
    let (file, photo) = form.only(&spool, admit).await?;
    if photo.len == 0 {
        return Err(Refusal::BadRequest("the photo is empty"));
    }
    // The upload may have taken minutes; check again that the folder is online.
    let folder = app.folder_here(&name)?;
    let input = folder.input.clone();
    let known = app.ledger().await?.call(move |ledger| {
        let mount_point = ledger.mount_of(&input)?;
        Ok((ledger.id().to_owned(), mount_point))
    });
    let (ledger_id, mount_point) = known.await?;
    let caller = Arc::new(());
    let upload = Upload {
        ledger_id,
        number: NUMBER.fetch_add(1, Ordering::Relaxed),
        photo: photo.file,
        len: photo.len,
        waiting: Arc::downgrade(&caller),
    };
    let min_free = app.snapshot()?.config.daemon.min_free;
    let put = move || {
        let destination = open(&folder, mount_point.as_deref())?;
        destination.check_space(min_free)?;
        put(upload, &folder, &destination, &file)
    };
    let source = app.on_folder(&name, UPLOAD_MAX, put).await?;
    let dropped = Dropped {
        folder: name,
        source: crate::percent::display(Path::new(&source)),
    };
    Ok((StatusCode::CREATED, Json(dropped)))
}

fn open(folder: &Folder, mount_point: Option<&Path>) -> Result<Destination, Refusal> {
    // A file written into the mount point of an unmounted disk is hidden once the disk is mounted.
    let away = |_| Refusal::Away(folder.name.clone());
    let root = Root::open(&folder.input, mount_point).map_err(away)?;
    let directory = root.directory()?;
    Ok(Destination::from_directory(directory, folder.input.clone()))
}

fn put(
    upload: Upload,
    folder: &Arc<Folder>,
    destination: &Destination,
    name: &str,
) -> Result<OsString, Refusal> {
    let filter = FileFilter::new(Arc::clone(folder));
    let names = moved_names(name.as_ref(), 1).take(NAMES_MAX);
    let names = names.filter(|name| filter.takes(Path::new(name)));
    match upload.put(destination, names) {
        Ok(Some(name)) => Ok(name),
        Ok(None) => Err(Refusal::NameTaken {
            folder: folder.name.clone(),
            name: name.escape_debug().to_string(),
        }),
        Err(PlaceError::Io(error)) => Err(Refusal::Disk(error)),
        Err(PlaceError::Taken(path) | PlaceError::Short { path, .. }) => {
            let short = Err(io::Error::from(io::ErrorKind::WriteZero)).at(&path);
            short.map_err(Refusal::Disk)
        }
    }
}
