//! A group -> the steps by which its members may read `hotcut status`. Changes nothing.

use std::path::Path;

use super::step::{SetupStep, line};

/// Comes before the package's `hotcut.conf`, so that its word on the folder counts.
const FILE: &str = "/etc/tmpfiles.d/hotcut-status.conf";

/// The steps; none where it is settled already which group that is.
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

    /// Fails when the package's own line on the folder would count, or is on another folder.
    #[test]
    fn the_file_overrules_the_one_of_the_package() {
        let shipped = include_str!("../../../systemd/hotcut.tmpfiles");
        assert!(shipped.contains("\nd /run/hotcut 2750 hotcut hotcut\n"));
        assert!(text("studio").contains("\nd /run/hotcut 2750 hotcut studio\n"));
        let name = Path::new(FILE).file_name().unwrap();
        assert!(name < std::ffi::OsStr::new("hotcut.conf"));
    }
}
