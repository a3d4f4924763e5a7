//! Tests the configuration that `hotcut init` proposes for existing folders, and what `hotcut check` reports on it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::binary::{finish, hotcut, identity, namespaces_work, said, skip};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::setup::Setup;

/// P4, P10: fails when the service refuses the proposal, when two folders conflict, or when the content of the folders is not
/// mentioned.
#[test]
fn what_is_proposed_can_be_served() {
    let setup = Setup::new();
    let folders = [
        "products",
        "portraits \"& more\"",
        "twice/products",
        "Größe XL",
        "製品",
    ];
    let folders = folders.map(|name| setup.path("studio").join(name));
    for folder in &folders {
        fs::create_dir_all(folder).unwrap();
    }
    for name in ["a.jpg", "b.jpg", "notes.txt"] {
        fs::write(folders[0].join(name), jpeg(Quarter::TopLeft)).unwrap();
    }
    fs::set_permissions(&folders[1], fs::Permissions::from_mode(0o770)).unwrap();
    let proposal = init(&folders);
    assert_eq!(proposal.status.code(), Some(0), "{}", said(&proposal));
    let text = String::from_utf8(proposal.stdout).unwrap();
    assert!(text.contains("2 photos lie in it now"), "{text}");
    assert!(text.contains("must be in that group"), "{text}");
    let state = setup.path("state");
    let text = text.replace(
        "# state_dir = \"/var/lib/hotcut\"",
        &format!("state_dir = \"{}\"", state.display()),
    );
    fs::write(setup.config_file(), text).unwrap();
    let check = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(setup.config_file()),
    );
    assert_eq!(check.status.code(), Some(0), "{}", said(&check));
    let told = String::from_utf8(check.stdout).unwrap();
    for words in [
        "products: ",
        "portraits more: ",
        "Größe XL: ",
        "製品: ",
        "products-2: ",
        "2 photos lie in it now",
        "no photo lies in it now",
        "photos stay where they are",
        "*.tiff once unchanged for 2s",
    ] {
        assert!(told.contains(words), "no {words:?} in {told}");
    }
}

/// Fails when the service's user is looked for only in `/etc/passwd`: here only a name service knows it, as with LDAP and SSSD.
#[test]
fn user_that_only_a_name_service_knows_is_found() {
    let test = "user_that_only_a_name_service_knows_is_found";
    if !namespaces_work(test) {
        return;
    }
    let setup = Setup::new();
    let folder = setup.path("studio");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
    // The name service of systemd reads records from this folder.
    let known = "mount -t tmpfs tmpfs /run; mkdir /run/userdb
        echo '{\"userName\":\"hotcut\",\"uid\":54321,\"gid\":0}' >/run/userdb/hotcut.user";
    let getent = ["getent", "passwd", "hotcut"].map(OsStr::new);
    if !said_with(known, &getent).contains(":54321:") || !said_with("", &getent).is_empty() {
        skip(
            test,
            "the name service of systemd is not in use here, or there is a user hotcut",
        );
        return;
    }
    let program = hotcut();
    let init = [
        program.get_program(),
        OsStr::new("init"),
        folder.as_os_str(),
    ];
    let words = "must be in that group";
    let (without, with) = (said_with("", &init), said_with(known, &init));
    assert!(without.contains(words), "{without}");
    assert!(
        with.contains("[[folder]]") && !with.contains(words),
        "{with}"
    );
}

/// Fails when a name service that does not work is not reported, or looks like a user who does not exist.
#[test]
fn lookup_that_fails_is_told() {
    if !namespaces_work("lookup_that_fails_is_told") {
        return;
    }
    let setup = Setup::new();
    let folder = setup.path("studio");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
    // The list of users cannot be opened.
    let broken = "mount -t tmpfs tmpfs /etc; ln -s passwd /etc/passwd";
    let program = hotcut();
    let init = [
        program.get_program(),
        OsStr::new("init"),
        folder.as_os_str(),
    ];
    let told = said_with(broken, &init);
    assert!(told.contains("[[folder]]"), "{told}");
    assert!(
        told.contains("is unknown: the system cannot look up the user hotcut: "),
        "{told}"
    );
}

/// Fails when a folder that does not exist, or that no configuration can name, is proposed anyway.
#[test]
fn folder_that_cannot_be_served_is_told() {
    let setup = Setup::new();
    let missing = init(&[setup.path("nowhere")]);
    assert_eq!(missing.status.code(), Some(70), "{}", said(&missing));
    assert!(said(&missing).contains("nowhere"), "{}", said(&missing));
    let odd = setup.path(OsStr::from_bytes(b"\xff"));
    fs::create_dir(&odd).unwrap();
    let odd = init(&[odd]);
    assert_eq!(odd.status.code(), Some(1), "{}", said(&odd));
    assert!(said(&odd).contains("UTF-8"), "{}", said(&odd));
}

