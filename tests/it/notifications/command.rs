//! Tests `[notify]`: what a command receives, and that nothing waits for it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::webhook::{assert_event, setup};
use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, jpeg};

/// Fails when the command gets no JSON on its stdin, no variables, or arguments other than the configured ones.
#[test]
fn command_is_told_by_stdin_and_environment() {
    let setup = setup();
    let (script, told) = (setup.path("told.sh"), setup.path("told $HOME"));
    fs::create_dir(&told).unwrap();
    fs::write(
        &script,
        "cat > \"$1/$HOTCUT_EVENT.json\"\nenv | grep ^HOTCUT_ | sort > \"$1/$HOTCUT_EVENT.part\"\n\
         mv \"$1/$HOTCUT_EVENT.part\" \"$1/$HOTCUT_EVENT.env\"\nexit 3\n",
    )
    .unwrap();
    let hot = HotFolder::start_with(setup.tables(&format!(
        "[notify]\nquiet = \"300ms\"\ncommand = [\"/bin/sh\", {script:?}, {told:?}]\n"
    )));
    hot.drop_file("bad.jpg", HTML);
    let reason = hot.wait_quarantined("bad.jpg").reason;
    let (json, env) = told_files(&told, "quarantined");
    assert_event(
        &json,
        &json!({"event": "quarantined", "folder": "products", "source": "bad.jpg", "reason": reason}),
    );
    assert_eq!(
        env,
        format!(
            "HOTCUT_EVENT=quarantined\nHOTCUT_FOLDER=products\nHOTCUT_REASON={reason}\nHOTCUT_SOURCE=bad.jpg\n"
        )
    );
    let (json, env) = told_files(&told, "folder_finished");
    assert_eq!(json["quarantined"], 1);
    assert_eq!(
        env,
        "HOTCUT_DONE=0\nHOTCUT_EVENT=folder_finished\nHOTCUT_FOLDER=products\nHOTCUT_QUARANTINED=1\n"
    );
    wait_for("each failure is told", || {
        hot.log_lines("the command of [notify] failed") == 2
    });
}

/// P7: the command reads nothing and never ends. Fails when that delays photos or the end of the daemon, or when its child
/// processes survive.
#[test]
fn command_that_hangs_is_killed_with_all_that_it_started() {
    let setup = setup();
    let pid_file = setup.path("pid");
    let script = format!(
        "sleep 1000 & echo $! > {pid_file:?}.part; mv {pid_file:?}.part {pid_file:?}; wait"
    );
    let mut hot = HotFolder::start_with(setup.tables(&format!(
        "[notify]\nquiet = \"300ms\"\ncommand = [\"/bin/sh\", \"-c\", {script:?}]\n"
    )));
    hot.drop_file("bad.jpg", HTML);
    wait_for("the command runs", || pid_file.exists());
    let pid = fs::read_to_string(&pid_file).unwrap();
    let sleeps = || {
        let line = fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
        line.starts_with(b"sleep")
    };
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("a.png");
    assert!(sleeps());
    hot.stop();
    wait_for("what the command started is gone", || !sleeps());
}

/// What a test's command has written about an event.
fn told_files(told: &Path, event: &str) -> (Value, String) {
    let env = told.join(event).with_extension("env");
    wait_for(&format!("the command is told {event}"), || env.exists());
    let json = fs::read(env.with_extension("json")).unwrap();
    (
        serde_json::from_slice(&json).unwrap(),
        fs::read_to_string(env).unwrap(),
    )
}
