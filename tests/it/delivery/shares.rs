//! Tests network shares and cards whose file systems lack a rename without replacement, or links too: system calls fail as they do
//! there.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::support::binary::{files_below, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg};
use crate::support::setup::Setup;
use crate::support::strace;
use crate::support::strace::strace_works;

/// There `renameat` knows no flags; a plain rename, which replaces, works.
const RENAME: &str = "renameat2";
const RENAME_AND_LINK: &str = "renameat2,link,linkat";

/// P2, P4: fails when a cutout cannot get its name on NFS, or replaces another file there.
#[test]
fn share_that_renames_over_everything_loses_nothing() {
    serve("share without renames that refuse", RENAME);
}

/// P4, P10: a file system that has neither such a rename nor links. Fails when a file is renamed there anyway, or when the fault
/// and its remedy are not reported.
#[test]
fn share_without_links_is_refused_and_nothing_is_lost() {
    if !strace_works("share without links") {
        return;
    }
    let mut hot = HotFolder::start_with(strace::without(quick(), RENAME_AND_LINK));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_state("paused");
    let reason = hot.status().state;
    let folder = hot.output("").display().to_string();
    for part in [
        folder.trim_end_matches('/'),
        "replacing another",
        "another file system",
    ] {
        assert!(reason.contains(part), "no {part:?} in {reason}");
    }
    assert_eq!(hot.outputs(), [] as [&Path; 0]);
    assert_eq!(
        fs::read(hot.input("a.jpg")).unwrap(),
        jpeg(Quarter::TopLeft)
    );
    hot.assert_log_is_short();
    hot.kill_if_alive();
    hot.change_setup(|setup| setup.under(Vec::new()));
    hot.restart();
    wait_for("done elsewhere", || is_done(&hot));
    assert_moved(&hot, &[("a.jpg", Quarter::TopLeft)]);
}

/// P4, P10: as above, only for the original: its folder proves to have no such rename after the cutout is placed. Fails when the
/// original is touched although it could not be put back.
#[test]
fn original_on_a_share_without_links_is_left_alone() {
    if !strace_works("original on a share without links") {
        return;
    }
    let setup = quick();
    let input = setup.input_of("products");
    let hot = HotFolder::start_with(strace::without_on(setup, &input, RENAME_AND_LINK));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a.png"), Quarter::TopLeft);
    hot.wait_status("the waiting photo", |status| status.waiting.len() == 1);
    let reason = hot.status().waiting.remove(0).reason;
    for part in [&input.display().to_string(), "`source = \"keep\"`"] {
        assert!(reason.contains(part), "no {part:?} in {reason}");
    }
    assert_eq!(files_below(&hot.input("")), [PathBuf::from("a.jpg")]);
    assert_eq!(files_below(&hot.setup().path("done")), [] as [&Path; 0]);
    hot.assert_log_is_short();
}

/// P4: where a plain rename replaces, a cutout, a moved original and a restored original must get their names by a link. No test
/// can drop another file in the right microsecond, so this one checks the calls. Fails when a plain rename gives any name that
/// others may use.
#[test]
fn plain_rename_gives_only_hidden_names_where_it_replaces() {
    if !strace_works("plain renames on a share") {
        return;
    }
    let mut hot = HotFolder::start_with(strace::without_and_observed(quick(), RENAME));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("done", || is_done(&hot));
    hot.signal(Signal::TERM);
    assert!(hot.wait_exit().success(), "{}", hot.log());
    let names = strace::names_given_by_rename(hot.setup());
    let is_original = |name: &String| name.ends_with(".source");
    assert!(names.iter().any(is_original), "{names:?}");
    let visible: Vec<_> = names.iter().filter(|name| !is_hidden(name)).collect();
    assert_eq!(visible, [] as [&String; 0]);
}

/// P3, P4: a network mount may answer from its cache for up to a minute. Fails when a file counts as settled, or an original as
/// unchanged, because of such an answer.
#[test]
fn stamps_that_decide_are_asked_of_the_server() {
    if !strace_works("stamps on a share") {
        return;
    }
    let mut hot = HotFolder::start_with(strace::stamps_observed(quick()));
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    wait_for("done", || is_done(&hot));
    hot.signal(Signal::TERM);
    assert!(hot.wait_exit().success(), "{}", hot.log());
    let calls = strace::stamps_of(hot.setup(), &hot.input("a.jpg"));
    let is_forced = |call: &&String| call.contains("AT_STATX_FORCE_SYNC");
    let (forced, others): (Vec<_>, Vec<_>) = calls.iter().partition(is_forced);
    // Two looks while it settles; the file and its name before it is read, and after it.
    assert!(forced.len() >= 6, "{calls:#?}");
    assert_eq!(others, [] as [&String; 0]);
}

