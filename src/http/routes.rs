//! Maps paths to handlers behind one guard, and serves `/openapi.json`, which is generated from the handlers' types. Must not
//! handle requests itself.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::{batch, cut, events, health, incoming, metrics, status};
use super::gallery::{photos, pictures, thumbs};
use super::page;
use super::page::session;
use super::server::guard;
use super::server::refusal::Refusal;
use super::state::AppState;

/// Bytes that a form may hold besides its photos.
const FORM_EXTRA_BYTES: usize = 1 << 20;

/// The longest login body, in bytes. Clients send it before they are authenticated.
const LOGIN_BYTES: usize = 4 << 10;

/// The general part of the API description.
#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "hotcut",
    description = "Cuts photos out of their background, and shows what the hot folders do."
))]
struct Description;

/// All routes.
pub(super) fn router(app: &Arc<AppState>) -> Router {
    let photo_max = usize::try_from(app.http.upload_max_bytes).unwrap_or(usize::MAX);
    let one_photo = DefaultBodyLimit::max(photo_max.saturating_add(FORM_EXTRA_BYTES));
    let many_photos = DefaultBodyLimit::max(photo_max.saturating_mul(batch::PHOTOS_MAX));
    let photos = OpenApiRouter::new()
        .routes(routes!(cut::remove_background))
        .routes(routes!(incoming::drop_photo))
        .layer(one_photo);
    let batches = OpenApiRouter::new()
        .routes(routes!(batch::cut_batch))
        .layer(many_photos);
    let logins = OpenApiRouter::new()
        .routes(routes!(session::log_in))
        .layer(DefaultBodyLimit::max(LOGIN_BYTES));
    let (router, description) = OpenApiRouter::with_openapi(Description::openapi())
        .merge(photos)
        .merge(batches)
        .routes(routes!(status::status))
        .routes(routes!(photos::list))
        .routes(routes!(photos::one))
        .routes(routes!(photos::retry))
        .routes(routes!(pictures::source))
        .routes(routes!(pictures::cutout))
        .routes(routes!(thumbs::thumb))
        .routes(routes!(events::events))
        .routes(routes!(metrics::metrics))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .merge(logins)
        .split_for_parts();
    let described = move || {
        let description = description.clone();
        async move { Json(description).into_response() }
    };
    router
        .route(
            "/remove-background/",
            post(cut::remove_background).layer(one_photo),
        )
        .route("/openapi.json", get(described))
        .merge(page::router())
        .fallback(async || Refusal::NoSuchPath)
        .method_not_allowed_fallback(async || Refusal::WrongMethod)
        .layer(middleware::from_fn_with_state(
            Arc::clone(app),
            guard::check,
        ))
        .with_state(Arc::clone(app))
}
