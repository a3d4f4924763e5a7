//! Converts operating system signals to messages for the daemon loop. The only file that uses `signal-hook`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGIO, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use tokio::sync::mpsc;

/// Exit status after a second SIGTERM or SIGINT, as shells report an interrupted command.
const INTERRUPTED: i32 = 130;

/// A request of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalRequest {
    /// SIGTERM or SIGINT: finish the running photos, then end.
    Stop,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// Listens for signals from now on. A second request to stop ends the process at once.
pub fn listen() -> io::Result<mpsc::Receiver<SignalRequest>> {
    let stopping = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // The order matters: the first signal must find the flag unset before it sets the flag.
        flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&stopping))?;
        flag::register(signal, Arc::clone(&stopping))?;
    }
    // The kernel sends SIGIO when another process opens a file with a read lease of hotcut. The default action ends the process.
    flag::register(SIGIO, Arc::new(AtomicBool::new(false)))?;
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let (requests, inbox) = mpsc::channel(8);
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                let request = if signal == SIGHUP {
                    SignalRequest::Reload
                } else {
                    SignalRequest::Stop
                };
                if requests.blocking_send(request).is_err() {
                    return;
                }
            }
        })?;
    Ok(inbox)
}
