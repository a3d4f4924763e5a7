//! Tests why a daemon refuses to start: faults of the configuration and of the machine, each with a message.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::binary::{CHECKOUT, finish, hotcut, said};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::setup::Setup;

/// P2: fails when two daemons share a ledger, or when the refusal does not name the folder.
#[test]
fn second_daemon_on_one_state_folder_is_refused() {
    let hot = HotFolder::start();
    let run = hot.command("run", [] as [&str; 0]);
    assert_eq!(run.status.code(), Some(78), "{run:?}");
    let state = hot.setup().path("state").display().to_string();
    assert!(said(&run).contains(&state), "{run:?}");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
}

/// Fails when a mistake is found only after an earlier one is fixed, or by `check` but not by `run`.
#[test]
fn every_fault_of_a_configuration_is_named_at_once() {
    let setup = Setup::new().daemon("workers", "0").another_folder("nested");
    let nested = setup.input_of("nested").join("out");
    fs::create_dir(&nested).unwrap();
    let nested = nested.display().to_string();
    let setup = setup
        .folder("output", &nested)
        .folder("setle", "2s")
        .another_folder("portraits")
        .folder("model", "nosuch")
        .folder("source", "move");
    setup.write_config();
    for command in ["run", "check"] {
        let run = finish(
            hotcut()
                .args([command, "--config"])
                .arg(setup.config_file()),
        );
        assert_eq!(run.status.code(), Some(78), "{run:?}");
        for fault in ["workers", nested.as_str(), "setle", "nosuch", "done"] {
            assert!(said(&run).contains(fault), "{fault:?} in\n{}", said(&run));
        }
        let text = setup.config_text();
        for line in ["workers = 0", "setle = ", "model = \"nosuch\""] {
            let number = text.lines().position(|it| it.starts_with(line)).unwrap() + 1;
            let place = format!("{}:{number}:", setup.config_file().display());
            assert!(said(&run).contains(&place), "{place} in\n{}", said(&run));
        }
    }
}

/// Fails when `a -> b -> a` is accepted: each output would be the other's input, for ever.
#[test]
fn folders_in_a_cycle_are_refused() {
    let setup = Setup::new().another_folder("portraits");
    let (input, output) = (setup.input_of("products"), setup.output_of("products"));
    let setup = setup
        .folder("input", &output.display().to_string())
        .folder("output", &input.display().to_string());
    setup.write_config();
    let run = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(setup.config_file()),
    );
    assert_eq!(run.status.code(), Some(78), "{run:?}");
}

/// Fails when a valid configuration is refused, or when the error does not name a missing one.
#[test]
fn check_accepts_a_sound_file_and_names_a_missing_one() {
    let setup = Setup::new();
    setup.write_config();
    let run = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(setup.config_file()),
    );
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let run = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(setup.path("none.toml")),
    );
    assert_eq!(run.status.code(), Some(78), "{run:?}");
    assert!(said(&run).contains("none.toml"), "{run:?}");
}

/// P10: fails when there is no warning before photos have to wait for disk space, or when that counts as a fault of the file.
#[test]
fn check_tells_of_disks_that_are_too_full() {
    let setup = Setup::new().daemon("min_free", "900 TiB");
    setup.write_config();
    let run = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(setup.config_file()),
    );
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    for folder in [setup.path("state"), setup.output_of("products")] {
        let full = format!("are free in {}, `min_free` is 900.0 TiB", folder.display());
        assert!(said(&run).contains(&full), "{}", said(&run));
    }
}

/// Fails when there is no warning, at a check or in the log, about a secret that every user may read; when there is one about a
/// secret of the service only; or when that counts as a fault.
#[test]
fn secret_that_every_user_may_read_is_told_of() {
    let setup = Setup::new().listens();
    let [token, secret] = ["token", "secret"].map(|name| setup.path(name));
    for file in [&token, &secret] {
        fs::write(file, "a secret of many characters").unwrap();
    }
    let mode = |file: &Path, mode| fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
    mode(&token, 0o644);
    mode(&secret, 0o640);
    let notify = format!("[notify]\nwebhook = \"http://127.0.0.1:9/\"\nsecret_file = {secret:?}");
    let setup = setup.http("token_file", &token.display().to_string());
    let hot = HotFolder::start_with(setup.tables(&notify));
    let check = || hot.command("check", [] as [&str; 0]);
    let (token, secret) = (token.display().to_string(), secret.display().to_string());
    let warning = format!("may read {token}");
    assert_eq!(hot.log_lines(&warning), 1, "{}", hot.log());
    assert_eq!(check().status.code(), Some(0), "{:?}", check());
    assert!(said(&check()).contains(&warning), "{}", said(&check()));
    assert!(!said(&check()).contains(&format!("may read {secret}")));
    mode(Path::new(&token), 0o600);
    mode(Path::new(&secret), 0o604);
    assert!(!said(&check()).contains(&warning));
    assert!(said(&check()).contains(&format!("may read {secret}")));
}

/// Fails when the shipped example has a key or value that hotcut does not know.
#[test]
fn shipped_example_is_accepted_once_its_folders_exist() {
    let setup = Setup::new();
    let text = fs::read_to_string(Path::new(CHECKOUT).join("config/hotcut.toml")).unwrap();
    let root = setup.path("").display().to_string();
    let mut here = String::new();
    for line in text.lines() {
        let moved = line.replace("\"/srv/", &format!("\"{root}srv/"));
        here += &moved.replace("\"/var/lib/hotcut", &format!("\"{root}var/lib/hotcut"));
        here.push('\n');
    }
    for path in here.split('"').filter(|value| value.starts_with(&root)) {
        fs::create_dir_all(path).unwrap();
    }
    fs::write(setup.config_file(), here).unwrap();
    let run = finish(
        hotcut()
            .args(["check", "--config"])
            .arg(setup.config_file()),
    );
    assert_eq!(run.status.code(), Some(0), "{run:?}");
}

/// P10: fails when a missing ONNX Runtime is a stack trace, a hang or a restart loop.
#[test]
fn missing_runtime_library_is_told_in_a_sentence() {
    let setup = Setup::new();
    setup.write_config();
    let nowhere = setup.path("nowhere/libonnxruntime.so");
    let run = finish(
        hotcut()
            .env("ORT_DYLIB_PATH", &nowhere)
            .args(["run", "--config"])
            .arg(setup.config_file()),
    );
    assert!(matches!(run.status.code(), Some(70 | 78)), "{run:?}");
    assert!(
        said(&run).contains(&nowhere.display().to_string()),
        "{run:?}"
    );
    assert!(!said(&run).contains("panicked"), "{run:?}");
}