/// Fails when a misspelt folder changes or prints anything, when a configuration is replaced without a backup, or when one that the
/// service refuses is put in place.
#[test]
fn a_proposal_is_put_in_place_whole_or_not_at_all() {
    let setup = Setup::new();
    let (hot, file) = (setup.path("hot"), setup.config_file());
    let backup = setup.path("hotcut.toml.bak");
    fs::create_dir(&hot).unwrap();
    fs::write(&file, "# mine\n").unwrap();
    let write = |folders: &[&Path]| {
        let mut command = hotcut();
        command.arg("init").args(folders);
        finish(command.args(["--write", "--config"]).arg(&file))
    };
    let mine = identity(&file);
    // The state folder of the service would be in the second folder.
    for folder in [setup.path("typo").as_path(), Path::new("/var/lib")] {
        let refused = write(&[&hot, folder]);
        assert_ne!(refused.status.code(), Some(0), "{}", said(&refused));
        assert!(refused.stdout.is_empty(), "{}", said(&refused));
        assert_eq!(identity(&file), mine);
        assert!(!backup.exists());
    }
    let printed = init(&[setup.path("typo"), hot.clone()]);
    assert!(printed.stdout.is_empty(), "{}", said(&printed));
    let written = write(&[&hot]);
    assert_eq!(written.status.code(), Some(0), "{}", said(&written));
    assert!(
        said(&written).contains("hotcut.toml.bak"),
        "{}",
        said(&written)
    );
    assert_eq!(fs::read_to_string(&backup).unwrap(), "# mine\n");
    let proposal = String::from_utf8(init(std::slice::from_ref(&hot)).stdout).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), proposal);
    let again = identity(&file);
    assert!(write(&[&hot]).status.success());
    assert_eq!(identity(&file), again);
    assert_eq!(fs::read_to_string(&backup).unwrap(), "# mine\n");
}

/// P10: fails when the proposal without a folder is not a valid configuration, or when its service does not report what is missing.
#[test]
fn proposal_without_a_folder_waits_for_one() {
    let proposal = init(&[]);
    let text = String::from_utf8(proposal.stdout).unwrap();
    assert!(text.contains("\n# [[folder]]\n"), "{text}");
    let hot = HotFolder::start();
    let state = hot.setup().path("other").display().to_string();
    let text = text.replace(
        "# state_dir = \"/var/lib/hotcut\"",
        &format!("state_dir = \"{state}\""),
    );
    fs::write(hot.setup().config_file(), text).unwrap();
    let check = hot.command("check", [""; 0]);
    assert_eq!(check.status.code(), Some(0), "{}", said(&check));
    assert!(
        said(&check).contains("nothing is watched"),
        "{}",
        said(&check)
    );
}

/// Fails when `check` does not say who may connect and who is notified of photos, or when that reveals a secret.
#[test]
fn check_says_who_comes_in_and_who_is_told() {
    let setup = Setup::new().listens();
    let token_file = setup.path("token");
    fs::write(&token_file, "0123456789abcdef-secret\n").unwrap();
    let setup = setup.http("token_file", &token_file.display().to_string());
    let hot = HotFolder::start_with(setup.tables(
        "[notify]\nwebhook = \"https://me:secret@example.org/secret\"\ncommand = [\"/bin/true\", \"secret\"]\n",
    ));
    let check = hot.command("check", [""; 0]);
    let told = said(&check);
    assert_eq!(check.status.code(), Some(0), "{told}");
    for line in [
        "  http: http://127.0.0.1:0/ for whoever knows the token",
        "  notify: runs /bin/true",
        "  notify: posts to https://example.org",
    ] {
        assert!(told.lines().any(|one| one == line), "{line} in\n{told}");
    }
    assert!(!told.contains("secret"), "{told}");
}

/// P4: fails when `check` does not say that a folder's photos are deleted or moved.
#[test]
fn check_says_what_becomes_of_photos() {
    let hot = HotFolder::start_with(Setup::new().moves_sources().moves_failures());
    let told = said(&hot.command("check", [""; 0]));
    let done = hot.setup().path("done").display().to_string();
    assert!(
        told.contains(&format!("done are moved to {done}")),
        "{told}"
    );
    assert!(told.contains("cannot be cut out is moved to"), "{told}");
    let hot = HotFolder::start_with(Setup::new().folder("source", "delete").listens());
    let told = said(&hot.command("check", [""; 0]));
    assert!(told.contains("photos that are done are DELETED"), "{told}");
    assert!(
        told.contains("http: http://127.0.0.1:0/ for programs of this machine"),
        "{told}"
    );
}

fn init(folders: &[PathBuf]) -> Output {
    let paths = folders.iter().map(PathBuf::as_path);
    finish(hotcut().arg("init").args(paths.map(Path::as_os_str)))
}

/// What `command` says in its own namespaces, after the shell text `before` has run there as root.
fn said_with(before: &str, command: &[&OsStr]) -> String {
    let script = format!("{before}\nexec \"$@\"");
    let mut inside = Command::new("unshare");
    inside
        .args(["-Urm", "sh", "-ec", &script, "sh"])
        .args(command);
    said(&finish(&mut inside))
}
