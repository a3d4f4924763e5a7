//! The options of a cutout that a person waits for, besides those of its folder. Must not touch a file.

use std::path::{Path, PathBuf};

use super::Job;

/// The options of a cutout that a person waits for. It is made with the model and edges of its folder, even if a cutout with
/// another model or other edges exists.
#[derive(Clone, Debug, Default)]
pub struct CutOptions {
    /// The only path below the output folder that the cutout may get; if left out, it is named after its photo.
    pub name: Option<PathBuf>,
}

impl Job {
    /// The only path below the output folder that the cutout may get, if there is one.
    pub(super) fn fixed_name(&self) -> Option<&Path> {
        self.cut_options.as_ref()?.name.as_deref()
    }
}
