//! Serves `/` and its files, which are built into the program. Must not depend on their content.

pub(super) mod session;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use super::server::etag::{is_known, not_modified, remember};
use crate::hex;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Path, content type and bytes of each file.
const FILES: [(&str, &str, &[u8]); 15] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_bytes!("index.html"),
    ),
    ("/icon.svg", "image/svg+xml", include_bytes!("icon.svg")),
    ("/style.css", STYLE, include_bytes!("style.css")),
    ("/viewer.css", STYLE, include_bytes!("viewer.css")),
    ("/main.js", SCRIPT, include_bytes!("main.js")),
    ("/api.js", SCRIPT, include_bytes!("api.js")),
    ("/live.js", SCRIPT, include_bytes!("live.js")),
    ("/folders.js", SCRIPT, include_bytes!("folders.js")),
    ("/gallery.js", SCRIPT, include_bytes!("gallery.js")),
    ("/uploads.js", SCRIPT, include_bytes!("uploads.js")),
    ("/dropping.js", SCRIPT, include_bytes!("dropping.js")),
    ("/login.js", SCRIPT, include_bytes!("login.js")),
    ("/stage.js", SCRIPT, include_bytes!("stage.js")),
    ("/tile.js", SCRIPT, include_bytes!("tile.js")),
    ("/viewer.js", SCRIPT, include_bytes!("viewer.js")),
];

/// Whether `path` is one of the files.
pub(super) fn has(path: &str) -> bool {
    FILES.iter().any(|(known, ..)| *known == path)
}

/// Serves the files.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut router = Router::new();
    for (path, kind, bytes) in FILES {
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(bytes)));
        let answer = move |headers: HeaderMap| async move { file(&headers, &tag, kind, bytes) };
        router = router.route(path, get(answer));
    }
    router
}

/// The browser caches a file and revalidates it each time, so that the page never mixes files of two versions.
fn file(headers: &HeaderMap, tag: &str, kind: &'static str, bytes: &'static [u8]) -> Response {
    const KEPT: &str = "no-cache";
    if is_known(headers, tag) {
        return not_modified(tag, KEPT);
    }
    let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    remember(response.headers_mut(), tag, KEPT);
    response
}
