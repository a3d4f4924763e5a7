//! Tests files that are not photos or are harmful: the photographer gets the reason, and the next photo is not affected.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::binary::{identity, namespaces_work, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, assert_cutout, bomb, dark_png, jpeg};
use crate::support::processes::peak_mib;
use crate::support::setup::Setup;

/// P5, P10: fails when the name decides what a file is, when the reason is not shown in the status and beside the source, when the
/// source is changed, or when the next photo is not served.
#[test]
fn web_page_named_jpg_is_quarantined_with_the_reason_beside_it() {
    let hot = HotFolder::start();
    hot.drop_file("sub/page.jpg", HTML);
    let before = identity(&hot.input("sub/page.jpg"));
    let entry = hot.wait_quarantined("sub/page.jpg");
    assert!(entry.reason.contains("HTML"), "{entry:?}");
    let note = hot.input("sub/page.jpg.hotcut.txt");
    wait_for("the note", || note.exists());
    assert!(fs::read_to_string(note).unwrap().contains("HTML"));
    assert_eq!(identity(&hot.input("sub/page.jpg")), before);
    assert_serves_next(&hot);
    assert_eq!(hot.outputs(), [PathBuf::from("next.png")]);
}

/// P10: fails when the note of a repaired file stays and is wrong.
#[test]
fn note_goes_away_once_the_file_succeeds() {
    let hot = HotFolder::start();
    hot.drop_file("a.jpg", HTML);
    let note = hot.input("a.jpg.hotcut.txt");
    wait_for("the note", || note.exists());
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    wait_for("no note", || !note.exists());
    hot.wait_status("no longer quarantined", |status| {
        status.quarantined.is_empty()
    });
}

/// P4: fails when `failed` loses the source, flattens its folders or leaves a copy.
#[test]
fn bad_file_is_moved_where_failed_says() {
    let hot = HotFolder::start_with(Setup::new().moves_failures());
    hot.drop_file("sub/page.jpg", HTML);
    hot.wait_quarantined("sub/page.jpg");
    let moved = hot.setup().path("failed/sub/page.jpg");
    wait_for("moved", || {
        moved.exists() && !hot.input("sub/page.jpg").exists()
    });
    assert_eq!(fs::read(moved).unwrap(), HTML);
}

/// P5, P6: a few kilobytes that claim 900 megapixels. Fails when they are decoded before they are refused, or stop the next photo.
#[test]
fn decompression_bomb_is_quarantined_in_bounded_memory() {
    let hot = HotFolder::start();
    hot.drop_file("bomb.png", &bomb(30_000));
    let entry = hot.wait_quarantined("bomb.png");
    assert!(entry.reason.contains("megapixels"), "{entry:?}");
    assert_serves_next(&hot);
    for process in hot.workers().into_iter().chain([hot.pid()]) {
        assert!(peak_mib(process) < 300, "{} MiB", peak_mib(process));
    }
}

/// P5, P6: here the limit on pixels lets the file pass and only the worker's memory limit stops it. Fails when the machine's memory
/// is the limit, or when more than the file's own attempts are lost.
#[test]
fn photo_beyond_the_memory_of_a_worker_costs_only_itself() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .daemon("max_megapixels", "2000")
        .daemon("worker_memory", "1 GiB")
        .daemon("max_attempts", "1");
    let hot = HotFolder::start_with(setup);
    hot.drop_file("huge.png", &bomb(40_000));
    let entry = hot.wait_quarantined("huge.png");
    assert!(entry.reason.contains("memory"), "{entry:?}");
    assert!(peak_mib(hot.pid()) < 300, "{} MiB", peak_mib(hot.pid()));
    assert_serves_next(&hot);
}

/// A picture without a subject would give a ghost or an empty cutout. Fails when one is published.
#[test]
fn photo_without_a_subject_is_quarantined() {
    let hot = HotFolder::start();
    hot.drop_file("dark.png", &dark_png());
    let entry = hot.wait_quarantined("dark.png");
    assert!(entry.reason.contains("no subject found"), "{entry:?}");
    assert_serves_next(&hot);
    assert_eq!(hot.outputs(), [PathBuf::from("next.png")]);
}

