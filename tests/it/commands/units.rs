//! Tests the output of `hotcut unit` as systemd parses it, and what systemd says about it beside its unit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::binary::{CHECKOUT, MODELS, finish, hotcut, namespaces_work, said, skip};
use crate::support::setup::Setup;
use tempfile::TempDir;

/// Fails when a folder that hotcut writes to is left out, so that the service may only read it, or when the service may start
/// before the folder's disk is mounted.
#[test]
fn each_folder_is_writable_and_waited_for() {
    let setup = Setup::new().moves_sources().moves_failures();
    let setup = setup.another_folder("faces");
    let mut wanted: Vec<PathBuf> = ["products", "faces"]
        .iter()
        .flat_map(|name| [setup.input_of(name), setup.output_of(name)])
        .chain(["done", "failed", "state"].map(|name| setup.path(name)))
        .collect();
    wanted.sort();
    let text = printed(&setup);
    let texts = wanted.iter().map(|path| path.display().to_string());
    assert_eq!(
        words(&text, "RequiresMountsFor="),
        texts.collect::<Vec<_>>()
    );
    for folder in &wanted {
        assert!(is_writable(&text, folder), "{folder:?}: {text}");
    }
    assert_eq!(complaints(&text), "");
}

/// P1: fails when a name with a special meaning to systemd makes it skip the folder, or take another one.
#[test]
fn a_name_means_nothing_else_to_systemd() {
    for name in [
        "a studio",
        "100%/%h and %%",
        "the \"good\" ones",
        "it's",
        "back\\slash \\x41",
        "ends in \\",
        "#1; ${HOME} $1",
        "Möbel",
    ] {
        let setup = Setup::new();
        let folder = setup.path(name);
        let setup = setup.folder("output", &folder.display().to_string());
        let text = printed(&setup);
        let word = folder.display().to_string();
        assert!(words(&text, "RequiresMountsFor=").contains(&word), "{text}");
        assert!(is_writable(&text, &folder), "{text}");
        assert_eq!(complaints(&text), "", "{name}");
    }
}

/// P1: fails when a folder below a disk's mount point is named: the service then keeps that disk, whatever is mounted there later.
#[test]
fn a_disk_is_writable_as_a_whole() {
    if !namespaces_work("a_disk_is_writable_as_a_whole") {
        return;
    }
    let setup = Setup::new();
    let (disk, output) = (setup.path("disk"), setup.path("disk/deep/out"));
    fs::create_dir(&disk).unwrap();
    let setup = setup.folder("output", &output.display().to_string());
    setup.write_config();
    let mut inside = Command::new("unshare");
    inside.args(["-Urm", "sh", "-ec"]);
    inside.args(["mount -t tmpfs disk \"$1\"; shift; exec \"$@\"", "sh"]);
    inside.arg(&disk).arg(hotcut().get_program());
    let run = finish(inside.args(["unit", "--config"]).arg(setup.config_file()));
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(is_writable(&text, &setup.path("disk/deep")), "{text}");
    let waited_for = words(&text, "RequiresMountsFor=");
    assert!(waited_for.contains(&output.display().to_string()), "{text}");
}

/// Fails when a partial drop-in is printed for a folder that cannot be named in one: systemd would read on in the next line.
#[test]
fn a_name_that_no_unit_can_hold_is_refused() {
    for name in ["a\n[Service]\nUser=root", "a\rb", "a\tb", "up/../over"] {
        let setup = Setup::new();
        let output = format!("{}/{name}", setup.path("out").display());
        let run = print(&setup.folder("output", &output));
        assert_eq!(run.status.code(), Some(78), "{name:?}: {run:?}");
        assert!(run.stdout.is_empty(), "{name:?}: {run:?}");
        assert!(said(&run).contains("cannot be named"), "{name:?}: {run:?}");
    }
}

