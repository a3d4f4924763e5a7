//! Reads the photos of a form one after the other and spools each to disk. Limits the bytes before a photo, because the parser
//! holds them in memory.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use futures_util::{Stream, StreamExt as _};
use tokio::time::timeout;

use super::spool::{Spool, Spooled};
use crate::http::server::flow_gate::FlowGate;
use crate::http::server::refusal::Refusal;

/// The name of the field with a photo.
const FIELD: &str = "file";

/// Bytes that may precede the content of a part: its head, and any text between parts.
const HEAD_MAX: u64 = 64 << 10;

/// How long these bytes may take.
const HEAD_MAX_TIME: Duration = Duration::from_secs(10);

/// No limit, for the content of a part: it goes to disk.
const UNBOUNDED: u64 = u64::MAX;

/// An unread form.
pub(crate) struct Form {
    parts: Multipart,
    gate: FlowGate,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let gate = FlowGate::default();
        let request = request.map(|body| gate.body(body));
        let parts = Multipart::from_request(request, state).await;
        let parts = parts.map_err(|error| Refusal::Unreadable(error.body_text()))?;
        Ok(Self { parts, gate })
    }
}

/// A field's content.
struct Content<'a> {
    field: Field<'a>,
    gate: FlowGate,
    spool: &'a Spool,
}

impl Stream for Content<'_> {
    type Item = Result<Bytes, Refusal>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { field, gate, spool } = &mut *self;
        let next = gate.poll(context, |context| field.poll_next_unpin(context));
        next.map_err(|error| unreadable(&error, spool))
    }
}

impl Form {
    /// Spools the next photo that `admit` accepts; `admit` gets its file name. `None` after the last photo.
    pub(crate) async fn next<T>(
        &mut self,
        spool: &Spool,
        admit: impl FnOnce(Option<&str>) -> Result<T, Refusal>,
    ) -> Result<Option<(T, Spooled)>, Refusal> {
        loop {
            self.gate.allow(HEAD_MAX);
            let gate = self.gate.clone();
            let mut field = Box::pin(self.parts.next_field());
            let field =
                poll_fn(|context| gate.poll(context, |context| field.as_mut().poll(context)));
            let field = timeout(HEAD_MAX_TIME, field).await;
            self.gate.allow(UNBOUNDED);
            let field = field.map_err(|_| Refusal::TooSlow)?;
            let Some(field) = field.map_err(|error| unreadable(&error, spool))? else {
                return Ok(None);
            };
            let is_photo = field.name() == Some(FIELD);
            let content = Content { field, gate, spool };
            if is_photo {
                let admitted = admit(content.field.file_name())?;
                return Ok(Some((admitted, spool.keep(content).await?)));
            }
            spool.skip(content).await?;
        }
    }

    /// Spools the only photo; refuses a second one.
    pub(crate) async fn only<T>(
        mut self,
        spool: &Spool,
        admit: impl FnOnce(Option<&str>) -> Result<T, Refusal>,
    ) -> Result<(T, Spooled), Refusal> {
        let photo = self.next(spool, admit).await?;
        let photo = photo.ok_or(Refusal::BadRequest("the form has no field `file`"))?;
        let another = self.next(spool, |_| Err::<(), _>(Refusal::SecondPhoto));
        another.await?;
        Ok(photo)
    }
}

fn unreadable(error: &MultipartError, spool: &Spool) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return spool.too_long();
    }
    Refusal::of_body(error, error.body_text())
}
