//! One output of a folder and its disk. Must not choose a name.

use std::path::{Path, PathBuf};

use crate::config::{Folder, OutputSpec};
use crate::delivery::Destination;
use crate::fs::path_error::PathError;

/// One output of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputPlace {
    /// The output folder.
    pub folder: PathBuf,
    /// The mount point that it must lie under, if known.
    pub mount_point: Option<PathBuf>,
    /// What is made for it.
    pub spec: OutputSpec,
}

impl OutputPlace {
    /// The outputs of `folder`; no mount point is known.
    pub fn all_of(folder: &Folder) -> Vec<Self> {
        let outputs = folder.outputs.iter();
        let places = outputs.map(|output| Self {
            folder: output.path.clone(),
            mount_point: None,
            spec: output.spec,
        });
        places.collect()
    }

    /// Opens the output folder and creates it if needed. Fails when its mount point is not mounted. Blocks.
    pub(super) fn open(&self) -> Result<Destination, PathError> {
        Destination::open(&self.folder, self.mount_point.as_deref())
    }

    /// Opens the folder of the file that has the path `name` below the output folder, and creates it if needed. Blocks.
    pub(super) fn open_parent(&self, name: &Path) -> Result<Destination, PathError> {
        self.open()?
            .subfolder(name.parent().unwrap_or(Path::new("")))
    }
}