/// P2: fails when an output that comes back as an input is cut out again, for ever when the folders form a loop.
#[test]
fn cutout_made_by_hotcut_is_not_cut_out_again() {
    let hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    fs::copy(hot.wait_output("a.png"), hot.input("again.png")).unwrap();
    hot.wait_log("already a cutout");
    assert_serves_next(&hot);
    assert_eq!(
        hot.outputs(),
        [PathBuf::from("a.png"), PathBuf::from("next.png")]
    );
}

/// P4, P5: opening a FIFO blocks, and a link can lead to any file. Fails when one is opened or followed. All settle before the
/// marker does.
#[test]
fn only_regular_files_inside_the_folder_are_taken() {
    let hot = HotFolder::start();
    let secret = hot.setup().path("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    mknodat(
        CWD,
        hot.input("fifo.jpg"),
        FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let _socket = UnixListener::bind(hot.input("socket.jpg")).unwrap();
    symlink(secret.join("a.jpg"), hot.input("file-link.jpg")).unwrap();
    symlink(&secret, hot.input("folder-link")).unwrap();
    symlink("../../secret/a.jpg", hot.input("relative-link.jpg")).unwrap();
    symlink("nowhere.jpg", hot.input("dangling.jpg")).unwrap();
    symlink(".", hot.input("loop")).unwrap();
    fs::create_dir(hot.input("folder.jpg")).unwrap();
    assert_serves_next(&hot);
    hot.drop_file("second.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("second.png");
    assert_eq!(
        hot.outputs(),
        [PathBuf::from("next.png"), PathBuf::from("second.png")]
    );
    hot.wait_status("nothing waits", |status| status.queued == 0);
    assert!(hot.status().quarantined.is_empty(), "{:?}", hot.status());
}

/// P2: litter of systems and programs is not a photo. Fails when a file with one of these names is taken.
#[test]
fn dotfiles_and_litter_are_ignored() {
    let hot = HotFolder::start();
    let names = [
        ".a.jpg",
        "._a.jpg",
        "a.jpg~",
        "a.jpg.part",
        "a.jpg.tmp",
        "a.jpg.crdownload",
        "Thumbs.db",
        "desktop.ini",
        "@eaDir/a.jpg",
        "#recycle/a.jpg",
        "__MACOSX/a.jpg",
        "lost+found/a.jpg",
        ".hidden/a.jpg",
        "notes.txt",
        "clip.mov",
    ];
    for name in names {
        hot.drop_file(name, &jpeg(Quarter::TopLeft));
    }
    assert_serves_next(&hot);
    hot.drop_file("deep/second.JPEG", &jpeg(Quarter::TopLeft));
    hot.wait_output("deep/second.png");
    assert_eq!(
        hot.outputs(),
        [Path::new("deep/second.png"), Path::new("next.png")]
    );
}

/// P5: fails when a quarantined file is tried again at each start.
#[test]
fn quarantined_file_is_not_tried_again_by_a_restart() {
    let mut hot = HotFolder::start();
    hot.drop_file("page.jpg", HTML);
    let before = hot.wait_quarantined("page.jpg");
    hot.stop();
    hot.restart();
    assert_serves_next(&hot);
    let after = hot.wait_quarantined("page.jpg");
    assert_eq!(
        (after.reason, after.attempts),
        (before.reason, before.attempts)
    );
}

/// P10: the daemon dies after a file was quarantined and before its note was written. Fails when the note is never written.
#[test]
fn note_that_a_crash_has_prevented_is_written_at_the_next_start() {
    let mut hot = HotFolder::start();
    let note = hot.input("page.jpg.hotcut.txt");
    fs::create_dir(&note).unwrap();
    hot.drop_file("page.jpg", HTML);
    hot.wait_log("could not write the reason");
    hot.kill9();
    fs::remove_dir(&note).unwrap();
    hot.restart();
    wait_for("the note", || note.exists());
    assert!(fs::read_to_string(&note).unwrap().contains("HTML"));
    assert_eq!(
        hot.wait_quarantined("page.jpg").attempts,
        1,
        "not tried again"
    );
}

/// P4, P10: as above, before the file was moved to `failed`, and between the move and the note.
#[test]
fn move_to_failed_that_a_crash_has_cut_short_is_finished_at_the_next_start() {
    let mut hot = HotFolder::start_with(Setup::new().moves_failures());
    let failed = hot.setup().path("failed");
    fs::remove_dir(&failed).unwrap();
    fs::write(&failed, b"in the way").unwrap();
    hot.drop_file("page.jpg", HTML);
    hot.wait_log("could not write the reason");
    hot.kill9();
    fs::remove_file(&failed).unwrap();
    let note = failed.join("page.jpg.hotcut.txt");
    fs::create_dir_all(&note).unwrap();
    hot.restart();
    hot.wait_log("could not write the reason");
    assert_eq!(fs::read(failed.join("page.jpg")).unwrap(), HTML);
    hot.kill9();
    fs::remove_dir(&note).unwrap();
    hot.restart();
    wait_for("the note", || note.exists());
    assert!(fs::read_to_string(&note).unwrap().contains("HTML"));
    assert!(!hot.input("page.jpg").exists());
    assert_eq!(fs::read_dir(&failed).unwrap().count(), 2);
}

/// P10: fails when a file that could not be moved to `failed` is moved only after a restart although it could be earlier, or when
/// each try is logged.
#[test]
fn move_to_failed_is_tried_again_until_it_works() {
    let hot = HotFolder::start_with(Setup::patient().moves_failures());
    let failed = hot.setup().path("failed");
    for folder in ["first", "second"] {
        fs::write(failed.join(folder), b"in the way").unwrap();
        hot.drop_file(format!("{folder}/page.jpg"), HTML);
        hot.wait_quarantined(&format!("{folder}/page.jpg"));
    }
    // The first file is tried again before the second one, whose move shows when that was.
    for folder in ["second", "first"] {
        fs::remove_file(failed.join(folder)).unwrap();
        let note = failed.join(folder).join("page.jpg.hotcut.txt");
        wait_for("the note", || note.exists());
        assert!(fs::read_to_string(&note).unwrap().contains("HTML"));
        let moved = failed.join(folder).join("page.jpg");
        assert_eq!(fs::read(moved).unwrap(), HTML);
    }
    wait_for("two are told of", || {
        hot.log_lines("was moved to `failed`") == 2
    });
    assert_eq!(hot.log_lines("could not write the reason"), 2);
}

/// P5, P10: the folder of a quarantined file cannot be searched for a while. Fails when the file counts as gone, so that it is
/// tried again.
#[test]
fn quarantined_file_out_of_reach_stays_quarantined() {
    if !namespaces_work("quarantined_file_out_of_reach_stays_quarantined") {
        return;
    }
    let prelude = "set -- setpriv --bounding-set=-dac_override,-dac_read_search \"$@\"";
    let setup = Setup::new().daemon("rescan", "1s").in_namespace(prelude);
    let hot = HotFolder::start_with(setup);
    hot.drop_file("sub/page.jpg", HTML);
    hot.wait_quarantined("sub/page.jpg");
    let mode = |mode| fs::set_permissions(hot.input("sub"), Permissions::from_mode(mode)).unwrap();
    mode(0);
    hot.wait_log("a subfolder cannot be read");
    // The look at quarantined files was requested before the look at this one.
    assert_serves_next(&hot);
    mode(0o755);
    hot.drop_file("sub/second.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("sub/second.png");
    hot.wait_quarantined("sub/page.jpg");
    let log = hot.log();
    let lines = log.lines().filter(|line| line.contains("\"quarantined\""));
    assert_eq!(lines.count(), 1, "{log}");
}

#[track_caller]
fn assert_serves_next(hot: &HotFolder) {
    hot.drop_file("next.jpg", &jpeg(Quarter::BottomRight));
    assert_cutout(&hot.wait_output("next.png"), Quarter::BottomRight);
}
