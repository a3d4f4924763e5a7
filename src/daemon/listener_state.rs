//! The state of the HTTP listener, as text for the daemon's status. Opens and closes nothing.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The state of the HTTP listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListenerState {
    /// No listener is configured.
    #[default]
    None,
    /// It accepts requests at this address.
    Open(SocketAddr),
    /// The address cannot be used; it is tried again.
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
