//! Accepts connections from a listening socket and enforces their time limits and their number. Must not depend on the routes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::header;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use super::body::timed;
use crate::config::Http;
use crate::daemon::DaemonHandle;
use crate::http::routes;
use crate::http::state::AppState;

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// How long the head of a request may take, including the next request on a kept connection.
const HEAD_MAX: Duration = Duration::from_secs(10);

/// How long a client may read nothing of an answer.
const TAKE_MAX: Duration = Duration::from_secs(30);

/// How often the rate limits of idle clients are forgotten.
const FORGET: Duration = Duration::from_mins(1);

/// Serves until the HTTP configuration changes or the daemon loop ends.
pub(crate) async fn serve(
    listener: &TcpListener,
    http: &Http,
    handle: DaemonHandle,
) -> Connections {
    let mut loop_view = handle.clone();
    let app = Arc::new(AppState::new(handle, http.clone()));
    let router = routes::router(&app);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = Connections::default();
    let mut forget = tokio::time::interval(FORGET);
    loop {
        let accept = async {
            let permit = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            (accepted, permit) = accept => match (accepted, permit) {
                (Ok((stream, client)), Ok(permit)) => {
                    let stream = watched(stream, TAKE_MAX);
                    connect(stream, client, &router, &mut connections, permit);
                }
                // Perhaps there are no free file descriptors; closing connections will free some.
                (Err(_), _) => tokio::time::sleep(Duration::from_millis(100)).await,
                (_, Err(_)) => break,
            },
            is_alive = loop_view.changed() => {
                let wanted = loop_view.snapshot().and_then(|snapshot| snapshot.config.http.clone());
                if !is_alive || wanted.as_ref() != Some(http) {
                    break;
                }
            }
            Some(_) = connections.tasks.join_next() => {}
            _ = forget.tick() => app.clients.forget_idle(),
        }
    }
    app.leave();
    connections
}

/// The connections of a server that accepts no new ones.
#[derive(Default)]
pub(crate) struct Connections {
    leaving: GracefulShutdown,
    tasks: JoinSet<()>,
}

impl Connections {
    /// Waits until open requests are answered. Closes the remaining connections after `limit`, or when the future is dropped.
    pub(crate) async fn see_off(self, limit: Option<Duration>) {
        let Self { leaving, tasks } = self;
        match limit {
            Some(limit) => drop(tokio::time::timeout(limit, leaving.shutdown()).await),
            None => leaving.shutdown().await,
        }
        drop(tasks);
    }
}

/// A connection that fails when its client reads nothing for `take_max`.
fn watched(stream: TcpStream, take_max: Duration) -> TimeoutStream<TcpStream> {
    // Answers are written in large pieces; Nagle's algorithm would delay the last one.
    stream.set_nodelay(true).ok();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(take_max));
    stream
}

fn connect(
    stream: TimeoutStream<TcpStream>,
    client: SocketAddr,
    router: &Router,
    connections: &mut Connections,
    permit: OwnedSemaphorePermit,
) {
    let router = router.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let is_asked_for = request.headers().contains_key(header::EXPECT);
        let mut request: Request = request.map(|body| timed(body, is_asked_for));
        request.extensions_mut().insert(ConnectInfo(client));
        let router = router.clone();
        async move {
            Ok::<_, Infallible>(
                router
                    .oneshot(request)
                    .await
                    .unwrap_or_else(|never| match never {}),
            )
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let connection = connections.leaving.watch(connection);
    connections.tasks.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%client, %error, "http: a connection broke");
        }
        drop(permit);
    });
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncWriteExt as _;
    use tokio::time::timeout;

    use super::*;

    /// P6: fails when a client that reads nothing of an answer keeps its connection forever.
    #[tokio::test]
    async fn client_who_takes_nothing_of_an_answer_is_cut_off() {
        // More than the socket buffers hold.
        let router = Router::new().route("/", get(async || vec![0_u8; 64 << 20]));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, address) = listener.accept().await.unwrap();
        let places = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&places).try_acquire_owned().unwrap();
        let mut connections = Connections::default();
        let stream = watched(stream, Duration::from_millis(200));
        connect(stream, address, &router, &mut connections, permit);
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let patience = Duration::from_mins(1);
        let end = timeout(patience, connections.tasks.join_next()).await;
        end.expect("it is cut off").unwrap().unwrap();
        assert_eq!(places.available_permits(), 1);
        drop(client);
    }
}
