//! Serves the HTTP API, the page and the metrics on a separate thread. Reaches the daemon only through [`DaemonHandle`]. Without
//! `[http]` in the configuration it does nothing.

mod api;
mod client_limits;
mod gallery;
mod page;
mod routes;
mod server;
mod state;

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::config::Http;
use crate::daemon::{DaemonHandle, ListenerState};

/// How often an address in use is tried again.
const BIND_RETRY: Duration = Duration::from_secs(2);

/// How long open requests may take after the server stops accepting connections.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// Starts the thread. It ends soon after the daemon loop.
pub fn start(handle: DaemonHandle) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name("http".to_owned())
        .spawn(move || {
            runtime.block_on(run(handle));
            runtime.shutdown_background();
        })
}

/// Serves according to the current configuration until the daemon loop ends.
async fn run(mut handle: DaemonHandle) {
    let mut told = None;
    let mut open: Option<(SocketAddr, TcpListener)> = None;
    let mut connections = JoinSet::new();
    while let Some(http) = wanted(&mut handle).await {
        let listener = match open.take() {
            Some((address, listener)) if address == http.listen => Ok(listener),
            _ => TcpListener::bind(http.listen).await,
        };
        match listener {
            Ok(listener) => {
                told = None;
                // Port 0 lets the system choose the port.
                let listen = listener.local_addr().unwrap_or(http.listen);
                tracing::info!(%listen, "http: listening");
                handle.set_listener_state(ListenerState::Open(listen));
                let left = server::serve::serve(&listener, &http, handle.clone()).await;
                let next = handle
                    .snapshot()
                    .and_then(|snapshot| snapshot.config.http.clone());
                let stays = next.is_some_and(|next| next.listen == http.listen);
                // Old connections finish while new ones are accepted under the new settings. They get a time limit when the address
                // changes.
                connections.spawn(left.see_off((!stays).then_some(LEAVE_MAX)));
                open = stays.then_some((http.listen, listener));
            }
            Err(error) => {
                if told != Some(error.kind()) {
                    let listen = http.listen;
                    tracing::error!(%listen, %error, "http: cannot listen on the address; retrying");
                }
                told = Some(error.kind());
                handle.set_listener_state(ListenerState::Unusable(http.listen, error.kind()));
                tokio::time::sleep(BIND_RETRY).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(open);
    drop(tokio::time::timeout(LEAVE_MAX, connections.join_all()).await);
}

/// Waits for a configuration with `[http]`; `None` once the daemon loop has ended.
async fn wanted(handle: &mut DaemonHandle) -> Option<Http> {
    loop {
        if !handle.is_open() {
            return None;
        }
        let http = handle
            .snapshot()
            .and_then(|snapshot| snapshot.config.http.clone());
        if http.is_some() {
            return http;
        }
        handle.set_listener_state(ListenerState::None);
        if !handle.changed().await {
            return None;
        }
    }
}
