//! Converts every reason to refuse a request to a status code and a sentence that says what to do, as `application/problem+json`
//! (RFC 9457). Must not decide to refuse.

use std::error::Error;
use std::time::Duration;
use std::{io, iter};

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fs::disk_space::{DiskSpaceError, TooFull};
use crate::fs::path_error::PathError;
use crate::imaging::CutoutError;
use crate::job::RequestError;
use crate::ledger::LedgerError;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the token is missing or wrong; send it as \"Authorization: Bearer TOKEN\"")]
    Unauthorized,
    #[error("requests from another site are not allowed")]
    CrossSite,
    #[error(
        "this server is not called \"{0}\" here; call it by its address, or add the name to `hosts` in [http]"
    )]
    UnknownHost(String),
    #[error("no such path; /openapi.json lists all paths")]
    NoSuchPath,
    #[error("this path does not support this method; /openapi.json lists what there is")]
    WrongMethod,
    #[error("{0}")]
    BadRequest(&'static str),
    #[error("the request cannot be read: {0}")]
    Unreadable(String),
    #[error("there is no model \"{asked}\" here; there are: {known}")]
    UnknownModel { asked: String, known: String },
    #[error("edges cannot be \"{asked}\"; they can be: {known}")]
    UnknownEdges { asked: String, known: String },
    #[error("there is no folder \"{0}\" here")]
    UnknownFolder(String),
    #[error(
        "folder \"{folder}\" does not take \"{name}\"; its `include` and `exclude` decide, and names of hidden and temporary files are never taken"
    )]
    NotIncluded { folder: String, name: String },
    #[error("folder \"{0}\" is offline now; /api/status tells why")]
    Away(String),
    #[error("the disks of the folder do not answer; try again in {} s", QUEUE_RETRY.as_secs())]
    DisksSilent,
    #[error(
        "folder \"{folder}\" has a \"{name}\" already, and takes no other such name; send it under another"
    )]
    NameTaken { folder: String, name: String },
    #[error("the form has more than one field `file`; send one photo, or all of them to /batch")]
    SecondPhoto,
    #[error("no thumbnail could be made; request the full picture")]
    NoThumb,
    #[error("the photo does not exist, or it has changed")]
    Gone,
    #[error(
        "this photo is not set aside, or was moved out of its hot folder, so there is nothing to retry"
    )]
    NotQuarantined,
    #[error("a photo may have {0} MiB here (`max_upload`)")]
    TooLong(u64),
    #[error("the upload was too slow; send the photo again over a faster connection")]
    TooSlow,
    #[error("too many photos from you; try again in {} s (`photos_per_minute`)", .0.as_secs().max(1))]
    TooMany(Duration),
    #[error("too many photos are waiting already; try again in {} s", QUEUE_RETRY.as_secs())]
    Full,
    #[error("hotcut is stopping or has just started; try again in {} s", QUEUE_RETRY.as_secs())]
    Closed,
    #[error("{0}")]
    Request(#[from] RequestError),
    #[error("{0}; try again once there is room")]
    NoRoom(TooFull),
    #[error(transparent)]
    Disk(#[from] PathError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<DiskSpaceError> for Refusal {
    fn from(error: DiskSpaceError) -> Self {
        match error {
            DiskSpaceError::TooFull(disk) => Self::NoRoom(disk),
            DiskSpaceError::Io(error) => Self::Disk(error),
        }
    }
}

/// The cause of `error`. An I/O error's `source` skips the error that the I/O error wraps, so the wrapped error is read directly.
fn cause<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let error: &'a (dyn Error + 'static) = *error;
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|carried| carried as _),
        None => error.source(),
    }
}

/// When the client may retry after a full queue.
const QUEUE_RETRY: Duration = Duration::from_secs(5);

/// What is told instead of a result.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The words of the status code.
    title: &'static str,
    /// The status code.
    status: u16,
    /// What is wrong, in a word for programs.
    code: &'static str,
    /// What is wrong and what to do, in a sentence for people.
    detail: String,
}

