//! Tests the messages of a daemon that may not write its state directory, which belongs to another user.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::support::binary::{files_below, finish, hotcut, skip};
use crate::support::setup::Setup;

/// A user and group that no system has.
const STRANGER: u32 = 54_321;

/// Switches to the stranger, who has no home directory.
fn as_stranger(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    let (user, group) = (format!("--reuid={STRANGER}"), format!("--regid={STRANGER}"));
    command.args([&user, &group, "--clear-groups", "--"]);
    command.arg(program).env_remove("HOME");
    command
}

/// Whether the stranger can run the program; if not, reports it.
fn strangers_work(test: &str) -> bool {
    if !rustix::process::geteuid().is_root() {
        skip(test, "only root can become another user");
        return false;
    }
    let hotcut = hotcut();
    let mut look = as_stranger("test");
    let works = finish(look.arg("-x").arg(hotcut.get_program()));
    if !works.status.success() {
        skip(test, "the checkout is closed to other users");
    }
    works.status.success()
}

/// The messages of a daemon that the stranger starts. It must end by itself, with a code that lets it be restarted.
#[track_caller]
fn refusal(setup: &Setup) -> String {
    setup.write_config();
    let mut run = as_stranger(hotcut().get_program());
    let output = finish(run.args(["run", "--config"]).arg(setup.config_file()));
    assert_eq!(output.status.code(), Some(70), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Lets all users make files in a folder, as in the image.
fn open(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o1777)).unwrap();
}

/// P10: fails when a user who starts hotcut as the wrong user is not told the path, its owner, hotcut's user and the remedy, or
/// when anything is made before that.
#[test]
fn state_of_another_user_is_refused_with_its_owner() {
    if !strangers_work("state_of_another_user_is_refused_with_its_owner") {
        return;
    }
    for (foreign, owner) in [
        ("", 4_242),
        ("lock", 4_242),
        ("ledger.db", 4_242),
        ("ledger.db-wal", 4_242),
        ("ledger.db", 0),
    ] {
        let setup = Setup::new();
        open(&setup.path(""));
        let state = setup.path("state");
        if !foreign.is_empty() {
            open(&state);
            fs::write(state.join(foreign), "").unwrap();
        }
        chown(state.join(foreign), Some(owner), Some(4_243)).unwrap();
        let before = files_below(&state);
        let said = refusal(&setup);
        assert_eq!(files_below(&state), before);
        let name = if owner == 0 { " (root)" } else { "" };
        let path = state.join(foreign);
        let path = path.to_str().unwrap().trim_end_matches('/');
        let state = state.display();
        for words in [
            format!("{path} is closed to hotcut: it belongs to user {owner}{name} (mode "),
            format!("and hotcut runs as user {STRANGER}; "),
            format!("chown -R {STRANGER}:{STRANGER} {state}"),
        ] {
            assert!(said.contains(&words), "no {words} in {said}");
        }
        // No message says to run it as root.
        assert_eq!(said.contains("--user 4242:4243"), owner != 0, "{said}");
        assert!(!said.contains("--user 0"), "{said}");
    }
}

/// P10: fails when the message does not name the folder in which a state directory cannot be made, or says to give away all of it.
#[test]
fn state_that_cannot_be_made_names_the_folder_above() {
    if !strangers_work("state_that_cannot_be_made_names_the_folder_above") {
        return;
    }
    let setup = Setup::new();
    open(&setup.path(""));
    let (above, state) = (setup.path("above"), setup.path("above/deeper/state"));
    fs::create_dir(&above).unwrap();
    let said = refusal(&setup.daemon("state_dir", state.to_str().unwrap()));
    let (above, state) = (above.display(), state.display());
    for words in [
        format!("{above} is closed to hotcut: it belongs to user 0 (root) (mode "),
        format!("make the folder for it: install -d -o {STRANGER} -g {STRANGER} {state}"),
    ] {
        assert!(said.contains(&words), "no {words} in {said}");
    }
    assert!(!said.contains("chown"), "{said}");
}
