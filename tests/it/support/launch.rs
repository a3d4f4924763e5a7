//! Starts a process from a [`Setup`], with a log. Waits for nothing.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::binary::hotcut;
use super::setup::Setup;

/// Starts the daemon of `setup`, in the namespace or with the program that the setup asks for, with its log in a file.
pub(crate) fn spawn(setup: &Setup, log: &Path) -> Child {
    let mut command = match setup.wrapper() {
        [] => hotcut(),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(env!("CARGO_BIN_EXE_hotcut"));
            command
        }
    };
    // The daemon must not see variables that the test's shell exports for other parts of hotcut.
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"HOTCUT_") || name == "RUNTIME_DIRECTORY" {
            command.env_remove(name);
        }
    }
    command
        .args(["run", "--log-format", "json", "--config"])
        .arg(setup.config_file());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log).unwrap());
    command.spawn().unwrap()
}

/// The log of the `run`th daemon on the same tree.
pub(crate) fn log_file(setup: &Setup, run: u32) -> PathBuf {
    setup.path(format!("daemon-{run}.log"))
}

/// Whether a line of the log reports readiness.
pub(crate) fn is_ready(line: &str) -> bool {
    serde_json::from_str(line).is_ok_and(|line: serde_json::Value| {
        line.pointer("/fields/message")
            .and_then(|message| message.as_str())
            == Some("ready")
    })
}
