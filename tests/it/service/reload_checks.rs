//! Tests the check that the unit makes before a reload: configuration faults refuse the reload, absent folders do not.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::support::binary::{CHECKOUT, finish, hotcut, namespaces_work, said, wait_for};
use crate::support::fuse::fuse_works;
use crate::support::hot_folder::HotFolder;
use crate::support::hung::mount;
use crate::support::namespace::Namespace;
use crate::support::photos::{Quarter, jpeg};
use crate::support::setup::Setup;
use crate::support::strace::strace_works;

/// The arguments of the command that systemd runs before a reload, without the program.
fn reload_check() -> Vec<String> {
    let mut commands = ["hotcut.service", "notify-reload.conf"].map(|name| {
        let unit = fs::read_to_string(Path::new(CHECKOUT).join("systemd").join(name)).unwrap();
        let mut lines = unit.lines();
        let command = lines.find_map(|line| line.strip_prefix("ExecReload=/usr/bin/hotcut "));
        let words = command.expect("the unit checks").split(' ');
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(commands[0], commands[1], "both units check alike");
    std::mem::take(&mut commands[0])
}

/// Runs the check of a reload, started by `wrapper`.
fn check_under(wrapper: &[&str], setup: &Setup) -> Output {
    let program = hotcut();
    let mut words: Vec<&OsStr> = wrapper.iter().map(OsStr::new).collect();
    words.push(program.get_program());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(reload_check());
    finish(command.arg("--config").arg(setup.config_file()))
}

fn check(setup: &Setup) -> Output {
    check_under(&[], setup)
}

/// P9: fails when an absent folder refuses a reload of the others, when it is not reported, or when the full check is as lenient.
#[test]
fn folder_that_is_absent_refuses_no_reload() {
    let setup = Setup::new().moves_sources().another_folder("portraits");
    let (input, output) = (setup.input_of("products"), setup.output_of("portraits"));
    for path in [&input, &output, &setup.path("done")] {
        fs::remove_dir(path).unwrap();
    }
    setup.write_config();
    let run = check(&setup);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(said(&run).contains(&input.display().to_string()), "{run:?}");
    let made = output.display().to_string();
    assert!(!said(&run).contains(&made), "hotcut makes it: {run:?}");
    let config = setup.config_file();
    let run = finish(hotcut().args(["check", "--config"]).arg(config));
    assert_eq!(run.status.code(), Some(78), "{run:?}");
}

/// P9: fails when a disk that does not answer refuses a reload, or delays it for long.
#[test]
fn disk_that_does_not_answer_refuses_no_reload() {
    if !fuse_works("disk_that_does_not_answer_refuses_no_reload") {
        return;
    }
    let setup = Setup::new().another_folder("portraits");
    let mounts = [mount(&setup, "products/in"), mount(&setup, "portraits/out")];
    for mount in &mounts {
        mount.hang();
    }
    setup.write_config();
    let begun = Instant::now();
    let run = check(&setup);
    assert!(begun.elapsed() < Duration::from_secs(15), "{begun:?}");
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    for path in [setup.input_of("products"), setup.output_of("portraits")] {
        let told = format!("{}: its disk does not answer", path.display());
        assert!(said(&run).contains(&told), "{run:?}");
    }
}

/// P9: fails when a reload that first needs a person is accepted, because the check covers less.
#[test]
fn faults_of_a_configuration_refuse_a_reload() {
    let setup = Setup::new;
    let inside = |setup: &Setup| setup.input_of("products").join("out").display().to_string();
    let nested = setup();
    let nested = nested.clone().folder("output", &inside(&nested));
    let file = setup();
    fs::write(file.path("file"), b"no folder").unwrap();
    let file = file
        .clone()
        .folder("input", &file.path("file").display().to_string());
    let links = setup();
    symlink(links.path("loop"), links.path("loop")).unwrap();
    let links = links
        .clone()
        .folder("input", &links.path("loop").display().to_string());
    for (setup, fault) in [
        (links, "symbolic links"),
        (setup().folder("setle", "2s"), "setle"),
        (setup().folder("model", "nosuch"), "nosuch"),
        (
            setup().listens().http("token_file", "/nowhere/token"),
            "/nowhere/token",
        ),
        (nested, "keep them apart"),
        (file, "Not a directory"),
    ] {
        setup.write_config();
        let run = check(&setup);
        assert_eq!(run.status.code(), Some(78), "{run:?}");
        assert!(said(&run).contains(fault), "{fault}: {run:?}");
    }
    let sound = setup();
    sound.write_config();
    let run = check_under(
        &["env", "ORT_DYLIB_PATH=/nowhere/libonnxruntime.so"],
        &sound,
    );
    assert_eq!(run.status.code(), Some(78), "{run:?}");
    assert!(said(&run).contains("/nowhere/libonnxruntime.so"), "{run:?}");
}

/// P9: the unit may not allow writes to the mount point of an absent disk. Fails when that refuses a reload, or when a folder that
/// the unit does not let hotcut write to does not.
#[test]
fn bare_place_of_a_disk_is_told_from_a_folder_that_the_unit_closes() {
    let test = "bare_place_of_a_disk_is_told_from_a_folder_that_the_unit_closes";
    if !namespaces_work(test) {
        return;
    }
    let prelude = "mount --bind products/out products/out\n\
         mount -o remount,bind,ro products/out\nmount -t tmpfs tmpfs products/out";
    let setup = Setup::new().in_namespace(prelude);
    let hot = HotFolder::start_with(setup.another_folder("portraits"));
    let namespace = Namespace::of(&hot);
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    let placed = namespace.inside(&hot.output("a.png"));
    wait_for("the output in the mount", || placed.exists());
    hot.wait_status("done", |status| status.done == 1);
    let check = || {
        let way = namespace.way();
        let mut wrapper: Vec<&str> = way.iter().map(String::as_str).collect();
        wrapper.extend(["env", "INVOCATION_ID=1"]);
        check_under(&wrapper, hot.setup())
    };
    namespace.unmount(&hot.output(""));
    let run = check();
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(said(&run).contains("is not mounted"), "{run:?}");

    let closed = hot.setup().output_of("portraits").display().to_string();
    namespace.run("mount", &["--bind", &closed, &closed]);
    namespace.run("mount", &["-o", "remount,bind,ro", &closed]);
    let run = check();
    assert_eq!(run.status.code(), Some(78), "{run:?}");
    for words in [&closed, "the unit may forbid to write there", "hotcut unit"] {
        assert!(said(&run).contains(words), "{words}: {run:?}");
    }
    // The same holds for a folder that must be made there: no known disk could come back.
    let absent = format!("{closed}/new");
    let setup = hot
        .setup()
        .clone()
        .folder_of("portraits", "output", &absent);
    setup.write_config();
    let run = check();
    assert_eq!(run.status.code(), Some(78), "{run:?}");
}

/// Fails when a reload waits until every photo of every folder is listed.
#[test]
fn reload_lists_no_folder() {
    if !strace_works("reload_lists_no_folder") {
        return;
    }
    let setup = Setup::new();
    setup.write_config();
    let log = setup.path("calls");
    let named = log.display().to_string();
    let wrapper = ["strace", "-f", "-y", "-e", "trace=getdents64", "-o", &named];
    let input = setup.input_of("products").display().to_string();
    let is_listed = || fs::read_to_string(&log).unwrap().contains(&input);
    let run = check_under(&wrapper, &setup);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(!is_listed());
    let program = hotcut();
    let mut plain = Command::new(wrapper[0]);
    plain.args(&wrapper[1..]).arg(program.get_program());
    let config = setup.config_file();
    finish(plain.args(["check", "--config"]).arg(config));
    assert!(is_listed(), "or the calls cannot be seen");
}
