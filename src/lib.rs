//! hotcut: a photo that arrives in a hot folder leaves as a transparent PNG.
//!
//! # The map, in reading order
//!
//! `Sighting -> SettledFile -> Job -> [Photo -> Tensor -> Mask -> Matte -> PNG bytes] -> Temp -> placed file -> record`
//!
//! | module | turns | into |
//! |---|---|---|
//! | [`config`] | a TOML file | a validated configuration, or every fault in it |
//! | [`intake`] | a hot folder | settled files: watch, listing and quiet time |
//! | [`job`] | a settled file and a worker | one finished attempt: the commit order on one screen |
//! | [`pool`] | an order and photo bytes | PNG bytes, in a process that may die |
//! | [`cutout`] | photo bytes | PNG bytes: decode, network, matte, encode; or a smaller picture |
//! | [`delivery`] | a result | files that are whole or absent, and the ledger |
//! | [`daemon`] | events | what is done next: one loop, one place that names every phase |
//! | [`http`] | requests | errands, pages and metrics; off unless configured |
//! | [`herald`] | the loop's news | messages to a webhook and a command, on a thread of its own |
//! | [`command`] | arguments | output and an exit code |
//! | [`shutdown`] | signals | messages for the loop |
//!
//! Small and shared: [`mark`] (the text chunk by which an output is known as ours), [`stamp`] (which version of a file),
//! [`mount`], [`percent`], [`hex`], [`path_error`], [`journal`] (priorities of log lines), [`onnxruntime`] (where the library lies).
//! For tests only: `fuzzing` (what hostile bytes are tried on) and `chaos` (files that make the daemon itself fail).
//!
//! # Invariants
//!
//! `tests/it/tidy.rs` proves those that source text can break.
//!
//! - `intake`, `cutout` and `delivery` do not know each other; only `job` and `daemon` put them together.
//! - One file each names `ort`, `notify`, `signal-hook`, `hmac`, `landlock` and `seccompiler`; one folder each `toml` and
//!   `rusqlite`. Replacing one of them changes that file.
//! - `cutout` has no paths, no clock but for timing, and no async; all its hostile input is bytes.
//! - Only `intake::settle` can make a [`intake::SettledFile`], and it reads neither clock nor disk.
//! - An attempt is in the ledger before a worker sees the photo; an output is durable before the ledger calls it placed;
//!   a source is touched only after that, and only if it is still the version that was processed.
//! - The number of worker processes is the concurrency limit: a job owns its worker, and there is no other permit. A job
//!   that a disk keeps beyond `timeout` gives the worker back and waits on, and its folder starts no other until it ends.
//! - The loop never waits for a hot folder or an output folder; scouts (one thread a folder) and jobs do. It does not know
//!   whom the herald tells of it.
//! - No error becomes text before it is shown; what is done about it is one exhaustive match,
//!   [`job::JobError::disposition`].
//!
//! # Promises
//!
//! P1 to P10 are written in `tests/it/main.rs`. The doc of each test names the promise that it guards, and what would make it
//! fail. The widest ones: `tests/it/kills.rs` (a fault at every system call), `churn.rs` (chance and an oracle), `chaos.rs`
//! (workers that crash and lie, a watch that dies).

#[cfg(feature = "chaos")]
mod chaos;
pub mod command;
pub mod config;
pub mod cutout;
pub mod daemon;
pub mod delivery;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod herald;
pub mod hex;
pub mod http;
pub mod intake;
pub mod job;
pub mod journal;
pub mod mark;
pub mod mount;
pub mod onnxruntime;
pub mod path_error;
pub mod percent;
pub mod pool;
pub mod room;
pub mod shutdown;
pub mod stamp;
