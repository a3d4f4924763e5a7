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
mod commands;
#[path = "../../src/fuzzing/corpus/mod.rs"]
#[expect(
    dead_code,
    reason = "what readers are fuzzed from is more than a daemon is shown"
)]
mod corpus;
#[cfg(test)]
mod delivery;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod http;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod service;
#[cfg(test)]
mod source_text;
#[cfg(test)]
mod support;
