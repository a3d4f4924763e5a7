//! Computes the steps that let a group's members read `hotcut status`. Must not change anything.

use std::path::Path;

use super::step::{SetupStep, line};

/// Sorts before the package's `hotcut.conf`, so that its line for the folder wins.
const FILE: &str = "/etc/tmpfiles.d/hotcut-status.conf";

/// The steps; none when a group is already set.
pub(super) fn steps(group: &str) -> Vec<SetupStep> {
    let file = Path::new(FILE);
    if file.exists() {
        return Vec::new();
    }
    let what = format!("write {FILE}, by which the group {group} may read `hotcut status`");
    let create = |name| ["systemd-tmpfiles", "--create", name];
    vec![
        SetupStep::write(what, file, text(group), &[&line(&create("hotcut.conf"))]),
        SetupStep::run(&create("hotcut-status.conf"), Vec::new()),
    ]
}

fn text(group: &str) -> String {
    format!(
        "# Made by `hotcut setup`: who may read `hotcut status`.\nd /run/hotcut 2750 hotcut {group}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when the package's own line takes precedence, or concerns another folder.
    #[test]
    fn the_file_overrules_the_one_of_the_package() {
        let shipped = include_str!("../../../systemd/hotcut.tmpfiles");
        assert!(shipped.contains("\nd /run/hotcut 2750 hotcut hotcut\n"));
        assert!(text("studio").contains("\nd /run/hotcut 2750 hotcut studio\n"));
        let name = Path::new(FILE).file_name().unwrap();
        assert!(name < std::ffi::OsStr::new("hotcut.conf"));
    }
}
