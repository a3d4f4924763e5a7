//! Sends messages about the daemon's events to a webhook and a command, according to the current `[notify]` table.
//!
//! Runs on a separate thread that the daemon does not depend on: a slow receiver never delays processing.

mod collector;
mod inbox;
mod listener;
mod message;
mod notification;
mod post;
mod program;
mod retry_delay;
mod signature;
mod webhook;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{broadcast, watch};

use crate::config::NotifyConfig;
use crate::daemon::{DaemonHandle, PhotoEvent};
use inbox::Inbox;

/// How long messages are still delivered after the daemon has ended.
const FAREWELL: Duration = Duration::from_secs(5);

/// The number of messages that may wait for one receiver; beyond it the oldest are dropped. A power of two.
const MESSAGES_MAX: usize = 256;

/// The current table; closed once the daemon has ended.
type Settings = watch::Receiver<Option<NotifyConfig>>;

/// The thread that sends messages.
#[derive(Debug)]
pub struct Notifications {
    thread: JoinHandle<()>,
    /// Closed when the thread ends.
    end: mpsc::Receiver<Infallible>,
}

impl Notifications {
    /// Starts the thread. It receives every event from now on, and ends after the loop behind `handle`.
    pub fn start(handle: DaemonHandle) -> io::Result<Self> {
        let events = handle.photo_events();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (alive, end) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("notifications".to_owned())
            .spawn(move || {
                let _alive = alive;
                runtime.block_on(serve(handle, events));
                // Abandons a request that hangs.
                runtime.shutdown_background();
            })?;
        Ok(Self { thread, end })
    }

    /// Waits until every message is sent, but not much longer than 5 s after the loop has ended.
    pub fn finish(self) {
        // The thread may hang when it starts the command from a disk that does not respond.
        if self.end.recv_timeout(FAREWELL * 2) == Err(RecvTimeoutError::Disconnected) {
            // If the thread panicked, the panic is already logged and nothing is left to send.
            self.thread.join().ok();
        }
    }
}

async fn serve(handle: DaemonHandle, events: broadcast::Receiver<Arc<PhotoEvent>>) {
    let (settings, in_force) = watch::channel(None);
    let (messages, _) = broadcast::channel(MESSAGES_MAX);
    let mut to_webhook = Inbox::new("webhook", messages.subscribe());
    let mut to_command = Inbox::new("command", messages.subscribe());
    let (settings_of_webhook, settings_of_command) = (in_force.clone(), in_force.clone());
    tokio::join!(
        listener::listen(handle, events, settings, messages),
        async {
            let work = webhook::deliver(&mut to_webhook, settings_of_webhook);
            until_farewell(work, in_force.clone()).await;
            to_webhook.end();
        },
        async {
            let work = program::deliver(&mut to_command, settings_of_command);
            until_farewell(work, in_force.clone()).await;
            to_command.end();
        },
    );
}

async fn until_farewell(work: impl Future<Output = ()>, mut settings: Settings) {
    let late = async {
        while settings.changed().await.is_ok() {}
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        () = work => {}
        () = late => {}
    }
}