/// Fails when the network is opened although nothing needs it, or less than the configuration needs.
#[test]
fn the_network_is_open_as_far_as_it_is_used() {
    let keys = ["PrivateNetwork=", "IPAddress", "RestrictAddressFamilies="];
    let token = Setup::new();
    let token_file = token.path("token").display().to_string();
    fs::write(&token_file, "0123456789abcdef").unwrap();
    let webhook = "[notify]\nwebhook = \"http://127.0.0.1:9/told\"\n";
    let command = "[notify]\ncommand = [\"/bin/true\"]\n";
    let open = "PrivateNetwork=no IPAddressDeny= RestrictAddressFamilies=AF_INET AF_INET6";
    for (setup, wanted) in [
        (Setup::new(), String::new()),
        (Setup::new().tables(command), String::new()),
        (
            Setup::new().listens(),
            open.replace("IPAddressDeny=", "IPAddressAllow=localhost"),
        ),
        (
            Setup::new()
                .listens()
                .http("listen", "0.0.0.0:8190")
                .http("token_file", &token_file),
            open.to_owned(),
        ),
        (Setup::new().tables(webhook), format!("{open} AF_NETLINK")),
        (
            Setup::new().listens().tables(webhook),
            format!("{open} AF_NETLINK"),
        ),
    ] {
        let text = printed(&setup);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| keys.iter().any(|key| line.starts_with(key)))
            .collect();
        assert_eq!(lines.join(" "), wanted);
        assert_eq!(complaints(&text), "");
    }
}

/// Fails when a folder in a home is hidden from the service, or homes are visible to a service that has no folder there.
#[test]
fn a_folder_that_the_unit_hides_is_shown() {
    for (output, wanted) in [
        ("/srv/out", ""),
        ("/homes/anna/out", ""),
        ("/home/anna/out", "ProtectHome=read-only"),
        ("/var/tmp/out", "PrivateTmp=no"),
    ] {
        let models = models_in("/dev/shm");
        let text = printed(&in_sight(models.path()).folder("output", output));
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("ProtectHome=") || line.starts_with("PrivateTmp="))
            .collect();
        assert_eq!(lines.join(" "), wanted, "{output}");
    }
}

/// A setup with no path in a place that the unit hides. The tree of a test has such paths, and so may the checkout.
fn in_sight(models: &Path) -> Setup {
    Setup::new()
        .daemon("state_dir", "/var/lib/hotcut")
        .daemon("models_dir", &models.display().to_string())
        .folder("input", "/srv/in")
        .folder("output", "/srv/out")
}

/// A copy of the test models.
fn models_in(place: &str) -> TempDir {
    let room = tempfile::Builder::new().prefix("hotcut").tempdir_in(place);
    let room = room.unwrap();
    for name in ["luma.toml", "luma.onnx"] {
        fs::copy(Path::new(MODELS).join(name), room.path().join(name)).unwrap();
    }
    room
}

/// Fails when something that the service only reads is hidden in a home: a model, the notification program, or a folder behind a
/// link.
#[test]
fn what_is_read_in_a_hidden_place_is_shown() {
    let (room, models) = (models_in("/var/tmp"), models_in("/dev/shm"));
    let plain = || in_sight(models.path());
    let shows = |setup: &Setup, setting: &str| printed(setup).lines().any(|line| line == setting);
    let command = "[notify]\ncommand = [\"/home/anna/told\"]\n";
    assert!(shows(&plain().tables(command), "ProtectHome=read-only"));
    assert!(!shows(&plain(), "PrivateTmp=no"));
    assert!(shows(&in_sight(room.path()), "PrivateTmp=no"));
    let secret = room.path().join("secret").display().to_string();
    fs::write(&secret, "0123456789abcdef").unwrap();
    let told = format!("[notify]\nwebhook = \"http://127.0.0.1:9/\"\nsecret_file = {secret:?}\n");
    assert!(shows(&plain().tables(&told), "PrivateTmp=no"));
    let entered = plain().listens().http("token_file", &secret);
    assert!(shows(&entered, "PrivateTmp=no"));
    let link = Path::new("/dev/shm").join(room.path().file_name().unwrap());
    std::os::unix::fs::symlink(room.path(), &link).unwrap();
    let output = link.join("not/there/yet").display().to_string();
    let setup = plain().folder("output", &output);
    let is_shown = shows(&setup, "PrivateTmp=no");
    let waited_for = words(&printed(&setup), "RequiresMountsFor=");
    fs::remove_file(&link).unwrap();
    assert!(is_shown);
    let real = room.path().join("not/there/yet").display().to_string();
    assert!(
        waited_for.contains(&output) && waited_for.contains(&real),
        "{waited_for:?}"
    );
}

