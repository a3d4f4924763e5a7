//! The part of the configuration and the ledger that every job needs. Runs nothing.

use std::time::Duration;

use crate::config::Config;
use crate::fs::disk_space::MinFree;
use crate::ledger::Ledger;

/// The context that all jobs of a daemon share.
#[derive(Clone, Debug)]
pub struct JobContext {
    /// Where attempts and outcomes are recorded.
    pub ledger: Ledger,
    /// Distinguishes this ledger's hidden files from those of other ledgers.
    pub ledger_id: String,
    /// The longest that an attempt may take.
    pub timeout: Duration,
    /// The most attempts at one version of a file.
    pub max_attempts: u32,
    /// Memory of one worker, in bytes.
    pub memory_bytes: u64,
    /// The space that must stay free on each disk.
    pub min_free: MinFree,
}

impl JobContext {
    /// Makes the context from `config`, a ledger and the ledger's id.
    pub fn new(config: &Config, ledger: Ledger, ledger_id: String) -> Self {
        Self {
            ledger,
            ledger_id,
            timeout: config.daemon.timeout,
            max_attempts: config.daemon.max_attempts,
            memory_bytes: config.daemon.worker_memory_bytes,
            min_free: config.daemon.min_free,
        }
    }

    /// The hidden name of output `number` of job `id` while it is written.
    pub fn temp_name(&self, id: i64, number: u32) -> String {
        temp_name(&self.ledger_id, id, number)
    }

    /// A hidden name that only job `id` of this ledger uses.
    pub fn hidden_name(&self, id: i64, ending: &str) -> String {
        hidden_name(&self.ledger_id, id, ending)
    }
}

/// The hidden name of output `number`, from 0, of job `id` of the ledger `ledger_id` while it is written.
pub fn temp_name(ledger_id: &str, id: i64, number: u32) -> String {
    match number {
        0 => hidden_name(ledger_id, id, "tmp"),
        _ => hidden_name(ledger_id, id, &format!("{number}.tmp")),
    }
}

/// A hidden name that only job `id` of the ledger `ledger_id` uses.
pub fn hidden_name(ledger_id: &str, id: i64, ending: &str) -> String {
    format!(".hotcut-{ledger_id}-{id}.{ending}")
}
