//! Runs a daemon from a [`Setup`], for tests that drop photos, query, signal, kill and restart it. Must know nothing of pixels.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Output};

use super::binary::{files_below, finish, hotcut, is_temporary, wait_for};
use super::launch::{is_ready, log_file, spawn};
use super::processes;
use super::processes::{is_worker, workers_of};
use super::setup::Setup;
use super::status::{FolderStatus, Quarantined, Status};
use rustix::process::Signal;

/// A daemon on its tree; dropping it kills the daemon and its workers.
#[derive(Debug)]
pub(crate) struct HotFolder {
    setup: Setup,
    child: Child,
    exit: Option<ExitStatus>,
    runs: u32,
}

impl HotFolder {
    pub(crate) fn start() -> HotFolder {
        HotFolder::start_with(Setup::new())
    }

    /// Starts the daemon and waits until it is ready.
    pub(crate) fn start_with(setup: Setup) -> HotFolder {
        let mut hot = HotFolder::launch(setup);
        hot.wait_ready();
        hot
    }

    /// Starts a daemon that may end before it is ready.
    pub(crate) fn launch(setup: Setup) -> HotFolder {
        setup.write_config();
        let child = spawn(&setup, &log_file(&setup, 0));
        HotFolder {
            setup,
            child,
            exit: None,
            runs: 1,
        }
    }

    /// Starts the daemon again, after `stop`, `kill9` or an exit.
    pub(crate) fn restart(&mut self) {
        assert!(self.exit.is_some(), "the daemon still runs");
        self.child = spawn(&self.setup, &log_file(&self.setup, self.runs));
        self.exit = None;
        self.runs += 1;
        self.wait_ready();
    }

