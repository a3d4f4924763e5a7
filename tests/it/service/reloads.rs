//! Tests SIGHUP: the new configuration as a whole, or the old one.

use std::fs;

use rustix::process::Signal;

use crate::support::binary::{said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, assert_cutout, jpeg};
use crate::support::processes;
use crate::support::setup::Setup;

/// P9: fails when a typing mistake stops the daemon, is not named, or is applied in part.
#[test]
fn sighup_with_a_broken_file_names_the_fault_and_goes_on() {
    let mut hot = HotFolder::start();
    let sound = hot.setup().config_text();
    let broken = format!("{sound}\n[[folder]]\nnmae = \"portraits\"\n");
    let line = broken.lines().count();
    fs::write(hot.setup().config_file(), broken).unwrap();
    hot.signal(Signal::HUP);
    hot.wait_log(&format!("hotcut.toml:{line}:1: unknown key `nmae`"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert!(!hot.has_exited());
    fs::write(hot.setup().config_file(), sound).unwrap();
    hot.wait_status("done", |status| status.done == 1);
}

/// P9: fails when a file that does not parse at all ends the daemon.
#[test]
fn sighup_with_a_file_that_is_no_toml_goes_on() {
    let mut hot = HotFolder::start();
    fs::write(hot.setup().config_file(), "[daemon\nworkers = ").unwrap();
    hot.signal(Signal::HUP);
    hot.wait_log("hotcut.toml");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert!(!hot.has_exited());
}

/// P9: fails when a new folder needs a restart, when it interrupts the old one, or when its earlier files are not found.
#[test]
fn sighup_with_a_new_folder_serves_it() {
    let mut hot = HotFolder::start();
    hot.change_setup(|setup| setup.another_folder("portraits"));
    let (input, output) = (
        hot.setup().input_of("portraits"),
        hot.setup().output_of("portraits"),
    );
    fs::write(input.join("early.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    hot.signal(Signal::HUP);
    wait_for("the early one", || output.join("early.png").exists());
    fs::write(input.join("late.jpg"), jpeg(Quarter::TopRight)).unwrap();
    wait_for("the late one", || output.join("late.png").exists());
    assert_cutout(&output.join("late.png"), Quarter::TopRight);
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::BottomLeft);
    assert_eq!(hot.status_of("portraits").state, "online");
}

/// P10: fails when a daemon without a configured folder ends, does not say what it waits for, or needs a restart to serve the first
/// one.
#[test]
fn a_daemon_without_a_folder_waits_for_the_first_and_says_so() {
    let mut hot = HotFolder::start_with(Setup::new().without_last_folder());
    let check = hot.command("check", [] as [&str; 0]);
    assert_eq!(check.status.code(), Some(0), "{check:?}");
    let status = hot.command("status", ["--check"]);
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    for told in [hot.log(), said(&check), said(&status)] {
        assert!(told.contains("no folder is configured yet"), "{told}");
    }
    hot.change_setup(|setup| setup.another_folder("products"));
    hot.signal(Signal::HUP);
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
}
/// P9: fails when a removed folder is still served. The marker settles later.
#[test]
fn sighup_without_a_folder_leaves_it_alone() {
    let mut hot = HotFolder::start_with(Setup::new().another_folder("portraits"));
    let (input, output) = (
        hot.setup().input_of("portraits"),
        hot.setup().output_of("portraits"),
    );
    fs::write(input.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    wait_for("it is served", || output.join("a.png").exists());
    hot.change_setup(Setup::without_last_folder);
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    fs::write(input.join("b.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    for marker in ["first", "second"] {
        hot.drop_file(format!("{marker}.jpg"), &jpeg(Quarter::TopRight));
        hot.wait_output(format!("{marker}.png"));
    }
    assert!(!output.join("b.png").exists(), "the folder was taken out");
}

/// P9: a job sees one configuration. Fails when a running job is aborted, or delivers to the folder of the new one.
#[test]
fn job_in_flight_ends_under_the_configuration_it_began_with() {
    let mut hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    let worker = hot.drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    let elsewhere = hot.setup().path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    hot.change_setup(|setup| setup.folder("output", &elsewhere.display().to_string()));
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    processes::signal(worker, Signal::CONT);
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    hot.drop_file("b.jpg", &jpeg(Quarter::TopRight));
    wait_for("the new output folder", || elsewhere.join("b.png").exists());
    assert!(!hot.output("b.png").exists());
}

/// P9: the configuration is valid, but the daemon cannot make something that one of its folders needs. Fails when that ends the
/// daemon, removes the old folders or applies the new configuration in part.
#[test]
fn sighup_with_a_folder_that_cannot_be_opened_keeps_the_old_ones() {
    let mut hot = HotFolder::start();
    let in_the_way = hot.setup().path("state/canary/portraits");
    fs::write(&in_the_way, b"in the way").unwrap();
    let elsewhere = hot.setup().path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    hot.change_setup(|setup| {
        setup
            .folder("output", &elsewhere.display().to_string())
            .another_folder("portraits")
    });
    hot.signal(Signal::HUP);
    hot.wait_log("the old one stays active");
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    assert!(!hot.has_exited());
    fs::remove_file(&in_the_way).unwrap();
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    hot.drop_file("b.jpg", &jpeg(Quarter::TopRight));
    wait_for("the new output folder", || elsewhere.join("b.png").exists());
}

/// P9: settings of the daemon change too. Fails when they need a restart.
#[test]
fn sighup_changes_the_number_of_workers() {
    let mut hot = HotFolder::start_with(Setup::new().daemon("workers", "1"));
    for count in [3, 1] {
        hot.change_setup(|setup| setup.daemon("workers", &count.to_string()));
        hot.signal(Signal::HUP);
        wait_for(&format!("{count} workers"), || hot.workers().len() == count);
    }
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
}

/// P9: reloads come one after another while photos are served. Fails when a photo is lost or done twice.
#[test]
fn many_sighups_lose_nothing() {
    let hot = HotFolder::start();
    hot.drop_file("bad.jpg", HTML);
    for index in 0..20 {
        hot.drop_file(format!("{index}.jpg"), &jpeg(Quarter::TopLeft));
        hot.signal(Signal::HUP);
    }
    hot.wait_status("all done", |status| status.done == 20);
    assert_eq!(hot.outputs().len(), 20);
    hot.wait_quarantined("bad.jpg");
}
