//! A listening socket -> connections, each with its limits of time, and how many there may be. Knows no route.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use futures_util::StreamExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use super::desk::FrontDesk;
use super::routes;
use crate::config::Http;
use crate::daemon::Access;

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// How long the head of a request may take, also that of the next one on a kept connection.
const HEAD_MAX: Duration = Duration::from_secs(10);

/// The longest pause within a body: longer than that within a photo, which is told as too slow.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// How long a client may take nothing of an answer.
const TAKE_MAX: Duration = Duration::from_secs(30);

/// How long answers under way may take once the server ends.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// How often what is known of idle clients is forgotten.
const FORGET: Duration = Duration::from_mins(1);

/// Serves until the configuration asks for something else, or the loop ends.
pub(super) async fn serve(listener: TcpListener, http: Http, access: Access) {
    let mut loop_view = access.clone();
    let desk = Arc::new(FrontDesk::new(access, http.clone()));
    let router = routes::router(&desk);
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let leaving = GracefulShutdown::new();
    let mut forget = tokio::time::interval(FORGET);
    loop {
        let accept = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            (accepted, permit) = accept => match (accepted, permit) {
                (Ok((stream, client)), Ok(permit)) => {
                    connect(stream, client, &router, &leaving, permit);
                }
                // Out of file descriptors, perhaps: others will be closed.
                (Err(_), _) => tokio::time::sleep(Duration::from_millis(100)).await,
                (_, Err(_)) => break,
            },
            is_alive = loop_view.changed() => {
                let wanted = loop_view.view().and_then(|view| view.config.http.clone());
                if !is_alive || wanted.as_ref() != Some(&http) {
                    break;
                }
            }
            _ = forget.tick() => desk.forget_idle_clients(),
        }
    }
    drop(listener);
    desk.leave();
    // Whoever is not through by then is cut off.
    drop(tokio::time::timeout(LEAVE_MAX, leaving.shutdown()).await);
}

/// A body that ends with an error if nothing of it comes for too long, whoever reads it.
fn timed(body: Incoming) -> Body {
    let parts = Body::new(body).into_data_stream();
    Body::from_stream(futures_util::stream::unfold(Some(parts), |parts| async {
        let mut parts = parts?;
        match tokio::time::timeout(PAUSE_MAX, parts.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(parts))),
            Ok(Some(Err(error))) => Some((Err(io::Error::other(error)), None)),
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
        }
    }))
}

fn connect(
    stream: TcpStream,
    client: SocketAddr,
    router: &Router,
    leaving: &GracefulShutdown,
    permit: OwnedSemaphorePermit,
) {
    // Answers are written in large pieces; the last one must not wait.
    stream.set_nodelay(true).ok();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKE_MAX));
    let router = router.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(timed);
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
    let connection = leaving.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%client, %error, "http: a connection broke");
        }
        drop(permit);
    });
}
