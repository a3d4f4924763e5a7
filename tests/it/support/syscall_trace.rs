//! Records every call of the daemon in one undisturbed run with one photo, and gives disturbed runs the same start.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::binary::wait_for;
use super::hot_folder::HotFolder;
use super::photos::{Quarter, jpeg};
use super::setup::Setup;
use super::strace;
use super::strace::Call;

/// The photo, below its hot folder.
pub(crate) const PHOTO: &str = "sub/a.jpg";

/// Its sidecar, moved along with it.
pub(crate) const SIDECAR: &str = "sub/a.xmp";
pub(crate) const DESCRIPTION: &[u8] = b"<x:xmpmeta/>";

/// The calls of the daemon for the photo in an undisturbed run, and the ledger that it starts with: temporary files are named after
/// the ledger.
pub(crate) struct SyscallTrace {
    pub(crate) calls: BTreeMap<Call, u32>,
    pub(crate) sequence: Vec<Call>,
    ledger: TempDir,
}

impl SyscallTrace {
    pub(crate) fn of(setup: Setup) -> SyscallTrace {
        let mut hot = HotFolder::start_with(setup);
        hot.stop();
        SyscallTrace::of_stopped(hot)
    }

    /// As above, with a daemon that also makes its ledger.
    pub(crate) fn without_ledger(setup: Setup) -> SyscallTrace {
        let mut hot = HotFolder::start_with(setup);
        hot.stop();
        let state = hot.setup().path("state");
        fs::remove_dir_all(&state).unwrap();
        fs::create_dir(state).unwrap();
        SyscallTrace::of_stopped(hot)
    }

    fn of_stopped(mut hot: HotFolder) -> SyscallTrace {
        let ledger = tempfile::tempdir().unwrap();
        copy_files(&hot.setup().path("state"), ledger.path());
        hot.drop_file(SIDECAR, DESCRIPTION);
        hot.drop_file(PHOTO, &photo());
        hot.change_setup(strace::observed);
        hot.restart();
        wait_for("done", || is_done(&hot));
        hot.stop();
        let calls = strace::sequence(hot.setup());
        SyscallTrace {
            calls: strace::calls(hot.setup()),
            sequence: calls.into_iter().map(|(_, call)| call).collect(),
            ledger,
        }
    }

    /// Puts the ledger, the photo and the sidecar in their places.
    pub(crate) fn prepare(&self, setup: Setup) -> Setup {
        copy_files(self.ledger.path(), &setup.path("state"));
        let input = setup.input_of("products");
        fs::create_dir_all(input.join(PHOTO).parent().expect("a folder")).unwrap();
        fs::write(input.join(SIDECAR), DESCRIPTION).unwrap();
        fs::write(input.join(PHOTO), photo()).unwrap();
        setup
    }
}

fn copy_files(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// Whether the photo is cut out and moved, and no work is left.
pub(crate) fn is_done(hot: &HotFolder) -> bool {
    let is_moved = !hot.input(PHOTO).exists() && hot.setup().path("done").join(PHOTO).exists();
    is_moved && {
        let status = hot.status();
        status.done == 1 && status.running == 0 && status.queued == 0
    }
}

pub(crate) fn photo() -> Vec<u8> {
    jpeg(Quarter::TopLeft)
}
