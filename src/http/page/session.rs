//! `POST /api/session`: exchanges the token for a cookie, so that a browser can load pictures that need authentication.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, FromRequest as _, Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::server::guard;
use crate::http::server::refusal::{Problem, Refusal};
use crate::http::state::AppState;

/// What a page sends to be let in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The token of `token_file`.
    token: String,
}

/// Lets a browser in.
#[utoipa::path(post, path = "/api/session", request_body = Login, responses(
    (status = 204, description = "The cookie is set, or none is needed"),
    (status = "4XX", description = "The token is wrong", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn log_in(
    State(app): State<Arc<AppState>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<impl IntoResponse, Refusal> {
    // A login attempt counts against the rate limit like a photo.
    app.clients.allow(client.ip())?;
    let login: Result<Json<Login>, JsonRejection> = Json::from_request(request, &()).await;
    let Json(login) = login.map_err(|error| Refusal::of_body(&error, error.body_text()))?;
    match &app.http.token {
        None => Ok((
            StatusCode::NO_CONTENT,
            [(header::SET_COOKIE, String::new())],
        )),
        Some(token) if guard::is_token(token, &login.token) => Ok((
            StatusCode::NO_CONTENT,
            [(header::SET_COOKIE, guard::cookie(token))],
        )),
        Some(_) => Err(Refusal::Unauthorized),
    }
}
