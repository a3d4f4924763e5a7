//! Tests a mount whose server stops answering, under a daemon, a reload, a stop and commands: its own folder is offline, everything
//! else is unaffected. Uses a real FUSE mount, whose server is stopped.

use std::ffi::OsStr;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::binary::{MODELS, finish, hotcut, said, wait_for};
use crate::support::fuse::fuse_works;
use crate::support::hot_folder::HotFolder;
use crate::support::hung::{Hung, SILENT, SILENT_OUTPUT, mount, setup};
use crate::support::photos::{Quarter, assert_cutout, jpeg, padded};
use crate::support::processes;
use crate::support::setup::Setup;

/// How long the daemon waits for one disk.
const LIMIT: Duration = Duration::from_secs(5);

/// P7, P10: fails when a mount that hangs under a running daemon leaves its folder `polling`, when it delays another folder or a
/// command, or when it is not served once it answers.
#[test]
fn mount_that_hangs_under_a_running_daemon_is_told_of_until_it_answers() {
    if !fuse_works("mount_that_hangs_under_a_running_daemon_is_told_of_until_it_answers") {
        return;
    }
    let setup = setup();
    let mounts = vec![mount(&setup, "products/in")];
    let hot = HotFolder::start_with(setup);
    let mut hung = Hung { mounts, hot };
    hung.assert_served_again("a");
    for round in 1..=2 {
        hung.hang();
        hung.hot.wait_state(SILENT);
        hung.assert_others_are_served(&round.to_string());
        let status = hung.hot.command("status", ["--check"]);
        assert_eq!(status.status.code(), Some(1), "{status:?}");
        assert!(said(&status).contains(SILENT), "{status:?}");
        let why = hung.hot.command("why", [hung.hot.input("a.jpg")]);
        assert!(said(&why).contains("its disk does not answer"), "{why:?}");
        hung.go_on();
        hung.assert_served_again(&format!("b{round}"));
        assert_eq!(hung.hot.log_lines(SILENT), round, "{}", hung.hot.log());
    }
    hung.hot.assert_log_is_short();
    hung.hang();
    hung.hot.wait_state(SILENT);
    hung.assert_stops();
}

/// P7, P9: fails when a reload waits for a hanging mount, keeps a folder on another disk from being served meanwhile, or drops the
/// folder on the mount.
#[test]
fn mount_that_hangs_holds_up_no_reload() {
    if !fuse_works("mount_that_hangs_holds_up_no_reload") {
        return;
    }
    let setup = setup();
    let mounts = vec![mount(&setup, "products/in"), mount(&setup, "products/out")];
    let hot = HotFolder::start_with(setup);
    let mut hung = Hung { mounts, hot };
    hung.assert_served_again("a");
    hung.hang();
    // The folder on the mount is changed too, so it starts over.
    hung.hot.change_setup(|setup| {
        let setup = setup.another_folder("late");
        setup
            .daemon("rescan", "2s")
            .folder_of("products", "settle", "300ms")
    });
    hung.hot.signal(Signal::HUP);
    hung.hot.wait_log("reloaded");
    hung.assert_others_are_served("b");
    let late = hung.hot.setup().output_of("late").join("c.png");
    let photo = hung.hot.setup().input_of("late").join("c.jpg");
    fs::write(photo, jpeg(Quarter::TopLeft)).unwrap();
    wait_for("the folder that is new", || late.exists());
    // The output folder is prepared first.
    hung.hot.wait_state(SILENT_OUTPUT);
    hung.go_on();
    hung.assert_served_again("d");
}

/// P7: a photo has killed the only worker, and the `failed` folder for it hangs. Fails when no other worker is started before that
/// folder answers.
#[test]
fn failed_folder_that_hangs_holds_up_no_other_folder() {
    if !fuse_works("failed_folder_that_hangs_holds_up_no_other_folder") {
        return;
    }
    let setup = setup()
        .daemon("workers", "1")
        .daemon("max_attempts", "1")
        .daemon("timeout", "2s");
    let failed = setup.path("nas/failed");
    fs::create_dir_all(&failed).unwrap();
    let mounts = vec![mount(&setup, "nas/failed")];
    let setup = setup.folder_of("products", "failed", &failed.display().to_string());
    let hot = HotFolder::start_with(setup);
    let hung = Hung { mounts, hot };
    hung.hang();
    hung.hot
        .drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    hung.hot.wait_state("paused");
    hung.assert_others_are_served("b");
    hung.go_on();
    wait_for("the photo is set aside", || failed.join("a.jpg").exists());
    hung.hot.wait_state("online");
}

