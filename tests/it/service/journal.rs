//! Tests the log as systemd's journal receives it, with a file in the journal's place: lines have priorities there, and nowhere
//! else.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;

use crate::support::binary::hotcut;
use crate::support::setup::Setup;

/// P10: fails when a line has no priority, so that `journalctl -p err` does not find it; each line is a journal entry.
#[test]
fn each_line_for_the_journal_has_its_priority() {
    let told = told_with(|log| format!("{}:{}", log.dev(), log.ino()));
    assert!(told.lines().count() > 1, "{told}");
    for line in told.lines() {
        assert!(line.starts_with("<3>"), "{line}");
        assert!(!line.contains("ERROR"), "the journal knows: {line}");
    }
}

/// Fails when priorities are written to a file to which a service's log was redirected.
#[test]
fn no_line_for_a_file_has_a_priority() {
    let told = told_with(|log| format!("{}:{}", log.dev(), log.ino() + 1));
    assert!(told.lines().count() > 1, "{told}");
    assert!(told.contains("ERROR") && !told.contains("<3>"), "{told}");
}

/// The log of two faults in a file, while the service's log is the file that `stream` names.
fn told_with(stream: impl FnOnce(&fs::Metadata) -> String) -> String {
    let setup = Setup::new().folder("one", "1").folder("two", "2");
    setup.write_config();
    let path = setup.path("log");
    let log = File::create(&path).unwrap();
    let stream = stream(&log.metadata().unwrap());
    let mut command = hotcut();
    command
        .args(["rebuild", "--config"])
        .arg(setup.config_file());
    let exit = command.env("JOURNAL_STREAM", stream).stderr(log).status();
    assert_eq!(exit.unwrap().code(), Some(78));
    fs::read_to_string(path).unwrap()
}
