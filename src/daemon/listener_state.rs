//! The state of the HTTP listener -> words for the status of the daemon. Opens and closes nothing.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The state of the HTTP listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListenerState {
    /// None is configured.
    #[default]
    None,
    /// Requests can come in here.
    Open(SocketAddr),
    /// The address cannot be used, and is tried again.
    Unusable(SocketAddr, io::ErrorKind),
}

impl fmt::Display for ListenerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Open(listen) => write!(f, "listening on {listen}"),
            Self::Unusable(listen, kind) => write!(f, "{listen} cannot be used: {kind}"),
        }
    }
}