impl Refusal {
    /// The refusal for a body that ended early, by the error's causes.
    pub(crate) fn of_body(error: &(dyn Error + 'static), words: String) -> Self {
        let mut causes = iter::successors(Some(error), cause);
        let is_late = causes.any(|error| {
            let error = error.downcast_ref::<io::Error>();
            error.is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
        });
        if is_late {
            Self::TooSlow
        } else {
            Self::Unreadable(words)
        }
    }

    /// The status code, and the code for programs.
    fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::CrossSite => (StatusCode::FORBIDDEN, "cross_site"),
            Self::UnknownHost(_) => (StatusCode::MISDIRECTED_REQUEST, "unknown_host"),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "no_such_path"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "wrong_method"),
            Self::BadRequest(_) | Self::Unreadable(_) | Self::SecondPhoto => {
                (StatusCode::BAD_REQUEST, "bad_request")
            }
            Self::UnknownModel { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_model"),
            Self::UnknownEdges { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_edges"),
            Self::UnknownFolder(_) => (StatusCode::NOT_FOUND, "unknown_folder"),
            Self::NotIncluded { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "not_included"),
            Self::NameTaken { .. } => (StatusCode::CONFLICT, "name_taken"),
            Self::Away(_) => (StatusCode::SERVICE_UNAVAILABLE, "folder_away"),
            Self::DisksSilent => (StatusCode::SERVICE_UNAVAILABLE, "disks_silent"),
            Self::NoThumb => (StatusCode::NOT_FOUND, "no_thumb"),
            Self::Gone => (StatusCode::NOT_FOUND, "gone"),
            Self::NotQuarantined => (StatusCode::CONFLICT, "not_quarantined"),
            Self::TooLong(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_long"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, "queue_full"),
            Self::Closed => (StatusCode::SERVICE_UNAVAILABLE, "closed"),
            Self::Request(error) => request_kind(error),
            Self::NoRoom(_) => (StatusCode::INSUFFICIENT_STORAGE, "no_room"),
            Self::Disk(error) => disk_kind(error.io()),
            Self::Ledger(_) => (StatusCode::INTERNAL_SERVER_ERROR, "machine"),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        if let Self::TooMany(wait) = self {
            return Some(*wait);
        }
        let passes = matches!(
            self,
            Self::Full
                | Self::Closed
                | Self::Away(_)
                | Self::DisksSilent
                | Self::Request(RequestError::Short(_))
        );
        passes.then_some(QUEUE_RETRY)
    }

    /// The content of the answer, or of an entry in a batch's list of failures.
    pub(crate) fn problem(&self) -> Problem {
        let (status, code) = self.kind();
        Problem {
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: self.to_string(),
        }
    }
}

fn request_kind(error: &RequestError) -> (StatusCode, &'static str) {
    match error {
        RequestError::Cutout(CutoutError::NotAnImage(_) | CutoutError::Unsupported(_)) => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_a_photo")
        }
        RequestError::Cutout(CutoutError::TooLarge { .. }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "too_many_pixels")
        }
        RequestError::Cutout(CutoutError::NoSubject) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "no_subject")
        }
        RequestError::Cutout(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_photo"),
        RequestError::ModelGone => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_model"),
        RequestError::WorkerDied(_) => (StatusCode::UNPROCESSABLE_ENTITY, "crashed"),
        RequestError::Short(_) => (StatusCode::SERVICE_UNAVAILABLE, "machine_short"),
        RequestError::TimedOut(_) => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
        RequestError::Disk(error) => disk_kind(error),
    }
}

fn disk_kind(error: &io::Error) -> (StatusCode, &'static str) {
    let is_full = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    );
    if is_full {
        (StatusCode::INSUFFICIENT_STORAGE, "no_room")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "machine")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, _) = self.kind();
        let mut response = (status, Json(self.problem())).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after() {
            let seconds = HeaderValue::from(wait.as_secs().max(1));
            headers.insert(header::RETRY_AFTER, seconds);
        }
        if matches!(self, Self::Unauthorized) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a client with a slow connection gets the answer that its request is invalid.
    #[test]
    fn lateness_is_found_below_whatever_wraps_it() {
        let wrapped =
            |kind: io::ErrorKind| axum::Error::new(io::Error::other(io::Error::from(kind)));
        let told = |kind| Refusal::of_body(&wrapped(kind), String::new()).kind().1;
        assert_eq!(told(io::ErrorKind::TimedOut), "too_slow");
        assert_eq!(told(io::ErrorKind::ConnectionReset), "bad_request");
    }
}
