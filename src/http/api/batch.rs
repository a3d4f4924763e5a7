//! `POST /batch`: cuts many photos and streams one ZIP of their cutouts, with a list of the failures. Reaches the worker pool and
//! the queue only through [`cut`].

use std::collections::BTreeSet;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use async_zip::tokio::write::ZipFileWriter;
use async_zip::{Compression, ZipEntryBuilder};
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::{Stream, StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncSeekExt as _, DuplexStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::compat::FuturesAsyncWriteCompatExt as _;
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};

use super::cut::{self, NAMELESS, Received};
use super::form::Form;
use super::spool::{Spool, Spooled};
use crate::config::Edges;
use crate::http::server::refusal::{Problem, Refusal};
use crate::http::state::{AppState, bare_name};

/// Photos per request.
pub(crate) const PHOTOS_MAX: usize = 200;

/// Photos of one request that are in the queue or with a worker. A higher number would delay other requests.
const AT_A_TIME: usize = 2;

/// Bytes of the ZIP that are buffered for the client.
const AHEAD_BYTES: usize = 1 << 16;

/// Name of the list of failures.
const FAILURES: &str = "failures.json";

/// How to cut out.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchQuery {
    /// The model; that of `[http]` if left out.
    model: Option<String>,
    /// How the edges of the cutouts are made; as `[http]` says if left out.
    #[param(inline, value_type = Option<Edges>)]
    edges: Option<String>,
}

/// A form with many photos.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form; it is read as a stream")]
pub(crate) struct BatchForm {
    /// The photos.
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<Vec<u8>>,
}

/// A photo of the batch without a cutout.
#[derive(Debug, Serialize)]
struct Failure {
    file: String,
    #[serde(flatten)]
    problem: Problem,
}

