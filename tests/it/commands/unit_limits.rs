//! Tests what `hotcut check` and `hotcut status` say about a configuration that the systemd unit does not allow. A script that
//! prints what systemd 252 shows of the unit replaces `systemctl`; `make test-system` uses the real one.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use crate::support::binary::{finish, hotcut, said};
use crate::support::setup::Setup;

/// The unit as shipped, except for the folders that it lets the service write to.
fn shown(setup: &Setup, writable: &str) -> String {
    let config = setup.config_file().display().to_string();
    format!(
        "ExecStart={{ path=/usr/bin/hotcut ; argv[]=/usr/bin/hotcut run --config {config} ; ignore_errors=no }}\n\
         IPAddressAllow=\nIPAddressDeny=::/0 0.0.0.0/0\nReadWritePaths={writable}\nPrivateTmp=no\nPrivateNetwork=yes\n\
         ProtectHome=no\nProtectSystem=strict\nRestrictAddressFamilies=AF_UNIX\nStateDirectory=hotcut\nLoadState=loaded\n"
    )
}

/// Runs a command with a `systemctl` that shows this.
fn beside(setup: &Setup, shown: &str, command: &str) -> Output {
    setup.write_config();
    let bin = setup.path("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("shown"), shown).unwrap();
    let systemctl = bin.join("systemctl");
    fs::write(
        &systemctl,
        "#!/bin/sh\n[ \"$1\" = show ] && cat \"${0%/*}/shown\"\n",
    )
    .unwrap();
    fs::set_permissions(&systemctl, Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut hotcut = hotcut();
    hotcut.env("PATH", path).args([command, "--config"]);
    finish(hotcut.arg(setup.config_file()))
}

/// P10: fails when a folder that the service may not write to counts as valid, when the command that fixes it is missing, or when
/// it is reported for a unit that serves another configuration.
#[test]
fn folder_outside_the_units_is_told() {
    let setup = Setup::new();
    let (input, output) = (setup.input_of("products"), setup.output_of("products"));
    let state = setup.path("state").display().to_string();
    let writable = format!("-/srv/hot -{} -{state}", input.display());
    let closed = shown(&setup, &writable);
    let run = beside(&setup, &closed, "check");
    let told = said(&run);
    assert_eq!(run.status.code(), Some(78), "{told}");
    let forbidden = format!("write to {}", output.display());
    assert!(told.contains(&forbidden), "{told}");
    assert!(
        !told.contains(&format!("write to {}", input.display())),
        "{told}"
    );
    assert!(told.contains("hotcut unit --config"), "{told}");
    assert!(
        told.contains("systemctl daemon-reload && systemctl restart hotcut"),
        "{told}"
    );
    let run = beside(&setup, &closed, "status");
    assert!(run.status.success());
    assert!(said(&run).contains(&forbidden), "{}", said(&run));

    let open = shown(&setup, &format!("{writable} \"-{}\"", output.display()));
    for sound in [
        open,
        closed.replace("LoadState=loaded", "LoadState=not-found"),
        closed.replace("hotcut.toml", "other.toml"),
        String::new(),
    ] {
        let run = beside(&setup, &sound, "check");
        assert_eq!(run.status.code(), Some(0), "{sound}{}", said(&run));
    }
}

/// P10: fails when a server or a webhook that the unit blocks from the network counts as valid.
#[test]
fn network_that_the_unit_closes_is_told() {
    let webhook = "[notify]\nwebhook = \"https://example.org/told\"\n";
    for setup in [Setup::new().listens(), Setup::new().tables(webhook)] {
        let closed = shown(&setup, "/");
        let run = beside(&setup, &closed, "check");
        assert_eq!(run.status.code(), Some(78), "{}", said(&run));
        assert!(
            said(&run).contains("use the network (PrivateNetwork=)"),
            "{}",
            said(&run)
        );
        let open = closed
            .replace("PrivateNetwork=yes", "PrivateNetwork=no")
            .replace("IPAddressDeny=::/0 0.0.0.0/0", "IPAddressDeny=")
            .replace("AF_UNIX", "AF_INET AF_INET6 AF_NETLINK AF_UNIX");
        let run = beside(&setup, &open, "check");
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
    }
    let plain = Setup::new();
    let run = beside(&plain, &shown(&plain, "/"), "check");
    assert_eq!(run.status.code(), Some(0), "{}", said(&run));
}

/// Fails when a folder is made or a configuration is looked for where no service needs a setup.
#[test]
fn setup_without_a_service_touches_nothing() {
    let setup = Setup::new();
    let is_root = rustix::process::geteuid().is_root();
    if is_root && fs::exists("/run/systemd/system").unwrap() {
        crate::support::binary::skip(
            "setup_without_a_service_touches_nothing",
            "systemd runs here",
        );
        return;
    }
    let hot = setup.path("new");
    let run = finish(hotcut().args(["setup", "--yes"]).arg(&hot));
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    let reason = if is_root {
        "systemd does not run here"
    } else {
        "only root"
    };
    assert!(said(&run).contains(reason), "{}", said(&run));
    assert!(!hot.exists());
}
