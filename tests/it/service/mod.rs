//! Signals, reloads and the log, as an init system uses them.

mod journal;
mod reload_checks;
mod reloads;
mod supervisor;
