//! Streams a finished PNG from an unnamed file as the answer. Must not hold the file in memory.

use std::fs::File;
use std::io::Seek as _;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use super::refusal::Refusal;
use crate::fs::path_error::AtPath as _;
use crate::imaging::CutReport;
use crate::percent;

/// Bytes read and sent at a time.
const BLOCK: usize = 1 << 16;

/// Answers with the PNG that `report` describes, and suggests a file name for saving.
pub(crate) fn png(mut file: File, report: &CutReport, name: &str) -> Result<Response, Refusal> {
    file.rewind().at(Path::new("the cutout"))?;
    let mut response = stream(tokio::fs::File::from_std(file), report.len, "image/png");
    let headers = response.headers_mut();
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let saved =
        percent::encode(Path::new(stem)).replace(['\'', '(', ')', '*', '"', ';', ',', '\\'], "_");
    let disposition = format!("inline; filename*=UTF-8''{saved}.png");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    let stages = report.stages.iter();
    let timing: Vec<String> = stages
        .map(|(stage, ms)| format!("{stage};dur={ms}"))
        .collect();
    if let Ok(value) = HeaderValue::from_str(&timing.join(", ")) {
        headers.insert(HeaderName::from_static("server-timing"), value);
    }
    Ok(response)
}

/// Answers with the first `len` bytes of `file`.
pub(crate) fn stream(
    file: impl AsyncRead + Send + Unpin + 'static,
    len: u64,
    kind: &'static str,
) -> Response {
    let bytes = tokio::io::AsyncReadExt::take(file, len);
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(bytes, BLOCK)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
