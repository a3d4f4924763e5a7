//! A listening socket -> connections, each with its limits of time, and how many there may be. Knows no route.

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
use super::desk::FrontDesk;
use super::routes;
use crate::config::Http;
use crate::daemon::Access;

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// How long the head of a request may take, also that of the next one on a kept connection.
const HEAD_MAX: Duration = Duration::from_secs(10);

/// How long a client may take nothing of an answer.
const TAKE_MAX: Duration = Duration::from_secs(30);

/// How often what is known of idle clients is forgotten.
const FORGET: Duration = Duration::from_mins(1);

/// Serves until the configuration asks for something else, or the loop ends.
pub(super) async fn serve(listener: &TcpListener, http: &Http, access: Access) -> Guests {
    let mut loop_view = access.clone();
    let desk = Arc::new(FrontDesk::new(access, http.clone()));
    let router = routes::router(&desk);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut guests = Guests {
        leaving: GracefulShutdown::new(),
        connections: JoinSet::new(),
    };
    let mut forget = tokio::time::interval(FORGET);
    loop {
        let accept = async {
            let permit = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            (accepted, permit) = accept => match (accepted, permit) {
                (Ok((stream, client)), Ok(permit)) => {
                    connect(stream, client, &router, &mut guests, permit);
                }
                // Out of file descriptors, perhaps: others will be closed.
                (Err(_), _) => tokio::time::sleep(Duration::from_millis(100)).await,
                (_, Err(_)) => break,
            },
            is_alive = loop_view.changed() => {
                let wanted = loop_view.view().and_then(|view| view.config.http.clone());
                if !is_alive || wanted.as_ref() != Some(http) {
                    break;
                }
            }
            Some(_) = guests.connections.join_next() => {}
            _ = forget.tick() => desk.forget_idle_clients(),
        }
    }
    desk.leave();
    guests
}

/// Connections of a server that takes no others.
pub(super) struct Guests {
    leaving: GracefulShutdown,
    connections: JoinSet<()>,
}

impl Guests {
    /// Waits until those that are being answered have their answers. Who is not through after `limit`, or when this is dropped,
    /// is cut off.
    pub(super) async fn see_off(self, limit: Option<Duration>) {
        let Self {
            leaving,
            connections,
        } = self;
        match limit {
            Some(limit) => drop(tokio::time::timeout(limit, leaving.shutdown()).await),
            None => leaving.shutdown().await,
        }
        drop(connections);
    }
}

fn connect(
    stream: TcpStream,
    client: SocketAddr,
    router: &Router,
    guests: &mut Guests,
    permit: OwnedSemaphorePermit,
) {
    // Answers are written in large pieces; the last one must not wait.
    stream.set_nodelay(true).ok();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKE_MAX));
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
    let connection = guests.leaving.watch(connection);
    guests.connections.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%client, %error, "http: a connection broke");
        }
        drop(permit);
    });
}
