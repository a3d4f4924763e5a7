//! A group -> the steps by which its members may read `hotcut status`. Changes nothing.

use std::path::Path;

use super::step::Step;

/// What the package ships.
const SHIPPED: &str = include_str!("../../../systemd/hotcut.tmpfiles");

/// What systemd reads in its place.
const FILE: &str = "/etc/tmpfiles.d/hotcut.conf";

/// Makes the folders of a file in `tmpfiles.d`, and corrects their groups.
const CREATE: &[&str] = &["systemd-tmpfiles", "--create", "hotcut.conf"];

/// The steps; none where it is settled already which group that is.
pub(super) fn steps(group: &str) -> Vec<Step> {
    let file = Path::new(FILE);
    if file.exists() {
        return Vec::new();
    }
    let what = format!("write {FILE}, by which the group {group} may read `hotcut status`");
    vec![
        Step::write(what, file, text(group), &[&CREATE.join(" ")]),
        Step::run(CREATE, Vec::new()),
    ]
}

fn text(group: &str) -> String {
    let own = SHIPPED.replace(" 2750 hotcut hotcut", &format!(" 2750 hotcut {group}"));
    format!("# Made by `hotcut setup`, in the place of /usr/lib/tmpfiles.d/hotcut.conf.\n{own}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when the shipped file is changed so that the group no longer gets in.
    #[test]
    fn only_the_shared_folder_gets_the_group() {
        let text = text("studio");
        assert!(
            text.contains("\nd /run/hotcut 2750 hotcut studio\n"),
            "{text}"
        );
        assert!(
            text.contains("\nd /var/lib/hotcut 0750 hotcut hotcut\n"),
            "{text}"
        );
    }
}
