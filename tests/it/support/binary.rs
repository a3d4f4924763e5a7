//! Helpers that need no daemon: the path of the binary, waits with a deadline, and the content of folders.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The checkout.
pub(crate) const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");

/// The folder with the manifests of the test models.
pub(crate) const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/models");

/// How long a condition may take before a test fails: far longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits until `met`; fails with `what` when it takes longer than [`PATIENCE`].
#[track_caller]
pub(crate) fn wait_for(what: &str, met: impl FnMut() -> bool) {
    assert!(eventually(met), "not within {PATIENCE:?}: {what}");
}

/// Waits until `met`; false when it takes longer than [`PATIENCE`].
pub(crate) fn eventually(mut met: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !met() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// As [`wait_for`], but without pauses, for states that last milliseconds.
#[track_caller]
pub(crate) fn spin_until(mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !met() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}");
    }
}

/// The binary under test.
pub(crate) fn hotcut() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotcut"));
    command.stdin(Stdio::null());
    command
}

/// Runs `command` to its end and captures its output; kills it and fails if it does not end by itself.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Output {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut killed = false;
    while child.try_wait().unwrap().is_none() && !killed {
        if Instant::now() > deadline {
            child.kill().unwrap();
            killed = true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert!(
        !killed,
        "did not end within {PATIENCE:?}: {command:?}\n{output:?}"
    );
    output
}

/// The output of a finished command, both streams.
pub(crate) fn said(output: &Output) -> String {
    let streams = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&streams).into_owned()
}

/// Whether this user may make user and mount namespaces; if not, reports that past the capture of the test runner.
pub(crate) fn namespaces_work(test: &str) -> bool {
    let works = Command::new("unshare")
        .args(["-Urm", "true"])
        .status()
        .is_ok_and(|exit| exit.success());
    if !works {
        skip(test, "`unshare -Urm` is not permitted here");
    }
    works
}

/// Reports that `test` is skipped, past the capture of the test runner: into the file that `make test` prints at its end, or to the
/// terminal.
pub(crate) fn skip(test: &str, reason: &str) {
    let line = format!("SKIPPED {test}: {reason}\n");
    match std::env::var_os("SKIPPED_TESTS") {
        Some(path) => {
            let list = File::options().append(true).create(true).open(path);
            list.unwrap().write_all(line.as_bytes()).unwrap();
        }
        None => std::io::stderr().write_all(line.as_bytes()).unwrap(),
    }
}

/// The relative paths of all files below `root`, sorted.
pub(crate) fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::new()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))
            .unwrap()
            .map(Result::unwrap)
        {
            let list = if entry.file_type().unwrap().is_dir() {
                &mut folders
            } else {
                &mut files
            };
            list.push(folder.join(entry.file_name()));
        }
    }
    files.sort();
    files
}

/// The inode and change time: equal if and only if the file was neither written nor replaced.
pub(crate) fn identity(path: &Path) -> (u64, i64, i64) {
    let data = fs::symlink_metadata(path).unwrap();
    (data.ino(), data.mtime(), data.mtime_nsec())
}

/// Whether a file in an output folder is an unfinished file of hotcut.
pub(crate) fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().expect("a file").as_encoded_bytes();
    name.starts_with(b".hotcut-") && name.ends_with(b".tmp")
}
