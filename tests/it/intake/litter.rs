//! Tests that hotcut leaves bins, snapshots, caches and temporary files of other programs alone, whatever happens to its photos.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::binary::{MODELS, files_below, finish, hotcut};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, jpeg};
use crate::support::setup::Setup;

/// Places where systems, NAS and other programs keep pictures that no user has dropped.
const LITTER: &[&str] = &[
    "._IMG_1.jpg",
    ".syncthing.IMG_1.jpg.tmp",
    "~syncthing~IMG_1.jpg.tmp",
    "IMG_1.jpg.filepart",
    "IMG_1.jpg.1a2b3c4d.partial",
    "IMG_1.jpg.!sync",
    "IMG_1.jpg.aria2",
    "IMG_1.jpg.bak",
    "IMG_1.jpg~",
    "~IMG_1.jpg",
    "~$IMG_1.jpg",
    "#IMG_1.jpg#",
    ".pureftpd-upload.5f3a.jpg",
    "IMG_2.jpg.download/IMG_2.jpg",
    "IMG_2.jpg.sb-1a2b3c4d-AbCdEf/IMG_2.jpg",
    "@eaDir/IMG_1.jpg/SYNOPHOTO_THUMB_XL.jpg",
    "#recycle/IMG_1.jpg",
    "#snapshot/d/IMG_1.jpg",
    "@Recycle/IMG_1.jpg",
    "@__thumb/s100IMG_1.jpg",
    ".@__thumb/s100IMG_1.jpg",
    "@Recently-Snapshot/IMG_1.jpg",
    "@GMT-2026.01.01-10.10.10/IMG_1.jpg",
    "~snapshot/x/IMG_1.jpg",
    ".snapshot/hourly.0/IMG_1.jpg",
    ".zfs/snapshot/x/IMG_1.jpg",
    "$RECYCLE.BIN/S-1-5-21/$RABC12.jpg",
    "RECYCLER/x.jpg",
    "Recycle Bin/x.jpg",
    "trashbox/x.jpg",
    "Session/Trash/x.jpg",
    ".Trash-1000/files/IMG_1.jpg",
    "System Volume Information/x.jpg",
    "DfsrPrivate/ConflictAndDeleted/x.jpg",
    "lost+found/1.jpg",
    "Network Trash Folder/IMG_1.jpg",
    "Temporary Items/IMG_1.jpg",
    "TheVolumeSettingsFolder/x.jpg",
    "__MACOSX/IMG_1.jpg",
    ".stversions/IMG_1~20240101-101010.jpg",
    ".dropbox.cache/IMG_1.jpg",
    ".tmp.drivedownload/1.jpg",
    "CaptureOne/Cache/Thumbnails/IMG_1.jpg",
    "CaptureOne/Cache/Proxies/IMG_1.jpg",
    "Lightroom Previews.lrdata/A/IMG_1.jpg",
    "Adobe Bridge Cache/1.jpg",
    "[Originals]/IMG_1.jpg",
    "Photos Library.photoslibrary/derivatives/x.jpg",
    "Thumbnails/IMG_1.jpg",
    "IMG_1.sync-conflict-20240101-101010-ABCDEFG.jpg",
    "IMG_1 (conflicted copy 2024-01-01).jpg",
];

/// P4: with `source = "delete"` hotcut would empty these places. Fails when a single one of their files is cut out or removed, or
/// when a pattern of `exclude` has no effect.
#[test]
fn bins_snapshots_and_caches_are_left_alone() {
    let setup = Setup::new()
        .folder("source", "delete")
        .folder("exclude", "[\"drafts\", \"2026/*-web.jpg\"]");
    let hot = HotFolder::start_with(setup);
    let excluded = ["sub/Drafts/a.jpg", "2026/a-WEB.jpg"];
    for name in LITTER.iter().chain(&excluded) {
        hot.drop_file(name, &jpeg(Quarter::TopLeft));
    }
    let left = files_below(&hot.input(""));
    for name in ["first", "2026/second"] {
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopRight));
        hot.wait_output(format!("{name}.png"));
    }
    hot.wait_status("both are done", |status| {
        (status.done, status.queued, status.running) == (2, 0, 0)
    });
    let expected = ["2026/second.png", "first.png"].map(PathBuf::from);
    assert_eq!(hot.outputs(), expected);
    assert_eq!(files_below(&hot.input("")), left);
}

/// P4: as above, for `hotcut cut` on a folder.
#[test]
fn cut_of_a_folder_leaves_bins_snapshots_and_caches_out() {
    let setup = Setup::new();
    let shoot = setup.path("shoot");
    for name in LITTER.iter().chain(&["a.jpg"]) {
        let path = shoot.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, jpeg(Quarter::TopLeft)).unwrap();
    }
    let output = setup.path("cut");
    let mut command = hotcut();
    command.arg("cut").arg(&shoot).arg("-o").arg(&output);
    let run = finish(command.args(["--model", "luma", "--models-dir", MODELS]));
    assert!(run.status.success(), "{run:?}");
    assert_eq!(files_below(&output), [Path::new("a.png")]);
}
