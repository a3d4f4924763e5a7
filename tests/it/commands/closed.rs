//! Tests folders that the user of a command may not read: what the command reports, and what it still does.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output};

use crate::support::binary::{finish, hotcut, namespaces_work, said};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, jpeg};
use crate::support::setup::Setup;

/// P10: fails when a user who may not read the state directory is told that hotcut is not running, or that nothing needs attention.
#[test]
fn state_directory_is_an_error_with_advice() {
    if !namespaces_work("state_directory_is_an_error_with_advice") {
        return;
    }
    let hot = HotFolder::start();
    hot.drop_file("a.jpg", HTML);
    hot.wait_quarantined("a.jpg");
    let state = hot.setup().path("state");
    let (config, photo) = (hot.setup().config_file(), hot.input("a.jpg"));
    for (closed, named) in [
        ("", "ledger.db"),
        ("ledger.db", "ledger.db"),
        ("lock", "lock"),
    ] {
        let path = state.join(closed);
        let before = path.metadata().unwrap().mode();
        set_mode(&path, 0);
        for args in [
            &["status"][..],
            &["status", "--check"],
            &["retry"],
            &["redo", "--model", "luma"],
            &["why", photo.to_str().unwrap()],
        ] {
            if closed == "lock" && !["status", "why"].contains(&args[0]) {
                continue;
            }
            let args = args.iter().map(OsStr::new);
            let run = without_rights(args.chain(["--config".as_ref(), config.as_os_str()]));
            assert_eq!(run.status.code(), Some(70), "{run:?}");
            let said = said(&run);
            let path = state.join(named).display().to_string();
            assert!(said.contains(&path) && said.contains("sudo"), "{said}");
        }
        set_mode(&path, before);
    }
}

/// P10: fails when one unreadable subfolder keeps its folder from being proposed or checked, or when it is not mentioned.
#[test]
fn subfolder_is_a_remark() {
    if !namespaces_work("subfolder_is_a_remark") {
        return;
    }
    let setup = Setup::new();
    setup.write_config();
    let (config, input) = (setup.config_file(), setup.input_of("products"));
    let closed = input.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::write(input.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    set_mode(&closed, 0);
    for args in [
        ["check".as_ref(), "--config".as_ref(), config.as_os_str()],
        ["init".as_ref(), "--".as_ref(), input.as_os_str()],
    ] {
        let run = without_rights(args);
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        let told = said(&run);
        assert!(told.contains("1 photo lies in it now"), "{told}");
        let remark = format!("out of reach: {}", closed.display());
        assert!(told.contains(&remark), "{told}");
    }
    set_mode(&closed, 0o755);
}

/// Runs the program as its owner, without root's rights to pass file modes.
fn without_rights<'a>(args: impl IntoIterator<Item = &'a OsStr>) -> Output {
    let mut command = Command::new("unshare");
    command.args([
        "-Ur",
        "setpriv",
        "--bounding-set=-dac_override,-dac_read_search",
    ]);
    finish(command.arg(hotcut().get_program()).args(args))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
