//! Tests `hotcut status` for users who may not read the state directory: it shows the same as to root, or who may read it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crate::support::binary::{finish, hotcut, namespaces_work, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::setup::Setup;
use crate::support::status::Status;

/// A daemon whose unit gives it a shared folder, and whose ledger only root can read.
fn sharing() -> HotFolder {
    let setup = Setup::new();
    let folder = setup.path("run");
    fs::create_dir(&folder).unwrap();
    let variable = format!("RUNTIME_DIRECTORY={}", folder.display());
    let hot = HotFolder::start_with(setup.under(vec!["env".to_owned(), variable]));
    set_mode(&hot.setup().path("state/ledger.db"), 0);
    hot
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The output of the command for its owner, limited to what file modes allow.
fn status(hot: &HotFolder, flag: &str) -> Output {
    let mut command = Command::new("unshare");
    command
        .args([
            "-Ur",
            "setpriv",
            "--bounding-set=-dac_override,-dac_read_search",
        ])
        .arg(hotcut().get_program())
        .args(["status", flag, "--config"])
        .arg(hot.setup().config_file())
        .env("RUNTIME_DIRECTORY", hot.setup().path("run"));
    finish(&mut command)
}

/// P10: fails when a user who may not read the state sees less than root or something else.
#[test]
fn status_is_the_same_for_those_who_may_not_read_the_state() {
    if !namespaces_work("status_is_the_same_for_those_who_may_not_read_the_state") {
        return;
    }
    let hot = sharing();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("b.jpg", b"no photo");
    let read = || {
        let output = status(&hot, "--json");
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        Status::parse(&output).folder("products")
    };
    wait_for("both photos in the shared status", || {
        let folder = read();
        folder.done == 1 && folder.quarantined.len() == 1 && folder.running == 0
    });
    let shared = read();
    set_mode(&hot.setup().path("state/ledger.db"), 0o600);
    let whole = hot.status();
    assert_eq!(shared.state, whole.state);
    assert_eq!(shared.last_done, whole.last_done);
    assert_eq!(
        format!("{:?}", shared.quarantined),
        format!("{:?}", whole.quarantined)
    );
    set_mode(&hot.setup().path("state/ledger.db"), 0);
    assert_eq!(status(&hot, "--check").status.code(), Some(0));
    let mode = fs::metadata(hot.setup().path("run/status.json")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o640);
}

/// P10: fails when a user who may read neither is not told which group may, or when the file of another or a stopped hotcut counts
/// as the status.
#[test]
fn who_may_not_read_the_status_is_told_who_may() {
    if !namespaces_work("who_may_not_read_the_status_is_told_who_may") {
        return;
    }
    let mut hot = sharing();
    let file = hot.setup().path("run/status.json");
    wait_for("the shared status", || file.exists());
    set_mode(&hot.setup().path("run"), 0);
    let closed = status(&hot, "--check");
    assert_eq!(closed.status.code(), Some(70), "{}", said(&closed));
    for words in ["members of the group", "usermod --append --groups"] {
        assert!(said(&closed).contains(words), "{}", said(&closed));
    }
    set_mode(&hot.setup().path("run"), 0o700);
    // The file of a killed daemon, as it is half a minute later.
    hot.kill9();
    let past = SystemTime::now() - Duration::from_mins(1);
    let shared = fs::File::options().append(true).open(&file).unwrap();
    shared.set_modified(past).unwrap();
    assert_eq!(status(&hot, "--check").status.code(), Some(1));
    let old = Status::parse(&status(&hot, "--json")).folder("products");
    assert!(old.state.contains("not running"), "{old:?}");
    set_mode(&hot.setup().path("state/ledger.db"), 0o600);
    hot.restart();
    set_mode(&hot.setup().path("state/ledger.db"), 0);
    wait_for("the shared status is new", || {
        fs::metadata(&file).unwrap().modified().unwrap() > past + Duration::from_secs(30)
    });
    let text = fs::read_to_string(&file).unwrap();
    hot.stop();
    assert!(!file.exists());
    let state = hot.setup().path("state").display().to_string();
    for text in [None, Some(text.replace(&state, "/var/lib/another"))] {
        if let Some(text) = text {
            assert!(text.contains("/var/lib/another"), "{text}");
            fs::write(&file, text).unwrap();
        }
        let nobody = status(&hot, "--json");
        assert_eq!(nobody.status.code(), Some(70), "{}", said(&nobody));
        assert!(said(&nobody).contains("sudo"), "{}", said(&nobody));
    }
}
