//! A form -> its photos, one after the other, each kept as it comes. What a client writes before a photo is bounded: the
//! parser holds it in memory.

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

/// The field that holds a photo.
const FIELD: &str = "file";

/// Bytes that may come before a part's content begins: its head, and what no part holds.
const HEAD_MAX: u64 = 64 << 10;

/// How long they may take.
const HEAD_MAX_TIME: Duration = Duration::from_secs(10);

/// The content of a part, which goes to disk.
const UNBOUNDED: u64 = u64::MAX;

/// A form of which nothing has been read yet.
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
    /// Keeps the next photo that `admit`, which is given its file name, does not refuse; `None` after the last.
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

    /// Keeps the only photo, as [`Self::next`] does.
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
