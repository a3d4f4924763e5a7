//! `POST /api/folders/{folder}/photos`: a photo -> a file in a hot folder, there at once and whole, like any other arrival.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{ConnectInfo, Multipart, Path as UrlPath, State};
use axum::http::StatusCode;
use rustix::fs::OFlags;
use serde::Serialize;
use utoipa::ToSchema;

use super::blocking::blocking;
use super::cut::PhotoForm;
use super::desk::{FrontDesk, bare_name};
use super::refusal::{Problem, Refusal};
use super::spool::Spooled;
use crate::config::Folder;
use crate::delivery::{Destination, PlaceError, Replace, Temp};
use crate::intake::{Filter, Root};
use crate::path_error::AtPath as _;

/// Names tried for one photo.
const NAMES_MAX: u32 = 1_000;

/// Tells hidden files of this process from each other.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Where the photo lies.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Dropped {
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
pub(super) async fn drop_photo(
    State(desk): State<Arc<FrontDesk>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    UrlPath(name): UrlPath<String>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<Dropped>), Refusal> {
    let mut form = form.map_err(|error| Refusal::Unreadable(error.body_text()))?;
    let view = desk.view()?;
    let folder = view
        .config
        .folders
        .iter()
        .find(|folder| folder.name == name);
    let folder = folder.ok_or_else(|| Refusal::UnknownFolder(name.escape_debug().to_string()))?;
    let live = view.live.folders.iter().find(|live| live.name == name);
    let state = live.map_or("offline", |live| &live.state);
    // What is written where a disk should be mounted is lost once it is.
    if state.starts_with("offline") {
        return Err(Refusal::Away(name));
    }
    desk.allow(client.ip())?;
    let spool = desk.spool()?;
    loop {
        let field = form.next_field().await;
        let Some(field) = field.map_err(|error| Refusal::Unreadable(error.body_text()))? else {
            return Err(Refusal::BadRequest("the form has no field `file`"));
        };
        if field.name() != Some("file") {
            spool.skip(field).await?;
            continue;
        }
        let file = field.file_name().and_then(bare_name);
        let file = file
            .ok_or(Refusal::BadRequest("the photo has no file name"))?
            .to_owned();
        if !Filter::new(Arc::clone(folder)).takes(Path::new(&file)) {
            let name = file.escape_debug().to_string();
            return Err(Refusal::NotIncluded {
                folder: folder.name.clone(),
                name,
            });
        }
        let photo = spool.keep(field).await?;
        if photo.len == 0 {
            return Err(Refusal::BadRequest("the photo is empty"));
        }
        let folder = Arc::clone(folder);
        let source = blocking(move || place(&folder, Path::new(&file), photo)).await?;
        return Ok((
            StatusCode::CREATED,
            Json(Dropped {
                folder: name,
                source: crate::percent::display(&source),
            }),
        ));
    }
}

fn place(folder: &Folder, name: &Path, photo: Spooled) -> Result<PathBuf, Refusal> {
    let Spooled { mut file, len } = photo;
    let stem = name.file_stem().unwrap_or_default();
    for number in 1..=NAMES_MAX {
        let mut candidate = stem.to_owned();
        if number > 1 {
            candidate.push(format!("-{number}"));
        }
        let mut candidate = PathBuf::from(candidate);
        if let Some(ending) = name.extension() {
            candidate.as_mut_os_string().push(".");
            candidate.as_mut_os_string().push(ending);
        }
        let temp = write(folder, &mut file)?;
        match temp.place(candidate.as_os_str(), Replace::Never, len) {
            Ok(()) => return Ok(candidate),
            Err(PlaceError::Taken(_)) => {}
            Err(PlaceError::Io(error)) => return Err(Refusal::Disk(error)),
            Err(PlaceError::Short { path, .. }) => {
                let short = Err(std::io::Error::from(std::io::ErrorKind::WriteZero)).at(&path);
                return short.map_err(Refusal::Disk);
            }
        }
    }
    Err(Refusal::BadRequest(
        "there are a thousand photos of that name already",
    ))
}

/// Writes the photo under a hidden name, which no folder takes.
fn write(folder: &Folder, photo: &mut File) -> Result<Temp, Refusal> {
    use std::io::Seek as _;
    let root = Root::open(&folder.input, None)?;
    let directory = root.open_below(Path::new(""), OFlags::RDONLY | OFlags::DIRECTORY)?;
    let destination = Destination::from_directory(directory, folder.input.clone());
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let temp = Temp::create(
        destination,
        format!(".hotcut-{process}-{number}.upload.tmp").into(),
    )?;
    let mut writer = temp.writer()?;
    photo.rewind().at(&folder.input)?;
    std::io::copy(photo, &mut writer).at(&folder.input)?;
    Ok(temp)
}
