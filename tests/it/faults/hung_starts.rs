//! Tests a mount whose server does not answer when the daemon starts: its own folder is offline, everything else is served at once.
//! Uses a real FUSE mount, whose server is stopped.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::support::binary::wait_for;
use crate::support::fuse::fuse_works;
use crate::support::hot_folder::HotFolder;
use crate::support::hung::{Hung, SILENT, SILENT_OUTPUT, mount, setup};
use crate::support::photos::{Quarter, assert_cutout, jpeg, shows};
use crate::support::requests::metric;

/// P7, P10: fails when a mount that hangs at the start delays a folder on another disk, or is not reported; when a command waits
/// for it; or when it is not served once it answers.
#[test]
fn mount_that_hangs_at_the_start_holds_up_its_own_folder_only() {
    if !fuse_works("mount_that_hangs_at_the_start_holds_up_its_own_folder_only") {
        return;
    }
    let setup = setup().listens();
    let mounts = vec![mount(&setup, "products/in")];
    for mount in &mounts {
        mount.hang();
    }
    let hot = HotFolder::launch(setup);
    let hung = Hung { mounts, hot };
    hung.assert_others_are_served("a");
    hung.hot.wait_log(SILENT);
    hung.assert_others_were_first();
    assert_eq!(hung.hot.status().state, SILENT);
    let name = "hotcut_folder_state{folder=\"products\",state=\"offline\"}";
    wait_for("the metric", || metric(&hung.hot, name) == 1);
    hung.hot.wait_log("\"ready\"");
    hung.go_on();
    hung.assert_served_again("b");
    assert_eq!(hung.hot.log_lines(SILENT), 1, "{}", hung.hot.log());
    assert_eq!(hung.hot.log_lines("polling: "), 1, "{}", hung.hot.log());
    hung.hot.assert_log_is_short();
}

/// P7, P10: as above, for the output folder at the very first start, when its cutouts are looked for.
#[test]
fn output_folder_that_hangs_at_the_start_holds_up_its_own_folder_only() {
    if !fuse_works("output_folder_that_hangs_at_the_start_holds_up_its_own_folder_only") {
        return;
    }
    let setup = setup();
    let mounts = vec![mount(&setup, "products/out")];
    for mount in &mounts {
        mount.hang();
    }
    let hot = HotFolder::launch(setup);
    let hung = Hung { mounts, hot };
    hung.assert_others_are_served("a");
    hung.hot.wait_state(SILENT_OUTPUT);
    hung.assert_others_were_first();
    hung.go_on();
    hung.hot.wait_state("online");
    hung.hot.drop_file("b.jpg", &jpeg(Quarter::TopRight));
    assert_cutout(&hung.hot.wait_output("b.png"), Quarter::TopRight);
    hung.hot.assert_log_is_short();
}

/// P7, P8, P10: the daemon was killed while it wrote to the mount, so the next start must clear up there. Fails when the start
/// waits for that, or when it is not done once the mount answers.
#[test]
fn mount_that_hangs_at_a_start_after_a_crash_is_cleared_later() {
    if !fuse_works("mount_that_hangs_at_a_start_after_a_crash_is_cleared_later") {
        return;
    }
    let setup = setup().daemon("workers", "1");
    let mounts = vec![mount(&setup, "products/in"), mount(&setup, "products/out")];
    let hot = HotFolder::start_with(setup);
    let mut hung = Hung { mounts, hot };
    hung.hot
        .drop_into_stopped_worker("a.jpg", &jpeg(Quarter::TopLeft));
    hung.hot.kill9();
    hung.hang();
    hung.hot.restart();
    hung.assert_others_are_served("a");
    hung.hot.wait_state("offline");
    hung.go_on();
    let output = hung.hot.wait_output("a.png");
    assert_cutout(&output, Quarter::TopLeft);
    wait_for("nothing is left", || hung.hot.temporaries().is_empty());
    assert_eq!(hung.hot.outputs(), [Path::new("a.png")]);
}

/// P2, P7: the ledger is lost, and the output folder hangs when its cutouts are looked for. Fails when other folders wait for that,
/// or when a corrected photo gets a second cutout because the first one was not found.
#[test]
fn cutouts_on_a_mount_that_hangs_are_found_later() {
    look_for_cutouts("cutouts on a mount that hangs", |_| ());
}

/// P2, P7: as above, but that start ends before the mount answers, so the next one must look.
#[test]
fn cutouts_on_a_mount_that_hangs_are_found_by_a_later_start() {
    look_for_cutouts("cutouts on a mount that hangs longer", |hot| {
        hot.kill9();
        hot.restart();
        hot.wait_state(SILENT_OUTPUT);
    });
}

/// P2, P7: as above, but a reload changes the folder before the mount answers.
#[test]
fn cutouts_on_a_mount_that_hangs_are_found_after_a_reload() {
    look_for_cutouts("cutouts on a mount that hangs at a reload", |hot| {
        hot.change_setup(|setup| setup.folder_of("products", "settle", "1ms"));
        hot.signal(Signal::HUP);
        hot.wait_log("the configuration is reloaded");
        hot.wait_state(SILENT_OUTPUT);
    });
}

fn look_for_cutouts(test: &str, disturb: fn(&mut HotFolder)) {
    if !fuse_works(test) {
        return;
    }
    let setup = setup();
    let mounts = vec![mount(&setup, "products/out")];
    let hot = HotFolder::start_with(setup);
    let mut hung = Hung { mounts, hot };
    hung.hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hung.hot.wait_output("a.png");
    hung.hot.wait_status("done", |status| status.done == 1);
    hung.hot.stop();
    let state = fs::read_dir(hung.hot.setup().path("state")).unwrap();
    for file in state.map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().as_encoded_bytes();
        if name.starts_with(b"ledger.db") {
            fs::remove_file(&file).unwrap();
        }
    }
    // More cutouts, so that looking at all takes longer than settling.
    let archive = hung.hot.output("archive");
    fs::create_dir(&archive).unwrap();
    for number in 0..2_000 {
        fs::write(archive.join(format!("{number}.png")), b"not hotcut's").unwrap();
    }
    hung.hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    hung.hang();
    hung.hot.restart();
    hung.hot.wait_state(SILENT_OUTPUT);
    hung.assert_others_were_first();
    disturb(&mut hung.hot);
    hung.go_on();
    wait_for("the corrected cutout", || {
        shows(&hung.hot.output("a.png"), Quarter::BottomRight)
    });
    fs::remove_dir_all(archive).unwrap();
    assert_eq!(hung.hot.outputs(), [Path::new("a.png")]);
}
