//! `GET /api/events`: sends events as server-sent events. Tells a slow listener that events were lost; never waits for it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::daemon::{DaemonHandle, LiveStatus, PhotoEvent};
use crate::http::state::AppState;

/// The state of one listener.
struct PageListener {
    app: Arc<AppState>,
    photos: broadcast::Receiver<Arc<PhotoEvent>>,
    sent: Option<LiveStatus>,
    changes: DaemonHandle,
}

/// Tells what happens, as it happens.
///
/// `photo`: an attempt is over (folder, source, id, result, reason). `folders`: the folders' states, at first and when they
/// change. `lost`: some events were lost; look at `/api/status` and `/api/photos`.
#[utoipa::path(get, path = "/api/events", responses(
    (status = 200, description = "Events without end", body = String, content_type = "text/event-stream"),
))]
pub(crate) async fn events(
    State(app): State<Arc<AppState>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let listener = PageListener {
        photos: app.handle.photo_events(),
        changes: app.handle.clone(),
        sent: None,
        app,
    };
    let events = futures_util::stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

impl PageListener {
    /// The next event; `None` when the server ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let live = self.app.handle.snapshot()?.live.clone();
            if self.sent.as_ref() != Some(&live) {
                let event = Event::default().event("folders").json_data(&live.folders);
                self.sent = Some(live);
                return event.ok();
            }
            tokio::select! {
                photo = self.photos.recv() => match photo {
                    Ok(photo) => return Event::default().event("photo").json_data(&*photo).ok(),
                    Err(RecvError::Lagged(count)) => {
                        return Some(Event::default().event("lost").data(count.to_string()));
                    }
                    Err(RecvError::Closed) => return None,
                },
                () = self.app.leaving().cancelled() => return None,
                is_alive = self.changes.changed() => if !is_alive {
                    return None;
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use futures_util::StreamExt as _;

    use super::*;
    use crate::daemon::{Snapshot, link};

    /// P10: fails when a listener that missed events is not told so, or gets no later events.
    #[tokio::test]
    async fn listener_who_falls_behind_is_told_what_is_lost() {
        let (handle, endpoint) = link();
        endpoint.show(Snapshot::idle(
            "[http]\nlisten = \"127.0.0.1:0\"\nmodel = \"luma\"",
        ));
        let http = handle.snapshot().unwrap().config.http.clone().unwrap();
        let app = Arc::new(AppState::new(handle, http));
        let body = events(State(app)).await.into_response().into_body();
        for _ in 0..1_030 {
            endpoint.publish(PhotoEvent::done());
        }
        let mut events = body.into_data_stream();
        let mut next = async || {
            let event = events.next().await.unwrap().unwrap();
            String::from_utf8(event.to_vec()).unwrap()
        };
        assert!(next().await.starts_with("event: folders\n"));
        assert_eq!(next().await, "event: lost\ndata: 6\n\n");
        assert!(next().await.starts_with("event: photo\n"));
    }
}
