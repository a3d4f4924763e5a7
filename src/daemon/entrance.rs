//! How the way in over HTTP stands -> words for whoever asks for the daemon's status. Opens and closes nothing.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// How the way in over HTTP stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entrance {
    /// None is configured.
    #[default]
    None,
    /// Requests can come in here.
    Open(SocketAddr),
    /// The address cannot be used, and is tried again.
    Barred(SocketAddr, io::ErrorKind),
}

impl fmt::Display for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Open(listen) => write!(f, "listening on {listen}"),
            Self::Barred(listen, kind) => write!(f, "{listen} cannot be used: {kind}"),
        }
    }
}
