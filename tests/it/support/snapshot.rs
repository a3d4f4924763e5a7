//! Copies the tree of a stopped daemon, and restores it before each of many disturbed runs. Must not know a photo.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use tempfile::TempDir;

use super::hot_folder::HotFolder;
use super::setup::Setup;

/// The parts of the tree that the daemon changes.
const TREES: [&str; 3] = ["state", "products", "done"];

/// A copy of a tree. Its ledger holds absolute paths, so the tree is restored in its own place.
pub(crate) struct Snapshot {
    setup: Setup,
    copy: TempDir,
}

impl Snapshot {
    pub(crate) fn of(stopped: &HotFolder) -> Snapshot {
        let copy = tempfile::tempdir().unwrap();
        let setup = stopped.setup().clone();
        for tree in TREES {
            copy_tree(&setup.path(tree), &copy.path().join(tree));
        }
        Snapshot { setup, copy }
    }

    /// Restores everything. The files keep their times; their inodes are new.
    pub(crate) fn restore(&self) -> Setup {
        for tree in TREES {
            let place = self.setup.path(tree);
            fs::remove_dir_all(&place).ok();
            copy_tree(&self.copy.path().join(tree), &place);
        }
        self.setup.clone()
    }
}

fn copy_tree(from: &Path, to: &Path) {
    if !from.exists() {
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
            let changed: SystemTime = entry.metadata().unwrap().modified().unwrap();
            let file = fs::File::options().append(true).open(target).unwrap();
            file.set_modified(changed).unwrap();
        }
    }
}
