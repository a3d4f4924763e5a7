//! Tests with the real binary, real folders and real signals. Each test names the promise that it guards and how it would fail.
//! Must know nothing of the library behind the binary.
//!
//! The promises, in short. P1: every complete file is processed, whatever events were lost. P2: one
//! result for one version of a source. P3: no partial file under a final name. P4: the original is
//! never altered or lost. P5: a bad file costs a few workers, never the daemon or another file.
//! P6: memory is bounded by the configuration. P7: a job ends within its timeout. P8: SIGTERM drains,
//! SIGKILL is safe, a second SIGTERM exits at once. P9: a bad configuration never stops a running
//! daemon. P10: every degradation is visible.
#![expect(
    clippy::disallowed_methods,
    reason = "tests put files into hot folders as any program would, and poll for the outcome"
)]

#[cfg(test)]
mod advice;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod backlog;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod cgroup;
#[cfg(test)]
#[cfg(feature = "chaos")]
mod chaos;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod churn;
#[cfg(test)]
mod closed;
#[cfg(test)]
mod commands;
#[path = "../../src/fuzzing/corpus/mod.rs"]
#[expect(
    dead_code,
    reason = "what readers are fuzzed from is more than a daemon is shown"
)]
mod corpus;
#[cfg(test)]
mod cut;
#[cfg(test)]
mod cut_reports;
#[cfg(test)]
mod cut_sheet;
#[cfg(test)]
mod deaths;
#[cfg(test)]
mod delivers;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod disguises;
#[cfg(test)]
mod documentation;
#[cfg(test)]
mod drops;
#[cfg(test)]
mod edge_pixels;
#[cfg(test)]
mod edges;
#[cfg(test)]
mod emptied;
#[cfg(test)]
mod fairness;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod foreign_state;
#[cfg(test)]
mod full;
#[cfg(test)]
mod fuse;
#[cfg(test)]
mod glossary;
#[cfg(test)]
mod half_retired;
#[cfg(test)]
mod hangs;
#[cfg(test)]
mod hot_folder;
#[cfg(test)]
mod http;
#[cfg(test)]
mod http_batch;
#[cfg(test)]
mod http_events;
#[cfg(test)]
mod http_forms;
#[cfg(test)]
mod http_guard;
#[cfg(test)]
mod http_limits;
#[cfg(test)]
mod http_photos;
#[cfg(test)]
mod http_reloads;
#[cfg(test)]
mod http_room;
#[cfg(test)]
mod hung;
#[cfg(test)]
mod hung_mounts;
#[cfg(test)]
mod hung_starts;
#[cfg(test)]
mod init;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod launch;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod litter;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod mounts;
#[cfg(test)]
mod names;
#[cfg(test)]
mod namespace;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod notifications_command;
#[cfg(test)]
mod photos;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod recovers;
#[cfg(test)]
mod redo;
#[cfg(test)]
mod rejects;
#[cfg(test)]
mod reload_checks;
#[cfg(test)]
mod reloads;
#[cfg(test)]
mod renames;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod same_name;
#[cfg(test)]
mod same_name_kills;
#[cfg(test)]
mod settles;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod shared_status;
#[cfg(test)]
mod shares;
#[cfg(test)]
mod shortage;
#[cfg(test)]
mod shrinks;
#[cfg(test)]
mod sidecars;
#[cfg(test)]
mod slow_writers;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod status;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod strace;
#[cfg(test)]
mod supervisor;
#[cfg(test)]
mod syscall_trace;
#[cfg(test)]
mod unit_limits;
#[cfg(test)]
mod units;
#[cfg(test)]
mod version;
#[cfg(test)]
mod visible;
#[cfg(test)]
mod why;
#[cfg(test)]
mod workers;
