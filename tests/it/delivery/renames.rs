//! Tests what happens to the cutout of a photo that is renamed inside its hot folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::binary::{said, wait_for};
use crate::support::deaths::kill_at_each;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, marked_source, shows};
use crate::support::setup::Setup;
use crate::support::strace;
use crate::support::strace::strace_works;

/// A daemon that has cut out `a.jpg`.
fn with_one_done() -> HotFolder {
    let hot = HotFolder::start_with(Setup::new().daemon("workers", "1").folder("settle", "50ms"));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_status("done", |status| status.done == 1);
    hot
}

/// Waits until the photo is done under its new name, and no work is left.
#[track_caller]
fn wait_renamed(hot: &HotFolder, name: &str) {
    let told = format!("done: cut out to {}", hot.output(name).display());
    let photo = Path::new(name).with_extension("jpg");
    wait_for(&format!("{name} in its place"), || {
        let status = hot.status();
        let is_idle = status.running == 0 && status.queued == 0;
        is_idle && said(&hot.command("why", [hot.input(&photo)])).contains(&told)
    });
}

#[track_caller]
fn assert_only(hot: &HotFolder, names: &[&str]) {
    let names: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    assert_eq!(hot.outputs(), names);
    assert!(hot.temporaries().is_empty());
}

/// P2: fails when the photo is cut out again, when its earlier cutout stays, when it counts twice, or when a correction under the
/// new name does not find its cutout.
#[test]
fn cutout_takes_the_new_name_of_its_photo() {
    let mut hot = with_one_done();
    fs::create_dir(hot.input("sub")).unwrap();
    fs::rename(hot.input("a.jpg"), hot.input("sub/b.jpg")).unwrap();
    wait_renamed(&hot, "sub/b.png");
    assert_only(&hot, &["sub/b.png"]);
    assert_cutout(&hot.output("sub/b.png"), Quarter::TopLeft);
    assert_eq!(marked_source(&hot.output("sub/b.png")), "sub/b.jpg");
    assert_eq!(hot.log().matches("\"cut out\"").count(), 1, "{}", hot.log());
    assert_eq!(hot.status().done, 1);
    hot.drop_file("sub/b.jpg", &jpeg(Quarter::BottomRight));
    wait_for("the correction", || {
        shows(&hot.output("sub/b.png"), Quarter::BottomRight)
    });
    hot.stop();
    fs::rename(hot.input("sub"), hot.input("shoot")).unwrap();
    hot.restart();
    wait_renamed(&hot, "shoot/b.png");
    assert_only(&hot, &["shoot/b.png"]);
}

/// P2: fails when a renamed photo gets a second cutout because a new photo has its former name.
#[test]
fn cutout_takes_the_new_name_although_another_photo_has_the_former_one() {
    let mut hot = with_one_done();
    hot.stop();
    fs::rename(hot.input("a.jpg"), hot.input("b.jpg")).unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::BottomRight));
    hot.restart();
    wait_renamed(&hot, "b.png");
    wait_for("the new photo", || {
        shows(&hot.output("a.png"), Quarter::BottomRight)
    });
    assert_only(&hot, &["a.png", "b.png"]);
    assert!(hot.log().contains("renamed the cutout"), "{}", hot.log());
    assert_cutout(&hot.output("b.png"), Quarter::TopLeft);
    assert_eq!(marked_source(&hot.output("b.png")), "b.jpg");
}

/// P2: fails when a user's file under the new name is overwritten, or the photo is left without a cutout.
#[test]
fn foreign_file_under_the_new_name_stays() {
    let hot = with_one_done();
    fs::write(hot.output("b.png"), b"somebody's work").unwrap();
    fs::rename(hot.input("a.jpg"), hot.input("b.jpg")).unwrap();
    wait_for("another name", || {
        hot.output("b.jpg.png").exists() && !hot.output("a.png").exists()
    });
    assert_cutout(&hot.output("b.jpg.png"), Quarter::TopLeft);
    assert_eq!(fs::read(hot.output("b.png")).unwrap(), b"somebody's work");
}

/// P2, P4: fails when a retouched cutout is renamed or removed.
#[test]
fn retouched_cutout_stays_where_it_is() {
    let hot = with_one_done();
    fs::write(hot.output("a.png"), b"retouched").unwrap();
    fs::rename(hot.input("a.jpg"), hot.input("b.jpg")).unwrap();
    wait_renamed(&hot, "b.png");
    assert_cutout(&hot.output("b.png"), Quarter::TopLeft);
    assert_eq!(fs::read(hot.output("a.png")).unwrap(), b"retouched");
}

/// P2: fails when a second hard link to a photo, which is another photo, takes the cutout of the first.
#[test]
fn second_link_to_a_photo_has_a_cutout_of_its_own() {
    let hot = with_one_done();
    fs::hard_link(hot.input("a.jpg"), hot.input("b.jpg")).unwrap();
    wait_renamed(&hot, "b.png");
    assert_only(&hot, &["a.png", "b.png"]);
    assert_eq!(hot.status().done, 2);
}

/// P2, P3, P8: fails when a death at any call leaves two cutouts, or none, or one under the wrong name.
#[test]
fn daemon_killed_while_it_renames_a_cutout_leaves_one() {
    if !strace_works("kill while a cutout is renamed") {
        return;
    }
    let rename = |hot: &HotFolder| {
        let photo = hot.input("b.jpg");
        fs::rename(hot.input("a.jpg"), photo).unwrap();
    };
    let is_ledger_or_output =
        |path: &Path| path.starts_with("products/out") || path.starts_with("state/ledger.db-wal");
    let prepared = || {
        let mut hot = with_one_done();
        hot.stop();
        rename(&hot);
        hot
    };
    let mut hot = prepared();
    hot.change_setup(strace::observed);
    hot.restart();
    wait_renamed(&hot, "b.png");
    hot.stop();
    let calls = strace::calls(hot.setup());
    let mut meant: Vec<_> = calls
        .into_iter()
        .filter(|(call, _)| is_ledger_or_output(&call.path))
        .collect();
    // Hidden names differ from ledger to ledger.
    meant.retain(|(call, _)| !call.path.display().to_string().contains(".hotcut-"));
    assert!(meant.len() >= 3, "{meant:?}");
    let is_done = |hot: &HotFolder| hot.output("b.png").exists() && !hot.output("a.png").exists();
    let judge = |hot: &mut HotFolder, call: &str| {
        hot.restart();
        wait_renamed(hot, "b.png");
        assert_only(hot, &["b.png"]);
        assert_cutout(&hot.output("b.png"), Quarter::TopLeft);
        assert_eq!(marked_source(&hot.output("b.png")), "b.jpg");
        assert_eq!(hot.status().done, 1, "{call}");
        hot.stop();
    };
    let meant = meant.iter().map(|(call, most)| (call, most));
    kill_at_each(meant, || prepared().setup().clone(), is_done, judge);
}