/// Fails when `check` waits for ever, does not name the folder of the silent disk, or waits for silent disks one after the other.
#[test]
fn check_tells_of_every_mount_that_hangs_at_once() {
    if !fuse_works("check_tells_of_every_mount_that_hangs_at_once") {
        return;
    }
    let names = ["products", "portraits", "jewels", "shoes"];
    let setup = names
        .iter()
        .skip(1)
        .fold(Setup::new(), |setup, name| setup.another_folder(name));
    let mounts = names.map(|name| mount(&setup, &format!("{name}/in")));
    for mount in &mounts {
        mount.hang();
    }
    setup.write_config();
    let begun = Instant::now();
    let config = setup.config_file();
    let mut command = hotcut();
    let run = finish(command.args([
        OsStr::new("check"),
        OsStr::new("--config"),
        config.as_os_str(),
    ]));
    assert!(begun.elapsed() < LIMIT * 3, "{:?}", begun.elapsed());
    assert_eq!(run.status.code(), Some(78), "{run:?}");
    for name in names {
        let fault = format!(
            "{}: its disk does not answer",
            setup.input_of(name).display()
        );
        assert!(said(&run).contains(&fault), "{run:?}");
    }
    drop(mounts);
}

/// P8: a photo on a hanging mount is in work. Fails when it, or its files, keep the daemon from stopping.
#[test]
fn daemon_stops_while_a_mount_hangs() {
    if !fuse_works("daemon_stops_while_a_mount_hangs") {
        return;
    }
    let setup = setup().daemon("workers", "1");
    let mounts = vec![mount(&setup, "products/in"), mount(&setup, "products/out")];
    let hot = HotFolder::start_with(setup);
    let mut hung = Hung { mounts, hot };
    hung.hot
        .drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    hung.hang();
    hung.hot.wait_state("offline");
    hung.assert_stops();
    hung.hot.restart();
    let output = hung.hot.wait_output("a.png");
    assert_cutout(&output, Quarter::TopLeft);
}

/// P5: the mount hangs while a photo is read from it. Fails when that counts against the photo, which has a single attempt.
#[test]
fn photo_whose_mount_hangs_while_it_is_read_costs_no_attempt() {
    if !fuse_works("photo_whose_mount_hangs_while_it_is_read_costs_no_attempt") {
        return;
    }
    let setup = setup().daemon("workers", "1").daemon("timeout", "10s");
    let mounts = vec![mount(&setup, "products/in")];
    let hot = HotFolder::start_with(setup);
    let hung = Hung { mounts, hot };
    let worker = hung.hot.stop_worker();
    // Much more than the pipe and the cache hold, and written past the mount, which would cache it.
    let photo = hung.hot.setup().path("products-in/a.jpg");
    fs::write(photo, padded(&jpeg(Quarter::TopLeft))).unwrap();
    wait_for("its output", || !hung.hot.temporaries().is_empty());
    hung.hang();
    processes::signal(worker, Signal::CONT);
    hung.hot.wait_state(SILENT);
    hung.hot
        .wait_status("the end of the attempt", |status| status.running == 0);
    assert!(hung.hot.status().quarantined.is_empty());
    hung.go_on();
    assert_cutout(&hung.hot.wait_output("a.png"), Quarter::TopLeft);
    hung.hot.wait_status("done", |status| status.done == 1);
    assert!(hung.hot.status().quarantined.is_empty());
}

/// P7: fails when Ctrl-C is ignored while `cut` lists its inputs, here a folder with a hanging mount in it.
#[test]
fn cut_stops_while_it_lists_a_mount_that_hangs() {
    if !fuse_works("cut_stops_while_it_lists_a_mount_that_hangs") {
        return;
    }
    let setup = setup();
    fs::create_dir_all(setup.path("in/nas")).unwrap();
    let mount = mount(&setup, "in/nas");
    mount.hang();
    let input = setup.path("in").canonicalize().unwrap();
    let mut command = hotcut();
    command.args(["cut", "--model", "luma", "--models-dir", MODELS]);
    command.arg(&input).arg("-o").arg(setup.path("out"));
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let input = input.display().to_string();
    wait_for("it lists the folder", || {
        processes::open_files(child.id()).contains(&input)
    });
    processes::signal(child.id(), Signal::INT);
    wait_for("it ends", || child.try_wait().unwrap().is_some());
    let run = child.wait_with_output().unwrap();
    assert_eq!(run.status.code(), Some(130), "{run:?}");
    drop(mount);
}
