//! The state of the running loop at one moment, for other threads. Holds no reference into the loop.

use std::sync::Arc;

use tokio::time::Instant;

use super::status_file::LiveStatus;
use crate::config::Config;

/// The state of the loop.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The folders and the workers' confinement.
    pub live: LiveStatus,
    /// Requests that wait for a worker.
    pub requests: usize,
    /// Requests that have a worker.
    pub running_requests: usize,
    /// Workers that are ready or at work.
    pub workers: usize,
    /// Whether a worker has passed the self-test since the start.
    pub is_self_tested: bool,
    /// When the loop last completed a turn; every second or more often while all is well.
    pub beat: Instant,
}

#[cfg(test)]
impl Snapshot {
    /// An idle loop with one hot folder `a` and the tables of `toml`.
    pub(crate) fn idle(toml: &str) -> Self {
        use std::io::Write as _;
        let models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(
            file,
            "[daemon]\nmodels_dir = {models:?}\nstate_dir = \"/state\"\n{toml}\n\
             [[folder]]\nname = \"a\"\ninput = \"/hot\"\noutput = \"/out\"\nmodel = \"luma\""
        )
        .unwrap();
        Self {
            config: Arc::new(Config::load(file.path()).unwrap()),
            live: LiveStatus {
                confinement: None,
                http: None,
                shortage: None,
                folders: Vec::new(),
            },
            requests: 0,
            running_requests: 0,
            workers: 1,
            is_self_tested: true,
            beat: Instant::now(),
        }
    }
}