    /// The setup, for changes before a reload or a restart.
    pub(crate) fn change_setup(&mut self, change: impl FnOnce(Setup) -> Setup) {
        self.setup = change(self.setup.clone());
        self.setup.write_config();
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A path below the input of the first folder.
    pub(crate) fn input(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.setup.input_of("products").join(relative)
    }

    /// A path below the output of the first folder.
    pub(crate) fn output(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.setup.output_of("products").join(relative)
    }

    /// Writes a file into the hot folder, as a copying program does.
    pub(crate) fn drop_file(&self, relative: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.input(relative);
        fs::create_dir_all(path.parent().expect("the input")).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Waits for an output of the first folder.
    #[track_caller]
    pub(crate) fn wait_output(&self, relative: impl AsRef<Path>) -> PathBuf {
        let path = self.output(relative);
        wait_for(&format!("output {}", path.display()), || path.exists());
        path
    }

    /// The relative paths of the published files in the output of the first folder, sorted.
    pub(crate) fn outputs(&self) -> Vec<PathBuf> {
        files_below(&self.output(""))
            .into_iter()
            .filter(|path| !is_temporary(path))
            .collect()
    }

    /// The relative paths of the temporary files in the output of the first folder, sorted.
    pub(crate) fn temporaries(&self) -> Vec<PathBuf> {
        files_below(&self.output(""))
            .into_iter()
            .filter(|path| is_temporary(path))
            .collect()
    }

    /// The first folder in `hotcut status --json`.
    #[track_caller]
    pub(crate) fn status(&self) -> FolderStatus {
        self.status_of("products")
    }

    #[track_caller]
    pub(crate) fn status_of(&self, folder: &str) -> FolderStatus {
        self.whole_status().folder(folder)
    }

    /// All of `hotcut status --json`.
    #[track_caller]
    pub(crate) fn whole_status(&self) -> Status {
        Status::parse(&self.command("status", [OsStr::new("--json")]))
    }

    /// Waits until the status of the first folder satisfies `met`.
    #[track_caller]
    pub(crate) fn wait_status(&self, what: &str, met: impl Fn(&FolderStatus) -> bool) {
        wait_for(what, || met(&self.status()));
    }

    /// Waits until the state of the first folder begins with `state`.
    #[track_caller]
    pub(crate) fn wait_state(&self, state: &str) {
        self.wait_status(state, |status| status.state.starts_with(state));
    }

    /// Waits until the file is quarantined.
    #[track_caller]
    pub(crate) fn wait_quarantined(&self, path: &str) -> Quarantined {
        let mut found = None;
        wait_for(&format!("{path} quarantined"), || {
            found = self
                .status()
                .quarantined
                .into_iter()
                .find(|entry| entry.path == path);
            found.is_some()
        });
        found.expect("waited for")
    }

    /// Runs `hotcut NAME --config FILE ARGS...` to its end.
    #[track_caller]
    pub(crate) fn command<I: AsRef<OsStr>>(
        &self,
        name: &str,
        args: impl IntoIterator<Item = I>,
    ) -> Output {
        let config = self.setup.config_file();
        finish(hotcut().arg(name).arg("--config").arg(config).args(args))
    }

    /// The pids of the living workers that are ready for a photo.
    pub(crate) fn workers(&self) -> Vec<u32> {
        let all = workers_of(self.pid()).into_iter();
        all.filter(|&pid| processes::has_dropped_rights(pid))
            .collect()
    }

    /// Stops the one worker of a daemon with `workers = 1`, so that the next photo is certain to stay in mid-job.
    #[track_caller]
    pub(crate) fn stop_worker(&self) -> u32 {
        wait_for("one ready worker", || self.workers().len() == 1);
        let workers = self.workers();
        let [worker] = workers[..] else {
            panic!("one idle worker, not {workers:?}")
        };
        processes::signal(worker, Signal::STOP);
        worker
    }

    /// With one worker: stops it, drops the photo and waits until it is in mid-job. Returns the worker's pid.
    #[track_caller]
    pub(crate) fn drop_into_stopped_worker(&self, relative: &str, bytes: &[u8]) -> u32 {
        let worker = self.stop_worker();
        self.drop_file(relative, bytes);
        self.wait_status("a running job", |status| status.running == 1);
        wait_for("its output", || !self.temporaries().is_empty());
        worker
    }

    pub(crate) fn signal(&self, signal: Signal) {
        assert!(self.exit.is_none(), "a reaped pid may be another process");
        processes::signal(self.pid(), signal);
    }

    /// SIGKILL; returns when the daemon is reaped and its workers are gone.
    #[track_caller]
    pub(crate) fn kill9(&mut self) {
        self.kill_if_alive();
        assert_eq!(self.wait_exit().signal(), Some(Signal::KILL.as_raw()));
    }

    /// As [`Self::kill9`], for a daemon that may be ending already.
    #[track_caller]
    pub(crate) fn kill_if_alive(&mut self) {
        if self.has_exited() {
            return;
        }
        let workers = workers_of(self.pid());
        self.signal(Signal::KILL);
        self.wait_exit();
        wait_for("workers die with the daemon", || {
            !workers.iter().any(|&pid| is_worker(pid))
        });
    }

    /// SIGTERM; the daemon drains and exits with 0.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait_exit().code(), Some(0), "drained");
    }

    pub(crate) fn has_exited(&mut self) -> bool {
        self.exit = self.exit.or(self.child.try_wait().unwrap());
        self.exit.is_some()
    }

    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        wait_for("the daemon exits", || self.has_exited());
        self.exit.expect("waited for")
    }

    /// The log of the daemon since its last start.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(log_file(&self.setup, self.runs - 1)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The number of lines of that log that contain `needle`.
    pub(crate) fn log_lines(&self, needle: &str) -> usize {
        let log = self.log();
        log.lines().filter(|line| line.contains(needle)).count()
    }

    /// P10: checks that a problem is logged once, not repeatedly.
    #[track_caller]
    pub(crate) fn assert_log_is_short(&self) {
        let lines = self.log_lines("");
        assert!(lines < 20, "{lines} lines");
    }

    #[track_caller]
    pub(crate) fn wait_log(&self, needle: &str) {
        wait_for(&format!("{needle:?} in the log"), || {
            self.log().contains(needle)
        });
    }

    #[track_caller]
    fn wait_ready(&mut self) {
        wait_for("the daemon is ready", || {
            assert!(!self.has_exited(), "ended early: {:?}", self.exit);
            self.log().lines().any(is_ready)
        });
    }
}

impl Drop for HotFolder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- configuration\n{}", self.setup.config_text());
            eprintln!("--- log of the daemon\n{}", self.log());
        }
        if self.exit.is_some() || self.child.try_wait().is_ok_and(|exit| exit.is_some()) {
            return;
        }
        let workers = workers_of(self.pid());
        self.child.kill().ok();
        self.child.wait().ok();
        for worker in workers.into_iter().filter(|&pid| is_worker(pid)) {
            processes::signal(worker, Signal::KILL);
        }
    }
}
