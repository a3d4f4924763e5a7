//! Tests `HOTCUT_LOG`: which log lines are written.

use crate::support::binary::{finish, hotcut, said};
use crate::support::setup::Setup;

/// P10: fails when the requested levels have no effect, for the whole log or for a part of it.
#[test]
fn levels_are_those_of_the_environment() {
    let setup = Setup::new().folder("one", "1");
    setup.write_config();
    let told = |levels: &str| {
        let mut command = hotcut();
        command
            .args(["status", "--config"])
            .arg(setup.config_file());
        said(&finish(command.env("HOTCUT_LOG", levels)))
    };
    for (levels, is_told) in [
        ("info", true),
        ("error", false),
        ("error,hotcut::command=warn", true),
        ("warn,hotcut::command=error", false),
    ] {
        assert_eq!(told(levels).contains("unknown key"), is_told, "{levels}");
    }
}

/// Fails when invalid levels are ignored, or not named in the error.
#[test]
fn levels_that_cannot_be_read_are_an_error() {
    let output = finish(hotcut().env("HOTCUT_LOG", "hotcut=loud").arg("check"));
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    assert!(said(&output).contains("HOTCUT_LOG"), "{output:?}");
}

/// P10: fails when a line for people has a time that differs from the local clock, or has no offset.
#[test]
fn lines_bear_the_local_time_with_its_offset() {
    let output =
        finish(
            hotcut()
                .env("TZ", "UTC-5:30")
                .args(["check", "--config", "/nowhere/hotcut.toml"]),
        );
    assert!(said(&output).contains("+05:30"), "{output:?}");
}