/// P8: fails when systemd kills a service within its `drain_timeout`.
#[test]
fn a_long_drain_is_waited_for() {
    let stop = |setup: &Setup| words(&printed(setup), "TimeoutStopSec=").join(" ");
    assert_eq!(stop(&Setup::new()), "");
    assert_eq!(
        stop(&Setup::new().daemon("drain_timeout", "2m")),
        "135000ms"
    );
    let unit = fs::read_to_string(unit_file()).unwrap();
    assert!(
        unit.contains("TimeoutStopSec=45s"),
        "30 s and the same margin"
    );
}

/// Fails when the drop-in of a faulty configuration is printed.
#[test]
fn a_faulty_configuration_has_no_drop_in() {
    let run = print(&Setup::new().folder("settle", "soon"));
    assert_eq!(run.status.code(), Some(78), "{run:?}");
    assert!(run.stdout.is_empty(), "{run:?}");
}

fn print(setup: &Setup) -> Output {
    setup.write_config();
    finish(hotcut().args(["unit", "--config"]).arg(setup.config_file()))
}

#[track_caller]
fn printed(setup: &Setup) -> String {
    let run = print(setup);
    assert!(run.status.success(), "{run:?}");
    String::from_utf8(run.stdout).unwrap()
}

/// Whether the drop-in lets the service write to `path` at its real place.
fn is_writable(text: &str, path: &Path) -> bool {
    let words = words(text, "ReadWritePaths=");
    let mut places = words.iter().filter_map(|word| word.strip_prefix('-'));
    places.any(|place| path.starts_with(place))
}

/// The words of every line of `key`, with quotes and specifiers resolved as by systemd.
fn words(text: &str, key: &str) -> Vec<String> {
    let mut words = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix(key)) {
        let (mut word, mut quote, mut chars) = (String::new(), None, line.chars());
        while let Some(char) = chars.next() {
            match char {
                '\\' => word.extend(chars.next()),
                '%' => word.extend(chars.next().filter(|next| *next == '%')),
                '"' | '\'' if quote == Some(char) => quote = None,
                '"' | '\'' if quote.is_none() => quote = Some(char),
                ' ' if quote.is_none() => words.push(std::mem::take(&mut word)),
                _ => word.push(char),
            }
        }
        assert_eq!(quote, None, "{line}");
        words.push(word);
    }
    words
}

fn unit_file() -> PathBuf {
    PathBuf::from(CHECKOUT).join("systemd/hotcut.service")
}

/// The output of `systemd-analyze verify` on the unit with this drop-in; empty if it is not installed.
fn complaints(drop_in: &str) -> String {
    let room = tempfile::tempdir().unwrap();
    let unit = room.path().join("hotcut.service");
    let text = fs::read_to_string(unit_file()).unwrap();
    fs::write(&unit, text.replace("/usr/bin/hotcut", "/bin/true")).unwrap();
    let drop_ins = room.path().join("hotcut.service.d");
    fs::create_dir(&drop_ins).unwrap();
    fs::write(drop_ins.join("folders.conf"), drop_in).unwrap();
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "--recursive-errors=no"]);
    match verify.arg(&unit).output() {
        Ok(output) => {
            let said = said(&output);
            let ours = said.lines().filter(|line| line.contains("hotcut"));
            ours.collect::<Vec<_>>().join("\n")
        }
        Err(error) => {
            skip(
                "verify of a drop-in",
                &format!("`systemd-analyze`: {error}"),
            );
            String::new()
        }
    }
}
