//! Events of the daemon -> what a webhook and a command receive.

mod command;
mod webhook;
