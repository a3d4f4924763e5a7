//! `POST /remove-background`: returns the cutout of a photo. The bytes are the same as in a folder's output.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequest as _, Query, Request, State};
use axum::http::header;
use axum::response::Response;
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::form::Form;
use super::spool::{Spool, Spooled};
use crate::config::{Edges, OutputSpec};
use crate::http::server::answer;
use crate::http::server::refusal::{Problem, Refusal};
use crate::http::state::{AppState, bare_name};
use crate::imaging::{CutReport, ZeroEnd};
use crate::percent;
use crate::worker::Task;

/// The name of a photo that the client sends without a name.
pub(crate) const NAMELESS: &str = "photo";

/// How to cut out.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CutQuery {
    /// The model; that of `[http]` if left out.
    model: Option<String>,
    /// How the edges of the cutout are made; as `[http]` says if left out.
    #[param(inline, value_type = Option<Edges>)]
    edges: Option<String>,
    /// The photo's file name, which the cutout remembers; the file's own if left out.
    name: Option<String>,
}

/// A form with one photo.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the form; it is read as a stream")]
pub(crate) struct PhotoForm {
    /// The photo.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
}

/// Cuts a photo out of its background.
///
/// The photo is the request's body itself, or the field `file` of a form. The answer is an 8-bit RGBA PNG of the photo's size, with
/// straight alpha.
#[utoipa::path(
    post,
    path = "/remove-background",
    params(CutQuery),
    request_body(description = "The photo", content(
        (PhotoForm = "multipart/form-data"),
        (Vec<u8> = "application/octet-stream"),
    )),
    responses(
        (status = 200, description = "The cutout", body = Vec<u8>, content_type = "image/png"),
        (status = "4XX", description = "There is no cutout", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn remove_background(
    State(app): State<Arc<AppState>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    query: Result<Query<CutQuery>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::Unreadable(error.body_text()))?;
    let model = model(&app, query.model)?;
    let edges = edges(&app, query.edges)?;
    app.clients.allow(client.ip())?;
    // Refuses early, before the client sends the photo.
    drop(app.slot()?);
    let spool = app.spool()?;
    let (photo, own_name) = receive(&spool, request).await?;
    let given = query.name.or(own_name);
    let name = given.as_deref().and_then(bare_name).unwrap_or(NAMELESS);
    let name = name.to_owned();
    let slot = app.slot()?;
    let received = Received {
        photo,
        name: name.clone(),
        model,
        edges,
    };
    let (png, report) = run(&app, &spool, slot, received).await?;
    answer::png(png, &report, &name)
}

/// The requested model, if the workers have it.
pub(crate) fn model(app: &AppState, asked: Option<String>) -> Result<String, Refusal> {
    let asked = asked.unwrap_or_else(|| app.http.model.clone());
    let snapshot = app.snapshot()?;
    if snapshot.config.models.contains_key(&asked) {
        return Ok(asked);
    }
    let known: Vec<&str> = snapshot.config.models.keys().map(String::as_str).collect();
    Err(Refusal::UnknownModel {
        asked: asked.escape_debug().to_string(),
        known: known.join(", "),
    })
}

/// The requested edges, or those of `[http]`.
pub(crate) fn edges(app: &AppState, asked: Option<String>) -> Result<Edges, Refusal> {
    let Some(asked) = asked else {
        return Ok(app.http.edges);
    };
    Edges::named(&asked).ok_or_else(|| Refusal::UnknownEdges {
        asked: asked.escape_debug().to_string(),
        known: Edges::ALL.map(Edges::word).join(", "),
    })
}

impl ToSchema for Edges {}

impl PartialSchema for Edges {
    fn schema() -> RefOr<Schema> {
        let words = ObjectBuilder::new().schema_type(Type::String);
        words.enum_values(Some(Edges::ALL.map(Edges::word))).into()
    }
}

async fn receive(spool: &Spool, request: Request) -> Result<(Spooled, Option<String>), Refusal> {
    let headers = request.headers();
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/")
    }) {
        let form = Form::from_request(request, &()).await?;
        let own_name = |name: Option<&str>| Ok(name.map(str::to_owned));
        let (name, photo) = form.only(spool, own_name).await?;
        return Ok((photo, name));
    }
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|len| len.to_str().ok()?.parse().ok());
    spool.check_len(announced.unwrap_or(0))?;
    let body = request.into_body().into_data_stream();
    let body = body.map_err(|error| Refusal::of_body(&error, error.to_string()));
    let photo = spool.keep(body).await?;
    if photo.len == 0 {
        return Err(Refusal::BadRequest(
            "the request has no body; send the photo as the body, or as the field `file` of a form",
        ));
    }
    Ok((photo, None))
}

/// A complete photo and its options.
pub(crate) struct Received {
    /// The photo's bytes.
    pub(crate) photo: Spooled,
    /// The name recorded in the cutout.
    pub(crate) name: String,
    /// A model that the workers have.
    pub(crate) model: String,
    /// How its edges are refined.
    pub(crate) edges: Edges,
}

/// Cuts the photo. When the caller disconnects, its slot in the queue becomes free.
pub(crate) async fn run(
    app: &AppState,
    spool: &Spool,
    slot: OwnedSemaphorePermit,
    received: Received,
) -> Result<(std::fs::File, CutReport), Refusal> {
    let Received {
        photo,
        name,
        model,
        edges,
    } = received;
    let source = percent::encode(Path::new(&name));
    let task = Task::Cut {
        model,
        source,
        // The received length equals the announced length, so zeros at the end are no sign of truncation.
        zeros: ZeroEnd::Accept,
        edges,
        outputs: vec![OutputSpec::default()],
    };
    app.run(spool, slot, task, photo).await
}
