//! Provides a FUSE mount that hangs for as long as a test wants. Must not know a daemon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use super::binary::{eventually, skip, wait_for};
use super::processes;

/// A folder of the tree that shows another one. On drop, its server resumes and it is unmounted.
#[derive(Debug)]
pub(crate) struct FuseMount {
    server: Child,
    point: PathBuf,
}

/// Whether this machine has `bindfs` and lets a test mount with it; if not, reports that past the capture of the test runner.
pub(crate) fn fuse_works(test: &str) -> bool {
    let root = tempfile::tempdir().unwrap();
    let (shown, point) = (root.path().join("shown"), root.path().join("point"));
    for folder in [&shown, &point] {
        fs::create_dir(folder).unwrap();
    }
    let works = FuseMount::try_new(&shown, &point).is_some();
    if !works {
        skip(test, "`bindfs` is missing or may not mount here");
    }
    works
}

impl FuseMount {
    /// Mounts the folder `shown` at `point`.
    #[track_caller]
    pub(crate) fn new(shown: &Path, point: &Path) -> FuseMount {
        FuseMount::try_new(shown, point).expect("bindfs mounts")
    }

    fn try_new(shown: &Path, point: &Path) -> Option<FuseMount> {
        let mut server = Command::new("bindfs")
            .args(["-f", "--no-allow-other"])
            .args([shown, point])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut has_ended = false;
        eventually(|| {
            has_ended = server.try_wait().unwrap().is_some();
            has_ended || is_mounted(point)
        });
        let point = point.to_owned();
        let mount = FuseMount { server, point };
        (!has_ended && is_mounted(&mount.point)).then_some(mount)
    }

    /// Stops the server: no access to the mount is answered.
    #[track_caller]
    pub(crate) fn hang(&self) {
        processes::signal(self.server.id(), Signal::STOP);
        wait_for("the server is stopped", || {
            processes::status_field(self.server.id(), "State")
                .is_some_and(|state| state.starts_with('T'))
        });
    }

    /// Resumes the server.
    pub(crate) fn go_on(&self) {
        processes::signal(self.server.id(), Signal::CONT);
    }
}

impl Drop for FuseMount {
    fn drop(&mut self) {
        self.go_on();
        // Lazily, because a process may still have a file of it open.
        for unmount in [["fusermount3", "-uz"], ["umount", "-l"]] {
            let [program, options] = unmount;
            if is_mounted(&self.point) {
                let mut command = Command::new(program);
                let command = command.arg(options).arg(&self.point);
                command.stderr(Stdio::null()).status().ok();
            }
        }
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

fn is_mounted(point: &Path) -> bool {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let point = point.display().to_string();
    table
        .lines()
        .any(|line| line.split(' ').nth(4) == Some(point.as_str()))
}
