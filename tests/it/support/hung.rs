//! Helpers for a daemon and a mount whose server a test stops: what must still be served, and what must recover.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use super::binary::wait_for;
use super::fuse::FuseMount;
use super::hot_folder::HotFolder;
use super::photos::{Quarter, assert_cutout, jpeg};
use super::processes;
use super::setup::Setup;

/// The reason shown for the folder.
pub(crate) const SILENT: &str = "offline: its disk does not answer";

pub(crate) const SILENT_OUTPUT: &str = "offline: the disk of its output folder";

/// A daemon, and mounts that are dropped before it, so that their folders do not block a process.
pub(crate) struct Hung {
    pub(crate) mounts: Vec<FuseMount>,
    pub(crate) hot: HotFolder,
}

impl Hung {
    pub(crate) fn hang(&self) {
        for mount in &self.mounts {
            mount.hang();
        }
    }

    pub(crate) fn go_on(&self) {
        for mount in &self.mounts {
            mount.go_on();
        }
    }

    /// Stops the daemon while the mounts hang; it exits with 0 once they resume. The kernel itself closes files that were open on a
    /// mount, and does not release the process before the mount answers.
    #[track_caller]
    pub(crate) fn assert_stops(&mut self) {
        self.hot.signal(Signal::TERM);
        self.hot.wait_log("stopped");
        wait_for("the program has ended", || {
            self.hot.has_exited()
                || processes::status_field(self.hot.pid(), "State")
                    .is_none_or(|state| state.starts_with('Z'))
        });
        self.go_on();
        assert_eq!(self.hot.wait_exit().code(), Some(0));
    }

    /// Checks that a photo of the unaffected folder `portraits` is cut out.
    #[track_caller]
    pub(crate) fn assert_others_are_served(&self, name: &str) {
        let photo = self.hot.setup().input_of("portraits").join(name);
        fs::write(photo.with_extension("jpg"), jpeg(Quarter::TopLeft)).unwrap();
        let output = self.hot.setup().output_of("portraits").join(name);
        let output = output.with_extension("png");
        wait_for("the other folder", || output.exists());
        assert_cutout(&output, Quarter::TopLeft);
        assert_eq!(self.hot.status_of("portraits").state, "online");
    }

    /// Checks that the other folder was served before the disk was known not to answer.
    #[track_caller]
    pub(crate) fn assert_others_were_first(&self) {
        let log = self.hot.log();
        let served = log.find("online: the folder is watched").unwrap();
        assert!(served < log.find("does not answer").unwrap(), "{log}");
    }

    /// Checks that a photo of the folder on the mount is cut out, now that the mount answers.
    #[track_caller]
    pub(crate) fn assert_served_again(&self, name: &str) {
        self.hot.wait_state("polling");
        let photo = Path::new(name).with_extension("jpg");
        self.hot.drop_file(&photo, &jpeg(Quarter::TopRight));
        let output = self.hot.wait_output(photo.with_extension("png"));
        assert_cutout(&output, Quarter::TopRight);
    }
}

/// The folder `products` on a mount, with its output, and `portraits` beside it.
pub(crate) fn setup() -> Setup {
    Setup::patient()
        .another_folder("portraits")
        .daemon("drain_timeout", "2s")
}

/// Mounts at `relative` of the tree the content of a folder beside it.
#[track_caller]
pub(crate) fn mount(setup: &Setup, relative: &str) -> FuseMount {
    let shown = setup.path(relative.replace('/', "-"));
    fs::create_dir(&shown).unwrap();
    FuseMount::new(&shown, &setup.path(relative))
}