/// Hotcut's own names: those of jobs, and of files in its state directory.
fn is_hidden(name: &str) -> bool {
    let name = Path::new(name);
    let own = name.file_name().unwrap_or_default().to_string_lossy();
    own.starts_with(".hotcut-") || name.components().any(|part| part.as_os_str() == "state")
}

/// P2, P3, P4, P8: fails when a death between a link and the removal of the other name leaves two results, a partial one, or the
/// original nowhere or twice.
#[test]
fn daemon_killed_on_a_share_finishes_after_a_restart() {
    if !strace_works("kills on a share") {
        return;
    }
    for name in ["linkat", "unlinkat", "rename,renameat"] {
        let mut kills = 0;
        for number in 1.. {
            let what = format!("{name} {number}");
            let setup = strace::lacking_and_killed(quick(), RENAME, name, number);
            let mut hot = HotFolder::launch(setup);
            hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
            wait_for("dead or done", || hot.has_exited() || is_done(&hot));
            let is_killed = hot.has_exited();
            if is_killed {
                let signal = hot.wait_exit().signal();
                assert_eq!(signal, Some(Signal::KILL.as_raw()), "{}", hot.log());
            }
            hot.kill_if_alive();
            hot.change_setup(|setup| strace::without(setup, RENAME));
            hot.restart();
            wait_for(&format!("done after {what}"), || is_done(&hot));
            hot.stop();
            assert_eq!(hot.outputs(), [PathBuf::from("a.png")], "{what}");
            assert_cutout(&hot.output("a.png"), Quarter::TopLeft);
            assert_eq!(hot.temporaries(), [] as [&Path; 0], "{what}");
            assert_moved(&hot, &[("a.jpg", Quarter::TopLeft)]);
            if !is_killed {
                break;
            }
            kills += 1;
        }
        assert!(kills > 0, "{name} was never called");
    }
}

#[track_caller]
fn serve(test: &str, missing: &str) {
    if !strace_works(test) {
        return;
    }
    let mut hot = HotFolder::start_with(strace::without(quick(), missing));
    let foreign = b"somebody's work";
    fs::write(hot.output("a.png"), foreign).unwrap();
    fs::write(hot.setup().path("done/a.jpg"), foreign).unwrap();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("a-2.png"), Quarter::TopLeft);
    wait_for("source gone", || !hot.input("a.jpg").exists());
    hot.drop_file("b.jpg", &jpeg(Quarter::BottomRight));
    assert_cutout(&hot.wait_output("b.png"), Quarter::BottomRight);
    wait_for("source gone", || !hot.input("b.jpg").exists());
    hot.signal(Signal::TERM);
    assert!(hot.wait_exit().success(), "{}", hot.log());
    assert_eq!(fs::read(hot.output("a.png")).unwrap(), foreign);
    assert_eq!(
        fs::read(hot.setup().path("done/a.jpg")).unwrap(),
        foreign,
        "what was in `done` before"
    );
    assert_eq!(hot.outputs().len(), 3, "{:?}", hot.outputs());
    assert_eq!(hot.temporaries(), [] as [&Path; 0]);
    fs::remove_file(hot.setup().path("done/a.jpg")).unwrap();
    assert_moved(
        &hot,
        &[
            ("a-2.jpg", Quarter::TopLeft),
            ("b.jpg", Quarter::BottomRight),
        ],
    );
}

/// Checks that `done` contains only these files, and the hot folder none.
#[track_caller]
fn assert_moved(hot: &HotFolder, expected: &[(&str, Quarter)]) {
    let done = hot.setup().path("done");
    let names: Vec<PathBuf> = expected
        .iter()
        .map(|(name, _)| PathBuf::from(name))
        .collect();
    assert_eq!(files_below(&done), names);
    for (name, lit) in expected {
        assert_eq!(fs::read(done.join(name)).unwrap(), jpeg(*lit), "{name}");
    }
    assert_eq!(files_below(&hot.input("")), [] as [&Path; 0]);
}

fn is_done(hot: &HotFolder) -> bool {
    hot.output("a.png").exists()
        && !hot.input("a.jpg").exists()
        && hot.setup().path("done/a.jpg").exists()
        && hot.temporaries().is_empty()
}

fn quick() -> Setup {
    Setup::new()
        .daemon("workers", "1")
        .folder("settle", "50ms")
        .moves_sources()
}
