//! `/api/photos/{id}/source|cutout`: returns the pictures of a photo in the ledger. Must not read outside the folders of the
//! configuration.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path as UrlPath, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rustix::fs::{FileType, OFlags};

use super::ThumbKind;
use super::photos::row;
use crate::config::Folder;
use crate::delivery::{moved_names, number_of};
use crate::fs::detached::Detached;
use crate::fs::path_error::AtPath as _;
use crate::fs::root::Root;
use crate::fs::stamp::Stamp;
use crate::http::server::answer;
use crate::http::server::etag::{is_known, not_modified, remember};
use crate::http::server::refusal::{Problem, Refusal};
use crate::http::state::AppState;
use crate::ledger::{PhotoRow, PhotoState};

/// The browser caches a picture and revalidates it each time.
pub(super) const KEPT: &str = "private, no-cache";

/// Bytes that are enough to recognise a picture format.
const MAGIC_BYTES: u64 = 64;

/// How long a disk may take to open a picture.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// A picture that exists.
pub(crate) struct StoredPicture {
    pub(crate) folder: String,
    pub(crate) file: Detached<File>,
    pub(crate) stamp: Stamp,
}

/// Gives the photo itself, as long as it lies where it lay, or where its folder has put it.
#[utoipa::path(get, path = "/api/photos/{id}/source", params(("id" = i64, Path, description = "Its number")), responses(
    (status = 200, description = "The photo", body = Vec<u8>, content_type = "image/*"),
    (status = 304, description = "The caller has it"),
    (status = "4XX", description = "It is gone", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn source(
    State(app): State<Arc<AppState>>,
    id: Result<UrlPath<i64>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let picture = open(&app, row(&app, id).await?, ThumbKind::Source).await?;
    serve(&app, picture, &headers).await
}

/// Gives the cutout.
#[utoipa::path(get, path = "/api/photos/{id}/cutout", params(("id" = i64, Path, description = "Its number")), responses(
    (status = 200, description = "The cutout", body = Vec<u8>, content_type = "image/png"),
    (status = 304, description = "The caller has it"),
    (status = "4XX", description = "There is none", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn cutout(
    State(app): State<Arc<AppState>>,
    id: Result<UrlPath<i64>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let picture = open(&app, row(&app, id).await?, ThumbKind::Cutout).await?;
    serve(&app, picture, &headers).await
}

/// Opens the photo or its cutout, if the file is still the one in the ledger.
pub(crate) async fn open(
    app: &AppState,
    row: PhotoRow,
    kind: ThumbKind,
) -> Result<StoredPicture, Refusal> {
    let snapshot = app.snapshot()?;
    let folders = snapshot.config.folders.iter();
    let folder = folders.clone().find(|folder| folder.name == row.folder);
    let folder = Arc::clone(folder.ok_or(Refusal::Gone)?);
    let row_folder = row.folder.clone();
    let find = move || {
        let found = match kind {
            ThumbKind::Source => find_source(&folder, &row),
            ThumbKind::Cutout => find_cutout(&folder, &row),
        };
        found.ok_or(Refusal::Gone)
    };
    app.on_folder(&row_folder, LOOK_MAX, find).await
}

/// Finds the photo in its hot folder or where the folder has moved it, perhaps under the number of its cutout. A move keeps length
/// and time.
fn find_source(folder: &Folder, row: &PhotoRow) -> Option<StoredPicture> {
    let name = row.source.file_name()?;
    let number = number_of(&row.source, row.outputs.first()?);
    let numbered = row.source.with_file_name(moved_names(name, number).next()?);
    let input = [(folder.input.as_path(), &row.source)];
    let moved = folder
        .own_folders()
        .flat_map(|root| [(root, &row.source), (root, &numbered)]);
    let places = input.into_iter().chain(moved);
    let mut pictures = places.filter_map(|(root, source)| picture(row, root, source));
    pictures.find(|picture| {
        (picture.stamp.len, picture.stamp.mtime_ns) == (row.stamp.len, row.stamp.mtime_ns)
    })
}

fn find_cutout(folder: &Folder, row: &PhotoRow) -> Option<StoredPicture> {
    if !matches!(row.state, PhotoState::Done | PhotoState::Placed) {
        return None;
    }
    // The first output that has not been fetched.
    let mut outputs = row.outputs.iter();
    outputs.find_map(|output| {
        let mut roots = folder.output_paths();
        let (root, relative) =
            roots.find_map(|root| Some((root, output.strip_prefix(root).ok()?)))?;
        picture(row, root, relative)
    })
}

/// A file below `root`, without following links.
fn picture(row: &PhotoRow, root: &Path, relative: &Path) -> Option<StoredPicture> {
    let root = Root::open(root, None).ok()?;
    let file = root.open_below(relative, OFlags::RDONLY).ok()?;
    let stat = rustix::fs::fstat(&file).ok()?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    is_file.then(|| StoredPicture {
        folder: row.folder.clone(),
        file: Detached::new(file.into()),
        stamp: Stamp::of(&stat),
    })
}

/// Answers with a file if it is a picture. Any other content is refused: a browser must not get it.
async fn serve(
    app: &AppState,
    picture: StoredPicture,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let tag = tag(&picture.stamp);
    if is_known(headers, &tag) {
        return Ok(not_modified(&tag, KEPT));
    }
    let StoredPicture {
        folder,
        mut file,
        stamp,
    } = picture;
    let look = move || {
        let path = Path::new("the picture");
        let mut magic = Vec::new();
        (&mut *file)
            .take(MAGIC_BYTES)
            .read_to_end(&mut magic)
            .at(path)?;
        file.rewind().at(path)?;
        let format = image::guess_format(&magic).map_err(|_| Refusal::Gone)?;
        Ok((file, format.to_mime_type()))
    };
    let (file, kind) = app.on_folder(&folder, LOOK_MAX, look).await?;
    let file = Detached::new(tokio::fs::File::from_std(file.into_inner()));
    let mut response = answer::stream(file, stamp.len, kind);
    remember(response.headers_mut(), &tag, KEPT);
    Ok(response)
}

pub(crate) fn tag(stamp: &Stamp) -> String {
    format!("\"{:x}-{:x}-{:x}\"", stamp.len, stamp.mtime_ns, stamp.ino)
}