/// Cuts many photos out.
///
/// The answer is a ZIP with a PNG for each photo, and `failures.json`, a list of those that have none and why. It comes as the
/// cutouts are made.
#[utoipa::path(
    post,
    path = "/batch",
    params(BatchQuery),
    request_body(content = BatchForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The cutouts", body = Vec<u8>, content_type = "application/zip"),
        (status = "4XX", description = "There are none", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cut_batch(
    State(app): State<Arc<AppState>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    query: Result<Query<BatchQuery>, QueryRejection>,
    form: Result<Form, Refusal>,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::Unreadable(error.body_text()))?;
    let form = form?;
    let model = cut::model(&app, query.model)?;
    let edges = cut::edges(&app, query.edges)?;
    let batches = Arc::clone(&app.batches).try_acquire_owned();
    let turn = batches.map_err(|_| Refusal::Full)?;
    let spool = app.spool()?;
    let photos = receive(&app, &spool, client, form).await?;
    let (zip, body) = tokio::io::duplex(AHEAD_BYTES);
    let batch = Batch {
        app,
        spool,
        model,
        edges,
        names: BTreeSet::new(),
        failures: Vec::new(),
        _turn: turn,
    };
    let zip = with_work(ReaderStream::new(body), batch.write(photos, zip));
    let mut response = Response::new(Body::from_stream(zip));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/zip"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"cutouts.zip\""),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Joins a stream of bytes with the work that produces it, so that the work ends with the connection. Failed work ends the stream
/// with an error: an incomplete ZIP must not look complete.
fn with_work<E: Into<Box<dyn Error + Send + Sync>>>(
    bytes: impl Stream<Item = io::Result<Bytes>>,
    work: impl Future<Output = Result<(), E>>,
) -> impl Stream<Item = io::Result<Bytes>> {
    let failed = stream::once(work).filter_map(async |end| Some(Err(io::Error::other(end.err()?))));
    stream::select(bytes, failed)
}

async fn receive(
    app: &AppState,
    spool: &Spool,
    client: SocketAddr,
    mut form: Form,
) -> Result<Vec<(String, Spooled)>, Refusal> {
    let mut photos = Vec::new();
    loop {
        let is_full = photos.len() >= PHOTOS_MAX;
        let admit = |name: Option<&str>| {
            if is_full {
                return Err(Refusal::BadRequest(
                    "too many photos in one request; send at most 200",
                ));
            }
            app.clients.allow(client.ip())?;
            Ok(name.and_then(bare_name).unwrap_or(NAMELESS).to_owned())
        };
        let Some(photo) = form.next(spool, admit).await? else {
            break;
        };
        photos.push(photo);
    }
    if photos.is_empty() {
        return Err(Refusal::BadRequest("the form has no field `file`"));
    }
    Ok(photos)
}

/// Why the ZIP is incomplete: the client disconnected, or a cutout cannot be read.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error(transparent)]
    Zip(#[from] async_zip::error::ZipError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

struct Batch {
    app: Arc<AppState>,
    spool: Spool,
    model: String,
    edges: Edges,
    names: BTreeSet<String>,
    failures: Vec<Failure>,
    _turn: OwnedSemaphorePermit,
}

impl Batch {
    async fn write(
        mut self,
        photos: Vec<(String, Spooled)>,
        zip: DuplexStream,
    ) -> Result<(), Unfinished> {
        let mut zip = ZipFileWriter::with_tokio(zip);
        let (app, spool, model, edges) = (
            Arc::clone(&self.app),
            self.spool.clone(),
            self.model.clone(),
            self.edges,
        );
        let cut = |(name, photo): (String, Spooled)| {
            let (app, spool, model) = (&app, &spool, model.clone());
            async move {
                let slot = app.handle.wait_for_slot().await;
                let result = match slot {
                    Some(slot) => {
                        let name = name.clone();
                        let received = Received {
                            photo,
                            name,
                            model,
                            edges,
                        };
                        cut::run(app, spool, slot, received).await
                    }
                    None => Err(Refusal::Closed),
                };
                (name, result)
            }
        };
        let mut results = std::pin::pin!(stream::iter(photos).map(cut).buffer_unordered(AT_A_TIME));
        while let Some((name, result)) = results.next().await {
            match result {
                Ok((png, _)) => {
                    let entry =
                        ZipEntryBuilder::new(self.free_name(&name).into(), Compression::Stored);
                    let mut png = tokio::fs::File::from_std(png);
                    png.rewind().await?;
                    let mut writer = zip.write_entry_stream(entry).await?.compat_write();
                    tokio::io::copy(&mut png, &mut writer).await?;
                    writer.into_inner().close().await?;
                }
                Err(refusal) => self.failures.push(Failure {
                    file: name,
                    problem: refusal.problem(),
                }),
            }
        }
        if !self.failures.is_empty() {
            let list = serde_json::to_vec_pretty(&self.failures).map_err(io::Error::from)?;
            let entry = ZipEntryBuilder::new(FAILURES.into(), Compression::Stored);
            zip.write_entry_whole(entry, &list).await?;
        }
        zip.close().await?;
        Ok(())
    }

    /// A name that no other cutout of the batch has, ignoring case.
    fn free_name(&mut self, photo: &str) -> String {
        let stem = Path::new(photo)
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or(NAMELESS);
        let numbered = (2..).map(|number| format!("{stem}-{number}.png"));
        let mut names = std::iter::once(format!("{stem}.png")).chain(numbered);
        let free = names.find(|name| self.names.insert(name.to_lowercase()));
        free.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a ZIP looks complete after an error, or incomplete without one.
    #[tokio::test]
    async fn work_that_fails_ends_the_answer_with_an_error() {
        let ends = async |end: Result<(), io::Error>| {
            let bytes = stream::iter([Ok(Bytes::from_static(b"PK"))]);
            let answer = with_work(bytes, async { end });
            answer.map(|bytes| bytes.is_ok()).collect::<Vec<_>>().await
        };
        assert_eq!(ends(Ok(())).await, [true]);
        let broken = io::ErrorKind::BrokenPipe.into();
        assert!(ends(Err(broken)).await.contains(&false));
    }
}
