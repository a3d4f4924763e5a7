//! Runs commands and later daemons in the user and mount namespace of a daemon. Must not know a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::binary::{finish, hotcut, wait_for};
use super::hot_folder::HotFolder;
use super::setup::Setup;
use super::status::{FolderStatus, Status};

/// A namespace that lives as long as this value, with everything mounted in it, even after its daemon ends.
#[derive(Debug)]
pub(crate) struct Namespace {
    /// A process that waits for the end of its standard input, which comes when the test ends in any way.
    keeper: Child,
}

impl Namespace {
    /// Keeps the namespace of a running daemon.
    #[track_caller]
    pub(crate) fn of(hot: &HotFolder) -> Namespace {
        let keeper = Command::new("nsenter")
            .args(way_into(hot.pid()))
            .arg("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // `nsenter` joins the namespaces one after the other.
        let spaces = |pid: u32| {
            ["user", "mnt"].map(|kind| fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap())
        };
        wait_for("the keeper is inside", || {
            spaces(keeper.id()) == spaces(hot.pid())
        });
        Namespace { keeper }
    }

    /// Runs a command inside; it must succeed.
    #[track_caller]
    pub(crate) fn run(&self, program: &str, args: &[&str]) {
        let output = self.try_run(program, args);
        assert!(output.status.success(), "{program} {args:?}: {output:?}");
    }

    /// Unmounts `path` once no process uses it.
    #[track_caller]
    pub(crate) fn unmount(&self, path: &Path) {
        let path = path.display().to_string();
        wait_for("the unmount", || {
            self.try_run("umount", &[&path]).status.success()
        });
    }

    /// Mounts a new, empty file system of its own on `path`.
    #[track_caller]
    pub(crate) fn mount_tmpfs(&self, path: &Path) {
        let path = path.display().to_string();
        self.run("mount", &["-t", "tmpfs", "tmpfs", &path]);
    }

    /// `path` as it is seen inside.
    pub(crate) fn inside(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        let below = path.strip_prefix("/");
        root.join(below.expect("paths of the tree are absolute"))
    }

    /// The first folder in `hotcut status --json`, run inside.
    #[track_caller]
    pub(crate) fn status(&self, hot: &HotFolder) -> FolderStatus {
        let program = hotcut().get_program().to_string_lossy().into_owned();
        let config = hot.setup().config_file().display().to_string();
        let output = self.try_run(&program, &["status", "--json", "--config", &config]);
        Status::parse(&output).folder("products")
    }

    /// The setup with its next daemon inside.
    pub(crate) fn enter(&self, setup: Setup) -> Setup {
        setup.under(self.way())
    }

    /// The words with which a command inside begins.
    pub(crate) fn way(&self) -> Vec<String> {
        let mut wrapper = vec!["nsenter".to_owned()];
        wrapper.extend(way_into(self.keeper.id()));
        wrapper
    }

    fn try_run(&self, program: &str, args: &[&str]) -> Output {
        let mut command = Command::new("nsenter");
        command.args(way_into(self.keeper.id()));
        finish(command.arg(program).args(args).stdin(Stdio::null()))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.keeper.kill().ok();
        self.keeper.wait().ok();
    }
}

fn way_into(pid: u32) -> [String; 5] {
    let pid = pid.to_string();
    ["--user", "--mount", "--preserve-credentials", "-t", &pid].map(str::to_owned)
}
